"""The words of analyses, by their English text."""

from __future__ import annotations

from collections.abc import Mapping

from cadran.publish.messages import language

_FRENCH: Mapping[str, str] = {
    "Step": "Étape",
    "Entities": "Nombre",
    "Of the step before": "De l'étape précédente",
    "Of the first": "De la première",
    "Median days": "Jours (médiane)",
    "Skipped a step": "Étape sautée",
    "Period": "Période",
    "Overall": "Au total",
    "State": "État",
    "Entered in": "Entrés en",
    "within {days} days": "en {days} jours",
    "{count} reached '{step}' without the steps before it, or not in their order; they are not counted":
        "{count} ont atteint « {step} » sans les étapes précédentes, ou pas dans l'ordre ; ils ne sont pas comptés",
    "one reached '{step}' without the steps before it, or not in their order; it is not counted": (
        "un seul a atteint « {step} » sans les étapes précédentes, ou pas dans l'ordre ; il n'est pas compté"
    ),
    "Began in": "Entrés en",
    "How many": "Combien",
    "All": "Ensemble",
    "in percent of those who began": "en pour cent de ceux qui sont entrés",
    "Average": "Moyenne",
    "of what is over": "de ce qui est achevé",
    "after {count} months": "après {count} mois",
    "after {count} weeks": "après {count} semaines",
    "after {count} quarters": "après {count} trimestres",
    "after {count} years": "après {count} ans",
    "month": "mois",
    "week": "semaine",
    "quarter": "trimestre",
    "year": "année",
    "in progress": "en cours",
    "Band": "Classe",
    "Points": "Points",
    "Rows": "Nombre",
    "from {points} points": "à partir de {points} points",
    "no band": "sans classe",
    "Rule": "Règle",
    "Holds for": "Vraie pour",
    "Counts for": "Compte pour",
    "Why": "Pourquoi",
    "holds for no row": "vraie pour aucune ligne",
    "The {count} best of {listed}": "Les {count} meilleurs sur {listed}",
    "Rules": "Règles",
    "no row of {dataset} has this key": "aucune ligne de {dataset} n'a cette clé",
    "Condition": "Condition",
    "The row has": "La ligne contient",
    "Holds": "Vraie",
    "points": "points",
    "an earlier one counts": "une précédente compte",
    "Bands": "Classes",
    "yes": "oui",
    "no": "non",
}  # fmt: skip


def tr(text: str, locale: str) -> str:
    """A text in the language of a locale; placeholders stay."""
    return _FRENCH.get(text, text) if language(locale) == "fr" else text

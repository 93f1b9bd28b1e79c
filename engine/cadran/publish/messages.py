"""The words of reports and tables, in French and English. A team's own texts come from its ``kpis.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES = ("en", "fr")


def language(locale: str) -> str:
    """The language that a locale is written in here: ``fr`` for ``fr_CH``, English for what is not known."""
    prefix = locale.replace("_", "-").partition("-")[0].lower()
    return prefix if prefix in LANGUAGES else "en"


def words(locale: str) -> Mapping[str, str]:
    """All words of one language, by key."""
    return _WORDS[language(locale)]


def localized(texts: Mapping[str, str], locale: str) -> str:
    """The text for a locale: its own, its language's, the one without a language, else whichever there is."""
    for key in (locale, language(locale), "", "en"):
        if texts.get(key):
            return texts[key]
    return next(iter(texts.values()), "")


_BOTH: dict[str, tuple[str, str]] = {
    # status and state
    "on_target": ("on target", "objectif atteint"),
    "at_risk": ("at risk", "à surveiller"),
    "off_target": ("off target", "hors objectif"),
    "no_target": ("no target", "sans objectif"),
    "no_data": ("no data", "sans donnée"),
    "not_judged": ("not judged yet", "pas encore jugé"),
    "nothing": ("no data", "aucune donnée"),
    "many_on_target": ("on target", "objectifs atteints"),
    "many_no_data": ("no data", "sans données"),
    "many_not_judged": ("not judged yet", "pas encore jugés"),
    "final": ("final", "définitif"),
    "settling": ("settling", "à confirmer"),
    "open": ("in progress", "en cours"),
    "maturing": ("maturing", "en maturation"),
    "pending": ("pending", "à confirmer"),
    "firing": ("firing", "déclenchée"),
    "critical": ("critical", "critique"),
    "warning": ("warning", "avertissement"),
    "info": ("info", "information"),
    # grains
    "day": ("Daily", "Par jour"),
    "week": ("Weekly", "Par semaine"),
    "month": ("Monthly", "Par mois"),
    "quarter": ("Quarterly", "Par trimestre"),
    "year": ("Yearly", "Par an"),
    "fiscal_quarter": ("By fiscal quarter", "Par trimestre fiscal"),
    "fiscal_year": ("By fiscal year", "Par exercice"),
    "all": ("Over all data", "Toutes périodes"),
    # report
    "default_title": ("Key figures", "Indicateurs"),
    "as_of": ("Data as of", "Données au"),
    "summary": ("In short", "En bref"),
    "overview": ("Overview", "Vue d’ensemble"),
    "details": ("In detail", "En détail"),
    "attention": ("Off target or at risk", "Hors objectif ou à surveiller"),
    "all_well": (
        "Every KPI that has a target meets it.",
        "Tous les indicateurs qui ont un objectif l’atteignent.",
    ),
    "no_targets": ("No KPI has a target yet.", "Aucun indicateur n’a encore d’objectif."),
    "movers": ("Biggest moves", "Plus fortes évolutions"),
    "usual_move": ("× its usual move", " × son évolution habituelle"),
    "better": ("better", "mieux"),
    "worse": ("worse", "moins bien"),
    "alerts": ("Alerts", "Alertes"),
    "since": ("since", "depuis"),
    "condition": ("rule", "règle"),
    "target": ("Target", "Objectif"),
    "value": ("Value", "Valeur"),
    "status": ("Status", "Statut"),
    "gap": ("to target", "vs objectif"),
    "previous": ("Previous", "Précédent"),
    "year_ago": ("A year ago", "Un an avant"),
    "vs_previous": ("vs previous", "vs préc."),
    "vs_year_ago": ("vs a year ago", "sur un an"),
    "change": ("Change", "Évolution"),
    "base": ("Base", "Base"),
    "trend": ("Trend", "Tendance"),
    "period": ("Period", "Période"),
    "action": ("What to do", "À faire"),
    "read_with": ("Read with", "À lire avec"),
    "also": ("Also", "Aussi"),
    "total": ("Total", "Total"),
    "by": ("By", "Par"),
    "none_value": ("(none)", "(non renseigné)"),
    "other_value": ("(other)", "(autres)"),
    "others_hidden": ("more rows in the CSV", "autres lignes dans le CSV"),
    "one_hidden": ("more row in the CSV", "autre ligne dans le CSV"),
    "no_final": ("No final period yet.", "Pas encore de période définitive."),
    "markers": ("Markers", "Repères"),
    "provisional": ("provisional", "provisoire"),
    "chart_of": ("Values by period", "Valeurs par période"),
    # data quality
    "quality": ("Data quality", "Qualité des données"),
    "dataset": ("Dataset", "Jeu de données"),
    "rows": ("Rows", "Lignes"),
    "quarantined": ("Set aside", "Écartées"),
    "undated": ("Undated", "Sans date"),
    "covered": ("Covers", "Couvre"),
    "freshness": ("Newest row", "Dernière ligne"),
    "findings": ("Findings", "Constats"),
    "today": ("today", "aujourd’hui"),
    "day_ago": ("day ago", "il y a 1 jour"),
    "days_ago": ("days ago", "il y a {} jours"),
    "row_aside": ("row was set aside", "ligne a été écartée"),
    "rows_aside": ("rows were set aside", "lignes ont été écartées"),
    "none_aside": ("No row was set aside.", "Aucune ligne n’a été écartée."),
    "affected": ("rows set aside in its data", "lignes écartées dans ses données"),
    "affected_one": ("row set aside in its data", "ligne écartée dans ses données"),
    "unfinished": ("Periods that are not final", "Périodes non définitives"),
    "warnings": ("Warnings", "Avertissements"),
    "notes": ("Notes", "Remarques"),
    "note_clock": (
        "rests on now(): computed from all rows in every run",
        "dépend de now() : recalculé sur toutes les lignes à chaque exécution",
    ),
    "note_restate": (
        "rows of {dataset} that changed in periods which ended before {since} are not looked at again",
        "les lignes de {dataset} modifiées dans des périodes closes avant le {since} ne sont plus relues",
    ),
    # definitions
    "definitions": ("Definitions", "Définitions"),
    "formula": ("Formula", "Formule"),
    "owner": ("Owner", "Responsable"),
    "unit": ("Unit", "Unité"),
    "good_up": ("higher is better", "plus haut, mieux c’est"),
    "good_down": ("lower is better", "plus bas, mieux c’est"),
    "made_with": ("Made with cadran", "Produit avec cadran"),
    # terminal
    "no_rows": ("No values in this range.", "Aucune valeur dans cet intervalle."),
    "head_value": ("value", "valeur"),
    "head_change": ("change", "évol."),
    "head_gap": ("to target", "vs obj."),
    "head_status": ("status", "statut"),
    "short_on_target": ("on target", "atteint"),
    "short_at_risk": ("at risk", "à surveiller"),
    "short_off_target": ("off target", "manqué"),
    "short_no_target": ("no target", "sans obj."),
    "short_no_data": ("no data", "sans donnée"),
    "short_not_judged": ("open", "en cours"),
    "segments_hidden": (
        "segment values are not shown; add --segments",
        "valeurs de segment ne sont pas affichées ; ajoutez --segments",
    ),
}
_WORDS: dict[str, Mapping[str, str]] = {
    lang: MappingProxyType({key: both[index] for key, both in _BOTH.items()})
    for index, lang in enumerate(LANGUAGES)
}

MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
}  # fmt: skip
SHORT_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
}

# unit -> language -> (short, singular, plural)
UNITS = {
    "seconds": {"en": ("s", "second", "seconds"), "fr": ("s", "seconde", "secondes")},
    "minutes": {"en": ("min", "minute", "minutes"), "fr": ("min", "minute", "minutes")},
    "hours": {"en": ("h", "hour", "hours"), "fr": ("h", "heure", "heures")},
    "days": {"en": ("d", "day", "days"), "fr": ("j", "jour", "jours")},
    "weeks": {"en": ("wk", "week", "weeks"), "fr": ("sem.", "semaine", "semaines")},
    "months": {"en": ("mo", "month", "months"), "fr": ("mois", "mois", "mois")},
    "years": {"en": ("yr", "year", "years"), "fr": ("ans", "an", "ans")},
    "customers": {"en": ("customers", "customer", "customers"), "fr": ("clients", "client", "clients")},
    "orders": {"en": ("orders", "order", "orders"), "fr": ("commandes", "commande", "commandes")},
    "logins": {"en": ("logins", "login", "logins"), "fr": ("connexions", "connexion", "connexions")},
    "comments": {
        "en": ("comments", "comment", "comments"),
        "fr": ("commentaires", "commentaire", "commentaires"),
    },
}
CURRENCIES = {
    "en": {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "INR": "₹", "ILS": "₪"},
    "fr": {"EUR": "€", "USD": "$US", "GBP": "£", "JPY": "¥", "CAD": "$CA", "AUD": "$AU"},
}
CENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XAF": 0, "XOF": 0, "XPF": 0,
         "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}  # fmt: skip

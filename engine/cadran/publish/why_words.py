"""What explanations of changes and comparisons around a milestone say, in French and English."""

from __future__ import annotations

from cadran.publish.messages import language

_FRENCH = {
    # a sentence
    "{label}, {period}: {change} against {against}.": "{label}, {period} : {change} par rapport à {against}.",
    "By {segment}: {parts}.": "Par {segment} : {parts}.",
    "no clear part": "aucune part nette",
    "lower rate": "taux plus bas",
    "higher rate": "taux plus haut",
    "lower value": "valeur plus basse",
    "higher value": "valeur plus haute",
    "more weight": "plus de poids",
    "less weight": "moins de poids",
    "rate and weight": "taux et poids",
    "value and weight": "valeur et poids",
    "new": "nouveau",
    "gone": "disparu",
    "others": "autres",
    "{n} others": "{n} autres",
    "counted in several, or in none": "compté dans plusieurs, ou dans aucun",
    # around it
    "no final period yet": "pas encore de période définitive",
    "no data in {period}": "aucune donnée en {period}",
    "no data in {against}, so there is nothing to compare with": "aucune donnée en {against}, donc rien à comparer",
    "the year before has no such period": "l’année précédente n’a pas cette période",
    "in progress: compared with the same elapsed part of {against}": "en cours : comparé à la même durée écoulée de {against}",
    "still maturing: the value may yet change": "en maturation : la valeur peut encore changer",
    "not settled yet: the value may yet change": "à confirmer : la valeur peut encore changer",
    # a table
    "Why": "Pourquoi",
    "by {segment}": "par {segment}",
    "before": "avant",
    "now": "maintenant",
    "weight": "poids",
    "by rate": "par taux",
    "by value": "par valeur",
    "by weight": "par poids",
    "effect": "effet",
    "Change": "Évolution",
    "also by {segments}; add --by or --all": "aussi par {segments} ; ajoutez --by ou --all",
    # before and after a milestone
    "Before and after {milestone} ({day})": "Avant et après {milestone} ({day})",
    "Before: {first} – {last}. After: {start} – {end}. Each side is one span of {months} months.": "Avant : {first} – {last}. Après : {start} – {end}. Chaque côté est une seule durée de {months} mois.",
    "A change after a milestone is not proof of its cause: the season, prices and everything else that changed then are in it too.": "Un changement après un repère n’en prouve pas la cause : la saison, les prix et tout ce qui a changé alors y sont aussi.",
    "KPI": "Indicateur",
    "after": "après",
    "change": "évolution",
    "a year earlier": "un an plus tôt",
    "beyond that": "au-delà",
    "how sure": "certitude",
    "no data": "aucune donnée",
    "clear: {low} to {high}": "net : {low} à {high}",
    "no clear change: {low} to {high}": "pas d’évolution nette : {low} à {high}",
    "too few to tell ({before} before, {after} after)": "trop peu pour conclure ({before} avant, {after} après)",
    "cannot be said: neither a share nor a mean": "indéterminée : ni une part ni une moyenne",
    "not enough: {n} of {months} months before": "pas assez : {n} mois sur {months} avant",
    "not enough yet: {n} of {months} months after; enough on {day}": "pas encore assez : {n} mois sur {months} après ; assez le {day}",
    "no data on one side": "aucune donnée d’un côté",
    "{what}() compares a period with the one before, which several months together do not have": "{what}() compare une période à la précédente, ce que plusieurs mois réunis n’ont pas",
    "{what}() moves or lengthens the period itself, so it has no value over several months": "{what}() déplace ou allonge déjà la période, donc sans valeur sur plusieurs mois",
    "'{what}' has no date": "« {what} » n’a pas de date",
    "'{what}' has no months: its figures are for longer periods": "« {what} » n’a pas de mois : ses chiffres portent sur des périodes plus longues",
    "Intervals hold with 95% confidence.": "Intervalles de confiance à 95 %.",
}


def said(locale: str, text: str, **values: object) -> str:
    """``text`` in the language of a locale, with its ``{names}`` filled in."""
    return (_FRENCH[text] if language(locale) == "fr" else text).format(**values)

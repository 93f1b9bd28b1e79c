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
}


def said(locale: str, text: str, **values: object) -> str:
    """``text`` in the language of a locale, with its ``{names}`` filled in."""
    return (_FRENCH[text] if language(locale) == "fr" else text).format(**values)

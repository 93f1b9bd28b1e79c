"""The words of paces and forecasts: English as it stands in the code, French by it."""

from __future__ import annotations

from cadran.publish.messages import language

_FRENCH = {
    # pace
    "Pace": "Rythme",
    "{part} elapsed": "{part} écoulés",
    "1 working day left": "1 jour ouvré restant",
    "{n} working days left": "{n} jours ouvrés restants",
    "no working day left": "plus aucun jour ouvré",
    "to date": "à ce jour",
    "vs previous": "vs préc.",
    "vs a year ago": "sur un an",
    "projection {value} ({level}: {low} – {high})": "projection {value} ({level} : {low} – {high})",
    "no projection: fewer than {n} final periods": "pas de projection : moins de {n} périodes définitives",
    "no projection: what its rows count for is known only later": "pas de projection : ce que valent ses lignes n’est connu que plus tard",
    "error so far {error} over {n} periods (repeating the period before: {naive})": "erreur passée {error} sur {n} périodes (en répétant la précédente : {naive})",
    "not tested yet: too little history": "pas encore vérifiée : trop peu d’historique",
    "target {target}, {chance} likely": "objectif {target}, {chance} de chances",
    "target {target}": "objectif {target}",
    "{left} to go, {day} per working day": "reste {left}, soit {day} par jour ouvré",
    "{left} to go, no working day left": "reste {left}, plus aucun jour ouvré",
    "{left} may still come, {day} per working day": "encore {left} possibles, soit {day} par jour ouvré",
    "{left} below the limit": "{left} sous la limite",
    "{left} missing": "il manque {left}",
    "reached so far": "atteint à ce jour",
    "exceeded by {left}": "dépassé de {left}",
    "No running period": "Aucune période en cours",
    "Projection": "Projection",
    "To target": "Vers l’objectif",
    # forecasts
    "Forecast": "Prévision",
    "won": "gagné",
    "open deals": "affaires ouvertes",
    "still to come": "à venir",
    "forecast": "prévision",
    "By segment": "Par segment",
    "Open deals by stage": "Affaires ouvertes par étape",
    "deals": "affaires",
    "amount": "montant",
    "share won": "part gagnée",
    "days until won (median)": "jours jusqu’au gain (médiane)",
    "decided deals": "affaires décidées",
    "(no stage)": "(sans étape)",
    "The same forecast at the same point of past periods": "La même prévision au même point des périodes passées",
    "forecasts": "prévisions",
    "bias": "biais",
    "error": "erreur",
    "repeating the period before": "en répétant la précédente",
    "came within {level}": "réalisé dans les {level}",
    "the running period": "la période en cours",
    "the next period": "la période suivante",
    "{n} periods ahead": "{n} périodes plus tard",
    "Not tested yet: too little history": "Pas encore vérifiée : trop peu d’historique",
}


def say(locale: str, message: str, **values: object) -> str:
    """A message in a locale's language, with its values filled in."""
    text = _FRENCH[message] if language(locale) == "fr" else message
    return text.format(**values) if values else text

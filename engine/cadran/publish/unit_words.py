"""The singular of the words that teams count in, for ``1 client``: only of words that are known, since ``devis`` and ``avis`` have
their ``s`` in both."""

from __future__ import annotations

from decimal import Decimal

_FRENCH = """
abonné abonnement achat affaire appel article boutique campagne client commande commentaire compte
connexion contact contrat demande dossier employé enquête essai facture incident inscription inscrit jour
lead licence ligne livraison magasin membre message note opportunité paiement panier personne point
produit projet prospect réclamation réponse réservation retour salarié session site tâche ticket
transaction utilisateur vendeur vente visite visiteur
"""
_ENGLISH = """
account call case comment contract customer deal employee feature hour invoice item login member month
order page payment product project question return sale shop signup store subscriber subscription survey
user visit visitor week year
"""
_SINGULAR = frozenset(f"{_FRENCH} {_ENGLISH}".split())


def counted(unit: str, number: Decimal, language: str) -> str:
    """The unit behind a number: ``client`` for 1, in French also for what is less than 2; a word that is not known as it is."""
    size = abs(number)
    one = size < 2 if language == "fr" else size == 1
    bare = unit.removesuffix("s")
    return bare if one and bare != unit and bare in _SINGULAR else unit

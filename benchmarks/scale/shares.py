"""The values of the text columns, each with its share in percent; None stands for a missing one."""

from __future__ import annotations

Shares = list[tuple[str | None, int]]

CHANNEL: Shares = [
    ("organic", 34),
    ("paid", 27),
    ("referral", 14),
    ("partner", 11),
    ("outbound", 8),
    ("event", 6),
]
RANGE: Shares = [("self-serve", 58), ("small", 26), ("medium", 12), ("large", 4)]
DEVICE: Shares = [("mobile", 52), ("desktop", 39), ("tablet", 9)]
STATUS: Shares = [("paid", 91), ("refunded", 5), ("cancelled", 4)]
REGION: Shares = [
    ("Île-de-France", 24), ("Auvergne-Rhône-Alpes", 14), ("Nouvelle-Aquitaine", 9), ("Occitanie", 9),
    ("Hauts-de-France", 8), ("Provence-Alpes-Côte d'Azur", 8), ("Grand Est", 7), ("Pays de la Loire", 6),
    ("Bretagne", 5), ("Normandie", 5), ("Bourgogne-Franche-Comté", 3), (None, 2),
]  # fmt: skip
MEDIUM: Shares = [
    ("search", 31), ("direct", 24), ("social", 15), ("email", 12), ("ads", 9), ("affiliate", 5), ("display", 3), (None, 1),
]  # fmt: skip

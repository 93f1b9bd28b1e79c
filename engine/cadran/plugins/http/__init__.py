"""HTTP for connectors: what every API connector would otherwise write again, and get wrong.

Requests share the account's bucket, wait as servers ask, are tried again where that helps, go to declared hosts only, and no error or log
says a secret. JSON keeps its decimals.
"""

from cadran.plugins.http.answer import Answer
from cadran.plugins.http.buckets import Limit
from cadran.plugins.http.client import Expect, Http, Judge, Pace
from cadran.plugins.http.listing import Listed, Listing
from cadran.plugins.http.settings import SETTINGS
from cadran.plugins.http.stream import Pieces
from cadran.plugins.http.waiting import Wait

__all__ = [
    "SETTINGS",
    "Answer",
    "Expect",
    "Http",
    "Judge",
    "Limit",
    "Listed",
    "Listing",
    "Pace",
    "Pieces",
    "Wait",
]

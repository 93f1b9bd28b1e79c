"""HTTP for connectors: what every API connector would otherwise write again, and get wrong.

Requests share the account's bucket, wait as servers ask, are tried again where that helps, go to declared hosts only, and no error or log
says a secret. JSON keeps its decimals.
"""

from cadran.plugins.http.answer import Answer
from cadran.plugins.http.client import Http, Judge, Limit

__all__ = ["Answer", "Http", "Judge", "Limit"]

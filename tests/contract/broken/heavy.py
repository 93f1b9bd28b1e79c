"""A connector whose module imports an HTTP library at its top."""

import httpx  # noqa: F401
from contract.acme import AcmeConnector


class HeavyImport(AcmeConnector):
    """Every ``cadran check`` pays for it."""

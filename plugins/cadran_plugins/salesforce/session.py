"""Being logged in: a token from the org's own domain, renewed when it has run out, and the requests made with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cadran.plugins import AuthError, Cancelled, ConfigError, Context, Transient
from cadran.plugins.http import Answer, Expect, Http, Listed, Listing, Wait
from cadran_plugins.salesforce.config import Config
from cadran_plugins.salesforce.trouble import judge, judge_login

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_OWN = ".salesforce.com"


def hosts_of(config: Config) -> list[str]:
    return [config.host, f"*{_OWN}"]


class Session:
    """One login, made with the first request."""

    def __init__(self, context: Context, config: Config) -> None:
        self.context, self.config = context, config
        self._login = Http(context, hosts_of(config), base=config.url, account=config.host, judge=judge_login)
        self._api: Http | None = None
        self._instance = config.url

    @property
    def now(self) -> dt.datetime:
        """Salesforce's own time."""
        return self.context.clock() + self._login.skew

    def connected(self) -> dt.datetime:
        """Salesforce's own time, once we are logged in."""
        self._ready()
        return self.now

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, expect: Expect = "json") -> Answer:
        return self._ready().get(self._instance + self.config.data + path, params=params, expect=expect)

    def post(self, path: str, value: Any) -> Answer:
        return self._ready().post(self._instance + self.config.data + path, json=value)

    def delete(self, path: str) -> None:
        self._ready().request("DELETE", self._instance + self.config.data + path, expect="any", tries=1)

    def pause(self, seconds: float) -> None:
        wait: Wait = self.context.shared.get(Wait) or Wait()
        wait.pause(seconds, self._wanted)

    def _wanted(self) -> None:
        if self.context.cancelled():
            raise Cancelled("nobody waits for the answer any more")

    def query(self, soql: str, *, more: str = "") -> Mapping[str, Any]:
        """One answer of a query, deleted and archived rows included: ``totalSize``, ``done``, ``records``.

        ``more`` is an answer's ``nextRecordsUrl``. Raises :class:`Transient` for an answer that holds less than it says.
        """
        if more:
            path = more.removeprefix(self.config.data)
            got = self.get(path if path.startswith("/") else f"/{path}").json()
        else:
            got = self.get("/queryAll", {"q": soql}).json()
        if not isinstance(got, dict) or not isinstance(got.get("records"), list) or "done" not in got:
            raise Transient("Salesforce's answer is none to a query")
        if got["done"] and not more:
            _all_came(got["totalSize"], len(got["records"]))
        return got

    def listed(self, soql: str, listing: Listing) -> Listed:
        """The same of a query's first answer, as columns."""
        answer = self.get("/queryAll", {"q": soql}, expect=listing)
        found = answer.listed(listing)
        if found is None or "done" not in found.beside:
            raise Transient("Salesforce's answer is none to a query")
        if found.beside["done"]:
            _all_came(found.beside["totalSize"], found.count)
        return found

    def close(self) -> None:
        self._login.close()
        if self._api is not None:
            self._api.close()

    def _ready(self) -> Http:
        if self._api is None:
            headers = self._token()
            self._api = Http(
                self.context, hosts_of(self.config), base=self._instance, headers=headers, account=self.config.host, judge=judge,
                renew=self._token, timeout=120.0, credential=("client_id",),
            )  # fmt: skip
        return self._api

    def _token(self) -> Mapping[str, str]:
        told = self._login.post("/services/oauth2/token", data=self._claim()).json()
        if not isinstance(told, dict) or not isinstance(token := told.get("access_token"), str):
            raise Transient("Salesforce's answer to the login holds no token")
        self.context.hide(token)
        self._instance = self._own(str(told.get("instance_url") or self.config.url))
        return {"Authorization": f"Bearer {token}"}

    def _own(self, url: str) -> str:
        """The address that the login sends us to, if it is the declared one or Salesforce's."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" == self.config.url:
            return self.config.url
        if (
            parts.scheme != "https"
            or not (parts.hostname or "").endswith(_OWN)
            or "@" in parts.netloc
            or parts.port not in (None, 443)
        ):
            raise AuthError(
                f"the login sends us to {parts.hostname}, which is not Salesforce's", setting=("domain",)
            )
        return f"https://{parts.hostname}"

    def _claim(self) -> dict[str, str]:
        if not self.config.private_key:
            return {
                "grant_type": "client_credentials",
                "client_id": self.config.client_id,
                "client_secret": self.config.client_secret,
            }
        claim = {
            "iss": self.config.client_id,
            "sub": self.config.username,
            "aud": self.config.url,
            "exp": int((self.now + dt.timedelta(minutes=3)).timestamp()),
        }
        return {"grant_type": _JWT, "assertion": _signed(claim, self.config.private_key)}


def _all_came(total: int, come: int) -> None:
    if come < total:
        raise Transient(f"Salesforce counts {total} rows and gives {come}")


def _signed(claim: Mapping[str, Any], key: str) -> str:
    try:
        import jwt
        from cryptography.exceptions import UnsupportedAlgorithm
    except ImportError:
        raise ConfigError("private_key needs the package PyJWT", hint="pip install 'cadran[salesforce]'", setting=("private_key",)) from None  # fmt: skip
    try:
        return jwt.encode(dict(claim), key, algorithm="RS256")
    except (ValueError, TypeError, UnsupportedAlgorithm, jwt.PyJWTError):
        hint = "an RSA key in PEM form: -----BEGIN PRIVATE KEY-----, with its line breaks"
        raise ConfigError(
            "private_key is no key that can sign", hint=hint, setting=("private_key",)
        ) from None

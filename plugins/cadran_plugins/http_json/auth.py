"""Who asks: what ``auth:`` adds to requests, and how a token is fetched."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from cadran.plugins import AuthError, ConfigError, ConnectorError, Context, DataError, listed
from cadran.plugins.http import Answer, Http
from cadran_plugins.http_json.settings import host

_KINDS = ("bearer", "header", "basic", "query", "oauth")
_LONG = 8  # letters: a shorter secret may well be the value of some other parameter, such as a year
_TOKEN = ("auth", "oauth", "token_url")


@dataclass(frozen=True, slots=True)
class Auth:
    """``params`` go into the address of each request, and are taken out of links before these are kept, as is each parameter that holds one
    of the ``secrets``: some servers write into their links what they were sent in a header."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: Callable[[], Mapping[str, str]] | None = field(default=None, repr=False)
    secrets: AbstractSet[str] = field(default=frozenset(), repr=False)

    def signed(self, url: str) -> str:
        if not self.params:
            return url
        bare = self.unsigned(url)
        return f"{bare}{'&' if '?' in bare else '?'}{urlencode(self.params)}"

    def told_in(self, text: str) -> bool:
        """Whether what is to be kept on disk holds a secret."""
        long = [secret for secret in self.secrets if len(secret) >= _LONG]
        return any(form in text for secret in long for form in (secret, quote(secret, safe=""), quote_plus(secret)))  # fmt: skip

    def unsigned(self, url: str) -> str:
        """The address without what :meth:`signed` adds, also where the server has put that into it."""
        parts = urlsplit(url)
        said = parse_qsl(parts.query, keep_blank_values=True)
        kept = [
            (k, v) for k, v in said if k not in self.params and not (v in self.secrets and len(v) >= _LONG)
        ]
        return url if len(kept) == len(said) else urlunsplit(parts._replace(query=urlencode(kept)))


def check(config: Mapping[str, Any]) -> None:
    """Raises :class:`ConfigError` for an ``auth:`` that cannot work."""
    said = [kind for kind in _KINDS if kind in config]
    if len(said) != 1:
        message = (
            f"'{said[0]}' and '{said[1]}' are two ways to say who asks"
            if said
            else "'value' alone says nothing"
        )
        raise ConfigError(message, hint=f"say one of {listed(list(_KINDS))}", setting=("auth", *said[1:2]))
    if (said[0] in ("header", "query")) != ("value" in config):
        if "value" in config:
            raise ConfigError(
                f"'value' means nothing with '{said[0]}'", hint="remove it", setting=("auth", "value")
            )
        hint = 'add the key: value: "${API_KEY}"'
        raise ConfigError(f"'{said[0]}' needs 'value'", hint=hint, setting=("auth", said[0]))
    if said[0] == "oauth":
        host(config["oauth"]["token_url"], _TOKEN)


def of(context: Context) -> Auth:
    return replace(_of(context), secrets=context.secrets)


def _of(context: Context) -> Auth:
    config = context.config.get("auth")
    if not config:
        return Auth()
    check(config)
    if "bearer" in config:
        return Auth({"authorization": f"Bearer {config['bearer']}"})
    if "header" in config:
        return Auth({config["header"]: config["value"]})
    if "query" in config:
        return Auth(params={config["query"]: config["value"]})
    if "basic" in config:
        return Auth(_basic(context, config["basic"]["user"], config["basic"].get("password", "")))
    return Auth(token=lambda: _token(context, config["oauth"]))


def _basic(context: Context, user: str, password: str) -> dict[str, str]:
    both = base64.b64encode(f"{user}:{password}".encode()).decode()
    context.hide(both)
    return {"authorization": f"Basic {both}"}


def _token(context: Context, oauth: Mapping[str, Any]) -> Mapping[str, str]:
    """A new access token, from the server that gives them out; it is asked with its own client, so that neither sees the other's headers."""
    form = {"grant_type": "client_credentials", **oauth.get("params", {})}
    if "scope" in oauth:
        form["scope"] = oauth["scope"]
    headers: dict[str, str] = {}
    if oauth.get("credentials") == "basic":
        headers = _basic(context, quote(oauth["client_id"], safe=""), quote(oauth["client_secret"], safe=""))
    else:
        form |= {"client_id": oauth["client_id"], "client_secret": oauth["client_secret"]}
    client = Http(context, [host(oauth["token_url"], _TOKEN)], headers=headers, judge=_refused)
    try:
        got = client.post(oauth["token_url"], data=form).json()
    finally:
        client.close()
    token = got.get("access_token") if isinstance(got, dict) else None
    if not isinstance(token, str) or not token:
        hint = "it has to answer with an access_token"
        raise DataError("the server gave no token", hint=hint, setting=_TOKEN)
    return {"authorization": f"Bearer {token}"}


def _refused(answer: Answer) -> ConnectorError | None:
    if answer.status not in (400, 401, 403):
        return None
    hint = "look at client_id, client_secret and scope"
    told = f"{answer.status}: {answer.said}" if answer.said else str(answer.status)
    return AuthError(f"no token is given out for these credentials ({told})", hint=hint, setting=("auth", "oauth"))  # fmt: skip

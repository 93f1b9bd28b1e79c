"""Passwords in lines of a file: which words become stars, and which do not."""

from __future__ import annotations

import pytest

from cadran.starred import in_url, is_secret, starred


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "passwd",
        "pwd",
        "PGPASSWORD",
        "sslpassword",
        "token",
        "access_token",
        "accessToken",
        "api_key",
        "api-key",
        "apikey",
        "secret",
        "client_secret",
        "private_key_passphrase",
        "private_key",
        "aws_secret_access_key",
        "pass",
        "credentials",
    ],
)
def test_keys_of_secrets(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key", ["path", "url", "key", "bypass", "compass", "tokens", "sslkey", "password_file"]
)
def test_other_keys(key: str) -> None:
    assert not is_secret(key)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("u: postgres://bob:s3cr@t@host/db", "u: postgres://**********@host/db"),
        ('u: "pg://h/x?user=a&password=s3cret&b=c"', 'u: "pg://h/x?user=a&password=******&b=c"'),
        ("u: {a: pg://h/x?pwd=s3cret}", "u: {a: pg://h/x?pwd=******}"),
        ("u: sc://h:1/;token=s3cret;user_id=a", "u: sc://h:1/;token=******;user_id=a"),
        ("sources: {a: {password: s3cret, x: y}}", "sources: {a: {password: ******, x: y}}"),
        ("sources: {a: {password: 's3''cret', x: y}}", "sources: {a: {password: **********, x: y}}"),
        ('sources: {a: {"password":"s3cret"}}', 'sources: {a: {"password":********}}'),
        ("sources: {a: {password: [s3cret, b], x: y}}", "sources: {a: {password: ***********, x: y}}"),
        ('sources: {a: {password: "${NAME}"}}', 'sources: {a: {password: "${NAME}"}}'),
        ("sources: {a: {password: ${N:-s3cret}}}", "sources: {a: {password: ***********}}}"),
        ("sources: {a: {types: {token: text}}}", "sources: {a: {types: {token: text}}}"),
        ("kpis: {token: {formula: a}}", "kpis: {token: {formula: a}}"),
        (
            "sources:\n  password: s3, cret\n    more\n  x: y",
            "sources:\n  password: ********\n    ****\n  x: y",
        ),
        (
            "sources:\n  password: |\n    a: b\n\n    c\n  x: y",
            "sources:\n  password: |\n    ****\n\n    *\n  x: y",
        ),
        ("sources:\n  password:\n    s3cret\n", "sources:\n  password:\n    ******\n"),
        ('sources:\n  password: "s3\n    a: b"\nkpis:', "sources:\n  password: ***\n    *****\nkpis:"),
        ("sources:\n  secret:\n    name: x", "sources:\n  secret:\n    name: x"),
    ],
)
def test_lines(written: str, shown: str) -> None:
    assert "\n".join(starred(written.split("\n"))) == shown


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://h/x?user=a&password=s3%20cret", {"s3%20cret", "s3 cret"}),
        ("postgresql://a:b/c@d@h/x", {"b/c@d"}),
        ("mysql://h/x?charset=utf8", set()),
        ("password=x", set()),
    ],
)
def test_urls(url: str, secrets: set[str]) -> None:
    assert set(in_url(url)) == secrets

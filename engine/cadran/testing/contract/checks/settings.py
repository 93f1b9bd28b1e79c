"""What a connector says of itself before anything is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.rig import Rig

HEAVY = (
    "adbc_driver_manager", "aiohttp", "boto3", "botocore", "connectorx", "dlt", "duckdb", "google.cloud", "grpc", "httpx", "hubspot", "matplotlib", "numpy", "pandas",
    "polars", "psycopg", "pyarrow", "pymysql", "pyspark", "requests", "scipy", "simple_salesforce", "singer_sdk", "snowflake", "sqlalchemy", "sqlglot",
    "urllib3", "xmlrpc", "zeep",
)  # fmt: skip
_ASK = """\
import sys
before = set(sys.modules)
import importlib, json
module, _, name = sys.argv[1].partition(":")
found = importlib.import_module(module)
for part in name.split("."):
    found = getattr(found, part)
json.dumps(dict(found.config_schema))
print("\\n".join(sorted(set(sys.modules) - before)))
"""


@check()
def metadata_imports_nothing_heavy(rig: Rig) -> None:
    """Listing plugins and checking a project load the class and read its schema: this imports no HTTP library, no driver, no data frame.

    Import such modules inside the functions that use them.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    name = f"{rig.kind.__module__}:{rig.kind.__qualname__}"
    done = subprocess.run([sys.executable, "-c", _ASK, name], env=environment, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    keeps(done.returncode == 0, f"importing {name} in a fresh Python fails:\n{done.stderr}")
    loaded = set(done.stdout.split())
    heavy = [one for one in HEAVY if one in loaded]
    keeps(not heavy, f"importing {name} imports {', '.join(heavy)}: move these imports into the functions that use them")  # fmt: skip


@check()
def settings_are_described(rig: Rig) -> None:
    """``config_schema`` is a valid JSON Schema of an object that takes the case's settings, and refuses a setting that it does not know.

    Write ``"additionalProperties": False``: a typo in kpis.yaml is then an error with a line, and not ignored.
    """
    from jsonschema import Draft202012Validator, SchemaError

    schema = rig.kind.config_schema
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise NotKept(
            f"config_schema is no valid JSON Schema: {error.message} at {error.json_path}"
        ) from error
    keeps(schema.get("type") == "object", 'config_schema describes the settings as a whole: give it "type": "object"')  # fmt: skip
    try:
        json.dumps(schema)
    except TypeError as error:
        raise NotKept(
            f"config_schema holds something that is not JSON: {error}; 'cadran schema' prints it"
        ) from error
    config = rig.case.config(rig.url)
    validator = Draft202012Validator(schema)
    wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(config)]
    keeps(not wrong, f"config_schema refuses the case's own settings: {'; '.join(wrong)}")
    typo = {**config, "no_such_setting": 1}
    keeps(
        any(validator.iter_errors(typo)),
        'config_schema takes a setting that nobody knows (no_such_setting): write "additionalProperties": False',
    )


@check()
def secrets_are_marked(rig: Rig) -> None:
    """A setting that holds a secret is ``"writeOnly": True`` in ``config_schema``: then it is masked in all that is printed or kept."""
    named_secrets(rig)
    config = rig.case.config(rig.url)
    held = [(path, text) for path, text in _texts(config) if any(secret in text for secret in rig.case.secrets)]  # fmt: skip
    keeps(held, "none of the case's 'secrets' stands in its config(): name the words that it logs in with")
    for path, _ in held:
        keeps(
            _below(rig.kind.config_schema, rig.kind.config_schema, path),
            f"the setting '{'.'.join(path)}' holds a secret: give it \"writeOnly\": True in config_schema",
        )


def named_secrets(rig: Rig) -> None:
    """That the case names its secrets, where there are any."""
    if rig.case.secrets:
        return
    if "secrets" in rig.case.cannot:
        raise NotShown(rig.case.cannot["secrets"])
    schema, config = rig.kind.config_schema, rig.case.config(rig.url)
    marked = sorted({".".join(path) for path, _ in _texts(config) if _below(schema, schema, path)})
    keeps(not marked, f"the settings {', '.join(marked)} are writeOnly, and the case names no secrets, so that nobody looks for them: write secrets = (TOKEN,), the words of config() that nobody may see; or, where they hold none, cannot = {{'secrets': '…'}}")  # fmt: skip
    raise NotShown("the case names no secrets: its settings hold none")


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, (*path, "*"))
    elif isinstance(value, str):
        yield path, value


def _below(schema: Any, root: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether a setting, or one that it stands in, is writeOnly in some branch of the schema."""
    if not isinstance(schema, Mapping):
        return False
    if "$ref" in schema:
        found: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        if _below(found, root, path):
            return True
    if schema.get("writeOnly") is True:
        return True
    branches = [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, ())]
    branches += [schema[key] for key in ("then", "else") if key in schema]
    if any(_below(one, root, path) for one in branches):
        return True
    if not path:
        return False
    if path[0] == "*":
        return _below(schema.get("items"), root, path[1:])
    inner = schema.get("properties", {}).get(path[0], schema.get("additionalProperties"))
    return _below(inner, root, path[1:])

"""A tap with one stream, which does one thing wrong when its config says so. It needs nothing but Python, and little of that: it is
started some hundred times.

Its config: ``rows`` (a list of records), ``wrong`` (see the tests), ``method``, ``state``: whether it writes any.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

# pathlib takes longer to import than all the rest.
# ruff: noqa: PTH109, PTH116, PTH118, PTH123

Row = dict[str, object]

NAME = "orders"
SCHEMA: Row = {
    "type": "object",
    "properties": {
        "id": {"type": ["integer"]},
        "amount": {"type": ["null", "number"], "multipleOf": 0.01},
        "changed": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "note": {"type": ["null", "string"]},
        "_sdc_deleted_at": {"type": ["null", "string"], "format": "date-time"},
    },
}
METADATA = [
    {
        "breadcrumb": [],
        "metadata": {
            "inclusion": "available",
            "table-key-properties": ["id"],
            "valid-replication-keys": ["changed"],
        },
    },
    {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
]


def read(path: str) -> Row:
    with open(path) as file:
        return json.load(file)


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")


def log(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main() -> None:
    said = dict(zip(sys.argv[1:], [*sys.argv[2:], ""], strict=True))
    config = read(said["--config"])
    if "log_to" in config:
        mode = os.stat(said["--config"]).st_mode & 0o777
        about = {"argv": sys.argv[1:], "env": dict(os.environ), "mode": mode, "cwd": os.getcwd()}
        for option in ("catalog", "properties", "state"):
            if path := said.get(f"--{option}"):
                about[option] = read(path)
        with open(config["log_to"], "a") as file:
            file.write(json.dumps(about) + "\n")
    wrong = config.get("wrong", "")
    if "rows_file" in config:
        config.update(read(config["rows_file"]))
    if "--discover" in said:
        discover(config, wrong)
    else:
        sync(config, wrong, read(said["--state"]) if "--state" in said else {})


def discover(config: Row, wrong: str) -> None:
    if wrong == "discovery":
        log(f"CRITICAL cannot connect with password {config.get('password')}")
        sys.exit(1)
    if wrong == "no catalog":
        print("usage: tap [options]")
        return
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], **config.get("more", {})}}
    for name in config.get("less", ()):
        del schema["properties"][name]
    if not config.get("marks"):
        del schema["properties"]["_sdc_deleted_at"]
    other = {
        "tap_stream_id": "people",
        "stream": "people",
        "schema": {"type": "object", "properties": {"name": {"type": "string"}}},
    }
    stream = {
        "tap_stream_id": NAME,
        "stream": NAME,
        "schema": schema,
        "metadata": METADATA,
        "key_properties": ["id"],
    }
    print(json.dumps({"streams": [stream, other]}))


def sync(config: Row, wrong: str, state: Row) -> None:
    since = state.get("bookmarks", {}).get(NAME, {}).get("changed", "")
    rows = [row for row in config.get("rows", []) if str(row.get("changed", "")) >= since]
    less = {"note"} if wrong == "lacks a column" else set(config.get("less", ()))
    properties = {**SCHEMA["properties"], **config.get("more", {})}
    schema = {**SCHEMA, "properties": {k: v for k, v in properties.items() if k not in less}}
    if wrong == "fails at once":
        log("first line")
        log(f"CRITICAL password {config.get('password')} is wrong")
        sys.exit(3)
    if wrong == "ignores the choice":
        say(type="SCHEMA", stream="people", schema={"properties": {}}, key_properties=[])
        say(type="STATE", value={})
        return
    if wrong != "no schema":
        say(type="SCHEMA", stream=NAME, schema=schema, key_properties=["id"])
    version = config.get("version")
    if version is not None and config.get("activates", "first") == "first":
        say(type="ACTIVATE_VERSION", stream=NAME, version=version)
    say(type="SCHEMA", stream="parents", schema={"properties": {}}, key_properties=[])
    say(type="RECORD", stream="parents", record={"id": 0})
    if config.get("batch"):
        batch(rows, config["batch"], wrong)
    else:
        records(rows, config, wrong)
    log('INFO METRIC: {"type": "timer", "metric": "job_duration", "value": 0.1, "tags": {}}')
    announced = len(rows) + (wrong == "fewer than it says")
    log(
        f'INFO METRIC: {{"type": "counter", "metric": "record_count", "value": {announced}, "tags": {{"stream": "{NAME}"}}}}'
    )
    log(
        'INFO METRIC: {"type": "counter", "metric": "record_count", "value": 99, "tags": {"endpoint": "parents"}}'
    )
    if wrong == "a stray line":
        print("done!")
    if wrong == "an unknown message":
        say(type="SURPRISE")
    if wrong not in ("no state", "exits in the middle"):
        last = max((str(row.get("changed", "")) for row in rows), default=since)
        secret = {"session": config.get("password")} if wrong == "a secret in its state" else {}
        say(type="STATE", value={"bookmarks": {NAME: {"changed": last, "n": 1.5, **secret}}})
    if version is not None and config.get("activates") == "last":
        say(type="ACTIVATE_VERSION", stream=NAME, version=version)
        say(type="STATE", value={"bookmarks": {}})
    sys.stdout.flush()
    if wrong == "fails at the end":
        log("Traceback: it was all too much")
        sys.exit(1)
    if wrong == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)


def records(rows: list[Row], config: Row, wrong: str) -> None:
    for number in range(config.get("many", 0)):
        say(
            type="RECORD",
            stream=NAME,
            record={"id": number, "amount": number + 0.25, "note": "x" * config.get("wide", 0)},
        )
        every = config.get("states_every")
        if every and number % every == every - 1:
            say(type="STATE", value={"bookmarks": {NAME: {"at": number}}})
    for number, row in enumerate(rows):
        if number == 1:
            sys.stdout.flush()
            misbehave(config, wrong)
        say(type="RECORD", stream=NAME, record=row, version=config.get("version"))
        every = config.get("states_every")
        if every and number % every == every - 1:
            say(type="STATE", value={"bookmarks": {NAME: {"changed": row["changed"]}}})
    for line in config.get("raw", []):
        sys.stdout.write(line + "\n")
    if wrong == "no row":
        say(type="RECORD", stream=NAME)


def misbehave(config: Row, wrong: str) -> None:
    if wrong == "exits in the middle":
        sys.stdout.flush()
        os._exit(0)
    if wrong == "a broken line":
        sys.stdout.write('{"type": "RECORD", "stream": "orders", "rec\n')
    if wrong in ("hangs", "hangs and will not end", "hangs with a child"):
        if wrong == "hangs and will not end":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if wrong == "hangs with a child":
            if not (child := os.fork()):
                time.sleep(600)
            with open(config["child"], "w") as file:
                file.write(str(child))
        with open(config.get("pid", os.devnull), "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)


def batch(rows: list[Row], how: str, wrong: str) -> None:
    """The rows in a file beside the config, where the environment says that temporary ones belong."""
    import gzip

    path = os.path.join(os.environ["TMPDIR"], "batch.jsonl")
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with open(path, "wb") as file:
        file.write(
            gzip.compress(content)[: -9 if wrong == "a cut batch" else None] if how == "gzip" else content
        )
    encoding = {"format": "parquet" if wrong == "parquet" else "jsonl", "compression": how}
    manifest = "s3://bucket/batch.jsonl" if wrong == "elsewhere" else f"file://{path}"
    say(type="BATCH", stream=NAME, encoding=encoding, manifest=[manifest])


if __name__ == "__main__":
    main()

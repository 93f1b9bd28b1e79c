"""A real Spark Connect server for tests: one for a whole test session, in a folder of its own, ended by its process id.

It comes from the pyspark package and needs Java 17. Where that is not there, the tests are skipped; with
CADRAN_REQUIRE_SERVERS=1, as in CI, they fail instead. All its tests are of one xdist group, so that one server is enough.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOKEN = "canary-7f3a"  # what clients have to show
ZONE = "America/New_York"  # the server's own, which no session of ours is in
_STARTED = re.compile(r"Spark Connect server started at")
_WITHIN = 180  # seconds, on a machine that is busy


@dataclass(frozen=True)
class SparkServer:
    """``url`` is what a project writes; ``warehouse`` is where it keeps its tables."""

    url: str
    port: int
    warehouse: Path
    session: Any

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.session.sql(statement).collect()


def _missing() -> str:
    try:
        import pyspark
        from pyspark.sql.connect.session import SparkSession  # noqa: F401
    except ImportError as error:
        return f"pyspark is not installed whole: {error}"
    java = shutil.which("java")
    if java is None:
        return "there is no Java"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < 17:
        return f"Spark needs Java 17: {said.splitlines()[:1]}"
    if not (Path(pyspark.__file__).parent / "jars").is_dir():
        return "pyspark is here without the server's parts"
    return ""


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    conf = {
        "spark.connect.grpc.binding.port": port,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.authenticate.token": TOKEN,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Duser.timezone={ZONE} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.io.tmpdir={folder / 'tmp'}",
        "spark.local.dir": folder / "local",
        "spark.sql.warehouse.dir": folder / "warehouse",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": 2,
        "spark.sql.codegen.cache.maxEntries": 200,
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "false",
        "spark.log.level": "WARN",
    }
    (folder / "tmp").mkdir()
    (folder / "conf").mkdir()
    command = [str(home / "bin" / "spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
               "--name", "cadran-tests", "--master", "local[2]", "--driver-memory", "1g"]  # fmt: skip
    for key, value in conf.items():
        command += ["--conf", f"{key}={value}"]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_CONF_DIR": str(folder / "conf"), "SPARK_CONNECT_MODE": "0"}  # fmt: skip
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "spark-internal"], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )  # fmt: skip


def _wait(server: subprocess.Popen[bytes], port: int, folder: Path) -> str:
    """Empty once it answers, else why it does not."""
    end = time.monotonic() + _WITHIN
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return ""
        time.sleep(0.2)
    return "\n".join((folder / "log").read_text(errors="replace").splitlines()[-15:])


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def spark_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    """Its token is part of the URL, and its host is localhost, where a token may travel without TLS."""
    required = os.environ.get("CADRAN_REQUIRE_SERVERS") == "1"
    if why := _missing():
        pytest.fail(why) if required else pytest.skip(why)
    folder, port = tmp_path_factory.mktemp("spark"), _free_port()
    server = _start(folder, port)
    try:
        if why := _wait(server, port, folder):
            pytest.fail(f"the Spark server does not start: {why}")
        from pyspark.sql.connect.session import SparkSession

        url = f"sc://localhost:{port}/;token={TOKEN}"
        session = SparkSession(url)
        try:
            yield SparkServer(url, port, folder / "warehouse", session)
        finally:
            session.stop()
    finally:
        _stop(server)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def spark(spark_server: SparkServer) -> Iterator[tuple[SparkServer, str]]:
    """The server and an empty schema with a random name."""
    name = f"cadran_{secrets.token_hex(6)}"
    spark_server.run(f"CREATE SCHEMA {name}")
    yield spark_server, name
    spark_server.run(f"DROP SCHEMA {name} CASCADE")

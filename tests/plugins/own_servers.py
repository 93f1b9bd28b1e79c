"""Servers that tests start for themselves, for what the common ones cannot show: passwords, and zones that are known."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _program(name: str, *folders: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _as(user: str) -> dict[str, str]:
    """Servers do not run as root."""
    return {"user": user} if os.geteuid() == 0 else {}


def _folder(user: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cadran-"))
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, user)
        except LookupError:
            pytest.skip(f"there is no user {user}")
    return folder


def _until(works: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            works()
            return
        except Exception:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    pytest.skip("the server did not start")


def _run(command: list[str], folder: Path, user: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **_as(user))  # type: ignore[call-overload]
    if done.returncode:
        pytest.skip(f"{Path(command[0]).name} fails here: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="session")
def guarded_postgres() -> Iterator[str]:
    """``host:port`` of a PostgreSQL that asks for passwords: user ``keeper``, password ``right``."""
    versions = [str(p) for p in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    initdb, server = _program("initdb", *versions), _program("postgres", *versions)
    folder, port = _folder("postgres"), _free_port()
    (folder / "password").write_text("right")
    (folder / "password").chmod(0o644)
    command = [
        initdb,
        "-D",
        str(folder / "data"),
        "-U",
        "keeper",
        "-A",
        "scram-sha-256",
        "--pwfile",
        str(folder / "password"),
        "--no-sync",
    ]
    _run(command, folder, "postgres")
    options = [
        "-D",
        str(folder / "data"),
        "-p",
        str(port),
        "-k",
        str(folder),
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "fsync=off",
    ]
    process = subprocess.Popen([server, *options], cwd=folder, stderr=subprocess.DEVNULL, **_as("postgres"))  # type: ignore[call-overload]
    try:
        import psycopg

        _until(
            lambda: psycopg.connect(f"postgresql://keeper:right@127.0.0.1:{port}/postgres").close(), process
        )
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL then does not wait for its clients
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def travelled_mariadb() -> Iterator[str]:
    """The URL of a MariaDB that knows Europe/Paris, and itself stands in Auckland."""
    install, server = _program("mariadb-install-db"), _program("mariadbd")
    convert, shell = _program("mariadb-tzinfo-to-sql"), _program("mariadb")
    if not Path("/usr/share/zoneinfo/Europe/Paris").exists():
        pytest.skip("the machine has no zones")
    folder, port = _folder("mysql"), _free_port()
    data = f"--datadir={folder / 'data'}"
    _run(
        [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"],
        folder,
        "mysql",
    )
    zones = "".join(
        subprocess.run(
            [convert, f"/usr/share/zoneinfo/{zone}", zone], capture_output=True, text=True, check=True
        ).stdout
        for zone in ("Europe/Paris", "Pacific/Auckland")
    )
    options = [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 's'}",
        "--innodb-buffer-pool-size=16M",
    ]
    process = subprocess.Popen(
        [server, "--no-defaults", data, *options], cwd=folder, stderr=subprocess.DEVNULL, **_as("mysql")
    )  # type: ignore[call-overload]
    try:
        import pymysql

        def connected() -> pymysql.Connection[pymysql.cursors.Cursor]:
            return pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)

        _until(lambda: connected().close(), process)
        with connected() as connection, connection.cursor() as cursor:
            into = [shell, "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uroot", "mysql"]
            subprocess.run(into, input=zones, text=True, check=True, capture_output=True)
            cursor.execute("set global time_zone = 'Pacific/Auckland'")
            cursor.execute("create database shop")
        yield f"mysql://root@127.0.0.1:{port}/shop"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

"""A PostgreSQL server of the tests' own on loopback, with a password, started as a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PASSWORD = "pg-s3cret-word"


@cache
def programs() -> Path | None:
    """Where ``initdb`` and ``postgres`` are; None where they are not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database; the server ends with the block."""
    where = programs()
    assert where is not None
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="runner-pg-"))
    try:
        folder.chmod(0o700)
        if user is not None:
            os.chown(folder, user, -1)
        yield from _served(where, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(where: Path, folder: Path, user: int | None) -> Iterator[str]:
    data, word, log = folder / "data", folder / "password", folder / "log"
    word.write_text(PASSWORD)
    word.chmod(0o644)
    port = _free_port()
    making: list[str | Path] = [where / "initdb", "-D", data, "-U", "locks", "-A", "scram-sha-256", "-N"]
    subprocess.run(
        [*making, "--pwfile", word], check=True, user=user, cwd=folder, capture_output=True, timeout=120
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": 150,
    }
    words: list[str | Path] = [
        where / "postgres",
        "-D",
        data,
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with log.open("wb") as written:
        server = subprocess.Popen(words, user=user, cwd=folder, stdout=written, stderr=written)
    try:
        _until_open(port, server, log)
        yield f"postgresql://locks:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()  # refuses new connections, and ends when the open ones do
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _until_open(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server takes a query, which a port that is open does not say."""
    import psycopg  # noqa: PLC0415 - where it is missing, only these tests are

    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, user="locks", password=PASSWORD, dbname="postgres"
            ).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def _user() -> int | None:
    """The server does not run as root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise AssertionError("there is no user to start PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

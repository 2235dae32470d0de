"""A throw-away MIT Kerberos realm on loopback: a KDC, principals, a keytab, tickets."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

REALM = "EXAMPLE.COM"
_SECONDS = 60.0
_TOOLS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
_SBIN = "/usr/sbin:/usr/local/sbin"


def missing() -> str:
    """Why there can be no Kerberos here, or nothing."""
    absent = [tool for tool in _TOOLS if _which(tool) is None]
    if absent:
        return f"Kerberos tests need {', '.join(absent)} (apt install krb5-kdc krb5-admin-server krb5-user)"
    if importlib.util.find_spec("gssapi") is None or importlib.util.find_spec("krb5") is None:
        return "Kerberos tests need `pip install 'runner[kerberos]'`"
    return ""


def _which(tool: str) -> str | None:
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{_SBIN}")


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm whose files are in one directory; ``environment`` is what a client of it needs."""

    directory: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """KRB5_CONFIG and the like; the ticket cache is empty until :meth:`get_ticket`."""
        return {
            "KRB5_CONFIG": str(self.directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf"),
            "KRB5_KTNAME": f"FILE:{self.directory / 'keytab'}",
            "KRB5CCNAME": f"FILE:{self.directory / 'tickets'}",
            "KRB5RCACHETYPE": "none",
        }

    def add_user(self, name: str, password: str) -> None:
        """Make ``name`` known with a password."""
        self._administrate(f'addprinc -pw "{password}" {name}')

    def add_service(self, name: str) -> None:
        """Make a service (``HTTP/localhost``) known and put its key into the keytab."""
        self._administrate(f"addprinc -randkey {name}")
        self._administrate(f"ktadd -k {self.directory / 'keytab'} {name}")

    def get_ticket(self, name: str, password: str, *, lifetime: str = "1h") -> None:
        """Put a ticket for ``name`` into the cache."""
        self._run(["kinit", "-l", lifetime, f"{name}@{REALM}"], password + "\n")

    def await_expiry(self) -> None:
        """Wait until the ticket in the cache is over, which ``klist -s`` tells."""
        deadline = time.monotonic() + _SECONDS
        command = [_which("klist") or "klist", "-s"]
        while subprocess.run(command, env={**os.environ, **self.environment}, check=False).returncode == 0:
            if time.monotonic() > deadline:
                raise RuntimeError("the ticket does not expire")
            time.sleep(0.1)

    def _administrate(self, command: str) -> None:
        self._run(["kadmin.local", "-r", REALM, "-q", command])

    def _run(self, command: list[str], text: str = "") -> None:
        subprocess.run(
            [_which(command[0]) or command[0], *command[1:]],
            input=text,
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )


@contextmanager
def realm(directory: Path) -> Iterator[Realm]:
    """A running realm in an empty directory."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (directory / "krb5.conf").write_text(_CLIENT.format(realm=REALM, port=port), encoding="utf-8")
    (directory / "kdc.conf").write_text(
        _SERVER.format(realm=REALM, port=port, directory=directory), encoding="utf-8"
    )
    made = Realm(directory, port)
    made._run(["kdb5_util", "-r", REALM, "create", "-s", "-P", "throw-away", "-W"])
    process = subprocess.Popen(
        [_which("krb5kdc") or "krb5kdc", "-n", "-r", REALM],
        env={**os.environ, **made.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_listener(port, process)
        yield made
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _await_listener(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with closing(socket.socket()) as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the KDC does not listen")


_CLIENT = """[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
[domain_realm]
  localhost = {realm}
"""
_SERVER = """[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {directory}/principal
    key_stash_file = {directory}/stash
    acl_file = {directory}/kadm5.acl
    max_life = 10h
  }}
[logging]
  kdc = FILE:{directory}/kdc.log
  default = FILE:{directory}/krb5.log
"""

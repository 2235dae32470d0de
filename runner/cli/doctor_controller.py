"""What this controller misses: programs of local steps, keys, and what logins over WinRM need here."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from runner import __version__
from runner.cli.doctor_finding import Finding
from runner.cli.doctor_mending import KERBEROS_PACKAGE, TICKET

HERE = "controller"

_TICKET_SOON = 10 * 60  # seconds before its end in which a ticket is told to end


def look_here() -> Iterator[Finding]:
    """What every run needs, and what some do."""
    yield Finding(HERE, "runner", ok=True, seen=f"{__version__} on Python {platform.python_version()}")
    from yaml import __with_libyaml__  # noqa: PLC0415 - only doctor asks

    hint = "install PyYAML from a wheel, or libyaml's headers before building it: large inventories load slowly without"
    yield Finding(
        HERE, "libyaml", ok=bool(__with_libyaml__), seen="yes" if __with_libyaml__ else "no", hint=hint
    )
    for program in ("sh", "bash", "python3"):
        where = shutil.which(program)
        yield Finding(
            HERE, program, ok=bool(where), seen=where or "missing", hint=f"install {program} for local steps"
        )
    pwsh = shutil.which("pwsh")
    yield Finding(HERE, "pwsh", ok=True, seen=pwsh or "none: local steps with `shell: powershell` need it")
    keys = sorted(path.name for path in (Path.home() / ".ssh").glob("id_*") if path.suffix != ".pub")
    agent = "SSH_AUTH_SOCK" in os.environ
    seen = ", ".join([*keys, *(["an agent"] if agent else [])])
    yield Finding(HERE, "ssh keys", ok=True, seen=seen or "none, and no agent: logins need a credential")


def look_at_kerberos(*, needed: bool, ticket_needed: bool) -> Iterator[Finding]:
    """Kerberos on the controller: its packages, its configuration and the ticket in the cache.

    Args:
        needed: a target can be logged in to by Kerberos alone.
        ticket_needed: and without a password, so that a ticket must be there.

    """
    installed = find_spec("gssapi") is not None and find_spec("krb5") is not None
    if not installed:
        seen = "not installed" + ("" if needed else ": WinRM logins without a password need it")
        hint = "install it; its packages are compiled against MIT Kerberos"
        yield Finding(HERE, "kerberos", ok=not needed, seen=seen, hint=hint, mend=KERBEROS_PACKAGE)
        return
    yield _realm(needed=needed)
    yield _ticket(needed=ticket_needed)


def _realm(*, needed: bool) -> Finding:
    path = os.environ.get("KRB5_CONFIG") or "/etc/krb5.conf"
    krb5 = import_module("krb5")
    try:
        realm = bytes(krb5.get_default_realm(krb5.init_context())).decode()
    except krb5.Krb5Error:
        hint = f"set `default_realm = EXAMPLE.COM` in {path}, or write users as name@EXAMPLE.COM"
        return Finding(HERE, "kerberos", ok=not needed, seen=f"installed; {path} names no realm", hint=hint)
    return Finding(HERE, "kerberos", ok=True, seen=f"installed, realm {realm} by {path}")


def _ticket(*, needed: bool) -> Finding:
    gssapi = import_module("gssapi")
    try:
        credentials = gssapi.Credentials(usage="initiate")
        name, left = str(credentials.name), credentials.lifetime
    except gssapi.exceptions.ExpiredCredentialsError:
        return Finding(HERE, "ticket", ok=not needed, seen="expired", hint="get a new one", mend=TICKET)
    except gssapi.exceptions.GSSError:
        hint = "get one, or name a credential with a password"
        seen = "none" if needed else "none: WinRM logins without a password need one"
        return Finding(HERE, "ticket", not needed, seen, hint, TICKET)
    if not left:
        return Finding(
            HERE, "ticket", ok=not needed, seen=f"{name}, expired", hint="get a new one", mend=TICKET
        )
    soon = ", which is soon" if left < _TICKET_SOON else ""
    return Finding(HERE, "ticket", ok=True, seen=f"{name}, ends in {left // 60} min{soon}")

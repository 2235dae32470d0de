"""A fleet of PowerShell hosts over one carrier, each with an engine of its own that is ill in its own way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.lab.certificates import Flaw
from tests.end_to_end.site import Site
from tests.support import openssh
from tests.support.engines import program, scripted_command, subsystem
from tests.support.openssh import OpenSsh
from tests.support.winrm_lab import USER, WinrmHost, child, front_end

PASSWORD = "Winter 2026!"

SILENCE = "8s"
"""How long a step waits for a host that says nothing; engines start slowly where sixty of them do."""


@dataclass(frozen=True)
class Host:
    """A host: how its engine is started, what runs there, and how that must end.

    ``silent`` hosts are those of the step with a timeout; ``said`` are words of the message that must be told.
    """

    script: str = "say fine"
    options: tuple[str, ...] = ()
    connection: Mapping[str, Any] = field(default_factory=dict)
    status: str = "ok"
    code: str | None = None
    may_have_run: bool = False
    silent: bool = False
    said: str = ""


ENGINE_LOST = "engine-lost"
"""What an engine that ends is called; WinRM tells nothing of it but that the command is gone."""

#: Faults of engines, which look the same whatever carries them.
FAULTS: dict[str, Host] = {
    "good": Host(),
    "refused": Host(
        options=("--refuse-open",), status="unreachable", code="pool-refused", said="the session is refused"
    ),
    "truncated": Host("break truncated-fragment", status="failed", code="pool-fragment", may_have_run=True),
    "foreign": Host("break foreign-fragment", status="failed", code="pool-fragment", may_have_run=True),
    "half": Host("break cut-object", status="failed", code=ENGINE_LOST, may_have_run=True),
    "dying": Host("say begun\ndie 3", status="failed", code=ENGINE_LOST, may_have_run=True),
    "keyless": Host(
        "secure x", options=("--refuse-key",), status="failed", code="pool-broken", may_have_run=True
    ),
    "heavy": Host("emit 1 11000000"),
    "unstarted": Host(
        options=("--silent", "command"),
        status="timed_out",
        code="step-timeout",
        may_have_run=True,
        silent=True,
    ),
    "uncreated": Host(
        options=("--silent", "create"),
        status="timed_out",
        code="step-timeout",
        may_have_run=True,
        silent=True,
    ),
    "unstopped": Host(
        "say begun\nsleep",
        options=("--silent", "signal"),
        status="timed_out",
        code="step-timeout",
        may_have_run=True,
        silent=True,
    ),
    "deaf": Host(
        "say begun\nignore-stop", status="timed_out", code="step-timeout", may_have_run=True, silent=True
    ),
    "slow": Host("say begun\nsleep", status="timed_out", code="step-timeout", may_have_run=True, silent=True),
    "unclosed": Host(options=("--silent", "close", "--silent", "session")),
}

#: What session options limit where the engine is not a child of the runner.
LATE: dict[str, Host] = {
    "late": Host(
        options=("--silent", "open"),
        connection={"session_option": {"open_timeout": "2s"}},
        status="unreachable",
        code="pool-open-timeout",
        said="within 2 s",
    ),
}

#: What only WinRM's session options limit.
LIMITS: dict[str, Host] = {
    "oversized": Host(
        "emit 1 2000000",
        connection={"session_option": {"maximum_received_object_size": "1MB"}},
        status="failed",
        code="pool-object-too-large",
        may_have_run=True,
        said="maximum_received_object_size",
    ),
    "overflowing": Host(
        "emit 3 600000",
        connection={"session_option": {"maximum_received_data_size_per_command": "1MB"}},
        status="failed",
        code="pool-data-too-large",
        may_have_run=True,
        said="maximum_received_data_size_per_command",
    ),
}

BANNER = ("--banner", "Welcome to this host\n\nNo entry for the unauthorised\n")


def write_fleet(
    site: Site, hosts: Mapping[str, Host], ways: Mapping[str, Mapping[str, Any]], head: str = ""
) -> None:
    """Write the inventory and the playbook; ``ways`` has the connection of each host."""
    inventory = {
        "version": 1,
        "groups": {"silent": {"hosts": {name: {} for name, host in hosts.items() if host.silent}}},
        "hosts": {
            name: {
                "address": "127.0.0.1",
                "connection": _connection(ways[name], host),
                "vars": {"words": host.script},
            }
            for name, host in hosts.items()
        },
    }
    site.write("inventory.yml", json.dumps(inventory, indent=1))
    site.book(
        f"""\
- {{id: work, target: loud, template: true, script: "{{{{ words }}}}"}}
- {{id: silence, needs: [], target: silent, timeout: {SILENCE}, template: true, script: "{{{{ words }}}}"}}
- {{id: after, needs: [work], target: loud, script: say on}}
- {{id: report, run_if: always, needs: [{{step: after, wait: all}}], script: echo done}}
""",
        head + "targets: {all: {hosts: all}, loud: {hosts: 'all:!silent'}, silent: {hosts: silent}}\n",
    )


def _connection(way: Mapping[str, Any], host: Host) -> dict[str, Any]:
    limits: dict[str, Any] = {} if way["transport"] == "local" else {"cancel_timeout": "2s"}
    if way.get("use_ssl"):
        limits["skip_revocation_check"] = True
    limits.update(host.connection.get("session_option", {}))
    options = {"session_option": limits} if limits else {}
    return {"shell": "powershell", **way, **host.connection, **options}


Way = Callable[[str, Host], Mapping[str, Any]]


def engine(host: Host, mark: str) -> list[str]:
    """The engine of a host; its processes are known by the mark, a number."""
    return scripted_command("--version", f"7.6.{mark}", *host.options)


def over_process(folder: Path, mark: str) -> Way:
    """Engines as children of the runner."""

    def way(name: str, host: Host) -> Mapping[str, Any]:
        place = folder / name
        place.mkdir(parents=True)
        return {"transport": "local", "interpreter": program(place, engine(host, mark))}

    return way


@asynccontextmanager
async def over_ssh(folder: Path, hosts: Mapping[str, Host], mark: str) -> AsyncIterator[tuple[OpenSsh, Way]]:
    """Engines as subsystems of one sshd, one subsystem a host."""
    lines = ""
    for name, host in hosts.items():
        place = folder / name
        place.mkdir(parents=True)
        lines += subsystem([program(place, engine(host, mark))], f"ps-{name}")
    lines += "MaxStartups 200\nMaxSessions 200\n"
    with openssh.running(folder / "sshd", extra=lines) as server:
        yield (
            server,
            lambda name, _: {
                "transport": "ssh",
                "user_name": server.user,
                "port": server.port,
                "subsystem": f"ps-{name}",
            },
        )


async def over_winrm(
    folder: Path, hosts: Mapping[str, Host], mark: str, stack: AsyncExitStack, *, tls: bool = False
) -> tuple[dict[str, WinrmHost], Way]:
    """Engines behind front ends, one a host, which log in by NTLM: see :func:`ntlm_users`.

    With ``tls`` the certificates are good, and each host has an authority of its own.
    """
    fronts = {
        name: await stack.enter_async_context(
            front_end(engine=child(folder, engine(host, mark)), tls=Flaw.NONE if tls else None)
        )
        for name, host in hosts.items()
    }
    return fronts, lambda name, _: {
        "transport": "winrm",
        "port": fronts[name].port,
        "use_ssl": tls,
        "credential": "win",
        "trusted_hosts": "*",
    }


def ntlm_users(folder: Path) -> Path:
    """The file of NTLM's passwords for acceptors in this process (``NTLM_USER_FILE``)."""
    users = folder / "ntlm"
    users.write_text(f"LAB:{USER}:{PASSWORD}\n:{USER}:{PASSWORD}\n")
    return users


CREDENTIAL = f"credentials: {{win: {{username: 'LAB\\{USER}', password: {{env: WIN_PASSWORD}}}}}}\n"

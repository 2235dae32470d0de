"""The hosts of a doctor's visit: those of a plan, each looked at once for each way it is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

from runner.cli.doctor_controller import look_at_kerberos
from runner.cli.doctor_finding import Finding
from runner.cli.doctor_posix import look_at_posix
from runner.cli.doctor_powershell import look_at_powershell
from runner.plan.model import Placement, Plan
from runner.transport.endpoint import Authentication, Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Login, Transport
from runner.transport.ssh import SshTransport
from runner.using.model import Shell
from runner.wsman.transport import WinrmTransport

_AT_ONCE = 32  # hosts, as many as a step has by default
_OPENING = 30.0  # seconds a session may take to open where its option says nothing; a run waits three minutes
_BY_TICKET = frozenset({Authentication.DEFAULT, Authentication.NEGOTIATE, Authentication.KERBEROS})


def look_at_hosts(
    plan: Plan, logins: Mapping[str, Login], progress: Callable[[int, int], None]
) -> list[Finding]:
    """Connect to every host of a plan as a run would; findings in the plan's order, the controller's first.

    ``progress`` is told how many of how many were looked at, as it goes.
    """
    placements = _placements(plan)
    remote = [placement.endpoint for placement in placements]
    findings = list(_kerberos(remote, logins))
    return findings + asyncio.run(_look_at_all(placements, logins, progress))


def _placements(plan: Plan) -> list[Placement]:
    """One for each host, endpoint and kind of shell; what runs sh on the controller is looked at without a plan."""
    order = {host: number for number, host in enumerate(plan.hosts)}
    found: dict[tuple[str, Endpoint, bool], Placement] = {}
    for step in plan.steps:
        for placement in step.placements:
            powershell = placement.shell is Shell.POWERSHELL
            if powershell or placement.endpoint.transport != "local":
                found.setdefault((placement.host, placement.endpoint, powershell), placement)
    return sorted(found.values(), key=lambda placement: order[placement.host])


def _kerberos(endpoints: Sequence[Endpoint], logins: Mapping[str, Login]) -> list[Finding]:
    """What logins over WinRM need on the controller; nothing where no host is reached so."""
    over_winrm = [endpoint for endpoint in endpoints if endpoint.winrm is not None]
    if not over_winrm:
        return []
    ticket = any(_needs_ticket(endpoint, logins) for endpoint in over_winrm)
    named = any(
        endpoint.winrm is not None and endpoint.winrm.authentication is Authentication.KERBEROS
        for endpoint in over_winrm
    )
    return list(look_at_kerberos(needed=ticket or named, ticket_needed=ticket))


def _needs_ticket(endpoint: Endpoint, logins: Mapping[str, Login]) -> bool:
    """Whether a login has nothing but a ticket: no password, no certificate (remoting.md 3.4)."""
    assert endpoint.winrm is not None  # noqa: S101 - asked of WinRM alone
    kind = endpoint.winrm.authentication
    if kind is Authentication.NEGOTIATE_WITH_IMPLICIT_CREDENTIAL:
        return True
    if endpoint.credential is not None and endpoint.credential not in logins:
        return False  # told at the host: nobody knows the credential
    login = logins.get(endpoint.credential or "")
    has_own = endpoint.winrm.certificate is not None or (
        login is not None and (login.password is not None or login.certificate is not None)
    )
    return kind in _BY_TICKET and not has_own


async def _look_at_all(
    placements: Sequence[Placement], logins: Mapping[str, Login], progress: Callable[[int, int], None]
) -> list[Finding]:
    transports: dict[str, Transport] = {
        "local": LocalTransport(),
        "ssh": SshTransport(logins=logins.get),
        "winrm": WinrmTransport(proxy_login=logins.__getitem__),
    }
    places, over = asyncio.Semaphore(_AT_ONCE), count(1)

    async def one(placement: Placement) -> list[Finding]:
        async with places:
            found = await _look_at(placement, transports[placement.endpoint.transport], logins)
        progress(next(over), len(placements))
        return found

    try:
        return list(chain.from_iterable(await asyncio.gather(*map(one, placements))))
    finally:
        for transport in transports.values():
            await transport.close()


async def _look_at(placement: Placement, transport: Transport, logins: Mapping[str, Login]) -> list[Finding]:
    endpoint = placement.endpoint
    if endpoint.credential is not None and endpoint.credential not in logins:
        hint = "credentials stand in playbooks: name one that has it with `--playbook PATH`"
        seen = f"nobody knows the credential `{endpoint.credential}`"
        return [Finding(placement.host, "login", ok=False, seen=seen, hint=hint)]
    login = logins.get(endpoint.credential) if endpoint.credential is not None else None
    if placement.shell is not Shell.POWERSHELL:
        return await look_at_posix(placement, transport, login)
    options = endpoint.session_options
    hurried = replace(
        placement,
        endpoint=replace(
            endpoint,
            session_options=replace(options, open_timeout=options.open_timeout or _OPENING),
        ),
    )
    proxy = options.proxy.credential if options.proxy is not None else None
    return await look_at_powershell(hurried, transport, login, logins.get(proxy) if proxy else None)

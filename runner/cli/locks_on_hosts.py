"""The locks on hosts (``lock: target``): asked of the hosts themselves, over the connections that a run would use."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from runner.cli.complain import complain
from runner.cli.prepare import Given, Prepared, prepare
from runner.cli.run_command import read_logins
from runner.cli.running import SystemClock
from runner.engine.observe import AssignmentEnded, RunEvent
from runner.engine.result import Failure, Status
from runner.errors import ExitCode, UsageError
from runner.execute.locks.answers import Answer, OnHost
from runner.plan.model import Plan
from runner.present.folding import fold
from runner.transport.port import Login, Transport
from runner.units import format_duration

if TYPE_CHECKING:
    from runner.execute.locks.looks import LockLooks

# The step asks for the lock, which is when the host is asked in place of that; what it waits for is always there.
_PLAYBOOK = """\
version: 1
name: Locks
steps:
  - {{id: look, hosts: {hosts}, lock: target, wait_for: {{path: /, from: host, timeout: 1s}}}}
"""


@dataclass(slots=True)
class Asked:
    """What hosts said of their locks, by host; ``failed`` could not be asked, ``unreachable`` says which of them."""

    found: Mapping[str, Answer] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)

    @property
    def held(self) -> dict[str, Answer]:
        """Those that are held, by whomever, in order of name."""
        return {host: self.found[host] for host in sorted(self.found) if self.found[host].path}

    @property
    def exit_code(self) -> int:
        """3 where a host is out of reach, 1 where one could not say."""
        if self.failed.keys() - self.unreachable:
            return ExitCode.FAILED
        return ExitCode.UNREACHABLE if self.unreachable else ExitCode.SUCCESS

    def on_event(self, event: RunEvent) -> None:
        """Note who could not be asked (an observer's)."""
        if isinstance(event, AssignmentEnded) and event.result.host not in self.found:
            result = event.result
            if result.failure is not None:
                self.failed[result.host] = result.failure
            if result.status is Status.UNREACHABLE:
                self.unreachable.add(result.host)

    def complaints(self) -> Iterator[str]:
        """Hosts that could not be asked, those with the same reason together."""
        by_reason: dict[tuple[str, str], list[str]] = {}
        for host, failure in self.failed.items():
            by_reason.setdefault((failure.code, failure.message), []).append(host)
        for (code, message), hosts in by_reason.items():
            yield f"{fold(hosts)} could not be asked: error[{code}]: {message}"


def ask_hosts(
    patterns: Sequence[str],
    given: Given,
    *,
    playbook: str | None = None,
    release: Mapping[str, str] | None = None,
    folder: str = "",
) -> Asked | None:
    """Ask every host of the patterns (all of the inventory where there are none) for its lock.

    ``playbook`` is one whose credentials hosts are logged in with. ``release``: give these free, by host, where the
    holding is still the one named; ``folder``: where the locks are on the hosts (both as :class:`LockLooks` has them).
    None where patterns, inventory or playbook were refused, which is told.

    Raises:
        CredentialError: a source of a password gave nothing.

    """
    logins: dict[str, Login] = {}
    prepared = _prepared(patterns, given)
    for each in (prepared,) if playbook is None else (prepared, prepare(playbook, given)):
        if each.plan is None:
            complain(each.problems.sorted(), each.sources)
            return None
        logins |= read_logins(each, each.plan)
    assert prepared.plan is not None  # noqa: S101 - looked at in the loop
    from runner.execute.locks.looks import LockLooks  # noqa: PLC0415 - loaded when a plan stands

    return asyncio.run(_ask(prepared.plan, logins, LockLooks(release, folder=folder)))


def _prepared(patterns: Sequence[str], given: Given) -> Prepared:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "locks.yml"
        path.write_text(_PLAYBOOK.format(hosts=json.dumps(list(patterns) or "all")), encoding="utf-8")
        return prepare(str(path), given)


async def _ask(plan: Plan, logins: Mapping[str, Login], looks: LockLooks) -> Asked:
    from runner.execute.run import run_plan  # noqa: PLC0415 - loaded when a plan stands
    from runner.transport.local import LocalTransport  # noqa: PLC0415 - as above
    from runner.transport.ssh import SshTransport  # noqa: PLC0415 - as above
    from runner.wsman.transport import WinrmTransport  # noqa: PLC0415 - as above

    transports: dict[str, Transport] = {
        "local": LocalTransport(),
        "ssh": SshTransport(logins=logins.get),
        "winrm": WinrmTransport(proxy_login=logins.__getitem__),
    }
    asked = Asked(looks.found)
    await run_plan(
        plan,
        transports=transports,
        logins=logins,
        observer=_Progress(asked, len(plan.hosts)),
        clock=SystemClock(),
        target_locks=looks,
    )
    return asked


class _Progress:
    """Passes events on; a line that is written over, for who waits at a terminal."""

    def __init__(self, asked: Asked, hosts: int) -> None:
        self._asked = asked
        self._hosts = hosts
        self._over = 0

    def on_event(self, event: RunEvent) -> None:
        """Take an event."""
        self._asked.on_event(event)
        if isinstance(event, AssignmentEnded) and sys.stderr.isatty():
            self._over += 1
            words = f"asked {self._over} of {self._hosts}" if self._over < self._hosts else " " * 40 + "\r"
            click.echo(f"\r{words}", err=True, nl=False)


def document(asked: Asked) -> dict[str, object]:
    """As ``schemas/lock.schema.json`` has it, ``on_hosts``."""
    return {
        "version": 1,
        "hosts": [_entry(host, answer) for host, answer in asked.held.items()],
        "failed": [
            {"host": host, "code": failure.code, "message": failure.message}
            for host, failure in sorted(asked.failed.items())
        ],
    }


def rows(asked: Asked) -> list[tuple[str, ...]]:
    """A row a lock, the names of its hosts folded; as the columns of ``locks list``."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for host, answer in asked.held.items():
        by = answer.by
        if by is None:
            key: tuple[str, ...] = ("?", f"a file that is no lock of ours: {answer.path}", "", "")
        else:
            until = "expired" if by.expired else f"in {format_duration(float(by.left))}"
            key = (by.run, f"{by.user}@{by.controller}:{by.pid}", by.since, until)
        groups.setdefault(key, []).append(host)
    return [(fold(hosts), *key) for key, hosts in groups.items()]


def release_on_hosts(
    patterns: Sequence[str],
    run: str | None,
    given: Given,
    *,
    force: bool,
    playbook: str | None = None,
    folder: str = "",
) -> int:
    """Take the locks of these hosts, or of this run, from who holds them; gives the exit code.

    Raises:
        UsageError: nobody holds them, or a holder may still be going on and ``force`` is not said.

    """
    asked = ask_hosts(patterns, given, playbook=playbook, folder=folder)
    if asked is None:
        return ExitCode.REFUSED
    for line in asked.complaints():
        click.echo(line, err=True)
    holders = {host: answer.by for host, answer in asked.held.items() if answer.by is not None}
    chosen = {host: by for host, by in holders.items() if run is None or by.run == run}
    if not chosen:
        if asked.failed:
            return asked.exit_code
        what = f"run `{run}` holds no lock on these hosts" if run is not None else "nobody holds these hosts"
        raise UsageError(
            "lock-unknown", f"{what}; nothing was released", hints=("`runner locks list --on-hosts`",)
        )
    living = {host: by for host, by in chosen.items() if not by.expired}
    if living and not force:
        raise _refused(living)
    again = replace(given, limited_to=sorted(chosen))
    holdings = {host: by.holding for host, by in chosen.items()}
    freed = ask_hosts((), again, playbook=playbook, release=holdings, folder=folder)
    if freed is None:
        return ExitCode.REFUSED
    _tell_released(chosen, freed)
    return max(asked.exit_code, freed.exit_code)


def _tell_released(chosen: Mapping[str, OnHost], freed: Asked) -> None:
    by_holder: dict[tuple[str, bool], list[str]] = {}
    for host, by in chosen.items():
        answer = freed.found.get(host)
        if answer is not None and answer.taken:
            by_holder.setdefault((_who(by), by.expired), []).append(host)
        elif answer is not None:
            click.echo(f"{host} was not released: meanwhile {answer.who} holds it", err=True)
    for (who, expired), hosts in by_holder.items():
        click.echo(f"released {fold(hosts)}, held by {who}", err=True)
        if not expired:
            click.echo(
                "  where that run goes on, its step there goes on too; it cannot renew the lock, and its next step "
                "that asks for it fails (lock-target-lost)",
                err=True,
            )
    for line in freed.complaints():
        click.echo(line, err=True)


def _who(by: OnHost) -> str:
    return f"run `{by.run}` of `{by.user}` on `{by.controller}` (process {by.pid}) since {by.since}"


def _refused(living: Mapping[str, OnHost]) -> UsageError:
    by = next(iter(living.values()))
    same = [each for each, other in living.items() if other.holding == by.holding]
    left = format_duration(float(by.left))
    return UsageError(
        "lock-alive",
        f"`{fold(same)}` is held by {_who(by)}, and it may renew that, which it must within {left}; nothing was "
        "released",
        hints=(
            f"see whether it goes on: `runner runs show {by.run}` on `{by.controller}`",
            "take the lock away under it: `--force`; its steps there that ask for it fail then",
        ),
    )


def _entry(host: str, answer: Answer) -> dict[str, object]:
    by = answer.by
    entry: dict[str, object] = {"host": host, "token": answer.token, "path": answer.path}
    if by is None:
        return entry | {"holder": None}
    return entry | {
        "holder": {
            "run": by.run,
            "user": by.user,
            "controller": by.controller,
            "pid": by.pid,
            "since": by.since,
            "left_s": max(0, by.left),
            "expired": by.expired,
        }
    }

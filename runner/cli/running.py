"""A plan executed under this process: its loop, its signals, its screen, its exit code."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner.cli.complain import complain
from runner.cli.gatekeeper import RunGatekeeper, controlling_terminal
from runner.cli.interruption import SIGNALS, Interruption
from runner.cli.kept import Journaling, Keep, Kept
from runner.cli.trace import Watching, traced
from runner.credentials.redact import Redactor
from runner.engine.observe import Notice, Observer, Summary
from runner.engine.port import Clock
from runner.engine.result import Result
from runner.errors import ExitCode, JournalError, RunnerError
from runner.execute.pacing import AdaptiveGate
from runner.execute.ports import ConnectGate, RunLocks, TargetLocks
from runner.execute.run import run_plan
from runner.journal.record import Answered
from runner.journal.replay import Key
from runner.journal.writer import JournalWriter
from runner.plan.model import Plan
from runner.present.group import Presenters
from runner.present.open import open_presenters
from runner.present.sink import OutputClosed, OutputNotWritten
from runner.present.terminal import Screen
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Knocks, Link, Login, Transport


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds from an unknown start."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Where a run is shown: values of ``-o``, ``--no-color``, the number of ``-v``; ``no_input`` asks nobody.

    ``diff``: what changes is shown with what was there before. ``trace``: the file of ``--trace``.
    """

    outputs: Sequence[str] = ()
    no_color: bool = False
    verbosity: int = 0
    no_input: bool = False
    diff: bool = False
    trace: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Locking:
    """Where hosts are held (``--database``, None is the user's own file), and seconds to wait for one."""

    database: str | None = None
    wait: float = 0.0


def execute(
    plan: Plan,
    logins: Mapping[str, Login],
    *,
    showing: Showing,
    keep: Keep,
    locking: Locking = Locking(),
) -> int:
    """Run a plan, record it and show it; gives the exit code of cli.md.

    Raises:
        UsageError: an output or the trace cannot be opened, or the run cannot be recorded; nothing was run.
        LockHeld: another run holds a host; nothing was run.
        OutputClosed: who read the output went away; the run was stopped.

    """
    redactor = Redactor()
    with traced(showing.trace, plan, redactor.mask) as watching:
        return _execute(plan, logins, showing, keep, locking, redactor, watching)


def _execute(
    plan: Plan,
    logins: Mapping[str, Login],
    showing: Showing,
    keep: Keep,
    locking: Locking,
    redactor: Redactor,
    watching: Watching,
) -> int:
    _allow_many_files()
    interruption = Interruption()
    presenters = open_presenters(
        showing.outputs,
        screen=Screen(stdout=sys.stdout, stderr=sys.stderr, no_color=showing.no_color),
        mask=redactor.mask,
        verbosity=showing.verbosity,
        on_closed=interruption.on_closed_output,
        asks=not showing.no_input and controlling_terminal() is not None,
    )
    kept: Kept | None = None
    try:
        kept = keep()
        summary, problem = asyncio.run(
            _recorded(plan, logins, presenters, redactor, interruption, kept, showing, locking, watching)
        )
    except BaseException as error:
        presenters.close()
        if kept is not None and isinstance(error, RunnerError) and error.exit_code is ExitCode.REFUSED:
            kept.discard()
        raise
    finally:
        if kept is not None:
            kept.lock.release()
    whole = problem is None
    try:
        presenters.close()
    except OutputClosed:
        if summary.stopped_because is not None:
            with suppress(OSError):  # standard error may have gone the same way
                sys.stderr.write(f"stopped: {summary.stopped_because}\nresume with: {kept.resume_with}\n")
        raise
    except OutputNotWritten as error:
        complain(error.problems)
        sys.stderr.write("\nthe run itself went to its end; its results are not all written\n")
        whole = False
    if problem is not None:
        complain(problem.problems)
    # A signal that comes when all is done is answered too.
    code = ExitCode(interruption.control.exit_code or summary.exit_code)
    if problem is not None and code is not ExitCode.BUG and code < ExitCode.HANG_UP:
        code = ExitCode.STOPPED
    if code not in {ExitCode.SUCCESS, ExitCode.DIFFERENT}:
        sys.stderr.write(f"resume with: {kept.resume_with}\n")
    return int(code if whole else _worse(code))


def _allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: a connection that is kept takes one, and 1,024 is usual."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system that does not take what it says itself
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _worse(code: ExitCode) -> ExitCode:
    """The exit code of a run whose results are lost: 1, unless something stands before it (cli.md)."""
    before = code in {ExitCode.BUG, ExitCode.STOPPED} or code >= ExitCode.HANG_UP
    return code if before else ExitCode.FAILED


async def _recorded(  # noqa: PLR0913, PLR0917 - what a run needs, each by its name
    plan: Plan,
    logins: Mapping[str, Login],
    presenters: Presenters,
    redactor: Redactor,
    interruption: Interruption,
    kept: Kept,
    showing: Showing,
    locking: Locking,
    watching: Watching,
) -> tuple[Summary, JournalError | None]:
    """Run the plan with its journal open; gives what kept the journal from being whole, if anything did."""
    clock = SystemClock()
    writer = JournalWriter(kept.directory)
    journaling = Journaling(writer, presenters)
    interruption.told = journaling.stopped
    interruption.who_stops = lambda: getattr(kept.directory.control.stop_requested(), "who", None)
    kept.directory.control.clear()
    if kept.resumed is not None:
        writer.resumed(kept.resumed)

    def answered(answer: Answered) -> None:
        writer.answered(answer.step, go=answer.go, who=answer.who)

    gatekeeper = RunGatekeeper(
        kept.directory.control,
        clock,
        terminal=None if showing.no_input else controlling_terminal(),
        before=kept.before,
        answered=answered,
        prompts=not presenters.asks,
    )
    try:
        await writer.flush()
        summary = await run_under_signals(
            plan,
            logins,
            watching(journaling),
            redactor,
            interruption,
            kept.directory.path / "output",
            Recorded(
                clock=clock,
                writer=writer,
                gatekeeper=gatekeeper,
                restored=kept.restored,
                passed_waves=kept.passed_waves,
                locks=_locks(plan, locking, clock, interruption, journaling),
                target_locks=_target_locks(plan, locking),
                diff=showing.diff,
            ),
        )
    except BaseException:
        with suppress(JournalError):
            await writer.close()
        raise
    try:
        await journaling.finish(summary)
    except JournalError as error:
        return summary, error
    return summary, writer.error


def _locks(
    plan: Plan, locking: Locking, clock: Clock, interruption: Interruption, observer: Observer
) -> RunLocks | None:
    if not plan.locked:
        return None
    from runner.cli.locks_command import run_locks  # noqa: PLC0415 - few runs hold hosts

    return run_locks(
        locking.database,
        run=plan.run,
        playbook=plan.playbook.path,
        wait=locking.wait,
        clock=clock,
        on_lost=interruption.on_lost_lock,
        on_notice=lambda sentence: observer.on_event(Notice(sentence, clock.utc())),
    )


def _target_locks(plan: Plan, locking: Locking) -> TargetLocks | None:
    if plan.playbook.lock != "target" and all(planned.step.lock != "target" for planned in plan.steps):
        return None
    from runner.execute.locks.target import TargetLocks as LocksOnHosts  # noqa: PLC0415 - few runs hold hosts

    return LocksOnHosts(plan, wait=locking.wait)


def _connect_gate(plan: Plan, clock: Clock, observer: Observer) -> ConnectGate | None:
    sizes = {pool.name: pool.size for pool in plan.pools if pool.adaptive}

    def changed(pool: str, limit: int, size: int) -> None:
        sentence = f"pool `{pool}` opens {limit} of {size} connections at once"
        observer.on_event(Notice(sentence, clock.utc()))

    return AdaptiveGate(sizes, changed) if sizes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a run that is recorded has beside one that is not."""

    clock: Clock
    writer: JournalWriter
    gatekeeper: RunGatekeeper
    restored: Mapping[Key, Result]
    passed_waves: Collection[tuple[str, int]]
    locks: RunLocks | None
    target_locks: TargetLocks | None
    diff: bool


async def run_under_signals(
    plan: Plan,
    logins: Mapping[str, Login],
    observer: Observer,
    redactor: Redactor,
    interruption: Interruption,
    output_dir: Path,
    recorded: Recorded | None = None,
) -> Summary:
    """Run the plan in the current loop; signals stop it in order."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, interruption.on_signal, number)
    transports: dict[str, Transport] = {
        "local": LocalTransport(),
        "ssh": _Late("ssh", lambda: _ssh(logins)),
        "winrm": _Late("winrm", lambda: _winrm(logins)),
    }
    clock = recorded.clock if recorded else SystemClock()
    gc.freeze()  # modules and the plan stay to the end: looking through them again and again takes a tenth of a run
    try:
        return await run_plan(
            plan,
            transports=transports,
            logins=logins,
            observer=observer,
            clock=clock,
            control=interruption.control,
            redactor=redactor,
            output_dir=output_dir,
            recorder=recorded.writer if recorded else None,
            restored=recorded.restored if recorded else {},
            passed_waves=recorded.passed_waves if recorded else (),
            gatekeeper=recorded.gatekeeper if recorded else None,
            run_locks=recorded.locks if recorded else None,
            target_locks=recorded.target_locks if recorded else None,
            connect_gate=_connect_gate(plan, clock, observer),
            diff=recorded.diff if recorded else False,
        )
    finally:
        for transport in transports.values():
            await transport.close()
        for number in SIGNALS:
            loop.remove_signal_handler(number)


class _Late:
    """A transport that is loaded with its first connection: that takes its time, in which the run is seen already."""

    def __init__(self, name: str, load: Callable[[], Transport]) -> None:
        self.name = name
        self._load = load
        self._transport: Transport | None = None

    async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
        """Open a connection; see the transport's own ``connect``."""
        return await self._loaded().connect(endpoint, login)

    async def knock(self, endpoint: Endpoint, login: Login | None, address: str, port: int) -> bool:
        """Try a port by the way to a host; see :class:`runner.transport.port.Knocks`."""
        transport = self._loaded()
        return isinstance(transport, Knocks) and await transport.knock(endpoint, login, address, port)

    def _loaded(self) -> Transport:
        if self._transport is None:
            self._transport = self._load()
            gc.freeze()
        return self._transport

    async def close(self) -> None:
        """Close what was opened."""
        if self._transport is not None:
            await self._transport.close()


def _ssh(logins: Mapping[str, Login]) -> Transport:
    from runner.transport.ssh import SshTransport  # noqa: PLC0415 - loaded late

    return SshTransport(logins=logins.get)


def _winrm(logins: Mapping[str, Login]) -> Transport:
    from runner.wsman.transport import WinrmTransport  # noqa: PLC0415 - loaded late

    return WinrmTransport(proxy_login=logins.__getitem__)

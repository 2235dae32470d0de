"""A plan executed under this process: its loop, its signals, its screen, its exit code."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runner.cli.complain import complain
from runner.credentials.redact import Redactor
from runner.engine.observe import Observer, Summary
from runner.errors import ExitCode
from runner.execute.run import RunControl, run_plan
from runner.plan.model import Plan
from runner.present.open import open_presenters
from runner.present.sink import OutputNotWritten
from runner.present.terminal import Screen
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Link, Login, Transport

_SIGNALS = {
    signal.SIGINT: ("Ctrl-C", ExitCode.INTERRUPTED),
    signal.SIGTERM: ("termination (SIGTERM)", ExitCode.TERMINATED),
    signal.SIGHUP: ("hang-up (SIGHUP)", ExitCode.HANG_UP),
}


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


@dataclass(slots=True)
class Interruption:
    """What stops the run from outside; the first signal decides the exit code."""

    control: RunControl = field(default_factory=RunControl)

    def on_signal(self, number: signal.Signals) -> None:
        """Stop the run; a second time hurries it."""
        self.control.request_stop(*_SIGNALS[number])

    def on_closed_output(self) -> None:
        """Nobody reads the output any more."""
        self.control.request_stop("closed output", ExitCode.CLOSED_OUTPUT)


def execute(
    plan: Plan,
    logins: Mapping[str, Login],
    *,
    outputs: Sequence[str],
    no_color: bool,
    verbosity: int,
    record: Path,
) -> int:
    """Run a plan and show it; gives the exit code of cli.md.

    Raises:
        UsageError: an output cannot be opened; nothing was run.
        OutputClosed: who read the output went away; the run was stopped.

    """
    _allow_many_files()
    redactor, interruption = Redactor(), Interruption()
    presenters = open_presenters(
        outputs,
        screen=Screen(stdout=sys.stdout, stderr=sys.stderr, no_color=no_color),
        mask=redactor.mask,
        verbosity=verbosity,
        on_closed=interruption.on_closed_output,
    )
    try:
        summary = asyncio.run(
            run_under_signals(plan, logins, presenters, redactor, interruption, record / "output" / plan.run)
        )
    except BaseException:
        presenters.close()
        raise
    try:
        presenters.close()
    except OutputNotWritten as error:
        complain(error.problems)
        sys.stderr.write("\nthe run itself went to its end; its results are not all written\n")
        whole = False
    else:
        whole = True
    # A signal that comes when all is done is answered too.
    code = interruption.control.exit_code or summary.exit_code
    return int(code if whole else _worse(ExitCode(code)))


def _allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: a connection that is kept takes one, and 1,024 is usual."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system that does not take what it says itself
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _worse(code: ExitCode) -> ExitCode:
    """The exit code of a run whose results are lost: 1, unless something stands before it (cli.md)."""
    before = code in {ExitCode.BUG, ExitCode.STOPPED} or code >= ExitCode.HANG_UP
    return code if before else ExitCode.FAILED


async def run_under_signals(
    plan: Plan,
    logins: Mapping[str, Login],
    observer: Observer,
    redactor: Redactor,
    interruption: Interruption,
    output_dir: Path,
) -> Summary:
    """Run the plan in the current loop; signals stop it in order."""
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, interruption.on_signal, number)
    transports: dict[str, Transport] = {
        "local": LocalTransport(),
        "ssh": _Late("ssh", lambda: _ssh(logins)),
        "winrm": _Late("winrm", lambda: _winrm(logins)),
    }
    gc.freeze()  # modules and the plan stay to the end: looking through them again and again takes a tenth of a run
    try:
        return await run_plan(
            plan,
            transports=transports,
            logins=logins,
            observer=observer,
            clock=SystemClock(),
            control=interruption.control,
            redactor=redactor,
            output_dir=output_dir,
        )
    finally:
        for transport in transports.values():
            await transport.close()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


class _Late:
    """A transport that is loaded with its first connection: that takes its time, in which the run is seen already."""

    def __init__(self, name: str, load: Callable[[], Transport]) -> None:
        self.name = name
        self._load = load
        self._transport: Transport | None = None

    async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
        """Open a connection; see the transport's own ``connect``."""
        if self._transport is None:
            self._transport = self._load()
            gc.freeze()
        return await self._transport.connect(endpoint, login)

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

"""A runspace pool on one host with the process under it: opened for one step, or kept for a session.

One pipeline runs at a time. What a step sets of a kept session is put back after it, also when it was cut short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runner.errors import ExecutionFailed, HostError
from runner.execute.launch import Launch
from runner.execute.patience import HURRIED_GRACE, within
from runner.execute.powershell.children import Child, Children, children_request, read_children
from runner.plan.model import Placement
from runner.psrp.from_ps import from_ps
from runner.psrp.out_of_process import OutOfProcessCarrier
from runner.psrp.pool import Pool
from runner.psrp.records import error_record
from runner.psrp.request import (
    PipelineEnd,
    PipelineReceiver,
    PipelineRequest,
    PipelineState,
    PoolSettings,
    RecordKind,
)
from runner.psrp.script import Settings, directory_request, look_request, read_before, restore_request
from runner.psrp.to_ps import NotSendable, to_ps
from runner.shell.fresh import directory_refused
from runner.transport.carrier import Carrier
from runner.transport.port import Connection, Link, PowerShellLink, Process, Receiver

T = TypeVar("T")

_SERVER_MODE = ("-s", "-NoLogo", "-NoProfile")
_SUBSYSTEM = "powershell"
_OLDEST = 5
"""Engines before 5 look ``$Using:`` values up by position or not at all (remoting.md 1.6)."""

ASK_CHILDREN = 8.0
"""Seconds to find out what a stopped step has left behind."""


class PowerShellSession:
    """A runspace pool that this run has opened. Nothing is started before :meth:`open`."""

    def __init__(self, link: Link, placement: Placement, on_notice: Callable[[str], None]) -> None:
        self._placement = placement
        self._launch = Launch(link) if isinstance(link, Connection) else None
        self._pool = Pool(self._carrier(link), _pool_settings(placement))
        self._pool.on_notice = self._notice = on_notice
        self._owed: PipelineRequest | None = None
        self._besides: tuple[Child, ...] = ()
        self._ends_children = False
        self.children = Children()

    @property
    def lost(self) -> bool:
        """Whether it is known to be broken, or closed."""
        return self._pool.lost

    @property
    def engine_version(self) -> tuple[int, ...] | None:
        """The host's PowerShell, ``(7, 6, 5)``; None before it is opened or where it did not tell."""
        return self._pool.engine_version

    async def open(self) -> None:
        """Start the engine and open the pool, within the session options' ``open_timeout``.

        Raises:
            Unreachable: nothing was reached, the login was refused, or the host has no such engine or subsystem.
            ConnectionLost: the link broke.

        """
        await self._pool.open()

    def check_using(self) -> None:
        """Refuse ``$Using:`` values where the engine would not find them.

        Raises:
            ExecutionFailed: the engine is older than 5.

        """
        version = self.engine_version
        if version is not None and version[0] < _OLDEST:
            raise ExecutionFailed(
                "using-needs-powershell-5",
                f"PowerShell on `{self._placement.host}` is {'.'.join(map(str, version))}, and `$Using:` values need 5 "
                "or later; nothing was run",
                hints=("give the values by `args` or `parameters`, or update Windows PowerShell to 5.1",),
                phase="open",
            )

    async def run(
        self, request: PipelineRequest, receiver: PipelineReceiver, settings: Settings, *, kept: bool
    ) -> PipelineEnd:
        """Run a step's pipeline; in a session that is ``kept`` its settings are put back afterwards.

        Raises:
            ConnectionLost: the link broke; ``may_have_run`` says what is known.
            ExecutionFailed: the working directory is not there, or the settings cannot be looked up.

        """
        await self._pay()
        if kept and settings.change_session:
            await self._remember(settings)
        elif settings.working_directory is not None:
            answer = await self.ask(directory_request(settings.working_directory))
            if answer.values != [True]:
                raise answer.error or directory_refused(settings.working_directory)
        end = await self._pool.run(request, receiver)
        try:
            await self._pay()
        except HostError as error:
            # What the step did is done and told; its session is in a state nobody knows, and is given up.
            self._pool.abort()
            self._notice(f"the session is given up after this step: {error.message}")
        return end

    async def ask(self, request: PipelineRequest) -> Answer:
        """Run a small pipeline of our own and collect what it says.

        Raises:
            ConnectionLost: the link broke.

        """
        answer = Answer(self._pool.decrypt)
        answer.end = await self._pool.run(request, answer)
        return answer

    def decrypt(self, value: Any) -> str:
        """The text of a secure string that came over this pool."""
        return self._pool.decrypt(value)

    async def watch_children(self, *, end: bool) -> None:
        """Before a step: whether a stop is to end what the step leaves behind, and not what was there before it."""
        self._ends_children, self.children, self._besides = end, Children(), ()
        if end:
            answer = await self.ask(children_request())
            self._besides = read_children(answer.values)

    async def interrupt(self) -> bool:
        """Stop the pipeline that runs; True when the session lives on, which :meth:`probe` proves.

        What the pipeline left behind is in ``children`` then.
        """
        if not await self._pool.stop():
            return False
        self.children = await within(self._find_children(), ASK_CHILDREN) or Children(known=False)
        return True

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long it may take is the question
        """Whether it answers within ``timeout`` seconds, with what a step had set put back."""
        return bool(await within(self._settled(timeout), timeout))

    async def reset(self) -> bool:
        """Forget variables and preferences where the peer can do that (remoting.md 12); False where it cannot."""
        return not self.lost and await self._pool.reset()

    async def stop(self, grace: float) -> bool:
        """End the pipeline, and where that does not help everything; True when nothing of the step is left.

        A hurried stop goes to the second part at once.
        """
        if grace > HURRIED_GRACE and await self.interrupt():
            return not self.children.left
        return await self.kill(grace)

    async def close(self, grace: float) -> bool:
        """Close the pool in peace, or after ``grace`` seconds with force; True when nothing of it is left.

        What a script has left running on purpose may stay where the engine itself ends in peace.
        """
        return bool(await within(self._part(), grace)) or await self.kill(grace)

    async def kill(self, grace: float) -> bool:
        """Drop the pool and end the process under it; True when nothing is left, False where that is not known."""
        self._pool.abort()
        ended = self._launch is not None and await self._launch.stop(grace)
        await within(self._pool.close(), grace)
        return ended

    async def _part(self) -> bool:
        whole = not self.lost
        await self._pool.close()
        return whole

    def _carrier(self, link: Link) -> Carrier:
        placement, launch = self._placement, self._launch
        if isinstance(link, PowerShellLink):
            return link.carrier(name=placement.session_label or placement.session)
        if launch is None:
            raise ExecutionFailed(
                "powershell-not-carried",
                f"nothing can carry PowerShell over `{placement.endpoint.transport}`",
                phase="open",
            )
        over_ssh, kept = placement.endpoint.transport == "ssh", placement.session is not None
        if over_ssh and placement.interpreter is None:
            subsystem = placement.endpoint.subsystem or _SUBSYSTEM

            async def start_subsystem(receiver: Receiver) -> Process:
                return await launch.start_subsystem(subsystem, receiver, kept=kept)

            return OutOfProcessCarrier(
                start_subsystem, description=f"subsystem `{subsystem}` on `{placement.host}`"
            )
        program = self._program

        async def start(receiver: Receiver) -> Process:
            return await launch.start((program, *_SERVER_MODE), receiver, kept=kept)

        return OutOfProcessCarrier(start, description=f"`{program}` on `{placement.host}`")

    @property
    def _program(self) -> str:
        return self._placement.interpreter or "pwsh"

    async def _remember(self, settings: Settings) -> None:
        """Ask for what the settings are about to change, and owe it."""
        answer = await self.ask(look_request(settings))
        try:
            (found,) = answer.values
            before = read_before(settings, found)
        except ValueError as error:
            raise answer.error or _strange(str(error)) from error
        if not before.directory_found:
            raise directory_refused(settings.working_directory or "")
        self._owed = restore_request(settings, before)

    async def _pay(self) -> None:
        """Put back what an earlier step has set."""
        if self._owed is None:
            return
        answer = await self.ask(self._owed)
        if answer.error is not None:
            self._pool.abort()
            raise _strange(answer.error.message)
        self._owed = None

    async def _settled(self, timeout: float) -> bool:  # noqa: ASYNC109 - passed on
        try:
            if not await self._pool.probe(timeout):
                return False
            await self._pay()
        except HostError:
            return False
        return not self.lost

    async def _find_children(self) -> Children:
        besides = [child.number for child in self._besides]
        try:
            answer = await self.ask(children_request(besides=besides, end=self._ends_children))
        except HostError:
            return Children(known=False)
        if answer.error is not None:
            return Children(known=False)
        return Children(found=read_children(answer.values))


@dataclass(slots=True)
class Answer:
    """What a small pipeline said; a :class:`runner.psrp.request.PipelineReceiver`."""

    decrypt: Callable[[Any], str]
    values: list[Any] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    end: PipelineEnd | None = None

    def output_received(self, value: Any) -> None:
        """Keep an output."""
        self.values.append(from_ps(value, self.decrypt))

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """Keep an error."""
        if kind is RecordKind.ERROR:
            self.records.append(record)

    @property
    def error(self) -> ExecutionFailed | None:
        """What went wrong, in the host's words; None where nothing did."""
        record = (
            self.end.error if self.end is not None and self.end.state is not PipelineState.COMPLETED else None
        )
        record = record or next(iter(self.records), None)
        if record is None:
            return None
        message = error_record(record).message
        return ExecutionFailed(
            "powershell-refused", f"the host's PowerShell refused: {message}", phase="open"
        )


def _pool_settings(placement: Placement) -> PoolSettings:
    """The pool's settings as the session options have them; the rest is the reference's (remoting.md 3.1)."""
    options, settings = placement.endpoint.session_options, PoolSettings()
    try:
        arguments = {name: to_ps(value) for name, value in options.arguments().items()}
    except NotSendable as error:
        raise ExecutionFailed(
            "value-not-sendable", f"`application_arguments` cannot be sent: {error.reason}", phase="plan"
        ) from None
    return PoolSettings(
        peer=f"PowerShell on `{placement.host}`",
        application_arguments=arguments,
        open_timeout=_or(options.open_timeout, settings.open_timeout),
        cancel_timeout=placement.cancel_timeout,
        maximum_object_size=_or(options.maximum_received_object_size, settings.maximum_object_size),
        maximum_data_size=_or(options.maximum_received_data_size_per_command, settings.maximum_data_size),
    )


def _or(given: T | None, default: T) -> T:
    return default if given is None else given


def _strange(message: str) -> ExecutionFailed:
    """A session that is in a state nobody knows."""
    return ExecutionFailed(
        "session-settings",
        f"what the step sets of the session cannot be looked up or put back: {message}",
        hints=(
            "leave `strict_mode`, `environment` and their like out, or use a `target` in place of the session",
        ),
        phase="open",
    )

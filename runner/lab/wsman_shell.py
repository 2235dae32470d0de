"""A shell of the front end: one runspace pool of an engine behind a carrier, with its commands (remoting.md 8.1).

WSMan's operations and the carrier's are the same, so the shell keeps only what lies between them: output that waits to
be received, the ids as the client wrote them, and one operation a target at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from runner.errors import HostError
from runner.lab.wsman_configurations import Configuration, Gate
from runner.lab.wsman_faults import ABORTED, INVALID_PARAMETER, NO_COMMAND, NO_SHELL
from runner.lab.wsman_output import Output, split_fragments
from runner.lab.wsman_soap import Faulted
from runner.transport.carrier import Carrier

#: Bytes of output that wait to be received, of one shell. Windows would suspend the script (``Block``); an engine here
#: cannot be, so a client that leaves more than this loses the shell.
MOST_UNRECEIVED = 256 * 1024 * 1024


@dataclass(slots=True)
class Command:
    """A pipeline; ``name`` is its id as the client wrote it, ``gate`` holds back what its configuration refuses."""

    name: str
    gate: Gate
    output: Output = field(default_factory=Output)
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    started: bool = False


@dataclass(frozen=True, slots=True)
class ShellFacts:
    """What a client is told about its shell; ``identity`` as the client wrote it, ``idle_timeout`` in seconds."""

    identity: str
    resource_uri: str
    owner: str
    client: str
    idle_timeout: float
    name: str = ""
    opened: float = field(default_factory=time.monotonic)


class Shell:
    """Takes the carrier's fragments (it is its receiver) and gives them to who receives.

    ``most_unreceived`` bytes may wait for that; with more it is lost, and what it held is dropped.
    """

    def __init__(
        self,
        facts: ShellFacts,
        configuration: Configuration,
        carrier: Carrier,
        *,
        most_unreceived: int = MOST_UNRECEIVED,
    ) -> None:
        self.facts = facts
        self.output = Output()
        self.lost = False
        self.busy = 0
        self._configuration = configuration
        self._carrier = carrier
        self._most_unreceived = most_unreceived
        self._order = asyncio.Lock()
        self._commands: dict[UUID, Command] = {}
        self._used = time.monotonic()

    @property
    def idle_for(self) -> float:
        """Seconds since the last operation ended; 0 while one is under way."""
        return 0.0 if self.busy else time.monotonic() - self._used

    def touch(self) -> None:
        """Note that the client is there."""
        self._used = time.monotonic()

    async def open(self, pool: UUID, opening: bytes) -> None:
        """Start the engine with the pool's first fragments.

        Raises:
            HostError: it does not start.

        """
        await self._carrier.open(pool, opening, self)

    def command(self, pipeline: UUID) -> Command:
        """A command of this shell.

        Raises:
            Faulted: there is none with that id.

        """
        try:
            return self._commands[pipeline]
        except KeyError:
            raise Faulted(NO_COMMAND) from None

    async def start(self, pipeline: UUID, name: str, creation: bytes) -> None:
        """Begin a pipeline.

        Raises:
            Faulted: its id is taken, or the engine has ended.

        """
        if pipeline in self._commands:
            raise Faulted(INVALID_PARAMETER)
        command = Command(name, Gate(self._configuration))
        self._commands[pipeline] = command
        await self.send(creation, pipeline)

    async def send(self, data: bytes, pipeline: UUID | None = None, *, prompt: bool = False) -> None:
        """Hand fragments to the engine, one after the other, those of one target in the order of their coming.

        Raises:
            Faulted: there is no such command, a fragment is cut off, or the engine has ended.

        """
        try:
            fragments = list(split_fragments(data))
        except ValueError:
            raise Faulted(INVALID_PARAMETER) from None
        command = self.command(pipeline) if pipeline is not None else None
        async with command.order if command is not None else self._order:
            try:
                for fragment in fragments:
                    await self._pass(fragment, pipeline, command, prompt=prompt)
            except HostError:
                raise Faulted(NO_SHELL) from None

    async def _pass(
        self, fragment: bytes, pipeline: UUID | None, command: Command | None, *, prompt: bool
    ) -> None:
        if command is None or pipeline is None:
            await self._carrier.send(fragment, prompt=prompt)
            return
        passed = command.gate.take(fragment, pipeline)
        for answer in passed.answer:
            command.output.put(answer)
        for part in passed.fragments:
            if command.started:
                await self._carrier.send(part, pipeline=pipeline, prompt=prompt)
            else:
                command.started = True
                await self._carrier.command(pipeline, part)

    async def stop(self, pipeline: UUID) -> None:
        """Ask the engine to stop a pipeline; that it has stopped is received as its last output."""
        command = self.command(pipeline)
        if command.started:
            await self._end_of(self._carrier.signal, pipeline)

    async def close_command(self, pipeline: UUID) -> None:
        """Free a command; who receives from it is told that it was aborted."""
        command = self.command(pipeline)
        del self._commands[pipeline]
        command.output.end(ABORTED)
        if command.started:
            await self._end_of(self._carrier.close_pipeline, pipeline)

    async def close(self) -> None:
        """End the engine and everything that runs in it; who receives is told that it was aborted."""
        self._end_outputs()
        await self._carrier.close()

    def abort(self) -> None:
        """End the engine at once: the shell is lost, and with it what nobody has received."""
        self._carrier.abort()
        self._lose()
        for output in (self.output, *(command.output for command in self._commands.values())):
            output.drop()

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        """Keep output until it is received (the carrier's call)."""
        if pipeline is None:
            self.output.put(data)
        elif (command := self._commands.get(pipeline)) is not None:
            command.output.put(data)
        if self._unreceived > self._most_unreceived:
            self.abort()

    @property
    def _unreceived(self) -> int:
        return self.output.size + sum(command.output.size for command in self._commands.values())

    def carrier_lost(self, error: HostError) -> None:
        """The engine has died (the carrier's call)."""
        del error
        self._lose()

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """The engine gave a pipeline up (the carrier's call)."""
        del error
        if (command := self._commands.get(pipeline)) is not None:
            command.output.end(ABORTED)

    def answer_missed(self, pipeline: UUID) -> None:
        """An engine on this machine loses nothing (the carrier's call)."""

    def notice(self, message: str) -> None:
        """Nobody is there to be told (the carrier's call)."""

    def _lose(self) -> None:
        self.lost = True
        self.output.end(NO_SHELL)
        for command in self._commands.values():
            command.output.end(NO_SHELL)

    def _end_outputs(self) -> None:
        self.output.end(ABORTED)
        for command in self._commands.values():
            command.output.end(ABORTED)
        self._commands.clear()

    @staticmethod
    async def _end_of(operation: Callable[[UUID], Awaitable[None]], pipeline: UUID) -> None:
        try:
            await operation(pipeline)
        except HostError:
            raise Faulted(NO_SHELL) from None

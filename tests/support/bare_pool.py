"""A runspace pool without the product's own: psrpcore alone over a carrier, for tests of carriers and measurements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psrpcore
from psrpcore.types import PSInvocationState, RunspacePoolState

from runner.errors import HostError
from runner.transport.carrier import Carrier


@dataclass
class BareRun:
    """One pipeline: what came, and a future of its last state (or of what the carrier died of)."""

    powershell: psrpcore.ClientPowerShell
    end: asyncio.Future[psrpcore.PipelineStateEvent]
    events: list[Any] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> UUID:
        return self.powershell.pipeline_id

    @property
    def output(self) -> list[Any]:
        return [event.data for event in self.events if isinstance(event, psrpcore.PipelineOutputEvent)]

    async def until(self, kind: type) -> Any:
        """The first event of a kind."""
        while not (found := [event for event in self.events if isinstance(event, kind)]):
            self.came.clear()
            await self.came.wait()
        return found[0]


class BarePool:
    """Takes what a carrier hears; keeps what it was told of its end."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.pool = psrpcore.ClientRunspacePool()
        self.opened: asyncio.Future[RunspacePoolState] = asyncio.get_running_loop().create_future()
        self.keyed = asyncio.Event()
        self.lost: list[HostError] = []
        self.events: list[Any] = []
        self.runs: dict[UUID, BareRun] = {}

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        self.pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline))
        while (event := self.pool.next_event()) is not None:
            run = self.runs.get(event.pipeline_id) if event.pipeline_id is not None else None
            if run is not None:
                self._run_event(run, event)
            elif isinstance(event, psrpcore.RunspacePoolStateEvent) and not self.opened.done():
                self.opened.set_result(event.state)
            elif isinstance(event, psrpcore.EncryptedSessionKeyEvent):
                self.keyed.set()
            else:
                self.events.append(event)

    def _run_event(self, run: BareRun, event: Any) -> None:
        run.events.append(event)
        run.came.set()
        if isinstance(event, psrpcore.PipelineStateEvent) and not run.end.done():
            run.end.set_result(event)

    def carrier_lost(self, error: HostError) -> None:
        self.lost.append(error)
        for run in self.runs.values():
            if not run.end.done():
                run.end.set_exception(error)

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        self.runs[pipeline].end.set_exception(error)

    def answer_missed(self, pipeline: UUID) -> None:
        raise AssertionError(pipeline)

    def notice(self, message: str) -> None:
        raise AssertionError(message)

    def take(self) -> bytes:
        """What psrpcore wants to send, in one piece."""
        parts = []
        while (payload := self.pool.data_to_send(self.carrier.fragment_size)) is not None:
            parts.append(payload.data)
        return b"".join(parts)

    async def open(self) -> BarePool:
        self.pool.open()
        await self.carrier.open(self.pool.runspace_pool_id, self.take(), self)
        async with self.carrier.listening():
            assert await self.opened is RunspacePoolState.Opened
        return self

    async def exchange_key(self) -> None:
        self.pool.exchange_key()
        async with self.carrier.listening():
            await self.carrier.send(self.take())
            await self.keyed.wait()

    async def start(
        self, script: str, *arguments: Any, using: dict[str, Any] | None = None, has_input: bool = False
    ) -> BareRun:
        powershell = psrpcore.ClientPowerShell(self.pool, no_input=not has_input)
        powershell.add_script(script)
        for argument in arguments:
            powershell.add_argument(argument)
        if using:
            powershell.add_parameter("--%", using)
        powershell.start()
        run = BareRun(powershell, asyncio.get_running_loop().create_future())
        self.runs[run.id] = run
        first = self.pool.data_to_send(self.carrier.fragment_size)
        assert first is not None
        await self.carrier.command(run.id, first.data)
        await self.send_rest(run)
        return run

    async def send_rest(self, run: BareRun) -> None:
        while (payload := self.pool.data_to_send(self.carrier.fragment_size)) is not None:
            prompt = payload.stream_type is psrpcore.StreamType.prompt_response
            await self.carrier.send(payload.data, pipeline=run.id, prompt=prompt)

    async def end(self, run: BareRun) -> PSInvocationState:
        """Wait for the last state and close the pipeline."""
        ended = await run.end
        await self.carrier.close_pipeline(run.id)
        run.powershell.state = ended.state
        run.powershell.close()
        del self.runs[run.id]
        return ended.state

    async def run(self, script: str, *arguments: Any, **keys: Any) -> list[Any]:
        """Run to the end; the output. The state must be Completed."""
        run = await self.start(script, *arguments, **keys)
        assert await self.end(run) is PSInvocationState.Completed, run.events
        return run.output

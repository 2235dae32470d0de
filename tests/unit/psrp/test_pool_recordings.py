"""The pool fed with what a real engine said: every recorded run gives the events that were recorded."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from runner.psrp.fragments import Assembler
from runner.psrp.pool import Pool
from runner.psrp.protocol import Protocol, read_head
from runner.psrp.request import Argument, Command, PipelineRequest, PoolSettings, Statement
from runner.transport.carrier import CarrierReceiver
from tests.support.pipelines import Kept, script

SERVER = Path(__file__).parents[2] / "recordings" / "server"
NAMES = sorted(path.stem for path in SERVER.glob("*.json"))
_EVENTS = {
    "PipelineOutputEvent": None,
    "ErrorRecordEvent": "error",
    "WarningRecordEvent": "warning",
    "VerboseRecordEvent": "verbose",
    "DebugRecordEvent": "debug",
    "InformationRecordEvent": "information",
    "ProgressRecordEvent": "progress",
}


def recording(name: str) -> dict[str, Any]:
    """One recorded conversation."""
    document: dict[str, Any] = json.loads((SERVER / f"{name}.json").read_text(encoding="utf-8"))
    return document


class Replay:
    """A carrier that says what the engine said to each pipeline, known by its id."""

    fragment_size = 32768
    lost = False
    heard = ""

    def __init__(self, document: dict[str, Any]) -> None:
        self._packets: dict[str, list[bytes]] = {}
        for packet in document["transcript"]:
            if packet["dir"] == "S" and packet["packet"] == "Data":
                self._packets.setdefault(packet["PSGuid"], []).append(base64.b64decode(packet["data"]))
        self._receiver: CarrierReceiver | None = None
        self._told: set[str] = set()

    def _tell(self, target: UUID | None, limit: int | None = None) -> None:
        assert self._receiver is not None
        for data in self._packets.get(str(target or UUID(int=0)), [])[:limit]:
            self._receiver.fragments_received(data, target)

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        del pool, opening
        self._receiver = receiver
        self._tell(None, 3)  # capability, private data, Opened

    def listening(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        del creation
        self._tell(pipeline)

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        pass

    async def signal(self, pipeline: UUID) -> None:
        pass

    async def close_pipeline(self, pipeline: UUID) -> None:
        pass

    async def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("19-", "20-"))])
async def test_the_events_are_those_recorded(name: str) -> None:
    """Outputs and records in order, the state at the end and the exit code are what the recording has."""
    document = recording(name)
    pool = Pool(Replay(document), PoolSettings(pool=UUID(document["pool"])))
    notices: list[str] = []
    pool.on_notice = notices.append
    await pool.open()
    assert pool.engine_version == (7, 6, 5)
    ran = 0
    for run in document["runs"]:
        if run["events"] is None or not any(
            event["event"] == "PipelineStateEvent" for event in run["events"]
        ):
            continue
        kept = Kept()
        end = await asyncio.wait_for(pool.run(script("x", pipeline=UUID(run["pipeline"])), kept), 60)
        expected = [
            _EVENTS[event["event"]] or "output" for event in run["events"] if event["event"] in _EVENTS
        ]
        words = set(filter(None, _EVENTS.values()))
        kinds = iter([kind.value for kind, _ in kept.records])
        got = [
            next(kinds) if isinstance(value, str) and type(value) is str and value in words else "output"
            for value in kept.outputs
        ]
        assert got == expected
        states = [event for event in run["events"] if event["event"] == "PipelineStateEvent"]
        assert end.state.value == states[-1]["state"].lower()
        assert (end.error is None) == (states[-1]["reason"] is None)
        ran += 1
    assert ran
    assert notices == []
    await pool.close()


def creations(document: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Pipeline and message of each recorded CREATE_PIPELINE."""
    assemblers: dict[str, Assembler] = {}
    for packet in document["transcript"]:
        if packet["dir"] == "C" and packet["packet"] == "Data":
            assembler = assemblers.setdefault(packet["PSGuid"], Assembler())
            for whole in assembler.feed(base64.b64decode(packet["data"])):
                if read_head(whole).kind.name == "CreatePipeline":
                    yield packet["PSGuid"], whole


def is_plain(run: dict[str, Any]) -> bool:
    """Whether a run is a script with nothing but text beside it."""
    texts = all(isinstance(value, str) for value in run["args"] or ())
    return (
        bool(run["script"]) and not run["commands"] and not run["using"] and not run["parameters"] and texts
    )


PLAIN = [
    name for name in NAMES if name[:2] not in {"19", "20"} and any(map(is_plain, recording(name)["runs"]))
]


@pytest.mark.parametrize("name", PLAIN)
def test_create_pipeline_is_the_recorded_one(name: str) -> None:
    """Byte by byte but for the history, into which we put each script as Invoke-Command does, and for the text of the
    command, which psrpcore repeated and no client of PowerShell does.
    """
    document = recording(name)
    recorded = dict(creations(document))
    protocol = Protocol(PoolSettings(pool=UUID(document["pool"])))
    protocol.opening()
    capability = base64.b64decode(
        next(packet["data"] for packet in document["transcript"] if packet["dir"] == "S" and packet["data"])
    )
    for whole in Assembler().feed(capability):
        protocol.read(read_head(whole))
    protocol.opened()
    compared = 0
    for run in document["runs"]:
        message = recorded.get(run["pipeline"])
        if not is_plain(run) or message is None or b'"_isHostNull">false' in message:
            continue
        command = Command(
            run["script"],
            is_script=True,
            arguments=tuple(map(Argument, run["args"] or ())),
            use_local_scope=True if b'<B N="UseLocalScope">true</B>' in message else None,
        )
        request = PipelineRequest(
            statements=(Statement((command,)),),
            input=() if run["input"] is not None else None,
            invocation_info=b"<I32>15</I32>" in message,
        )
        ((_, ours),) = protocol.create(request, UUID(run["pipeline"]))
        ours = ours.replace(b'N="AddToHistory">true', b'N="AddToHistory">false', 1)
        assert ours == re.sub(rb"</MS><ToString>[^<]*</ToString>", b"</MS>", message)
        compared += 1
    assert compared or name.startswith("32")

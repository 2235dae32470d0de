"""Short words for pipelines in tests of pools: a request of one script, and a receiver that keeps what comes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from runner.psrp.request import Argument, Command, PipelineRequest, RecordKind, Statement


def script(text: str, *arguments: Any, **fields: Any) -> PipelineRequest:
    """One script with arguments by position."""
    command = Command(text, is_script=True, arguments=tuple(map(Argument, arguments)))
    return PipelineRequest(statements=(Statement((command,)),), **fields)


@dataclass
class Kept:
    """A :class:`runner.psrp.request.PipelineReceiver`."""

    outputs: list[Any] = field(default_factory=list)
    records: list[tuple[RecordKind, Any]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def output_received(self, value: Any) -> None:
        self.outputs.append(value)
        self.came.set()

    def record_received(self, kind: RecordKind, record: Any) -> None:
        self.outputs.append(kind.value)
        self.records.append((kind, record))

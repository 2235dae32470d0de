"""Recorded conversations with a real engine, by what was asked in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from runner.lab.psrp_messages import CREATE_PIPELINE, PIPELINE_INPUT
from runner.lab.replay_request import read_request, read_value

#: Messages the engine opens a session with: SESSION_CAPABILITY, APPLICATION_PRIVATE_DATA, RUNSPACEPOOL_STATE.
_OPENING = 3

Sent = tuple[int, str]


@dataclass(slots=True)
class Answer:
    """What the engine said to one pipeline: type and CLIXML of each message, until and after it was told to stop.

    ``place`` is the recording's name and the number of the run in it.
    """

    place: tuple[str, int]
    before: list[Sent] = field(default_factory=list)
    after: list[Sent] = field(default_factory=list)


class Recordings:
    """All recorded runs. One that was recorded several times is answered from the recording a session is in, else in
    the order of the recordings, the last one for ever.
    """

    def __init__(self, folder: Path) -> None:
        self.opening: list[Sent] = []
        self._answers: dict[str, list[Answer]] = {}
        for path in sorted(folder.glob("*.json")):
            self._add(json.loads(path.read_bytes()))

    def requests(self) -> Iterator[str]:
        """Every request there is an answer to."""
        return iter(self._answers)

    def find(self, asked: str, last: tuple[str, int], turn: int) -> Answer | None:
        """The answer to a request that comes for the ``turn``-th time (from 0), ``last`` being the place before."""
        found = self._answers.get(asked, [])
        further = (each for each in found if each.place[0] == last[0] and each.place[1] > last[1])
        return next(further, found[min(turn, len(found) - 1)] if found else None)

    def _add(self, recording: Mapping[str, Any]) -> None:
        runs = {
            run["pipeline"]: _Run(Answer((recording["name"], number)))
            for number, run in enumerate(recording["runs"])
        }
        opening: list[Sent] = []
        for packet in recording["transcript"]:
            target = packet["PSGuid"]
            if UUID(target).int == 0:
                if packet["dir"] == "S":
                    opening += _messages(packet)
            else:
                runs[target].hear(packet)
        self.opening = self.opening or opening[:_OPENING]
        for run in runs.values():
            if run.asked is not None:
                self._answers.setdefault(asked_for(run.asked, run.input), []).append(run.answer)


class _Run:
    """A run while its packets are read."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: str | None = None
        self.input: list[object] = []
        self._signalled = False

    def hear(self, packet: Mapping[str, Any]) -> None:
        if packet["packet"] == "Signal":
            self._signalled = True
        for kind, body in _messages(packet):
            if packet["dir"] == "S":
                (self.answer.after if self._signalled else self.answer.before).append((kind, body))
            elif kind == CREATE_PIPELINE:
                self.asked = read_request(body).key
            elif kind == PIPELINE_INPUT:
                self.input.append(read_value(body))


def asked_for(request: str, given: list[object]) -> str:
    """The key of a request with its input."""
    return json.dumps([request, given], ensure_ascii=False)


def _messages(packet: Mapping[str, Any]) -> Iterator[Sent]:
    for message in packet.get("messages", ()):
        yield int(message["type"], 16), message["clixml"]

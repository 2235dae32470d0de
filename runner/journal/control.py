"""How other processes speak to a run: small files in its directory, each written in one step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from runner.errors import JournalError
from runner.journal.disk import Disk, LocalDisk, write_whole
from runner.journal.record import Answered

_GATE: Final = "gate-"
_WAITING: Final = "waiting-"
_END: Final = ".json"
_STOP: Final = "stop.json"


@dataclass(frozen=True, slots=True)
class WaitingGate:
    """A gate that waits for an answer: what it asks, since when, and until when (None: without an end)."""

    step: str
    message: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Somebody asked the run to stop."""

    who: str
    at: datetime


class Control:
    """The folder ``control/`` of a run. What cannot be read counts as not there; what cannot be written raises."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or LocalDisk()

    def open_gate(self, gate: WaitingGate) -> None:
        """The run: note that a gate waits; an answer from before is forgotten."""
        self._remove(self._path(_GATE, gate.step))
        until = None if gate.until is None else gate.until.isoformat()
        self._write(
            self._path(_WAITING, gate.step),
            {"step": gate.step, "message": gate.message, "at": gate.at.isoformat(), "until": until},
        )

    def close_gate(self, step: str) -> None:
        """The run: the gate waits no longer."""
        self._remove(self._path(_WAITING, step))
        self._remove(self._path(_GATE, step))

    def waiting(self) -> tuple[WaitingGate, ...]:
        """The gates that wait, by step."""
        return tuple(self._waiting())

    def answer(self, step: str, *, go: bool, who: str, at: datetime) -> None:
        """Anybody: answer a gate.

        Raises:
            JournalError: the answer could not be written.

        """
        self._write(self._path(_GATE, step), {"go": go, "who": who, "at": at.isoformat()})

    def answered(self, step: str) -> Answered | None:
        """The run: the answer, None where there is none yet."""
        found = _read(self._path(_GATE, step))
        with suppress(KeyError, TypeError, ValueError):
            if found is not None and isinstance(found["go"], bool):
                return Answered(step, found["go"], str(found["who"]), datetime.fromisoformat(found["at"]))
        return None

    def request_stop(self, who: str, at: datetime) -> None:
        """Anybody: ask the run to stop."""
        self._write(self._folder / _STOP, {"who": who, "at": at.isoformat()})

    def stop_requested(self) -> StopRequest | None:
        """The run: who asked it to stop."""
        found = _read(self._folder / _STOP)
        with suppress(KeyError, TypeError, ValueError):
            if found is not None:
                return StopRequest(str(found["who"]), datetime.fromisoformat(found["at"]))
        return None

    def clear(self) -> None:
        """The run, at its start and at its end: what was said to an earlier part is over."""
        with suppress(OSError):
            for path in self._folder.iterdir():
                self._remove(path)

    def _waiting(self) -> Iterator[WaitingGate]:
        with suppress(OSError):
            for path in sorted(self._folder.glob(f"{_WAITING}*{_END}")):
                found = _read(path)
                with suppress(KeyError, TypeError, ValueError):
                    if found is not None:
                        step = unquote(path.name[len(_WAITING) : -len(_END)])
                        until = None if found["until"] is None else datetime.fromisoformat(found["until"])
                        at = datetime.fromisoformat(found["at"])
                        yield WaitingGate(step, str(found["message"]), at, until)

    def _path(self, kind: str, step: str) -> Path:
        return self._folder / f"{kind}{quote(step, safe='')}{_END}"

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        try:
            write_whole(self._disk, path, json.dumps(content).encode() + b"\n")
        except OSError as error:
            raise JournalError(
                "journal-not-written", f"`{path}` cannot be written: {error.strerror}"
            ) from error

    def _remove(self, path: Path) -> None:
        with suppress(OSError):
            self._disk.remove(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None

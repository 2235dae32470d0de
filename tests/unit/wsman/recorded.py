"""Conversations with real Windows hosts as a wire: what was answered is answered again, what was asked is compared."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import yaml

from runner.errors import ConnectionLost
from runner.wsman import names
from runner.wsman.port import Answer
from tests.unit.wsman.scripted_wire import NAMESPACES, envelope, fault

FOLDER = Path(__file__).parents[4] / "shared" / "recordings" / "winrm"

#: Headers whose values are ids, or that only say where and when.
_IDS = {"MessageID", "SessionId"}


@cache
def conversation(name: str) -> tuple[dict[str, Any], ...]:
    """The messages of one recording."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(yaml.load((FOLDER / name).read_text(encoding="utf-8"), loader)["messages"])


@dataclass(slots=True)
class Turn:
    """One request of a recording and its answer."""

    request: ET.Element
    response: str
    message: dict[str, Any]
    taken: bool = False

    @property
    def action(self) -> str:
        """The last word of the action."""
        return self.request.findtext("s:Header/wsa:Action", "", NAMESPACES).rpartition("/")[2]

    @property
    def command_id(self) -> str | None:
        """The command that is meant, None for the pool."""
        body = self.request.find("s:Body", NAMESPACES)
        assert body is not None
        return next((e.get("CommandId") for e in body.iter() if e.get("CommandId")), None)

    def header(self, name: str) -> str:
        """A header's text."""
        return self.request.findtext(f"s:Header/{name}", "", NAMESPACES)

    def payload(self, path: str) -> bytes:
        """Fragments in the body."""
        return b64decode(self.request.findtext(f"s:Body/{path}", "", NAMESPACES))

    @property
    def shell(self) -> UUID:
        """The shell that a Create asks for."""
        found = self.request.find("s:Body/rsp:Shell", NAMESPACES)
        assert found is not None
        return UUID(found.get("ShellId"))

    @property
    def streams(self) -> bytes:
        """What a Receive brought."""
        root = ET.fromstring(self.response)
        path = "s:Body/rsp:ReceiveResponse/rsp:Stream"
        return b"".join(b64decode(s.text or "") for s in root.iterfind(path, NAMESPACES))


def turns(name: str) -> list[Turn]:
    """The turns of a recording."""
    return [
        Turn(ET.fromstring(message["request"]), message.get("response") or "", message)
        for message in conversation(name)
    ]


@dataclass(slots=True)
class RecordedWire:
    """Answers each request with the recorded answer to the same request, in the recorded order.

    A request is matched by action and command; its answer waits until all that was asked before it has been asked.
    What is not in the recording is answered as Windows would: a Receive is held until the shell is deleted, a
    Terminate is taken.
    """

    turns: list[Turn]
    pairs: list[tuple[ET.Element, ET.Element]] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _deleted: bool = False

    @property
    def url(self) -> str:
        """Where the recorded requests went."""
        return self.turns[0].header("wsa:To")

    async def post(self, envelope: bytes, *, timeout: float) -> Answer:
        """Answer one request."""
        asked = Turn(ET.fromstring(envelope), "", {})
        async with self._changed:
            while True:
                turn = next((t for t in self.turns if not t.taken and _same_target(t, asked)), None)
                if turn is None and (asked.action != "Receive" or self._deleted):
                    return self._beyond(asked)
                if turn is not None and all(t.taken for t in self.turns[: self.turns.index(turn)]):
                    break
                await self._changed.wait()
            turn.taken = True
            self._deleted = self._deleted or asked.action == "Delete"
            self._changed.notify_all()
        self.pairs.append((turn.request, asked.request))
        return _answer(turn, asked)

    async def asked_for(self, turn: Turn) -> None:
        """Wait until a turn's request has been made."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: turn.taken)

    async def deleted(self) -> None:
        """Say that the recording ends here: what is held is answered."""
        async with self._changed:
            self._deleted = True
            self._changed.notify_all()

    def redirect(self, url: str) -> None:
        """No recording has a redirection."""
        raise AssertionError(url)

    async def close(self) -> None:
        """Nothing to close."""

    def _beyond(self, asked: Turn) -> Answer:
        self.beyond.append(asked.action)
        if asked.action == "Receive":
            return fault(995)
        return Answer(200, envelope(f"<rsp:{asked.action}Response/>"))


def _same_target(turn: Turn, asked: Turn) -> bool:
    if turn.action != asked.action or turn.command_id != asked.command_id:
        return False
    return turn.action != "Signal" or _is_terminate(turn) == _is_terminate(asked)


def _is_terminate(turn: Turn) -> bool:
    return turn.request.findtext("s:Body/rsp:Signal/rsp:Code", "", NAMESPACES) == names.TERMINATE


def _answer(turn: Turn, asked: Turn) -> Answer:
    if turn.message.get("http_error"):
        raise ConnectionLost("connection-lost", "the link broke", may_have_run=True)
    response = turn.response.replace(turn.header("wsa:MessageID"), asked.header("wsa:MessageID"))
    return Answer(500 if "/wsmanfault" in response else 200, response.encode())


def canonical(request: ET.Element) -> dict[str, object]:
    """What a request says, in a form that is the same for the same things said."""
    header = request.find("s:Header", NAMESPACES)
    body = request.find("s:Body", NAMESPACES)
    assert header is not None
    assert body is not None
    said: dict[str, object] = {}
    for element in header:
        name = element.tag.rpartition("}")[2]
        if name in _IDS:
            said[name] = "an id" if (element.text or "").startswith("uuid:") else element.text
        elif name in {"OptionSet", "SelectorSet"}:
            said[name] = {(e.get("Name"), e.text, e.get("MustComply")) for e in element}
        elif name == "OperationTimeout":
            said[name] = float((element.text or "").removeprefix("PT").removesuffix("S"))
        else:
            said[element.tag] = _tree(element)
    said["body"] = [_tree(element) for element in body]
    return said


def _tree(element: ET.Element) -> tuple[object, ...]:
    text = element.text or ""
    return element.tag, frozenset(element.attrib.items()), text, tuple(_tree(child) for child in element)

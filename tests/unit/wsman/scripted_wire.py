"""A WSMan server in memory, as simple as can be, and a clock that jumps: what the carrier's tests speak to."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

from runner.errors import HostError
from runner.wsman import names, operations
from runner.wsman.carrier import WsmanCarrier
from runner.wsman.client import Client, ClientSettings
from runner.wsman.operations import ShellSettings
from runner.wsman.port import Answer

NAMESPACES = {
    "s": names.SOAP,
    "wsa": names.ADDRESSING,
    "wsman": names.WSMAN,
    "rsp": names.SHELL,
    "pwsh": names.POWERSHELL,
}
POOL = UUID("11111111-1111-4111-8111-111111111111")
PIPELINE = UUID("22222222-2222-4222-8222-222222222222")
CONFIGURATION = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"


def envelope(body: str, *, relates_to: str = "") -> bytes:
    """An answer's envelope."""
    related = f"<a:RelatesTo>{relates_to}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:a="{names.ADDRESSING}" xmlns:w="{names.WSMAN}" '
        f'xmlns:x="{names.TRANSFER}" xmlns:rsp="{names.SHELL}"><s:Header>{related}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(code: int | None, text: str = "no", *, subcode: str = "InternalError", detail: str = "") -> Answer:
    """A refusal as Windows words it."""
    number = "" if code is None else f' Code="{code}"'
    own = f'<f:WSManFault xmlns:f="{names.FAULT}"{number}><f:Message>{text}</f:Message></f:WSManFault>'
    return Answer(
        500,
        envelope(
            f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:{subcode}</s:Value></s:Subcode>"
            f'</s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
            f"<s:Detail>{detail}{own if code is not None else ''}</s:Detail></s:Fault>"
        ),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the server sees it."""

    content: bytes
    root: ET.Element
    timeout: float

    @property
    def action(self) -> str:
        """The last word of the action."""
        if self.content == operations.IDENTIFY:
            return "Identify"
        return self.root.findtext("s:Header/wsa:Action", "", NAMESPACES).rpartition("/")[2]

    @property
    def message_id(self) -> str:
        """Its id."""
        return self.root.findtext("s:Header/wsa:MessageID", "", NAMESPACES)

    @property
    def command_id(self) -> str | None:
        """The command that is meant, None for the pool."""
        for element in self.root.find("s:Body", NAMESPACES) or ():
            for inner in element.iter():
                if found := inner.get("CommandId"):
                    return found
        return None

    def body(self, path: str) -> str:
        """The text of an element of the body."""
        return self.root.findtext(f"s:Body/{path}", "", NAMESPACES)

    def data(self, path: str) -> bytes:
        """The same, out of base64."""
        return b64decode(self.body(path))


Reaction = Answer | BaseException | Callable[[Asked], Answer]


@dataclass(slots=True)
class ScriptedWire:
    """Answers as a willing server; what is put into ``next`` for an action is answered or raised first.

    ``say`` gives fragments to a target's Receive; a Receive without any waits until its command or the shell is closed,
    where the server is not ``stubborn``.
    """

    url: str = "http://web01:5985/wsman?PSVersion=5.1"
    requests: list[Asked] = field(default_factory=list)
    next: dict[str, deque[Reaction]] = field(default_factory=lambda: defaultdict(deque))
    redirected: list[str] = field(default_factory=list)
    closed: bool = False
    holding: int = 0
    stubborn: bool = False
    _queues: dict[str | None, asyncio.Queue[str]] = field(default_factory=lambda: defaultdict(asyncio.Queue))
    _deleted: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, envelope: bytes, *, timeout: float) -> Answer:
        """Answer one request."""
        asked = Asked(envelope, ET.fromstring(envelope), timeout)
        self.requests.append(asked)
        await asyncio.sleep(0)
        waiting = self.next[asked.action]
        if waiting:
            reaction = waiting.popleft()
            if isinstance(reaction, BaseException):
                raise reaction
            return reaction if isinstance(reaction, Answer) else reaction(asked)
        return await self._answer(asked)

    def redirect(self, url: str) -> None:
        """Go elsewhere."""
        self.url = url
        self.redirected.append(url)

    async def close(self) -> None:
        """Nothing to close."""
        self.closed = True

    def say(self, *pieces: bytes, command: str | None = None, done: bool = False) -> None:
        """Let the next Receive of a target bring these pieces."""
        streams = "".join(
            f'<rsp:Stream Name="stdout">{b64encode(piece).decode()}</rsp:Stream>' for piece in pieces
        )
        state = f'<rsp:CommandState State="{names.COMMAND_DONE}"/>' if done else ""
        self._queues[command].put_nowait(f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>")

    def asked(self, action: str) -> list[Asked]:
        """The requests of one kind."""
        return [asked for asked in self.requests if asked.action == action]

    async def _answer(self, asked: Asked) -> Answer:
        if asked.action == "Receive":
            return await self._receive(asked)
        if asked.action == "Delete":
            self._deleted.set()
        if asked.body("rsp:Signal/rsp:Code") == names.TERMINATE and not self.stubborn:
            self._queues[asked.command_id].put_nowait("")
        return Answer(200, envelope(self._body(asked), relates_to=asked.message_id))

    def _body(self, asked: Asked) -> str:
        if asked.action == "Create":
            shell = next(iter(asked.root.iterfind("s:Body/rsp:Shell", NAMESPACES))).get("ShellId")
            return (
                "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
                f'<w:Selector Name="ShellId">{shell}</w:Selector>'
                "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
            )
        if asked.action == "Command":
            return f"<rsp:CommandResponse><rsp:CommandId>{asked.command_id}</rsp:CommandId></rsp:CommandResponse>"
        return f"<rsp:{asked.action}Response/>"

    async def _receive(self, asked: Asked) -> Answer:
        self.holding += 1
        getting = asyncio.ensure_future(self._queues[asked.command_id].get())
        deleting = asyncio.ensure_future(self._deleted.wait())
        try:
            await asyncio.wait([getting, deleting], return_when=asyncio.FIRST_COMPLETED)
            if not getting.done() or not getting.result():
                return fault(995, "The I/O operation has been aborted")
            return Answer(200, envelope(getting.result(), relates_to=asked.message_id))
        finally:
            self.holding -= 1
            for waiting in (getting, deleting):
                waiting.cancel()
            await asyncio.gather(getting, deleting, return_exceptions=True)


@dataclass(slots=True)
class JumpingClock:
    """Time that passes only by waiting for it."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Jump."""
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


@dataclass(slots=True)
class Taken:
    """Keeps what a carrier gives."""

    fragments: list[tuple[bytes, UUID | None]] = field(default_factory=list)
    lost: list[HostError] = field(default_factory=list)
    pipelines_lost: list[tuple[UUID, HostError]] = field(default_factory=list)
    missed: list[UUID] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        """Keep."""
        self.fragments.append((data, pipeline))
        self.changed.set()

    def carrier_lost(self, error: HostError) -> None:
        """Keep."""
        self.lost.append(error)
        self.changed.set()

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """Keep."""
        self.pipelines_lost.append((pipeline, error))
        self.changed.set()

    def answer_missed(self, pipeline: UUID) -> None:
        """Keep."""
        self.missed.append(pipeline)
        self.changed.set()

    def notice(self, message: str) -> None:
        """Keep."""
        self.notices.append(message)
        self.changed.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something that is kept makes it true."""
        async with asyncio.timeout(60):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    def data(self, pipeline: UUID | None) -> bytes:
        """All bytes of one target."""
        return b"".join(data for data, target in self.fragments if target == pipeline)


async def settled(turns: int = 50) -> None:
    """Let everything that can run without time passing run."""
    for _ in range(turns):
        await asyncio.sleep(0)


def client(wire: ScriptedWire, clock: JumpingClock | None = None, **settings: object) -> Client:
    """A client of a wire."""
    given = {"host": "web01", "resource_uri": CONFIGURATION, "session": uuid4(), **settings}
    return Client(wire, ClientSettings(**given), clock or JumpingClock())  # type: ignore[arg-type]


def carrier(wire: ScriptedWire, clock: JumpingClock | None = None, **settings: object) -> WsmanCarrier:
    """A carrier over a wire; nothing is sent."""
    return WsmanCarrier(client(wire, clock, **settings), ShellSettings())


async def opened(wire: ScriptedWire, taken: Taken, clock: JumpingClock | None = None) -> WsmanCarrier:
    """A carrier that has its shell."""
    made = carrier(wire, clock)
    await made.open(POOL, b"opening", taken)
    return made


def fragment(kind: int, body: bytes, *, object_id: int = 1) -> bytes:
    """A whole message in one fragment (remoting.md 0)."""
    message = (1).to_bytes(4, "little") + kind.to_bytes(4, "little") + bytes(32) + body
    return object_id.to_bytes(8, "big") + bytes(8) + b"\x03" + len(message).to_bytes(4, "big") + message


def state(number: int) -> bytes:
    """A PIPELINE_STATE as a fragment."""
    return fragment(0x00041006, f'<Obj><MS><I32 N="PipelineState">{number}</I32></MS></Obj>'.encode())

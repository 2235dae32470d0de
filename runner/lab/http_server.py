"""A small HTTP/1.1 server over asyncio streams: what WinRM needs of HTTP, and the power to misbehave.

Login belongs to the TCP connection in WinRM (NTLM, Kerberos and CredSSP say who is at the other end once), so a handler
is made for each connection. RFC 9112; bodies have a length or come in chunks, both ways of `Expect` are understood.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol

_LONGEST_HEAD = 64 * 1024
_LONGEST_BODY = 64 * 1024 * 1024
_BACKLOG = 2048  # a thousand clients may come at once
_PATIENCE = 1.0  # seconds that connections have to end by themselves


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request; names of headers are in lower case, of one that comes several times the last value holds."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer.

    Args:
        status: HTTP status code.
        body: whole body.
        headers: further headers; a name may come several times.
        keep: whether the connection stays open afterwards.
        cut_after: how much of the body is really sent before the connection breaks; None sends all of it.

    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    keep: bool = True
    cut_after: int | None = None

    def head(self) -> bytes:
        """Status line and headers as they go over the wire."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [
            f"Date: {formatdate(usegmt=True)}",  # HTTP.SYS tells it always
            f"Content-Length: {len(self.body)}",
            f"Connection: {'keep-alive' if self.keep else 'close'}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class ConnectionCut(Exception):
    """A handler wants the connection gone without an answer."""


class HttpHandler(Protocol):
    """Answers the requests of one connection, one after the other."""

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer, or raise :class:`ConnectionCut`."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection; ``certificate`` is the client's in DER, where it gave one."""

    address: str
    certificate: bytes | None = None


class _Malformed(Exception):
    """The request is none; the text goes back with status 400."""


@dataclass(slots=True)
class HttpServer:
    """Listens on 127.0.0.1 and gives every connection a handler of its own.

    ``refusing`` drops connections as they come and those that are open, as a host does that has lost its network.
    """

    handler: Callable[[Peer], HttpHandler]
    context: ssl.SSLContext | None = None
    connections: int = field(default=0, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict, init=False)
    _refusing: bool = field(default=False, init=False)

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port, a free one where 0 is given."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", port, ssl=self.context, limit=_LONGEST_HEAD, backlog=_BACKLOG
        )
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def refusing(self) -> bool:
        """Whether connections are dropped as they come."""
        return self._refusing

    @refusing.setter
    def refusing(self, value: bool) -> None:
        self._refusing = value
        if value:
            self.drop_connections()

    def drop_connections(self) -> None:
        """Break every open connection at once, without an answer to what it waits for."""
        for writer in self._open.values():
            writer.transport.abort()

    async def close(self) -> None:
        """Listen no more and end every connection; idempotent."""
        if self._server is None:
            return
        self._server.close()
        tasks = list(self._open)
        self.drop_connections()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in a task
        self._open[task] = writer
        self.connections += 1
        try:
            if not self._refusing:
                await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client is gone, which is its right
        except asyncio.CancelledError:
            pass  # the server closes: asyncio would tell of a cancelled connection as of an error
        finally:
            del self._open[task]
            writer.transport.abort() if self._refusing else writer.close()
            with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = self.handler(_peer(writer))
        while True:
            try:
                request = await _read_request(reader, writer)
            except _Malformed as problem:
                await _write(writer, HttpResponse(HTTPStatus.BAD_REQUEST, str(problem).encode(), keep=False))
                return
            if request is None:
                return
            try:
                response = await _while_connected(handler.answer(request), reader, writer)
            except ConnectionCut:
                writer.transport.abort()
                return
            if response is None:
                return
            await _write(writer, response)
            if not response.keep or request.headers.get("connection", "").lower() == "close":
                return


async def _while_connected(
    answer: Coroutine[Any, Any, HttpResponse], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> HttpResponse | None:
    """The answer, or None once the client has gone: a poll nobody waits for must not take output."""
    answering = asyncio.ensure_future(answer)
    # The client sends nothing before it has its answer: what comes is its end. The byte of one that sends all the
    # same would be lost, so the connection is closed after it.
    gone = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        return None
    finally:
        for future in (answering, gone):
            future.cancel()
        await asyncio.gather(answering, gone, return_exceptions=True)


def _peer(writer: asyncio.StreamWriter) -> Peer:
    tls = writer.get_extra_info("ssl_object")
    return Peer(
        address=writer.get_extra_info("peername")[0],
        certificate=tls.getpeercert(binary_form=True) if tls is not None else None,
    )


async def _write(writer: asyncio.StreamWriter, response: HttpResponse) -> None:
    writer.write(response.head() + response.body[: response.cut_after])
    await writer.drain()
    if response.cut_after is not None:
        raise ConnectionResetError


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> HttpRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise _Malformed("the headers are too long") from None
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = start.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Malformed("that is no HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _Malformed("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return HttpRequest(words[0], words[1], headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _LONGEST_BODY:
        raise _Malformed("an impossible Content-Length")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = (await reader.readuntil(b"\r\n")).partition(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise _Malformed("a chunk without a size") from None
        if size < 0 or size + len(body) > _LONGEST_BODY:
            raise _Malformed("a body that is too long")
        body += (await reader.readexactly(size + 2))[:size]
        if size == 0:
            return bytes(body)

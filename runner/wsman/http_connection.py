"""One TCP connection that carries one HTTP request at a time: h11 for the protocol, asyncio for the octets.

A login of WinRM belongs to its TCP connection, so what asks here must know which connection it has, whether the server
has closed it, and the certificate of the other end. A client with a pool inside hides all three (decision 14).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import h11

#: The longest answer that is taken, octets: WinRM's largest envelope is 500 KiB, a sealed one not much more.
LONGEST_ANSWER = 32 << 20
_LONGEST_HEAD = 64 << 10
#: What one read of a TLS connection takes at most: two records (RFC 8446 5.1).
_TLS_BUFFER = 32 << 10
#: How long a peer may take to say goodbye, seconds.
_GOODBYE = 1.0
#: What every answer begins with (RFC 9112 4).
_START = b"HTTP/"


class HttpBroken(Exception):
    """The connection ended or the server spoke no HTTP; ``str`` says which, without anything that was sent."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer whose body has come whole; names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def every(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The first value of a header, or nothing."""
        return next(iter(self.every(name)), "")


class HttpConnection(asyncio.Protocol):
    """Made by :meth:`open`; a request that is cancelled leaves it unusable."""

    def __init__(self) -> None:
        self._http = _machine()
        self._transport: asyncio.Transport | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[Response] | None = None
        self._head: h11.Response | None = None
        self._body = bytearray()

    @classmethod
    async def open(cls, address: str, port: int) -> HttpConnection:
        """Connect to an IP address.

        Raises:
            OSError: as the system says.

        """
        _, connection = await asyncio.get_running_loop().create_connection(cls, address, port)
        return connection

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Go on under TLS, with ``name`` as the server's.

        Raises:
            ssl.SSLError: the handshake failed, or the certificate was not as ``context`` wants it.
            OSError: the connection broke.

        """
        assert self._transport is not None  # noqa: S101 - open() has connected
        transport = await asyncio.get_running_loop().start_tls(
            self._transport, self, context, server_hostname=name, ssl_shutdown_timeout=_GOODBYE
        )
        if transport is None:
            raise ConnectionResetError("the connection was closed during the handshake")
        self._transport = transport
        _shrink(transport)

    @property
    def peer_certificate(self) -> bytes | None:
        """The server's certificate, DER; None without TLS."""
        tls = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return tls.getpeercert(binary_form=True) if tls is not None else None

    @property
    def usable(self) -> bool:
        """Whether it is open and waits for a request."""
        return (
            self._transport is not None
            and not self._transport.is_closing()
            and self._answer is None
            and self._http.our_state is h11.IDLE
        )

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Response:
        """Send a request and wait for its whole answer.

        Raises:
            HttpBroken: no answer, half an answer, or one that is not HTTP.

        """
        if self._transport is None or not self.usable:
            raise HttpBroken("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        lines = [*headers, ("Content-Length", str(len(body)))] if method != "CONNECT" else list(headers)
        request = h11.Request(method=method, target=target, headers=lines)
        octets = [self._http.send(request), self._http.send(h11.Data(body)) if body else b""]
        octets.append(self._http.send(h11.EndOfMessage()))
        self._transport.writelines([piece for piece in octets if piece])
        try:
            return await self._answer
        except BaseException:
            self.abort()
            raise
        finally:
            self._answer = None

    def tunnelled(self) -> None:
        """Talk to whom a proxy has connected us with: the conversation starts anew."""
        self._http = _machine()

    def abort(self) -> None:
        """Drop the connection at once; idempotent."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close with a goodbye that is given a second; idempotent, never raises."""
        if self._transport is None:
            return
        self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await asyncio.shield(self._ended)
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream socket
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio: octets have come."""
        if self._answer is None or self._answer.done():
            self.abort()  # nothing was asked: a server that gives up on an idle connection, or worse
            return
        self._http.receive_data(data)
        self._read_events()

    def eof_received(self) -> None:
        """asyncio: the server sends no more; the connection is closed with that."""
        self._finish("the server closed the connection")

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio: the connection is gone."""
        if not self._ended.done():
            self._ended.set_result(None)
        self._finish(_words(error))

    def _finish(self, why: str) -> None:
        if self._answer is None or self._answer.done():
            return
        if self._head is not None:
            # A body without a length ends with the connection, one with a length is broken by it.
            self._http.receive_data(b"")
            self._read_events(why)
        self._fail(why)

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            half = " in the middle of its answer" if self._head is not None else ""
            self._answer.set_exception(HttpBroken(why + half))

    def _read_events(self, broken: str = "what answers there does not speak HTTP") -> None:
        """Read what has come; ``broken`` is what it means that HTTP's rules are broken by it."""
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Response):
                    self._head = event
                    if self._http.their_state is h11.SWITCHED_PROTOCOL:
                        self._answered()  # a proxy has connected us: no body and no end follow
                        return
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > LONGEST_ANSWER:
                        self._fail(f"the answer is longer than {LONGEST_ANSWER >> 20} MiB")
                        self.abort()
                        return
                elif isinstance(event, h11.EndOfMessage):
                    self._answered()
                    return
                elif not isinstance(event, h11.InformationalResponse):
                    if self._head is None and not _may_be_http(self._http.trailing_data[0]):
                        self._fail(broken)
                        self.abort()
                    return  # more octets are needed
        except h11.RemoteProtocolError:
            # h11's own words may quote what came
            self._fail(broken)
            self.abort()

    def _answered(self) -> None:
        head, self._head = self._head, None
        body, self._body = bytes(self._body), bytearray()
        assert head is not None  # noqa: S101 - h11 gives a Response before its end
        assert self._answer is not None  # noqa: S101 - checked where octets come in
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        elif self._http.their_state is not h11.SWITCHED_PROTOCOL and self._transport is not None:
            self._transport.close()
        if not self._answer.done():
            self._answer.set_result(Response(head.status_code, headers, body))


def _shrink(transport: asyncio.Transport) -> None:
    """Give back most of what asyncio holds to read TLS into: 256 KiB a connection, 500 MiB for a thousand sessions.

    There is no public way to say how much. Where a later asyncio has another form, memory is all that is lost.
    """
    protocol = getattr(transport, "_ssl_protocol", None)
    buffer = getattr(protocol, "_ssl_buffer", None)
    if protocol is not None and isinstance(buffer, bytearray) and len(buffer) > _TLS_BUFFER:
        protocol.max_size = _TLS_BUFFER  # what it asks for from now on; it makes its buffer anew by that
        protocol._ssl_buffer = bytearray(_TLS_BUFFER)  # noqa: SLF001 - see above
        protocol._ssl_buffer_view = memoryview(protocol._ssl_buffer)  # noqa: SLF001 - see above


def _may_be_http(begun: bytes) -> bool:
    """Whether an answer may begin so: h11 looks at none of it before its head is whole, which a banner never is."""
    return begun.startswith(_START) or _START.startswith(begun)


def _machine() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)


def _words(error: Exception | None) -> str:
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return f"the connection broke: {error.strerror}"
    return "the connection broke" if error is not None else "the server closed the connection"

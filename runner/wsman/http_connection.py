"""One TCP connection that carries one HTTP request at a time: llhttp reads the answers, asyncio moves the octets.

A login of WinRM belongs to its TCP connection, so what asks here must know which connection it has, whether the server
has closed it, and the certificate of the other end. A client with a pool inside hides all three (decision 14).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from contextlib import suppress

from runner.wsman.http_answer import LONGEST_ANSWER, AnswerReader, NotHttp, Response, TooLong

#: What one read of a TLS connection takes at most: two records (RFC 8446 5.1).
_TLS_BUFFER = 32 << 10
#: How long a peer may take to say goodbye, seconds.
_GOODBYE = 1.0
#: What a request line and a line of the head may hold (RFC 9112 3.2, RFC 9110 5.5): no space in the one, no line end in
#: the other, so that no value becomes a line of its own.
_TARGET = re.compile(r"[\x21-\x7e]+")
_LINE = re.compile(r"[^\r\n\0]*")


class HttpBroken(Exception):
    """The connection ended or the server spoke no HTTP; ``str`` says which, without anything that was sent."""


class HttpConnection(asyncio.Protocol):
    """Made by :meth:`open`; a request that is cancelled leaves it unusable."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[Response] | None = None
        self._reader = AnswerReader()

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
        return self._transport is not None and not self._transport.is_closing() and self._answer is None

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Response:
        """Send a request and wait for its whole answer.

        Raises:
            HttpBroken: no answer, half an answer, or one that is not HTTP.
            ValueError: a line of the head would not be one.

        """
        if self._transport is None or not self.usable:
            raise HttpBroken("the connection is closed")
        head = _head(method, target, headers, None if method == "CONNECT" else len(body))
        self._answer = asyncio.get_running_loop().create_future()
        self._reader.expect(connects=method == "CONNECT")
        self._transport.write(head + body)
        try:
            return await self._answer
        except BaseException:
            self.abort()
            raise
        finally:
            self._answer = None

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
        try:
            response = self._reader.feed(data)
        except NotHttp:
            self._fail("what answers there does not speak HTTP")
            self.abort()
        except TooLong:
            self._fail(f"the answer is longer than {LONGEST_ANSWER >> 20} MiB")
            self.abort()
        else:
            if response is not None:
                if not self._reader.reusable and self._transport is not None:
                    self._transport.close()
                self._answer.set_result(response)

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
        response = self._reader.end()
        if response is not None:
            self._answer.set_result(response)
        else:
            self._fail(why)

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            half = " in the middle of its answer" if self._reader.begun else ""
            self._answer.set_exception(HttpBroken(why + half))


def _head(method: str, target: str, headers: Iterable[tuple[str, str]], length: int | None) -> bytes:
    """The head of a request; ``length`` of its body, None where it can have none."""
    lines = [f"{name}: {value}" for name, value in headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if not (_TARGET.fullmatch(target) and all(map(_LINE.fullmatch, lines))):
        raise ValueError("a line of the request would not be one")
    return "\r\n".join((f"{method} {target} HTTP/1.1", *lines, "\r\n")).encode("latin-1")


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


def _words(error: Exception | None) -> str:
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return f"the connection broke: {error.strerror}"
    return "the connection broke" if error is not None else "the server closed the connection"

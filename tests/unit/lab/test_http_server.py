"""The lab's HTTP server: requests are read whole whatever the pieces, and connections end without a trace."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.lab.http_server import ConnectionCut, HttpRequest, HttpResponse, HttpServer, Peer


@dataclass
class Echo:
    """Answers with what came; `hold` keeps the answer back, `cut` breaks the connection."""

    seen: list[HttpRequest] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: HttpRequest) -> HttpResponse:
        self.seen.append(request)
        if request.path == "/hold":
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.set()
        if request.path == "/cut":
            raise ConnectionCut
        return HttpResponse(200, request.body, (("X-Method", request.method),))


async def exchange(pieces: list[bytes], echo: Echo | None = None) -> bytes:
    """Send pieces over one connection; everything that comes back until it ends."""
    handler = echo or Echo()
    server = HttpServer(lambda peer: handler)
    port = await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer
    finally:
        await server.close()


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=8), st.booleans())
async def test_a_request_is_whole_whatever_its_pieces(body: bytes, cuts: list[int], chunked: bool) -> None:
    """With a length or in chunks."""
    if chunked:
        half = len(body) // 2
        parts = [part for part in (body[:half], body[half:]) if part]
        framed = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        head = b"POST /x?y=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    else:
        framed = body
        head = b"POST /x?y=1 HTTP/1.1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    rest, pieces = head + framed, []
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    echo = Echo()
    answer = await exchange([*pieces, rest], echo)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nX-Method: POST\r\n")
    assert answer.partition(b"\r\n\r\n")[2] == body
    assert (echo.seen[0].path, echo.seen[0].target) == ("/x", "/x?y=1")


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_request_is_told(request_: bytes) -> None:
    """400, and the connection is over."""
    assert (await exchange([request_])).startswith(b"HTTP/1.1 400 ")


async def test_a_client_is_told_to_go_on() -> None:
    """Where it asks before it sends a long body."""
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    answer = await exchange([head, b"ab"])
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_a_handler_can_break_its_connection() -> None:
    """Without an answer."""
    assert await exchange([b"GET /cut HTTP/1.1\r\n\r\n"]) == b""


async def test_an_answer_nobody_waits_for_is_given_up() -> None:
    """As soon as the client is gone, so that what it would have taken is left for the next one."""
    echo = Echo()
    server = HttpServer(lambda peer: echo)
    port = await server.start()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /hold HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(30):
        await echo.begun.wait()
        writer.close()
        await echo.ended.wait()
        await writer.wait_closed()
        await server.close()


async def test_a_server_that_refuses_drops_who_is_there() -> None:
    """And who comes, until it takes connections again."""
    peers: list[Peer] = []

    def handler(peer: Peer) -> Echo:
        peers.append(peer)
        return Echo()

    server = HttpServer(handler)
    port = await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        server.refusing = True
        await reader.read()
        refused, unheard = await asyncio.open_connection("127.0.0.1", port)
        assert await refused.read() == b""
        writer.close()
        unheard.close()
        server.refusing = False
        again, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert (await again.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
        assert [peer.address for peer in peers] == ["127.0.0.1", "127.0.0.1"]
        assert server.connections == 3
    finally:
        await server.close()
        await server.close()

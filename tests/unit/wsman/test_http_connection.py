"""One connection: what it sends, and what it does when more or less comes than an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runner.wsman.http_connection import HttpBroken, HttpConnection

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"


@asynccontextmanager
async def peer(answer: bytes) -> AsyncIterator[tuple[HttpConnection, asyncio.Queue[bytes]]]:
    """A connection to who answers each request so; and the requests as they came."""
    requests: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(1 << 16):
            requests.put_nowait(request)
            writer.write(answer)
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    connection = await HttpConnection.open("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield connection, requests
    finally:
        await connection.close()
        await gone.wait()
        server.close()


async def test_requests_follow_each_other_over_one_connection() -> None:
    """Head and body go out together, with the headers in the order they were given."""
    async with peer(ANSWER) as (connection, requests):
        for _ in range(2):
            response = await connection.request("POST", "/wsman", [("Host", "h"), ("X", "y")], b"body")
            assert response.body == b"ab"
            assert requests.get_nowait() == (
                b"POST /wsman HTTP/1.1\r\nHost: h\r\nX: y\r\nContent-Length: 4\r\n\r\nbody"
            )


@pytest.mark.parametrize(
    ("target", "value"), [("/a b", "x"), ("/a\r\nX: y", "x"), ("/", "x\r\nX: y"), ("/", "x\0"), ("/", "x\n")]
)
async def test_a_value_cannot_become_a_line_of_its_own(target: str, value: str) -> None:
    """Nothing is sent, and the connection stays as it is."""
    async with peer(ANSWER) as (connection, requests):
        with pytest.raises(ValueError, match="a line of the request"):
            await connection.request("POST", target, [("Host", value)])

        assert requests.empty()
        assert (await connection.request("POST", "/", [("Host", "h")])).status == 200


async def test_what_comes_unasked_ends_the_connection() -> None:
    """It would be taken for the answer to the next request."""
    async with peer(ANSWER + ANSWER) as (connection, _):
        assert (await connection.request("POST", "/", [("Host", "h")])).body == b"ab"

        with pytest.raises(HttpBroken, match="the connection is closed"):
            await connection.request("POST", "/", [("Host", "h")])

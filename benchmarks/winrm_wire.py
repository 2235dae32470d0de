"""What one WinRM envelope and its answer cost, and a thousand held polls: our wire, aiohttp, httpx, pypsrp.

The server is a process of its own; seconds are CPU of the client process, memory its resident growth.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import multiprocessing
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

BODY = b"<s:Envelope>" + b"x" * 1500 + b"</s:Envelope>"
SOAP = "application/soap+xml;charset=UTF-8"
CLIENTS = ("runner", "aiohttp", "httpx", "pypsrp")
#: The clients under test that an installation may lack.
PACKAGES = {"aiohttp": "aiohttp", "httpx": "httpx", "pypsrp": "pypsrp"}
WAIT = 300.0


def serve(ready: Connection) -> None:
    """Echo every POST at once, or never where its path is /hold."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(x.split(b":")[1])
                        for x in head.split(b"\r\n")
                        if x.lower().startswith(b"content-length")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                if head.startswith(b"POST /hold") and body:
                    await reader.read(1)
                    return
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Type: {SOAP}\r\nContent-Length: {length}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=4096)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def runner_posts(url: str) -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[None]]]:
    """Our own wire, by Basic."""
    from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings  # noqa: PLC0415
    from runner.transport.port import Login  # noqa: PLC0415
    from runner.values import Secret  # noqa: PLC0415
    from runner.wsman.wire import HttpWire  # noqa: PLC0415

    settings = WinrmSettings(url=url, resource_uri="x", authentication=Authentication.BASIC)
    options = SessionOptions(no_encryption=True)
    endpoint = Endpoint(
        host="h", transport="winrm", session_options=options, winrm=settings, connect_timeout=WAIT
    )
    wire = HttpWire(endpoint, Login(username="u", password=Secret("p")))
    return (lambda: wire.post(BODY, timeout=WAIT)), wire.close


def aiohttp_posts(url: str) -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[None]]]:
    """A session with one connection, for a login belongs to one."""
    import aiohttp  # noqa: PLC0415

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1), timeout=aiohttp.ClientTimeout(total=WAIT)
    )

    async def post() -> bytes:
        async with session.post(url, data=BODY, headers={"Content-Type": SOAP}) as answer:
            body: bytes = await answer.read()
            return body

    return post, session.close


def httpx_posts(url: str) -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[None]]]:
    """A client with one connection."""
    import httpx  # noqa: PLC0415

    limits = httpx.Limits(max_connections=1)
    client = httpx.AsyncClient(limits=limits, timeout=WAIT, trust_env=False, verify=False)

    async def post() -> bytes:
        body: bytes = (await client.post(url, content=BODY, headers={"Content-Type": SOAP})).content
        return body

    return post, client.aclose


MAKERS = {"runner": runner_posts, "aiohttp": aiohttp_posts, "httpx": httpx_posts}


def memory() -> float:
    """MiB that this process has resident."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / (1 << 20)


async def measure(name: str, url: str, posts: int, held: int) -> dict[str, float]:
    """CPU a post over a kept connection, then memory and threads of ``held`` polls that wait."""
    post, close = MAKERS[name](url + "/wsman")
    await post()
    begin = time.process_time()
    for _ in range(posts):
        await post()
    cost = (time.process_time() - begin) / posts
    await close()
    before = memory()
    made = [MAKERS[name](url + "/hold") for _ in range(held)]
    polls = [asyncio.ensure_future(post()) for post, _ in made]
    await asyncio.sleep(0)
    grown = -1.0
    while grown != (grown := memory() - before):  # noqa: ASYNC110 - nothing tells when it has stopped growing
        await asyncio.sleep(2)
    threads = threading.active_count()
    for poll in polls:
        poll.cancel()
    await asyncio.gather(*polls, return_exceptions=True)
    for _, shut in made:
        await shut()
    return {"us": cost * 1e6, "mib": grown, "threads": threads}


def measure_pypsrp(url: str, posts: int, held: int) -> dict[str, float]:
    """The same with pypsrp, which needs a thread for each poll that waits."""
    from pypsrp.wsman import WSMan  # noqa: PLC0415

    port = int(url.rpartition(":")[2])

    def client(path: str) -> Any:
        basic: dict[str, Any] = {"auth": "basic", "username": "u", "password": "p", "encryption": "never"}
        return WSMan(
            "127.0.0.1", port=port, path=path, ssl=False, no_proxy=True, read_timeout=int(WAIT), **basic
        )

    first = client("wsman")
    first.transport.send(BODY)
    begin = time.process_time()
    for _ in range(posts):
        first.transport.send(BODY)
    cost = (time.process_time() - begin) / posts
    before = memory()
    for _ in range(held):
        threading.Thread(target=client("hold").transport.send, args=(BODY,), daemon=True).start()
    grown = -1.0
    while grown != (grown := memory() - before):
        time.sleep(2)
    return {"us": cost * 1e6, "mib": grown, "threads": threading.active_count()}


def one(name: str, url: str, posts: int, held: int) -> None:
    """Measure one client and print it as JSON; its process ends with its threads."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asynchronous = name != "pypsrp"
    found = asyncio.run(measure(name, url, posts, held)) if asynchronous else measure_pypsrp(url, posts, held)
    print(json.dumps(found), flush=True)


def main() -> None:
    """Measure every client that is installed, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--held", type=int, default=1000)
    parser.add_argument("--one", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one, arguments.url, arguments.posts, arguments.held)
        return
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    print(f"{'client':10} {'CPU a post':>12} {f'{arguments.held} held polls':>18} {'threads':>8}")
    for name in CLIENTS:
        if name in PACKAGES and importlib.util.find_spec(PACKAGES[name]) is None:
            print(f"{name:10} not installed")
            continue
        numbers = ["--posts", str(arguments.posts), "--held", str(arguments.held)]
        command = [sys.executable, "-m", "benchmarks.winrm_wire", "--one", name, "--url", url, *numbers]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"{name:10} {found['us']:9.0f} us {found['mib']:14.1f} MiB {found['threads']:8.0f}", flush=True)
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()

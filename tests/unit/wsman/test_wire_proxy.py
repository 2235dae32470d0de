"""Proxies: which one the environment names, and how they are asked to connect us through."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import spnego
from spnego.exceptions import SpnegoError

from runner.errors import Unreachable
from runner.lab.winrm_acceptor import Logins
from runner.transport.endpoint import ProxySettings, SessionOptions
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.http_errors import Attempt
from runner.wsman.proxy import proxy_for
from runner.wsman.tls import TlsContexts
from runner.wsman.wire import HttpWire
from tests.support.winrm_server import Authority, listening

PASSWORD = "Grüße-7!"
OPS = Login(username="ops", password=Secret(PASSWORD))
BASIC = Logins(mechanisms=frozenset({"basic"}), passwords={"ops": PASSWORD}, unencrypted=True)
ATTEMPT = Attempt("web01", "http://web01", 30.0)
ASKED = ProxySettings(access="win_http_config")
WAIT = 60.0


@dataclass(slots=True)
class TunnelProxy:
    """A proxy that connects whom it lets in; ``wants`` is ``basic``, ``negotiate`` or nothing."""

    wants: str = ""
    status: int = 200
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context: spnego.ContextProxy | None = None
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                start, *lines = head.rstrip().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                self.asked.append((start, headers))
                scheme, _, word = headers.get("proxy-authorization", "").partition(" ")
                token = b""
                let_in = not self.wants
                if self.wants == "basic" and scheme == "Basic":
                    let_in = base64.b64decode(word).decode() == f"proxy:{PASSWORD}"
                if self.wants == "negotiate" and scheme == "Negotiate":
                    context = context or spnego.server()
                    with suppress(SpnegoError):
                        token = context.step(base64.b64decode(word)) or b""
                    let_in = context.complete
                if let_in:
                    break
                offer = f"{self.wants.title()} {base64.b64encode(token).decode()}".strip()
                writer.write(
                    f"HTTP/1.1 407 No\r\nProxy-Authenticate: {offer}\r\nContent-Length: 2\r\n\r\nno".encode()
                )
            writer.write(f"HTTP/1.1 {self.status} So\r\n".encode() + b"\r\n" * (self.status == 200))
            if self.status != 200:
                writer.write(b"Content-Length: 0\r\n\r\n")
            else:
                await self.join(start.split(" ")[1], reader, writer)
        writer.close()

    async def join(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))


@asynccontextmanager
async def proxying(proxy: TunnelProxy) -> AsyncIterator[TunnelProxy]:
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(proxy.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
    await asyncio.wait_for(asyncio.gather(*tasks), WAIT)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_proxy_connects_us_from_end_to_end(
    tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked to CONNECT for http as well, and sees no password of the host."""
    authority = Authority(tmp_path)
    context = authority.server()[0] if tls else None
    async with listening(BASIC, context=context) as listener, proxying(TunnelProxy()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY" if tls else "http_proxy", f"http://127.0.0.1:{proxy.port}")
        options = SessionOptions(no_encryption=True, proxy=ASKED)
        wire = HttpWire(listener.endpoint(options=options), OPS, contexts=TlsContexts(authority.environment))
        answer = await wire.post(b"<a/>", timeout=WAIT)
        await wire.close()

    assert answer.body == b"<a/>"
    ((start, headers),) = proxy.asked
    assert start.startswith("CONNECT 127.0.0.1:")
    assert "authorization" not in headers


@pytest.mark.parametrize("kind", ["basic", "negotiate"])
@pytest.mark.parametrize("right", [True, False])
async def test_a_proxy_that_wants_a_login_gets_it(
    kind: str, right: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, when it asks; a wrong one is told by the proxy's name and never with the password."""
    (tmp_path / "users").write_text(f":proxy:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    login = Login(username="proxy", password=Secret(PASSWORD if right else "wrong-Wort"))
    settings = replace(ASKED, authentication=kind)
    async with listening(BASIC) as listener, proxying(TunnelProxy(kind)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        endpoint = listener.endpoint(options=SessionOptions(no_encryption=True, proxy=settings))
        wire = HttpWire(endpoint, OPS, proxy_login=login)
        if right:
            assert (await wire.post(b"<a/>", timeout=WAIT)).body == b"<a/>"
        else:
            with pytest.raises(Unreachable) as refusal:
                await wire.post(b"<a/>", timeout=WAIT)
            assert "wrong-Wort" not in refusal.value.message
            assert refusal.value.code == "proxy-login-refused"
        await wire.close()


@pytest.mark.parametrize(
    ("proxy", "settings", "code"),
    [
        (TunnelProxy(status=403), ASKED, "proxy-refused"),
        (TunnelProxy("basic"), ASKED, "proxy-login-refused"),
        (TunnelProxy("basic"), replace(ASKED, authentication="digest"), "proxy-login-refused"),
    ],
)
async def test_a_proxy_that_does_not_connect_is_told_as_itself(
    proxy: TunnelProxy, settings: ProxySettings, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as the host's failure."""
    async with listening(BASIC) as listener, proxying(proxy):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        wire = HttpWire(listener.endpoint(options=SessionOptions(no_encryption=True, proxy=settings)), OPS)
        with pytest.raises(Unreachable) as refusal:
            await wire.post(b"<a/>", timeout=WAIT)
        await wire.close()

    assert refusal.value.code == code
    assert f"`127.0.0.1:{proxy.port}`" in refusal.value.message
    assert not listener.envelopes


@pytest.mark.parametrize(
    ("access", "environment", "url", "found"),
    [
        ("none", {"HTTP_PROXY": "http://p:1"}, "http://web01/", None),
        ("no_proxy_server", {"HTTP_PROXY": "http://p:1"}, "http://web01/", None),
        ("noproxyserver", {"HTTP_PROXY": "http://p:1"}, "http://web01/", None),
        ("ie_config", {}, "http://web01/", None),
        ("ie_config", {"HTTP_PROXY": "http://p:1"}, "http://web01/", "p:1"),
        ("auto_detect", {"HTTP_PROXY": "p:1"}, "http://web01/", "p:1"),
        ("auto_detect", {"HTTP_PROXY": "http://p"}, "http://web01/", "p:8080"),
        ("ie_config", {"HTTP_PROXY": "http://p:1"}, "https://web01/", None),
        ("ie_config", {"ALL_PROXY": "http://p:1"}, "https://web01/", "p:1"),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:2"}, "http://web01/", "q:2"),
        ("ie_config", {"HTTP_PROXY": "http://u:secret@p:1"}, "http://web01/", "p:1"),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "a, web01"}, "http://web01/", None),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "NO_PROXY": ".b.c"}, "http://a.b.c/", None),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "b.c"}, "http://ab.c/", "p:1"),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "*"}, "http://web01/", None),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "web01:5985"}, "http://web01:80/", "p:1"),
        ("ie_config", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "web01:5985"}, "http://web01:5985/", None),
    ],
)
def test_the_environment_names_the_proxy(
    access: str, environment: dict[str, str], url: str, found: str | None
) -> None:
    """By the scheme of the host's address, unless NO_PROXY names the host; small letters win."""
    proxy = proxy_for(url, ProxySettings(access=access), None, environment, ATTEMPT)

    assert (str(proxy) if proxy else None) == found
    assert "secret" not in repr(proxy)


@pytest.mark.parametrize("address", ["socks5://p:1", "https://p:1"])
def test_other_proxies_are_refused_by_name(address: str) -> None:
    """Rather than going past them."""
    with pytest.raises(Unreachable) as refusal:
        proxy_for("http://web01/", ASKED, None, {"HTTP_PROXY": address}, ATTEMPT)

    assert refusal.value.code == "proxy-unsupported"

"""`http`: a request from the controller against a server that answers what the test says."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import h11
import pytest
import trustme

from runner.engine.result import Status
from tests.unit.execute.alone import Done, do

HOST = "localhost"


@dataclass
class Asked:
    """One request as it reached the server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """What it was asked, and how it answers a path: a status, headers and a body."""

    port: int
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, Callable[[Asked], tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"{self.scheme}://{HOST}:{self.port}{path}"

    def says(self, path: str, status: int, body: bytes = b"", **headers: str) -> str:
        """Answer a path so; gives its URL."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = lambda _: (status, named, body)
        return self.url(path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection, method, path, headers, body = h11.Connection(h11.SERVER), "", "", {}, b""
        try:
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(1 << 16))
                elif isinstance(event, h11.Request):
                    method, path = event.method.decode(), event.target.decode()
                    headers = {name.decode(): value.decode() for name, value in event.headers}
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                else:
                    break
            if isinstance(event, h11.EndOfMessage):
                asked = Asked(method, path, headers, body)
                self.asked.append(asked)
                status, more, data = self.answers[path](asked)
                fields = [*more.items(), ("content-length", str(len(data))), ("connection", "close")]
                writer.write(connection.send(h11.Response(status_code=status, headers=fields)) or b"")
                if method != "HEAD":
                    writer.write(data)
                await writer.drain()
        except (ConnectionError, h11.RemoteProtocolError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server(0)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield made


@pytest.fixture
async def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """The same over TLS, by an authority that this machine trusts while the test runs."""
    authority = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    made = Server(0, "https")
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield made


async def http(folder: Path, url: str, **more: object) -> Done:
    secrets = more.pop("secrets", ())
    body = json.dumps({"url": url, **more})  # JSON is YAML
    return await do(folder, f"- {{id: x, http: {body}}}\n", secrets=secrets)  # type: ignore[arg-type]


async def test_json_comes_as_values(tmp_path: Path, server: Server) -> None:
    """A JSON answer is the output's `json`, typed; nothing of it ran on the host and nothing is changed."""
    url = server.says(
        "/api", 200, b'{"n": [1, null]}', Content_Type="application/problem+json; charset=utf-8"
    )
    result = (await http(tmp_path, url)).result(host=HOST)
    assert (result.status, result.changed, result.transport) == (Status.OK, False, None)
    assert result.output["status"] == 200
    assert result.output["json"] == {"n": [1, None]}
    assert result.output["headers"]["content-type"] == "application/problem+json; charset=utf-8"


async def test_text_and_bytes_come_as_they_are(tmp_path: Path, server: Server) -> None:
    """What is no JSON is the output's `body`: text where it can be read as text, else bytes."""
    done = await http(
        tmp_path, server.says("/t", 200, "grün".encode("latin-1"), Content_Type="text/plain; charset=latin-1")
    )
    assert done.result(host=HOST).output["body"] == "grün"
    done = await http(tmp_path, server.says("/b", 200, b"\xff\x00", Content_Type="application/octet-stream"))
    assert done.result(host=HOST).output["body"] == b"\xff\x00"
    done = await http(tmp_path, server.says("/j", 200, b"{oops", Content_Type="application/json"))
    assert done.result(host=HOST).output["body"] == "{oops"


async def test_what_is_sent(tmp_path: Path, server: Server) -> None:
    """Method, headers and a body of text or JSON arrive as they were written, templates evaluated."""
    url = server.says("/items", 201)
    await http(
        tmp_path, url, method="post", headers={"X-Token": "{{ 'a' ~ 'b' }}"}, json={"n": "{{ 1 + 1 }}"}
    )
    await http(tmp_path, url, method="put", body="state=done", headers={"content-type": "text/plain"})
    first, second = server.asked
    assert (first.method, first.headers["x-token"], json.loads(first.body)) == ("POST", "ab", {"n": 2})
    assert first.headers["content-type"] == "application/json"
    assert (second.method, second.body, second.headers["content-type"]) == (
        "PUT",
        b"state=done",
        "text/plain",
    )


async def test_a_status_that_is_not_accepted_fails(tmp_path: Path, server: Server) -> None:
    """The failure says what came and what is accepted; the answer is the output all the same."""
    url = server.says("/gone", 404, b"no such item")
    server.answers["/gone?key=1"] = server.answers["/gone"]
    done = await http(tmp_path, url + "?key=1")
    assert done.code(host=HOST) == "http-status"
    assert done.message(host=HOST) == f"GET {url} was answered with 404, accepted is 200-299: no such item"
    assert done.result(host=HOST).output["status"] == 404
    assert (await http(tmp_path, url, status=["200-299", 404])).result(host=HOST).status is Status.OK


async def test_nobody_answers(tmp_path: Path) -> None:
    """A port that nobody listens on is told with the reason, and nothing may have been done."""
    done = await http(tmp_path, "http://localhost:1/")
    assert done.code(host=HOST) == "http-failed"
    assert "GET http://localhost:1/: " in done.message(host=HOST)
    failure = done.result(host=HOST).failure
    assert failure is not None
    assert not failure.may_have_run


async def test_an_answer_that_never_comes(tmp_path: Path) -> None:
    """The request's timeout ends it; whoever was asked may have done something."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, HOST, 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        done = await http(tmp_path, f"http://{HOST}:{port}/", timeout="200ms")
    assert done.code(host=HOST) == "http-failed"
    failure = done.result(host=HOST).failure
    assert failure is not None
    assert failure.may_have_run


@pytest.mark.parametrize("url", ["localhost/health", "ftp://localhost/", "http://", "http://local host/"])
async def test_what_is_no_url(tmp_path: Path, url: str) -> None:
    """A URL that is none fails the host before anything is sent."""
    done = await http(tmp_path, url)
    assert done.code(host=HOST) == "http-failed"


async def test_redirects_of_get_are_followed_without_the_authors_headers(
    tmp_path: Path, server: Server
) -> None:
    """Another origin gets none of the headers that may log in; the same origin gets them all."""
    url = server.says("/old", 302, Location="/new")
    server.says("/new", 307, Location=f"http://127.0.0.1:{server.port}/other")
    server.says("/other", 200, b"there")
    done = await http(tmp_path, url, headers={"X-Token": "t"})
    assert [("x-token" in asked.headers) for asked in server.asked] == [True, True, False]
    assert done.result(host=HOST).output["body"] == "there"


async def test_redirects_of_post_are_not_followed(tmp_path: Path, server: Server) -> None:
    """What changes something goes where the author wrote and nowhere else; the hint names the place."""
    url = server.says("/old", 307, Location="/new")
    done = await http(tmp_path, url, method="post", body="x")
    assert done.code(host=HOST) == "http-status"
    failure = done.result(host=HOST).failure
    assert failure is not None
    assert "`/new`" in failure.hints[0]
    assert [asked.path for asked in server.asked] == ["/old"]


async def test_a_circle_of_redirects_ends(tmp_path: Path, server: Server) -> None:
    """After twenty redirects it is one."""
    done = await http(tmp_path, server.says("/a", 302, Location="/a"))
    assert done.code(host=HOST) == "http-failed"
    assert len(server.asked) == 21


async def test_certificates_are_checked(
    tmp_path: Path, secure: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known authority is taken, an unknown one fails the host with the reason."""
    url = secure.says("/", 200, b"hello")
    assert (await http(tmp_path, url)).result(host=HOST).output["body"] == "hello"
    monkeypatch.delenv("SSL_CERT_FILE")
    done = await http(tmp_path, url)
    assert done.code(host=HOST) == "http-failed"
    assert "certificate" in done.message(host=HOST).lower()


async def test_a_redirect_to_plain_http_is_refused(tmp_path: Path, secure: Server, server: Server) -> None:
    """What began encrypted is not sent in the clear."""
    done = await http(tmp_path, secure.says("/", 302, Location=server.says("/plain", 200)))
    assert done.code(host=HOST) == "http-failed"
    assert "from https to `http`" in done.message(host=HOST)
    assert server.asked == []


async def test_secrets_are_sent_and_not_shown(tmp_path: Path, server: Server) -> None:
    """A secret may stand in the URL and in headers; what comes back with it is masked in the result."""
    server.answers["/?key=hunter22"] = lambda asked: (200, {}, asked.headers["x-token"].encode())
    url = server.url("/?key=hunter22")
    done = await http(tmp_path, url, headers={"X-Token": "hunter22"}, secrets=("hunter22",))
    assert server.asked[0].headers["x-token"] == "hunter22"
    assert "hunter22" not in repr(done.result(host=HOST))
    assert done.result(host=HOST).secret


async def test_an_answer_without_end_is_given_up(tmp_path: Path, server: Server) -> None:
    """More than what fits into a result is refused."""
    done = await http(tmp_path, server.says("/big", 200, b"x" * ((16 << 20) + 1)))
    assert done.code(host=HOST) == "http-failed"
    assert "16 MiB" in done.message(host=HOST)


async def test_failed_when_judges_the_answer(tmp_path: Path, server: Server) -> None:
    """`failed_when` takes the place of the accepted statuses."""
    url = server.says("/", 503, b'{"state": "draining"}', Content_Type="application/json")
    steps = f"- {{id: x, http: {{url: '{url}'}}, failed_when: result.output.json.state != 'draining'}}\n"
    assert (await do(tmp_path, steps)).result(host=HOST).status is Status.OK


async def test_no_log_has_what_is_sent(
    tmp_path: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Who turns every log on sees neither the URL's secret nor a header's, of requests and of answers."""
    caplog.set_level(logging.DEBUG)
    server.answers["/?key=hunter22"] = lambda _: (200, {"set-cookie": "hunter22"}, b"")
    await http(tmp_path, server.url("/?key=hunter22"), headers={"X-Token": "hunter22"})
    assert len(server.asked) == 1
    assert "hunter22" not in caplog.text

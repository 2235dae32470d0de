"""Envelopes over HTTP: logins by password, connections that are kept, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from runner.errors import ConnectionLost, Unreachable
from runner.lab.http_server import HttpRequest, HttpResponse, HttpServer
from runner.lab.winrm_acceptor import Envelope, Logins
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.port import Answer, Redirected
from runner.wsman.wire import HttpWire
from tests.support.winrm_server import free_port, listening

PASSWORD = "Grüße-7!"
OPS = Login(username="ops", password=Secret(PASSWORD))
BASIC = Logins(mechanisms=frozenset({"basic"}), passwords={"ops": PASSWORD}, unencrypted=True)
BARE = SessionOptions(no_encryption=True)
WAIT = 60.0


@asynccontextmanager
async def wire_to(endpoint: Endpoint, login: Login | None = OPS) -> AsyncIterator[HttpWire]:
    wire = HttpWire(endpoint, login)
    try:
        yield wire
    finally:
        await wire.close()


@pytest.fixture
def ntlm_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    """A user whom the acceptor's NTLM knows."""
    users = tmp_path / "users"
    users.write_text(f"CORP:ops:{PASSWORD}\n:ops:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    return Login(username="CORP\\ops", password=Secret(PASSWORD))


async def test_an_envelope_goes_out_and_its_answer_comes_back() -> None:
    """Basic over http, allowed by `no_encryption`, carries the envelope as it is."""
    async with (
        listening(BASIC) as listener,
        wire_to(listener.endpoint(options=BARE)) as wire,
    ):
        answer = await wire.post("<ä/>".encode(), timeout=WAIT)

    assert answer == Answer(200, "<ä/>".encode(), "application/soap+xml")
    assert [envelope.user for envelope in listener.envelopes] == ["ops"]


async def test_negotiate_over_http_seals_every_body(ntlm_user: Login) -> None:
    """NTLM inside Negotiate logs in once for a connection and no envelope goes over it in clear."""
    logins = Logins(mechanisms=frozenset({"negotiate"}))
    async with (
        listening(logins) as listener,
        wire_to(listener.endpoint(Authentication.DEFAULT), ntlm_user) as wire,
    ):
        for number in range(3):
            body = f"<envelope>{number}</envelope>".encode()
            assert (await wire.post(body, timeout=WAIT)).body == body

    assert [envelope.sealed for envelope in listener.envelopes] == [True] * 3
    assert listener.connections == 1
    assert all(b"<envelope>" not in request.body for request in listener.requests)


async def test_a_wrong_password_is_refused_once_and_never_sent_again(ntlm_user: Login) -> None:
    """Accounts are locked after some wrong tries, so one wire makes one, however many requests wait."""
    logins = Logins(mechanisms=frozenset({"negotiate", "basic"}))
    wrong = Login(username="CORP\\ops", password=Secret("wrong-Wort"))
    async with (
        listening(logins) as listener,
        wire_to(listener.endpoint(Authentication.NEGOTIATE), wrong) as wire,
    ):
        tries = [wire.post(b"<a/>", timeout=WAIT) for _ in range(5)]
        errors = await asyncio.gather(*tries, return_exceptions=True)
        requests = len(listener.requests)
        with pytest.raises(Unreachable) as again:
            await wire.post(b"<a/>", timeout=WAIT)

    assert {error.code for error in errors if isinstance(error, Unreachable)} == {"login-refused"}
    assert len(errors) == 5
    assert requests == 2
    assert len(listener.requests) == requests
    assert "it offers Negotiate, Basic" in again.value.message
    assert "wrong-Wort" not in again.value.message


async def test_a_wrong_basic_password_is_sent_once() -> None:
    """Basic proves itself by an empty request before any envelope, so many at once do not lock the account."""
    wrong = Login(username="ops", password=Secret("wrong-Wort"))
    async with listening(BASIC) as listener, wire_to(listener.endpoint(options=BARE), wrong) as wire:
        tries = [wire.post(b"<a/>", timeout=WAIT) for _ in range(5)]
        errors = await asyncio.gather(*tries, return_exceptions=True)

    assert [getattr(error, "code", None) for error in errors] == ["login-refused"] * 5
    assert len(listener.requests) == 1


async def test_basic_over_http_never_shows_the_password() -> None:
    """Without `no_encryption` nothing is sent at all."""
    async with listening(BASIC) as listener, wire_to(listener.endpoint()) as wire:
        with pytest.raises(Unreachable) as refusal:
            await wire.post(b"<a/>", timeout=WAIT)

    assert refusal.value.code == "basic-unencrypted"
    assert listener.connections == 0


async def test_ntlm_over_http_goes_to_trusted_hosts_only(ntlm_user: Login) -> None:
    """A host that cannot prove its name gets no proof of the password."""
    logins = Logins(mechanisms=frozenset({"negotiate"}))
    async with listening(logins) as listener:
        endpoint = listener.endpoint(Authentication.NEGOTIATE, trusted=("*.example.com",))
        async with wire_to(endpoint, ntlm_user) as wire:
            with pytest.raises(Unreachable) as refusal:
                await wire.post(b"<a/>", timeout=WAIT)
        async with wire_to(listener.endpoint(Authentication.NEGOTIATE, trusted=("WEB*",)), ntlm_user) as wire:
            assert (await wire.post(b"<a/>", timeout=WAIT)).status == 200

    assert refusal.value.code == "ntlm-untrusted-host"


async def test_a_mechanism_that_is_not_offered_is_told_with_those_that_are(ntlm_user: Login) -> None:
    """The author learns what to write instead."""
    logins = Logins(mechanisms=frozenset({"basic", "credssp"}))
    async with (
        listening(logins) as listener,
        wire_to(listener.endpoint(Authentication.NEGOTIATE), ntlm_user) as wire,
    ):
        with pytest.raises(Unreachable) as refusal:
            await wire.post(b"<a/>", timeout=WAIT)

    assert refusal.value.code == "login-not-offered"
    assert "it offers Basic, CredSSP" in refusal.value.message


async def test_credssp_seals_long_envelopes_in_parts_and_delegates_the_password(ntlm_user: Login) -> None:
    """The host gets the credential for its second hop, and 100 KiB go both ways in parts of 16."""
    logins = Logins(mechanisms=frozenset({"credssp"}))
    body = b"<a>" + bytes(range(32, 127)) * 1100 + b"</a>"
    async with (
        listening(logins) as listener,
        wire_to(listener.endpoint(Authentication.CREDSSP), ntlm_user) as wire,
    ):
        assert (await wire.post(body, timeout=WAIT)).body == body

    assert listener.requests[-1].headers["content-type"].startswith("multipart/x-multi-encrypted")
    assert getattr(listener.acceptors[0].delegated, "password", None) == PASSWORD
    assert listener.envelopes[0].sealed


async def test_requests_at_once_have_a_connection_each_and_leave_them_for_the_next() -> None:
    """A long poll holds its connection; what ends gives it back."""
    async with listening(BASIC) as listener, wire_to(listener.endpoint(options=BARE)) as wire:
        await wire.post(b"<a/>", timeout=WAIT)
        await asyncio.gather(*(wire.post(b"<a/>", timeout=WAIT) for _ in range(3)))
        opened = listener.connections
        for _ in range(5):
            await wire.post(b"<a/>", timeout=WAIT)

    assert opened == listener.connections == 3


async def test_further_connections_log_in_by_ntlm_as_the_first_did(ntlm_user: Login) -> None:
    """Each with a challenge and a key of its own, though the login is made from the one before."""
    logins = Logins(mechanisms=frozenset({"negotiate"}))
    async with (
        listening(logins) as listener,
        wire_to(listener.endpoint(Authentication.NEGOTIATE), ntlm_user) as wire,
    ):
        await wire.post(b"<first/>", timeout=WAIT)
        bodies = [f"<envelope>{number}</envelope>".encode() for number in range(3)]
        for _ in range(2):
            answers = await asyncio.gather(*(wire.post(body, timeout=WAIT) for body in bodies))
            assert [answer.body for answer in answers] == bodies

    assert listener.connections == 3
    assert {(envelope.user, envelope.sealed) for envelope in listener.envelopes} == {("CORP\\ops", True)}


async def test_a_connection_that_the_server_closed_while_idle_is_replaced() -> None:
    """It is found closed before anything is sent, so the next request goes over a new one."""
    closing = Answer(200, b"<a/>", "application/soap+xml")

    def respond(envelope: Envelope) -> HttpResponse:
        return HttpResponse(200, closing.body, (("Content-Type", closing.content_type),), keep=False)

    async with listening(BASIC, respond) as listener, wire_to(listener.endpoint(options=BARE)) as wire:
        for _ in range(3):
            assert (await wire.post(b"<a/>", timeout=WAIT)).status == 200

    assert listener.connections == 3
    assert len(listener.envelopes) == 3


@pytest.mark.parametrize("cut", [0, 2])
async def test_a_connection_that_breaks_under_a_request_is_lost(cut: int) -> None:
    """What was sent may have run, and it is sent once."""

    def respond(envelope: Envelope) -> HttpResponse:
        return HttpResponse(200, b"<answer/>", cut_after=cut)

    async with listening(BASIC, respond) as listener, wire_to(listener.endpoint(options=BARE)) as wire:
        with pytest.raises(ConnectionLost) as loss:
            await wire.post(b"<a/>", timeout=WAIT)

    assert loss.value.code == "connection-lost"
    assert "closed the connection in the middle of its answer" in loss.value.message
    assert loss.value.may_have_run
    assert len(listener.envelopes) == 1


async def test_an_answer_that_does_not_come_is_told_with_the_time() -> None:
    """The request may have run; its connection is not used again."""
    async with listening(BASIC) as listener:
        never = asyncio.Event()

        async with wire_to(listener.endpoint(options=BARE)) as wire:
            await wire.post(b"<a/>", timeout=WAIT)

            async def hang(envelope: Envelope) -> Answer:
                await never.wait()
                return Answer(200, b"")

            listener.acceptors[0]._respond = hang
            with pytest.raises(ConnectionLost) as loss:
                await wire.post(b"<a/>", timeout=0.05)
            assert (await wire.post(b"<b/>", timeout=WAIT)).body == b"<b/>"

    assert loss.value.code == "answer-timeout"
    assert loss.value.may_have_run
    assert "within 0.05 s" in loss.value.message


@pytest.mark.parametrize("status", [404, 413, 500, 503])
async def test_other_statuses_are_answers(status: int) -> None:
    """What they mean is not the wire's to say."""

    def respond(envelope: Envelope) -> HttpResponse:
        return HttpResponse(status, b"<html>no</html>", (("Content-Type", "text/html"),))

    async with listening(BASIC, respond) as listener, wire_to(listener.endpoint(options=BARE)) as wire:
        answer = await wire.post(b"<a/>", timeout=WAIT)

    assert answer == Answer(status, b"<html>no</html>", "text/html")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_is_raised_with_the_whole_address(status: int) -> None:
    """Also where the server names only a path."""

    def respond(envelope: Envelope) -> HttpResponse:
        return HttpResponse(status, headers=(("Location", "/elsewhere"),))

    async with listening(BASIC, respond) as listener, wire_to(listener.endpoint(options=BARE)) as wire:
        with pytest.raises(Redirected) as redirected:
            await wire.post(b"<a/>", timeout=WAIT)
        where = listener.url.partition("/wsman")[0] + "/elsewhere"
        assert redirected.value.location == where

        wire.redirect(where)
        assert wire.url == where
        with pytest.raises(Redirected):
            await wire.post(b"<a/>", timeout=WAIT)

    assert listener.requests[-1].target == "/elsewhere"


async def test_303_is_no_redirection() -> None:
    """It would turn the envelope into a GET (RFC 9110 15.4.4)."""

    def respond(envelope: Envelope) -> HttpResponse:
        return HttpResponse(303, headers=(("Location", "/elsewhere"),))

    async with listening(BASIC, respond) as listener, wire_to(listener.endpoint(options=BARE)) as wire:
        assert (await wire.post(b"<a/>", timeout=WAIT)).status == 303


async def test_bare_answers_to_sealed_requests_are_not_believed(ntlm_user: Login) -> None:
    """Who cannot seal is not whom we logged in to."""

    def respond(envelope: Envelope) -> HttpResponse:
        return HttpResponse(200, b"<a/>", (("Content-Type", "application/soap+xml;charset=UTF-8"),))

    logins = Logins(mechanisms=frozenset({"negotiate"}))
    async with (
        listening(logins, respond) as listener,
        wire_to(listener.endpoint(Authentication.NEGOTIATE), ntlm_user) as wire,
    ):
        with pytest.raises(ConnectionLost) as loss:
            await wire.post(b"<a/>", timeout=WAIT)

    assert loss.value.code == "answer-not-sealed"


async def test_nothing_listens_on_the_port() -> None:
    """The message names port and listener, and nothing was run."""
    url = f"http://127.0.0.1:{await free_port()}/wsman"
    async with listening(BASIC) as listener:
        endpoint = listener.endpoint(options=BARE, url=url)
    async with wire_to(endpoint) as wire:
        with pytest.raises(Unreachable) as refusal:
            await wire.post(b"<a/>", timeout=WAIT)

    assert refusal.value.code == "connection-refused"
    assert not refusal.value.may_have_run


async def test_a_server_that_never_answers_the_login_ends_in_time() -> None:
    """`connect_timeout` covers the login, and the message says how far it came."""

    class Silent:
        async def answer(self, request: HttpRequest) -> HttpResponse:
            await asyncio.Event().wait()
            return HttpResponse(200)

    server = HttpServer(lambda _peer: Silent())
    url = f"http://127.0.0.1:{await server.start()}/wsman"
    async with listening(BASIC) as listener:
        endpoint = listener.endpoint(options=BARE, url=url, timeout=0.1)
    async with wire_to(endpoint) as wire:
        with pytest.raises(Unreachable) as late:
            await wire.post(b"<a/>", timeout=WAIT)
    await server.close()

    assert late.value.code == "connect-timeout"
    assert "the login was not answered" in late.value.message


async def test_what_speaks_no_http_is_told() -> None:
    """An sshd's banner on the port is no WinRM."""

    def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n" * 3)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/wsman"
    async with listening(BASIC) as listener:
        endpoint = listener.endpoint(options=BARE, url=url)
    async with server, wire_to(endpoint) as wire:
        with pytest.raises(Unreachable) as refusal:
            await wire.post(b"<a/>", timeout=WAIT)

    assert refusal.value.code == "winrm-dropped"


async def test_a_banner_after_the_request_is_told_at_once() -> None:
    """What begins as no answer can is not waited on until the time is over, though the peer keeps the connection."""

    hung_up = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"220 ready\r\n")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        hung_up.set()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/wsman"
    async with listening(BASIC) as listener:
        endpoint = listener.endpoint(options=BARE, url=url)
    async with server, wire_to(endpoint) as wire:
        with pytest.raises(Unreachable) as refusal:
            await wire.post(b"<a/>", timeout=WAIT)
        await hung_up.wait()

    assert refusal.value.code == "winrm-dropped"


async def test_closing_ends_what_waits_and_is_final() -> None:
    """A poll that waits for an answer ends, and a closed wire sends no more."""
    async with listening(BASIC) as listener:
        came = asyncio.Event()

        wire = HttpWire(listener.endpoint(options=BARE), OPS)
        await wire.post(b"<a/>", timeout=WAIT)

        async def hang(envelope: Envelope) -> Answer:
            came.set()
            await asyncio.Event().wait()
            return Answer(200, b"")

        listener.acceptors[0]._respond = hang
        poll = asyncio.create_task(wire.post(b"<a/>", timeout=WAIT))
        await came.wait()
        await wire.close()
        await wire.close()
        with pytest.raises(ConnectionLost) as ended:
            await poll
        with pytest.raises(ConnectionLost) as after:
            await wire.post(b"<a/>", timeout=WAIT)

    assert ended.value.code == after.value.code == "connection-closed"


async def test_use_utf16_sends_utf16_and_reads_it_back() -> None:
    """The charset is said in the header, and the caller sees UTF-8 either way."""

    def respond(envelope: Envelope) -> Answer:
        return Answer(200, envelope.body, envelope.request.headers["content-type"])

    options = SessionOptions(no_encryption=True, use_utf16=True)
    async with listening(BASIC, respond) as listener, wire_to(listener.endpoint(options=options)) as wire:
        answer = await wire.post('<?xml version="1.0" encoding="utf-8"?><ä/>'.encode(), timeout=WAIT)

    assert listener.envelopes[0].body.decode("utf-16") == "<ä/>"
    assert answer.body == "<ä/>".encode()


@pytest.mark.parametrize("forgets", ["once", "always"])
async def test_a_login_that_the_server_forgot_is_made_once_more(ntlm_user: Login, forgets: str) -> None:
    """Its 401 says that it did not look at the envelope; a server that goes on forgetting is not asked for ever."""
    logins = Logins(mechanisms=frozenset({"negotiate"}))
    async with (
        listening(logins) as listener,
        wire_to(listener.endpoint(Authentication.NEGOTIATE), ntlm_user) as wire,
    ):
        await wire.post(b"<a/>", timeout=WAIT)
        listener.acceptors[0]._user = None
        if forgets == "once":
            assert (await wire.post(b"<b/>", timeout=WAIT)).body == b"<b/>"
            assert [envelope.body for envelope in listener.envelopes] == [b"<a/>", b"<b/>"]
        else:
            listener.refuse_envelopes = True
            with pytest.raises(Unreachable) as refusal:
                await wire.post(b"<b/>", timeout=WAIT)
            assert refusal.value.code == "login-refused"
        assert listener.connections == 2


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_server_that_closes_after_an_empty_request_is_dialled_again(status: int) -> None:
    """It did not refuse the user, so the envelope goes out over another connection, once."""
    bodies: list[bytes] = []

    class Curt:
        async def answer(self, request: HttpRequest) -> HttpResponse:
            if not request.body:
                return HttpResponse(status, keep=False)
            bodies.append(request.body)
            return HttpResponse(200, request.body)

    server = HttpServer(lambda _peer: Curt())
    url = f"http://127.0.0.1:{await server.start()}/wsman"
    async with listening(BASIC) as listener, wire_to(listener.endpoint(options=BARE, url=url)) as wire:
        assert (await wire.post(b"<a/>", timeout=WAIT)).body == b"<a/>"
    await server.close()

    assert bodies == [b"<a/>"]
    assert server.connections == 2

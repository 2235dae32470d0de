"""The lab's front end by itself: HTTP, logins, certificates, and everything that it does wrong on demand."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from runner.lab.certificates import Flaw
from runner.lab.engines import in_process_engine
from runner.lab.troubles import Kind, Trouble
from runner.lab.wsman_settings import Manners, Quotas
from runner.lab.wsman_soap import NAMESPACES
from tests.support.winrm_lab import WinrmHost, child, front_end, recordings

_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_IDENTIFY = (
    f'<s:Envelope xmlns:s="{NAMESPACES["s"]}" xmlns:i="{NAMESPACES["wsmid"]}"><s:Header/>'
    "<s:Body><i:Identify/></s:Body></s:Envelope>"
).encode()


async def post(
    host: WinrmHost, body: bytes = _IDENTIFY, path: str = "/wsman", **settings: Any
) -> requests.Response:
    """Post to a host, logged in unless told otherwise."""

    def send() -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            given = {"auth": (host.user, host.password), "allow_redirects": False, "timeout": 30, **settings}
            return session.post(host.url.removesuffix("/wsman") + path, data=body, **given)

    return await asyncio.to_thread(send)


async def in_pool(host: WinrmHost, use: Callable[[RunspacePool], Any], *, read_timeout: float = 10) -> Any:
    """Use a pool of pypsrp's client in a thread."""

    def run() -> Any:
        wsman = WSMan(
            "127.0.0.1",
            port=host.port,
            ssl=False,
            auth="basic",
            encryption="never",
            username=host.user,
            password=host.password,
            no_proxy=True,
            read_timeout=read_timeout,  # type: ignore[arg-type] # whole seconds are no need
        )
        with wsman, RunspacePool(wsman) as pool:
            return use(pool)

    return await asyncio.to_thread(run)


def numbers(pool: RunspacePool) -> list[Any]:
    """Run what every engine can."""
    shell = PowerShell(pool)
    shell.add_script("1..3")
    return list(shell.invoke())


def asked_until_it_fails(pool: RunspacePool) -> None:
    """Ask for the shell's state again and again."""
    while True:
        pool.connection.get_server_config()


async def test_who_is_there_is_told() -> None:
    """Identify names the product, with a login and at its own address without one."""
    async with front_end() as host:
        for path, login in (("/wsman", (host.user, host.password)), ("/wsman-anon/identify", None)):
            answer = await post(host, path=path, auth=login)
            assert answer.status_code == 200
            assert "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>" in answer.text


async def test_a_stranger_is_told_how_to_log_in() -> None:
    """401 with a header for each scheme; a server with the manners of OMI says nothing."""
    async with front_end() as host:
        answer = await post(host, auth=None)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (
            401,
            'Negotiate, Basic realm="WSMAN"',
        )
    async with front_end(manners=Manners.OMI) as host:
        answer = await post(host, auth=None)
        assert answer.status_code == 401
        assert "WWW-Authenticate" not in answer.headers


async def test_plain_text_is_refused_where_it_is_not_allowed() -> None:
    """A bare envelope over http is an error where AllowUnencrypted is false."""
    async with front_end(unencrypted=False) as host:
        assert (await post(host)).status_code == 500


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/elsewhere", _IDENTIFY, 404), ("/wsman", b"no XML", 400), ("/wsman", b"<!DOCTYPE a><a/>", 400)],
)
async def test_what_is_no_request_is_refused(path: str, body: bytes, status: int) -> None:
    """An unknown application, something that is no XML, and a document type."""
    async with front_end() as host:
        assert (await post(host, body, path)).status_code == status


async def test_another_application_name_is_answered() -> None:
    """As Exchange has one."""
    async with front_end(application_names=("PowerShell", "wsman")) as host:
        assert (await post(host, path="")).status_code == 200


async def test_what_is_no_http_is_refused() -> None:
    """400, and the connection is closed."""
    async with front_end() as host:
        reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()
        await writer.wait_closed()


async def test_a_body_may_come_in_chunks() -> None:
    """What has no length is read to its end."""
    async with front_end() as host:
        answer = await post(host, iter([_IDENTIFY[:40], _IDENTIFY[40:]]))  # type: ignore[arg-type] # sends chunks
        assert answer.status_code == 200


async def test_a_client_that_goes_away_takes_no_output_along() -> None:
    """A poll whose connection has gone is over, so that its successor gets what comes."""

    def twice(pool: RunspacePool) -> list[Any]:
        host.troubles.add(Trouble(kind=Kind.DISCONNECT, on="Receive"))
        shell = PowerShell(pool)
        shell.add_script("1..3")
        shell.begin_invoke()
        with pytest.raises(requests.ConnectionError):
            shell.poll_invoke()
        shell.end_invoke()
        return list(shell.output)

    async with front_end() as host:
        assert await in_pool(host, twice) == [1, 2, 3]


async def test_an_answer_is_kept_for_the_message_that_it_answers() -> None:
    """Who asks again with the same id gets it again; who asks anew after the last one is told that there is no more."""

    def again(pool: RunspacePool) -> tuple[list[bytes], int]:
        seal, kept = pool.connection._create_header, list[Any]()

        def same(*given: Any, **named: Any) -> Any:
            kept.append(seal(*given, **named)) if not kept else None
            return kept[0]

        shell = PowerShell(pool)
        shell.add_script("1..3")
        shell.begin_invoke()
        pool.connection._create_header = same  # type: ignore[method-assign] # the id is in the header
        answers = [pool.shell.receive("stdout", shell.id)[2]["stdout"] for _ in range(2)]
        pool.connection._create_header = seal  # type: ignore[method-assign]
        with pytest.raises(WSManFaultError) as refused:
            pool.shell.receive("stdout", shell.id)
        return answers, refused.value.code

    async with front_end() as host:
        (first, second), code = await in_pool(host, again)
        assert first
        assert first == second
        assert code == 0x8033805B


async def test_what_a_client_has_begun_is_done_without_it() -> None:
    """A shell whose client goes away while its engine starts is there all the same."""
    may_start, starting = asyncio.Event(), asyncio.Event()
    engine = in_process_engine(recordings())

    class Slow:
        """An engine that starts when it may."""

        def __init__(self) -> None:
            self._carrier = engine()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._carrier, name)

        async def open(self, *opening: Any) -> None:
            starting.set()
            await may_start.wait()
            await self._carrier.open(*opening)

    async with front_end(engine=Slow) as host:
        leaving = asyncio.create_task(in_pool(host, numbers, read_timeout=0.2))
        await starting.wait()
        with pytest.raises(requests.ReadTimeout):
            await leaving
        may_start.set()
        async with asyncio.timeout(30):
            while not host.counters.shells_opened:
                await asyncio.sleep(0.01)
        assert host.shells == 1


@pytest.mark.parametrize("kind", [Kind.DISCONNECT, Kind.CUT, Kind.OUTAGE])
async def test_a_connection_breaks_on_demand(kind: Kind) -> None:
    """Before the answer, or in the midst of it; the next request is answered again."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=kind))
        with pytest.raises(requests.RequestException):
            await post(host)
        host.front.network(up=True)
        assert (await post(host)).status_code == 200
        assert [trouble.kind for trouble in host.troubles.met] == [kind]


async def test_a_host_is_off_the_network_for_a_while() -> None:
    """Its shells go on."""

    def through_outage(pool: RunspacePool) -> list[Any]:
        loop.call_soon_threadsafe(lambda: host.front.network(up=False))
        shell = PowerShell(pool)
        shell.add_script("1..3")
        with pytest.raises(requests.ConnectionError):
            asked_until_it_fails(pool)
        loop.call_soon_threadsafe(lambda: host.front.network(up=True))
        while True:
            try:
                pool.connection.get_server_config()
                break
            except requests.ConnectionError:
                continue
        return list(shell.invoke())

    async with front_end() as host:
        loop = asyncio.get_running_loop()
        assert await in_pool(host, through_outage) == [1, 2, 3]


async def test_an_answer_never_comes() -> None:
    """The client's own patience ends it."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=Kind.DROP))
        with pytest.raises(requests.Timeout):
            await post(host, timeout=0.2)


async def test_an_answer_comes_late() -> None:
    """But it comes."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=Kind.DELAY, seconds=0.05))
        assert (await post(host)).status_code == 200


async def test_a_redirection_leads_through_hops() -> None:
    """As many as asked for, each with its number; then the request is answered."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=Kind.REDIRECT, times=2, location=host.url + "?hop={n}"))
        answers = [await post(host) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [302, 302, 200]
        assert [answer.headers.get("Location") for answer in answers] == [
            f"{host.url}?hop=1",
            f"{host.url}?hop=2",
            None,
        ]


async def test_a_login_is_never_good_enough() -> None:
    """401 for ever, whatever the client says."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=Kind.UNAUTHORIZED, times=None))
        assert [(await post(host)).status_code for _ in range(3)] == [401, 401, 401]


async def test_an_error_comes_without_soap() -> None:
    """500 with a page for people."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=Kind.SERVER_ERROR, on="Identify"))
        answer = await post(host)
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html")


async def test_a_fault_of_any_number_comes() -> None:
    """The number stands in the WSManFault."""
    async with front_end() as host:
        host.troubles.add(Trouble(kind=Kind.FAULT, on="Create", code=2150859173))
        with pytest.raises(WSManFaultError) as told:
            await in_pool(host, numbers)
        assert told.value.code == 2150859173


@pytest.mark.parametrize("kind", [Kind.TRUNCATED_FRAGMENT, Kind.FOREIGN_FRAGMENT])
async def test_fragments_are_spoilt(kind: Kind) -> None:
    """A client that checks them does not take them for output."""

    def spoilt(pool: RunspacePool) -> None:
        host.troubles.add(Trouble(kind=kind, on="Receive"))
        assert numbers(pool) != [1, 2, 3]

    async with front_end() as host:
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever this client makes of it
            await asyncio.wait_for(in_pool(host, spoilt), 60)
        assert [trouble.kind for trouble in host.troubles.met] == [kind]


async def test_an_engine_dies_in_a_pipeline() -> None:
    """The poll is told that the shell is gone, and so is whoever comes later."""

    def dying(pool: RunspacePool) -> None:
        shell = PowerShell(pool)
        shell.add_script("while ($true) { }")
        shell.begin_invoke()
        host.troubles.add(Trouble(kind=Kind.KILL, on="Receive"))
        with pytest.raises(WSManFaultError) as told:
            shell.end_invoke()
        assert told.value.code == 2150858843
        assert not pool.is_alive()

    async with front_end() as host:
        await in_pool(host, dying)
        assert host.shells == 0


async def test_the_manners_of_omi() -> None:
    """An idle poll is answered empty, the state stays Running to the end, and faults have no number."""
    async with front_end(manners=Manners.OMI) as host:
        host.troubles.add(Trouble(kind=Kind.FAULT, on="Get", code=5))

        def use(pool: RunspacePool) -> tuple[Any, bool]:
            with pytest.raises(WSManFaultError) as told:
                pool.connection.get_server_config()
            shell = PowerShell(pool)
            shell.add_script("while ($true) { }")
            shell.begin_invoke()
            shell.poll_invoke(timeout=1)
            return told.value.code, shell.output == []

        assert await in_pool(host, use) == ("w:InternalError", True)


async def test_an_idle_shell_ends() -> None:
    """Where nobody has used it for its idle timeout, its engine is ended."""

    def forget(pool: RunspacePool) -> None:
        while host.shells:
            ended.wait(0.01)

    ended = threading.Event()
    async with front_end(quotas=Quotas(idle_timeout=0.0)) as host:
        with pytest.raises(WSManFaultError) as told:  # of the Delete that comes too late
            await in_pool(host, forget)
        assert told.value.code == 2150858843
        assert host.counters.shells_opened == 1


async def test_tls_with_the_authority_of_the_lab() -> None:
    """A client that trusts it gets through, one that does not stays out."""
    async with front_end(tls=Flaw.NONE) as host:
        assert (await post(host, verify=str(host.ca_file))).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            await post(host)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (Flaw.EXPIRED, "certificate has expired"),
        (Flaw.WRONG_NAME, "certificate is not valid for '127.0.0.1'"),
        (Flaw.WRONG_CA, "unable to get local issuer certificate|self-signed certificate"),
        (Flaw.REVOKED, "certificate revoked"),
    ],
)
async def test_flawed_certificates_are_just_that(flaw: Flaw, reason: str) -> None:
    """Each flaw is the one that a strict client complains about, and no other."""
    async with front_end(tls=flaw) as host:
        context = ssl.create_default_context(cafile=str(host.ca_file))
        context.load_verify_locations(host.crl_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF

        def connect() -> None:
            connection = http.client.HTTPSConnection("127.0.0.1", host.port, context=context, timeout=30)
            try:
                connection.connect()
            finally:
                connection.close()

        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            await asyncio.to_thread(connect)


async def test_a_client_certificate_stands_for_a_user() -> None:
    """Without a password, and only the one that is mapped."""
    async with front_end(tls=Flaw.NONE) as host:
        headers = {"Authorization": _MUTUAL}
        given: dict[str, Any] = {"auth": None, "headers": headers, "verify": str(host.ca_file)}
        certificate, key = host.client_certificate
        assert (await post(host, cert=(str(certificate), str(key)), **given)).status_code == 200
        assert host.counters.logins == {_MUTUAL: 1}
        assert (await post(host, **given)).status_code == 401


@pytest.mark.pwsh
async def test_no_child_is_left_behind(tmp_path: Path) -> None:
    """Neither of a client that closes its pool, nor of one that is cut off."""
    marked = tmp_path / "home"
    marked.mkdir()
    async with front_end(engine=child(marked)) as host:
        assert await in_pool(host, numbers) == [1, 2, 3]
        assert children(marked) == []
        opened: list[RunspacePool] = []

        def leave(pool: RunspacePool) -> None:
            opened.append(pool)
            assert len(children(marked)) == 1
            host.troubles.add(Trouble(kind=Kind.SERVER_ERROR, on="Delete"))

        with pytest.raises(WinRMTransportError):
            await in_pool(host, leave)
        assert host.shells == 1
    assert children(marked) == []


def children(home: Path) -> list[int]:
    """Processes whose home is this directory."""
    wanted = f"HOME={home}".encode()
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found

"""What a doctor looks at, piece by piece: odd listeners, clocks, versions, tickets, and what mends them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from runner.cli.doctor_controller import look_at_kerberos
from runner.cli.doctor_finding import Finding
from runner.cli.doctor_listener import answers_elsewhere, look, skew_of
from runner.cli.doctor_mending import _OVER_SSH, _OVER_WINRM, CLOCKS, mend
from runner.cli.doctor_posix import _rows
from runner.cli.doctor_powershell import clock_finding, look_at_powershell, version_findings
from runner.codes import code_pages
from runner.errors import Unreachable
from runner.lab.certificates import Flaw
from runner.lab.troubles import Kind, Trouble
from runner.lab.wsman_settings import Quotas
from runner.plan.model import Placement
from runner.transport.endpoint import Authentication, Endpoint, ProxySettings, SessionOptions, WinrmSettings
from runner.transport.port import Login
from runner.transport.winrm_uris import resource_uri
from runner.using.model import Shell
from runner.values import Secret
from runner.wsman.http_answer import Response
from runner.wsman.transport import WinrmTransport
from tests.support import kdc
from tests.support.winrm_lab import WinrmHost, front_end
from tests.support.winrm_server import free_port

PASSWORD = "S3cret pass: word"


def placement(host: WinrmHost, *, authentication: str = "basic", url: str = "") -> Placement:
    """How a test's host is reached; Basic, so that no other file of users is needed."""
    endpoint = Endpoint(
        host="web01",
        transport="winrm",
        address="127.0.0.1",
        port=host.port,
        session_options=SessionOptions(no_encryption=True, open_timeout=30.0),
        winrm=WinrmSettings(
            url=url or host.url,
            resource_uri=resource_uri(None),
            authentication=Authentication(authentication),
            trusted_hosts=("*",),
        ),
    )
    return Placement(host="web01", endpoint=endpoint, shell=Shell.POWERSHELL)


async def looked_at(place: Placement, host: WinrmHost) -> dict[str, Finding]:
    """Findings by check."""
    login = Login(username=host.user, password=Secret(host.password))
    found = await look_at_powershell(place, WinrmTransport(), login)
    return {finding.check: finding for finding in found}


def missing(found: dict[str, Finding]) -> list[str]:
    """The checks that something is missing of."""
    return [check for check, finding in found.items() if not finding.ok]


async def test_a_way_of_logging_in_that_is_off() -> None:
    """What is offered instead is told, and the setting that turns the wanted one on."""
    async with front_end(mechanisms=frozenset({"negotiate"})) as host:
        found = await looked_at(placement(host), host)
    assert missing(found) == ["authentication"]
    assert "offers Negotiate" in found["authentication"].seen
    assert found["authentication"].mend is not None
    assert found["authentication"].mend.lines == ("Set-Item WSMan:\\localhost\\Service\\Auth\\Basic $true",)


async def test_basic_over_http_is_not_even_tried() -> None:
    """The inventory is what must change: https."""
    async with front_end() as host:
        bare = placement(host)
        bare = replace(bare, endpoint=replace(bare.endpoint, session_options=SessionOptions()))
        found = await looked_at(bare, host)
        assert host.shells == 0
    assert missing(found) == ["authentication"]
    assert found["authentication"].mend is not None
    assert (found["authentication"].mend.where, found["authentication"].mend.lines) == (
        "inventory",
        ("connection: {use_ssl: true}",),
    )


async def test_another_path() -> None:
    """A web server that has no WinRM at the path is told as a listener's matter."""
    async with front_end() as host:
        found = await looked_at(placement(host, url=host.url.replace("/wsman", "/nothing")), host)
    assert missing(found) == ["listener"]
    assert found["listener"].unreachable


async def test_http_spoken_to_https() -> None:
    """The host hangs up: its listeners are to be compared with `use_ssl`."""
    async with front_end(tls=Flaw.NONE) as host:
        found = await looked_at(placement(host, url=host.url.replace("https:", "http:")), host)
    assert missing(found) == ["listener"]
    assert "`use_ssl:`" in found["listener"].hint


async def test_a_quota() -> None:
    """What the host says is told as the session's matter, with its own hint."""
    async with front_end(quotas=Quotas(max_shells_per_user=0)) as host:
        found = await looked_at(placement(host), host)
    assert missing(found) == ["session"]
    assert "MaxShellsPerUser" in found["session"].hint


async def test_a_proxy_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not connect to the port is named, with what goes around it."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with server, front_end() as host:
        through = placement(host)
        options = replace(through.endpoint.session_options, proxy=ProxySettings(access="autodetect"))
        found = await looked_at(
            replace(through, endpoint=replace(through.endpoint, session_options=options)), host
        )
    assert missing(found) == ["proxy"]
    assert f"127.0.0.1:{port}" in found["proxy"].seen
    assert found["proxy"].mend is not None
    assert found["proxy"].mend.lines == ("export NO_PROXY=127.0.0.1",)


async def test_a_session_is_closed_again() -> None:
    """A visit leaves no shell behind, whether it went well or not."""
    async with front_end() as host:
        assert missing(await looked_at(placement(host), host)) == []
        host.troubles.add(Trouble(kind=Kind.KILL, on="Receive"))
        assert missing(await looked_at(placement(host), host)) != []
        assert host.counters.shells_opened == 2
        assert host.shells == 0


async def test_a_look_sends_nothing_of_the_user() -> None:
    """One request without a login finds out certificate, clock and offers."""
    async with front_end(tls=Flaw.EXPIRED) as host:
        seen = await look(placement(host).endpoint)
    assert seen.certificate is not None
    assert seen.certificate.expired()
    assert seen.offered == ("Negotiate", "Basic")
    assert seen.skew is not None
    assert host.requests == []


async def test_a_port_where_nothing_listens() -> None:
    """It is refused, and the recipe adds a listener of the kind that is wanted."""
    port = await free_port()
    for scheme, recipe in (("http", "winrm quickconfig"), ("https", "New-Item -Path WSMan:")):
        url = f"{scheme}://127.0.0.1:{port}/wsman"
        endpoint = Endpoint(
            host="web01",
            transport="winrm",
            address="127.0.0.1",
            port=port,
            winrm=WinrmSettings(url=url, resource_uri=resource_uri(None)),
        )
        with pytest.raises(Unreachable) as caught:
            await look(endpoint)
        cure = mend(caught.value.code, endpoint)
        assert cure is not None
        assert any(recipe in line for line in cure.lines)


async def test_the_other_port_is_knocked_at() -> None:
    """Where WinRM listens on its other port, that is found out; where it does not, nothing is said."""
    async with front_end() as host:
        closed = await free_port()
        endpoint = Endpoint(host="web01", transport="winrm", address="127.0.0.1", port=closed)
        assert await answers_elsewhere(endpoint, {closed: host.port}) == host.port
    assert await answers_elsewhere(endpoint, {closed: await free_port()}) is None
    assert await answers_elsewhere(endpoint) is None


@pytest.mark.parametrize(
    ("ahead", "well", "words"),
    [
        (0, True, "0s"),
        (299, True, "299s ahead"),
        (-301, False, "301s behind"),
        (86400, False, "86400s ahead"),
    ],
)
def test_clocks(ahead: int, well: bool, words: str) -> None:
    """Five minutes either way are what Kerberos allows; the host tells its time in each answer."""
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=ahead), usegmt=True)
    skew = skew_of(Response(401, (("date", date),), b""), now)
    assert skew == ahead
    finding = clock_finding("web01", skew)
    assert finding.ok is well
    assert words in finding.seen


@pytest.mark.parametrize("header", [(), (("date", "yesterday"),)])
def test_a_host_that_tells_no_time(header: tuple[tuple[str, str], ...]) -> None:
    """Nothing is said of its clock."""
    assert skew_of(Response(401, header, b""), datetime.now(UTC)) is None


@pytest.mark.parametrize(
    ("version", "well"),
    [((5, 1, 17763, 1), True), ((7, 4, 2), True), ((5, 0), False), ((4, 0), False), (None, True)],
)
def test_versions(version: tuple[int, ...] | None, well: bool) -> None:
    """Windows PowerShell 5.1 and what came after it."""
    [finding] = version_findings("web01", version)
    assert finding.ok is well


def test_recipes_are_of_codes_that_exist_and_delete_nothing() -> None:
    """The reference's own recipe for a listener removes every other one first; nothing here removes anything."""
    endpoint = Endpoint(
        host="web01",
        transport="winrm",
        address="web01.example.com",
        port=5986,
        winrm=WinrmSettings(url="https://web01.example.com:5986/wsman", resource_uri=resource_uri(None)),
    )
    assert {*_OVER_WINRM, *_OVER_SSH} <= set(code_pages())
    for recipes in (_OVER_WINRM, _OVER_SSH):
        for recipe in recipes.values():
            lines = " ".join(recipe(endpoint).lines)
            assert "{" not in lines.replace("@{", "").replace("{use_ssl", "")
            assert not {"Remove-Item", "-Recurse", "delete", "rm "} & set(lines.split())
            assert "Remove-" not in lines


def test_noise_of_a_login_is_no_finding() -> None:
    """What a start-up file prints before the script's own lines is left out."""
    said = 'Welcome to web01\n{"check": "user", "value": "ops"}\n{"more": 1}\n[]\n'
    assert _rows(said) == {"user": "ops"}


@pytest.fixture(scope="module")
def made_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdc.Realm]:
    """A realm with one user."""
    if reason := kdc.missing():
        pytest.skip(reason)
    with kdc.realm(tmp_path_factory.mktemp("realm")) as made:
        made.add_user("ops", PASSWORD)
        yield made


@pytest.fixture
def realm(made_realm: kdc.Realm, monkeypatch: pytest.MonkeyPatch) -> kdc.Realm:
    """The realm, with no ticket in its cache."""
    for name, value in made_realm.environment.items():
        monkeypatch.setenv(name, value)
    (made_realm.directory / "tickets").unlink(missing_ok=True)
    return made_realm


@pytest.mark.usefixtures("realm")
@pytest.mark.parametrize("needed", [True, False])
def test_no_ticket(needed: bool) -> None:
    """It is missed where a login needs it, with `kinit`, and only told where none does."""
    kerberos, ticket = look_at_kerberos(needed=needed, ticket_needed=needed)
    assert kerberos.ok
    assert "realm EXAMPLE.COM" in kerberos.seen
    assert ticket.ok is not needed
    assert ticket.seen.startswith("none")
    assert ticket.mend is not None
    assert ticket.mend.lines[0] == "kinit name@REALM"


def test_a_ticket(realm: kdc.Realm) -> None:
    """Whose it is, and how long it lasts."""
    realm.get_ticket("ops", PASSWORD)
    _, ticket = look_at_kerberos(needed=True, ticket_needed=True)
    assert ticket.ok
    assert ticket.seen.startswith("ops@EXAMPLE.COM, ends in ")


def test_a_realm_without_a_name(realm: kdc.Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that names no realm is missed where Kerberos is needed."""
    del realm
    empty = tmp_path / "krb5.conf"
    empty.write_text("[libdefaults]\n", encoding="utf-8")
    monkeypatch.setenv("KRB5_CONFIG", str(empty))
    kerberos, _ = look_at_kerberos(needed=True, ticket_needed=False)
    assert not kerberos.ok
    assert "default_realm" in kerberos.hint


def test_a_finding_as_a_document() -> None:
    """Hints and what mends are of what is wrong alone."""
    well = Finding("web01", "clock", ok=True, seen="1s ahead", hint="a hint", mend=CLOCKS)
    assert (well.as_document()["hint"], well.as_document()["mend"]) == (None, None)
    wrong = replace(well, ok=False)
    assert wrong.as_document()["hint"] == "a hint"
    assert wrong.as_document()["mend"] == {"where": "host", "lines": list(CLOCKS.lines)}

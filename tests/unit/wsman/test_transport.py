"""The WinRM transport: one wire a host, carriers over it, and options that reach the wire."""

from __future__ import annotations

from uuid import uuid4

import pytest

from runner.errors import ConnectionLost
from runner.transport.endpoint import Endpoint, ProxySettings, SessionOptions, WinrmSettings
from runner.transport.port import Login, PowerShellLink
from runner.wsman.port import Answer, Redirected, Wire
from runner.wsman.session_settings import client_settings, shell_settings
from runner.wsman.transport import WinrmTransport
from tests.unit.wsman.scripted_wire import CONFIGURATION, POOL, ScriptedWire, Taken

WINRM = WinrmSettings(url="http://web01:5985/wsman", resource_uri=CONFIGURATION)


def endpoint(**options: object) -> Endpoint:
    """A host with session options."""
    return Endpoint(
        host="web01",
        transport="winrm",
        session_options=SessionOptions(**options),  # type: ignore[arg-type]
        winrm=WINRM,
    )


async def connected(wire: ScriptedWire, **options: object) -> PowerShellLink:
    """A link over a wire in memory."""

    def wires(_: Endpoint, __: Login | None) -> Wire:
        return wire

    return await WinrmTransport(wires=wires).connect(endpoint(**options), None)


async def test_connecting_sends_nothing() -> None:
    """The first session finds out whether the host is there."""
    wire = ScriptedWire()
    link = await connected(wire)

    assert isinstance(link, PowerShellLink)
    assert wire.requests == []
    assert link.endpoint.host == "web01"
    await link.close()
    assert wire.closed
    assert link.lost


async def test_carriers_share_the_wire_and_the_clients_id() -> None:
    """A server tells by the id that it is the same client."""
    wire = ScriptedWire()
    link = await connected(wire)
    first, second = link.carrier(name="one"), link.carrier()
    await first.open(POOL, b"", Taken())
    await second.open(uuid4(), b"", Taken())
    await first.close()
    await second.close()

    ids = {asked.content.partition(b"SessionId")[2].partition(b"</")[0] for asked in wire.requests}
    assert len(ids) == 1
    assert [asked.body("rsp:Shell/rsp:Name") for asked in wire.asked("Create")] == ["one", ""]


@pytest.mark.parametrize(
    ("reaction", "answers"),
    [
        (Answer(200, b"<whatever/>"), True),
        (Answer(500, b""), True),
        (Redirected("https://b.example/"), True),
        (ConnectionLost("connection-lost", "the link broke"), False),
    ],
)
async def test_a_probe_asks_who_is_there(reaction: Answer | BaseException, answers: bool) -> None:
    """Any answer of HTTP is a sign of life, and no shell is needed."""
    wire = ScriptedWire()
    wire.next["Identify"].append(reaction)
    link = await connected(wire)

    assert await link.probe(5) is answers
    assert b"Identify" in wire.requests[0].content
    assert wire.requests[0].timeout == 5
    await link.close()
    assert not await link.probe(5)
    assert len(wire.requests) == 1


async def test_the_proxys_own_credential_is_used() -> None:
    """It is looked up by the name the options give, and only where they give one."""
    asked: list[str] = []

    def login(name: str) -> Login:
        asked.append(name)
        return Login(username="me")

    transport = WinrmTransport(proxy_login=login)
    for credential in ("corp", None):
        proxy = ProxySettings(access="autodetect", credential=credential)
        link = await transport.connect(endpoint(proxy=proxy), None)
        await link.close()
    await transport.close()

    assert asked == ["corp"]


async def test_an_endpoint_of_another_transport_is_refused() -> None:
    """A mistake of the program, not of an author."""
    with pytest.raises(ValueError, match="web01"):
        await WinrmTransport().connect(Endpoint(host="web01", transport="ssh"), None)


def test_the_reference_holds_where_the_author_says_nothing() -> None:
    """Three minutes, five redirections, English, and the server's own idle time and buffering."""
    settings = client_settings(endpoint(), WINRM, POOL)
    shell = shell_settings(SessionOptions(), None)

    assert (settings.operation_timeout, settings.maximum_redirection) == (180.0, 5)
    assert (settings.culture, settings.ui_culture) == ("en-US", "en-US")
    assert (shell.idle_timeout, shell.buffering, shell.no_machine_profile) == (None, None, False)


def test_what_the_author_says_holds() -> None:
    """Each option arrives as the protocol wants it."""
    options = {
        "operation_timeout": 0.0,
        "maximum_redirection": 0,
        "culture": "sv-SE",
        "idle_timeout": 1e9,
        "output_buffering_mode": "Block",
    }
    settings = client_settings(endpoint(**options), WINRM, POOL)
    shell = shell_settings(endpoint(**options).session_options, "mine")

    assert (settings.operation_timeout, settings.maximum_redirection) == (0.0, 0)
    assert (settings.culture, settings.ui_culture) == ("sv-SE", "sv-SE")
    assert (shell.idle_timeout, shell.buffering, shell.name) == (2147483.0, "Block", "mine")
    assert shell_settings(SessionOptions(output_buffering_mode="none"), None).buffering is None

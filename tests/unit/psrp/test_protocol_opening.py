"""What hosts say of themselves when a pool opens: read once where they say the same, and each for its own pool."""

from __future__ import annotations

import pytest
from psrpcore import RunspacePoolStateEvent
from psrpcore.types import PSRPMessageType, RunspacePoolState

from runner.psrp.protocol import Protocol, Unreadable, read_head
from runner.psrp.request import PoolSettings

CAPABILITY, PRIVATE, STATE = (
    PSRPMessageType.SessionCapability,
    PSRPMessageType.ApplicationPrivateData,
    PSRPMessageType.RunspacePoolState,
)
PADDING = "x" * 10_000


def capability(protocol: str) -> str:
    return (
        f'<Obj RefId="0"><MS><Version N="protocolversion">{protocol}</Version><Version N="PSVersion">2.0</Version>'
        '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
    )


def private(version: str, beside: str = "") -> str:
    table = f'<En><S N="Key">PSVersion</S><Version N="Value">{version}</Version></En>'
    return (
        '<Obj RefId="0"><MS><Obj N="ApplicationPrivateData" RefId="1"><TN RefId="0"><T>System.Collections.Hashtable</T>'
        '</TN><DCT><En><S N="Key">PSVersionTable</S><Obj N="Value" RefId="2"><TNRef RefId="0" /><DCT>'
        f'{table}<En><S N="Key">OS</S><S N="Value">{beside}</S></En></DCT></Obj></En></DCT></Obj></MS></Obj>'
    )


def say(protocol: Protocol, kind: PSRPMessageType, body: str) -> object:
    head = (
        (1).to_bytes(4, "little") + kind.value.to_bytes(4, "little") + protocol.pool_id.bytes_le + bytes(16)
    )
    return protocol.read(read_head(head + body.encode()))


@pytest.mark.parametrize("beside", ["", PADDING], ids=["short", "long"])
def test_each_pool_knows_its_own_host(beside: str) -> None:
    """Hosts that say the same and one that says something else, in turns, whatever the length of what they say."""
    hosts = [("2.3", "7.6.5"), ("2.3", "7.6.5"), ("2.2", "5.1.17763.1"), ("2.3", "7.6.5")]
    protocols = [Protocol(PoolSettings()) for _ in hosts]
    for protocol, (spoken, engine) in zip(protocols, hosts, strict=True):
        say(protocol, CAPABILITY, capability(spoken))
        say(protocol, PRIVATE, private(engine, beside))

    assert [protocol.peer_protocol for protocol in protocols] == [(2, 3), (2, 3), (2, 2), (2, 3)]
    assert [protocol.engine_version for protocol in protocols] == [
        (7, 6, 5),
        (7, 6, 5),
        (5, 1, 17763, 1),
        (7, 6, 5),
    ]


def test_every_pool_is_opened_by_its_own_message() -> None:
    """psrpcore asks a pool that is not open nothing, so that each must have been told."""
    for _ in range(2):
        protocol = Protocol(PoolSettings())
        protocol.opening()
        event = say(protocol, STATE, '<Obj RefId="0"><MS><I32 N="RunspaceState">2</I32></MS></Obj>')

        assert isinstance(event, RunspacePoolStateEvent)
        assert event.state is RunspacePoolState.Opened
        assert protocol.ask_available()[1]


@pytest.mark.parametrize("kind", [CAPABILITY, PRIVATE, STATE])
@pytest.mark.parametrize("body", ["", "<Obj", "<!DOCTYPE x><Obj/>", "<S>text</S>"])
def test_what_cannot_be_read_cannot_the_second_time(kind: PSRPMessageType, body: str) -> None:
    """An error is no knowledge."""
    for _ in range(2):
        with pytest.raises(Unreadable):
            say(Protocol(PoolSettings()), kind, body)

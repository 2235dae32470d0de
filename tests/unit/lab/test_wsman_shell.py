"""A shell of the front end whose client does not receive."""

from __future__ import annotations

from uuid import UUID

import pytest

from runner.lab.psrp_messages import Message, fragments
from runner.lab.wsman_configurations import CONFIGURATIONS
from runner.lab.wsman_shell import Shell, ShellFacts
from runner.lab.wsman_soap import Faulted
from tests.support.psrp_server import MemoryCarrier

_OUTPUT = 0x00041004
_PIPELINE = UUID("4675b324-11a4-598f-8b62-0fb0994dec7c")


def shell(carrier: MemoryCarrier, most: int) -> Shell:
    """One that may keep so many bytes."""
    facts = ShellFacts("A", CONFIGURATIONS[0].resource_uri, "me", "127.0.0.1", 7200.0)
    return Shell(facts, CONFIGURATIONS[0], carrier, most_unreceived=most)


def output(number: int) -> bytes:
    """A message of some 1,000 bytes."""
    return b"".join(fragments(number, Message(_OUTPUT, bytes(16), "x" * 1000), _PIPELINE))


async def test_what_nobody_receives_is_bounded() -> None:
    """A script that writes on and on for a client that is gone costs the shell, and not this machine's memory."""
    carrier = MemoryCarrier()
    tested = shell(carrier, 10_000)
    lost = []
    for number in range(1, 11):
        tested.fragments_received(output(number), None)
        lost.append(tested.lost)
    assert lost == [False] * 9 + [True]
    assert carrier.lost
    assert tested.output.size == 0
    with pytest.raises(Faulted):
        await tested.output.wait(60)


async def test_what_is_received_does_not_count() -> None:
    """However much a script writes, as long as it is taken."""
    carrier = MemoryCarrier()
    tested = shell(carrier, 10_000)
    for number in range(1, 100):
        tested.fragments_received(output(number), None)
        assert tested.output.take(100_000) == [output(number)]
    assert not tested.lost
    assert tested.output.size == 0
    await carrier.close()

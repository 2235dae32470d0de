"""The gate before a constrained endpoint: commands by name go through, scripts do not."""

from __future__ import annotations

from uuid import uuid4

import psrpcore
import pytest
from psrpcore import ClientPowerShell, ClientRunspacePool

from runner.lab.psrp_messages import PIPELINE_STATE, Joiner
from runner.lab.wsman_configurations import CONFIGURATIONS, Gate, Passed
from runner.lab.wsman_output import split_fragments

_CONSTRAINED = CONFIGURATIONS[-1]


def creation(*commands: str, script: str = "", size: int = 32_768) -> list[bytes]:
    """The fragments of a CREATE_PIPELINE."""
    pool = ClientRunspacePool()
    pool.open()
    while pool.data_to_send() is not None:
        pass
    # The state machine wants a pool that is open; what the server says then is of no matter here.
    pool.state = psrpcore.types.RunspacePoolState.Opened
    shell = ClientPowerShell(pool, pipeline_id=uuid4())
    for command in commands:
        shell.add_command(command)
    if script:
        shell.add_script(script)
    shell.start()
    found: list[bytes] = []
    while (payload := pool.data_to_send(size)) is not None:
        found += split_fragments(payload.data)
    return found


def judged(gate: Gate, fragments: list[bytes]) -> list[Passed]:
    """What becomes of each fragment."""
    return [gate.take(each, uuid4()) for each in fragments]


def test_commands_that_are_offered_pass_in_any_case() -> None:
    """Every fragment, in order, and those that come later too."""
    fragments = creation("Get-Mailbox", "SELECT-OBJECT", size=400)
    assert len(fragments) > 1
    gate = Gate(_CONSTRAINED)
    passed = judged(gate, fragments)
    assert [part for each in passed for part in each.fragments] == fragments
    assert all(not each.answer for each in passed)
    assert gate.take(b"input", uuid4()) == Passed((b"input",))


@pytest.mark.parametrize(
    ("fragments", "error"),
    [
        (creation(script="1..3"), "ScriptsNotAllowed"),
        (creation("Get-Process"), "CommandNotFoundException"),
        (creation("Get-Mailbox", script="$_"), "ScriptsNotAllowed"),
    ],
)
def test_what_is_not_offered_is_answered(fragments: list[bytes], error: str) -> None:
    """With a failed state that has PowerShell's own error id; nothing of it reaches the engine."""
    gate = Gate(_CONSTRAINED)
    passed = judged(gate, fragments)
    assert all(not each.fragments for each in passed)
    [message] = Joiner().feed(b"".join(part for each in passed for part in each.answer))
    assert message.kind == PIPELINE_STATE
    assert f'<S N="FullyQualifiedErrorId">{error}</S>' in message.body
    assert gate.take(b"input", uuid4()) == Passed()


def test_a_full_endpoint_lets_all_pass() -> None:
    """Without looking at it."""
    assert Gate(CONFIGURATIONS[0]).take(b"anything", uuid4()) == Passed((b"anything",))

"""What PowerShell's own client sent for eleven uses of Invoke-Command, against what our playbooks send for them.

Left out are the two pipelines that it runs for itself before its first (remoting.md 12: ``__Set-PSDebugMode`` and
``__Set-PSUnhandledBreakpointMode``), which set up its debugger and which no result depends on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support.recorded import Run, runs_of
from tests.support.recorded_own import adapted, of_client
from tests.support.recorded_requests import Asked, Sent, settings
from tests.wire.comparing import differences
from tests.wire.conversations import is_the_products_own
from tests.wire.playing import SESSION, Book, Played, play
from tests.wire.said import STOP_AFTER


@dataclass(frozen=True)
class Use:
    """A use of Invoke-Command as steps of a playbook, one for each pipeline that the client was recorded with."""

    steps: tuple[dict[str, Any], ...]
    head: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


USES = {
    "args": Use(({"script": ' param($p1,$p2) "$p1 $p2" ', "args": ["a", [1, 2]]},)),
    "error": Use(({"script": " Get-Item /nope; throw 'bad' "},)),
    "exit": Use(({"script": " 'x'; exit 7 "},)),
    "input": Use(({"script": " $input | ForEach-Object { $_ * 2 } ", "input_object": [1, 2, 3]},)),
    "job": Use(({"script": " Start-Sleep 60; 1 ", "timeout": STOP_AFTER},)),
    "script": Use(({"script": " $a = 1; $a + 1 "},)),
    "secure": Use(
        (
            {
                "command": "ConvertFrom-SecureString",
                "args": ["{{ ss }}"],
                "parameters": {"AsPlainText": True},
            },
        ),
        head={"inputs": {"ss": {"type": "secure_string"}}},
        extra={"ss": "p@ß"},
    ),
    "session": Use(({"script": " $p = 5 "}, {"script": " $p "})),
    "simple-command": Use(({"command": "Get-Culture"},)),
    "using-simple": Use(({"command": "Write-Output", "args": ["v"]},)),
    "using": Use(
        (
            {
                "script": ' $b = 1; "$using:log"; $using:x; $using:obj.Tags[0]; ${using:x} ',
                "using": {"log": "PowerShellCore/Operational", "x": "v", "obj": {"Tags": ["t"]}},
            },
        )
    ),
}


def _switch_by_value(clixml: str) -> str:
    """The recorded request of `secure` with its switch as a playbook gives it: by name, and true."""
    return clixml.replace(
        '<S N="N">-AsPlainText</S><Nil N="V" />', '<S N="N">AsPlainText</S><B N="V">true</B>'
    )


OTHERWISE = {"secure": _switch_by_value}
"""The client takes a simple block apart and sends a switch as the word that was written: a dash before it, no value.
A playbook has no words of a command line: it sends the parameter's name and what it is set to. Both bind alike."""

_LISTS = {"System.Object[]": "System.Collections.ArrayList"}
"""A list of ours arrives as ArrayList, PowerShell's own as array; both bind to any parameter that takes an array
(remoting.md 1.9). The dictionary of ``--%`` is a Hashtable of ours, a Dictionary of its own; it is looked up by key."""

NAMES = sorted(USES)


@dataclass(frozen=True)
class Pair:
    """A pipeline as the client was recorded with it, the one that we sent, and what came of ours."""

    run: Run
    sent: Sent
    differences: dict[str, Any]


@cache
def pairs(name: str) -> tuple[Pair, ...]:
    """The pipelines of one use, of both sides."""
    use, document = USES[name], of_client(name)
    if name in OTHERWISE:
        document = adapted(document, {0: OTHERWISE[name]})
    steps = [{"id": f"s{n}", "ignore_errors": True, **step} for n, step in enumerate(use.steps)]
    with TemporaryDirectory() as folder:
        played = asyncio.run(play(Path(folder), Book(steps, use.head, extra=use.extra), [document]))
    sent = [each for each in played.heard[SESSION].pipelines if not is_the_products_own(each.asked)]
    recorded = runs_of(document)
    assert len(sent) == len(recorded) == len(steps)
    return tuple(
        Pair(run, each, _differences(run, played, f"s{run.number}"))
        for run, each in zip(recorded, sent, strict=True)
    )


def _differences(run: Run, played: Played, step: str) -> dict[str, Any]:
    return differences(run, played.results[step], played.order.get(step, []))


def _as_ours(asked: Asked) -> Asked:
    """The client's request with its arrays called what ours are."""
    statements = tuple(
        tuple(replace(command, arguments=_renamed(command.arguments)) for command in statement)
        for statement in asked.statements
    )
    return replace(asked, statements=statements)


def _renamed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_renamed, value))
    return _LISTS.get(value, value)


@pytest.mark.pwsh
@pytest.mark.parametrize("name", NAMES)
def test_our_request_is_that_of_powershells_own_client(name: str) -> None:
    """Commands, arguments, `--%` keys and values, and the input are those that PowerShell sends for the same use."""
    for pair in pairs(name):
        assert pair.sent.asked == _as_ours(pair.run.asked)


@pytest.mark.pwsh
@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_that_of_powershells_own_client(name: str) -> None:
    """What came of it is what PowerShell's client was answered."""
    for pair in pairs(name):
        assert pair.differences == {}


@pytest.mark.pwsh
@pytest.mark.parametrize("name", NAMES)
def test_the_rest_of_the_request_is_equal_too(name: str) -> None:
    """History, host, stream options, redirection, nesting, scopes and merging: nothing differs in any of them."""
    for pair in pairs(name):
        assert settings(pair.sent.creation) == settings(pair.run.creation)

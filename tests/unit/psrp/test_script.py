"""What is sent for a step: statements around the author's script, which itself is never touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.psrp.request import Argument, Command, PipelineRequest
from runner.psrp.script import (
    Before,
    Settings,
    command_request,
    look_request,
    read_before,
    restore_request,
    script_request,
)

EVERYTHING = Settings(
    strict_mode="Latest",
    preferences={"ErrorActionPreference": "Stop", "VerbosePreference": "Continue"},
    environment={"LAB": "x y"},
    working_directory="/tmp",
    native_exit_code=True,
)
BEFORE = Before(
    location="/home/ops",
    strict_mode=0,
    preferences={"ErrorActionPreference": "Continue", "VerbosePreference": "SilentlyContinue"},
    environment={"LAB": None},
)


def lines(request: PipelineRequest) -> list[str]:
    """Each statement as one would type it."""
    return [" | ".join(map(_line, statement.commands)) for statement in request.statements]


def _line(command: Command) -> str:
    words = [f"{'-' + a.name + ' ' if a.name else ''}{a.value}" for a in command.arguments]
    return " ".join([command.text, *words])


@given(st.text())
def test_script_is_the_last_statement_and_unchanged(text: str) -> None:
    """Whatever is set before it, the author's script is the last statement, and every character of it is kept."""
    request = script_request(text, EVERYTHING)
    (last,) = request.statements[-1].commands
    assert last.text == text
    assert last.is_script
    assert last.use_local_scope is None
    assert all(len(statement.commands) == 1 for statement in request.statements)


def test_script_alone_is_one_statement() -> None:
    """A step that sets nothing sends its script and nothing else."""
    assert script_request("1..3", Settings()) == PipelineRequest(
        statements=script_request("1..3", Settings()).statements[-1:]
    )


def test_settings_are_commands_with_values_as_arguments() -> None:
    """Each setting is a command of its own, as server/51 has them recorded; no value is pasted into text."""
    assert lines(script_request("'x'", EVERYTHING)) == [
        "Set-Location -LiteralPath /tmp",
        "Set-Item -LiteralPath Env:LAB -Value x y",
        "Set-StrictMode -Version Latest",
        "Set-Variable -Name ErrorActionPreference -Value Stop",
        "Set-Variable -Name VerbosePreference -Value Continue",
        "$global:LASTEXITCODE = $null",
        "'x'",
    ]


def test_arguments_stand_by_position_then_by_name_then_using() -> None:
    """Positional arguments come first, named ones next, the dictionary last, whatever the order they are given in."""
    request = script_request(
        "x", Settings(), arguments=[Argument(1, "Name"), Argument(None), Argument([2, 3])], using={"k": "v"}
    )
    (command,) = request.statements[0].commands
    assert command.arguments == (
        Argument(None),
        Argument([2, 3]),
        Argument(1, "Name"),
        Argument({"k": "v"}, "--%"),
    )


def test_no_dictionary_without_a_key() -> None:
    """`--%` is sent only where there is at least one value (remoting.md 1.5)."""
    (command,) = script_request("x", Settings(), using={}).statements[0].commands
    assert command.arguments == ()


def test_commands_have_no_script() -> None:
    """A pipeline of commands goes to an endpoint that knows no language: nothing in it is a script."""
    request = command_request([Command("Get-Service"), Command("Sort-Object")], Settings(strict_mode="3.0"))
    assert lines(request) == ["Set-StrictMode -Version 3.0", "Get-Service | Sort-Object"]
    assert not any(command.is_script for statement in request.statements for command in statement.commands)


def test_everything_that_was_set_is_put_back() -> None:
    """Restoring gives each setting the value it had; a variable that was not there is removed."""
    assert lines(restore_request(EVERYTHING, BEFORE)) == [
        "Set-StrictMode -Off True",
        "Set-Variable -Name ErrorActionPreference -Value Continue",
        "Set-Variable -Name VerbosePreference -Value SilentlyContinue",
        "Remove-Item -LiteralPath Env:LAB -ErrorAction Ignore",
        "Set-Location -LiteralPath /home/ops",
    ]
    strict = replace(BEFORE, strict_mode=2, environment={"LAB": "old"})
    assert lines(restore_request(EVERYTHING, strict))[0] == "Set-StrictMode -Version 2.0"
    assert "Set-Item -LiteralPath Env:LAB -Value old" in lines(restore_request(EVERYTHING, strict))


def test_location_is_put_back_only_where_the_step_set_it() -> None:
    """A `cd` of the script stays in the session unless the step itself named a directory."""
    settings = Settings(strict_mode="Latest")
    assert lines(restore_request(settings, replace(BEFORE, preferences={}, environment={}))) == [
        "Set-StrictMode -Off True"
    ]


def test_look_leaves_nothing_behind() -> None:
    """What looks up the settings runs in a scope of its own."""
    (command,) = look_request(EVERYTHING).statements[0].commands
    assert command.use_local_scope is True


def test_answer_is_read_in_the_order_asked() -> None:
    """The answer's lists are matched with what was asked, nulls kept."""
    answer = {
        "Location": "/home/ops",
        "StrictMode": 0,
        "Preferences": ["Continue", "SilentlyContinue"],
        "Environment": [None],
        "DirectoryFound": True,
    }
    assert read_before(EVERYTHING, answer) == BEFORE
    assert not read_before(EVERYTHING, {**answer, "DirectoryFound": False}).directory_found


@pytest.mark.parametrize("answer", [{}, {"Location": "/"}, 5, None, ["x"]])
def test_strange_answer_is_refused(answer: object) -> None:
    """An answer that is none is an error and never taken for values."""
    with pytest.raises(ValueError, match="cannot be understood"):
        read_before(EVERYTHING, answer)  # type: ignore[arg-type]

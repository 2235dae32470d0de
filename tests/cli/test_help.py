"""Help: every command explains itself, with examples that exist, and near words are suggested."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from runner import __version__
from runner.cli.main import COMMANDS, runner
from runner.cli.settings import OPTIONS
from tests.support.command_line import Typed, in_a_process


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and subcommand, with the words that name it."""
    context = click.Context(runner)
    for name in COMMANDS:
        command = runner.get_command(context, name)
        assert command is not None
        yield (name,), command
        if isinstance(command, click.Group):
            for sub, each in command.commands.items():
                yield (name, sub), each


ALL = list(commands())
EVERY_COMMAND = pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])


@EVERY_COMMAND
def test_every_command_has_help(words: tuple[str, ...], command: click.Command, typed: Typed) -> None:
    """`--help` and `-h` print usage, a sentence and examples to standard output, and end with 0."""
    done = typed(*words, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: runner {' '.join(words)}" in done.out
    assert re.search(r"^ *Examples:\n +runner ", done.out, re.MULTILINE)
    assert typed(*words, "-h").out == done.out
    assert max(map(len, done.out.splitlines())) <= 100
    assert command.help


def examples() -> Iterator[list[str]]:
    """The command lines of all examples, up to the first pipe or comment."""
    for _, command in ALL:
        for line in (command.epilog or "").splitlines():
            text = re.split(r"\s{3,}|[|>]| && ", line.strip())[0]
            if text.startswith("runner "):
                yield shlex.split(text)[1:]


@pytest.mark.parametrize("words", list(examples()), ids=" ".join)
def test_every_example_can_be_typed(words: list[str]) -> None:
    """The parser takes every example: its commands and options exist."""
    context = runner.make_context("runner", list(words), resilient_parsing=True)
    name, command, rest = runner.resolve_command(context, list(words))
    assert command is not None
    if isinstance(command, click.Group) and rest:
        name, found, rest = command.resolve_command(click.Context(command), rest)
        assert found is not None
        command = found
    command.make_context(name or "", rest)


def test_options_of_settings_are_all_options() -> None:
    """What a settings file may say is exactly what the commands have, so no setting is unknown or without effect."""
    named = {
        parameter.name
        for _, command in ALL
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name != "help"
    }
    assert named == OPTIONS


@EVERY_COMMAND
def test_every_option_has_help_and_a_variable(words: tuple[str, ...], command: click.Command) -> None:
    """Each option says what it does, and can be given as RUNNER_NAME."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, (words, parameter.name)
            variables = parameter.envvar if isinstance(parameter.envvar, list) else [parameter.envvar]
            assert str(variables[0]).startswith("RUNNER_"), (words, parameter.name)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rum", "x.yml"], "Did you mean `run`?"),
        (["validte"], "Did you mean `validate`?"),
        (["zzz"], "Commands: run, validate"),
        (["run", "hello.yml", "--limt", "web"], "--limit"),
        (["inventory", "lst"], "list"),
        (["run"], "PLAYBOOK"),
        (["run", "hello.yml", "--timeout", "soon"], "`soon`"),
        (["run", "hello.yml", "-f", "many"], "expected a number or `unlimited`: `many`"),
        (["run", "hello.yml", "--shell", "zsh"], "zsh"),
        (["graph", "hello.yml", "--format", "png"], "png"),
        (["completion", "tcsh"], "tcsh"),
        (["validate", "hello.yml", "-o", "xml"], "expected `text` or `json`: `xml`"),
    ],
)
def test_wrong_words_are_refused(words: list[str], told: str, typed: Typed) -> None:
    """A wrong command, option or value ends with 2, nothing on standard output, and says what would be right."""
    done = typed(*words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["-h"]])
def test_the_program_itself(words: list[str], typed: Typed) -> None:
    """Version and help of the program."""
    done = typed(*words)
    assert (done.code, done.err) == (0, "")
    assert (__version__ if words == ["--version"] else "Exit codes: 0 all well") in done.out


def test_without_words_help_is_shown(typed: Typed) -> None:
    """`runner` alone shows the help and, like git, does not succeed."""
    done = typed()
    assert done.code == 2
    assert "Usage: runner" in done.out + done.err


def test_as_a_module(tmp_path: Path) -> None:
    """`python -m runner` is the same program."""
    done = in_a_process("--version", folder=tmp_path)
    assert (done.code, done.out) == (0, f"runner, version {__version__}\n")

"""Options that several commands share, each also a setting of runner.toml and an environment variable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.cli.completing import complete_files, complete_outputs, complete_steps
from runner.units import parse_duration

Function = TypeVar("Function", bound=Callable[..., Any])


class DurationType(click.ParamType[float]):
    """A duration like ``30s`` or ``5m``, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, or a usage error that says what a duration looks like."""
        try:
            return parse_duration(value).total_seconds()
        except ValueError as error:
            self.fail(f"{error}: `{value}`", param, ctx)


class ThrottleType(click.ParamType[int | None]):
    """A whole number; ``unlimited`` is 0 inside."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The limit, None for the default."""
        text = str(value).lower()
        if text == "unlimited":
            return 0
        if not text.isdigit():
            self.fail(f"expected a number or `unlimited`: `{value}`", param, ctx)
        return int(text) or None


class DocumentFormType(click.ParamType[str]):
    """``json``, or anything for people: what a setting or the environment says for runs fits here too."""

    name = "text|json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """``json`` or ``text``."""
        given = [value] if isinstance(value, str) else list(value)
        forms = [form for form in given if "=" not in form]  # FORMAT=FILE is for runs
        for form in forms:
            if form not in {"text", "json", "jsonl", "rich", "plain", "quiet"}:
                self.fail(f"expected `text` or `json`: `{form}`", param, ctx)
        return "json" if {"json", "jsonl"} & set(forms) else "text"


def option(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """An option that can stand in the environment too: ``--no-input`` as ``RUNNER_NO_INPUT``."""
    long = next(name for name in names if name.startswith("--")).removeprefix("--").split("/")[0]
    settings.setdefault("envvar", f"RUNNER_{long.replace('-', '_').upper()}")
    return click.option(*names, **settings)


def inventory_option(function: Function) -> Function:
    """``-i``."""
    return option(
        "-i",
        "--inventory",
        multiple=True,
        metavar="PATH",
        shell_complete=complete_files,
        help="Inventory file, folder, executable or `host,host,`; repeatable.",
    )(function)


def extra_option(function: Function) -> Function:
    """``-e``."""
    return option(
        "-e",
        "--extra",
        multiple=True,
        metavar="NAME=VALUE|@FILE",
        help="Input or variable; @FILE is a YAML or JSON mapping; repeatable.",
    )(function)


def choice_options(function: Function) -> Function:
    """Options that choose hosts and steps."""
    for each in reversed(
        [
            option("-l", "--limit", metavar="PATTERN", help="Only these hosts, e.g. 'web:!canary'."),
            option(
                "-t", "--tags", multiple=True, metavar="TAG[,TAG]", help="Only steps with one of these tags."
            ),
            option(
                "--skip-tags",
                multiple=True,
                metavar="TAG[,TAG]",
                help="Not the steps with one of these tags.",
            ),
            option(
                "--only",
                multiple=True,
                metavar="ID",
                shell_complete=complete_steps,
                help="Only this step; repeatable.",
            ),
            option(
                "--start-at",
                metavar="ID",
                shell_complete=complete_steps,
                help="Begin at this step; those before it drop away.",
            ),
        ]
    ):
        function = each(function)
    return function


def login_options(function: Function) -> Function:
    """Options that say as whom to log in to hosts and what to speak there, over everything the playbook says."""
    for each in reversed(
        [
            option("--credential", metavar="NAME", help="Log in with this credential of the playbook."),
            option("--user", metavar="USER", help="Log in as this user."),
            option(
                "--certificates", metavar="DIR", help="PEM files that a certificate_thumbprint names one of."
            ),
            option("--ask-password", is_flag=True, help="Ask for the login password once (terminal only)."),
            option(
                "--shell",
                type=click.Choice(["sh", "bash", "python", "powershell"], case_sensitive=False),
                help="Shell of steps that say none, over target and inventory.",
            ),
        ]
    ):
        function = each(function)
    return function


def connection_options(function: Function) -> Function:
    """Options that say how to reach and speak to hosts, and how many at once."""
    limits = [
        option(
            "-f",
            "--throttle",
            type=ThrottleType(),
            metavar="N",
            help="Hosts at once, a step and the run [32].",
        ),
        option(
            "--timeout", type=DurationType(), metavar="DURATION", help="Limit of the whole run, e.g. 30m."
        ),
    ]
    for each in reversed(limits):
        function = each(function)
    return login_options(function)


def database_option(function: Function) -> Function:
    """``--database``."""
    return option(
        "--database",
        metavar="URL",
        help="Locks of hosts: sqlite:///PATH or postgresql://... [a file in your state directory].",
    )(function)


def lock_options(function: Function) -> Function:
    """Options of commands that hold hosts while they run (``lock: run``): ``lock_wait`` in seconds, ``database``."""
    wait = option(
        "--lock-wait",
        type=DurationType(),
        default=0.0,
        metavar="DURATION",
        help="Wait so long for hosts that another run holds [0: refused].",
    )
    return wait(database_option(function))


def diff_option(function: Function) -> Function:
    """``--diff``."""
    return option("--diff", is_flag=True, help="Show what changes, before and after.")(function)


def check_options(function: Function) -> Function:
    """``--check`` and ``--diff``."""
    check = option("--check", is_flag=True, help="Change nothing; say what would change.")
    return check(diff_option(function))


def output_options(function: Function) -> Function:
    """Options that say what is printed."""
    for each in reversed(
        [
            option(
                "-o",
                "--output",
                multiple=True,
                metavar="FORMAT[=FILE]",
                shell_complete=complete_outputs,
                help="rich, plain, json, jsonl or quiet; repeatable [rich on a terminal, else plain].",
            ),
            option("--no-color", is_flag=True, help="No colour (also NO_COLOR)."),
            option("-v", "--verbose", count=True, help="More: -v shows output as it comes, -vv timings too."),
        ]
    ):
        function = each(function)
    return function


def trace_option(function: Function) -> Function:
    """``--trace``, with the file where the command is typed: some commands go to another folder."""
    return option(
        "--trace",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=lambda _, __, path: path and path.absolute(),
        metavar="FILE",
        help="Write what is decided and sent, without secrets, for a report of a bug.",
    )(function)


def anchored_outputs(outputs: Iterable[str]) -> list[str]:
    """Values of ``-o`` with their files where the command is typed, for a command that goes to another folder."""
    anchored = []
    for output in outputs:
        form, equals, path = output.partition("=")
        anchored.append(f"{form}={Path(path).absolute()}" if equals and path else output)
    return anchored


def record_options(function: Function) -> Function:
    """Options of commands that make a record of a run: whether a person may be asked, and where the record is."""
    for each in reversed(
        [
            click.option(
                "--no-input",
                is_flag=True,
                envvar="RUNNER_NO_INPUT",
                help="Never ask; a prompt is an error.",
            ),
            click.option(
                "--record",
                type=click.Path(file_okay=False, path_type=Path),
                envvar=["RUNNER_RECORD", "RUNNER_HOME"],
                metavar="DIR",
                help="Where the run is recorded [.runner/ of the playbook's repository].",
            ),
        ]
    ):
        function = each(function)
    return function


def problem_output_option(function: Function) -> Function:
    """``-o`` of commands that only tell problems or print one document."""
    return option(
        "-o",
        "--output",
        type=DocumentFormType(),
        default="text",
        help="For people, or one JSON document.",
    )(function)


def words(values: tuple[str, ...]) -> tuple[str, ...]:
    """Values that repeat or stand behind commas."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def hand_on_settings(context: click.Context) -> None:
    """Give the settings of a group of commands to each command in it."""
    group = context.command
    if isinstance(group, click.Group) and context.default_map is not None:
        context.default_map = dict.fromkeys(group.commands, context.default_map)

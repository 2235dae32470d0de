"""The page of commands, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from docs.generators.markdown import block, page, table
from runner.cli.main import COMMANDS, runner

_INTRODUCTION = """\
# Commands

`runner` is the console script; `python -m runner` is the same. Every option can stand in a
[settings file](settings.md) too, and in the environment where a variable is named. The command line wins over the
environment, the environment over the file.

Results go to standard output, everything else to standard error."""


def pages() -> dict[str, str]:
    """``commands.md``."""
    context = click.Context(runner, info_name="runner", **runner.context_settings)
    summary = table(
        ("command", "what it does"),
        ((f"[`runner {name}`](#runner-{name})", words) for name, words in COMMANDS.items()),
    )
    parts = [_INTRODUCTION, summary]
    for name in COMMANDS:
        command = runner.get_command(context, name)
        if command is not None:
            parts += _command(
                command, click.Context(command, info_name=name, parent=context), f"runner {name}", 2
            )
    parts.append("The process ends with one of the [exit codes](exit-codes.md).")
    return {"commands.md": page(parts)}


def _command(command: click.Command, context: click.Context, path: str, level: int) -> Iterator[str]:
    """A command with all below it; ``path`` is what is typed for it, without arguments of commands above it."""
    yield f"{'#' * level} {path}"
    yield _paragraphs(command.help or "")
    yield block(" ".join([path, *command.collect_usage_pieces(context)]))
    options = [one for one in command.params if isinstance(one, click.Option) and one.name != "help"]
    if options:
        yield table(
            ("option", "default", "environment", "what it does"),
            (_option(option, context) for option in options),
        )
    inner = command.commands.items() if isinstance(command, click.Group) else ()
    for name, below in inner:
        yield from _command(
            below, click.Context(below, info_name=name, parent=context), f"{path} {name}", level + 1
        )
    parent = context.parent.command if context.parent is not None else None
    if command.epilog and command.epilog != (parent.epilog if parent else None):
        yield _epilog(command.epilog)


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str, str]:
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    names = ", ".join(f"`{name}`" for name in option.opts[:-1])
    long = f"`{option.opts[-1]}{value}`"
    variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    default = option.default if isinstance(option.default, str) or option.show_default else None
    return (
        ", ".join(filter(None, (names, long))),
        f"`{default}`" if default else "",
        ", ".join(f"`{name}`" for name in variables),
        option.help or "",
    )


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _epilog(text: str) -> str:
    """Examples as a block, the words after them as paragraphs."""
    examples, _, rest = text.replace("\b\n", "").partition("\n\n")
    lines = [re.sub(r"^  ", "", line) for line in examples.splitlines()[1:]]
    words = "\n".join(f"{line}" for line in rest.splitlines())
    return block("\n".join(lines), "console") + ("\n" + words.replace("\n", "  \n") if words else "")

"""What a shell is told to complete: files, runs, steps, codes. A word that cannot be completed is completed to nothing.

Nothing is imported for it before somebody presses Tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

_MOST_RUNS: Final = 50
"""Runs that are offered, the newest: each is opened for what it was, and nobody reads more."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _quiet(
    find: Callable[[click.Context, str], Iterable[CompletionItem]],
) -> Complete:
    """Offer what begins as typed; nothing where it cannot be found, for an error would stand in the command line."""

    @wraps(find)
    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        found: list[CompletionItem] = []
        with suppress(Exception):
            found += (item for item in find(context, begun) if item.type != "plain" or _begins(item, begun))
        return found

    return complete


def _begins(item: CompletionItem, begun: str) -> bool:
    return str(item.value).startswith(begun)


def _given(context: click.Context, name: str) -> str:
    """An argument that stands before; behind an option whose value is still to come Click has not named it yet."""
    return str(context.params.get(name) or context.args[0])


@_quiet
def complete_files(_: click.Context, begun: str) -> Iterable[CompletionItem]:
    """Paths, by the shell itself."""
    return [CompletionItem(begun, type="file")]


@_quiet
def complete_runs(context: click.Context, _: str) -> Iterable[CompletionItem]:
    """``last``, and the newest runs with what each was."""
    from runner.cli.runs_store import run_store  # noqa: PLC0415 - see above

    yield CompletionItem("last", help="the newest")
    for entry in islice(run_store(context.params.get("record")).list(), _MOST_RUNS):
        name = entry.header.playbook if entry.header else ""
        yield CompletionItem(entry.run, help=f"{name}, {entry.state}")


@_quiet
def complete_steps_of_run(context: click.Context, _: str) -> Iterable[CompletionItem]:
    """The steps of the run that is named before."""
    from runner.cli.runs_store import run_store  # noqa: PLC0415 - see above
    from runner.journal.store import read_entry  # noqa: PLC0415

    directory = run_store(context.params.get("record")).find(_given(context, "run"))
    header = read_entry(directory).header
    return [CompletionItem(step.id, help=step.name) for step in header.steps] if header else []


@_quiet
def complete_gates(context: click.Context, _: str) -> Iterable[CompletionItem]:
    """Gates of the run that wait for an answer, or at which it ended."""
    from runner.cli.runs_control import open_gates  # noqa: PLC0415 - see above
    from runner.cli.runs_store import run_store  # noqa: PLC0415

    directory = run_store(context.params.get("record")).find(_given(context, "run"))
    return [CompletionItem(step) for step in open_gates(directory)]


@_quiet
def complete_steps(context: click.Context, _: str) -> Iterable[CompletionItem]:
    """The steps of the playbook that is named before."""
    from runner.playbook.load import load_playbook  # noqa: PLC0415 - see above
    from runner.problems import Problems  # noqa: PLC0415

    playbook = load_playbook(str(Path(_given(context, "playbook"))), Problems())
    return [CompletionItem(step.id) for step in playbook.steps] if playbook else []


@_quiet
def complete_outputs(_: click.Context, __: str) -> Iterable[CompletionItem]:
    """Formats of ``-o``."""
    from runner.present.open import FORMATS  # noqa: PLC0415 - see above

    return [CompletionItem(name) for name in FORMATS]


@_quiet
def complete_schemas(_: click.Context, __: str) -> Iterable[CompletionItem]:
    """Names of schemas."""
    from runner.schema_files import schema_names  # noqa: PLC0415 - see above

    return [CompletionItem(name) for name in schema_names()]


@_quiet
def complete_codes(_: click.Context, __: str) -> Iterable[CompletionItem]:
    """Codes of errors."""
    from runner.codes import code_pages  # noqa: PLC0415 - see above

    return [CompletionItem(code, help=page.summary) for code, page in sorted(code_pages().items())]

"""``runner runs``: runs, past and going on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import click

from runner.cli.complain import complain
from runner.cli.completing import complete_gates, complete_runs, complete_steps_of_run
from runner.cli.options import DurationType, hand_on_settings, option, output_options, problem_output_option
from runner.cli.runs_store import record_option, run_store, show, width
from runner.engine.observe import RunEvent
from runner.engine.result import Result
from runner.errors import ExitCode, UsageError
from runner.journal.replay import History
from runner.present.group import Presenters
from runner.present.open import FORMATS, open_presenters
from runner.present.sink import OutputNotWritten
from runner.present.terminal import Screen
from runner.problems import suggestion

EXAMPLES = """\b
Examples:
  runner runs list --limit 10
  runner runs show last                         what went wrong, and how to go on
  runner runs show last --step restart --host web03
  runner runs watch last                        a run that goes on elsewhere
  runner runs approve last go_live
  runner runs stop last
  runner runs diff 2026-11-20T01 last           exit code 5 where they differ
  runner runs export last -o jsonl --file run.jsonl
  runner runs prune --keep 100 --older-than 30d

RUN is a run's id, the beginning of one, or `last`."""


class _ExportForm(click.ParamType[str]):
    """``json`` or ``jsonl``; what settings and the environment say for runs fits too."""

    name = "json|jsonl"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The first of the two that is named, else ``json``."""
        given = [value] if isinstance(value, str) else list(value)
        forms = [form for form in given if "=" not in form]  # FORMAT=FILE is for runs
        for form in forms:
            if form not in FORMATS:
                self.fail(f"expected `json` or `jsonl`: `{form}`", param, ctx)
        return next((form for form in forms if form in {"json", "jsonl"}), "json")


@click.group(epilog=EXAMPLES)
@click.pass_context
def command(context: click.Context) -> None:
    """Look at runs, past and going on, and speak to them."""
    hand_on_settings(context)


@command.command("list", epilog=EXAMPLES)
@option(
    "--limit",
    "newest",
    type=click.IntRange(1),
    envvar="RUNNER_NEWEST",
    metavar="N",
    help="Only the newest N.",
)
@record_option
@problem_output_option
def list_runs(newest: int | None, record: Path | None, output: str) -> int:
    """List the runs that are recorded here, the newest first."""
    from runner.cli.runs_list import list_document, list_lines  # noqa: PLC0415 - loaded when asked for

    entries = list(islice(run_store(record).list(), newest))
    if output == "json":
        _print(list_document(entries))
    elif entries:
        show(list_lines(entries, width()))
    else:
        sys.stderr.write("no run is recorded here\n")
    return ExitCode.SUCCESS


@command.command("show", epilog=EXAMPLES)
@click.argument("run", shell_complete=complete_runs)
@option(
    "--step",
    metavar="ID",
    shell_complete=complete_steps_of_run,
    help="Only this step, its results whole.",
)
@option("--host", metavar="HOST", help="Only this host, its results whole.")
@record_option
@problem_output_option
def show_run(run: str, step: str | None, host: str | None, record: Path | None, output: str) -> int:
    """Show what is known of RUN: steps, what went wrong, what nobody knows, how to go on."""
    from runner.cli import runs_show  # noqa: PLC0415 - loaded when asked for
    from runner.present.encode import encode_result  # noqa: PLC0415

    directory = run_store(record).find(run)
    history = directory.replay(outputs=step is not None or host is not None, recover=True)
    pid = directory.is_running()
    if step is None and host is None:
        gates = directory.control.waiting() if pid is not None else ()
        if output == "json":
            _print(runs_show.show_document(history, pid=pid, gates=gates))
        else:
            show(runs_show.show_lines(history, pid=pid, width=width(), gates=gates))
        return ExitCode.SUCCESS
    chosen = _chosen(history, step, host)
    if output == "json":
        _print([encode_result(history.header.run, result, runs_show.unmasked) for result in chosen])
    else:
        show(runs_show.result_lines(chosen, width()))
    return ExitCode.SUCCESS


@command.command("watch", epilog=EXAMPLES)
@click.argument("run", shell_complete=complete_runs)
@record_option
@output_options
def watch_run(run: str, record: Path | None, output: tuple[str, ...], no_color: bool, verbose: int) -> int:
    """Show RUN as it goes on, from any terminal, until it ends; gives its exit code.

    Ctrl-C ends the watching, not the run.
    """
    from runner.cli.runs_watch import watch  # noqa: PLC0415 - loaded when asked for

    directory = run_store(record).find(run)
    presenters = _presenters(output, no_color=no_color, verbosity=verbose)
    try:
        code = watch(directory, presenters)
    except BaseException:
        presenters.close()
        raise
    return _closed(presenters, code)


@command.command("stop", epilog=EXAMPLES)
@click.argument("run", shell_complete=complete_runs)
@record_option
def stop_run(run: str, record: Path | None) -> int:
    """Tell RUN to stop as Ctrl-C would, and wait until it has; a second time hurries it."""
    from runner.cli.runs_control import stop  # noqa: PLC0415 - loaded when asked for

    directory = run_store(record).find(run)
    stop(directory)
    sys.stderr.write(f"it has stopped; resume with: runner resume {directory.run}\n")
    return ExitCode.SUCCESS


@command.command("approve", epilog=EXAMPLES)
@click.argument("run", shell_complete=complete_runs)
@click.argument("step", shell_complete=complete_gates)
@option("--reject", is_flag=True, help="Say no: the run ends at the gate, with exit code 4.")
@record_option
def approve_gate(run: str, step: str, reject: bool, record: Path | None) -> int:
    """Answer the gate STEP of RUN, which waits for it or ended at it; your user name is recorded."""
    from runner.cli.runs_control import approve  # noqa: PLC0415 - loaded when asked for

    sys.stderr.write(approve(run_store(record).find(run), step, go=not reject) + "\n")
    return ExitCode.SUCCESS


@command.command("diff", epilog=EXAMPLES)
@click.argument("first", metavar="RUN1", shell_complete=complete_runs)
@click.argument("second", metavar="RUN2", shell_complete=complete_runs)
@record_option
@problem_output_option
def diff_runs(first: str, second: str, record: Path | None, output: str) -> int:
    """Compare two runs by step and host: status, exit code, output; exit code 5 where they differ."""
    from runner.cli.runs_diff import diff_lines  # noqa: PLC0415 - loaded when asked for
    from runner.runs.compare import compare, comparison_document  # noqa: PLC0415

    store = run_store(record)
    one, other = store.find(first).replay(), store.find(second).replay()
    found = list(compare(one, other))
    if output == "json":
        _print(comparison_document(one, other, found))
    else:
        show(diff_lines(one, other, found, width()))
    return ExitCode.DIFFERENT if found else ExitCode.SUCCESS


@command.command("export", epilog=EXAMPLES)
@click.argument("run", shell_complete=complete_runs)
@option(
    "-o",
    "--output",
    type=_ExportForm(),
    default="json",
    show_default=True,
    help="As `runner run -o` prints it.",
)
@option("--file", metavar="PATH", help="Where to [standard output].")
@record_option
def export_run(run: str, output: str, file: str | None, record: Path | None) -> int:
    """Print RUN as `runner run -o json` or `-o jsonl` would have."""
    from runner.runs.outcome import events_of  # noqa: PLC0415 - loaded when asked for

    history = run_store(record).find(run).replay()
    presenters = _presenters((f"{output}={file}", "quiet") if file else (output,))
    _tell(presenters, events_of(history))
    return _closed(presenters, ExitCode.SUCCESS)


@command.command("prune", epilog=EXAMPLES)
@option("--keep", type=click.IntRange(0), metavar="N", help="Not the newest N.")
@option("--older-than", type=DurationType(), metavar="DURATION", help="Only older ones, e.g. 30d.")
@option("--dry-run", is_flag=True, help="Only say what would be removed.")
@option("--yes", is_flag=True, help="Do not ask.")
@record_option
def prune_runs(
    keep: int | None, older_than: float | None, dry_run: bool, yes: bool, record: Path | None
) -> int:
    """Remove runs that are over, with their outputs; what is going on stays."""
    if keep is None and older_than is None:
        raise UsageError(
            "prune-without-limit",
            "it is not said which runs to remove",
            hints=("e.g. `runner runs prune --keep 100`, `--older-than 30d`, or both",),
        )
    store, age = run_store(record), None if older_than is None else timedelta(seconds=older_than)
    now = datetime.now(UTC)
    removed = store.prune(keep=keep, older_than=age, now=now, dry_run=True)
    size = _size(sum(one.size for one in removed))
    count = f"{len(removed)} run{'' if len(removed) == 1 else 's'} ({size})"
    for one in removed:
        click.echo(one.run)
    if dry_run or not removed:
        sys.stderr.write(f"{count} would be removed\n" if removed else "nothing to remove\n")
        return ExitCode.SUCCESS
    if not yes and not _agreed(f"remove {count}?"):
        sys.stderr.write("nothing was removed\n")
        return ExitCode.REFUSED
    store.prune(keep=keep, older_than=age, now=now)
    sys.stderr.write(f"{count} removed\n")
    return ExitCode.SUCCESS


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("no-terminal", "there is no terminal to ask on", hints=("say `--yes`",))
    return click.confirm(question, err=True)


def _size(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size //= 1024
    return f"{size:.0f} GiB"


def _chosen(history: History, step: str | None, host: str | None) -> list[Result]:
    from runner.runs.outcome import outcomes  # noqa: PLC0415 - loaded when asked for

    known = list(outcomes(history).values())
    for word, given, names in (
        ("step", step, [one.id for one in history.header.steps]),
        ("host", host, list(dict.fromkeys(result.host for result in known))),
    ):
        if given is not None and given not in names:
            raise UsageError(
                f"unknown-{word}",
                f"run `{history.header.run}` knows no {word} `{given}`",
                hints=suggestion(given, names),
            )
    return [
        result
        for result in known
        if (step is None or result.step == step) and (host is None or result.host == host)
    ]


def _presenters(outputs: tuple[str, ...], *, no_color: bool = False, verbosity: int = 0) -> Presenters:
    screen = Screen(stdout=sys.stdout, stderr=sys.stderr, no_color=no_color)
    return open_presenters(outputs, screen=screen, mask=str, verbosity=verbosity)


def _tell(presenters: Presenters, events: Iterable[RunEvent]) -> None:
    for event in events:
        presenters.on_event(event)


def _closed(presenters: Presenters, code: int) -> int:
    try:
        presenters.close()
    except OutputNotWritten as error:
        complain(error.problems)
        return ExitCode.FAILED
    return code


def _print(document: Any) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))

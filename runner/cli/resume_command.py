"""``runner resume``: go on where a run stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from runner.cli.complain import refuse
from runner.cli.completing import complete_runs, complete_steps_of_run
from runner.cli.options import (
    DocumentFormType,
    DurationType,
    ThrottleType,
    diff_option,
    extra_option,
    lock_options,
    option,
    output_options,
    trace_option,
)
from runner.cli.record import record_folder
from runner.errors import ExitCode
from runner.journal.record import Choice

EXAMPLES = """\b
Examples:
  runner resume last                                   asks about what may have run
  runner resume 2026-11-21T015000Z-7f3a --unknown skip
  runner resume last -e token=@token.yml               secret inputs are not recorded
  runner resume last --rerun fetch_token               again, although done
  runner resume last --allow-changed                   the playbook was mended meanwhile
  runner resume last --check -o json                   done, to run and unknown, without doing it

What is done stays done. RUN is a run's id, the beginning of one, or `last`.
Exit codes: as `runner run`; 4 where the run cannot be gone on with. With --check 0 where it can."""


@click.command(epilog=EXAMPLES)
@click.pass_context
@click.argument("run", shell_complete=complete_runs)
@extra_option
@option(
    "--unknown",
    type=click.Choice([choice.value for choice in Choice], case_sensitive=False),
    help="What began and nobody knows how it ended: run it again, take it for done, or leave it unknown"
    " [asked on a terminal, else fail].",
)
@option("--allow-changed", is_flag=True, help="Go on though playbook, scripts, inventory or inputs changed.")
@option(
    "--rerun",
    multiple=True,
    metavar="ID",
    shell_complete=complete_steps_of_run,
    help="Run this step again although done; repeatable.",
)
@option("--check", is_flag=True, help="Only say what would be done; connects to nothing, asks nobody.")
@option("-f", "--throttle", type=ThrottleType(), metavar="N", help="Hosts at once, a step and the run.")
@option("--timeout", type=DurationType(), metavar="DURATION", help="Limit of this part of the run, e.g. 30m.")
@lock_options
@diff_option
@output_options
@trace_option
@click.option("--no-input", is_flag=True, envvar="RUNNER_NO_INPUT", help="Never ask; a prompt is an error.")
@click.option(
    "--yes", is_flag=True, envvar="RUNNER_YES", help="Accepted; never answers what is unknown, or a gate."
)
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=["RUNNER_RECORD", "RUNNER_HOME"],
    metavar="DIR",
    help="Where the run is recorded [.runner/ of the repository here].",
)
def command(
    context: click.Context,
    /,
    run: str,
    unknown: str | None,
    output: tuple[str, ...],
    verbose: int,
    no_input: bool,
    record: Path | None,
    **options: Any,
) -> int:
    """Go on with RUN where it stopped, was stopped, or broke off.

    What ended well stays done and its registered results come back; what failed, was not reached or not started is
    run; what had begun and not ended is asked about. Playbook, scripts, inventory and inputs must be as they were.
    """
    from runner.cli.resuming import Resuming, resume  # noqa: PLC0415 - the help needs none of it
    from runner.cli.running import Locking, Showing  # noqa: PLC0415

    folder = (record or record_folder(Path("playbook"), os.environ)).absolute()
    locking = Locking(database=options.pop("database"), wait=options.pop("lock_wait"))
    shown = {name: options.pop(name) for name in ("no_color", "diff", "trace")}
    showing = Showing(outputs=output, verbosity=verbose, no_input=no_input, **shown)
    only_look = options.pop("check")
    del options["yes"]  # never answers anything here
    resuming = Resuming(
        unknown=Choice(unknown.lower()) if unknown else None,
        resume_options=f" --record {record}" if record else "",
        **options,
    )
    as_json = DocumentFormType().convert(output, None, context) == "json"
    if only_look:
        from runner.cli.resume_check import check  # noqa: PLC0415 - as above

        outcome = check(folder, run, resuming, as_json=as_json)
    else:
        outcome = resume(folder, run, resuming, showing, locking)
    if isinstance(outcome, int):
        return outcome
    refuse(outcome.problems.sorted(), outcome.sources, as_json=as_json)
    return ExitCode.STOPPED

"""``runner run``: validate, plan, execute, show."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runner.cli.complain import complain, refuse
from runner.cli.completing import complete_files
from runner.cli.options import (
    check_options,
    choice_options,
    connection_options,
    extra_option,
    inventory_option,
    lock_options,
    output_options,
    record_options,
    trace_option,
)
from runner.cli.prepare import Given, Prepared, prepare
from runner.cli.record import keep_out_of_git, record_folder
from runner.engine.result import Result
from runner.errors import UsageError
from runner.plan.model import Plan
from runner.transport.port import Login
from runner.values import JsonValue, Secret

EXAMPLES = """\b
Examples:
  runner run playbooks/patch.yml -i inventories/prod.yml
  runner run patch.yml -i prod.yml -l web -e version=2.1 -f 50
  runner run report.yml -i prod.yml -o rich -o json=report.json
  runner run patch.yml -i prod.yml -l 'web:&@last:failed'
  runner run report.yml -i prod.yml -o jsonl | jq -c 'select(.event == "assignment_ended")'

Ctrl-C ends what runs on the hosts, then the run; a second Ctrl-C hurries. `runner resume` goes on.
Exit codes: 0 all well, 1 failed, 2 nothing was run, 3 unreachable, 4 stopped by a policy, 130 Ctrl-C."""


@click.command(epilog=EXAMPLES)
@click.argument("playbook", shell_complete=complete_files)
@inventory_option
@choice_options
@extra_option
@connection_options
@lock_options
@output_options
@trace_option
@check_options
@record_options
def command(
    playbook: str,
    ask_password: bool,
    output: tuple[str, ...],
    no_color: bool,
    verbose: int,
    no_input: bool,
    record: Path | None,
    **options: Any,
) -> int:
    """Check a playbook completely, then run it over its hosts."""
    limits = {name: options.pop(name) for name in ("database", "lock_wait", "diff", "trace")}
    password = asked_password(no_input=no_input) if ask_password else None
    folder = record or record_folder(Path(playbook), os.environ)
    given = Given(
        **options,
        password=password,
        no_input=no_input,
        results_of=lambda run: results_of(folder, run),
    )
    return run_prepared(
        prepare(playbook, given),
        given,
        Recording(playbook, folder, record),
        Telling(output=output, no_color=no_color, verbose=verbose, **limits),
    )


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a run is recorded, and as what.

    ``path`` is the playbook's, ``folder`` where it is recorded, ``record`` that folder as ``--record`` gave it (None
    where it was not given), ``more`` what is kept of options that only some commands have.
    """

    path: str
    folder: Path
    record: Path | None = None
    more: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The options of the same names that say how a run is shown, and how it waits for hosts that others hold."""

    output: Sequence[str] = ()
    no_color: bool = False
    verbose: int = 0
    diff: bool = False
    trace: Path | None = None
    database: str | None = None
    lock_wait: float = 0.0


def run_prepared(prepared: Prepared, given: Given, recording: Recording, telling: Telling) -> int:
    """Run what was prepared, record and show it; gives the exit code. Where it has problems, they are told."""
    output, record = telling.output, recording.record
    as_json = any(text in {"json", "jsonl"} for text in output)
    found = prepared.problems.sorted()
    plan = prepared.plan
    if plan is None:
        return refuse(found, prepared.sources, as_json=as_json)
    if found:
        complain(found, prepared.sources)
    from runner.cli.kept import keep_new  # noqa: PLC0415 - transports are loaded when a plan stands
    from runner.cli.recording import header_of  # noqa: PLC0415
    from runner.cli.running import Locking, Showing, execute  # noqa: PLC0415

    logins = read_logins(prepared, plan, no_input=given.no_input)
    try:
        return execute(
            plan,
            logins,
            showing=Showing(
                outputs=output,
                no_color=telling.no_color,
                verbosity=telling.verbose,
                no_input=given.no_input,
                diff=telling.diff,
                trace=telling.trace,
            ),
            keep=lambda: keep_new(
                recording.folder,
                header_of(prepared, plan, given, path=recording.path, logins=logins, more=recording.more),
                resume_options=f" --record {record}" if record else "",
            ),
            locking=Locking(database=telling.database, wait=telling.lock_wait),
        )
    finally:
        keep_out_of_git(recording.folder)


def results_of(folder: Path, run: str) -> Sequence[Result]:
    """The results of an earlier run, without outputs.

    Raises:
        UsageError: no run is named so.
        JournalError: its journal cannot be read.

    """
    from runner.journal.store import RunStore  # noqa: PLC0415 - few limits name runs
    from runner.runs.outcome import outcomes  # noqa: PLC0415

    history = RunStore(folder).find(run).replay(outputs=False, recover=True)
    return tuple(outcomes(history).values())


def asked_password(*, no_input: bool = False) -> Secret:
    """The password that `--ask-password` asks for.

    Raises:
        UsageError: there is no terminal, or nothing may be asked.

    """
    if no_input or not sys.stdin.isatty():
        raise UsageError(
            "no-terminal", "`--ask-password` needs a terminal to ask on", hints=("use a credential",)
        )
    return Secret(getpass.getpass("login password: "))


def read_logins(prepared: Prepared, plan: Plan, *, no_input: bool = False) -> Mapping[str, Login]:
    """The logins that the plan needs, read before the first connection.

    Raises:
        CredentialError: a source gave nothing.

    """
    from runner.credentials.logins import read_logins as read  # noqa: PLC0415 - few runs need credentials
    from runner.credentials.sources import SecretReader  # noqa: PLC0415

    credentials = prepared.playbook.credentials if prepared.playbook else {}
    reader = SecretReader(terminal=False if no_input else None, render=plan.scopes.common.render)
    return {**read(credentials, plan.credentials_needed, reader), **plan.logins}

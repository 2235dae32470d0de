"""``runner plan``: what a run would do, exactly; connects to nothing, but with ``--check`` to compare."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from runner.cli.complain import complain, refuse, use_color
from runner.cli.completing import complete_files
from runner.cli.options import (
    DocumentFormType,
    check_options,
    choice_options,
    connection_options,
    extra_option,
    inventory_option,
    lock_options,
    option,
    output_options,
    trace_option,
)
from runner.cli.plan_show_command import command as show_command
from runner.cli.prepare import Given, Prepared, prepare
from runner.cli.record import record_folder
from runner.errors import ExitCode
from runner.plan.model import Plan
from runner.present.paint import Painter
from runner.present.plan_document import plan_document
from runner.present.plan_view import plan_lines
from runner.values import Secret

EXAMPLES = """\b
Examples:
  runner plan playbooks/patch.yml -i inventories/prod.yml
  runner plan patch.yml -i prod.yml -l 'web:!canary' -t restart
  runner plan patch.yml -i prod.yml -o json | jq '.steps[].assignments[].host'
  runner plan patch.yml -i prod.yml --out patch.plan   for `runner plan show` and `runner apply`
  runner plan site.yml -i prod.yml --check --diff      what would change, and how
  runner plan site.yml -i prod.yml --check -o jsonl --record drift

--check connects and compares, changes nothing, and is recorded as a run of kind `check`.
Exit codes: 0 planned, 2 wrong; with --check also 1 failed, 3 unreachable, 5 something would change."""

_SHOWN = ("diff", "no_color", "verbose", "trace", "database", "lock_wait")
"""Options of a check that do not decide what is planned."""


class PlanCommand(click.Group):
    """Plans the playbook that is named, where the first word is none of the commands below (``show``).

    A playbook that has such a name is written with its folder: ``./show``.
    """

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that the words mean."""
        below = self.commands.get(args[0]) if args else None
        if below is None:
            return super().make_context(info_name, args, parent, **extra)
        settings = (parent.default_map or {}).get(info_name or "") if parent is not None else None
        name = f"{info_name} {below.name}"
        return below.make_context(name, args[1:], parent, default_map=settings, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As of a command: options may stand behind the playbook."""
        ctx.allow_extra_args, ctx.allow_interspersed_args = False, True
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As of a command."""
        return click.Command.invoke(self, ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command below that the words name, or this one."""
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return self.name, self, args

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Those of a command."""
        return click.Command.collect_usage_pieces(self, ctx)


@click.command(cls=PlanCommand, epilog=EXAMPLES, no_args_is_help=False)
@click.argument("playbook", shell_complete=complete_files)
@inventory_option
@choice_options
@extra_option
@connection_options
@option("--out", metavar="FILE", help="Write the plan to FILE, for `plan show` and `apply`; never connects.")
@check_options
@option("--exit-zero", is_flag=True, help="With --check: end with 0 where something would change.")
@lock_options
@output_options
@trace_option
@click.option("--no-input", is_flag=True, envvar="RUNNER_NO_INPUT", help="Never ask; a prompt is an error.")
@click.option(
    "--record",
    is_flag=False,
    flag_value="",
    envvar=["RUNNER_RECORD", "RUNNER_HOME"],
    metavar="[DIR]",
    help="With --check: where it is recorded [.runner/ of the playbook's repository].",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    playbook: str,
    ask_password: bool,
    out: str | None,
    exit_zero: bool,
    output: tuple[str, ...],
    record: str | None,
    **options: Any,
) -> int:
    """Show the exact steps x hosts, their order and the digests of what is sent; connects to nothing.

    With --out they are written to a plan file, which `runner apply` runs if nothing has changed since. With --check
    the hosts are asked what would change.
    """
    shown = {name: options.pop(name) for name in _SHOWN}
    if options["check"] and out is None:
        code = _check(playbook, ask_password, output, record, shown, options)
        return ExitCode.SUCCESS if exit_zero and code == ExitCode.DIFFERENT else code
    as_json = DocumentFormType().convert(output, None, context) == "json"
    # A run asks for the password; the plan only knows that there will be one.
    password = Secret("") if ask_password and out is not None else None
    given = Given(**options, password=password, results_of=_results_of(playbook, record))
    prepared = prepare(playbook, given)
    plan = prepared.plan
    found = prepared.problems.sorted()
    if plan is None:
        return refuse(found, prepared.sources, as_json=as_json)
    if found:
        complain(found, prepared.sources)
    document = plan_document(plan) if out is None else _write(out, prepared, plan, given, playbook)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(Painter(use_color(sys.stdout)).paint_all(plan_lines(plan)), nl=False)
    if out is not None:
        _tell_written(out, document)
    return ExitCode.SUCCESS


command.add_command(show_command)


def _write(out: str, prepared: Prepared, plan: Plan, given: Given, playbook: str) -> dict[str, Any]:
    from runner.cli.plan_file import document_of  # noqa: PLC0415 - few plans are written
    from runner.planfile.copied import open_sources  # noqa: PLC0415
    from runner.planfile.file import write_plan_file  # noqa: PLC0415

    document = document_of(prepared, plan, given, path=playbook)
    if warnings := open_sources(plan):
        complain(warnings, prepared.sources)
    write_plan_file(out, document)
    return document


def _tell_written(out: str, document: dict[str, Any]) -> None:
    from runner.planfile.signature import sign_with  # noqa: PLC0415 - few plans are written

    secrets = "".join(f" -e {name}=..." for name in document["options"].get("secret_extras", ()))
    sys.stderr.write(
        f"plan file {out}, digest {document['digest']}\n"
        f"look at it: runner plan show {out}\n"
        f"sign it:    {sign_with(out)}\n"
        f"run it:     runner apply {out}{secrets}\n"
    )


def _folder(playbook: str, record: str | None) -> Path:
    return Path(record) if record else record_folder(Path(playbook), os.environ)


def _results_of(playbook: str, record: str | None) -> Any:
    from runner.cli.run_command import results_of  # noqa: PLC0415 - few limits name runs

    return lambda run: results_of(_folder(playbook, record), run)


def _check(
    playbook: str,
    ask_password: bool,
    output: tuple[str, ...],
    record: str | None,
    shown: dict[str, Any],
    options: dict[str, Any],
) -> int:
    from runner.cli.run_command import (  # noqa: PLC0415 - a plan alone runs nothing
        Recording,
        Telling,
        asked_password,
        run_prepared,
    )

    password = asked_password(no_input=options["no_input"]) if ask_password else None
    given = Given(**options, password=password, results_of=_results_of(playbook, record))
    return run_prepared(
        prepare(playbook, given),
        given,
        Recording(playbook, _folder(playbook, record), Path(record) if record else None),
        Telling(output=[form for form in output if form != "text"], **shown),
    )

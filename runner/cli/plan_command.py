"""``runner plan``: what a run would do, exactly; connects to nothing."""

from __future__ import annotations

import json
import sys

import click

from runner.cli.complain import complain, refuse, use_color
from runner.cli.options import (
    choice_options,
    connection_options,
    extra_option,
    inventory_option,
    problem_output_option,
)
from runner.cli.prepare import Given, prepare
from runner.errors import ExitCode
from runner.present.paint import Painter
from runner.present.plan_document import plan_document
from runner.present.plan_view import plan_lines

EXAMPLES = """\b
Examples:
  runner plan playbooks/patch.yml -i inventories/prod.yml
  runner plan patch.yml -i prod.yml -l 'web:!canary' -t restart
  runner plan patch.yml -i prod.yml -o json | jq '.steps[].assignments[].host'"""


@click.command(epilog=EXAMPLES)
@click.argument("playbook")
@inventory_option
@choice_options
@extra_option
@connection_options
@problem_output_option
def command(playbook: str, ask_password: bool, output: str, **given: object) -> int:
    """Show the exact steps x hosts, their order and the digests of what is sent; connects to nothing."""
    del ask_password  # accepted as for run, asked for by a run only
    prepared = prepare(playbook, Given(**given))  # type: ignore[arg-type]
    plan = prepared.plan
    found = prepared.problems.sorted()
    if plan is None:
        return refuse(found, prepared.sources, as_json=output == "json")
    if found:
        complain(found, prepared.sources)
    if output == "json":
        click.echo(json.dumps(plan_document(plan), indent=2, ensure_ascii=False))
    else:
        click.echo(Painter(use_color(sys.stdout)).paint_all(plan_lines(plan)), nl=False)
    return ExitCode.SUCCESS

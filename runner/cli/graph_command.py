"""``runner graph``: the DAG of a playbook, drawn."""

from __future__ import annotations

import click

from runner.cli.complain import refuse
from runner.cli.completing import complete_files
from runner.cli.options import choice_options, extra_option, inventory_option, option
from runner.cli.prepare import Given, prepare
from runner.errors import ExitCode
from runner.plan.graph import FORMATS, draw, drawing_of

EXAMPLES = """\b
Examples:
  runner graph playbooks/patch.yml -i inventories/prod.yml
  runner graph patch.yml -i prod.yml --format svg > patch.svg
  runner graph patch.yml -i prod.yml --format mermaid      for a Markdown page"""


@click.command(epilog=EXAMPLES)
@click.argument("playbook", shell_complete=complete_files)
@option("--format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to draw.")
@inventory_option
@choice_options
@extra_option
def command(playbook: str, format: str, **given: object) -> int:  # noqa: A002 - the option's name
    """Draw the steps of a playbook and what they wait for; connects to nothing."""
    prepared = prepare(playbook, Given(**given), validating=True)  # type: ignore[arg-type]
    if prepared.plan is None:
        return refuse(prepared.problems.sorted(), prepared.sources, as_json=format == "json")
    click.echo(draw(drawing_of(prepared.plan), format), nl=False)
    return ExitCode.SUCCESS

"""``runner schema``: the JSON Schemas, for editors and checkers."""

from __future__ import annotations

import click

from runner.cli.completing import complete_schemas
from runner.errors import ExitCode, UsageError
from runner.problems import suggestion
from runner.schema_files import schema_names, schema_text

EXAMPLES = """\b
Examples:
  runner schema playbook > playbook.schema.json
  runner schema                                  the names there are

In a playbook's first line, for editors with yaml-language-server:
  # yaml-language-server: $schema=playbook.schema.json"""


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_schemas)
def command(name: str | None) -> int:
    """Print a JSON Schema; without a name, the names there are."""
    names = schema_names()
    if name is None:
        click.echo("\n".join(names))
        return ExitCode.SUCCESS
    if name not in names:
        raise UsageError("unknown-schema", f"no schema is named `{name}`", hints=suggestion(name, names))
    click.echo(schema_text(name), nl=False)
    return ExitCode.SUCCESS

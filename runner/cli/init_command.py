"""``runner init``: the beginning of a repository of runbooks."""

from __future__ import annotations

from pathlib import Path

import click

from runner.errors import ExitCode, UsageError
from runner.schema_files import schema_text

EXAMPLES = """\b
Examples:
  runner init ops && cd ops && runner run playbooks/hello.yml
  runner init .                       into the repository you stand in"""

_PLAYBOOK = """\
# yaml-language-server: $schema=../schemas/playbook.schema.json
version: 1
name: Hello

inputs:
  who: {type: string, default: world, description: whom to greet}

steps:
  - id: greet
    script: |
      echo "hello $Using:who from $(uname -n)"
    register: greeting

  - id: report
    shell: python
    script: |
      for host, result in $Using:results.greeting.items():
          print(host, "said", result["output"])
"""

_INVENTORY = """\
# yaml-language-server: $schema=../schemas/inventory.schema.json
version: 1

# Hosts are reached over SSH unless they say otherwise; ~/.ssh/config applies where this file is silent.
hosts: {}
#  web01: {address: 10.0.0.11}

groups: {}
#  web:
#    hosts: {"web[01:20]": {}}
#    vars: {tier: front}
#    connection: {user_name: ops}
"""

_SETTINGS = """\
# Defaults for the options of every command; the command line and RUNNER_<NAME> win.
inventory = ["inventories/hosts.yml"]
"""

_README = """\
# Runbooks

    runner validate playbooks/                    # every problem, nothing connected
    runner plan playbooks/hello.yml               # what would run where
    runner run playbooks/hello.yml -e who=you
"""


@click.command(epilog=EXAMPLES)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def command(directory: Path) -> int:
    """Start a repository of runbooks: a playbook, an inventory, settings and the schemas for your editor.

    Files that exist are never overwritten.
    """
    files = {
        "playbooks/hello.yml": _PLAYBOOK,
        "inventories/hosts.yml": _INVENTORY,
        "schemas/playbook.schema.json": schema_text("playbook"),
        "schemas/inventory.schema.json": schema_text("inventory"),
        "runner.toml": _SETTINGS,
        ".gitignore": ".runner/\n",
        "README.md": _README,
    }
    for name, text in files.items():
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            click.echo(f"made   {path}")
        except FileExistsError:
            click.echo(f"kept   {path}")
        except OSError as error:
            raise UsageError("cannot-write", f"`{path}` cannot be written: {error.strerror}") from error
    where = "" if directory == Path() else f"cd {directory} && "
    click.echo(f"\nnext: {where}runner run playbooks/hello.yml")
    return ExitCode.SUCCESS

"""``runner inventory``: what the inventory resolves to."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from runner.cli.complain import complain
from runner.cli.options import hand_on_settings, inventory_option, problem_output_option
from runner.errors import DocumentError, ExitCode, UsageError
from runner.inventory.inventory import Inventory
from runner.inventory.load import load_inventory
from runner.inventory.model import ALL
from runner.inventory.patterns import select
from runner.inventory.render import graph_lines, host_details, host_lines, listing, listing_lines
from runner.problems import Problems, suggestion
from runner.values import JsonValue

EXAMPLES = """\b
Examples:
  runner inventory list -i inventories/prod.yml
  runner inventory list 'web:!canary' -i prod.yml -o json
  runner inventory graph -i prod.yml
  runner inventory host web01 -i prod.yml        variables, each with its place"""


@click.group(epilog=EXAMPLES)
@click.pass_context
def command(context: click.Context) -> None:
    """Show what the inventory resolves to; connects to nothing."""
    hand_on_settings(context)


@command.command("list", epilog=EXAMPLES)
@click.argument("pattern", default=ALL)
@inventory_option
@problem_output_option
def list_hosts(pattern: str, inventory: tuple[str, ...], output: str) -> int:
    """List the hosts of a PATTERN (all); as JSON in the form of Ansible's --list."""
    loaded = _load(inventory)
    problems = Problems()
    chosen = select(loaded, pattern, problems)
    _refuse(problems)
    _print(output, listing_lines(loaded, chosen), listing(loaded, chosen))
    return ExitCode.SUCCESS


@command.command("graph", epilog=EXAMPLES)
@click.argument("group", default=ALL)
@inventory_option
@problem_output_option
def graph(group: str, inventory: tuple[str, ...], output: str) -> int:
    """Draw groups and hosts as a tree, below GROUP (all)."""
    loaded = _load(inventory)
    if group not in loaded.groups:
        raise UsageError(
            "unknown-group", f"no group is named `{group}`", hints=suggestion(group, loaded.groups)
        )
    tree: JsonValue = {
        name: {"hosts": list(loaded.groups[name].hosts), "children": list(loaded.groups[name].children)}
        for name in loaded.descendants(group)
    }
    _print(output, graph_lines(loaded, group), tree)
    return ExitCode.SUCCESS


@command.command("host", epilog=EXAMPLES)
@click.argument("name")
@inventory_option
@problem_output_option
def host(name: str, inventory: tuple[str, ...], output: str) -> int:
    """Show the variables and connection settings of a host NAME, each with where it came from."""
    loaded = _load(inventory)
    if name not in loaded.hosts:
        raise UsageError("unknown-host", f"no host is named `{name}`", hints=suggestion(name, loaded.hosts))
    _print(output, host_lines(loaded, name), host_details(loaded, name))
    return ExitCode.SUCCESS


def _load(paths: tuple[str, ...]) -> Inventory:
    if not paths:
        raise UsageError(
            "inventory-missing",
            "no inventory is given",
            hints=("give one with `-i PATH`, or in runner.toml",),
        )
    problems = Problems()
    loaded = load_inventory(list(paths), problems)
    _refuse(problems)
    return loaded


def _refuse(problems: Problems) -> None:
    """Show warnings; refuse errors.

    Raises:
        DocumentError: there is an error.

    """
    if problems.has_errors:
        raise DocumentError(problems.sorted())
    if len(problems):
        complain(problems)


def _print(output: str, lines: Sequence[str], data: JsonValue) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False) if output == "json" else "\n".join(lines))

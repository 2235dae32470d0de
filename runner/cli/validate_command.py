"""``runner validate``: every problem of playbooks and inventories at once; connects to nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.cli.complain import complain
from runner.cli.completing import complete_files
from runner.cli.extras import read_extras
from runner.cli.options import extra_option, inventory_option, problem_output_option
from runner.cli.prepare import Given, prepare
from runner.document.nodes import AnyNode, Document, Mapping
from runner.document.nodes import Sequence as SequenceNode
from runner.document.reader import INVENTORY_LIMIT, read_source
from runner.document.schema import check_steps_file
from runner.document.yaml import load
from runner.errors import ExitCode
from runner.inventory.load import load_inventory
from runner.problems import Problems

_YAML_SUFFIXES = {".yml", ".yaml"}
_PLAYBOOK_KEYS = frozenset(
    {
        "steps",
        "inputs",
        "credentials",
        "session_options",
        "targets",
        "sessions",
        "scripts",
        "defaults",
        "requires",
    }
)
_PLAY_KEYS = frozenset({"tasks", "roles", "pre_tasks", "post_tasks", "handlers", "gather_facts"})

EXAMPLES = """\b
Examples:
  runner validate playbooks/patch.yml -i inventories/prod.yml
  runner validate playbooks/ inventories/        every YAML file below
  runner validate patch.yml -o json              for editors and pipelines

Exit code 2 where anything is an error, else 0."""


@click.command(epilog=EXAMPLES)
@click.argument("path", nargs=-1, required=True, shell_complete=complete_files)
@inventory_option
@extra_option
@problem_output_option
def command(path: tuple[str, ...], inventory: tuple[str, ...], extra: tuple[str, ...], output: str) -> int:
    """Check playbooks and inventories; connects to nothing.

    Says every problem at once, each with file:line:column, a code and a hint. An input without a value is no problem
    here.
    """
    problems, sources = Problems(), {}
    files = [file for name in path for file in _files(Path(name))]
    read_extras(extra)
    for file in files:
        sources.update(_check(file, Given(inventory=inventory, extra=extra), problems))
    found = problems.sorted()
    if found or output == "json":
        complain(found, sources, as_json=output == "json")
    if output != "json":
        _tell(len(files), problems)
    return ExitCode.REFUSED if problems.has_errors else ExitCode.SUCCESS


def _tell(files: int, problems: Problems) -> None:
    counted = "1 file" if files == 1 else f"{files} files"
    space = "\n" if len(problems) else ""
    verdict = "refused" if problems.has_errors else "valid"
    sys.stderr.write(f"{space}{verdict}: {counted} checked, nothing was connected to\n")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix in _YAML_SUFFIXES
        and not any(part.startswith(".") or part in {"group_vars", "host_vars"} for part in file.parts)
    )


def _check(path: Path, given: Given, problems: Problems) -> dict[str, str]:
    """Check one file as what it is; gives the texts that were read."""
    quiet = Problems()
    source = read_source(path, quiet, limit=INVENTORY_LIMIT)
    document = load(source, quiet) if source is not None and path.suffix in _YAML_SUFFIXES else None
    root = document.root if document is not None else None
    if root is not None and _is_steps_file(root):
        return _check_steps(document, quiet, problems)
    if root is not None and not _is_playbook(root):
        load_inventory([str(path)], problems)
    elif path.suffix in _YAML_SUFFIXES or source is None:
        prepared = prepare(str(path), given, validating=True)
        problems.extend(prepared.problems)
        return prepared.sources
    else:
        load_inventory([str(path)], problems)
    return {source.path: source.text} if source is not None else {}


def _check_steps(document: Document | None, quiet: Problems, problems: Problems) -> dict[str, str]:
    problems.extend(quiet)
    if document is None:
        return {}
    check_steps_file(document, problems)
    return {document.source.path: document.source.text}


def _is_playbook(root: AnyNode) -> bool:
    if not isinstance(root, Mapping):
        return True
    keys = set(root.entries)
    return bool(keys & _PLAYBOOK_KEYS) or not keys & {
        "hosts",
        "groups",
        "all",
        "connection",
        "children",
        "ungrouped",
    }


def _is_steps_file(root: AnyNode) -> bool:
    """A list is one, unless it holds plays of Ansible; so is a mapping with steps and nothing else."""
    if isinstance(root, SequenceNode):
        return not any(isinstance(item, Mapping) and item.entries.keys() & _PLAY_KEYS for item in root.items)
    return isinstance(root, Mapping) and set(root.entries) == {"steps"}

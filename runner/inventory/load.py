"""Loads an inventory: finds its files, tells their form, and merges all sources into one."""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runner.document.nodes import Source
from runner.document.reader import INVENTORY_LIMIT, read_source, written_path
from runner.document.vault import is_vaulted
from runner.document.yaml import load
from runner.inventory.ansible_yaml import read_ansible_yaml
from runner.inventory.builder import InventoryBuilder
from runner.inventory.ini import read_ini
from runner.inventory.inventory import Inventory
from runner.inventory.listing import is_listing, read_listing
from runner.inventory.model import UNGROUPED
from runner.inventory.names import split_port
from runner.inventory.native import read_native
from runner.inventory.script import read_executable
from runner.inventory.values import VariableMaker
from runner.inventory.vars_files import add_vars_files, names_in
from runner.problems import Problems
from runner.values import Span

_NATIVE = re.compile(r"""^["']?(?:version|connection|hosts|groups)["']?[ \t]*:""", re.MULTILINE)
_FIRST_LINE = re.compile(r"^[ \t]*(?![ \t#;\r\n])(.*)$", re.MULTILINE)
_YAML_LINE = re.compile(r"---|%YAML|[^\s\[=#]+:(?:\s|$)")
_YAML_ENDINGS = {".yml", ".yaml"}
_LINES_ENDINGS = {".ini", ".cfg", ".txt", ".hosts"}
# What Ansible leaves out of a folder of inventories (its INVENTORY_IGNORE_EXTS).
_IGNORED_ENDINGS = (
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"
)  # fmt: skip
_IGNORED_NAMES = {"group_vars", "host_vars", "vars_plugins"}


def load_inventory(
    paths: Sequence[str], problems: Problems, *, playbook_dir: Path | None = None
) -> Inventory:
    """Load and merge the sources of an inventory; a later one adds to and overrides an earlier one, as in Ansible.

    Args:
        paths: what was given with ``-i``: a file, a folder of files, an executable, or names with a comma
            (``web1,web2,``). A file is the native form, Ansible's YAML or INI, its ``--list`` JSON, or names a line.
        problems: takes everything that is wrong, with places; what could be read is in the inventory all the same.
        playbook_dir: the playbook's folder, whose ``group_vars/`` and ``host_vars/`` count too.

    Returns:
        The inventory; without sources it is empty.

    """
    with _without_collector():
        return _load(paths, problems, playbook_dir)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's cycle collector would walk the growing tree again and again, a third of the time, and find nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(paths: Sequence[str], problems: Problems, playbook_dir: Path | None) -> Inventory:
    builder = InventoryBuilder()
    folders: dict[Path, None] = {}
    for text in paths:
        path = written_path(text)
        if "," in text and not os.path.exists(path):  # noqa: PTH110 - pathlib raises for a list longer than a name
            _add_names(text, builder, problems)
        else:
            _add_path(path, builder, problems)
            folders[path if path.is_dir() else path.parent] = None
    for folder in folders:
        add_vars_files(folder, builder, problems, playbook=False)
    if playbook_dir is not None:
        add_vars_files(playbook_dir, builder, problems, playbook=True)
    return builder.build(problems)


def _add_names(text: str, builder: InventoryBuilder, problems: Problems) -> None:
    source = Source("-i", text)
    make = VariableMaker(source, problems)
    for part in filter(None, map(str.strip, text.split(","))):
        name, port = split_port(part)
        host = builder.host(name)
        builder.group(UNGROUPED).hosts[name] = None
        if port is not None:
            host.vars["ansible_port"] = make.from_plain("ansible_port", port, f"host `{name}`, `-i`", None)


def _add_path(path: Path, builder: InventoryBuilder, problems: Problems) -> None:
    if path.is_dir():
        for name in names_in(path, problems):
            if not _is_ignored(name):
                _add_path(path / name, builder, problems)
    elif not path.exists():
        problems.error(
            "inventory-not-found", f"there is no inventory `{path}`", None,
            "check the path given with `-i`; for names without a file end the list with a comma: `-i web1,web2,`",
        )  # fmt: skip
    elif _is_program(path):
        if os.access(path, os.X_OK):
            read_executable(path, builder, problems)
        else:
            problems.error(
                "inventory-script-failed", f"`{path}` is a program that may not be executed", Span(str(path)),
                f"run `chmod +x {path}`",
            )  # fmt: skip
    elif path.suffix == ".toml":
        problems.error(
            "inventory-form", f"`{path}` is TOML, which is not read", Span(str(path)),
            f"run `ansible-inventory -i {path} --list > inventory.json` and give that file",
        )  # fmt: skip
    else:
        _add_file(path, builder, problems)


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name in _IGNORED_NAMES or name.endswith(_IGNORED_ENDINGS)


def _is_program(path: Path) -> bool:
    """A script begins with ``#!``, a compiled program with a NUL byte soon; the mode alone says little on shares."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return False  # reading it says why
    return head.startswith(b"#!") or (b"\0" in head and os.access(path, os.X_OK))


def _add_file(path: Path, builder: InventoryBuilder, problems: Problems) -> None:
    source = read_source(path, problems, limit=INVENTORY_LIMIT)
    if source is None or is_vaulted(source, problems):
        return
    first = _FIRST_LINE.search(source.text)
    line = first[1] if first else ""
    if path.suffix == ".json" or line.startswith("{"):
        _add_json(source, builder, problems)
    elif path.suffix in _YAML_ENDINGS or (path.suffix not in _LINES_ENDINGS and _YAML_LINE.match(line)):
        _add_yaml(source, builder, problems)
    else:
        read_ini(source, builder, problems)


def _add_yaml(source: Source, builder: InventoryBuilder, problems: Problems) -> None:
    if _NATIVE.search(source.text):
        _add_native(source, builder, problems)
    else:
        read_ansible_yaml(load(source, problems, ansible=True), builder, problems)


def _add_native(source: Source, builder: InventoryBuilder, problems: Problems) -> None:
    from runner.document.schema import check_inventory  # noqa: PLC0415 - jsonschema is heavy, only this form needs it

    document = load(source, problems)
    check_inventory(document, problems)
    read_native(document, builder, problems)


def _add_json(source: Source, builder: InventoryBuilder, problems: Problems) -> None:
    """JSON is YAML too, so only ``--list`` needs a reader of its own; the others get places from the YAML loader."""
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        data = None  # the YAML loader tells what is wrong, and where
    if isinstance(data, dict) and "version" not in data and is_listing(data):
        read_listing(data, source, builder, problems)
    elif isinstance(data, dict) and data.keys() & {"version", "connection", "hosts", "groups"}:
        _add_native(source, builder, problems)
    else:
        read_ansible_yaml(load(source, problems, ansible=True), builder, problems)

"""``group_vars/`` and ``host_vars/``: variables in files named after groups and hosts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from runner.document.nodes import Mapping, Source
from runner.document.reader import INVENTORY_LIMIT, read_source
from runner.document.vault import is_vaulted
from runner.document.yaml import load
from runner.inventory.builder import InventoryBuilder
from runner.inventory.model import AnyVariable
from runner.inventory.values import VariableMaker
from runner.problems import Problems
from runner.values import Span

_ENDINGS = ("", ".yml", ".yaml", ".json")


def add_vars_files(folder: Path, builder: InventoryBuilder, problems: Problems, *, playbook: bool) -> None:
    """Add the variables of ``folder/group_vars`` and ``folder/host_vars`` to the groups and hosts known so far.

    A name's variables stand in a folder, or a file without ending or with ``.yml``, ``.yaml`` or ``.json``: the first
    of these that is there, as in Ansible. In a folder all such files count, by name, those of its folders too.
    """
    for name in _named_in(folder / "group_vars", problems):
        if name in builder.groups:
            layer = _read(folder / "group_vars", name, f"group `{name}`", problems)
            draft = builder.groups[name]
            if playbook:
                draft.playbook_vars = {**draft.playbook_vars, **layer}
            else:
                draft.inventory_vars = {**draft.inventory_vars, **layer}
    for name in _named_in(folder / "host_vars", problems):
        if name in builder.hosts:
            layer = _read(folder / "host_vars", name, f"host `{name}`", problems)
            builder.set_host_files(name, layer, playbook=playbook)


def names_in(folder: Path, problems: Problems) -> list[str]:
    """The sorted names of what a folder holds; none where there is no such folder, a problem where it is closed."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted, not paths
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problems.error("file-unreadable", f"`{folder}` cannot be read: {error.strerror}", Span(str(folder)))
        return []


def _named_in(folder: Path, problems: Problems) -> list[str]:
    """Names that may have variables here: a listing is one call, asking for each of 50,000 hosts would be as many."""
    names: dict[str, None] = {}
    for entry in names_in(folder, problems):
        names[entry] = None
        for ending in _ENDINGS[1:]:
            if entry.endswith(ending):
                names[entry.removesuffix(ending)] = None
    return list(names)


def _read(folder: Path, name: str, owner: str, problems: Problems) -> dict[str, AnyVariable]:
    layer: dict[str, AnyVariable] = {}
    for path in _files(folder, name, problems):
        source = read_source(path, problems, limit=INVENTORY_LIMIT)
        if source is not None and not is_vaulted(source, problems):
            layer.update(_variables(source, f"{owner}, `{path.parent.name}/{path.name}`", problems))
    return layer


def _files(folder: Path, name: str, problems: Problems) -> Iterable[Path]:
    for ending in _ENDINGS:
        path = folder / f"{name}{ending}"
        if path.is_dir():
            return list(_files_below(path, problems))
        if path.is_file():
            return [path]
    return []


def _files_below(folder: Path, problems: Problems) -> Iterable[Path]:
    for name in names_in(folder, problems):
        path = folder / name
        if name.startswith(".") or name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            yield from _files_below(path, problems)
        elif path.is_file() and path.suffix in _ENDINGS:
            yield path


def _variables(source: Source, owner: str, problems: Problems) -> dict[str, AnyVariable]:
    root = load(source, problems, ansible=True).root
    if root is None:
        return {}
    if not isinstance(root, Mapping):
        problems.error("inventory-shape", f"`{source.path}` must be a mapping of variables", root.span)
        return {}
    make = VariableMaker(source, problems)
    return {key.text: make.from_node(key.text, value, owner) for key, value in root.entries.values()}

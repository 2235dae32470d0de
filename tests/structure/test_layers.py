"""The structure reads as one line: upper layers import lower ones only, pure packages do no I/O, files stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "runner"

# Low to high; names on one row may import each other only downwards in the row's own order of use.
LAYERS = (
    ("values", "objects", "codes"),
    ("units", "problems", "schema_files"),
    ("errors",),
    ("document",),
    ("using",),
    ("inventory", "playbook"),
    ("variables",),
    ("engine", "transport.endpoint", "transport.carrier", "transport.port", "transport.winrm_uris"),
    ("plan",),
    ("transport", "shell", "credentials", "psrp", "wsman", "journal", "locks"),
    ("execute",),
    ("present", "lab", "planfile", "runs"),
    ("cli",),
)
PURE = ("playbook.model", "playbook.parse", "playbook.check", "using", "variables", "plan", "engine.machine")
PURE_EXCEPTIONS = {
    "plan.hosts"
}  # reads the file that `hosts: {file: ...}` names, through the document's reader
IO_MODULES = {"asyncio", "socket", "subprocess", "threading", "random", "time"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name not in {"", "__main__"}:
            yield name, path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(name: str) -> int | None:
    """The number of the layer a module is in: the longest prefix that is listed."""
    best: tuple[int, int] | None = None
    for number, row in enumerate(LAYERS):
        for entry in row:
            if name == entry or name.startswith(entry + "."):
                best = max(best or (0, 0), (len(entry), number))
    return best[1] if best else None


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else "")
def test_a_module_imports_only_its_own_layer_and_those_below(name: str, path: Path) -> None:
    """No stage of the line reaches back."""
    own = layer(name)
    assert own is not None, f"{name} is in no layer"
    for imported in imports(path):
        if imported.startswith("runner."):
            other = layer(imported.removeprefix("runner."))
            assert other is None or other <= own, f"{name} imports {imported}, a layer above it"


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else "")
def test_pure_modules_do_no_input_or_output(name: str, path: Path) -> None:
    """Parsing, checking, planning and the machine are functions of their arguments."""
    if name in PURE_EXCEPTIONS or not any(name == pure or name.startswith(pure + ".") for pure in PURE):
        return

    assert not IO_MODULES & {imported.split(".")[0] for imported in imports(path)}


def test_there_are_no_import_cycles() -> None:
    """Every module can be imported first."""
    names = dict(modules())
    graph = {
        name: {i.removeprefix("runner.") for i in _top_level_imports(path) if i.startswith("runner.")}
        & set(names)
        for name, path in names.items()
    }
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert state.get(name) != 1, f"import cycle: {' -> '.join((*path, name))}"
        if name in state:
            return
        state[name] = 1
        for other in graph[name] - {name}:
            visit(other, (*path, name))
        state[name] = 2

    for name in graph:
        visit(name, ())


def _top_level_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_file_is_longer_than_500_lines() -> None:
    """One idea a file: a file that needs more holds two."""
    everywhere = [*ROOT.rglob("*.py"), *(ROOT.parent / "tests").rglob("*.py")]

    assert [] == [str(p) for p in everywhere if len(p.read_text(encoding="utf-8").splitlines()) > 500]

"""The PowerShell that the product sends and shows, read by a grammar that is not ours: tree-sitter-powershell.

The grammar is no engine. Held against 656 scripts whose errors the engine's own parser told, it misses few mistakes and
refuses a fourth of what has none. The forms of ours that it refuses are written otherwise before it reads them, each
with a recorded script that the engine took. So a fault is a mistake in a text or, seldom, another form for that list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tree_sitter
import tree_sitter_powershell
import yaml

from runner.psrp.script import (
    LAST_EXIT_CODE,
    Before,
    Settings,
    look_request,
    restore_request,
    setting_statements,
)
from tests.support.recorded import recording
from tests.unit.execute.test_powershell_scripts import TEXTS

REPOSITORY = Path(__file__).parents[3]
ORACLE: list[dict[str, Any]] = json.loads(
    (REPOSITORY / "tests" / "recordings" / "using-oracle.json").read_text(encoding="utf-8")
)
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))

# Errors of the engine's parser that are no errors of grammar: what an expression or a statement may be used for.
_OF_MEANING = {
    "InvalidUsingExpression",
    "InvalidLeftHandSide",
    "OperatorRequiresVariableOrProperty",
    "VariableReferenceNotSupportedInDataSection",
    "WorkflowNotSupportedInPowerShellCore",
}


class Weakness(NamedTuple):
    """A form that the grammar does not take: how to write it otherwise, and a recorded script that the engine took."""

    found: str
    written: str
    taken: str


WEAKNESSES = {
    "words in a list": Weakness(
        r"(?<=[ ,])(?<!\[)([A-Z]\w+)(?=, ?[A-Z])|(?<=[A-Za-z], )([A-Z]\w+)(?=[ )\n|}]|$)",
        r"'\1\2'",
        "Get-Process -Id $PID | Select-Object Name, Id, Path, StartTime",
    ),
    "param on the line of its function": Weakness(
        r"(?m)^(function [\w-]+ \{) (param\([^)]*\)) (?=\S)", r"\1\n\2\n", ""
    ),
    "two dashes and a value": Weakness(r"(?<= )--(\w+)=", r"-\1 ", "cmd --n=$using:y"),
}


def faults(text: str) -> list[str]:
    """What the grammar cannot read: line, column and the first words of each place."""
    found: list[str] = []
    left = [_PARSER.parse(text.encode("utf-8", "surrogatepass")).root_node]
    while left:
        node = left.pop()
        if node.is_error or node.is_missing:
            at = node.start_point
            found.append(f"{at.row + 1}:{at.column + 1} {node.type} {(node.text or b'')[:60]!r}")
        elif node.has_error:
            left += node.children
    return found


def readable(text: str) -> str:
    """The same text without the forms that the grammar does not know."""
    for weakness in WEAKNESSES.values():
        text = re.sub(weakness.found, weakness.written, text)
    return text


def product() -> Iterator[tuple[str, str]]:
    """Every text that the product sends of itself, by name."""
    yield from TEXTS.items()
    yield "stand-ins", (REPOSITORY / "runner" / "lab" / "stand_ins.ps1").read_text(encoding="utf-8")
    settings = Settings(
        strict_mode="Latest",
        preferences={"ErrorActionPreference": "Stop"},
        environment={"A": "b"},
        working_directory="/",
        native_exit_code=True,
    )
    before = Before(location="/", strict_mode=0, preferences={}, environment={})
    statements = [
        *setting_statements(settings),
        *look_request(settings).statements,
        *restore_request(settings, before).statements,
        *LAST_EXIT_CODE.statements,
    ]
    for number, statement in enumerate(statements):
        for command in statement.commands:
            if command.is_script:
                yield f"statement {number}", command.text


def written() -> Iterator[tuple[str, str]]:
    """The PowerShell of playbooks and docs, by file and number."""
    for path in sorted((REPOSITORY / "playbooks" / "invoke-command").rglob("*.ps1")):
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted((REPOSITORY / "playbooks" / "invoke-command").glob("*.yml")):
        for number, text in enumerate(_scripts(yaml.safe_load(path.read_text(encoding="utf-8")))):
            yield f"{path.name} {number}", text
    for path in sorted((REPOSITORY / "docs").rglob("*.md")):
        fenced = re.findall(r"(?ms)^ *```powershell\n(.*?)^ *```", path.read_text(encoding="utf-8"))
        for number, text in enumerate(fenced):
            yield f"{path.name} {number}", text


def _scripts(node: Any) -> Iterator[str]:
    """The scripts of a playbook whose steps speak PowerShell, unless they say otherwise."""
    if isinstance(node, dict):
        if isinstance(node.get("script"), str) and node.get("shell", "powershell") == "powershell":
            yield node["script"]
        for value in node.values():
            yield from _scripts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _scripts(item)


PRODUCT, WRITTEN = dict(product()), dict(written())


@pytest.mark.parametrize("name", PRODUCT)
def test_what_the_product_sends_can_be_read(name: str) -> None:
    """The grammar finds neither an error nor anything missing."""
    assert faults(readable(PRODUCT[name])) == []


@pytest.mark.parametrize("name", WRITTEN)
def test_what_authors_are_shown_can_be_read(name: str) -> None:
    """As much holds for the playbooks of the reference's examples and for what docs call PowerShell."""
    assert faults(readable(WRITTEN[name])) == []


def test_there_is_something_to_read() -> None:
    """Texts of all kinds were found, so that the tests above are about something."""
    assert len(PRODUCT) > len(TEXTS) + 2
    assert {name.rpartition(".")[2].split()[0] for name in WRITTEN} == {"ps1", "yml", "md"}


@pytest.mark.parametrize("name", WEAKNESSES)
def test_a_weakness_is_one_of_the_grammar(name: str) -> None:
    """The engine took the form, by its parser or by running it; the grammar does not, but for what it is written as."""
    text = WEAKNESSES[name].taken or stand_ins()
    assert engine_took(text)
    assert faults(text)
    assert faults(readable(text)) == []


def test_the_grammar_finds_what_the_engine_finds() -> None:
    """Of the recorded scripts with an error of grammar it refuses all but these; more would make it a weak judge."""
    wrong = [case["script"] for case in ORACLE if {error["id"] for error in case["errors"]} - _OF_MEANING]
    assert len(wrong) > 10
    assert [script for script in wrong if not faults(script)] == [
        "$using:x.Name [0]",
        "${using:}",
        "configuration c { $using:x }",
        '"$`using:no"',
        "@'\n'@ $using:x\n'@; $using:y",
    ]


def stand_ins() -> str:
    script: str = recording("e08-job")["runs"][0]["script"]
    return script


def engine_took(text: str) -> bool:
    """Whether the recorded engine read this text without an error."""
    for case in ORACLE:
        if case["script"] == text:
            return not case["errors"]
    (run,) = [
        run
        for name in ("17-depth", "e08-job")
        for run in recording(name)["runs"]
        if run.get("script") == text
    ]
    end: str = run["events"][-1]["state"]
    return end == "Completed"

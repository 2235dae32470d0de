"""Values of PowerShell on one line, and outputs read as a step asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.credentials.redact import Redactor
from runner.errors import ExecutionFailed
from runner.execute.powershell.output import PipelineOutput
from runner.execute.powershell.text import text_of
from runner.objects import EnumValue, PSCredential, PSObject
from runner.playbook.model import OutputFormat
from runner.values import Secret

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (None, ""),
        (True, "True"),
        (5, "5"),
        (EnumValue("Friday", 5), "Friday"),
        (PSObject({"Name": "/"}, text="/", type_names=("Deserialized.System.IO.DirectoryInfo",)), "/"),
        (
            PSObject(
                {"Id": 1}, text="System.Diagnostics.X", type_names=("Deserialized.System.Diagnostics.X",)
            ),
            "@{Id=1}",
        ),
        ([1, "a"], "1 a"),
        (b"abc", "3 bytes"),
    ],
)
def test_text_of_each_kind(value: Any, text: str) -> None:
    """Each kind of value has the text that a person expects."""
    assert text_of(value) == text


def test_secrets_have_no_text() -> None:
    """The text of a secret and of a credential never holds the secret."""
    credential = PSCredential("ops", Secret("hunter2"))
    assert "hunter2" not in text_of([Secret("hunter2"), credential, {"a": credential}])


@given(VALUES)
def test_text_is_bounded_for_anything(value: Any) -> None:
    """Any value but a text itself has a text of bounded length."""
    if not isinstance(value, str):
        assert len(text_of(value)) < 2000


def output(
    wanted: OutputFormat, values: list[Any], folder: Path | None = None, **more: Any
) -> PipelineOutput:
    collected = PipelineOutput(wanted, more.pop("redactor", Redactor()), folder, **more)
    for value in values:
        collected.add(value)
    return collected


def test_objects_stay_as_they_are() -> None:
    """`output: objects` gives the very values, nulls and lists too."""
    values = [None, [1, 2], PSObject({"a": 1}), "x\ny"]
    assert output(OutputFormat.OBJECTS, values).read().value == values


def test_lines_text_and_json_are_read_from_the_text() -> None:
    """The other formats read the text of the outputs as they do for other shells."""
    assert output(OutputFormat.LINES, ["a\nb", 5]).read().value == ["a", "b", "5"]
    assert output(OutputFormat.TEXT, ["a", "b\n"]).read().value == "a\nb\n"
    assert output(OutputFormat.JSON, ['{"a":', " 1}"]).read().value == {"a": 1}
    assert output(OutputFormat.JSONL, ['{"a": 1}', "2"]).read().value == [{"a": 1}, 2]


def test_what_is_no_json_is_told_and_kept_as_lines() -> None:
    """Output that is no JSON is an error, and can still be had as lines."""
    collected = output(OutputFormat.JSON, ["no json"])
    with pytest.raises(ExecutionFailed) as told:
        collected.read()
    assert told.value.code == "output-not-json"
    assert collected.read_anyhow().value == ["no json"]


def test_objects_beyond_the_limit_are_all_in_the_file(tmp_path: Path) -> None:
    """Past the limit the beginning stays in memory, and the file holds every object as a JSON line."""
    values = [PSObject({"n": n, "text": "x" * 50}) for n in range(100)]
    collected = output(OutputFormat.OBJECTS, values, tmp_path, limit=5000)
    decoded = collected.read()
    value, path = collected.keep(decoded)
    assert decoded.truncated
    assert 0 < len(value) < 100
    assert value == values[: len(value)]
    assert path is not None
    assert [json.loads(line) for line in Path(path).read_text().splitlines()] == values


def test_file_is_masked(tmp_path: Path) -> None:
    """A secret that became known while output came is in no byte of the file."""
    redactor = Redactor()
    collected = output(
        OutputFormat.OBJECTS, ["a" * 4000, "p4ssw0rd!"], tmp_path, limit=100, redactor=redactor
    )
    redactor.add("p4ssw0rd!")
    _, path = collected.keep(collected.read())
    assert path is not None
    assert "p4ssw0rd!" not in Path(path).read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["output.jsonl"]


@given(st.lists(VALUES))
def test_any_value_has_a_json_line(values: list[Any]) -> None:
    """Whatever comes can be kept in the file."""
    collected = output(OutputFormat.OBJECTS, values, limit=0)
    collected.keep(collected.read())

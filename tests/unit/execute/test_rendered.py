"""Fields of a step as the values a body works with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from runner.document.nodes import AnyNode, Source
from runner.document.yaml import load
from runner.errors import ExecutionFailed
from runner.execute import rendered
from runner.problems import Problems
from runner.values import Secret
from runner.variables.compile import Compiler
from runner.variables.environment import LanguageEnvironment
from runner.variables.scope import Scope, Variable


def node(text: str) -> AnyNode:
    found = load(Source("p.yml", text), Problems()).root
    assert found is not None
    return found


def scope(**values: Any) -> Scope:
    compiler = Compiler(LanguageEnvironment(datetime(2026, 11, 21, tzinfo=UTC)))
    return Scope(compiler, [{name: Variable(value, "test") for name, value in values.items()}])


@pytest.mark.parametrize(
    ("written", "text"),
    [("0644", "0644"), ("1.10", "1.10"), ("'{{ n }}'", "5"), ("plain", "plain"), ("null", "")],
)
def test_a_number_where_text_is_due_is_text_as_written(written: str, text: str) -> None:
    """`mode: 0644` is `0644`, whatever YAML makes of it; a template is evaluated."""
    assert rendered.text(scope(n=5), node(written), "`x`") == text


def test_a_list_where_text_is_due_is_refused() -> None:
    """The field is named, the value is not shown."""
    with pytest.raises(ExecutionFailed, match="`dest` is a list"):
        rendered.text(scope(), node("[1, 2]"), "`dest`")


def test_environment_values_are_texts_and_null_leaves_a_name_out() -> None:
    """Scalars as the language has them; a list is refused by name."""
    written = node("{A: 1, B: true, C: null, D: '{{ d }}'}")
    found = rendered.mapping_of_texts(scope(d=timedelta(seconds=90)), written, "environment")
    assert found == {"A": "1", "B": "true", "D": "90"}
    with pytest.raises(ExecutionFailed, match=r"`environment\.A`"):
        rendered.mapping_of_texts(scope(), node("{A: [1]}"), "environment")
    with pytest.raises(ExecutionFailed, match="must be a mapping"):
        rendered.mapping_of_texts(scope(), node("text"), "environment")


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("text", b"text\n"),
        ("ends\n", b"ends\n"),
        (["a", 1, {"b": Decimal("1.5")}, None], b'a\n1\n{"b": "1.5"}\nnull\n'),
        ({"k": "\u00e4"}, '{"k": "\u00e4"}\n'.encode()),
        (b"\xff\x00", b"\xff\x00"),
        (Secret("s3cret"), b"s3cret\n"),
        (None, b""),
        ([], b""),
    ],
)
def test_input_is_lines_of_text_and_of_json(value: Any, data: bytes) -> None:
    """Text items are lines, others JSON lines, bytes go as they are."""
    assert rendered.input_bytes(scope(v=value), node("'{{ v }}'")) == data


def test_no_input_is_none() -> None:
    """A step without `input_object` has an input at its end."""
    assert rendered.input_bytes(scope(), None) is None


def test_a_path_is_relative_to_the_file_it_is_written_in() -> None:
    """Absolute paths stay, others begin beside the playbook."""
    written = load(Source("books/p.yml", "x"), Problems()).root
    assert written is not None
    assert str(rendered.controller_path(written, "files/a")) == "books/files/a"
    assert str(rendered.controller_path(written, "/etc/a")) == "/etc/a"

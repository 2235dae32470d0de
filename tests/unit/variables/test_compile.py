"""Templates and expressions: types kept, names known, mistakes with offsets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.variables.compile import Compiler, EvaluationError
from runner.variables.environment import LanguageEnvironment

NOW = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)


@pytest.fixture
def compiler() -> Compiler:
    return Compiler(LanguageEnvironment(NOW))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{ n }}", 3),
        (" {{ items }} ", [1, 2]),
        ("{{ n }} of {{ n }}", "3 of 3"),
        ("{{ now() - window }}", NOW - timedelta(hours=2)),
        ("{{ '007' }}", "007"),
        ("{{ data.items }}", "mine"),
        ("{{ missing | default(5) }}", 5),
        ("{% if n > 2 %}big{% endif %}", "big"),
    ],
)
def test_a_lone_template_keeps_its_type_and_anything_mixed_is_text(
    compiler: Compiler, text: str, expected: object
) -> None:
    """A lone ``{{ }}`` keeps its type, anything mixed is text, nothing is parsed again."""
    variables: dict[str, Any] = {
        "n": 3,
        "items": [1, 2],
        "window": timedelta(hours=2),
        "data": {"items": "mine"},
    }

    assert expected == compiler.text(text).evaluate(variables)


@given(st.text())
def test_text_from_a_variable_is_never_evaluated_again(text: str) -> None:
    """Whatever text a value holds, braces too, it arrives as it is."""
    compiler = Compiler(LanguageEnvironment(NOW))

    assert text == compiler.text("{{ x }}").evaluate({"x": text})


@given(st.text(alphabet="{}%#| .'\"abcx()[]+-\n", max_size=40))
def test_no_text_makes_the_compiler_raise(text: str) -> None:
    """Every text compiles or has a problem inside itself."""
    compiler = Compiler(LanguageEnvironment(NOW))
    for compiled in (compiler.text(text), compiler.expression(text)):
        for problem in compiled.problems:
            assert 0 <= problem.start <= problem.end <= max(len(text), 1)


@pytest.mark.parametrize(
    ("text", "code", "start"),
    [
        ("{{ x | nosuch }}", "unknown-filter", 7),
        ("{{ x is nosuch }}", "unknown-test", 8),
        ("{{ x + }}", "template-syntax", 7),
        ("a {{ 'b }}", "template-syntax", 5),
    ],
)
def test_mistakes_have_the_offset_where_they_stand(
    compiler: Compiler, text: str, code: str, start: int
) -> None:
    """Syntax errors, unknown filters and tests point into the text."""
    (problem,) = compiler.text(text).problems

    assert (code, start) == (problem.code, problem.start)


def test_names_and_members_have_their_places(compiler: Compiler) -> None:
    """Every variable that is read is known with its offsets, and constant members of it too."""
    compiled = compiler.expression("results.events and x | length > y['n'] and z is defined")

    assert [("results", 0), ("x", 19), ("y", 32), ("z", 43)] == [(n.name, n.start) for n in compiled.names]
    assert [False, False, False, True] == [n.guarded for n in compiled.names]
    assert [("results", "events", 8), ("y", "n", 34)] == [
        (m.owner, m.member, m.start) for m in compiled.members
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ items.append(4) }}",
        "{{ 'x' * 100000000 }}",
        "{{ 2 ** 99999999 }}",
        "{{ range(999999999) | list }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ nosuch }}",
        "{{ items.nosuch }}",
    ],
)
def test_the_sandbox_refuses_with_a_sentence(compiler: Compiler, text: str) -> None:
    """Escapes, changes of values, bombs and undefined names fail, and say so."""
    with pytest.raises(EvaluationError):
        compiler.text(text).evaluate({"items": [1]})

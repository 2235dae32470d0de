"""What Jinja and Python say is told in the words of the language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.variables.compile import Compiler, EvaluationError
from runner.variables.environment import LanguageEnvironment
from runner.variables.not_known import NOT_KNOWN, NotKnownError
from runner.variables.words import hint_of, in_our_words

COMPILER = Compiler(LanguageEnvironment(datetime(2026, 11, 21, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("1 + 'a'", "`+` does not go between a number and text"),
        ("'a' + 1", "`+` does not go between text and a number; `~` joins anything as text"),
        ("now() - none", "`-` does not go between a datetime and null"),
        ("[1] < 2", "`<` does not go between a list and a number"),
        ("[1] + 2", "`+` does not go between a list and a number; `~` joins anything as text"),
        ("{}.a", "a mapping has no member `a`"),
    ],
)
def test_values_that_do_not_go_together(expression: str, words: str) -> None:
    """An operation that fails names the kinds of the language, not the types of Python."""
    with pytest.raises(EvaluationError) as caught:
        COMPILER.expression(expression).evaluate({})
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ site", "it ends before its `}}`"),
        ("{% if a %}x", "`{% if %}` has no `{% endif %}`"),
        ("{% wen a %}", "there is no statement `{% wen %}`"),
        ("{{ a b }}", "`}}` is due where `b` stands"),
    ],
)
def test_templates_that_cannot_be_read(text: str, words: str) -> None:
    """A syntax error says what is missing, in braces as the author writes them."""
    (problem,) = COMPILER.text(text).problems
    assert problem.message == f"the expression cannot be read: {words}"


@pytest.mark.parametrize(
    ("expression", "hint"),
    [("a && b", "write `and`"), ("a = b", "write `==` to compare"), ("!a", "write `not`")],
)
def test_habits_from_elsewhere(expression: str, hint: str) -> None:
    """Operators of other languages get the one to type."""
    (problem,) = COMPILER.expression(expression).problems
    assert problem.hints == (hint,)


def test_other_words_stay() -> None:
    """What is not known is made part of a sentence, and nothing is guessed."""
    assert in_our_words("Access is unsafe.") == "access is unsafe"
    assert hint_of("access is unsafe") == ()


@pytest.mark.parametrize("expression", ["x + 1", "x", "x.y", "x > 2", "[x][0]", "x | upper"])
def test_what_is_not_known_is_no_mistake(expression: str) -> None:
    """Whatever is made of a value that is not known yet is not known either."""
    with pytest.raises(NotKnownError):
        COMPILER.expression(expression).evaluate({"x": NOT_KNOWN})

"""Problems are sorted, told once, and what follows from a refused place is no problem of its own."""

from __future__ import annotations

import pytest

from runner.problems import Problems
from runner.values import Span


def codes(problems: Problems) -> list[str]:
    """The codes in the order they are shown."""
    return [problem.code for problem in problems.sorted()]


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (Span("a.yml", 3, 5, 3, 9), False),  # the very place
        (Span("a.yml", 3, 7, 3, 8), False),  # inside it
        (Span("a.yml", 3, 5, 3, 20), False),  # begins there
        (Span("a.yml", 3, 9, 3, 12), True),  # right after it
        (Span("a.yml", 3, 1, 3, 20), True),  # around it
        (Span("a.yml", 4, 5, 4, 9), True),
        (Span("b.yml", 3, 5, 3, 9), True),
    ],
)
def test_one_mistake_is_told_once(later: Span, told: bool) -> None:
    """After a stage, errors and warnings at a place it refused are dropped, all others are kept."""
    problems = Problems()
    problems.error("wrong-value", "first", Span("a.yml", 3, 5, 3, 9))
    problems.end_stage()
    problems.error("setting-value", "second", later)
    problems.warning("template-in-script", "third", later)
    assert told == ("setting-value" in codes(problems))
    assert told == ("template-in-script" in codes(problems))


def test_within_a_stage_everything_is_told() -> None:
    """Two problems of one stage at one place are both told."""
    problems = Problems()
    problems.error("wrong-value", "first", Span("a.yml", 3, 5, 3, 9))
    problems.error("setting-value", "second", Span("a.yml", 3, 5, 3, 9))
    assert codes(problems) == ["setting-value", "wrong-value"]


def test_an_empty_place_covers_itself() -> None:
    """A missing value has no width, and still a later stage says nothing more of it."""
    problems = Problems()
    problems.error("missing-value", "first", Span("a.yml", 3, 5, 3, 5))
    problems.end_stage()
    problems.error("wrong-type", "second", Span("a.yml", 3, 5, 3, 5))
    assert codes(problems) == ["missing-value"]


def test_warnings_and_many_lines_cover_nothing() -> None:
    """Only an error on one line stands for what is found there later."""
    problems = Problems()
    problems.warning("yes-no-text", "first", Span("a.yml", 1, 1, 1, 9))
    problems.error("script-folded", "first", Span("a.yml", 2, 1, 5, 9))
    problems.end_stage()
    problems.error("unknown-using", "second", Span("a.yml", 1, 2, 1, 3))
    problems.error("unknown-using", "third", Span("a.yml", 2, 3, 2, 4))
    assert codes(problems).count("unknown-using") == 2

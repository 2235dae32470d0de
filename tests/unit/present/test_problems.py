"""Problems as people and programs read them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.present.cells import cell_width
from runner.present.problems import MOST_SHOWN, problems_document, render_problems
from runner.problems import Problem, Severity
from runner.values import Span

SOURCE = "version: 1\nsteps:\n  - id: one\n    timeout: soon\n"


def test_a_problem_has_place_line_caret_and_hint() -> None:
    """The form of the message guide, to the letter."""
    problem = Problem(
        "wrong-type",
        "`timeout` must be a duration: `soon`",
        Span("playbooks/web.yml", 4, 14, 4, 18),
        hints=("write `timeout: 90s`",),
    )
    assert render_problems([problem], {"playbooks/web.yml": SOURCE}) == (
        "error[wrong-type]: `timeout` must be a duration: `soon`\n"
        "  --> playbooks/web.yml:4:14\n"
        "    4 |     timeout: soon\n"
        "      |              ^^^^\n"
        "\n"
        "hint: write `timeout: 90s`\n"
    )


def test_related_places_follow() -> None:
    """A cycle tells each of its places."""
    problem = Problem("cycle", "steps wait for each other", related=((Span("a.yml", 3, 7), "`a` needs `b`"),))
    assert (
        render_problems([problem], {})
        == "error[cycle]: steps wait for each other\n  --> a.yml:3:7  `a` needs `b`\n"
    )


def test_nothing_wrong_prints_nothing() -> None:
    """No problems, no text."""
    assert render_problems([], {}) == ""


def test_at_most_twenty_are_shown_errors_first() -> None:
    """Many warnings do not hide an error, and the count says what is hidden."""
    warnings = [Problem("w", f"warning {n}", Span("a.yml", n), Severity.WARNING) for n in range(1, 40)]
    text = render_problems([*warnings, Problem("e", "the error", Span("a.yml", 99))], {})
    assert "error[e]: the error" in text
    assert text.count("warning[w]") == MOST_SHOWN - 1
    assert text.endswith("1 error, 39 warnings; the first 20 are shown, `-o json` gives all\n")


def test_they_are_sorted_by_position() -> None:
    """By path, then line, then column, whatever order they were found in."""
    text = render_problems(
        [Problem("b", "second", Span("a.yml", 9)), Problem("a", "first", Span("a.yml", 2))], {}
    )
    assert text.index("first") < text.index("second")
    assert text.endswith("2 errors\n")


def test_the_caret_stands_under_wide_characters_and_tabs() -> None:
    """Columns are characters, carets are cells."""
    text = render_problems([Problem("c", "m", Span("a.yml", 1, 6, 1, 8))], {"a.yml": "日本\t: xy\n"})
    _, _, source, caret, *_ = text.splitlines()
    assert source == "    1 | 日本    : xy"
    assert caret == "      |           ^^"


def test_control_characters_of_a_file_do_no_harm() -> None:
    """A file cannot drive the terminal either."""
    text = render_problems([Problem("c", "bad \x1b[2J", Span("a.yml", 1, 1, 1, 2))], {"a.yml": "\x1b[2J: 1"})
    assert "\x1b" not in text


@given(
    st.text(alphabet="ab 日\t\x1b", max_size=400),
    st.integers(1, 420),
    st.integers(0, 60),
    st.integers(40, 120),
)
def test_every_line_fits_and_the_caret_is_under_the_place(
    source: str, column: int, length: int, width: int
) -> None:
    """However long the line: nothing passes the width, and the caret stands under the first character of the place."""
    column = min(column, len(source) + 1)
    problem = Problem("c", "m", Span("a.yml", 1, column, 1, column + length))
    _, _, *snippet = render_problems([problem], {"a.yml": source}, width=width).splitlines()
    shown, carets = snippet
    assert cell_width(shown) <= width
    assert cell_width(carets) <= width + 1
    if column <= len(source) and source[column - 1] in "ab日":
        at = carets.index("^")
        offsets = {sum(map(cell_width, shown[:n])): shown[n] for n in range(len(shown))}
        assert offsets[at] == source[column - 1]


def test_colour_changes_nothing_but_colour() -> None:
    """Without its colours the coloured text is the plain text."""
    problems = [Problem("c", "message", Span("a.yml", 4, 5, 4, 12), hints=("do this",))]
    coloured = render_problems(problems, {"a.yml": SOURCE}, colour=True)
    bare = "".join(
        part.split("m", 1)[1] if index else part for index, part in enumerate(coloured.split("\x1b["))
    )
    assert [text.rstrip() for text in bare.splitlines()] == render_problems(
        problems, {"a.yml": SOURCE}
    ).splitlines()


def test_the_document_has_the_keys_of_the_contract() -> None:
    """Places are null where there is none."""
    assert problems_document([Problem("no-hosts", "no host matches", None, Severity.WARNING, ("look",))]) == {
        "problems": [
            {
                "code": "no-hosts",
                "severity": "warning",
                "message": "no host matches",
                "path": None,
                "line": None,
                "column": None,
                "end_line": None,
                "end_column": None,
                "hints": ["look"],
            }
        ]
    }

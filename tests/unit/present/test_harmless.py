"""A hostile host cannot drive the terminal, and widths are those of a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.present.cells import cell_width, fit
from runner.present.harmless import harmless, harmless_lines
from runner.present.paint import Piece, Role, fit_line, line, text_of, wrap_line


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    """Only line feeds remain of all controls, and nothing that reorders text."""
    shown = harmless(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"]
    assert not {"\u202e", "\u2066", "\u200b"} & set(shown)
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "^[]0;owned^G"),
        ("\x9b2J", "\\x9b2J"),
        ("a\tb", "a       b"),
        ("50%\r100%", "50%^M100%"),
        ("line\r\nnext", "line\nnext"),
        ("caf\udce9", "caf\\xe9"),
        ("日本語 ✓", "日本語 ✓"),
    ],
)
def test_what_is_dangerous_can_be_seen(text: str, shown: str) -> None:
    """An escape sequence is shown as what it is; other text stays."""
    assert harmless(text) == shown


def test_a_last_line_feed_starts_no_line() -> None:
    """Two lines are two lines, with either kind of line end."""
    assert harmless_lines("one\r\ntwo\r\n") == ["one", "two"]


@given(st.text(alphabet="ab 日✓é\u0301", max_size=30), st.integers(0, 20))
def test_a_cut_text_fits(text: str, width: int) -> None:
    """No more cells than asked for, and no cut where none is needed."""
    cut = fit(text, width)
    assert cell_width(cut) <= width
    assert cut == text or cell_width(text) > width


@given(st.lists(st.text(alphabet="ab 日", max_size=9), max_size=5), st.integers(1, 30))
def test_a_cut_line_fits(texts: list[str], width: int) -> None:
    """Pieces are cut together, and a mark says so."""
    cut = fit_line(line(*texts), width)
    assert cell_width(text_of(cut)) <= width
    assert text_of(cut) == "".join(texts) or text_of(cut).endswith("…")


@given(st.lists(st.text(alphabet="abc ", max_size=12), max_size=6), st.integers(12, 40))
def test_a_wrapped_line_keeps_every_word(texts: list[str], width: int) -> None:
    """Lines break at blanks; the letters stay in their order, with their roles."""
    pieces = line(*(Piece(text, Role.BAD) for text in texts))
    parts = wrap_line(pieces, width)
    assert "".join("".join(map(text_of, parts)).split()) == "".join("".join(texts).split())
    longest = max((len(word) for word in "".join(texts).split()), default=0)
    assert all(len(text_of(part).rstrip()) <= max(width, longest + width // 2) for part in parts)

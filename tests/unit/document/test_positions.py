"""Every character of a value is found again in the file, whatever the style."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from runner.document.nodes import Mapping, Scalar, Sequence, Source
from runner.document.positions import ScalarPlaces, offset_at, span_in_scalar, span_in_text
from runner.document.yaml import load
from runner.problems import Problems
from runner.values import Span

CHARACTERS = st.sampled_from([*"ab '\"\\#:-{}$é😀\t\n{|>&*", "\n\n", "  ", "word", "$Using:x"])
TEXTS = st.lists(CHARACTERS, max_size=25).map("".join)


def value_of(text: str) -> Scalar:
    problems = Problems()
    root = load(Source("f.yml", text), problems).root
    assert not problems.has_errors, list(problems)
    assert isinstance(root, Mapping)
    value = root.get("k")
    assert isinstance(value, Scalar)
    return value


def at(source: str, span: Span) -> str:
    """The text of a span."""
    return source[
        offset_at(source, span.line, span.column) : offset_at(source, span.end_line, span.end_column)
    ]


def check_every_character(scalar: Scalar) -> None:
    source = scalar.source.text
    places = ScalarPlaces(scalar)
    for index, character in enumerate(scalar.text):
        shown = at(source, places.span(index, index + 1))
        if shown == character:
            continue
        if scalar.style == "double" and shown.startswith("\\"):
            assert pyyaml.safe_load(f'"{shown}"') == character
        elif scalar.style == "single" and character == "'":
            assert shown == "''"
        else:
            assert character in " \n", (index, character, shown)
            assert shown in {"\n", "\r\n", ""}, (index, character, shown)


@pytest.mark.parametrize("style", ["'", '"', "|", ">", None])
@pytest.mark.parametrize("width", [20, 1000])
@given(text=TEXTS, depth=st.integers(0, 2))
@example(text="a b\n\n  more\n\nc\n", depth=1)
@example(text="\n\n a\nb", depth=0)
@example(text="😀 é\t$Using:x", depth=2)
def test_every_character_is_found_in_the_file(style: str | None, width: int, text: str, depth: int) -> None:
    """The place of each character of a value holds that character, or the escape or line break it comes from."""
    data: object = {"k": text}
    for _ in range(depth):
        data = {"outer": [data]}
    written = pyyaml.dump(data, default_style=style, allow_unicode=True, width=width)
    problems = Problems()
    node = load(Source("f.yml", written), problems).root
    for _ in range(depth):
        assert isinstance(node, Mapping)
        outer = node.get("outer")
        assert isinstance(outer, Sequence)
        node = outer.items[0]
    assert isinstance(node, Mapping)
    value = node.get("k")
    assert isinstance(value, Scalar)
    assume(value.text == text)  # PyYAML's emitter does not bring every text back in every style
    check_every_character(value)


@given(text=TEXTS, style=st.sampled_from(["'", '"', None]))
def test_the_offsets_of_a_scalar_hold_its_value(text: str, style: str | None) -> None:
    """What stands between ``start`` and ``end`` reads as the same value again."""
    written = pyyaml.dump({"k": text, "z": "after"}, default_style=style, allow_unicode=True, width=30)
    value = value_of(written)
    if value.style in {"plain", "single", "double"}:
        assert pyyaml.load(written[value.start : value.end] + "\n", pyyaml.BaseLoader) == value.text


@pytest.mark.parametrize("header", ["|", "|-", "|+", "|2", "|2-", "| # comment", ">", ">-", ">+", ">1-"])
@pytest.mark.parametrize("breaks", ["\n", "\r\n"])
def test_block_headers(header: str, breaks: str) -> None:
    """Indentation indicators, chomping and comments in the header move no place."""
    indent = next((int(c) for c in header if c.isdigit()), 3)
    lines = [
        f"k: {header}",
        "",
        " " * indent + "one $Using:x",
        " " * indent + "  deeper",
        "",
        " " * indent + "last",
        "",
        "z: 1",
        "",
    ]
    scalar = value_of(breaks.join(lines))
    check_every_character(scalar)
    start = scalar.text.index("$Using:x")
    assert span_in_scalar(scalar, start, start + 8) == Span("f.yml", 3, indent + 5, 3, indent + 13)


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("k: plain word\n", "word", (1, 10, 14)),
        ("k: plain\n   over\n\n   word lines\n", "word", (4, 4, 8)),
        ("k: 'it''s a word'\n", "word", (1, 13, 17)),
        ("k: 'first\n\n  it''s word'\n", "word", (3, 9, 13)),
        ('k: "\\x41\\u263A\\U0001F600\\t word"\n', "word", (1, 28, 32)),
        ('k: "joined \\\n    word"\n', "word", (2, 5, 9)),
        ('k: "joined\\ \n    word"\n', "word", (2, 5, 9)),
        ('k: "a\\\n\n   word"\n', "word", (3, 4, 8)),
        ("k: !!str &name   word # cut\n", "word", (1, 18, 22)),
        ("k: !!str # about\n  &name\n  word\n", "word", (3, 3, 7)),
        ("k: &name |\n  a\n  word\n", "word", (3, 3, 7)),
        ("{j: 1, k: word}\n", "word", (1, 11, 15)),
    ],
)
def test_words_are_found(text: str, word: str, place: tuple[int, int, int]) -> None:
    """A word inside a value is found at its line and columns."""
    scalar = value_of(text)
    start = scalar.text.index(word)
    line, column, end_column = place
    assert span_in_scalar(scalar, start, start + len(word)) == Span("f.yml", line, column, line, end_column)


def test_offsets_beyond_the_text_are_its_end() -> None:
    """An empty stretch and one beyond the end give places inside the file."""
    scalar = value_of("k: 'ab'\n")
    assert span_in_scalar(scalar, 1, 1) == Span("f.yml", 1, 6, 1, 6)
    assert span_in_scalar(scalar, 2, 2) == Span("f.yml", 1, 7, 1, 7)
    assert span_in_scalar(scalar, 5, 9) == Span("f.yml", 1, 7, 1, 7)
    empty = value_of("k: ''\n")
    assert span_in_scalar(empty, 0, 0).line == 1


@given(text=st.text(alphabet="a\r\né", max_size=20), data=st.data())
def test_lines_are_counted_as_editors_do(text: str, data: st.DataObject) -> None:
    r"""``\n``, ``\r\n`` and ``\r`` end a line: an offset and its line and column stand for each other."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = data.draw(st.integers(0, len(text)))
    assume(text[start - 1 : start + 1] != "\r\n")  # nothing begins inside a line break
    span = span_in_text("f", text, start, len(text))
    assert offset_at(text, span.line, span.column) == start
    assert (span.end_line, span.end_column) == (len(lines), len(lines[-1]) + 1)

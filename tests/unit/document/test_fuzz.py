"""Whatever stands in a file, loading it gives a document and problems inside the file, and raises nothing."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import example, given
from hypothesis import strategies as st

from runner.codes.document import CODES
from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence, Source, to_plain
from runner.document.positions import LINE_BREAK
from runner.document.yaml import load
from runner.problems import Problem, Problems
from runner.values import Span

PLAYBOOK = """\
version: 1
name: Collect "event" logs
vars: &all
  log: 'it''s'
  path: "C:\\\\temp\\t\\x41"
  since: "{{ now() }}"
targets:
  web: {hosts: "web:&prod:!canary", use_ssl: true}
  linux:
    ssh_connections:
      - {host_name: a, options: {Compression: "yes"}}
steps:
  - id: events  # comment
    needs: []
    script: |
      Get-WinEvent -LogName $Using:log
        deeper
    args: [Process, 12:30:00, *all]
  - id: report
    <<: *all
    message: >-
      folded é 😀
      text
"""
PIECES = [
    *"ab01 \t\n\r:-?,[]{}#&*!|>'\"%@`\\~<=.é😀\0\ufeff\u2028\xa0“”\x07",
    ": ", "- ", "\n  ", "\n- ", "&a ", "*a", "<<: ", "!!str ", "!x ", "---\n", "...\n", "%YAML 1.1\n", "{{ ", " }}",
    "|\n", ">-\n ", "\\x4", "\r\n", "key: ", "key:value", "“k”: ",
]  # fmt: skip
WORDS_OF_THE_PARSER = (
    "expected",
    "found character",
    "while scanning",
    "while parsing",
    "not allowed",
    "token",
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The playbook with a few stretches cut out, doubled, or replaced."""
    text = PLAYBOOK
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        new = draw(st.one_of(st.just(""), st.sampled_from(PIECES), st.just(text[start:end] * 2)))
        text = text[:start] + new + text[end:]
    return text


TEXTS = st.one_of(
    st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=30).map("".join), mutated()
)


def check_inside(span: Span, lines: list[str]) -> None:
    """A span begins and ends at places that the file has."""
    for line, column in ((span.line, span.column), (span.end_line, span.end_column)):
        assert 1 <= line <= len(lines), span
        assert 1 <= column <= len(lines[line - 1]) + 1, span
    assert (span.line, span.column) <= (span.end_line, span.end_column), span


def check_tree(node: AnyNode, lines: list[str], seen: set[int]) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    check_inside(node.span, lines)
    children: list[AnyNode] = []
    if isinstance(node, Sequence):
        children = node.items
    elif isinstance(node, Mapping):
        children = [each for entry in node.entries.values() for each in entry]
    elif isinstance(node, Scalar):
        assert 0 <= node.start <= node.end <= len(node.source.text)
    for child in children:
        check_tree(child, lines, seen)


def check_problem(problem: Problem, lines: list[str]) -> None:
    """A problem has a known code, a place in the file, and words of its own."""
    assert problem.code in CODES
    assert problem.span is not None
    check_inside(problem.span, lines)
    for span, _ in problem.related:
        check_inside(span, lines)
    outside_literals = "".join(problem.message.split("`")[::2])
    assert not outside_literals.endswith(".")
    assert not any(words in outside_literals for words in WORDS_OF_THE_PARSER), problem.message
    assert "\n" not in problem.message
    assert all(hint and "\n" not in hint for hint in problem.hints)


def check_load(text: str, *, ansible: bool) -> None:
    problems = Problems()
    document = load(Source("f.yml", text), problems, ansible=ansible)
    lines = LINE_BREAK.split(text)
    for problem in problems:
        check_problem(problem, lines)
    if document.root is None:
        assert problems.has_errors or ansible
    else:
        check_tree(document.root, lines, set())
        to_plain(document.root)


@given(text=TEXTS, ansible=st.booleans())
@example(text=PLAYBOOK, ansible=False)
@example(text="\ud800", ansible=False)
@example(text="{{", ansible=False)
@example(text="?", ansible=False)
@example(text="a: |\r\n  x\r\r\n", ansible=True)
def test_loading_never_raises(text: str, ansible: bool) -> None:
    """Random text, YAML in pieces, and playbooks with mistakes: a document, and problems inside the file."""
    check_load(text, ansible=ansible)


@given(text=TEXTS)
@example(text="[")
def test_loading_never_raises_without_libyaml(text: str) -> None:
    """The same holds with PyYAML's own parser."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyyaml, "__with_libyaml__", False)
        check_load(text, ansible=False)


def test_the_playbook_itself_is_fine() -> None:
    """The text that mutations start from has no problem."""
    problems = Problems()
    load(Source("f.yml", PLAYBOOK), problems)
    assert list(problems) == []

"""INI inventories and text files."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import Node, Source
from runner.inventory.builder import InventoryBuilder
from runner.inventory.ini import TokenError, read_ini, split_words
from runner.inventory.inventory import Inventory
from runner.inventory.literal import parse_literal
from runner.inventory.values import plain
from runner.problems import Problem, Problems
from runner.values import Secret, Span


def read(text: str) -> tuple[Inventory, list[Problem]]:
    """The inventory of an INI text and its problems."""
    problems = Problems()
    builder = InventoryBuilder()
    read_ini(Source("hosts", text), builder, problems)
    return builder.build(problems), problems.sorted()


def values(inventory: Inventory, host: str) -> dict[str, object]:
    """The plain values of a host's variables."""
    return {name: plain(variable.value) for name, variable in inventory.variables(host).items()}


def test_a_text_file_is_names_a_line() -> None:
    """Names a line with comments, blank lines and Windows line ends are hosts in the order written."""
    inventory, problems = read("# fleet\r\nweb2\r\n\r\nweb1 # first\r\n  db1\r\n")
    assert list(inventory.hosts) == ["web2", "web1", "db1"]
    assert inventory.groups["ungrouped"].hosts == ("web2", "web1", "db1")
    assert problems == []


def test_sections_make_groups() -> None:
    """Hosts, children and variables come from their sections, whichever comes first."""
    inventory, problems = read(
        "[prod:children]\nweb\ndb\n[web]\nweb[1:2] weight=2\n[db]\ndb1:5022\n[web:vars]\ntier=front\n"
        "[all:vars]\nsite=x\n"
    )
    assert problems == []
    assert inventory.group_hosts("prod") == ("web1", "web2", "db1")
    assert values(inventory, "web2") == {"site": "x", "tier": "front", "weight": 2}
    assert values(inventory, "db1") == {"site": "x", "ansible_port": 5022}


def test_variables_know_their_place() -> None:
    """Each variable has the span of its value's text and says whose it is."""
    inventory, _ = read("[web]\n  web1   a=1 b='x y'\n[web:vars]\n c =  2\n")
    variables = inventory.variables("web1")
    assert (variables["a"].source, variables["a"].span) == ("host `web1`", Span("hosts", 2, 12, 2, 13))
    assert variables["b"].span == Span("hosts", 2, 16, 2, 21)
    assert (variables["c"].source, variables["c"].span) == ("group `web`", Span("hosts", 4, 7, 4, 8))
    assert inventory.hosts["web1"].span == Span("hosts", 2, 3, 2, 7)


def test_templates_become_nodes_at_their_offset() -> None:
    """A value with Jinja is a node whose offsets point at its text in the file."""
    text = "[web]\nweb1 x={{ site }}\n"
    inventory, _ = read(text.replace("{{ site }}", "{{site}}"))
    node = inventory.variables("web1")["x"].value
    assert isinstance(node, Node)
    assert plain(node) == "{{site}}"
    assert node.source.text[node.start : node.end] == "{{site}}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080), ("010", "010"), ("0", 0), ("-5", -5), ("1.5", 1.5), ("1e3", 1000.0), ("0x1F", 31),
        ("True", True), ("true", "true"), ("yes", "yes"), ("None", None), ("null", "null"),
        ("['a', 1]", ["a", 1]), ("('a',)", ["a"]), ("{'a': {'b': 2}}", {"a": {"b": 2}}), ('"quoted"', "quoted"),
        ("10.0.0.1", "10.0.0.1"), ("/usr/bin/python3", "/usr/bin/python3"), (r"C:\new", r"C:\new"), ("", ""),
        ("a b", "a b"), ("b'x'", "x"), ("...", "..."), ("1j", "1j"), ("[" * 500, "[" * 500), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_values_are_read_as_python_literals(text: str, value: object) -> None:
    """What Python takes as a literal is that value, everything else is text, as in Ansible."""
    read_value = parse_literal(text)
    assert read_value == value
    assert type(read_value) is type(value)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("[web\nx", "ini-syntax", 1, 1),
        ("[we b]\n", "ini-syntax", 1, 1),
        ("[web:hots]\n", "ini-syntax", 1, 1),
        ("web1 web2\n", "ini-syntax", 1, 6),
        ("web1 a='x\n", "ini-syntax", 1, 8),
        ("web1:\n", "ini-syntax", 1, 1),
        ("[web]\nweb[1-3]\n", "host-range", 2, 1),
        ("[web:vars]\nx=1\n", "unknown-group", 1, 1),
        ("[web]\n[web:vars]\nx\n", "ini-syntax", 3, 1),
        ("[a:children]\n  wbe\n[web]\n", "unknown-group", 2, 3),
        ("[a:children]\nb\n[b:children]\na\n", "group-cycle", 4, 1),
        ("[a:children]\nall\n", "group-cycle", 2, 1),
    ],
)
def test_mistakes_have_places(text: str, code: str, line: int, column: int) -> None:
    """Each mistake is told with its code at its line and column."""
    _, problems = read(text)
    assert [(p.code, p.span and (p.span.line, p.span.column)) for p in problems] == [(code, (line, column))]


def test_a_misspelt_group_is_suggested() -> None:
    """An undeclared group gets a did-you-mean."""
    _, problems = read("[prod:children]\nwbe\n[web]\nweb1\n")
    assert problems[0].hints[0] == "did you mean `web`?"


def test_secrets_are_masked_and_told_once() -> None:
    """A password in plain text is a Secret, and one warning stands for all hosts of the file."""
    inventory, problems = read("web1 ansible_password=hunter2\nweb2 ansible_password=1e5\n")
    secret = inventory.variables("web2")["ansible_password"].value
    assert isinstance(secret, Secret)
    assert secret.reveal() == "1e5"
    assert [(p.code, p.severity) for p in problems] == [("plain-text-secret", "warning")]
    assert "hunter2" not in repr(problems)


@given(st.text(alphabet="ab='\"\\# \t", max_size=20))
def test_words_are_split_as_shlex_does(line: str) -> None:
    """Host lines split as Python's shlex with comments, which Ansible uses."""
    try:
        expected = shlex.split(line, comments=True)
    except ValueError:
        expected = None
    try:
        words = [token.text for token in split_words(line)]
    except TokenError:
        words = None
    assert words == expected


@given(st.text(alphabet="ab[]:=,'\"#;\n {}%", max_size=60))
def test_any_text_is_read_or_told(text: str) -> None:
    """No text raises, and every problem stands inside the text."""
    _, problems = read(text)
    lines = text.split("\n")
    for problem in problems:
        assert problem.span is not None
        assert 1 <= problem.span.line <= len(lines)
        assert problem.span.end_column <= len(lines[problem.span.line - 1]) + 1

"""Host patterns."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import Source
from runner.inventory.builder import InventoryBuilder
from runner.inventory.ini import read_ini
from runner.inventory.inventory import Inventory
from runner.inventory.patterns import Term, parse_pattern, select
from runner.problems import Problems, Severity
from runner.values import Span

FLEET = """
bastion
2001:db8::1
[web]
web[01:05]
[db]
db[1:3].corp
dba
[canary]
web02
db1.corp
[empty]
[prod:children]
web
db
"""


def fleet(text: str = FLEET) -> Inventory:
    """The inventory of an INI text that has no problems."""
    problems = Problems()
    builder = InventoryBuilder()
    read_ini(Source("hosts", text), builder, problems)
    assert not problems.sorted()
    return builder.build(problems)


INVENTORY = fleet()
HOSTS = list(INVENTORY.hosts)


def chosen(pattern: str | list[str], inventory: Inventory = INVENTORY) -> list[str]:
    """The hosts of a pattern that has no problems."""
    problems = Problems()
    hosts = select(inventory, pattern, problems)
    assert not problems.sorted()
    return hosts


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("web01", "web01"),
        ("canary", "web02 db1.corp"),
        ("web:!canary", "web01 web03 web04 web05"),
        ("!canary:web", "web01 web03 web04 web05"),
        ("web:&canary", "web02"),
        ("web,db1.corp", "web01 web02 web03 web04 web05 db1.corp"),
        ("db1.corp , web01", "web01 db1.corp"),
        ("prod:&canary:!web", "db1.corp"),
        ("web01:&canary", ""),
        ("!prod", "bastion 2001:db8::1"),
        ("&canary", "web02 db1.corp"),
        ("w*", "web01 web02 web03 web04 web05"),
        ("web0[12]", "web01 web02"),
        ("web0[!12]", "web03 web04 web05"),
        ("d?a", "dba"),
        ("*.corp", "db1.corp db2.corp db3.corp"),
        ("~web0[1-2]", "web01 web02"),
        ("~(db|ba).*", "bastion db1.corp db2.corp db3.corp dba"),
        (r"~db\d", "db1.corp db2.corp db3.corp"),
        (r"~w.b0(?:1|2){1,2}:!web02", "web01"),
        ("web[0]", "web01"),
        ("web[-1]", "web05"),
        ("web[1:3]", "web02 web03 web04"),
        ("web[3:]", "web04 web05"),
        ("web[3:99]", "web04 web05"),
        ("prod[5]", "db1.corp"),
        ("we*[0]", "web01"),
        ("web:!web[0]", "web02 web03 web04 web05"),
        ("web[01:03]", "web01 web02 web03"),
        ("db[1:3].corp:!db[2:3].corp", "db1.corp"),
        ("db[1:3].corp", "db1.corp db2.corp db3.corp"),
        ("empty", ""),
        ("empty[0]", ""),
        ("2001:db8::1", "2001:db8::1"),
        ("bastion,2001:db8::1", "bastion 2001:db8::1"),
        ("!2001:db8::1,!prod", "bastion"),
        ("ungrouped", "bastion 2001:db8::1"),
        ("localhost", "localhost"),
        ("web01,localhost", "web01 localhost"),
        (["web", "!canary"], "web01 web03 web04 web05"),
        ("", ""),
        ([], ""),
    ],
)
def test_patterns_choose_hosts(pattern: str | list[str], hosts: str) -> None:
    """Each form of pattern chooses its hosts, in inventory order."""
    assert chosen(pattern) == hosts.split()


@pytest.mark.parametrize("pattern", ["all", "*", "~.*", "al*", "all:ungrouped", "!empty"])
def test_everything_is_everything(pattern: str) -> None:
    """All ways to say all hosts give all of them in inventory order."""
    assert chosen(pattern) == HOSTS


def test_a_name_of_two_kinds_is_the_host() -> None:
    """A name that is a host and a group means the host alone, and the group after `!` and `&`, as in Ansible."""
    problems = Problems()
    builder = InventoryBuilder()
    read_ini(Source("hosts", "[web]\nweb\nweb1\n"), builder, problems)
    inventory = builder.build(problems)
    assert [p.code for p in problems] == ["host-and-group"]
    assert chosen("web", inventory) == ["web"]
    assert chosen("all:!web", inventory) == []


@pytest.mark.parametrize(
    ("pattern", "code", "start", "end"),
    [
        ("web:wbe", "unknown-host", 4, 7),
        ("web:!canray", "unknown-host", 5, 11),
        ("web[01:09]", "unknown-host", 0, 10),
        ("web:~(a", "pattern-syntax", 5, 6),
        ("web:we[b", "pattern-syntax", 6, 7),
        ("web,~a**", "pattern-syntax", 7, 8),
        ("web:!", "pattern-syntax", 4, 5),
        ("web[7]", "subscript-out-of-range", 0, 6),
        ("web[-6]", "subscript-out-of-range", 0, 7),
        ("x[9:1].corp", "host-range", 0, 11),
    ],
)
@pytest.mark.parametrize("quotes", [0, 1])
def test_mistakes_have_places(pattern: str, code: str, start: int, end: int, quotes: int) -> None:
    """A mistake is told at its column inside the pattern, plain or in quotes."""
    problems = Problems()
    select(INVENTORY, pattern, problems, Span("p.yml", 3, 10, 3, 10 + len(pattern) + 2 * quotes))
    first = 10 + quotes
    assert [(p.code, p.severity, p.span) for p in problems] == [
        (code, Severity.ERROR, Span("p.yml", 3, first + start, 3, first + end))
    ]


def test_a_list_has_a_place_for_each_pattern() -> None:
    """With a span for each pattern of a list the problem stands at the one that is wrong."""
    problems = Problems()
    select(INVENTORY, ["web", "wbe"], problems, [Span("p", 1, 1, 1, 4), Span("p", 2, 5, 2, 8)])
    assert [p.span for p in problems] == [Span("p", 2, 5, 2, 8)]


def test_unknown_names_are_suggested() -> None:
    """An unknown name gets the nearest host or group, in a large inventory too."""
    problems = Problems()
    select(fleet("[g]\nhost[00001:20000]\n"), "hots00017", problems)
    assert [p.hints for p in problems] == [("did you mean `host00017`?",)]


@pytest.mark.parametrize("pattern", ["x*", "~x"])
def test_globs_that_match_nothing_are_warned_of(pattern: str) -> None:
    """A glob or expression that matches nothing is a warning, as it may be right another day."""
    problems = Problems()
    assert select(INVENTORY, pattern, problems) == []
    assert [(p.code, p.severity) for p in problems] == [("pattern-matches-nothing", Severity.WARNING)]


def test_a_file_names_hosts(tmp_path: Path) -> None:
    """`@file` stands for its lines together, which may be excluded as a whole; its mistakes have its places."""
    (tmp_path / "hosts.txt").write_text("# two\nweb01\n  web0[23] # three\n")
    problems = Problems()
    assert select(INVENTORY, "@hosts.txt", problems, directory=tmp_path) == ["web01", "web02", "web03"]
    assert select(INVENTORY, "web:!@hosts.txt", problems, directory=tmp_path) == ["web04", "web05"]
    assert not problems.sorted()
    (tmp_path / "hosts.txt").write_text("web01\n  wbe02\n@more\n")
    select(INVENTORY, "@hosts.txt", problems, directory=tmp_path)
    select(INVENTORY, "@none.txt", problems, Span("p", 1, 1, 1, 10), directory=tmp_path)
    assert {(p.code, p.span and (Path(p.span.path).name, p.span.line, p.span.column)) for p in problems} == {
        ("unknown-host", ("hosts.txt", 2, 3)),
        ("pattern-syntax", ("hosts.txt", 3, 1)),
        ("file-not-found", ("p", 1, 1)),
    }


def test_terms_know_their_place() -> None:
    """Terms come in the order written, with the place of their text."""
    terms = parse_pattern(" web : & prod,!~(a|b),[::1]")
    assert [(term.operation.name, term.body) for term in terms] == [
        ("UNION", "web"),
        ("INTERSECTION", "prod"),
        ("EXCLUSION", "~(a|b)"),
        ("UNION", "::1"),
    ]
    assert [term.start for term in terms] == [1, 9, 15, 22]
    assert parse_pattern("") == ()
    assert isinstance(terms[0], Term)


NAMES = st.sampled_from(
    ["web", "db", "canary", "empty", "prod", "web01", "web0[1-3]", "db*", "~.*1", "dba", "web[1:2]"]
)


@given(NAMES, NAMES, NAMES)
def test_patterns_are_set_algebra(first: str, second: str, third: str) -> None:
    """Union, intersection and exclusion are those of sets, in any order written, and keep inventory order."""
    one, two, three = (set(chosen(name)) for name in (first, second, third))
    assert set(chosen(f"{first}:{second}")) == one | two
    assert set(chosen(f"{first}:&{second}")) == one & two
    assert set(chosen(f"{first}:!{second}")) == one - two
    assert set(chosen(f"!{third}:&{second}:{first}")) == (one & two) - three
    assert chosen(f"{first},{second}") == chosen([second, first])
    result = chosen(f"{first}:{second}:!{third}")
    assert result == [host for host in HOSTS if host in set(result)]


@given(st.text(alphabet="web[]01:,!&~@*?()\\ ", max_size=16))
def test_any_pattern_is_read_or_told(pattern: str) -> None:
    """No pattern raises; what it chooses are hosts, or it has a problem inside its text."""
    if "@" in pattern:
        pattern = pattern.replace("@", "")
    problems = Problems()
    span = Span("p", 1, 1, 1, 1 + len(pattern))
    hosts = select(INVENTORY, pattern, problems, span)
    assert set(hosts) <= set(HOSTS) | {"localhost", "::1", "127.0.0.1"}
    for problem in problems:
        assert problem.span is not None
        assert 1 <= problem.span.column <= problem.span.end_column <= 1 + len(pattern)

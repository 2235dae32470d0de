"""Each mistake in a native inventory is one problem, and looking only at hosts that say something misses none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import Source, to_plain
from runner.document.schema import check_inventory
from runner.document.schema_errors import SchemaErrors
from runner.document.schema_validator import findings
from runner.document.yaml import load
from runner.problems import Problem, Problems

MARK = "^"
"""Stands in the texts below right before the place of the problem."""


def problems_of(text: str) -> list[Problem]:
    """All problems of an inventory, the loader's too."""
    problems = Problems()
    check_inventory(load(Source("inventory.yml", text), problems), problems)
    return problems.sorted()


INVENTORY = """
version: 1
vars: {site: north}
connection: {transport: ssh, user_name: ops, jump: [bastion]}
hosts:
  bastion: {address: bastion.example.com, connection: {port: 2222, jump: []}}
groups:
  web:
    hosts: {"web[01:20]": {}, web21: {address: 10.0.0.21, vars: {weight: 2}}, web22: }
    vars: {tier: front}
    throttle: 10
  windows:
    hosts: {"win[01:05].corp.example": {}}
    connection: {transport: winrm, use_ssl: true, credential: ops}
  prod: {groups: [web, windows]}
  empty:
"""

INVENTORY_CASES: list[tuple[str, str, str, str]] = [
    ("version: 1\nhosts:\n  a: {^adress: b}\n", "unknown-key", "host `a` has no key `adress`", "`address`"),
    ("version: 1\nhosts:\n  a: {^ansible_host: b}\n", "unknown-key", "`ansible_host`", "write `address`"),
    ("version: 1\nhosts:\n  a: {^port: 22}\n", "unknown-key", "`port`", "`connection`, in the host"),
    ("version: 1\nhosts:\n  a: {vars: ^5}\n", "wrong-type", "`vars` of host `a` must be a mapping", ""),
    ("version: 1\nhosts: ^[a, b]\n", "wrong-type", "`hosts` must be a mapping", "NAME: {}"),
    ("version: 1\ngroups:\n  g: {^children: {}}\n", "unknown-key", "group `g`", "write `groups`"),
    ("version: 1\ngroups:\n  g: {hosts: {a: {^x: 1}}}\n", "unknown-key", "host `a` has no key `x`", ""),
    ("version: 1\ngroups:\n  g: {throttle: ^many}\n", "wrong-value", "`throttle` of group `g`", ""),
    ("version: 1\nconnection: {transport: ^telnet}\n", "wrong-value", "`connection.transport` must be", ""),
    (
        "version: 1\nhosts:\n  a: {connection: {^ports: 22}}\n",
        "unknown-key",
        "`connection` of host `a`",
        "`port`",
    ),
    (
        "version: 1\nhosts:\n  a: {connection: {transport: ssh, ^use_ssl: true}}\n",
        "excluded-key",
        "`use_ssl` of `connection` of host `a` does not go with `transport: ssh`",
        "",
    ),
    ("^hosts: {}\n", "missing-key", "an inventory needs `version`", ""),
    ("^- a\n- b\n", "not-an-inventory", "not a list", ""),
]


def test_the_inventory_of_the_language_is_right() -> None:
    """The inventory that shows the native form has no problem."""
    assert problems_of(INVENTORY) == []


@pytest.mark.parametrize(("text", "code", "words", "hint"), INVENTORY_CASES)
def test_mistakes_in_an_inventory(text: str, code: str, words: str, hint: str) -> None:
    """A mistake in an inventory is one problem at its place that names the host or group."""
    before, _, after = text.partition(MARK)
    found = problems_of(before + after)
    assert [problem.code for problem in found] == [code]
    assert found[0].span is not None
    place = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    assert (found[0].span.line, found[0].span.column) == place
    assert words in found[0].message
    assert hint in " ".join(found[0].hints)


SCALARS = st.sampled_from(
    ["{}", "", "~", "5", "text", "[]", "{vars: {a: 1}}", "{vars: }", "{vars: 5}", "{address: b}"]
)
MORE = st.sampled_from(
    [
        *(
            "{address: 5}",
            "{address: true}",
            "{address: }",
            "{adress: b}",
            "{vars: {}, address: b}",
            "{vars: [1]}",
        ),
        *("{connection: {port: 1}}", "{connection: {port: x}}", "{vars: {a: 1}, x: 1}", "{address: [a]}"),
    ]
)


@given(st.lists(st.one_of(SCALARS, MORE), max_size=5), st.lists(st.one_of(SCALARS, MORE), max_size=5))
def test_a_glance_at_a_host_finds_what_the_schema_finds(alone: list[str], grouped: list[str]) -> None:
    """Leaving out the hosts that are right at a glance changes no problem."""
    lines = ["version: 1", "hosts:", *(f"  h{i}: {host}" for i, host in enumerate(alone))]
    lines += ["groups:", "  g:", "    hosts:", *(f"      g{i}: {host}" for i, host in enumerate(grouped))]
    document = load(Source("inventory.yml", "\n".join(lines)), Problems())
    assert document.root is not None
    quick, whole = Problems(), Problems()
    check_inventory(document, quick)
    SchemaErrors("inventory", document.root, whole).note_all(findings("inventory", to_plain(document.root)))
    assert quick.sorted() == whole.sorted()

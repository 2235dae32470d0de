"""Pools of an inventory: named limits, and which hosts take from them."""

from __future__ import annotations

from pathlib import Path

from runner.inventory.load import load_inventory
from runner.problems import Problems

HOSTS = """\
version: 1
pools: {bastion: 10, rack1: {throttle: 4, adaptive: true, description: one switch}}
hosts: {lone: {pool: bastion}}
groups:
  all_web: {groups: [web], pool: bastion}
  web:
    hosts: {"web[01:03]": {}, web04: {pool: {rack1: 3}}}
    pool: {rack1: 2}
  db: {hosts: {db01: {}}}
"""


def test_hosts_take_from_the_pools_of_their_groups(tmp_path: Path) -> None:
    """A host takes from the pools of all its groups and its own; of two weights the nearer one counts."""
    path = tmp_path / "hosts.yml"
    path.write_text(HOSTS, encoding="utf-8")
    problems = Problems()
    inventory = load_inventory([str(path)], problems)

    assert problems.sorted() == []
    assert {"bastion": (10, False), "rack1": (4, True)} == {
        name: (pool.size, pool.adaptive) for name, pool in inventory.pools.items()
    }
    assert {
        "lone": {"bastion": 1},
        "web01": {"bastion": 1, "rack1": 2},
        "web04": {"bastion": 1, "rack1": 3},
        "db01": {},
        "unknown": {},
    } == {
        host: {use.name: use.weight for use in inventory.pool_uses(host)}
        for host in ("lone", "web01", "web04", "db01", "unknown")
    }


def test_a_later_inventory_adds_pools(tmp_path: Path) -> None:
    """Of two sources with a pool of one name the later one counts; a host of both takes from both."""
    for name, text in {
        "a": "version: 1\npools: {one: 1, two: 2}\nhosts: {h: {pool: one}}\n",
        "b": "version: 1\npools: {two: 3}\nhosts: {h: {pool: two}}\n",
    }.items():
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
    problems = Problems()
    inventory = load_inventory([str(tmp_path / "a.yml"), str(tmp_path / "b.yml")], problems)

    assert problems.sorted() == []
    assert {"one": 1, "two": 3} == {name: pool.size for name, pool in inventory.pools.items()}
    assert ["one", "two"] == [use.name for use in inventory.pool_uses("h")]


def test_what_is_no_pool_is_told_at_its_place(tmp_path: Path) -> None:
    """A limit of nothing and a weight of nothing are refused."""
    path = tmp_path / "hosts.yml"
    path.write_text("version: 1\npools: {a: 0}\nhosts: {h: {pool: {a: 0}}}\n", encoding="utf-8")
    problems = Problems()
    load_inventory([str(path)], problems)

    assert [("wrong-value", 2), ("wrong-value", 3)] == [
        (problem.code, problem.span.line if problem.span else 0) for problem in problems.sorted()
    ]

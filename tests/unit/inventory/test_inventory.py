"""Groups, precedence and what hosts share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.inventory.builder import InventoryBuilder
from runner.inventory.inventory import Inventory
from runner.inventory.model import Variable
from runner.problems import Problems

EDGES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda edge: edge[0] < edge[1]), max_size=14
)


def built(builder: InventoryBuilder) -> Inventory:
    """The inventory, which must have no problems."""
    problems = Problems()
    inventory = builder.build(problems)
    assert not problems.sorted()
    return inventory


@given(
    edges=EDGES,
    home=st.integers(0, 7),
    setters=st.sets(st.integers(0, 7)),
    priorities=st.lists(st.integers(1, 3), min_size=8),
)
def test_groups_layer_by_depth_priority_and_name(
    edges: list[tuple[int, int]], home: int, setters: set[int], priorities: list[int]
) -> None:
    """The deepest group of a host counts, of equally deep ones the greater priority, then the later name."""
    builder = InventoryBuilder()
    for number in range(8):
        group = builder.group(f"g{number}")
        group.vars["ansible_group_priority"] = Variable(priorities[number], "test")
        if number in setters:
            group.vars["x"] = Variable(number, f"g{number}")
    for parent, child in edges:
        builder.group(f"g{parent}").children[f"g{child}"] = None
    builder.host("h")
    builder.group(f"g{home}").hosts["h"] = None
    inventory = built(builder)

    def depth(number: int) -> int:
        return 1 + max((depth(parent) for parent, child in edges if child == number), default=0)

    def above(number: int) -> set[int]:
        return {number}.union(*(above(parent) for parent, child in edges if child == number))

    candidates = sorted((depth(n), priorities[n], f"g{n}", n) for n in above(home) & setters)
    found = inventory.variables("h").get("x")
    assert (found.value if found else None) == (candidates[-1][3] if candidates else None)
    assert {group.name for group in inventory.lineage("h")} == {"all", *(f"g{n}" for n in above(home))}
    assert all("h" in inventory.group_hosts(group.name) for group in inventory.lineage("h"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=16))
def test_any_cycle_is_cut_and_told(edges: list[tuple[int, int]]) -> None:
    """Whatever groups contain each other, the inventory has none left, and a problem says so."""
    builder = InventoryBuilder()
    for number in range(6):
        builder.group(f"g{number}")
    for parent, child in edges:
        builder.group(f"g{parent}").children[f"g{child}"] = None
    problems = Problems()
    inventory = builder.build(problems)
    for group in inventory.groups.values():
        for name in group.children:
            assert group.name not in inventory.descendants(name)
            assert inventory.groups[name].depth > group.depth
    dropped = len(set(edges)) - sum(len(inventory.groups[f"g{n}"].children) for n in range(6))
    assert len([p for p in problems if p.code == "group-cycle"]) <= dropped
    assert bool(dropped) == problems.has_errors


def test_host_beats_group_and_is_shared_by_nobody() -> None:
    """A host's own value beats its groups'; hosts with the same groups and names have one signature."""
    builder = InventoryBuilder()
    for name in ("a", "b", "c"):
        builder.host(name)
        builder.group("g").hosts[name] = None
    builder.group("g").vars["x"] = Variable(1, "g")
    builder.group("g").throttle = 3
    builder.host("a").vars["x"] = Variable(2, "a")
    inventory = built(builder)
    assert [inventory.variables(name)["x"].value for name in ("a", "b", "c")] == [2, 1, 1]
    assert inventory.signature("b") == inventory.signature("c") != inventory.signature("a")
    assert inventory.group_throttles("a") == {"g": 3}
    assert [layer["x"].value for layer in inventory.layers("a")] == [1, 2]


def test_names_that_are_not_in_the_inventory() -> None:
    """This machine has the variables of `all` without being in it; any other name has none."""
    builder = InventoryBuilder()
    builder.group("all").vars["x"] = Variable(1, "all")
    inventory = built(builder)
    assert inventory.lineage("elsewhere") == ()
    assert inventory.group_hosts("all") == ()


def test_ungrouped_holds_the_lonely() -> None:
    """A host that another group lists is not in `ungrouped`, even where a source put it there."""
    builder = InventoryBuilder()
    for name in ("lonely", "social"):
        builder.host(name)
        builder.group("ungrouped").hosts[name] = None
    builder.group("g").hosts["social"] = None
    inventory = built(builder)
    assert inventory.groups["ungrouped"].hosts == ("lonely",)
    assert inventory.groups["all"].children == ("ungrouped", "g")

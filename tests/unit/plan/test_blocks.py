"""Blocks in the plan: junctions, their edges, what stays of a block when steps are selected, what may be read."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import Mapping, Source
from runner.engine.shape import Edge
from runner.plan.blocks import junction, points
from runner.plan.choose import Choice, chosen_steps
from runner.plan.model import Plan
from runner.plan.order import check_cycles, passed_through, step_graph
from runner.playbook.blocks import around
from runner.playbook.bodies import AssertBody
from runner.playbook.control import BlockPlace, Need, Part, Wait
from runner.playbook.model import Block, Step
from runner.problems import Problems
from runner.values import Span
from tests.support.planning import INVENTORY, codes, found, prepared

SPAN = Span("p.yml", 1, 1, 1, 2)
NODE = Mapping(Source("p.yml", ""), 1, 1, 1, 1, entries={})

FULL = """\
version: 1
name: x
steps:
  - {id: before, hosts: web, script: "true"}
  - id: all
    hosts: web
    when: tier == 'front'
    block:
      - {id: one, script: "true"}
      - {id: two, script: "true"}
    rescue:
      - {id: mend, script: "true"}
      - {id: tell, script: "true"}
    always:
      - {id: tidy, script: "true"}
  - {id: after, hosts: web, script: "true"}
"""


def planned(folder: Path, playbook: str, **given: object) -> Plan:
    result = prepared(folder, playbook, inventory=INVENTORY, **given)  # type: ignore[arg-type]
    assert result.plan is not None, result.problems.sorted()
    return result.plan


def edges(plan: Plan, index: int | None) -> set[tuple[int, str, bool]]:
    assert index is not None
    return {(edge.step, edge.wait, edge.taints) for edge in plan.shape.steps[index].edges}


def test_the_edges_of_a_block_are_those_of_the_design(tmp_path: Path) -> None:
    """Entry, rescue, always and end stand behind the steps, with edges host by host that taint where they should."""
    plan = planned(tmp_path, FULL)
    (block,) = plan.blocks
    before, one, two, mend, tell, tidy, after = range(7)
    assert block.rescue is not None
    assert block.always is not None
    entry, rescue, always, end = block.entry, block.rescue, block.always, block.end

    assert [7, 8, 9, 10] == [entry, rescue, always, end]
    assert {(before, "auto", True)} == edges(plan, entry)
    assert {(one, "same", True), (two, "same", True)} == edges(plan, rescue)
    assert {(n, "same", False) for n in (one, two, mend, tell)} == edges(plan, always)
    assert {
        (entry, "same", True),
        (one, "same", False),
        (two, "same", False),
        (mend, "same", True),
        (tell, "same", True),
        (tidy, "same", True),
    } == edges(plan, end)
    assert {(entry, "same", False)} == edges(plan, one)
    assert {(one, "same", True)} == edges(plan, two)
    assert {(rescue, "same", False)} == edges(plan, mend)
    assert {(mend, "same", True)} == edges(plan, tell)
    assert {(always, "same", False)} == edges(plan, tidy)
    assert {(end, "auto", True)} == edges(plan, after)


def test_junctions_are_decided_as_the_block_says(tmp_path: Path) -> None:
    """The entry is judged by ``when``, the others by what went wrong; all that is inside has entered."""
    plan = planned(tmp_path, FULL)
    (block,) = plan.blocks
    steps = plan.shape.steps

    assert [True, True, True, True] == [steps[n].junction for n in range(7, 11)]
    assert ["success", "failure", "always", "always"] == [steps[n].run_if for n in range(7, 11)]
    assert [True, False, False, False] == [steps[n].judged for n in range(7, 11)]
    assert [None, 7, 7, 8, 8, 9, None] == [steps[n].enter for n in range(7)]
    assert [None, 7, 7, None] == [steps[n].enter for n in range(7, 11)]
    assert [5, 9] == [n for n, step in enumerate(steps) if step.finally_]
    assert [()] * 4 == [steps[n].counters for n in range(7, 11)]
    assert {0, 6, 10} == plan.shape.counted
    assert {1, 2, 3, 4, 5} == block.steps
    assert ["web01", "web02", "web03", "web04"] == [p.host for p in block.placements]


def test_without_a_rescue_the_end_is_as_bad_as_the_body(tmp_path: Path) -> None:
    """Nothing stands between a failure inside and what needs the block."""
    plan = planned(
        tmp_path, 'version: 1\nname: x\nsteps: [{id: b, hosts: web, block: [{id: s, script: "true"}]}]'
    )
    (block,) = plan.blocks

    assert (None, None) == (block.rescue, block.always)
    assert {(block.entry, "same", True), (0, "same", True)} == edges(plan, block.end)


def test_an_inner_block_enters_behind_the_part_it_stands_in(tmp_path: Path) -> None:
    """Its entry waits for the outer junction without taint, and the outer end looks at the inner one's."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - id: outer
            hosts: web
            block:
              - id: inner
                block: [{id: s, script: "true"}]
                rescue: [{id: r, script: "true"}]
            always:
              - id: late
                block: [{id: t, script: "true"}]
        """,
    )
    outer, inner, late = plan.blocks

    assert {(outer.entry, "same", False)} == edges(plan, inner.entry)
    assert outer.entry == plan.shape.steps[inner.entry].enter
    assert outer.always == plan.shape.steps[late.entry].enter
    assert {
        (outer.entry, "same", True),
        (inner.end, "same", True),
        (late.end, "same", True),
    } == edges(plan, outer.end)
    assert {late.entry, late.end, outer.always, 2} == {
        n for n, step in enumerate(plan.shape.steps) if step.finally_
    }
    assert {outer.end} == plan.shape.counted
    assert (frozenset({0, 1, 2}), frozenset({0, 1})) == (outer.steps, inner.steps)


def test_a_rescue_of_the_whole_block_waits_for_all_hosts(tmp_path: Path) -> None:
    """``rescue_on: block`` enters on every host where any failed; ``wait: all`` inside is as it is written."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - id: b
            hosts: web
            rescue_on: block
            block:
              - {id: s, script: "true"}
              - {id: t, needs: [{step: s, wait: all}], script: "true"}
            rescue: [{id: r, script: "true"}]
        """,
    )
    (block,) = plan.blocks

    assert {(0, "all", True), (1, "all", True)} == edges(plan, block.rescue)
    assert (Edge(0, "all"),) == plan.shape.steps[1].edges


def test_a_run_once_step_is_waited_for_by_every_host_of_its_block(tmp_path: Path) -> None:
    """It runs on one host for all of them, so they wait for it and its failure is theirs."""
    plan = planned(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - id: b
            hosts: web
            block:
              - {id: s, run_once: true, script: "true"}
              - {id: t, script: "true"}
        """,
    )
    (block,) = plan.blocks

    assert (Edge(0, "auto"),) == plan.shape.steps[1].edges
    assert (0, "auto", True) in edges(plan, block.end)


def test_hosts_of_a_block_are_those_of_its_steps_unless_it_says_them(tmp_path: Path) -> None:
    """Steps on different hosts make a block of all of them; hosts that the block does not name are refused."""
    text = """\
        version: 1
        name: x
        steps:
          - id: b
            HOSTS
            block:
              - {id: s, hosts: db, script: "true"}
              - {id: t, hosts: "web01", script: "true"}
        """
    plan = planned(tmp_path, text.replace("HOSTS", "name: both"))

    assert ["web01", "db01"] == [p.host for p in plan.blocks[0].placements]
    assert [("block-other-hosts", 8, 24)] == found(
        prepared(tmp_path, text.replace("HOSTS", "hosts: db"), inventory=INVENTORY)
    )


SELECTED = """\
version: 1
name: x
steps:
  - {id: a, hosts: web, script: "true"}
  - id: b
    hosts: web
    block:
      - {id: s, tags: [one], script: "true"}
      - {id: t, tags: [two], script: "true"}
    rescue: [{id: r, script: "true"}, {id: q, tags: [never], script: "true"}]
    always: [{id: z, script: "true"}]
  - {id: c, hosts: web, tags: [one], script: "true"}
"""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"tags": ("one",)}, ["s", "r", "z", "c"]),
        ({"only": ("t",)}, ["t", "r", "z"]),
        ({"only": ("b",)}, ["s", "t", "r", "z"]),
        ({"only": ("a",)}, ["a"]),
        ({"start_at": "t"}, ["t", "r", "z", "c"]),
        ({"start_at": "b"}, ["s", "t", "r", "z", "c"]),
        ({"start_at": "z"}, ["c"]),
        ({"skip_tags": ("one", "two")}, ["a"]),
        ({"tags": ("one", "never")}, ["s", "r", "q", "z", "c"]),
    ],
)
def test_selection_keeps_blocks_whole(tmp_path: Path, given: dict[str, object], kept: list[str]) -> None:
    """Rescue and always come with any step of the body, and never without one."""
    plan = planned(tmp_path, SELECTED, **given)

    assert kept == [step.step.id for step in plan.steps]
    assert ([] if not {"s", "t"} & set(kept) else ["b"]) == [block.block.id for block in plan.blocks]


def test_a_rescue_that_is_named_alone_is_refused(tmp_path: Path) -> None:
    """What is asked for by name is never left out silently."""
    result = prepared(tmp_path, SELECTED, inventory=INVENTORY, only=("a", "r"))

    assert [("rescue-alone", 10, 19)] == found(result)


def test_a_block_that_drops_away_passes_its_needs_through(tmp_path: Path) -> None:
    """Who needed it needs what it needed."""
    text = SELECTED.replace("{id: c, hosts: web, tags: [one]", "{id: c, hosts: web, tags: [last]").replace(
        "{id: a,", "{id: a, tags: [last],"
    )
    plan = planned(tmp_path, text, tags=("last",))

    assert {"a": [], "c": ["a"]} == {p.step.id: [n.step for n in p.step.needs or ()] for p in plan.steps}


def test_blocks_that_need_each_other_are_one_cycle(tmp_path: Path) -> None:
    """The circle is told by what the author wrote, not by what stands inside."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - {id: a, needs: [b], block: [{id: s, script: "true"}]}
          - {id: b, needs: [a], block: [{id: t, script: "true"}]}
        """,
    )
    (problem,) = result.problems.sorted()

    assert "steps wait for each other: `a` -> `b` -> `a`" == problem.message


def test_results_of_a_block_are_readable_behind_it_and_in_its_rescue(tmp_path: Path) -> None:
    """Whoever needs the block waits for its steps; its rescue and its always wait for the body."""
    text = """\
        version: 1
        name: x
        steps:
          - id: b
            hosts: web
            block:
              - {id: s, register: r, script: "true"}
              - {id: t, needs: [], register: u, script: "true", when: READ}
            rescue: [{id: m, when: r is failed, script: "true"}]
            always: [{id: z, when: u.exit_code == 0, script: "true"}]
          - {id: after, hosts: web, when: r.exit_code == 0, script: "true"}
          - {id: here, shell: python, script: "print($Using:results.u)"}
        """

    assert [] == codes(prepared(tmp_path, text.replace(", when: READ", ""), inventory=INVENTORY))
    assert ["unordered-result"] == codes(
        prepared(tmp_path, text.replace("READ", "r is failed"), inventory=INVENTORY)
    )


def unit(name: str, place: BlockPlace | None, needs: list[str]) -> Step:
    return Step(
        id=name,
        span=SPAN,
        node=NODE,
        body=AssertBody(()),
        place=place,
        needs=tuple(Need(each, Wait.AUTO, SPAN) for each in needs),
    )


@st.composite
def nests(draw: st.DrawFn) -> tuple[list[Step], dict[str, Block]]:
    """Random blocks in blocks, each part with steps and blocks that need some of what stands before them in it."""
    steps: list[Step] = []
    blocks: dict[str, Block] = {}

    def fill(place: BlockPlace | None, depth: int) -> None:
        before: list[str] = []
        for _ in range(draw(st.integers(1, 3))):
            needs = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
            if depth < 3 and draw(st.booleans()):
                name = f"b{len(blocks)}"
                parts = draw(st.sets(st.sampled_from([Part.RESCUE, Part.ALWAYS])))
                blocks[name] = Block(
                    id=name,
                    span=SPAN,
                    node=NODE,
                    place=place,
                    needs=tuple(Need(each, Wait.AUTO, SPAN) for each in needs),
                    rescue_on=draw(st.sampled_from(["host", "block"])),
                )
                for part in Part:
                    if part is Part.BODY or part in parts:
                        fill(BlockPlace(name, part), depth + 1)
            else:
                name = f"s{len(steps)}"
                steps.append(unit(name, place, needs))
            before.append(name)

    fill(None, 0)
    return steps, blocks


@given(nests())
def test_random_nests_are_acyclic_and_every_end_comes_last(nest: tuple[list[Step], dict[str, Block]]) -> None:
    """Whatever is nested how, there is an order, and a block's end stands behind everything in it."""
    steps, blocks = nest
    named = points(steps, blocks)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(point.name for point in named)
    graph.add_edges_from((link.needed, point.name) for point in named for link in point.links)
    graph.add_edges_from((point.enter, point.name) for point in named if point.enter is not None)

    assert len(graph) == len(named)
    assert nx.is_directed_acyclic_graph(graph)
    assert check_cycles(steps, Problems(), blocks)
    for block in blocks:
        end = junction(block, "end")
        inside = {s.id for s in steps if any(place.block == block for place in around(s.place, blocks))}
        inside |= {
            junction(b.id, "end")
            for b in blocks.values()
            if any(p.block == block for p in around(b.place, blocks))
        }
        assert inside <= nx.ancestors(graph, end)
        assert inside <= nx.descendants(graph, junction(block, "entry"))


@given(nests(), st.data())
def test_selection_leaves_no_rescue_alone_and_no_block_empty(
    nest: tuple[list[Step], dict[str, Block]], data: st.DataObject
) -> None:
    """Every kept block has a kept step in its body, and the plan that is left has an order."""
    steps, blocks = nest
    ids = [step.id for step in steps]
    only = tuple(data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True)))
    kept = chosen_steps(steps, Choice(only=only), Problems(), blocks)
    left, left_blocks = passed_through(steps, kept, blocks)

    for block in left_blocks:
        in_body = [s.id for s in left if BlockPlace(block, Part.BODY) in around(s.place, left_blocks)]
        assert in_body
    for step in left:
        assert all(place.block in left_blocks for place in around(step.place, blocks))
        assert {need.step for need in step.needs or ()} <= kept
    assert nx.is_directed_acyclic_graph(step_graph(left, left_blocks))

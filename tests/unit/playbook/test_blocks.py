"""Blocks as a flat list: places, order, needs, what is handed down, and the borders that needs may not cross."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.playbook.blocks import blocks_around, path_of
from runner.playbook.control import Part
from runner.playbook.model import Block, Playbook, Step
from tests.support.playbooks import loaded

ROLL = """\
targets: {web: {hosts: [a, b]}}
steps:
  - {id: before, script: x}
  - id: roll
    target: web
    waves: [1, 100%]
    when: 1 == 1
    block:
      - {id: drain, script: x}
      - id: inner
        block: [{id: stop, script: x}, {id: start, script: x}]
        always: [{id: tidy, script: x}]
      - {id: join, script: x}
    rescue: [{id: mend, script: x}, {id: tell, script: x}]
    always: [{id: log, script: x}]
  - {id: after, script: x}
"""


def all_units(playbook: Playbook) -> list[Step | Block]:
    """Steps and blocks."""
    return [*playbook.steps, *playbook.blocks.values()]


def needs(playbook: Playbook) -> dict[str, list[str]]:
    """What each step and block needs."""
    return {unit.id: [need.step for need in unit.needs or ()] for unit in all_units(playbook)}


def test_steps_stand_in_file_order_with_their_place(tmp_path: Path) -> None:
    """The body of a block comes before its rescue, that before its always; inner blocks are in the body."""
    playbook, problems = loaded(tmp_path, ROLL)
    body, rescue, always = Part

    assert problems.sorted() == []
    assert [
        ("before", None),
        ("drain", ("roll", body)),
        ("stop", ("inner", body)),
        ("start", ("inner", body)),
        ("tidy", ("inner", always)),
        ("join", ("roll", body)),
        ("mend", ("roll", rescue)),
        ("tell", ("roll", rescue)),
        ("log", ("roll", always)),
        ("after", None),
    ] == [(step.id, (step.place.block, step.place.part) if step.place else None) for step in playbook.steps]
    assert [("roll", None, True, True), ("inner", "roll", False, True)] == [
        (block.id, block.place.block if block.place else None, block.has_rescue, block.has_always)
        for block in playbook.blocks.values()
    ]


def test_a_part_begins_without_needs(tmp_path: Path) -> None:
    """Inside a part a step needs the one before it; what follows a block needs the block."""
    assert {
        "before": [],
        "roll": ["before"],
        "drain": [],
        "inner": ["drain"],
        "stop": [],
        "start": ["stop"],
        "tidy": [],
        "join": ["inner"],
        "mend": [],
        "tell": ["mend"],
        "log": [],
        "after": ["roll"],
    } == needs(loaded(tmp_path, ROLL)[0])


def test_where_a_step_stands_can_be_asked(tmp_path: Path) -> None:
    """The blocks around a step, from the outside in."""
    playbook, _ = loaded(tmp_path, ROLL)
    steps = {step.id: step for step in playbook.steps}

    assert ["roll", "inner"] == [block.id for block in blocks_around(playbook, steps["stop"])]
    assert [("roll", "block"), ("inner", "always")] == [
        (p.block, p.part) for p in path_of(playbook, steps["tidy"].place)
    ]
    assert blocks_around(playbook, steps["after"]) == ()


def test_a_block_keeps_when_and_waves_and_hands_down_the_rest(tmp_path: Path) -> None:
    """Inner steps have the block's target, shell, variables, tags and so on; their own words win."""
    playbook, problems = loaded(
        tmp_path,
        """\
        targets: {web: {hosts: [a], port: 22}, db: {hosts: [b]}}
        defaults: {shell: bash, timeout: 1h, throttle: 7, when: 1 == 1, vars: {a: 1, b: 1}, tags: [nightly]}
        steps:
          - id: roll
            target: web
            timeout: 5m
            tags: [web]
            vars: {b: 2, c: 2}
            connection: {port: 2222, user_name: ops}
            lock: run
            throttle: 3
            max_fail: 10%
            any_errors: stop
            order_by: name
            block:
              - {id: one, script: x}
              - {id: two, target: db, shell: sh, timeout: 1s, tags: [db], vars: {c: 3},
                 connection: {port: 23}, script: x}
        """,
    )
    roll = playbook.blocks["roll"]
    one, two = playbook.steps

    assert problems.sorted() == []
    assert (3, True, "name", 1, {"a", "b", "c"}) == (
        roll.throttle,
        roll.any_errors,
        roll.order_by.text if roll.order_by else None,
        len(roll.when),
        set(roll.variables),
    )
    assert roll.max_fail is not None
    for step, expected in (
        (one, (["web"], "bash", 300.0, {"nightly", "web"}, "2222", {"a": "1", "b": "2", "c": "2"})),
        (two, (["db"], "sh", 1.0, {"web", "db"}, "23", {"a": "1", "b": "2", "c": "3"})),
    ):
        assert expected == (
            [target.text for target in step.targets],
            step.shell,
            step.timeout,
            set(step.tags),
            getattr(step.connection["port"], "text", ""),
            {name: getattr(value, "text", "") for name, value in step.variables.items()},
        )
        assert ((), None, False, None, 7, "run") == (
            step.when,
            step.max_fail,
            step.any_errors,
            step.order_by,
            step.throttle,
            step.lock,
        )


def test_ids_inside_are_made_of_the_blocks(tmp_path: Path) -> None:
    """Steps without id and name are numbered by part, so that those of two blocks do not meet."""
    playbook, problems = loaded(
        tmp_path,
        """\
        steps:
          - block: [{script: x}, {script: x}]
            rescue: [{script: x}]
          - name: Roll it
            block: [{script: x}, {name: Named, script: x}]
            always: [{script: x}]
        """,
    )

    assert problems.sorted() == []
    assert ["step_1_1", "step_1_2", "step_1_rescue_1", "roll_it_1", "named", "roll_it_always_1"] == [
        step.id for step in playbook.steps
    ]


def test_a_block_of_local_steps_drops_the_defaults_of_fleets(tmp_path: Path) -> None:
    """``max_fail`` of ``defaults`` says nothing of a block on this controller alone."""
    playbook, problems = loaded(
        tmp_path,
        """\
        targets: {web: {hosts: [a]}}
        defaults: {max_fail: 5%}
        steps:
          - {id: here, block: [{script: x}]}
          - {id: there, block: [{script: y}, {target: web, script: x}]}
        """,
    )

    assert problems.sorted() == []
    assert (None, False) == (playbook.blocks["here"].max_fail, playbook.blocks["there"].max_fail is None)


def test_files_of_steps_bring_blocks_and_stand_in_them(tmp_path: Path) -> None:
    """The ``when`` of an include is asked where its steps and blocks begin; tags and variables reach all of them."""
    playbook, problems = loaded(
        tmp_path,
        """\
        steps:
          - {id: first, script: x}
          - {id: inc, include: {file: more.yml, vars: {v: 1}}, when: 1 == 1, tags: [t]}
          - id: roll
            block:
              - {id: inside, include: leaf.yml}
              - {id: last, script: x}
          - {id: after, needs: [inc, roll], script: x}
        """,
        more="- {id: alone, script: x}\n- {id: b, block: [{id: c, script: x}], always: [{id: d, script: x}]}\n",
        leaf="- {id: e, script: x}\n- {id: f, script: x}\n",
    )
    steps = {step.id: step for step in playbook.steps}

    assert problems.sorted() == []
    assert {"alone": ["first"], "b": ["alone"], "c": [], "d": [], "roll": ["b"], "e": [], "f": ["e"], "last": ["f"],
            "after": ["b", "roll"], "first": []} == needs(playbook)  # fmt: skip
    assert (1, 1, 0, 0) == (
        len(steps["alone"].when),
        len(playbook.blocks["b"].when),
        len(steps["c"].when),
        len(steps["d"].when),
    )
    assert all(
        steps[name].tags == {"t"} and set(steps[name].variables) == {"v"} for name in ("alone", "c", "d")
    )
    assert set(playbook.blocks["b"].variables) == {"v"}
    assert steps["e"].place is not None


def test_needs_inside_one_outermost_part_are_free(tmp_path: Path) -> None:
    """Steps of one part may name each other, in inner blocks too."""
    _, problems = loaded(
        tmp_path,
        """\
        steps:
          - id: outer
            block:
              - {id: one, script: x}
              - {id: inner, block: [{id: two, script: x}, {id: three, needs: [one], script: x}]}
              - {id: four, needs: [two], script: x}
              - {id: five, needs: [], script: x}
        """,
    )

    assert problems.sorted() == []


def test_an_empty_file_leaves_a_block_without_steps(tmp_path: Path) -> None:
    """A block whose one include has no steps is told."""
    _, problems = loaded(
        tmp_path, "steps: [{id: roll, block: [{include: none.yml}]}]\n", none="version: 1\nsteps: []\n"
    )

    assert [("empty-value", 2)] == [(p.code, p.span.line if p.span else 0) for p in problems.sorted()]


TREES = st.recursive(
    st.just("leaf"),
    lambda children: st.tuples(
        st.lists(children, min_size=1, max_size=3),
        st.lists(children, max_size=2),
        st.lists(children, max_size=2),
    ),
    max_leaves=12,
)


def written(tree: object, indent: int, order: list[str]) -> str:
    """A list entry of YAML for a step or a block; ``order`` gets the leaves' numbers as they are written."""
    pad = "  " * indent
    if isinstance(tree, str):
        order.append(f"s{len(order)}")
        return f"{pad}- {{id: {order[-1]}, script: x}}\n"
    assert isinstance(tree, tuple)
    text = f"{pad}- name: b\n{pad}  id: b{len(order)}_{indent}\n"
    for part, children in zip(Part, tree, strict=True):
        if children:
            text += f"{pad}  {part}:\n" + "".join(written(child, indent + 2, order) for child in children)
    return text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(trees=st.lists(TREES, min_size=1, max_size=4))
def test_flattening_keeps_the_order_and_makes_no_circle(tmp_path: Path, trees: list[object]) -> None:
    """However blocks nest: steps come in file order, each need stays in its part, and none leads back."""
    order: list[str] = []
    text = "steps:\n" + "".join(written(tree, 1, order) for tree in trees)
    playbook, problems = loaded(tmp_path, text)
    units = {unit.id: unit for unit in all_units(playbook)}
    graph: nx.DiGraph[str] = nx.DiGraph(
        (need.step, unit.id) for unit in units.values() for need in unit.needs or ()
    )

    assert problems.sorted() == []
    assert order == [step.id for step in playbook.steps]
    assert nx.is_directed_acyclic_graph(graph)
    assert all(units[need.step].place == unit.place for unit in units.values() for need in unit.needs or ())
    assert all(step.place is None or step.place.block in playbook.blocks for step in playbook.steps)

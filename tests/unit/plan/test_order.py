"""Needs, includes, cycles and selection: which step waits for which."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.planning import codes, found, prepared


def needs(folder: Path, playbook: str, **given: object) -> dict[str, list[str]]:
    result = prepared(folder, playbook, **given)  # type: ignore[arg-type]
    assert result.plan is not None, result.problems.sorted()
    return {p.step.id: [n.step for n in p.step.needs or ()] for p in result.plan.steps}


def test_a_step_without_needs_needs_the_one_before_it(tmp_path: Path) -> None:
    """File order is the default, ``needs: []`` starts at once, names are taken as they are."""
    playbook = """\
        version: 1
        name: x
        steps:
          - {id: a, script: "true"}
          - {id: b, script: "true"}
          - {id: c, needs: [], script: "true"}
          - {id: d, needs: [a, {step: c, wait: all}], script: "true"}
        """

    assert {"a": [], "b": ["a"], "c": [], "d": ["a", "c"]} == needs(tmp_path, playbook)


def test_a_cycle_is_one_problem_with_every_need_of_it(tmp_path: Path) -> None:
    """The sentence names the circle, the related places are the needs."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - {id: migrate, needs: [warm], script: "true"}
          - {id: warm, needs: [migrate], script: "true"}
        """,
    )
    (problem,) = result.problems.sorted()

    assert "steps wait for each other: `migrate` -> `warm` -> `migrate`" == problem.message
    assert [(4, 27), (5, 24)] == [(span.line, span.column) for span, _ in problem.related]


def test_dropped_steps_pass_their_needs_through(tmp_path: Path) -> None:
    """What selection leaves out drops away; who needed it needs what it needed."""
    playbook = """\
        version: 1
        name: x
        steps:
          - {id: a, script: "true", tags: [keep]}
          - {id: b, script: "true"}
          - {id: c, script: "true", tags: [keep]}
          - {id: d, script: "true", tags: [never]}
        """

    assert {"a": [], "c": ["a"]} == needs(tmp_path, playbook, tags=("keep",))
    assert {"b": [], "c": ["b"]} == needs(tmp_path, playbook, start_at="b")
    assert {"a": [], "b": ["a"], "c": ["b"]} == needs(tmp_path, playbook)
    assert {"d": []} == needs(tmp_path, playbook, only=("d",), tags=("never",))


def test_included_steps_stand_in_the_place_of_the_include(tmp_path: Path) -> None:
    """They take its needs, tags and vars; who needs the include by id needs the steps it ends with."""
    (tmp_path / "more.yml").write_text(
        "- {id: x, script: 'echo $Using:v'}\n- {id: y, needs: [], script: 'true'}\n", encoding="utf-8"
    )
    playbook = """\
        version: 1
        name: x
        steps:
          - {id: a, script: "true"}
          - {id: inc, include: more.yml, vars: {v: 1}}
          - {id: b, script: "true"}
          - {id: c, needs: [inc], script: "true"}
        """

    assert {"a": [], "x": ["a"], "y": ["a"], "b": ["x", "y"], "c": ["x", "y"]} == needs(tmp_path, playbook)


def test_reading_the_result_of_a_step_left_out_is_an_error(tmp_path: Path) -> None:
    """The result would not exist."""
    playbook = """\
        version: 1
        name: x
        steps:
          - {id: a, script: "true", register: r}
          - {id: b, script: "true", when: r.exit_code == 0, tags: [late]}
        """

    assert [("unselected-result", 5, 35)] == found(prepared(tmp_path, playbook, tags=("late",)))


@pytest.mark.parametrize(
    ("given", "code"), [({"only": ("nope",)}, "unknown-step"), ({"tags": ("nope",)}, "unknown-step-tag")]
)
def test_unknown_selections_are_told(tmp_path: Path, given: dict[str, object], code: str) -> None:
    """A typing mistake on the command line never selects nothing silently."""
    result = prepared(tmp_path, "version: 1\nname: x\nsteps: [{id: a, script: x}]\n", **given)  # type: ignore[arg-type]

    assert code in codes(result)

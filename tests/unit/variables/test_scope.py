"""Scopes: precedence, provenance, laziness, cycles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import AnyNode, Source
from runner.document.yaml import load
from runner.problems import Problems
from runner.variables.compile import Compiler
from runner.variables.environment import LanguageEnvironment
from runner.variables.scope import HostScopes, Variable, VariableError

LAYERS = ("inventory", "playbook", "results", "step vars", "using", "inputs", "extras")


def node(text: str) -> AnyNode:
    """The node of a piece of YAML."""
    problems = Problems()
    root = load(Source("vars.yml", text), problems).root
    assert root is not None
    assert not problems.has_errors
    return root


def scopes(**layers: dict[str, Any]) -> HostScopes:
    made = {name: {k: Variable(v, name) for k, v in values.items()} for name, values in layers.items()}
    return HostScopes(
        Compiler(LanguageEnvironment(datetime(2026, 1, 1, tzinfo=UTC))),
        layers_of=lambda _host: [made.get("inventory", {})],
        playbook=made.get("playbook", {}),
        inputs=made.get("inputs", {}),
        extras=made.get("extras", {}),
        specials_of=lambda host: {"inventory_hostname": lambda: host},
    )


@given(st.sets(st.sampled_from(LAYERS), min_size=1))
def test_the_highest_layer_that_defines_a_name_wins(present: set[str]) -> None:
    """Precedence is that of language.md for every combination of layers."""
    plan_layers = {la: {"x": la} for la in present & {"inventory", "playbook", "inputs", "extras"}}
    step_layers = [
        {"x": Variable(node(la), la)} if la in present else {} for la in ("results", "step vars", "using")
    ]
    scope = scopes(**plan_layers).of("web01").child(step_layers, {})

    assert max(present, key=LAYERS.index) == scope.lookup("x")
    assert max(present, key=LAYERS.index) == scope.render(scope.origins("x")[0].value)
    assert len(present) == len(scope.origins("x"))


def test_variables_see_each_other_and_the_host() -> None:
    """A template is evaluated in the host's scope when it is asked for, nested values too."""
    made = scopes(
        inventory={"tier": "front"},
        playbook={
            "path": node("'/srv/{{ tier }}/{{ inventory_hostname }}'"),
            "all": node("[{p: '{{ path }}'}, 1]"),
        },
    )

    assert [{"p": "/srv/front/web01"}, 1] == made.lookup("web01", "all")


def test_a_cycle_is_told_as_a_sentence() -> None:
    """Variables defined by each other raise at the definition with the circle in words."""
    made = scopes(playbook={"a": node("'{{ b }}'"), "b": node("'{{ a }}'")})

    with pytest.raises(VariableError, match="`a` -> `b` -> `a`"):
        made.lookup("h", "a")


def test_an_unknown_name_suggests_the_near_one() -> None:
    """Did-you-mean works over all layers."""
    with pytest.raises(VariableError) as error:
        scopes(inventory={"release": 1}).lookup("h", "relaese")

    assert ("did you mean `release`?",) == error.value.hints


def test_result_is_known_beside_the_step_scope() -> None:
    """``result`` in ``failed_when`` is the step's own, and names below it stay known."""
    scope = scopes(playbook={"limit": 3}).of("h").child([], {"result": lambda: {"exit_code": 2}})

    assert scope.render(node("'{{ result.exit_code < limit }}'")) is True


def test_plan_values_are_computed_once() -> None:
    """The same object comes back: a value is computed once a host."""
    made = scopes(playbook={"x": node("'{{ [1] }}'")})

    assert made.lookup("h", "x") is made.lookup("h", "x")

"""Combinations of waves, locks, pools and gates that make no sense on the hosts there are, each at its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from runner.plan.build import PlanRequest, build_plan
from runner.playbook.load import load_playbook
from runner.problems import Problems
from tests.support.planning import INVENTORY, codes, found, prepared


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{id: s, hosts: localhost, waves: [1, 100%], script: x}", ("waves-local", 4, 39)),
        ("{id: s, target: w, pool: {api: 3}, script: x}", ("pool-weight", 4, 31)),
        ("{id: s, target: w, pool: apy, script: x}", ("unknown-pool", 4, 30)),
        ("{id: s, hosts: localhost, reboot: {}}", ("reboot-local", 4, 31)),
        ("{id: s, target: here, reboot: {}}", ("reboot-local", 4, 27)),
        ("{id: s, hosts: localhost, lock: target, script: x}", ("lock-transport", 4, 31)),
        ("{id: s, hosts: 'web:localhost', lock: target, script: x}", ("lock-transport", 4, 37)),
        ("{id: s, hosts: web, delegate_to: localhost, lock: target, script: x}", ("lock-transport", 4, 49)),
    ],
)
def test_what_hosts_make_impossible_is_refused(
    tmp_path: Path, step: str, expected: tuple[str, int, int]
) -> None:
    """At the key or its value, before anything connects."""
    text = f"version: 1\nname: x\nsteps:\n  - {step}\npools: {{api: 2}}\n"
    text += "targets: {w: {hosts: web}, here: {hosts: db, transport: local}}\n"

    assert [expected] == found(prepared(tmp_path, text, inventory=INVENTORY))


@pytest.mark.parametrize(
    ("keys", "rescue", "refused"),
    [
        ("", "{target: local, script: x}", True),
        ("", "{hosts: web01, script: x}", True),
        ("rescue_on: block, ", "{target: local, script: x}", False),
        ("", "{hosts: web, delegate_to: localhost, script: x}", False),
        ("", "{hosts: web, run_once: true, script: x}", False),
        ("", "{block: [{hosts: web01, script: x}, {hosts: web, script: x}]}", False),
    ],
)
def test_a_host_that_fails_has_a_step_in_the_rescue(
    tmp_path: Path, keys: str, rescue: str, refused: bool
) -> None:
    """Else it would count as rescued, and nothing had been done for it; where all hosts rescue, one is enough."""
    text = (
        "version: 1\nname: x\nsteps:\n"
        f"  - {{id: b, {keys}rescue: [{rescue}],\n     block: [{{hosts: web, script: x}}]}}\n"
    )
    expected = [("rescue-elsewhere", 4, 13)] if refused else []

    assert expected == found(prepared(tmp_path, text, inventory=INVENTORY))


def test_pools_of_an_inventory_are_not_asked_for_where_there_is_none(tmp_path: Path) -> None:
    """``runner validate`` without an inventory cannot know them."""
    text = "version: 1\nname: x\nsteps: [{id: s, hosts: [a], pool: rack, script: x}]\n"

    assert [] == codes(prepared(tmp_path, text, validating=True))
    assert ["unknown-pool"] == codes(prepared(tmp_path, text))


@pytest.mark.parametrize(
    ("keys", "inner", "place"),
    [
        ("", "{id: t, needs: [{step: s, wait: all}], script: x}", (10, 32)),
        ("rescue_on: block, ", "{id: t, script: x}", None),
        ("", "{id: t, hosts: web03, run_once: true, script: x}", (10, 31)),
    ],
)
def test_nothing_in_waves_waits_for_a_later_wave(
    tmp_path: Path, keys: str, inner: str, place: tuple[int, int] | None
) -> None:
    """Both would wait for ever."""
    text = dedent(f"""\
        version: 1
        name: x
        steps:
          - id: b
            hosts: web
            {keys.strip(" ,") or "name: b"}
            waves: WAVES
            block:
              - {{id: s, script: x}}
              - {inner}
            rescue: [{{id: r, script: x}}]
        """)
    several = found(prepared(tmp_path, text.replace("WAVES", "[1, 100%]"), inventory=INVENTORY))

    assert ["waits-across-waves"] == [code for code, _, _ in several]
    if place is not None:
        assert place == several[0][1:]
    assert [] == codes(prepared(tmp_path, text.replace("WAVES", "[100%]"), inventory=INVENTORY))


@pytest.mark.parametrize(
    ("gate", "given", "expected"),
    [
        ("{message: go}", {"no_input": True}, ["gate-unattended"]),
        ("{message: go}", {"no_input": True, "can_approve": True}, []),
        ("{message: go}", {}, []),
        ("{message: go, default: stop}", {"no_input": True}, []),
        ("{that: 'true'}", {"no_input": True}, []),
        ("{message: go}", {"no_input": True, "check": True}, []),
        ("{message: go}", {"no_input": True, "validating": True}, []),
    ],
)
def test_a_gate_that_nobody_can_answer_is_refused(
    tmp_path: Path, gate: str, given: dict[str, Any], expected: list[str]
) -> None:
    """Unless it says what happens then; under ``--check`` it is not asked."""
    path = tmp_path / "p.yml"
    path.write_text(f"version: 1\nname: x\nsteps: [{{id: g, gate: {gate}}}]\n", encoding="utf-8")
    problems = Problems()
    playbook = load_playbook(path, problems)
    assert playbook is not None
    plan = prepared(tmp_path, path.read_text(encoding="utf-8")).plan
    assert plan is not None
    request = PlanRequest(playbook=playbook, inventory=None, inputs={}, extras={}, run=plan.run, now=plan.now)
    build_plan(replace(request, **given), problems)

    assert expected == [problem.code for problem in problems]


def test_what_is_told_of_the_document_is_not_told_again_of_the_hosts(tmp_path: Path) -> None:
    """One mistake is one problem."""
    steps = "  - {id: s, waves: [1, 100%], lock: target, script: x}\n  - {id: t, reboot: {}}\n"
    steps += "  - {id: b, waves: [1, 100%], block: [{id: c, script: x}]}\n"
    text = f"version: 1\nname: x\nsteps:\n{steps}"
    told = [problem.code for problem in prepared(tmp_path, text, inventory=INVENTORY).problems]

    assert ["lock-transport", "reboot-local", "waves-local", "waves-local"] == sorted(told)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ("ensure: {test: 'true', set: 'true'}, shell: sh", True),
        ("reboot: {}, shell: bash", True),
        ("wait_for: {that: {script: 'true', shell: python}}", True),
        ("wait_for: {port: 5986, from: host}, shell: sh", True),
        ("wait_for: {port: 5986}, shell: sh", False),
        ("gate: {that: {script: 'true', shell: sh}}", True),
        ("ensure: {test: '$true', set: '1'}", False),
        ("delegate_to: near, shell: sh, script: 'true'", False),
    ],
)
def test_whatever_needs_a_shell_over_winrm_needs_powershell(tmp_path: Path, body: str, refused: bool) -> None:
    """Of the bodies that run something on the host, where they run it."""
    text = (
        "version: 1\nname: x\ntargets:\n  win: {hosts: [w1], transport: winrm}\n  near: {hosts: [l1]}\n"
        f"steps:\n  - {{id: s, target: win, {body}}}\n"
    )

    assert (["shell-over-winrm"] if refused else []) == codes(prepared(tmp_path, text))

"""Names in what control keys say: results of attempts, failures of blocks, variables that steps set, health checks."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.support.planning import INVENTORY, codes, found, prepared


def problems_of(folder: Path, steps: str, **given: object) -> list[str]:
    text = f"version: 1\nname: x\nsteps:\n{indent(dedent(steps), '  ')}"
    return codes(prepared(folder, text, inventory=INVENTORY, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "step",
    [
        "script: 'true', until: 'result.exit_code == 0 and NAME', retry: 3",
        "script: 'true', retry: {attempts: 2, on: ['result.exit_code == NAME']}",
        "script: 'true', loop: {over: [1], item: disk, index: number}, when: NAME == 1",
        "set_vars: {x: '{{ NAME }}'}",
        "http: {url: 'http://{{ NAME }}/', headers: {A: '{{ NAME }}'}, json: {b: ['{{ NAME }}']}}",
        "http: {url: 'http://a/', body: '{{ NAME }}'}",
        "fail: '{{ NAME }}'",
        "gate: {message: '{{ NAME }}', default: stop}",
        "gate: {that: NAME}",
        "wait_for: {port: '{{ NAME }}'}",
        "wait_for: {path: '/{{ NAME }}'}",
        "wait_for: {url: 'http://{{ NAME }}/'}",
        "wait_for: {that: NAME == 1}",
        "wait_for: {that: {script: 'echo $Using:NAME'}}",
        "reboot: {message: '{{ NAME }}'}",
        "reboot: {test: 'echo $Using:NAME'}",
        "ensure: {test: 'echo $Using:NAME', set: 'true'}",
        "ensure: {test: 'true', set: 'echo $Using:NAME'}",
        "script: 'true', waves: [1, 100%], health: NAME",
        "script: 'true', waves: [1, 100%], health: {script: 'echo $Using:NAME'}",
    ],
)
def test_every_text_of_a_control_key_is_checked(tmp_path: Path, step: str) -> None:
    """A name that is known is fine there, an unknown one is told before anything connects."""
    good = step.replace("NAME", "tier")
    bad = step.replace("NAME", "nobody")

    assert [] == problems_of(tmp_path, f"- {{id: s, hosts: web, {good}}}\n")
    assert set(problems_of(tmp_path, f"- {{id: s, hosts: web, {bad}}}\n")) <= {
        "unknown-variable",
        "unknown-using",
    }
    assert problems_of(tmp_path, f"- {{id: s, hosts: web, {bad}}}\n")


def test_names_of_a_loop_are_known_in_it_alone(tmp_path: Path) -> None:
    """In templates and in scripts."""
    step = (
        "- {id: s, loop: {over: [1], item: disk, index: number}, script: 'echo $Using:disk $Using:number'}\n"
    )

    assert [] == problems_of(tmp_path, step)
    assert ["unknown-using"] == problems_of(tmp_path, step + "- {id: t, script: 'echo $Using:disk'}\n")


def test_failure_is_known_in_rescue_and_always_alone(tmp_path: Path) -> None:
    """At any depth of them; elsewhere it is told where it is."""
    block = """\
        - id: b
          block:
            - {id: s, script: "echo BODY"}
          rescue:
            - {id: r, script: "echo ${Using:failure.step}"}
            - {id: i, when: failure.step == 's', block: [{id: t, when: failure.errors | length > 0, script: "true"}]}
          always:
            - {id: z, script: "echo ${Using:failure.hosts}"}
        """

    assert [] == problems_of(tmp_path, block)
    assert ["unknown-using"] == problems_of(tmp_path, block.replace("BODY", "$Using:failure"))
    assert ["unknown-variable"] == problems_of(
        tmp_path, dedent(block) + '- {id: n, when: failure.step, script: "true"}\n'
    )


def test_what_steps_set_is_read_like_what_they_register(tmp_path: Path) -> None:
    """By later steps of the host; a name that is a variable besides is never unknown."""
    steps = """\
        - {id: a, hosts: web, set_vars: {release: "1", tier: other}}
        - {id: b, hosts: web, needs: [NEEDS], script: "echo $Using:release"}
        - {id: c, hosts: web, needs: [], script: "echo $Using:tier"}
        """

    assert [] == problems_of(tmp_path, steps.replace("NEEDS", "a"))
    assert ["unordered-result"] == problems_of(tmp_path, steps.replace("NEEDS", ""))
    assert ["result-of-other-hosts"] == problems_of(
        tmp_path, steps.replace("NEEDS", "a").replace("{id: b, hosts: web", "{id: b, hosts: db")
    )


def test_what_a_step_left_out_would_set_is_told(tmp_path: Path) -> None:
    """Unless it is a variable besides."""
    steps = """\
        - {id: a, hosts: web, set_vars: {release: "1", tier: other}}
        - {id: b, hosts: web, script: "echo $Using:NAME"}
        """

    assert ["unselected-result"] == problems_of(tmp_path, steps.replace("NAME", "release"), only=("b",))
    assert [] == problems_of(tmp_path, steps.replace("NAME", "tier"), only=("b",))


def test_a_health_check_may_read_what_its_wave_registered(tmp_path: Path) -> None:
    """The step's own result, and those of a block's steps; not what comes later."""
    steps = """\
        - {id: a, hosts: web, waves: [1, 100%], health: r.exit_code == 0, register: r, script: "true"}
        - id: b
          hosts: web
          waves: [1, 100%]
          health: {script: "echo ${Using:q.exit_code} ${Using:NAME.exit_code}"}
          block: [{id: c, register: q, script: "true"}]
        - {id: d, hosts: web, register: later, script: "true"}
        """

    assert [] == problems_of(tmp_path, steps.replace("NAME", "r"))
    assert ["unordered-result"] == problems_of(tmp_path, steps.replace("NAME", "later"))


def test_a_health_check_may_read_all_results_of_what_its_waves_are_of(tmp_path: Path) -> None:
    """Its hosts that were let in are over then; a step before, which other hosts may still run, is not."""
    steps = """\
        - {id: o, hosts: web, register: before, script: "true"}
        - {id: a, hosts: web, waves: [1, 100%], health: results.NAME | length > 0, register: r, script: "true"}
        - id: b
          hosts: web
          waves: [1, 100%]
          health: results.q | length > 0
          block: [{block: [{id: c, register: q, script: "true"}]}]
        """

    assert [] == problems_of(tmp_path, steps.replace("NAME", "r"))
    assert ["unordered-result"] == problems_of(tmp_path, steps.replace("NAME", "before"))


def test_a_step_that_is_limited_away_may_read_what_its_hosts_would_know(tmp_path: Path) -> None:
    """``-l`` takes the hosts, not what is known of them; a name that nobody knows is told all the same."""
    text = (
        "version: 1\nname: x\nsteps:\n"
        "  - {id: a, hosts: web, script: 'true'}\n"
        "  - {id: b, hosts: lb, script: 'echo $Using:NAME $Using:given'}\n"
    )
    inventory = "version: 1\ngroups: {web: {hosts: {w1: {}}}, lb: {hosts: {l1: {vars: {weight: 1}}}}}\n"

    def codes(name: str) -> list[tuple[str, int | None, int | None]]:
        written = text.replace("NAME", name)
        return found(prepared(tmp_path, written, inventory=inventory, limit="web", extra=("given=1",)))

    assert codes("weight") == [("step-without-hosts", 5, 10)]
    assert [code for code, _, _ in codes("wight")] == ["unknown-using"]


def test_the_condition_of_a_block_is_checked_where_hosts_enter(tmp_path: Path) -> None:
    """It knows what is before the block, and not what is in it."""
    steps = """\
        - {id: a, hosts: web, register: r, script: "true"}
        - {id: b, hosts: web, when: NAME.exit_code == 0, block: [{id: c, register: q, script: "true"}]}
        """

    assert [] == problems_of(tmp_path, steps.replace("NAME", "r"))
    assert ["unordered-result"] == problems_of(tmp_path, steps.replace("NAME", "q"))
    assert ["unknown-variable"] == problems_of(tmp_path, steps.replace("NAME", "nobody"))


def test_places_of_unknown_names_are_exact(tmp_path: Path) -> None:
    """Line and column are those of the name."""
    text = (
        "version: 1\nname: x\nsteps:\n"
        "  - {id: s, hosts: web, script: 'true', waves: [1, 100%], health: nobody == 1}\n"
        "  - {id: t, hosts: web, script: 'true', until: nothing}\n"
    )

    assert [("unknown-variable", 4, 67), ("unknown-variable", 5, 48)] == found(
        prepared(tmp_path, text, inventory=INVENTORY)
    )

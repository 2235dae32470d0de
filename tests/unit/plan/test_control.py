"""Policies, pools, delegates, run_once, deadlines and locks: what control keys come to in a plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.shape import Policy, WaveShape
from runner.plan.build import PlanRequest, build_plan
from runner.plan.model import Plan
from runner.playbook.bodies import GateBody
from runner.playbook.load import load_playbook
from runner.problems import Problems
from runner.using.model import Shell
from tests.support.planning import found, prepared

FLEET = """\
version: 1
pools: {rack: 4, spare: 1}
hosts: {bastion: {}}
groups:
  web:
    hosts: {"web[01:20]": {}}
    pool: {rack: 2}
  lb:
    hosts: {"lb[01:02]": {}}
    throttle: 1
    connection: {user_name: balance, shell: bash}
"""


def plan_of(folder: Path, steps: str, top: str = "", **given: object) -> Plan:
    text = f"version: 1\nname: x\n{dedent(top)}steps:\n{indent(dedent(steps), '  ')}"
    result = prepared(folder, text, inventory=FLEET, **given)  # type: ignore[arg-type]
    assert result.plan is not None, result.problems.sorted()
    return result.plan


def test_only_what_says_a_limit_has_a_policy(tmp_path: Path) -> None:
    """A plain step costs the machine nothing."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, script: "true"}
        - {id: b, hosts: web, script: "true", max_fail: 19%}
        - {id: c, hosts: web, max_unreachable: 1, block: [{id: d, script: "true"}]}
        """,
    )

    assert (
        Policy(start=1, end=1, max_fail=3),
        Policy(start=plan.blocks[0].entry, end=plan.blocks[0].end, max_unreachable=1),
    ) == plan.shape.policies
    assert ["b", "c"] == [policy.name for policy in plan.policies]


def test_waves_bring_their_own_limits_and_checks(tmp_path: Path) -> None:
    """The first of several allows no failure unless it says so; what is between two waves is asked of them alone."""
    plan = plan_of(
        tmp_path,
        """\
        - id: a
          hosts: web
          waves: [1, {size: 50%, max_fail: 10%}, 100%]
          health: "true"
          script: "true"
        - {id: b, hosts: web, waves: [{size: 5, max_fail: 2}, 15], script: "true"}
        - {id: c, hosts: web, waves: [100%], script: "true"}
        - {id: d, hosts: web, waves: [{size: 1, pause: 2s}, 19], script: "true"}
        """,
    )

    assert [
        (WaveShape(1, 0, check=True), WaveShape(10, 1, check=True), WaveShape(9)),
        (WaveShape(5, 2), WaveShape(15)),
        (WaveShape(20),),
        (WaveShape(1, 0, check=True), WaveShape(19)),
    ] == [policy.waves for policy in plan.shape.policies]


def test_any_errors_is_no_tolerance_and_ends_what_runs(tmp_path: Path) -> None:
    """A limit that the author says stands."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, any_errors: stop, script: "true"}
        - {id: b, hosts: web, any_errors: stop, max_unreachable: 5, script: "true"}
        """,
    )

    assert (Policy(0, 0, 0, 0, True), Policy(1, 1, 0, 5, True)) == plan.shape.policies


def test_limits_of_the_run_are_of_all_its_hosts(tmp_path: Path) -> None:
    """A percent is of the distinct hosts of the plan, ``localhost`` among them."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, script: "true"}
        - {id: b, script: "true"}
        """,
        "max_fail: 10%\nmax_unreachable: 3\n",
    )

    assert (2, 3, 21) == (plan.shape.max_fail, plan.shape.max_unreachable, len(plan.hosts))
    assert {0, 1} == plan.shape.counted


@given(st.integers(0, 200), st.integers(1, 100))
def test_a_limit_is_never_more_than_its_percent(folder: Path, hosts: int, percent: int) -> None:
    """For every size of a fleet: exceeded at the latest when the share of bad hosts is above the percent."""
    names = ", ".join(f"h{number}" for number in range(hosts + 1))
    text = f"version: 1\nname: x\nsteps: [{{id: s, hosts: [{names}], max_fail: {percent}%, script: x}}]\n"
    plan = prepared(folder, text).plan
    assert plan is not None
    (policy,) = plan.shape.policies

    assert policy.max_fail is not None
    assert policy.max_fail * 100 <= percent * (hosts + 1)
    assert (policy.max_fail + 1) * 100 > percent * (hosts + 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


def test_run_once_has_one_placement_and_all_see_it(tmp_path: Path) -> None:
    """The first host in the step's own order runs it; every host may read the result."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, run_once: true, order_by: reverse, register: r, script: "true"}
        - {id: b, hosts: web, when: r.exit_code == 0, script: "true"}
        """,
    )
    once, reader = plan.steps

    assert ["web20"] == [placement.host for placement in once.placements]
    assert [f"web{number:02}" for number in range(20, 0, -1)] == list(once.seen_by)
    assert (20, ()) == (len(reader.placements), reader.seen_by)


def test_delegates_bring_their_own_way_and_limits(tmp_path: Path) -> None:
    """Connection, shell and throttle are the delegate's, and ``-l`` does not take it away."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, delegate_to: lb, script: {sh: "true", bash: "false"}}
        - {id: b, target: w, delegate_to: near, connection: {user_name: me}, script: "true"}
        - {id: c, hosts: web, delegate_to: local, script: "true"}
        """,
        "targets: {w: {hosts: web}, near: {hosts: bastion, user_name: jump}}\n",
        limit="web01",
    )
    first, second, third = (step.placements[0] for step in plan.steps)
    limits = plan.shape.limits

    assert ["web01", "web01", "web01"] == [placement.host for placement in (first, second, third)]
    assert [("lb01", "balance", Shell.BASH), ("lb02", "balance", Shell.BASH)] == [
        (each.host, each.endpoint.user, each.shell) for each in first.delegates
    ]
    assert [("bastion", "jump")] == [(each.host, each.endpoint.user) for each in second.delegates]
    assert [("localhost", "local")] == [(each.host, each.endpoint.transport) for each in third.delegates]
    assert {Shell.BASH} == set(plan.steps[0].scripts)
    assert 1 in [limits[number] for number, _ in plan.shape.steps[0].counters[0]]
    assert ("web01",) == plan.hosts


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("hosts: web, delegate_to: nobody", "unknown-host"),
        ("hosts: web, delegate_to: 'lb:!lb'", "delegate-without-hosts"),
        ("session: s, delegate_to: lb", "delegate-session"),
    ],
)
def test_who_cannot_be_delegated_to_is_refused(tmp_path: Path, step: str, expected: str) -> None:
    """At the place of ``delegate_to``."""
    text = (
        "version: 1\nname: x\ntargets: {w: {hosts: web}}\nsessions: {s: {target: w}}\nsteps:\n"
        f"  - {{id: a, script: 'true', {step}}}\n"
    )
    problems = found(prepared(tmp_path, text, inventory=FLEET))

    assert [(expected, 6)] == [(code, line) for code, line, _ in problems]


def test_pools_are_counters_with_weights(tmp_path: Path) -> None:
    """Tokens of steps and of hosts; where both name a pool, the more; a pool nobody takes from is no counter of it."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, pool: {api: 3}, script: "true"}
        - {id: b, hosts: web, pool: rack, script: "true"}
        - {id: c, hosts: bastion, pool: {rack: 4}, script: "true"}
        - {id: d, hosts: web, delegate_to: lb, script: "true"}
        """,
        "pools: {api: {throttle: 3, adaptive: true}}\n",
    )
    counter = {pool.name: pool.counter for pool in plan.pools}
    taken = [dict(step.counters[0]) for step in plan.shape.steps]

    assert {"rack", "api"} == set(counter)
    assert (4, 3) == (plan.shape.limits[counter["rack"]], plan.shape.limits[counter["api"]])
    assert [(3, 2), (0, 2), (0, 4), (0, 0)] == [
        (slots.get(counter["api"], 0), slots.get(counter["rack"], 0)) for slots in taken
    ]
    assert [True] == [pool.adaptive for pool in plan.pools if pool.name == "api"]


def test_the_throttle_of_a_block_is_one_counter_for_all_of_it(tmp_path: Path) -> None:
    """Steps of inner blocks count under the outer one too."""
    plan = plan_of(
        tmp_path,
        """\
        - id: b
          hosts: bastion
          throttle: 3
          block:
            - {id: s, script: "true"}
            - {id: i, throttle: 2, block: [{id: t, script: "true"}]}
        """,
    )
    limits = plan.shape.limits
    counters = [{number for number, _ in step.counters[0]} for step in plan.shape.steps[:2]]
    shared = counters[0] & counters[1]

    assert [3] == [limits[number] for number in shared]
    assert {3, 2, 32} == {limits[number] for number in counters[1]}


def test_deadlines_hold_where_nothing_nearer_says_one(tmp_path: Path) -> None:
    """Each of the six, and what a step, a target or a session option says itself."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: web, script: "true"}
        - {id: b, target: t, timeout: 3s, script: "true"}
        - {id: g, gate: {message: go, default: stop}}
        - {id: w, hosts: web, wait_for: {port: 80}}
        """,
        """\
        targets: {t: {hosts: web, connect_timeout: 9s, session_option: {open_timeout: 8s}}}
        deadlines: {connect: 7s, open: 20s, step: 10m, run: 2h, gate: 1h, close: 5s}
        """,
    )
    near, far = plan.steps[0].placements[0], plan.steps[1].placements[0]
    gate = plan.steps[2].step.body

    assert (7.0, 20.0, 5.0) == (
        near.endpoint.connect_timeout,
        near.endpoint.session_options.open_timeout,
        near.close_timeout,
    )
    assert (8.0, 8.0) == (far.endpoint.connect_timeout, far.endpoint.session_options.open_timeout)
    assert [600.0, 3.0, None, None] == [step.step.timeout for step in plan.steps]
    assert isinstance(gate, GateBody)
    assert (3600.0, 7200.0) == (gate.timeout, plan.timeout)


def test_hosts_are_locked_where_it_is_asked_for(tmp_path: Path) -> None:
    """A step's own word holds its hosts; the playbook's holds all hosts of the run but the controller."""
    steps = """\
        - {id: a, hosts: web01, lock: run, script: "true"}
        - {id: b, hosts: "web02,lb01", script: "true"}
        - {id: c, hosts: bastion, lock: target, script: "true"}
        - {id: d, script: "true"}
        """

    assert {"web01"} == plan_of(tmp_path, steps).locked
    assert {"web01", "web02", "lb01"} == plan_of(tmp_path, steps, "lock: run\n").locked
    on_hosts = plan_of(tmp_path, steps, "lock: target\n")
    assert {"web01"} == on_hosts.locked
    assert ["run", "target", "target", None] == [step.step.lock for step in on_hosts.steps]


def test_a_step_says_what_the_loss_of_its_session_does(tmp_path: Path) -> None:
    """Nearer than the session's own word."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, session: s, script: "true"}
        - {id: b, session: s, on_loss: reopen, script: "true"}
        """,
        "targets: {t: {hosts: web}}\nsessions: {s: {target: t}}\n",
    )

    assert ["fail", "reopen"] == [step.placements[0].session_on_loss for step in plan.steps]


def test_scripts_that_stand_elsewhere_are_prepared_for_each_shell(tmp_path: Path) -> None:
    """By their place; a condition's own ``shell`` is nearer than the host's."""
    plan = plan_of(
        tmp_path,
        """\
        - {id: a, hosts: "web,lb", ensure: {test: {sh: "a", bash: "b"}, set: "c"}}
        - {id: b, hosts: web, reboot: {test: "d"}}
        - {id: c, hosts: web, wait_for: {that: {script: "e", shell: python}}}
        - {id: d, hosts: web, gate: {that: {script: "f"}}}
        - {id: e, hosts: "web,lb", waves: [1, 100%], health: {script: "g"}, script: "h"}
        """,
    )
    texts = [
        {
            place: {shell: p.script.text for shell, p in scripts.items()}
            for place, scripts in s.scripts_of.items()
        }
        for s in plan.steps
    ]

    assert [
        {
            "ensure.test": {Shell.SH: "a", Shell.BASH: "b"},
            "ensure.set": {Shell.SH: "c", Shell.BASH: "c"},
        },
        {"reboot.test": {Shell.SH: "d"}},
        {"wait_for.that": {Shell.PYTHON: "e"}},
        {"gate.that": {Shell.SH: "f"}},
        {},
    ] == texts
    (policy,) = plan.policies
    assert {Shell.SH: "g", Shell.BASH: "g"} == {s: p.script.text for s, p in policy.health_scripts.items()}


def test_a_plan_for_check_says_so_and_a_seed_can_be_given(tmp_path: Path) -> None:
    """What is not given is the run's: two runs never share it."""
    request = PlanRequest.__dataclass_fields__

    assert (False, None) == (request["check"].default, request["seed"].default)
    seeds = {plan_of(tmp_path, '- {id: a, script: "true"}').seed for _ in range(3)}
    assert len(seeds) > 1
    assert all(0 <= seed < 2**48 for seed in seeds)


def test_the_digest_covers_the_order_and_not_the_seed_itself(tmp_path: Path) -> None:
    """The same seed gives the same plan again; another one gives another order, and the digest says so."""
    path = tmp_path / "p.yml"

    def digest(seed: int, order: str) -> str:
        path.write_text(
            f"version: 1\nname: x\nsteps: [{{id: s, hosts: [a, b, c, d], order_by: {order}, script: x}}]\n",
            encoding="utf-8",
        )
        problems = Problems()
        playbook = load_playbook(path, problems)
        assert playbook is not None
        plan = build_plan(
            PlanRequest(
                playbook=playbook,
                inventory=None,
                inputs={},
                extras={},
                run="r",
                now=datetime(2026, 11, 21, tzinfo=UTC),
                seed=seed,
            ),
            problems,
        )
        assert plan is not None, problems.sorted()
        assert seed == plan.seed
        return plan.digest

    assert digest(1, "shuffle") == digest(1, "shuffle")
    assert digest(1, "shuffle") != digest(2, "shuffle")
    assert digest(1, "name") == digest(2, "name")

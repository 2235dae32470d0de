"""Waves and orders of hosts: every host is in one wave, in the order that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import Scalar, Source
from runner.plan.host_order import HostOrder
from runner.plan.model import Plan
from runner.plan.waves import resolve_waves, share
from runner.playbook.control import Tolerance, Wave
from runner.problems import Problems
from runner.values import Span
from tests.support.planning import INVENTORY, found, prepared

SPAN = Span("p.yml", 1, 1, 1, 2)
HOSTS = [f"h{number}" for number in range(30)]


def scalar(text: str) -> Scalar:
    source = Source("p.yml", text)
    return Scalar(source, 1, 1, 1, 2, value=text, text=text, style="plain", start=0, end=len(text))


def sized(amount: float, *, percent: bool = False) -> Wave:
    return Wave(SPAN, size=Tolerance(amount, percent, SPAN))


def by_prefix(pattern: Scalar) -> set[str]:
    return {host for host in HOSTS if host.startswith(pattern.text)}


waves = st.lists(
    st.one_of(
        st.integers(1, 40).map(sized),
        st.floats(0.1, 100).map(lambda amount: sized(amount, percent=True)),
        st.sampled_from(["h1", "h2", "h", "x"]).map(lambda text: Wave(SPAN, pattern=scalar(text))),
    ),
    min_size=1,
    max_size=5,
)


@given(waves, st.lists(st.sampled_from(HOSTS), unique=True))
def test_waves_part_the_hosts_in_their_order(written: list[Wave], hosts: list[str]) -> None:
    """Each host is in one wave; sizes keep the order of the hosts; who is left over is an error, and only then."""
    problems = Problems()
    resolved = resolve_waves("step `s`", written, hosts, by_prefix, problems)
    named = [host for wave in resolved for host in wave.hosts]
    by_size = [host for wave in resolved if wave.written.size is not None for host in wave.hosts]

    assert len(named) == len(set(named))
    assert set(named) <= set(hosts)
    assert (set(named) < set(hosts)) == any(problem.code == "wave-rest" for problem in problems)
    assert by_size == [host for host in hosts if host in set(by_size)]
    for wave in resolved:
        assert wave.hosts
        assert [*wave.hosts] == [host for host in hosts if host in set(wave.hosts)]
        if wave.written.size is not None:
            assert len(wave.hosts) <= share(wave.written.size, len(hosts))


@given(st.integers(0, 5000), st.floats(0, 100))
def test_a_percent_never_tolerates_more_than_it_says(hosts: int, percent: float) -> None:
    """Rounded down, so that 5 % of 19 hosts are none; a share of a wave is one host at least."""
    tolerance = Tolerance(percent, True, SPAN)

    assert 0 <= tolerance.of(hosts) <= hosts * percent / 100
    assert tolerance.of(hosts) <= hosts
    assert 1 <= share(tolerance, hosts) <= max(1, hosts)


def planned(folder: Path, step: str, **given: object) -> Plan:
    text = f"version: 1\nname: x\nsteps:\n  - {{id: s, hosts: 'web:db', script: 'true', {step}}}\n"
    result = prepared(folder, text, inventory=INVENTORY, **given)  # type: ignore[arg-type]
    assert result.plan is not None, result.problems.sorted()
    return result.plan


def shares(plan: Plan) -> list[list[str]]:
    return [list(wave.hosts) for wave in plan.policies[0].waves]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[1, 2]", [["web01"], ["web02", "web03"], ["web04", "db01"]]),
        ("[2]", [["web01", "web02"], ["web03", "web04"], ["db01"]]),
        ("[1, 10%, 100%]", [["web01"], ["web02"], ["web03", "web04", "db01"]]),
        ("[100%]", [["web01", "web02", "web03", "web04", "db01"]]),
        ("[db, 40%, 100%]", [["db01"], ["web01", "web02"], ["web03", "web04"]]),
        ("[db, web]", [["db01"], ["web01", "web02", "web03", "web04"]]),
    ],
)
def test_waves_are_ansibles_serial_and_patterns(
    tmp_path: Path, written: str, expected: list[list[str]]
) -> None:
    """The last size repeats, a percent is of all hosts and at least one, a pattern's hosts are taken by it alone."""
    plan = planned(tmp_path, f"waves: {written}")

    assert expected == shares(plan)
    assert [host for wave in expected for host in wave] == [p.host for p in plan.steps[0].placements]
    assert [len(wave) for wave in expected] == [wave.size for wave in plan.shape.policies[0].waves]


def test_a_wave_of_nobody_and_hosts_of_no_wave_are_refused(tmp_path: Path) -> None:
    """Both are told with names, at the wave."""
    text = "version: 1\nname: x\nsteps:\n  - {id: s, hosts: web, script: 'true', waves: WAVES}\n"

    assert [("wave-empty", 4, 49)] == found(
        prepared(tmp_path, text.replace("WAVES", "[db, 100%]"), inventory=INVENTORY)
    )
    result = prepared(tmp_path, text.replace("WAVES", "[web01, web03]"), inventory=INVENTORY)
    (problem,) = result.problems.sorted()
    assert ("wave-rest", "no wave of step `s` takes `web02`, `web04`") == (problem.code, problem.message)
    limited = prepared(tmp_path, text.replace("WAVES", "[web01, 100%]"), inventory=INVENTORY, limit="web02")
    assert [] == found(limited)


@pytest.mark.parametrize("written", ["[wbe, 100%]", "[wbe]", "[web01, wbe]", "['web01:wbe']"])
def test_an_unknown_name_in_a_wave_is_told_once(tmp_path: Path, written: str) -> None:
    """That the wave is empty, or others are left over, follows from it."""
    text = "version: 1\nname: x\nsteps:\n  - {id: s, hosts: web, script: 'true', waves: WAVES}\n"
    result = prepared(tmp_path, text.replace("WAVES", written), inventory=INVENTORY)

    assert ["unknown-host"] == [problem.code for problem in result.problems]


def order(folder: Path, written: str, **given: object) -> list[str]:
    return [p.host for p in planned(folder, f"order_by: {written}", **given).steps[0].placements]


def test_hosts_start_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    """The words, and an expression whose equal values keep the order there was."""
    natural = ["web01", "web02", "web03", "web04", "db01"]

    assert natural == order(tmp_path, "inventory")
    assert sorted(natural) == order(tmp_path, "name")
    assert natural[::-1] == order(tmp_path, "reverse")
    assert natural == order(tmp_path, "group")
    assert ["db01", *natural[:4]] == order(tmp_path, "tier")
    assert ["web04", "web03", "web02", "web01", "db01"] == order(
        tmp_path, "\"(inventory_hostname[-1] | int) * (1 if tier == 'back' else -1)\""
    )


@given(st.integers(0, 2**48), st.lists(st.sampled_from(HOSTS), unique=True))
def test_a_shuffle_is_a_permutation_of_its_seed(seed: int, hosts: list[str]) -> None:
    """The same seed gives the same order, whatever the order was before; nobody is lost."""
    prepared_order = HostOrder(None, None, seed, Problems())  # type: ignore[arg-type]
    shuffled = prepared_order.sort(hosts, scalar("shuffle"))

    assert sorted(hosts) == sorted(shuffled)
    assert shuffled == prepared_order.sort(hosts[::-1], scalar("shuffle"))


def test_two_runs_shuffle_differently_and_a_seed_brings_the_order_back() -> None:
    """Chance is the seed's and nothing else's."""
    orders = {
        tuple(HostOrder(None, None, seed, Problems()).sort(HOSTS, scalar("shuffle")))  # type: ignore[arg-type]
        for seed in range(20)
    }

    assert 20 == len(orders)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("only_db | default(1)", "gives a number for host `web04` and a boolean for host `db01`"),
        ("nobody", "has no value for host `web01`: `nobody` is not defined"),
        ("group_names", "gives a list for host `web01`, which has no order"),
    ],
)
def test_values_without_an_order_are_refused(tmp_path: Path, written: str, words: str) -> None:
    """Numbers and texts have no order among each other."""
    text = (
        f"version: 1\nname: x\nsteps:\n  - {{id: s, hosts: 'web:db', script: 'true', order_by: {written}}}\n"
    )
    result = prepared(tmp_path, text, inventory=INVENTORY)

    assert any(words in problem.message for problem in result.problems if problem.code == "order-value"), [
        problem.message for problem in result.problems
    ]


def test_a_block_gives_its_order_to_its_steps(tmp_path: Path) -> None:
    """Waves of a block are those of every step in it."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - id: b
            hosts: "web:db"
            order_by: reverse
            waves: [web02, 100%]
            block:
              - {id: s, script: "true"}
              - {id: t, hosts: web, script: "true"}
        """,
        inventory=INVENTORY,
    )
    plan = result.plan
    assert plan is not None, result.problems.sorted()

    assert ["web02", "db01", "web04", "web03", "web01"] == [p.host for p in plan.blocks[0].placements]
    assert ["web02", "db01", "web04", "web03", "web01"] == [p.host for p in plan.steps[0].placements]
    assert ["web02", "web04", "web03", "web01"] == [p.host for p in plan.steps[1].placements]

"""Control keys from YAML: numbers, percents, durations and words as the values that a plan goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.playbook.control import Deadlines, Late, Retry
from runner.playbook.read import flag_of
from tests.support.playbooks import loaded, only_step


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5", Retry(attempts=5)),
        ("{attempts: 2, delay: 1m, backoff: 2, jitter: 0.5, max_delay: 5m}",
         Retry(attempts=2, delay=60.0, backoff=2.0, jitter=0.5, max_delay=300.0)),
        ("{delay: 1s}", Retry(delay=1.0)),
        ("{on: unreachable}", Retry(statuses=frozenset({"unreachable"}))),
        ("{on: [Failed, timed-out]}", Retry(statuses=frozenset({"failed", "timed_out"}))),
        ("{on: [connection-refused]}", Retry(statuses=frozenset(), codes=frozenset({"connection-refused"}))),
    ],
)  # fmt: skip
def test_retry_is_a_number_or_rules(tmp_path: Path, written: str, expected: Retry) -> None:
    """Statuses and codes are told apart; where ``on`` says nothing, everything bad is tried again."""
    assert expected == only_step(tmp_path, f"script: x, retry: {written}").retry


def test_retry_takes_expressions(tmp_path: Path) -> None:
    """What is neither status nor code is an expression, beside them."""
    retry = only_step(
        tmp_path, "script: x, retry: {on: [failed, result.exit_code == 75, '{{ result.changed }}']}"
    ).retry

    assert retry is not None
    assert (frozenset({"failed"}), ["result.exit_code == 75", "{{ result.changed }}"]) == (
        retry.statuses,
        [each.text for each in retry.that],
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1", [(1.0, False, None, None, 0.0)]),
        ("[10%, 100%]", [(10.0, True, None, None, 0.0), (100.0, True, None, None, 0.0)]),
        ("['5', 12.5%]", [(5.0, False, None, None, 0.0), (12.5, True, None, None, 0.0)]),
        ("[canary, 100%]", [(None, None, "canary", None, 0.0), (100.0, True, None, None, 0.0)]),
        ("[{size: 2, max_fail: 1, pause: 5m}, '*']", [(2.0, False, None, 1, 300.0), (None, None, "*", None, 0.0)]),
    ],
)  # fmt: skip
def test_waves_are_sizes_or_patterns(tmp_path: Path, written: str, expected: list[object]) -> None:
    """A number in quotes is a number; what is neither number nor percent is a pattern."""
    waves = only_step(tmp_path, f"target: web, script: x, waves: {written}").waves

    assert expected == [
        (
            wave.size.amount if wave.size else None,
            wave.size.percent if wave.size else None,
            wave.pattern.text if wave.pattern else None,
            wave.max_fail.of(100) if wave.max_fail else None,
            wave.pause,
        )
        for wave in waves
    ]


@pytest.mark.parametrize(
    ("written", "hosts", "expected"), [("3", 200, 3), ("5%", 200, 10), ("12.5%", 9, 1), ("0", 9, 0)]
)
def test_tolerances_are_numbers_or_percents(tmp_path: Path, written: str, hosts: int, expected: int) -> None:
    """A percent is rounded down."""
    step = only_step(tmp_path, f"target: web, script: x, max_fail: {written}, max_unreachable: {written}")

    assert step.max_fail is not None
    assert step.max_unreachable is not None
    assert (expected, expected) == (step.max_fail.of(hosts), step.max_unreachable.of(hosts))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("ignore", "ignore"),
        ("Fail", "fail"),
        ("{retry_after: 1m, give_up_after: 10m}", Late(60.0, 600.0)),
        ("{retry_after: 2h}", Late(7200.0, 7200.0)),
        ("{give_up_after: 2h}", Late(300.0, 7200.0)),
    ],
)
def test_an_unreachable_host_may_come_late(tmp_path: Path, written: str, expected: object) -> None:
    """A half that is left out has its default, and is never shorter than one try."""
    assert expected == only_step(tmp_path, f"target: web, script: x, unreachable: {written}").unreachable


@pytest.mark.parametrize(
    ("written", "expected"), [("true", True), ("false", False), ("5m", 300.0), ("90", 90.0)]
)
def test_quarantine_is_a_switch_or_a_limit(tmp_path: Path, written: str, expected: object) -> None:
    """``true`` is not one second."""
    found = only_step(tmp_path, f"target: web, script: x, quarantine: {written}").quarantine

    assert (expected, type(expected)) == (found, type(found))


def test_pools_have_weights(tmp_path: Path) -> None:
    """A lone name takes one token."""
    playbook, problems = loaded(
        tmp_path,
        """\
        pools: {db: 4, api: {throttle: 2, adaptive: true}}
        steps: [{script: x, pool: db}, {script: x, pool: {db: 2, api: 1}}]
        """,
    )

    assert problems.sorted() == []
    assert [[("db", 1)], [("db", 2), ("api", 1)]] == [
        [(use.name, use.weight) for use in step.pools] for step in playbook.steps
    ]
    assert {"db": (4, False), "api": (2, True)} == {
        name: (pool.size, pool.adaptive) for name, pool in playbook.pools.items()
    }


def test_a_loop_names_its_item_and_index(tmp_path: Path) -> None:
    """Both are names beside ``item``."""
    loop = only_step(tmp_path, "script: x, loop: {over: [1, 2], throttle: 2, item: user, index: n}").loop

    assert loop is not None
    assert (2, "user", "n") == (loop.throttle, loop.item, loop.index)


def test_words_and_switches_arrive(tmp_path: Path) -> None:
    """The short keys, in any case."""
    step = only_step(
        tmp_path,
        "target: web, script: x, run_once: true, delegate_to: lb, order_by: Shuffle, read_only: true,"
        " until: result.changed, any_errors: Stop, lock: Target, rerun: Never",
    )
    assert step.order_by is not None

    assert (True, "Shuffle", True, ["result.changed"], True, "target", "never", None) == (
        step.run_once,
        step.order_by.text,
        step.read_only,
        [each.text for each in step.until],
        step.any_errors,
        step.lock,
        step.rerun,
        step.on_loss,
    )


def test_a_playbook_has_limits_of_its_own(tmp_path: Path) -> None:
    """Tolerances, a lock and deadlines of the whole run."""
    playbook, problems = loaded(
        tmp_path,
        """\
        max_fail: 5%
        max_unreachable: 3
        lock: run
        deadlines: {connect: 20s, open: 1m, step: 30m, run: 6h, gate: 2h, close: 10s}
        steps: [{script: x}]
        """,
    )

    assert problems.sorted() == []
    assert playbook.max_fail is not None
    assert playbook.max_unreachable is not None
    assert (10, 3, "run") == (playbook.max_fail.of(200), playbook.max_unreachable.of(200), playbook.lock)
    assert playbook.deadlines == Deadlines(connect=20, open=60, step=1800, run=21600, gate=7200, close=10)


def test_defaults_say_nothing_where_they_cannot(tmp_path: Path) -> None:
    """A default for fleets is dropped on a local step, one for scripts on a gate; nothing is told of it."""
    playbook, problems = loaded(
        tmp_path,
        """\
        targets: {web: {hosts: [a]}}
        defaults: {waves: [1, 100%], health: 1 == 1, max_fail: 5%, retry: 3, until: result.changed, lock: target}
        steps:
          - {id: fleet, target: web, script: x}
          - {id: here, script: x}
          - {id: ask, gate: Go on?}
          - {id: once, target: web, run_once: true, script: x}
        """,
    )
    fleet, here, ask, once = playbook.steps

    assert problems.sorted() == []
    assert [(2, True, True, True, True, "target"), (0, False, False, True, True, None),
            (0, False, False, False, False, None), (0, False, True, True, True, "target")] == [
        (len(s.waves), s.health is not None, s.max_fail is not None, s.retry is not None, bool(s.until), s.lock)
        for s in (fleet, here, ask, once)
    ]  # fmt: skip


def test_errors_of_what_fails_on_purpose_are_never_ignored(tmp_path: Path) -> None:
    """Neither by defaults, which mean scripts, nor by the step; to say that they count is allowed."""
    playbook, problems = loaded(
        tmp_path,
        """\
        targets: {web: {hosts: [a]}}
        defaults: {ignore_errors: true}
        steps:
          - {id: work, target: web, script: x}
          - {id: ask, gate: Go on?}
          - {id: no, target: web, fail: no}
          - {id: counts, target: web, ignore_errors: false, fail: no}
        """,
    )

    assert problems.sorted() == []
    assert [True, False, False, False] == [flag_of(step.ignore_errors) for step in playbook.steps]


def test_defaults_merge_variables_by_name(tmp_path: Path) -> None:
    """``vars`` and ``using`` of a step stand above those of ``defaults``, name by name."""
    playbook, _ = loaded(
        tmp_path,
        """\
        defaults: {vars: {a: 1, b: 1}, using: {u: 1}}
        steps: [{script: x, vars: {b: 2, c: 2}, using: {v: 2}}]
        """,
    )
    (step,) = playbook.steps

    assert ({"a": "1", "b": "2", "c": "2"}, {"u", "v"}) == (
        {name: getattr(value, "text", "") for name, value in step.variables.items()},
        set(step.using),
    )

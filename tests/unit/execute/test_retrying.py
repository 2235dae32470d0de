"""When a result is repeated and after how long: numbers in, a number out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.result import Failure, Result, Status
from runner.execute.control.retrying import LONGEST_DELAY, delay_after, next_delay
from runner.playbook.control import Retry
from tests.unit.execute.scalars import scalar

BAD = Result(step="s", host="h", status=Status.FAILED, failure=Failure("exit-code", "it ended"))


def bad(status: Status, code: str = "exit-code", phase: str = "execute") -> Result:
    return Result(step="s", host="h", status=status, failure=Failure(code, "it ended", phase))


def middle() -> float:
    return 0.5


def test_the_delay_grows_by_the_backoff_up_to_the_longest() -> None:
    """`delay`, then `delay * backoff`, and so on; `max_delay` cuts it off."""
    retry = Retry(attempts=9, delay=5, backoff=2, max_delay=30)
    assert [next_delay(retry, n, BAD, middle) for n in (1, 2, 3, 4, 5)] == [5, 10, 20, 30, 30]


def test_attempts_are_counted_with_the_first() -> None:
    """Three attempts are two repetitions, one is none."""
    assert next_delay(Retry(attempts=3), 2, BAD, middle) is not None
    assert next_delay(Retry(attempts=3), 3, BAD, middle) is None
    assert next_delay(Retry(attempts=1), 1, BAD, middle) is None


@pytest.mark.parametrize(
    ("result", "repeated"),
    [
        (bad(Status.FAILED), True),
        (bad(Status.UNREACHABLE, "ssh-refused", "connect"), True),
        (bad(Status.TIMED_OUT, "step-timeout"), True),
        (bad(Status.CANCELLED, "run-stopped"), False),
        (bad(Status.UNKNOWN, "unknown-after-crash"), False),
        (bad(Status.FAILED, "unknown-variable", "plan"), False),
        (Result(step="s", host="h", status=Status.OK), False),
        (Result(step="s", host="h", status=Status.SKIPPED, held_back=True), False),
    ],
    ids=lambda value: (
        f"{value.status}-{value.failure and value.failure.code}" if isinstance(value, Result) else ""
    ),
)
def test_only_what_may_end_otherwise_is_repeated(result: Result, *, repeated: bool) -> None:
    """Never a good result, a stop, an unknown or a template that fails before anything is sent."""
    assert (next_delay(Retry(), 1, result, middle) is not None) is repeated


def test_statuses_codes_and_expressions_each_repeat() -> None:
    """Any of the three is enough, and what none of them names stays."""
    by_status = Retry(statuses=frozenset({"unreachable"}))
    by_code = Retry(statuses=frozenset(), codes=frozenset({"exit-code"}))
    by_expression = Retry(statuses=frozenset(), that=(scalar("result.exit_code == 75"),))
    assert next_delay(by_status, 1, BAD, middle) is None
    assert next_delay(by_status, 1, bad(Status.UNREACHABLE), middle) == 5
    assert next_delay(by_code, 1, BAD, middle) == 5
    assert next_delay(by_code, 1, bad(Status.FAILED, "failed-when"), middle) is None
    assert next_delay(by_expression, 1, BAD, middle, lambda _: True) == 5
    assert next_delay(by_expression, 1, BAD, middle, lambda _: False) is None


@given(
    st.floats(0, 1e6),
    st.floats(1, 100),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.integers(1, 10_000),
    st.floats(0, 1, exclude_max=True),
)
def test_no_delay_is_negative_or_beyond_its_limit(
    delay: float, backoff: float, jitter: float, longest: float | None, attempt: int, chance: float
) -> None:
    """Whatever the numbers: within 0 and `max_delay`, and never more than a timer takes."""
    retry = Retry(attempts=attempt + 1, delay=delay, backoff=backoff, jitter=jitter, max_delay=longest)
    found = delay_after(retry, attempt, lambda: chance)
    assert 0 <= found <= (LONGEST_DELAY if longest is None else min(longest, LONGEST_DELAY))


@given(st.floats(0.1, 1000), st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_chance_moves_a_delay_by_its_share_at_most(delay: float, jitter: float, chance: float) -> None:
    """`jitter: 0.2` of 10 s is something from 8 to 12 s."""
    found = delay_after(Retry(delay=delay, jitter=jitter), 1, lambda: chance)
    rounding = 4 * math.ulp(delay)
    assert abs(found - delay) <= delay * jitter + rounding

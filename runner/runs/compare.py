"""How two runs differ: by step and host the status, the exit code, the output. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runner.engine.result import Result
from runner.journal.replay import History
from runner.runs.outcome import outcomes


@dataclass(frozen=True, slots=True)
class Side:
    """What one run says of an assignment; ``status`` None: nothing of it is known there."""

    status: str | None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Unlike:
    """An assignment that went another way in the second run; ``output`` says that what it gave is another thing."""

    step: str
    host: str
    first: Side
    second: Side
    output: bool

    @property
    def likeness(self) -> tuple[Any, ...]:
        """Equal for what differs in the same way on several hosts."""
        return (self.step, self.first, self.second, self.output)


def compare(first: History, second: History) -> Iterator[Unlike]:
    """Every assignment that differs, by the first run's steps, then those that only the second has."""
    order = {step.id: number for number, step in enumerate((*first.header.steps, *second.header.steps))}
    ours, others = outcomes(first), outcomes(second)
    keys = dict.fromkeys((*ours, *others))
    for key in sorted(keys, key=lambda key: order.get(key[0], len(order))):
        one, other = ours.get(key), others.get(key)
        before, after = _side(one), _side(other)
        output = one is not None and other is not None and _given(one) != _given(other)
        if before != after or output:
            yield Unlike(*key, before, after, output)


def comparison_document(first: History, second: History, found: list[Unlike]) -> dict[str, Any]:
    """The document of ``runs diff -o json``."""
    return {
        "runs": [first.header.run, second.header.run],
        "differences": [
            {
                "step": one.step,
                "host": one.host,
                "status": [one.first.status, one.second.status],
                "exit_code": [one.first.exit_code, one.second.exit_code],
                "output_changed": one.output,
            }
            for one in found
        ],
    }


def _side(result: Result | None) -> Side:
    return Side(None) if result is None else Side(result.status.value, result.exit_code)


def _given(result: Result) -> tuple[Any, ...]:
    return (result.output, [item.output for item in result.items])

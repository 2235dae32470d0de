"""``loop``: what a step goes over on a host, and its items' results made into one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, ItemsView, KeysView, Sequence, ValuesView
from dataclasses import replace
from typing import Any

from runner.document.nodes import Scalar
from runner.engine.result import Failure, Result, Status
from runner.execute.check_mode import nothing_known
from runner.execute.guard import forget_cancellation
from runner.execute.scopes import Item
from runner.playbook.control import Loop
from runner.variables.scope import Scope, VariableError

# Unlike a host's results, items are ended early by a stop or a lost host, and that is what the loop then is.
_DECIDES_FIRST = (
    Status.CANCELLED,
    Status.UNKNOWN,
    Status.UNREACHABLE,
    Status.TIMED_OUT,
    Status.FAILED,
    Status.CHANGED,
    Status.OK,
)
_LAST = frozenset({Status.CANCELLED, Status.UNREACHABLE})


def loop_items(loop: Loop, scope: Scope) -> list[Item]:
    """The items of a loop on a host.

    Raises:
        VariableError: the expression fails, or gives no list.

    """
    over = loop.over
    value = scope.evaluate(over) if isinstance(over, Scalar) else scope.render(over)
    if isinstance(value, range | set | frozenset | tuple | KeysView | ValuesView | ItemsView):
        value = list(value)
    if not isinstance(value, list):
        kind = (
            "a mapping"
            if isinstance(value, dict)
            else "null"
            if value is None
            else f"a {type(value).__name__}"
        )
        hints = (
            ("write `loop: NAME.items()`: `item[0]` is the key and `item[1]` the value",)
            if isinstance(value, dict)
            else ()
        )
        raise VariableError(
            "loop-not-a-list", f"`loop` needs a list, this gives {kind}", over.span, hints=hints
        )
    return [Item(item, index, len(value)) for index, item in enumerate(value)]


async def run_items(
    items: Sequence[Item],
    throttle: int,
    run: Callable[[Item], Awaitable[Result]],
    on_workers: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """Run items in order, at most ``throttle`` at once; a failed one stops no other.

    An unreachable host and a stop end the loop: what was not begun then has no result. ``on_workers`` is told how many
    run at once from here on, whenever that changes.
    """
    results: dict[int, Result] = {}
    pending = iter(items)
    ending = False
    at_work = min(throttle, len(items))

    async def work() -> None:
        nonlocal ending, at_work
        try:
            for item in pending:
                result = results[item.index] = await run(item)
                ending = ending or result.status in _LAST
                if ending:
                    return
        finally:
            at_work -= 1
            if at_work:
                on_workers(at_work)

    if at_work == 1:
        await work()
    else:
        on_workers(at_work)
        await _all_workers([asyncio.ensure_future(work()) for _ in range(at_work)])
    return [results[index] for index in sorted(results)]


async def _all_workers(workers: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all; a cancellation is handed on to each, and their items' results tell of it."""
    try:
        await asyncio.wait(workers)
    except asyncio.CancelledError:
        for worker in workers:
            worker.cancel()
        forget_cancellation()
        await asyncio.wait(workers)
    for worker in workers:
        if not worker.cancelled():
            worker.result()


def combined(results: Sequence[Result], total: int, duration: float, what: str = "item") -> Result:
    """One result of all items: the worst status, all output in order, the first failure with a count.

    ``output`` is the items' lists one after another; an output that is no list is one entry. ``what`` an item is
    called where it fails. ``waited`` is the longest: items may wait at the same time.
    """
    bad = [result for result in results if result.bad]
    ranked = bad or [replace(r, status=Status.OK) if r.ignored else r for r in results]
    status = min(
        (r.status for r in ranked if r.status in _DECIDES_FIRST),
        key=_DECIDES_FIRST.index,
        default=Status.SKIPPED,
    )
    output: list[Any] = []
    for result in results:
        output += result.output if isinstance(result.output, list) else [result.output]
    first = results[0]
    return replace(
        first,
        status=status,
        changed=any(result.changed for result in results),
        item=None,
        ignored=False,
        duration=duration,
        exit_code=first.exit_code if len(results) == 1 else None,
        signal=first.signal if len(results) == 1 else None,
        output=output,
        stderr=[line for result in results for line in result.stderr],
        errors=tuple(error for result in results for error in result.errors),
        failure=_failure(bad, len(results), total, what),
        skip_reason=_skip_reason(results) if status is Status.SKIPPED else None,
        session_lost=any(result.session_lost for result in results),
        truncated=any(result.truncated for result in results),
        output_file=None,
        attempt=max(result.attempt for result in results),
        waited=max(result.waited for result in results),
        would_change=any(result.would_change for result in results),
        difference=first.difference if len(results) == 1 else None,
        items=tuple(results),
    )


def _skip_reason(results: Sequence[Result]) -> str:
    """Under ``--check`` items are skipped for reasons that the whole step has."""
    unknown = next((result.skip_reason for result in results if nothing_known(result)), None)
    return unknown or "`when` is false for every item"


def _failure(bad: Sequence[Result], ran: int, total: int, what: str) -> Failure | None:
    first = next((result.failure for result in bad if result.failure is not None), None)
    if first is None or total == 1:
        return first
    begun = f"{len(bad)} of {total} {what}s failed" if ran == total else f"stopped at {what} {ran} of {total}"
    return replace(first, message=f"{begun}: {first.message}")

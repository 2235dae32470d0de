"""``delegate_to``: the body runs elsewhere in the host's place, with the host's variables, and the result is its."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from runner.engine.port import Clock
from runner.engine.result import Result, Status
from runner.execute.control.looping import combined
from runner.plan.model import Placement


def places_of(placement: Placement) -> tuple[Placement, ...]:
    """Where a step's body runs for a host: there, or on each of its delegates."""
    return placement.delegates or (placement,)


def in_place_of(placement: Placement, delegate: Placement) -> Placement:
    """The delegate under the host's name: it is what output, results and messages are about."""
    return placement if delegate is placement else replace(delegate, host=placement.host, delegates=())


async def on_each(
    placement: Placement, run: Callable[[Placement], Awaitable[Result]], clock: Clock
) -> Result:
    """Run the body where it belongs and give one result for the host.

    Delegates take their turn one after another: what is done for one host at two load balancers is mostly not meant
    to happen to both at the same moment. One that fails or is not reached keeps no other from its turn; a stop does.
    """
    places = places_of(placement)
    if len(places) == 1:
        return _told(await run(places[0]), placement, places[0])
    begin = clock.monotonic()
    results: list[Result] = []
    for place in places:
        result = _told(await run(place), placement, place)
        results.append(replace(result, item=place.host))
        if result.status is Status.CANCELLED:
            break
    return combined(results, len(places), clock.monotonic() - begin, "delegate")


def _told(result: Result, placement: Placement, place: Placement) -> Result:
    """A bad result says where: its host is not the one that it happened on."""
    if place is placement or result.failure is None:
        return result
    message = f"on `{place.host}`: {result.failure.message}"
    return replace(result, failure=replace(result.failure, message=message))

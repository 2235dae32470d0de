"""One assignment as work: the items of its loop, on the host or its delegates, each attempt after attempt."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from runner.engine.port import Turn
from runner.engine.result import Failure, Result, Status
from runner.errors import RunnerError
from runner.execute.attempt import failure_of
from runner.execute.check_mode import as_skip
from runner.execute.control.course import Course
from runner.execute.control.delegation import in_place_of, on_each
from runner.execute.control.looping import combined, run_items
from runner.execute.guard import Guard, Progress, forget_cancellation
from runner.execute.scopes import Item, StepScopes
from runner.execute.site import Services, Site
from runner.plan.model import Placement, PlannedStep
from runner.playbook.read import UNLIMITED
from runner.variables.scope import Scope


class Work:
    """Does assignments. ``left`` has what may still run on hosts, as ``step on host``, in the order it was found."""

    def __init__(self, scopes: StepScopes, services: Services) -> None:
        self._scopes = scopes
        self._services = services
        self.left: dict[str, None] = {}

    async def run(
        self, planned: PlannedStep, placement: Placement, items: Sequence[Item] | None, turn: Turn
    ) -> Result:
        """Do it; ``items`` None is a step without a loop. On cancellation what runs is stopped first."""
        if items is None:
            return await self._on_each(planned, placement, None, turn)

        async def run_item(item: Item) -> Result:
            try:
                if not self.wanted(planned, placement, item):
                    skipped = Result(step=planned.step.id, host=placement.host, status=Status.SKIPPED)
                    return replace(skipped, item=item.value, skip_reason="`when` is false for this item")
            except RunnerError as error:
                result = replace(failed(planned, placement, error), item=item.value)
                return as_skip(result) if self._services.check else result
            return await self._on_each(planned, placement, item, turn)

        begin = self._services.clock.monotonic()
        results = await run_items(items, _width(planned, placement, len(items)), run_item, turn.workers)
        if not results:  # stopped before the first item began
            forget_cancellation()
            code, words = self._services.stop()
            failure = Failure(code, f"{words}; nothing was run", "plan")
            return Result(step=planned.step.id, host=placement.host, status=Status.CANCELLED, failure=failure)
        return combined(results, len(items), self._services.clock.monotonic() - begin)

    def wanted(self, planned: PlannedStep, placement: Placement, item: Item) -> bool:
        """Whether ``when`` holds for an item.

        Raises:
            VariableError: it cannot be evaluated.

        """
        return self._scopes.scope(planned, placement.host, item).holds(planned.step.when)

    async def _on_each(
        self, planned: PlannedStep, placement: Placement, item: Item | None, turn: Turn
    ) -> Result:
        async def run_there(place: Placement) -> Result:
            return await self.course(
                planned,
                in_place_of(placement, place),
                item,
                turn,
                aside=place.host if place is not placement else None,
            ).run()

        result = await on_each(placement, run_there, self._services.clock)
        return result if item is None else replace(result, item=item.value)

    def course(
        self,
        planned: PlannedStep,
        placement: Placement,
        item: Item | None,
        turn: Turn,
        *,
        aside: str | None = None,
        scope: Callable[[], Scope] | None = None,
    ) -> Course:
        """All attempts of one item at one place; ``scope`` makes the variables where they are not the step's own."""

        def own_scope() -> Scope:
            return self._scopes.scope(planned, placement.host, item)

        make_scope = scope or own_scope

        def site_of(number: int) -> Site:
            return Site(
                planned=planned,
                placement=placement,
                scope=make_scope(),
                guard=Guard(self._services.patience, placement.cancel_timeout, Progress()),
                services=self._services,
                item=item,
                number=number,
                aside=aside,
                turn=turn,
                again=make_scope,
            )

        return Course(site_of, turn, random=random.random, leave=self._leave)

    def _leave(self, site: Site) -> None:
        if site.guard.progress.left:
            self.left[f"`{site.planned.step.id}` on `{site.aside or site.placement.host}`"] = None


def failed(planned: PlannedStep, placement: Placement, error: RunnerError) -> Result:
    """An error before anything was sent, as the host's result."""
    failure = failure_of(error, "plan")
    return Result(step=planned.step.id, host=placement.host, status=Status.FAILED, failure=failure)


def _width(planned: PlannedStep, placement: Placement, count: int) -> int:
    """How many items run at once: one unless the loop says otherwise; a session runs one script at a time."""
    throttle = planned.step.loop.throttle if planned.step.loop is not None else None
    if throttle is None or placement.session is not None:
        return 1
    return count if throttle == UNLIMITED else throttle

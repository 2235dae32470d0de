"""The ``assert`` body: expressions that must hold for the host; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass

from runner.engine.result import Failure
from runner.execute import rendered
from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.bodies import AssertBody


@dataclass(frozen=True, slots=True)
class AssertRun:
    """The expressions of one step on one host; a :class:`runner.execute.done.Body`."""

    site: Site
    body: AssertBody

    async def open(self) -> None:
        """Needs nothing."""

    async def run(self) -> Done:
        """Evaluate all of them; those that do not hold are told together."""
        scope = self.site.scope
        broken = [expression for expression in self.body.that if not scope.evaluate(expression)]
        if not broken:
            return Done()
        message = (
            rendered.text(scope, self.body.message, "`message`") if self.body.message is not None else ""
        )
        listed = ", ".join(f"`{' '.join(expression.text.split())}`" for expression in broken)
        words = message or f"{'these do' if len(broken) > 1 else 'this does'} not hold: {listed}"
        hints = (f"does not hold: {listed}",) if message else ()
        return Done(failure=Failure("assertion-failed", words, hints=hints))

    async def close(self) -> None:
        """Holds nothing."""

    def partial(self) -> Done:
        """Nothing comes piece by piece."""
        return Done(judged=False)

"""The ``fail`` body: the host fails with the author's message; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass

from runner.engine.result import Failure
from runner.execute import rendered
from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.bodies import FailBody


@dataclass(frozen=True, slots=True)
class FailRun:
    """One ``fail`` on one host; a :class:`runner.execute.done.Body`."""

    message: str

    @classmethod
    def prepare(cls, site: Site, body: FailBody) -> FailRun:
        """Evaluate the message.

        Raises:
            VariableError: a template fails.
            ExecutionFailed: it is no text.

        """
        return cls(rendered.text(site.scope, body.message, "`fail`") or "no message was given")

    async def open(self) -> None:
        """Needs nothing."""

    async def run(self) -> Done:
        """Fail."""
        return Done(failure=Failure("fail-step", self.message))

    async def close(self) -> None:
        """Holds nothing."""

    def partial(self) -> Done:
        """Nothing comes piece by piece."""
        return Done(judged=False)

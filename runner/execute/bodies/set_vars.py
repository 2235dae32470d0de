"""The ``set_vars`` body: values for the host's later steps; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.bodies import SetVarsBody


@dataclass(frozen=True, slots=True)
class SetVarsRun:
    """The variables of one step for one host; a :class:`runner.execute.done.Body`. Its output is what is set."""

    values: dict[str, Any]

    @classmethod
    def prepare(cls, site: Site, body: SetVarsBody) -> SetVarsRun:
        """Evaluate all of them, each by what was known before the step: none reads another of the same step.

        Raises:
            VariableError: a template fails.

        """
        return cls({name: site.scope.render(node) for name, node in body.variables.items()})

    async def open(self) -> None:
        """Needs nothing."""

    async def run(self) -> Done:
        """Give the values; whoever registers the result sets them."""
        return Done(output=dict(self.values))

    async def close(self) -> None:
        """Holds nothing."""

    def partial(self) -> Done:
        """Nothing comes piece by piece."""
        return Done(judged=False)

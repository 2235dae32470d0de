"""Conditions that are waited for: expressions that are evaluated anew each time, or a script that is run anew."""

from __future__ import annotations

from dataclasses import replace

from runner.errors import ConnectionLost, Unreachable
from runner.execute.bodies.talk import HostTalk
from runner.execute.bodies.verdict import holds
from runner.execute.site import Site
from runner.playbook.bodies import Condition
from runner.playbook.model import OutputFormat
from runner.using.model import Shell
from runner.variables.scope import VariableError


class ConditionRun:
    """A condition on one host. ``place`` is where its script stands in the plan (``gate.that``)."""

    def __init__(self, site: Site, condition: Condition, place: str) -> None:
        self._site = site
        self._condition = condition
        self._place = place
        self._talk = HostTalk(site)
        if condition.scripts:
            self._talk.check(place)

    async def missing(self) -> str | None:
        """None where it holds, else what does not, as a short sentence.

        What cannot be evaluated yet, and a host that cannot be reached, do not hold yet.
        """
        site = self._now()
        if self._condition.scripts:
            return await self._script(site)
        for expression in self._condition.expressions:
            shown = " ".join(expression.text.split())
            try:
                if not site.scope.evaluate(expression):
                    return f"`{shown}` does not hold"
            except VariableError as error:
                return f"`{shown}` has no value: {error.message}"
        return None

    async def close(self) -> None:
        """Close what its script runs in."""
        await self._talk.close()

    def _now(self) -> Site:
        """The site with what other steps have registered since."""
        again = self._site.again
        return self._site if again is None else replace(self._site, scope=again())

    async def _script(self, site: Site) -> str | None:
        shells = site.planned.scripts_of.get(self._place, {})
        shell = site.placement.shell if site.placement.shell in shells else next(iter(shells))
        output = OutputFormat.OBJECTS if shell is Shell.POWERSHELL else OutputFormat.LINES
        try:
            done = await self._talk.script(self._place, shown=False, output=output, again=site)
        except (Unreachable, ConnectionLost) as error:
            return error.message
        held, said = holds(done, shell)
        return None if held else said

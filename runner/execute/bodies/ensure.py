"""The ``ensure`` body: ``test`` says whether it is so, ``set`` makes it so, and ``test`` runs again."""

from __future__ import annotations

from dataclasses import replace

from runner.engine.result import Difference, Failure
from runner.execute.bodies.talk import HostTalk
from runner.execute.bodies.verdict import Verdict, verdict_of
from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.model import OutputFormat
from runner.using.model import Shell

TEST, SET = "ensure.test", "ensure.set"


class EnsureRun:
    """One ``ensure`` on one host; a :class:`runner.execute.done.Body`.

    Everything both scripts are made of is evaluated at once: a ``set`` that cannot be made fails before the first test.
    The output is what ``set`` printed; where only ``test`` ran (``--check``), what that printed of the state.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._talk = HostTalk(site)
        self._talk.check(TEST)
        self._talk.check(SET)
        self._setting = False

    async def open(self) -> None:
        """Connect, and open the session where the step runs in one."""
        await self._talk.open()

    async def run(self) -> Done:
        """Test, set where it is not so (and this is no ``--check``), and test again."""
        tested, before = await self._test()
        if before.problem is not None:
            return _not_told(tested, before.problem)
        if before.ok:
            return Done(exit_code=tested.exit_code)
        if self._site.services.check:
            return Done(
                output=tested.output if not before.told else [],
                changed=True,
                would_change=True,
                difference=_difference(before, None),
            )
        self._setting = True
        done = await self._talk.script(SET)
        self._setting = False
        if done.failure is not None:
            told = replace(done.failure, message=f"`set`: {done.failure.message}")
            return replace(done, failure=told)
        tested, after = await self._test()
        if after.problem is not None:
            failed = _not_told(tested, after.problem, again=True)
            return replace(failed, output=done.output, changed=True)
        done = replace(done, changed=True, difference=_difference(before, after))
        if after.ok:
            return done
        return replace(done, stderr=done.stderr or tested.stderr, failure=_not_reached(tested))

    async def close(self) -> None:
        """Close what was opened for this step."""
        await self._talk.close()

    def partial(self) -> Done:
        """What ``set`` printed before it was cut short; what a test prints is no output of the step."""
        done = self._talk.partial()
        return done if self._setting else replace(done, output=[])

    async def _test(self) -> tuple[Done, Verdict]:
        shell = self._site.placement.shell
        output = OutputFormat.OBJECTS if shell is Shell.POWERSHELL else OutputFormat.LINES
        done = await self._talk.script(TEST, shown=False, output=output)
        return done, verdict_of(done, shell)


def _not_told(tested: Done, problem: str, *, again: bool = False) -> Done:
    when = "`test` after `set`" if again else "`test`"
    told = "; `set` has run" if again else "; `set` was not run"
    failure = Failure(
        "ensure-test", f"{when} does not say whether it is so: {problem}{told}", may_have_run=True
    )
    # What a test prints on its way to no answer is the best reason there is.
    return replace(tested, failure=failure, judged=False, changed=False)


def _not_reached(tested: Done) -> Failure:
    said = [line.strip() for line in tested.stderr if line.strip()][-1:]
    more = f"; the test said `{said[0]}`" if said else ""
    return Failure(
        "ensure-not-reached",
        f"`set` ran and succeeded, and `test` still says that it is not so{more}",
        may_have_run=True,
    )


def _difference(before: Verdict, after: Verdict | None) -> Difference | None:
    """The state before and the one that was reached, or that the test says it wants."""
    if not before.told and not (after is not None and after.told):
        return None
    if after is not None and after.told:
        return Difference(before.before, after.before if after.before is not None else after.after)
    return Difference(before.before, before.after)

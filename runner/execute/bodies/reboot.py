"""The ``reboot`` body: order a restart, see the host go and come back as another start, then let a test pass."""

from __future__ import annotations

import asyncio
import subprocess
from functools import cache

from runner.engine.observe import Waits
from runner.engine.result import Failure
from runner.errors import ConnectionLost, HostError
from runner.execute import rendered
from runner.execute.bodies import reboot_scripts as scripts
from runner.execute.bodies.talk import HostTalk, Said
from runner.execute.bodies.verdict import holds
from runner.execute.bodies.waiting import Waiting
from runner.execute.done import Done
from runner.execute.site import Site
from runner.playbook.bodies import RebootBody
from runner.playbook.model import OutputFormat
from runner.units import format_duration
from runner.using.model import Shell

TEST = "reboot.test"

_ORDER = 30.0
"""Seconds that the order may take to be answered; a host that goes down at once answers nothing any more."""

_LOOK = 30.0
"""Seconds that one look at a host that is coming back may take, beyond what connecting to it may take."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two looks: the first, and what that grows to."""

_TEST_PAUSE = 5.0


class RebootRun:
    """One restart of one host; a :class:`runner.execute.done.Body`.

    The host is told from itself by what only a start changes (``reboot_scripts.BOOT``), so a connection that breaks is
    no restart, and one that is never seen to break is none either. While it waits it holds no throttle slot. Links and
    kept sessions of the host are given up, for nothing of them can have outlived it.
    """

    def __init__(self, site: Site, body: RebootBody) -> None:
        self._site = site
        self._body = body
        self._message = rendered.text(site.scope, body.message, "`message`")
        self._talk = HostTalk(site, in_session=False)
        self._gone = False
        if body.test:
            self._talk.check(TEST)

    async def open(self) -> None:
        """Connect."""
        await self._talk.open()

    async def run(self) -> Done:
        """Order it, and wait until the host is back and its test passes."""
        clock, begin = self._site.services.clock, self._site.services.clock.monotonic()
        before = await self._talk.ask(scripts.BOOT, scripts.BOOT_POWERSHELL)
        if not before.ok or not before.output:
            message = (
                f"the host does not tell one start from another: {before.complaint or 'it says nothing'}"
            )
            return Done(failure=Failure("reboot-unknown", f"{message}; it was not restarted"), judged=False)
        if before.output == await asyncio.to_thread(_own_start):
            return Done(failure=_here(), judged=False)
        refused = await self._order()
        if refused is not None:
            return refused
        waiting = Waiting(self._site, Waits.REBOOT, self._body.timeout)
        await self._forget()
        failure = await self._until_back(before.output, waiting)
        if failure is None and self._body.test:
            failure = await self._until_it_passes(waiting)
        output = {"rebooted": failure is None, "elapsed": round(clock.monotonic() - begin, 3)}
        return Done(
            output=output, failure=failure, judged=failure is None, changed=True, waited=waiting.waited
        )

    async def close(self) -> None:
        """Close what the host was asked with."""
        await self._talk.close()

    def partial(self) -> Done:
        """The host was told to restart, and what became of that is not known."""
        return Done(judged=False, changed=self._site.guard.progress.sent)

    async def _order(self) -> Done | None:
        """Tell the host to restart; None where it does, as far as can be known."""
        self._site.guard.progress.sent = True
        try:
            async with asyncio.timeout(_ORDER):
                said = await self._talk.ask(scripts.RESTART, scripts.RESTART_POWERSHELL, [self._message])
        except (TimeoutError, ConnectionLost):
            return None  # it goes down while it answers; whether it does is seen by what comes next
        if said.ok:
            return None
        reason = " ".join(said.complaint.split()) or "it gives no reason"
        failure = Failure(
            "reboot-refused",
            f"the host does not restart: {reason}",
            may_have_run=True,
            hints=("log in as root or as an administrator, or as somebody whom the host lets restart it",),
        )
        return Done(failure=failure, judged=False)

    async def _forget(self) -> None:
        """Nothing that was open to the host outlives its restart."""
        services, placement = self._site.services, self._site.placement
        await self._talk.close()
        services.connections.drop(placement.endpoint)
        services.sessions.drop(self._site.aside or placement.host)

    async def _until_back(self, before: str, waiting: Waiting) -> Failure | None:
        pause, seen = _FIRST_PAUSE, "it was not looked at"
        while True:
            last = waiting.over
            try:
                async with asyncio.timeout(self._site.placement.endpoint.connect_timeout + _LOOK):
                    now = await self._talk.ask(scripts.BOOT, scripts.BOOT_POWERSHELL)
            except (HostError, TimeoutError) as error:
                self._gone, seen = True, error.message if isinstance(error, HostError) else "no answer"
            else:
                if now.ok and now.output and _is_another(now.output, before):
                    return None
                seen = self._still(now)
            # Each look has a way of its own: what the old start still answers over says nothing of the new one.
            await self._talk.close()
            self._site.services.connections.drop(self._site.placement.endpoint)
            if last:
                return self._not_back(seen)
            await waiting.pause(pause, f"the host restarts: {seen}")
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _still(self, now: Said) -> str:
        return "it has not gone down yet" if now.ok else f"it answers and tells nothing: {now.complaint}"

    def _not_back(self, seen: str) -> Failure:
        limit = format_duration(self._body.timeout)
        if not self._gone:
            message = (
                f"the host took the order to restart, and {limit} later it is still up from the same start"
            )
            return Failure("reboot-not-down", message, may_have_run=True)
        message = f"the host went down and is not back {limit} after the order to restart; last seen: {seen}"
        return Failure("reboot-not-back", message, may_have_run=True)

    async def _until_it_passes(self, waiting: Waiting) -> Failure | None:
        shell = self._site.placement.shell
        output = OutputFormat.OBJECTS if shell is Shell.POWERSHELL else OutputFormat.LINES
        while True:
            last = waiting.over
            try:
                done = await self._talk.script(TEST, shown=False, output=output)
            except HostError as error:
                missing = error.message
                await self._talk.close()
            else:
                held, missing = holds(done, shell)
                if held:
                    return None
            if last:
                limit = format_duration(self._body.timeout)
                message = (
                    f"the host is back, and its test does not pass within {limit} of the order to restart"
                )
                return Failure("reboot-test", f"{message}: {missing}", may_have_run=True)
            await waiting.pause(_TEST_PAUSE, f"the host is back: {missing}")


def _is_another(now: str, before: str) -> bool:
    """Whether these are two starts. A host that goes down may not tell its restarts of user space any more."""
    (start, _, soft), (start_before, _, soft_before) = now.partition("+"), before.partition("+")
    return start != start_before or ("" not in {soft, soft_before} and soft != soft_before)


def _here() -> Failure:
    return Failure(
        "reboot-controller",
        "the host is the machine that this run runs on, and the run would end with it; it was not restarted",
        hints=("leave it out, `--limit 'all:!HOST'`, and restart it from another machine or by hand",),
    )


@cache
def _own_start() -> str:
    """What this machine says of its start; empty where it says nothing."""
    said = subprocess.run(
        ["sh", "-c", scripts.BOOT], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()

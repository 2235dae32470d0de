"""Several scripts of one body on one host: the author's that stand elsewhere than in ``script``, and fixed ones.

One link carries all of them, and one runspace pool where PowerShell is spoken. The link is opened when first needed;
one that breaks is given up, and the next script opens another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.errors import ConnectionLost, ExecutionFailed
from runner.execute.bodies.script import ScriptRun, prepare_script
from runner.execute.connections import process_link
from runner.execute.done import Body, Done
from runner.execute.guard import Guard, uninterrupted
from runner.execute.launch import Launch
from runner.execute.site import Site
from runner.playbook.bodies import ScriptBody
from runner.playbook.model import OutputFormat
from runner.shell.fresh import start_fresh
from runner.shell.request import ShellRequest
from runner.transport.port import Exit, Stream
from runner.using.model import Shell

if TYPE_CHECKING:
    from runner.engine.observe import RunEvent
    from runner.execute.powershell.lease import PoolLease

_SAID_LIMIT = 64 << 10
"""Bytes of what a fixed script says that are kept: a word and a reason, or what a test prints of itself."""

_AUTHORS = ScriptBody(())
"""Stands for a script that is found by its place and not by the step's body."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a fixed script said: whether it succeeded, its output and what it complained of, without blanks around."""

    ok: bool
    output: str = ""
    complaint: str = ""


class HostTalk:
    """Runs scripts on the host of an attempt, one after another.

    Without ``in_session`` a session that the step runs in is left alone: each script has an interpreter of its own.
    """

    def __init__(self, site: Site, *, in_session: bool = True) -> None:
        self._site = site if in_session else replace(site, placement=replace(site.placement, session=None))
        self._lease: PoolLease | None = None
        self._running: Body | None = None

    @property
    def powershell(self) -> bool:
        """Whether the host is spoken to in PowerShell."""
        return self._site.placement.shell is Shell.POWERSHELL

    def check(self, place: str) -> None:
        """Evaluate everything that a script is made of, and send nothing.

        Raises:
            VariableError: a template or a ``$Using:`` name has no value.
            ExecutionFailed: a value makes no sense there, or there is no script for the host's shell.

        """
        site = self._at(place, shown=False, output=None)
        if site.placement.shell is Shell.POWERSHELL:
            from runner.execute.powershell.request import prepare_script as prepare  # noqa: PLC0415 - psrpcore is slow

            prepare(site)
        else:
            prepare_script(site, _AUTHORS)

    async def open(self) -> None:
        """Connect, and open what the scripts run in.

        Raises:
            HostError: it could not be; nothing ran.

        """
        if self.powershell:
            await self._pool()
        else:
            await self._site.link()

    async def script(
        self, place: str, *, shown: bool = True, output: OutputFormat | None = None, again: Site | None = None
    ) -> Done:
        """Run the script of a place (``ensure.test``). ``shown``: what it says is told live, and kept where it is long.

        ``output`` is what it is read as, None as the step says. ``again`` is a site with a newer scope.

        Raises:
            VariableError: a template fails.
            HostError: it could not be sent, or the link broke.

        """
        site = self._at(place, shown=shown, output=output, scoped=again)
        if site.placement.shell is Shell.POWERSHELL:
            return await self._pipeline(site)
        body = self._running = ScriptRun(site, prepare_script(site, _AUTHORS))
        try:
            await body.open()
            return await body.run()
        finally:
            await uninterrupted(body.close())

    async def ask(self, script: str, powershell: str, words: Sequence[str] = ()) -> Said:
        """Run a fixed script: ``script`` for sh, or ``powershell``; ``words`` are its arguments by position.

        Raises:
            HostError: it could not be sent, or the link broke.

        """
        return await (
            self._ask_powershell(powershell, words) if self.powershell else self._ask(script, words)
        )

    async def close(self) -> None:
        """Close the pool. What speaks through it next opens another."""
        lease, self._lease = self._lease, None
        if lease is not None:
            await lease.close()

    def partial(self) -> Done:
        """What the script that runs has said so far."""
        return Done(judged=False) if self._running is None else self._running.partial()

    def _at(
        self, place: str, *, shown: bool, output: OutputFormat | None, scoped: Site | None = None
    ) -> Site:
        """The attempt as if its step were the script of this place and nothing else."""
        site, planned = self._site, self._site.planned
        scripts, placement = planned.scripts_of.get(place, {}), site.placement
        if placement.shell not in scripts and len(scripts) == 1:  # `shell:` of a condition
            (shell,) = scripts
            placement = replace(placement, shell=shell, interpreter=None, session=None)
        services = site.services
        if not shown:
            services = replace(services, observer=_NOBODY, output_dir=None)
        step = planned.step if output is None else replace(planned.step, output=output)
        return replace(
            site,
            planned=replace(planned, scripts=scripts, step=step),
            placement=placement,
            services=services,
            scope=site.scope if scoped is None else scoped.scope,
        )

    async def _pool(self) -> PoolLease:
        from runner.execute.powershell.lease import PoolLease  # noqa: PLC0415 - psrpcore takes a tenth of a second

        if self._lease is not None and self._lease.session.lost:
            await self.close()
        if self._lease is None:
            lease = PoolLease(self._site)
            try:
                await lease.open()
            except BaseException:
                await uninterrupted(lease.close())
                raise
            self._lease = lease
        return self._lease

    async def _pipeline(self, site: Site) -> Done:
        from runner.execute.powershell.body import PowerShellRun  # noqa: PLC0415 - psrpcore takes a tenth of a second
        from runner.execute.powershell.request import prepare_script as prepare  # noqa: PLC0415 - as above

        prepared = prepare(site)
        lease = await self._pool() if site.placement is self._site.placement else None
        body = self._running = PowerShellRun(site, prepared, lease)
        try:
            await body.open()
            return await body.run()
        except ConnectionLost:
            await uninterrupted(self.close())
            raise
        finally:
            if lease is None:
                await uninterrupted(body.close())

    async def _ask(self, script: str, words: Sequence[str]) -> Said:
        site = self._site
        link = process_link(await site.link())
        said, launch = _Collected(), Launch(link)

        async def work() -> Exit:
            request = ShellRequest(shell=Shell.SH, script=script, args=list(words), script_name="runner")
            process = await start_fresh(launch, request, said)
            await process.write_eof()
            return await process.wait()

        ended = await site.guard.watch(launch, work())
        output, errors = (bytes(data).decode(errors="replace").strip() for data in (said.output, said.errors))
        return Said(ended.code == 0, output, errors)

    async def _ask_powershell(self, script: str, words: Sequence[str]) -> Said:
        from runner.execute.powershell.lease import STOP_MARGIN  # noqa: PLC0415 - psrpcore takes a tenth of a second
        from runner.psrp.request import Argument, Command, PipelineRequest, Statement  # noqa: PLC0415 - as above

        given = tuple(Argument(word) for word in words)
        command = Command(script, is_script=True, arguments=given, use_local_scope=True)
        lease = await self._pool()
        guard: Guard = self._site.guard
        try:
            asking = lease.session.ask(PipelineRequest(statements=(Statement((command,)),)))
            answer = await guard.watch(lease.stoppable, asking, STOP_MARGIN)
        except ConnectionLost:
            await uninterrupted(self.close())
            raise
        refused: ExecutionFailed | None = answer.error
        output = "\n".join(str(value) for value in answer.values)
        return Said(refused is None, output.strip(), "" if refused is None else refused.message)


class _Nobody:
    """An observer of what is not for the screen."""

    def on_event(self, event: RunEvent) -> None:
        """Drop it."""


_NOBODY = _Nobody()


class _Collected:
    """Keeps what a fixed script says, within the bound; a :class:`runner.transport.port.Receiver`."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.errors = bytearray()

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        kept = self.output if stream is Stream.STDOUT else self.errors
        kept += data[: max(0, _SAID_LIMIT - len(kept))]

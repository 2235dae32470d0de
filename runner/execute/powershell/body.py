"""The ``script``, ``file`` and ``command`` bodies on PowerShell: a pipeline in a runspace pool, whatever carries it."""

from __future__ import annotations

from dataclasses import replace

from runner.engine.result import ErrorRecord, Failure
from runner.errors import ConnectionLost, ExecutionFailed
from runner.execute.done import Done
from runner.execute.powershell.lease import STOP_MARGIN, PoolLease
from runner.execute.powershell.receipt import Receipt
from runner.execute.powershell.request import PreparedPipeline
from runner.execute.powershell.session import PowerShellSession
from runner.execute.site import Site
from runner.playbook.model import OutputFormat
from runner.psrp.request import PipelineEnd, PipelineState
from runner.psrp.script import LAST_EXIT_CODE
from runner.shell.decode import Decoded


class PowerShellRun:
    """One pipeline on one host; a :class:`runner.execute.done.Body`.

    ``lease`` is an open pool of whoever runs several pipelines in it; None takes one for this pipeline.
    """

    def __init__(self, site: Site, prepared: PreparedPipeline, lease: PoolLease | None = None) -> None:
        self._site = site
        self._prepared = prepared
        self._lease = lease or PoolLease(site)
        self._given = lease is not None
        self._receipt: Receipt | None = None
        self._exit_code: int | None = None

    async def open(self) -> None:
        """Connect, and open a pool for this step or take the one that its session keeps."""
        if not self._given:
            await self._lease.open()
        if self._prepared.using:
            self._lease.session.check_using()

    async def run(self) -> Done:
        """Run the pipeline and read what came of it."""
        session, progress = self._lease.session, self._site.guard.progress
        receipt = self._receipt = Receipt(self._site, self._prepared.script, session.decrypt)
        try:
            end = await self._site.guard.watch(
                self._lease.stoppable, self._work(session, receipt), STOP_MARGIN
            )
        except ConnectionLost as error:
            self._lease.lose()
            error.may_have_run = error.may_have_run or (progress.sent and error.phase == "execute")
            raise
        finally:
            children = session.children
            progress.children = children.told
            progress.left = progress.left or bool(children.left)
        return self._conclude(end, receipt)

    async def close(self) -> None:
        """Close the pool where it was this step's own."""
        if not self._given:
            await self._lease.close()

    def partial(self) -> Done:
        """What came so far."""
        if self._receipt is None:
            return Done(judged=False)
        done = self._done(self._receipt, self._receipt.output.read_anyhow())
        return replace(done, judged=False)

    async def _work(self, session: PowerShellSession, receipt: Receipt) -> PipelineEnd:
        step, prepared = self._site.planned.step, self._prepared
        await session.watch_children(end=step.stop == "process_tree")
        self._site.guard.progress.sent = True
        end = await session.run(
            prepared.request, receipt, prepared.settings, kept=self._site.placement.session is not None
        )
        self._exit_code = end.exit_code
        if session.lost:
            self._lease.lose()
        elif self._exit_code is None and prepared.settings.native_exit_code:
            answer = await session.ask(LAST_EXIT_CODE)
            value = answer.values[0] if answer.values else None
            self._exit_code = value if isinstance(value, int) else None
        return end

    def _conclude(self, end: PipelineEnd, receipt: Receipt) -> Done:
        failure = self._failure(end, receipt.ended(end))
        decoding: Failure | None = None
        try:
            decoded = receipt.output.read()
        except ExecutionFailed as error:
            decoded = receipt.output.read_anyhow()
            decoding = Failure(error.code, error.message, "decode", may_have_run=True, hints=error.hints)
        done = self._done(receipt, decoded)
        return replace(done, failure=failure or decoding, judged=failure is not None or decoding is None)

    def _done(self, receipt: Receipt, decoded: Decoded) -> Done:
        receipt.finish()
        value, path = receipt.output.keep(decoded)
        if isinstance(value, list) and self._site.planned.step.output is OutputFormat.TEXT:
            value = ""
        return Done(
            output=value,
            errors=tuple(map(self._placed, receipt.errors)),
            streams=receipt.streams,
            exit_code=self._exit_code,
            session_lost=self._lease.kept is not None and bool(self._lease.kept.lost_in),
            truncated=decoded.truncated,
            output_file=path,
        )

    def _failure(self, end: PipelineEnd, error: ErrorRecord | None) -> Failure | None:
        """What the step's own rules say of the end (language.md, "Failure")."""
        if end.state is PipelineState.FAILED:
            place = self._place(error) if error is not None else ""
            message = error.message if error is not None else "the pipeline failed and does not say why"
            shown = f"{message} ({place})" if place else message
            return Failure("powershell-failed", shown, may_have_run=not _is_unread(error))
        if end.state is PipelineState.STOPPED:
            return Failure(
                "powershell-stopped",
                "the pipeline was stopped on the host, not by this run",
                may_have_run=True,
            )
        if end.exit_code:
            return Failure("exit-code", f"the script ended with exit code {end.exit_code}", may_have_run=True)
        return None

    def _placed(self, error: ErrorRecord) -> ErrorRecord:
        """The error with its line's place in the file the author wrote, where it says a line."""
        place = self._place(error)
        return replace(error, source=place) if place else error

    def _place(self, error: ErrorRecord) -> str:
        """``site.yml:14``; empty where the error says no line of the script."""
        prepared = self._site.planned.scripts.get(self._site.placement.shell)
        if not error.line or prepared is None or self._site.planned.step.template:
            return ""
        lines = prepared.script.text.split("\n")
        if error.line > len(lines):
            return ""
        start = sum(len(line) + 1 for line in lines[: error.line - 1])
        span = prepared.script.span(start, start)
        return f"{span.path}:{span.line}"


def _is_unread(error: ErrorRecord | None) -> bool:
    """Whether the engine could not read the script, so that nothing of it ran (server/25): it has no call stack then.

    What a script reads itself, by Invoke-Expression, fails with the same category and the stack of that call.
    """
    return error is not None and (error.category or "").startswith("ParserError") and error.stack is None

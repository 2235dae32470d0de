"""The ``script``, ``file`` and ``command`` bodies: text for an interpreter, with output streamed and then decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runner.credentials.redact import StreamMask
from runner.engine.observe import OutputReceived
from runner.engine.result import Failure
from runner.errors import ExecutionFailed
from runner.execute import rendered
from runner.execute.connections import process_link
from runner.execute.done import Done
from runner.execute.interpreter import run_fresh, run_kept
from runner.execute.masking import without_begun_secret
from runner.execute.sessions import Kept
from runner.execute.site import Site
from runner.execute.spool import copy_masked
from runner.execute.using import bind
from runner.playbook.bodies import CommandBody, ScriptBody
from runner.playbook.model import OutputFormat
from runner.shell.decode import Decoded, decode, stderr_lines
from runner.shell.errors import script_errors
from runner.shell.kept import KeptExit
from runner.shell.output import OutputCollector
from runner.shell.request import ShellRequest, program_request
from runner.transport.port import Connection, Exit, Stream
from runner.using.model import Shell

_NO_SUCH_PROGRAM = 127
_STREAM_NAMES = {Stream.STDOUT: "stdout", Stream.STDERR: "stderr"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is sent; ``fresh_only`` keeps it out of the kept interpreter, ``program`` names a command's program."""

    request: ShellRequest
    stdin: bytes | None
    fresh_only: bool = False
    program: str | None = None


def prepare_script(site: Site, body: ScriptBody) -> Prepared:
    """The script of a step bound to a host's values.

    Raises:
        VariableError: a template or a ``$Using:`` name has no value.
        ExecutionFailed: a value cannot be what is asked for, or there is no script for the host's shell.

    """
    step, placement = site.planned.step, site.placement
    prepared = site.planned.scripts.get(placement.shell)
    if prepared is None:
        raise ExecutionFailed(
            "no-script-for-shell", f"there is no script for `{placement.shell}`", phase="plan"
        )
    script, values = bind(site, prepared)
    request = ShellRequest(
        shell=placement.shell,
        interpreter=placement.interpreter,
        script=script,
        values=values,
        args=rendered.arguments(site.scope, step.args, typed=placement.shell is Shell.PYTHON),
        environment=rendered.mapping_of_texts(site.scope, step.environment, "environment"),
        working_directory=_directory(site),
    )
    return Prepared(request, rendered.input_bytes(site.scope, step.input_object))


def prepare_command(site: Site, body: CommandBody) -> Prepared:
    """A program and its arguments, run as argv without a shell reading them; within a session of sh or bash there.

    Raises:
        VariableError: a template fails.
        ExecutionFailed: an argument is no scalar.

    """
    step, placement, item = site.planned.step, site.placement, body.items[0]
    name = rendered.text(site.scope, item.name, "`command`")
    if not name:
        raise ExecutionFailed("command-name", "`command` names no program", phase="plan")
    arguments = item.args if item.args is not None else step.args
    words = [name, *rendered.texts(site.scope, arguments, "args")]
    request = program_request(
        words,
        environment=rendered.mapping_of_texts(site.scope, step.environment, "environment"),
        working_directory=_directory(site),
    )
    in_session = placement.session is not None and placement.shell in {Shell.SH, Shell.BASH}
    if in_session:
        request = replace(request, shell=placement.shell, interpreter=placement.interpreter, script='"$@"')
    return Prepared(
        request, rendered.input_bytes(site.scope, step.input_object), fresh_only=not in_session, program=name
    )


class ScriptRun:
    """One script on one host; a :class:`runner.execute.done.Body`."""

    def __init__(self, site: Site, prepared: Prepared) -> None:
        self._site = site
        self._prepared = prepared
        self._connection: Connection | None = None
        self._kept: Kept | None = None
        redactor = site.services.redactor
        self._masks = {stream: StreamMask(redactor) for stream in Stream}
        self._collector = OutputCollector(on_text=self._show, directory=site.spool, named=redactor.empty)

    async def open(self) -> None:
        """Connect, and open the session where the step runs in one."""
        site, services = self._site, self._site.services
        self._connection = process_link(await site.link())
        if site.placement.session is not None and not self._prepared.fresh_only:
            self._kept = await services.sessions.lease(site.placement, self._connection)

    async def run(self) -> Done:
        """Run the script and read what it printed."""
        request, stdin, guard = self._prepared.request, self._prepared.stdin, self._site.guard
        if self._kept is not None:
            ended = await run_kept(self._kept, request, self._collector, stdin, guard)
            if ended.lost:
                self._kept.lost_in = f"`{self._site.planned.step.id}`"
        else:
            if self._connection is None:
                raise RuntimeError("run without open")
            ended = await run_fresh(self._connection, request, self._collector, stdin, guard)
        return self._conclude(ended)

    async def close(self) -> None:
        """The interpreter of a step ends with its script."""

    def partial(self) -> Done:
        """The output so far, read as lines or text."""
        done = self._collected(self._decoded_as_lines(), None)
        return replace(done, judged=False, session_lost=self._kept is not None and bool(self._kept.lost_in))

    def _conclude(self, ended: KeptExit) -> Done:
        self._finish()
        failure = self._failure_of_exit(ended.exit)
        decoding: Failure | None = None
        try:
            decoded = decode(self._collector.stdout, self._format, self._site.services.redactor.finds)
        except ExecutionFailed as error:
            decoded = self._decoded_as_lines()
            decoding = Failure(error.code, error.message, "decode", may_have_run=True, hints=error.hints)
        done = self._collected(decoded, failure)
        return replace(
            done,
            exit_code=ended.exit.code,
            signal=ended.exit.signal,
            failure=failure or decoding,
            judged=failure is not None or decoding is None,
            session_lost=ended.lost,
        )

    @property
    def _format(self) -> OutputFormat:
        return self._site.planned.step.output or OutputFormat.LINES

    def _collected(self, decoded: Decoded, failure: Failure | None) -> Done:
        self._finish()
        stdout, stderr = self._collector.stdout, self._collector.stderr
        redactor, value, lines = self._site.services.redactor, decoded.value, stderr_lines(stderr)
        if decoded.truncated:
            value = without_begun_secret(value, redactor)
        if not stderr.complete:
            lines = without_begun_secret(lines, redactor)
        request = self._prepared.request
        errors = script_errors(request.shell, lines, request.script.splitlines()) if failure else ()
        for stream in (stdout, stderr):
            stream.keep(lambda source, target: copy_masked(source, target, redactor))
        done = Done(
            output=value,
            stderr=lines,
            errors=errors,
            truncated=decoded.truncated,
            output_file=str(stdout.path) if stdout.path is not None else None,
        )
        self._collector.close()
        return done

    def _decoded_as_lines(self) -> Decoded:
        wanted = OutputFormat.TEXT if self._format is OutputFormat.TEXT else OutputFormat.LINES
        return decode(self._collector.stdout, wanted)

    def _failure_of_exit(self, ended: Exit) -> Failure | None:
        what = f"`{self._prepared.program}`" if self._prepared.program else "the script"
        if ended.signal is not None:
            return Failure(
                "killed-by-signal", f"{what} was ended by signal {ended.signal}", may_have_run=True
            )
        if not ended.code:
            return None
        hints: tuple[str, ...] = ()
        if ended.code == _NO_SUCH_PROGRAM and self._prepared.program:
            hints = (f"exit code 127 mostly means that the host has no program {what}",)
        message = f"{what} ended with exit code {ended.code}"
        return Failure("exit-code", message, may_have_run=True, hints=hints)

    def _show(self, stream: Stream, text: str) -> None:
        self._tell(stream, self._masks[stream].feed(text))

    def _finish(self) -> None:
        self._collector.finish()
        for stream, mask in self._masks.items():
            self._tell(stream, mask.finish())

    def _tell(self, stream: Stream, text: str) -> None:
        if text:
            step, host = self._site.planned.step.id, self._site.placement.host
            event = OutputReceived(step, host, _STREAM_NAMES[stream], text)
            self._site.services.observer.on_event(event)


def _directory(site: Site) -> str | None:
    node = site.planned.step.working_directory
    return None if node is None else rendered.text(site.scope, node, "`working_directory`")

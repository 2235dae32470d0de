"""An endpoint that speaks PowerShell remoting and is no PowerShell: it knows a handful of words of its own.

::

    python -m runner.lab.scripted_engine -s [--silent PHASE] [--banner TEXT] [--refuse-key] ...

For what no recording holds: values echoed as they came, secure strings with a real key exchange, host calls, scripts
that run until they are stopped, sessions that keep variables, and every way to break. psrpcore's server side does the
protocol; the script's text is the commands of runner/lab/scripted_commands.py, one a line: ``emit 3``, ``$v = 5``,
``sleep``, ``throw TEXT``, ``break truncated-fragment``. Nothing here says how a real engine would answer a script.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import psrpcore
from psrpcore.types import ErrorCategory, ErrorRecord, PipelineState, PSInvocationState, PSVersion

from runner.lab.engine_channel import ENDED_BY_CLIENT, BadClient, EngineChannel, say
from runner.lab.scripted_commands import Died, Failed, Scope, Stopped, Waiting, error_record, run_script
from runner.lab.scripted_faults import Faults
from runner.psrp.packets import Kind, Packet

_FRAGMENT = 32768
#: What is never answered on demand; ``key`` is the key exchange, ``session`` the pool's own close.
PHASES = ("open", "command", "create", "input", "signal", "close", "session", "key")
_USING = "--%"
_ANSWERED = {Kind.COMMAND: "command", Kind.SIGNAL: "signal", Kind.CLOSE: "close"}


class Running:
    """A pipeline and the commands it works on."""

    def __init__(self, pipeline: psrpcore.ServerPipeline) -> None:
        self.pipeline = pipeline
        self.scope: Scope | None = None
        self.waiting: Waiting | None = None
        self.until: float | None = None
        self.text = ""


class ScriptedSession:
    """One session after the other for one client."""

    def __init__(self, channel: EngineChannel, options: argparse.Namespace) -> None:
        self._channel = channel
        self._options = options
        self._faults = Faults(channel)
        self._begin()

    def _begin(self) -> None:
        version = PSVersion(self._options.version)
        self._pool = psrpcore.ServerRunspacePool({"PSVersionTable": {"PSVersion": version}})
        self._variables: dict[str, str] = {}
        self._running: dict[UUID, Running] = {}

    def serve(self) -> None:
        """Answer until the input ends.

        Raises:
            BadClient: the client broke the protocol.
            Died: a script ended the engine.

        """
        while not self._channel.ended:
            packet = self._channel.receive(self._patience())
            if packet is not None:
                self._handle(packet)
            for running in list(self._running.values()):
                if running.until is not None and running.until <= time.monotonic():
                    self._resume(running)

    def _patience(self) -> float | None:
        """Seconds until a sleeping pipeline wakes; None while none sleeps."""
        wakes = [running.until for running in self._running.values() if running.until is not None]
        return max(min(wakes) - time.monotonic(), 0) if wakes else None

    def _handle(self, packet: Packet) -> None:
        if packet.kind is Kind.DATA:
            self._data(packet)
            return
        phase = "session" if packet.target is None else _ANSWERED[packet.kind]
        if phase in self._options.silent:
            return
        if packet.target is None:
            self._begin()
        else:
            self._order(packet.kind, packet.target)
        self._channel.acknowledge(packet)

    def _order(self, kind: Kind, target: UUID) -> None:
        if kind is Kind.COMMAND:
            self._running[target] = Running(psrpcore.ServerPipeline(self._pool, target))
        elif kind is Kind.CLOSE:
            self._running.pop(target, None)
            self._pool.pipeline_table.pop(target, None)
        elif (running := self._running.get(target)) is not None and running.scope is not None:
            self._stop(running)

    def _data(self, packet: Packet) -> None:
        """The pool's data is worked on before it is acknowledged, a pipeline's after, as the engine does."""
        kind = psrpcore.StreamType.prompt_response if packet.prompt else psrpcore.StreamType.default
        self._pool.receive_data(psrpcore.PSRPPayload(packet.data, kind, packet.target))
        events = []
        while (event := self._pool.next_event()) is not None:
            events.append(event)
        if packet.target is None:
            self._pool_events(events, packet)
            return
        created = any(isinstance(event, psrpcore.CreatePipelineEvent) for event in events)
        if ("create" if created else "input") in self._options.silent:
            return
        self._channel.acknowledge(packet)
        running = self._running.get(packet.target)
        if running is None:
            return
        for event in events:
            self._pipeline_event(running, event)

    def _pool_events(self, events: Iterable[psrpcore.PSRPEvent[Any, Any]], packet: Packet) -> None:
        phase = ""
        for event in events:
            if isinstance(event, psrpcore.InitRunspacePoolEvent):
                phase = "open"
            elif isinstance(event, psrpcore.PublicKeyEvent):
                phase = "key"
            elif isinstance(event, psrpcore.ResetRunspaceStateEvent):
                self._variables.clear()
                self._pool.runspace_availability_response(event.ci, True)
            elif isinstance(event, psrpcore.GetAvailableRunspacesEvent):
                self._pool.runspace_availability_response(event.ci, 0 if self._works else 1)
        if phase in self._options.silent:
            return
        if (phase == "key" and self._options.refuse_key) or (phase == "open" and self._options.refuse_open):
            self._refuse(phase)
        self._flush()
        self._channel.acknowledge(packet)

    @property
    def _works(self) -> bool:
        """Whether a pipeline runs; one that has ended and is not closed yet leaves the runspace free."""
        return any(running.pipeline.state is PSInvocationState.Running for running in self._running.values())

    def _refuse(self, phase: str) -> None:
        """Take the answer back and say that the pool is broken."""
        while self._pool.data_to_send(_FRAGMENT) is not None:
            pass
        message = "the key exchange is refused" if phase == "key" else "the session is refused"
        self._pool.set_broken(error_record(message, "ScriptedRefusal", ErrorCategory.SecurityError))

    def _pipeline_event(self, running: Running, event: psrpcore.PSRPEvent[Any, Any]) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            running.scope = self._scope(running.pipeline, event)
            running.text = _text(event.pipeline.commands[-1])
            if event.pipeline.no_input:
                self._start(running, running.scope)
        elif isinstance(event, psrpcore.PipelineInputEvent) and running.scope is not None:
            running.scope.input.append(event.data)
        elif isinstance(event, psrpcore.EndOfPipelineInputEvent) and running.scope is not None:
            self._start(running, running.scope)
        elif isinstance(event, psrpcore.PipelineHostResponseEvent) and running.scope is not None:
            running.scope.answer = event.result
            self._resume(running)

    def _scope(self, pipeline: psrpcore.ServerPipeline, event: psrpcore.CreatePipelineEvent) -> Scope:
        """What the last command, the author's, came with."""
        scope = Scope(pipeline, self._variables, self._break)
        for name, value in event.pipeline.commands[-1].parameters:
            if name is None:
                scope.arguments.append(value)
            elif name == _USING:
                scope.using = value
            else:
                scope.parameters[name] = value
        return scope

    def _start(self, running: Running, scope: Scope) -> None:
        # Not `start()`: that sends a state Running, which no real engine does.
        running.pipeline.state = PSInvocationState.Running
        running.waiting = run_script(running.text, scope)
        self._resume(running)

    def _break(self, fault: str, argument: str, pipeline: psrpcore.ServerPipeline) -> None:
        self._flush()
        self._faults(fault, argument, pipeline)

    def _stop(self, running: Running) -> None:
        if running.waiting is not None:
            self._go_on(running, lambda waiting: waiting.throw(Stopped()))
        elif running.pipeline.state is PSInvocationState.NotStarted:
            self._finish(running, PSInvocationState.Stopped, _STOPPED)
            self._flush()

    def _resume(self, running: Running) -> None:
        self._go_on(running, next)

    def _go_on(self, running: Running, how: Callable[[Waiting], float | None]) -> None:
        """Let the commands work until they wait or end, and send what came of it."""
        if running.waiting is None:
            return
        try:
            seconds = how(running.waiting)
        except StopIteration:
            self._finish(running, PSInvocationState.Completed)
        except Stopped:
            self._finish(running, PSInvocationState.Stopped, _STOPPED)
        except Failed as error:
            self._finish(running, PSInvocationState.Failed, error.record)
        else:
            running.until = None if seconds is None else time.monotonic() + seconds
        finally:
            self._flush()

    def _finish(self, running: Running, state: PSInvocationState, error: ErrorRecord | None = None) -> None:
        running.waiting = running.until = None
        running.pipeline.state = state
        message = PipelineState(PipelineState=int(state))
        if error is not None:
            message.ExceptionAsErrorRecord = error
        running.pipeline.prepare_message(message)

    def _flush(self) -> None:
        while (payload := self._pool.data_to_send(_FRAGMENT)) is not None:
            self._channel.send_data([payload.data], payload.pipeline_id)


def _text(command: psrpcore.Command) -> str:
    """The script, or a command with its arguments as words."""
    if command.is_script:
        return str(command.command_text)
    return " ".join(
        [command.command_text, *(str(value) for name, value in command.parameters if name is None)]
    )


_STOPPED = error_record("The pipeline has been stopped.", "PipelineStopped", ErrorCategory.OperationStopped)


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="scripted_engine", description="PowerShell remoting with words of its own."
    )
    parser.add_argument("-s", "-ServerMode", "-sshs", "-SSHServerMode", dest="server", action="store_true")
    parser.add_argument("-NoLogo", action="store_true")
    parser.add_argument("-NoProfile", action="store_true")
    parser.add_argument("--silent", action="append", default=[], choices=PHASES, help="never answer this")
    parser.add_argument("--banner", default="", help="print this before anything else")
    parser.add_argument("--complain", default="", help="print this on standard error at the start")
    parser.add_argument(
        "--end", type=int, help="end at the start with this exit code, after banner and complaint"
    )
    parser.add_argument("--refuse-open", action="store_true", help="answer the opening with a broken pool")
    parser.add_argument(
        "--refuse-key", action="store_true", help="answer the key exchange with a broken pool"
    )
    parser.add_argument("--version", default="7.6.5", help="the version of the engine to claim")
    options = parser.parse_args()
    channel = EngineChannel()
    channel.send_raw(os.fsencode(options.banner))
    if options.complain:
        say(options.complain)
    if options.end is not None:
        return int(options.end)
    try:
        ScriptedSession(channel, options).serve()
    except BadClient as error:
        say(str(error))
    except BrokenPipeError:
        pass
    except Died as death:
        return death.code
    return ENDED_BY_CLIENT


if __name__ == "__main__":
    sys.exit(main())

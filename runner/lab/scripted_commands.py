"""The commands of the scripted engine: a table of generators, one command a line of the script.

A command yields when it has to wait: the seconds, or None for as long as it takes. It is resumed with the host's
answer, or with None when the seconds are over; a stop is raised in it as :class:`Stopped`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from psrpcore import ServerPipeline
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    HostMethodIdentifier,
    NETException,
    PSCredential,
    PSSecureString,
)

from runner.lab.engine_channel import say

Waiting = Generator[float | None, None, None]


class Stopped(Exception):
    """The client wants the pipeline stopped."""


class Failed(Exception):
    """The pipeline ends with an error record."""

    def __init__(self, message: str, identifier: str = "ScriptedFailure") -> None:
        super().__init__(message)
        self.record = error_record(message, identifier)


class Died(Exception):
    """The engine ends at once with this exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Breaker(Protocol):
    """Breaks the stream of a pipeline on purpose."""

    def __call__(self, fault: str, argument: str, pipeline: ServerPipeline) -> None:
        """Do it.

        Raises:
            Died: the engine ends with it.
            KeyError: there is no such fault.

        """


@dataclass
class Scope:
    """What a command works with: its pipeline, what came with the script, and what the session keeps."""

    pipeline: ServerPipeline
    variables: dict[str, str]
    breaker: Breaker
    arguments: list[Any] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    using: Any = None
    input: list[Any] = field(default_factory=list)
    answer: Any = None

    def write(self, value: Any) -> None:
        """One output object."""
        self.pipeline.write_output(value)


def run_script(text: str, scope: Scope) -> Waiting:
    """Run each line that is not empty.

    Raises:
        Failed: a command failed, or there is none of this name.

    """
    for line in filter(None, (line.strip() for line in text.splitlines())):
        yield from _run_line(line, scope)


def _run_line(line: str, scope: Scope) -> Waiting:
    if line.startswith("$"):
        name, assigns, value = line.partition("=")
        if assigns:
            scope.variables[name.strip()] = value.strip()
        else:
            scope.write(scope.variables.get(name.strip()))
        return
    name, _, argument = line.partition(" ")
    command = _COMMANDS.get(name)
    if command is None:
        raise Failed(f"the scripted engine has no command `{name}`", "CommandNotFoundException")
    try:
        waiting = command(scope, argument.strip())
    except (KeyError, ValueError) as error:
        raise Failed(f"`{line}` is not understood: {error}") from error
    if waiting is not None:
        yield from waiting


def _echo(scope: Scope, what: str) -> None:
    """``echo arguments|parameters|using|input``: what came, as it came."""
    values: Mapping[str, list[Any]] = {
        "arguments": scope.arguments,
        "parameters": [scope.parameters],
        "using": [scope.using],
        "input": scope.input,
    }
    for value in values[what]:
        scope.write(value)


def _emit(scope: Scope, argument: str) -> None:
    """``emit N``: the numbers from 1; ``emit N SIZE``: N texts of SIZE characters."""
    count, _, size = argument.partition(" ")
    for number in range(1, int(count) + 1):
        scope.write("x" * int(size) if size else number)


def _say(scope: Scope, argument: str) -> None:
    """``say TEXT``: a text."""
    scope.write(argument)


def _streams(scope: Scope, argument: str) -> None:
    """``streams``: one record of each stream between two objects; each says its stream's name."""
    del argument
    pipeline = scope.pipeline
    pipeline.write_output("before")
    pipeline.write_verbose("verbose")
    pipeline.write_debug("debug")
    pipeline.write_warning("warning")
    pipeline.write_information("information", "scripted")
    pipeline.write_progress("progress", 0, "half", percent_complete=50)
    record = error_record("error", "ScriptedError")
    pipeline.write_error(record.Exception, record.CategoryInfo, None, record.FullyQualifiedErrorId)
    pipeline.write_output("after")


def _secure(scope: Scope, text: str) -> None:
    """``secure TEXT``: a secure string."""
    scope.write(PSSecureString(text))


def _unlock(scope: Scope, argument: str) -> None:
    """``unlock``: the plain texts of the secure strings and credentials among the arguments and ``$using:`` values."""
    del argument
    for value in (*scope.arguments, *scope.parameters.values(), *dict(scope.using or {}).values()):
        secret = value.Password if isinstance(value, PSCredential) else value
        if isinstance(secret, PSSecureString):
            scope.write(secret.decrypt())


def _ask(scope: Scope, argument: str) -> Waiting:
    """``ask``: have the client's host read a line; its answer is written."""
    del argument
    scope.pipeline.host_call(HostMethodIdentifier.ReadLine)
    yield None
    scope.write(scope.answer)


def _exit(scope: Scope, code: str) -> None:
    """``exit N``: what PowerShell does for it, SetShouldExit (remoting.md 2.7)."""
    scope.pipeline.host_call(HostMethodIdentifier.SetShouldExit, [int(code or 0)])


def _sleep(scope: Scope, seconds: str) -> Waiting:
    """``sleep [SECONDS]``: until then, or until it is stopped."""
    del scope
    yield float(seconds) if seconds else None


def _ignore_stop(scope: Scope, argument: str) -> Waiting:
    """``ignore-stop``: for ever, whatever is asked; only the end of the process ends it."""
    del argument
    while True:
        try:
            yield None
        except Stopped:
            scope.write("still here")


def _finally(scope: Scope, text: str) -> Waiting:
    """``finally TEXT``: sleep until stopped, and write the text then."""
    try:
        yield None
    finally:
        scope.write(text)


def _fail(scope: Scope, message: str) -> None:
    """``fail TEXT``: an error record, and go on."""
    record = error_record(message, "ScriptedError")
    scope.pipeline.write_error(record.Exception, record.CategoryInfo, None, record.FullyQualifiedErrorId)


def _throw(scope: Scope, message: str) -> None:
    """``throw TEXT``: end the pipeline with an error record."""
    del scope
    raise Failed(message)


def _complain(scope: Scope, text: str) -> None:
    """``complain TEXT``: a line on standard error."""
    del scope
    say(text)


def _spawn(scope: Scope, seconds: str) -> None:
    """``spawn SECONDS``: start a process that outlives the pipeline; its pid is written."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(["sleep", str(float(seconds))], stdin=quiet, stdout=quiet, stderr=quiet)
    scope.write(child.pid)


def _die(scope: Scope, code: str) -> None:
    """``die [CODE]``: the engine ends at once."""
    del scope
    raise Died(int(code or 1))


def _break(scope: Scope, argument: str) -> None:
    """``break FAULT [ARGUMENT]``: break the stream; runner/lab/scripted_faults.py has the faults."""
    fault, _, rest = argument.partition(" ")
    scope.breaker(fault, rest, scope.pipeline)


_COMMANDS: Mapping[str, Callable[[Scope, str], Waiting | None]] = {
    "echo": _echo,
    "emit": _emit,
    "say": _say,
    "streams": _streams,
    "secure": _secure,
    "unlock": _unlock,
    "ask": _ask,
    "exit": _exit,
    "sleep": _sleep,
    "ignore-stop": _ignore_stop,
    "finally": _finally,
    "fail": _fail,
    "throw": _throw,
    "complain": _complain,
    "spawn": _spawn,
    "die": _die,
    "break": _break,
}


def error_record(
    message: str, identifier: str, category: ErrorCategory = ErrorCategory.NotSpecified
) -> ErrorRecord:
    """An error record with an exception of .NET."""
    return ErrorRecord(
        Exception=NETException(Message=message),
        CategoryInfo=ErrorCategoryInfo(Category=category),
        FullyQualifiedErrorId=identifier,
    )

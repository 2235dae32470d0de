"""A result against what was recorded: equal in every value, or in shape where the value is the machine's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from runner.engine.result import ErrorRecord, Result, Status
from tests.support.engines import real_engine
from tests.support.recorded import Recorded, Run
from tests.wire.said import PASSWORD
from tests.wire.values import exact, shape

_STATUSES = {"completed": Status.OK, "failed": Status.FAILED, "stopped": Status.TIMED_OUT}

OF_THE_MACHINE: dict[str, str] = {
    "17-depth.1": "a folder has times",
    "17-depth.3": "a process has a number, a start and a path",
    "18-values-out.0": "a Local time has the machine's zone",
    "27-native.2": "a record of standard error has the machine's places in it",
    "30-stop.4": "what sleeps on the machine beside the test is counted",
    "30-stop.6": "what sleeps on the machine beside the test is counted",
    "41-commands.0": "a folder has times",
    "43-locale-and-place.0": "culture, folders, user and version",
    "45-inventory.0": "an inventory of the machine",
    "client-simple-command.0": "the culture of the machine",
    "e02-culture.1": "the culture of the machine",
    "e02-culture.2": "the culture of the machine",
    "e04-shared-data.3": "the memory of a process",
    "e07-host-version.1": "the version of the engine",
    "e10-process.1": "a process",
    "e12-args.1": "a file has times and an owner",
    "e15-hotfix.1": "a Local time has the machine's zone",
    "e18-inventory.1": "an inventory of the machine",
    "e19-ssh.1": "a process",
    "e19-ssh.2": "a process",
}
"""Runs whose outputs are the machine's or the moment's. A real engine's must have the recorded types and properties;
every other output must be equal, and so must these where the recording itself is played."""

_OF_ANY_PROCESS = frozenset({"e10-process.1", "e19-ssh.2"})
"""Runs that give the machine's first ``pwsh``, which may be another test's and end while it is looked at: the engine
sends no property that cannot be read (``ExitCode`` is in none of the recorded processes), so of a real one the type is
compared alone. ``e19-ssh.1`` is the engine's own process, with all of them."""

_OF_TWO_PIPES = frozenset({"27-native.0"})

_SH = "/usr/bin/sh"
"""Where sh was on the recorded machine."""

_OF_THE_MOMENT = frozenset({"time", "user", "computer", "source"})
"""Members of information records that say who wrote it, when and where: of a real engine they are left out."""


def expected(run: Run) -> Recorded:
    """What a run of a playbook is to give: the recorded result, with what the product does to it on purpose.

    A secret is masked wherever it is printed. A pipeline that the run itself stopped is told as timed out, and not by
    the engine's record that it was stopped.
    """
    recorded = run.recorded
    recorded.output = [_masked(value) for value in recorded.output]
    if recorded.state == "stopped":
        assert recorded.errors.pop().fully_qualified_error_id == "PipelineStopped"
        assert recorded.order.pop() == "error"
    if recorded.formatted:
        recorded.order.append("warning")  # the product's own, which names the way out
    return recorded


def _masked(value: Any) -> Any:
    return value.replace(PASSWORD, "********") if type(value) is str else value


def differences(run: Run, result: Result, order: list[str]) -> dict[str, tuple[Any, Any]]:
    """What differs: part of the result -> (what came, what was to come)."""
    recorded = expected(run)
    status = Status.FAILED if recorded.exit_code else _STATUSES[recorded.state]
    view = _view(run)
    streams = result.streams
    if recorded.formatted:
        *warnings, told = streams.warnings
        assert "drawing instructions" in told
        streams = replace(streams, warnings=tuple(warnings))
    pairs = {
        "status": (result.status, status),
        "exit code": (result.exit_code, recorded.exit_code),
        "output": (view(result.output), view(recorded.output)),
        "errors": (_errors(result.errors), _errors(_at_home(error) for error in recorded.errors)),
        "streams": (_lasting(streams), _lasting(recorded.streams)),
        "order": (_in_order(run, order), _in_order(run, recorded.order)),
    }
    return {part: (got, wanted) for part, (got, wanted) in pairs.items() if got != wanted}


def _view(run: Run) -> Callable[[Any], Any]:
    """How much of an output is compared."""
    if not real_engine() or run.name not in OF_THE_MACHINE:
        return exact
    return _types if run.name in _OF_ANY_PROCESS else shape


def _types(output: list[Any]) -> list[tuple[str, ...]]:
    return [value.type_names for value in output]


def _in_order(run: Run, order: list[str]) -> list[str]:
    """The streams as they came; of a program's two pipes nobody knows which is read first."""
    return sorted(order) if real_engine() and run.name in _OF_TWO_PIPES else order


def _errors(errors: Any) -> Any:
    """Errors without their place in the playbook, which no engine knows."""
    return [exact(_without_place(error)) for error in errors]


def _at_home(error: ErrorRecord) -> ErrorRecord:
    """The recorded error as this machine's engine has it: a program is told by its path, and sh may be in /bin."""
    if not real_engine() or error.target != _SH:
        return error
    found = shutil.which("sh") or _SH
    return replace(error, target=found, category=(error.category or "").replace(_SH, found))


def _without_place(error: ErrorRecord) -> ErrorRecord:
    return replace(error, source=None)


def _lasting(streams: Any) -> Any:
    information = [_entry(entry) for entry in streams.information]
    return exact(replace(streams, information=tuple(information)))


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if not (real_engine() and name in _OF_THE_MOMENT)}

"""Starting, looking at and ending a lab: ``runner lab up | status | down``."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import runner
from runner.errors import ExitCode, RunnerError, UsageError
from runner.lab.directory import LabDirectory
from runner.lab.dotnet import engine_needs
from runner.lab.fleet import MOST_HOSTS, MOST_WINDOWS_HOSTS, WINDOWS, lab_hosts
from runner.lab.state import LabCondition, LabState, marked_processes, process_start, read_state

DEFAULT_DIRECTORY = Path(".runner/lab")
_START_TIMEOUT = 60.0  # seconds; 20 hosts take about one
_END_TIMEOUT = 5.0
_LOOK = 0.02


class LabFailed(RunnerError):
    """The lab did not start or did not end."""

    exit_code = ExitCode.FAILED


def lab_up(count: int, directory: Path = DEFAULT_DIRECTORY, *, windows: int = 0) -> LabState:
    """Have ``count`` hosts, and ``windows`` Windows-like ones, that take logins; returns when they do.

    A lab of that size that is up stays as it is; one of another size is ended and started anew, with other ports.

    Raises:
        UsageError: ``count`` is not from 1 to 500, ``windows`` not from 0 to 50, or the directory holds an inventory
            that no lab has written.
        LabFailed: the server did not start.

    """
    if not 1 <= count <= MOST_HOSTS:
        raise UsageError(
            "lab-size",
            f"a lab has from 1 to {MOST_HOSTS} hosts: `{count}`",
            hints=("write `runner lab up 20`",),
        )
    if not 0 <= windows <= MOST_WINDOWS_HOSTS:
        raise UsageError(
            "lab-windows-size",
            f"a lab has from 0 to {MOST_WINDOWS_HOSTS} Windows-like hosts: `{windows}`",
            hints=("write `runner lab up 20 --windows 4`",),
        )
    place = LabDirectory(directory.absolute())
    with _directory_errors(place):
        if place.is_taken:
            raise UsageError(
                "lab-directory-taken",
                f"`{place.inventory}` was not written by a lab and would be lost",
                hints=("give the lab a directory of its own: `runner lab up 20 --dir .runner/lab`",),
            )
        place.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(place):
            before = read_state(place)
            if before.running and tuple(e.host for e in before.hosts) == lab_hosts(count, windows):
                return before
            _end(before)
            condition = LabCondition.RESTARTED if before.running else LabCondition.STARTED
            return replace(_start(place, count, windows), condition=condition)


def lab_status(directory: Path = DEFAULT_DIRECTORY) -> LabState:
    """How the lab in ``directory`` is: running with its hosts, or stopped."""
    return read_state(LabDirectory(directory.absolute()))


def lab_down(directory: Path = DEFAULT_DIRECTORY) -> LabState:
    """End the lab and everything that still runs on its hosts.

    Returns:
        The lab as it was before: running, or stopped where there was nothing to end. Homes and keys stay.

    Raises:
        LabFailed: something of it could not be ended.

    """
    place = LabDirectory(directory.absolute())
    if not place.path.is_dir():
        return read_state(place)
    with _directory_errors(place), _locked(place):
        before = read_state(place)
        _end(before)
        return before


def render_lab(state: LabState) -> str:
    """A lab for people: a line that says how it is, then how to use it."""
    place = _short(state.directory.path)
    if not state.running:
        return f"no lab is up in {place}\nstart one: runner lab up 20{_option(state)}\n"
    groups: dict[str, int] = {}
    for served in state.hosts:
        groups[served.host.group] = groups.get(served.host.group, 0) + 1
    members = ", ".join(f"{number} {group}" for group, number in groups.items())
    hosts = f"{len(state.hosts)} host{'' if len(state.hosts) == 1 else 's'}"
    return (
        f"lab {state.condition}: {hosts} on 127.0.0.1 ({members}), process {state.pid}\n"
        f"{_first(state)}try it:  runner run PLAYBOOK -i {_short(state.inventory)}\n"
        f"end it:  runner lab down{_option(state)}\n"
    )


def _first(state: LabState) -> str:
    """What a shell needs before Windows-like hosts can be reached."""
    if WINDOWS not in {served.host.group for served in state.hosts}:
        return ""
    return f"first:   . {_short(state.directory.environment)}\n"


def _option(state: LabState) -> str:
    path = state.directory.path
    return "" if path == DEFAULT_DIRECTORY.absolute() else f" --dir {_short(path)}"


def _short(path: Path) -> str:
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _start(place: LabDirectory, count: int, windows: int) -> LabState:
    """Start the server and wait until it says, by its state file, that it listens."""
    token = token_hex(8)
    # The server finds this very runner, also where it runs from a source tree, and the `pwsh` that is found here.
    environment = {
        **engine_needs(),
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(Path(runner.__file__).parents[1]),
    }
    with place.log.open("w", encoding="utf-8") as log:
        starter = subprocess.run(
            [sys.executable, "-m", "runner.lab.server", str(place.path), str(count), str(windows), token],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=place.path,
            env=environment,
            start_new_session=True,
            check=False,
            timeout=_START_TIMEOUT,
        )
    pid = int(starter.stdout or 0)
    _wait(lambda: read_state(place).running or process_start(pid) is None, _START_TIMEOUT)
    state = read_state(place)
    if not state.running:
        if pid and process_start(pid) is not None:
            _signal(pid, signal.SIGKILL)
        raise LabFailed(
            "lab-not-started",
            f"the lab did not start: {_last_line(place.log)}",
            hints=(f"read `{_short(place.log)}`",),
        )
    return state


def _end(state: LabState) -> None:
    """End the server, then what bears its token: processes that left their group, and what a killed server forgot."""
    if state.pid is not None:
        started = process_start(state.pid)
        _signal(state.pid, signal.SIGTERM)
        if not _wait(lambda: process_start(state.pid or 0) != started, _END_TIMEOUT):
            _signal(state.pid, signal.SIGKILL)
            _wait(lambda: process_start(state.pid or 0) != started, _END_TIMEOUT)
    state.directory.state.unlink(missing_ok=True)
    if state.token and not _wait(lambda: _all_ended(state.token), _END_TIMEOUT):
        left = ", ".join(map(str, marked_processes(state.token)))
        raise LabFailed(
            "lab-not-ended", f"processes of the lab still run: {left}", hints=("end them as their user",)
        )


def _all_ended(token: str) -> bool:
    left = marked_processes(token)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    return not left


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait(is_so: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason in time"


@contextmanager
def _locked(place: LabDirectory) -> Iterator[None]:
    """One at a time: who comes second waits and then finds the lab as the first one left it."""
    with place.lock.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _directory_errors(place: LabDirectory) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            "lab-directory-unusable",
            f"the lab cannot use the directory `{place.path}`: {error.strerror or error}",
            hints=("name another one: `runner lab up 20 --dir DIR`",),
        ) from error

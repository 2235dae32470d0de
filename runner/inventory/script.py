"""Runs an inventory executable and reads the JSON it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.document.nodes import Source
from runner.document.reader import INVENTORY_LIMIT, note_read
from runner.inventory.builder import InventoryBuilder
from runner.inventory.listing import META, read_listing
from runner.problems import Problems
from runner.values import Span

TIMEOUT = 60.0
"""Seconds that one call of an inventory executable may take; clouds with tens of thousands of hosts answer in less."""
_SHOWN_ERROR_LINES = 5


class ScriptError(Exception):
    """The executable gave no usable answer; ``code`` and the message become a problem."""

    def __init__(self, code: str, message: str, *hints: str) -> None:
        super().__init__(message)
        self.code = code
        self.hints = hints


def read_executable(
    path: Path, builder: InventoryBuilder, problems: Problems, *, timeout: float = TIMEOUT
) -> None:
    """Run ``path --list`` and add what it prints; without ``_meta`` also ``path --host NAME`` for each host.

    Args:
        path: an executable file.
        builder: takes hosts and groups.
        problems: takes a failed start, a non-zero exit (with what it said on standard error), a timeout and bad JSON.
        timeout: seconds for each call.

    """
    source = Source(str(path), "")
    try:
        data = _answer(path, ("--list",), timeout)

        def ask_host(name: str) -> Mapping[str, Any]:
            return _answer(path, ("--host", name), timeout)

        read_listing(data, source, builder, problems, ask_host=None if META in data else ask_host)
    except ScriptError as error:
        problems.error(error.code, str(error), Span(source.path), *error.hints)


def _answer(path: Path, arguments: tuple[str, ...], timeout: float) -> dict[str, Any]:
    shown = f"`{path} {' '.join(arguments)}`"
    output = _run(path, arguments, shown, timeout)
    if arguments[0] == "--host" and not output.strip():
        return {}
    try:
        data = json.loads(output)
    except (ValueError, RecursionError) as error:
        raise ScriptError(
            "inventory-script-output", f"{shown} printed no JSON: {_beginning(output)}",
            f"run it yourself: {shown}; it must print one JSON object and nothing else on standard output",
        ) from error  # fmt: skip
    if not isinstance(data, dict):
        raise ScriptError("inventory-script-output", f"{shown} printed JSON that is no object of groups")
    return data


def _beginning(output: str) -> str:
    """What was printed, as far as it helps: the first line, shortened."""
    line = next((line.strip() for line in output.splitlines() if line.strip()), "")
    return f"`{line[:60]}`" if line and "`" not in line else "nothing" if not line else "something else"


def _run(path: Path, arguments: tuple[str, ...], shown: str, timeout: float) -> str:
    try:
        process = subprocess.Popen(
            [str(path.absolute()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that a timeout ends what it started, too
        )
    except OSError as error:
        raise ScriptError(
            "inventory-script-failed", f"{shown} could not be started: {error.strerror}",
            "check its first line (`#!`) and that the program named there is installed",
        ) from error  # fmt: skip
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        _end(process)
        raise ScriptError("inventory-script-timeout", f"{shown} did not end within {timeout:g} s") from error
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        raise ScriptError(
            "inventory-script-failed", f"{shown} ended with exit code {process.returncode}", *_said(errors)
        )
    if len(output) > INVENTORY_LIMIT:
        raise ScriptError("inventory-script-output", f"{shown} printed more than {INVENTORY_LIMIT >> 20} MiB")
    note_read(f"{path} {' '.join(arguments)}", output)
    try:
        return output.decode()
    except UnicodeDecodeError as error:
        raise ScriptError("inventory-script-output", f"{shown} printed text that is not UTF-8") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _said(errors: bytes) -> tuple[str, ...]:
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return tuple(f"it said: {line.strip()}" for line in lines[-_SHOWN_ERROR_LINES:])

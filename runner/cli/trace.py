"""``--trace FILE``: what a run decided and what went over the wire, a line each with its time, for a report of a bug.

The lines come by Python's logging from :mod:`runner` and from asyncssh, and every one passes the run's mask. Kinds,
names, sizes and times are told, never what scripts, values and answers hold.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runner import __version__
from runner.cli.complain import complain
from runner.cli.trace_words import event_words
from runner.engine.observe import Observer, RunEvent
from runner.errors import RunnerError, UsageError
from runner.plan.model import Plan
from runner.present.harmless import harmless
from runner.problems import Problem, Severity

_LOGGERS: Final = ("runner", "asyncssh", "asyncio")
"""What is written. psrpcore, httpx and pyspnego tell at DEBUG what they send, and are silent for good where they are
imported; a library that is not named here is not asked."""

_SSH_DETAIL: Final = 2
"""asyncssh's level of detail: 2 tells sizes of what is sent, 3 would dump packets with passwords in them."""

_USED: Final = ("asyncssh", "psrpcore", "pyspnego", "httptools", "cryptography")

_log = logging.getLogger("runner.run")

Watching = Callable[[Observer], Observer]
"""Gives the observer that tells a trace of every event before it tells the one that was given."""


class TracedObserver:
    """Writes every event of the run to the trace, then hands it on."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def on_event(self, event: RunEvent) -> None:
        """Note one event."""
        if words := event_words(event):
            _log.debug("%s", words)
        self._observer.on_event(event)


@contextmanager
def traced(path: Path | None, plan: Plan, mask: Callable[[str], str]) -> Iterator[Watching]:
    """Write the trace of a run to a file while the block runs; None writes nothing.

    A file that is new can be read by its owner alone. Where it cannot be written any more the run goes on, and that is
    told at its end.

    Raises:
        UsageError: ``output-not-written``: the file cannot be opened; nothing was run.

    """
    if path is None:
        yield lambda observer: observer
        return
    handler = _TraceFile(path, mask)
    before = _turn_on(handler)
    try:
        for line in _head(plan):
            _log.debug("%s", line)
        yield TracedObserver
    except RunnerError as error:
        _log.debug("ended by [%s] %s", error.code, error.message)
        raise
    except BaseException:
        _log.exception("ended by a bug")
        raise
    finally:
        _turn_off(handler, before)
        handler.close()
        if handler.lost is not None:
            message = f"the trace in `{path}` is not whole: {handler.lost}"
            complain([Problem("output-not-written", message, severity=Severity.WARNING)])


class _TraceFile(logging.StreamHandler):  # type: ignore[type-arg]  # it is generic for the type checker only
    """Writes records to a file, line by line; ``lost`` is why it no longer does."""

    def __init__(self, path: Path, mask: Callable[[str], str]) -> None:
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(
                "output-not-written",
                f"cannot write the trace to `{path}`: {error.strerror}",
                hints=("name a file in a folder that exists and that you may write to",),
            ) from error
        super().__init__(open(number, "w", encoding="utf-8", errors="backslashreplace"))  # noqa: SIM115, PTH123
        self.setFormatter(_Masked(mask))
        self.lost: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; nothing more after it could not be done once."""
        if self.lost is None:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Note why; logging itself would print a traceback into the middle of the output."""
        error = sys.exception()
        self.lost = getattr(error, "strerror", None) or type(error).__name__

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # told already: every line is flushed when it is written
            self.stream.close()
        super().close()


class _Masked(logging.Formatter):
    """Time in UTC, level, where from, and the text: masked, harmless, each of its lines with all of that before it."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record."""
        at = datetime.fromtimestamp(record.created, UTC)
        head = f"{at:%Y-%m-%dT%H:%M:%S.%f}Z {record.levelname:<7} {record.name}: "
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return "\n".join(head + line for line in harmless(self._mask(text)).split("\n"))


def _turn_on(handler: logging.Handler) -> Mapping[str, int]:
    """Let the loggers speak to the handler; gives their levels of before."""
    import asyncssh  # noqa: PLC0415 - it takes its time, and few runs are traced

    asyncssh.set_debug_level(_SSH_DETAIL)
    before = {}
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        before[name] = logger.level
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    return before


def _turn_off(handler: logging.Handler, before: Mapping[str, int]) -> None:
    import asyncssh  # noqa: PLC0415 - loaded above

    asyncssh.set_debug_level(1)  # what it begins with
    for name, level in before.items():
        logger = logging.getLogger(name)
        logger.removeHandler(handler)
        logger.setLevel(level)


def _head(plan: Plan) -> Iterator[str]:
    """What whoever reads the trace asks first."""
    yield f"runner {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield ", ".join(f"{name} {_version(name)}" for name in _USED)
    yield f"run {plan.run} of {plan.playbook.path}, plan {plan.digest}"
    for planned in plan.steps:
        yield f"step {planned.step.id}: {len(planned.placements)} hosts"


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - few runs are traced

    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"

"""The report of what went wrong: equal failures of many hosts told once, in the form of the message guide. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from runner.engine.result import Failure, Result, Status
from runner.present.error_details import error_details
from runner.present.folding import fold
from runner.present.harmless import harmless, harmless_lines
from runner.present.paint import STATUS_ROLES, Line, Piece, Role, line
from runner.present.port import Mask
from runner.present.values import cell_text, error_place

MOST_GROUPS = 50
MOST_STDERR = 8
_MOST_ITEMS = 3
_SAME_IN_ALL_STEPS = frozenset({Status.UNREACHABLE, Status.CANCELLED})
_STOPPED = frozenset({"run-stopped", "step-stopped"})
"""Codes of what did not go wrong itself: somebody or something else stopped it."""
_STOPPED_SIGN = "!"
_STATUS_WORDS = {Status.TIMED_OUT: "timed out", Status.UNKNOWN: "unknown: it may have run"}

_ITS_OWN = re.compile(r" \(tried: [^)]*\)|; certificate of .*? SHA-256 [0-9a-f]+")

_Key: TypeAlias = tuple[object, ...]


@dataclass(slots=True)
class FailureGroup:
    """What went wrong in the same way; ``first`` is the result that stands for all, cut short.

    ``steps`` and ``hosts`` are in the order in which they were met, each once; a host comes with those of its steps
    that no ``rescue`` has mended, ``rescued`` are the hosts that have none left.
    """

    first: Result
    steps: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    rescued: dict[str, None] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Take a result that is like the first one."""
        self.steps[result.step] = None
        self.hosts.setdefault(result.host, []).append(result.step)
        self.rescued.pop(result.host, None)

    def rescue(self, host: str, steps: Collection[str]) -> None:
        """These steps went bad there, and were mended."""
        if host in self.hosts:
            left = [step for step in self.hosts[host] if step not in steps]
            self.hosts[host] = left
            if not left:
                self.rescued[host] = None


class FailureReport:
    """Takes results and keeps what the report needs of the bad ones; those held back by them are no failures."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._groups: dict[_Key, FailureGroup] = {}
        self._stopped: dict[_Key, FailureGroup] = {}  # apart, lest a stop of many leaves no room for failures
        self._left_out: dict[tuple[str, Status], dict[str, None]] = {}

    def add(self, result: Result) -> None:
        """Take one result."""
        if not result.status.bad or result.ignored:
            return
        groups = self._stopped if _was_stopped(result) else self._groups
        group = groups.get(key := _likeness(result))
        if group is None and len(groups) >= MOST_GROUPS:
            self._left_out.setdefault((result.step, result.status), {})[result.host] = None
            return
        if group is None:
            group = groups[key] = FailureGroup(_essence(result))
        group.add(result)
        if result.rescued:
            group.rescue(result.host, (result.step,))

    def rescue(self, host: str, steps: Collection[str]) -> None:
        """A ``rescue`` mended what these steps did there: told as mended, or not at all past the limits."""
        for group in (*self._groups.values(), *self._stopped.values()):
            group.rescue(host, steps)
        for (step, _), hosts in self._left_out.items():
            if step in steps:
                hosts.pop(host, None)

    def __bool__(self) -> bool:
        return bool(self._groups or self._stopped)

    def lines(self, *, bad: str = "✗", mended: str | None = "✓") -> list[Line]:
        """The report: failures in the order in which they came, then what was stopped; each ends with an empty line.

        ``bad`` and ``mended`` are signs, the second of what was rescued everywhere; None leaves that out.
        """
        lines: list[Line] = []
        for groups, sign in ((self._groups, bad), (self._stopped, _STOPPED_SIGN)):
            for group in groups.values():
                if len(group.rescued) < len(group.hosts):
                    lines += [*self._group_lines(group, sign), ()]
                elif mended is not None:
                    lines += [*self._group_lines(group, mended), ()]
            lines += self._left_out_lines(sign, stopped=groups is self._stopped)
        return lines

    def _left_out_lines(self, sign: str, *, stopped: bool) -> Iterator[Line]:
        for (step, status), hosts in self._left_out.items():
            if hosts and stopped == (status is Status.CANCELLED):
                words = f"{sign} {step} {_status_words(status)} in other ways on "
                yield line(Piece(words, STATUS_ROLES[status]), Piece(self._fold(hosts), Role.HOSTS))
                yield ()

    def result_lines(self, result: Result, *, bad: str = "✗") -> list[Line]:
        """One bad result told alone, as it happens."""
        group = FailureGroup(_essence(result))
        group.add(result)
        return list(self._group_lines(group, bad))

    def _group_lines(self, group: FailureGroup, bad: str) -> Iterator[Line]:
        result = group.first
        count = f" ({len(group.hosts)} hosts)" if len(group.hosts) > 1 else ""
        step = f"{result.step} " if len(group.steps) == 1 else ""
        count += f" in {len(group.steps)} steps: {', '.join(group.steps)}" if len(group.steps) > 1 else ""
        whole = len(group.rescued) == len(group.hosts)
        ended = _how_it_ended(result) + (", rescued" if whole else "")
        if group.rescued and not whole:
            count += f", rescued on {self._fold(group.rescued)}"
        yield line(
            Piece(f"{bad} {step}{ended}", Role.CHANGED if whole else STATUS_ROLES[result.status]),
            " on ",
            Piece(self._fold(group.hosts), Role.HOSTS),
            Piece(count, Role.FAINT),
        )
        if result.failure is not None:
            message = result.failure.message
            names_one = len(group.hosts) > 1 and _without_name(message, result.host) != message
            yield from self._failure_lines(result, result.failure, names_one=names_one)
        yield from self._error_lines(result)
        for item in [item for item in result.items if item.bad][:_MOST_ITEMS]:
            said = item.failure.message if item.failure else _how_it_ended(item)
            yield line(
                "    ", Piece(f"item {cell_text(item.item, self._mask)}: ", Role.FAINT), self._told(said)
            )
        for hint in result.failure.hints if result.failure else ():
            yield line("    ", Piece("hint:", Role.NOTE), f" {self._told(hint)}")

    def _failure_lines(self, result: Result, failure: Failure, *, names_one: bool) -> Iterator[Line]:
        likewise = " (the others likewise)" if names_one else ""
        first, *others = harmless_lines(self._mask(failure.message)) or [""]
        if _was_stopped(result):
            told = [Piece(first, Role.STRONG), Piece(f" [{failure.code}]", Role.FAINT)]
        else:
            told = [Piece(f"error[{failure.code}]", Role.BAD), Piece(f": {first}", Role.STRONG)]
        yield line("    ", *told, Piece(likewise, Role.FAINT))
        for other in others[:MOST_STDERR]:  # PowerShell's messages may have lines
            yield line("    ", Piece(other, Role.STRONG))
        if (ran := _whether_it_ran(result.status, failure)) not in failure.message:
            yield line("    ", Piece(ran, Role.FAINT))

    def _error_lines(self, result: Result) -> Iterator[Line]:
        """The errors the script itself reported, with their line in it, then the end of its standard error."""
        told = result.failure.message if result.failure else ""
        for error in result.errors:
            place = self._told(error_place(error))
            if error.message in told:
                yield from [line("    at ", Piece(place, Role.STRONG))] if place and place not in told else ()
            else:
                first, *others = harmless_lines(self._mask(error.message)) or [""]
                yield line("    ", Piece(f"{place}: " if place else "", Role.STRONG), first)
                yield from (line("    ", other) for other in others[:MOST_STDERR])
            yield from error_details(error, self._told)
        said = {error.message for error in result.errors}
        for text in result.stderr:
            if text not in said:
                for shown in harmless_lines(self._mask(text)):
                    yield line("    ", Piece("| ", Role.FAINT), shown)

    def _fold(self, hosts: Iterable[str]) -> str:
        return harmless(self._mask(fold(hosts)))

    def _told(self, text: str) -> str:
        return harmless(self._mask(text))


def _was_stopped(result: Result) -> bool:
    return (
        result.status is Status.CANCELLED and result.failure is not None and result.failure.code in _STOPPED
    )


def _likeness(result: Result) -> _Key:
    """Equal for results that differ in nothing but the host, whose name may stand in the message.

    Where a host cannot be reached, or the run is stopped, every step says so, and it is told once for all of them.
    Its address and its certificate are its own too: a wrong password at 2,000 hosts is one thing that went wrong.
    """
    failure = result.failure
    message = _without_name(_ITS_OWN.sub("", failure.message), result.host) if failure else ""
    return (
        None if result.status in _SAME_IN_ALL_STEPS else result.step,
        result.status,
        failure.code if failure else None,
        message,
        result.exit_code,
        result.signal,
        tuple(result.stderr[-MOST_STDERR:]),
        tuple((error.message, error.line, error.source) for error in result.errors[-MOST_STDERR:]),
    )


def _without_name(message: str, host: str) -> str:
    """The message with a mark where it names the host: the whole name, for `a` stands in many words."""
    parts = message.split(host)
    told = parts[0]
    for part in parts[1:]:
        inside = told[-1:].isalnum() or part[:1].isalnum()
        told += (host if inside else "\0") + part
    return told


def _essence(result: Result) -> Result:
    """The result without its output, which the report does not show and must not hold."""
    return Result(
        step=result.step,
        host=result.host,
        status=result.status,
        item=result.item,
        attempt=result.attempt,
        exit_code=result.exit_code,
        signal=result.signal,
        stderr=result.stderr[-MOST_STDERR:],
        errors=result.errors[-MOST_STDERR:],
        failure=result.failure,
        items=tuple(_essence(item) for item in result.items if item.bad)[:_MOST_ITEMS],
    )


def _how_it_ended(result: Result) -> str:
    words = _status_words(result.status)
    if result.signal is not None:
        words += f" (killed by SIG{result.signal})"
    elif result.exit_code is not None:
        words += f" (exit {result.exit_code})"
    return words + (f" in attempt {result.attempt}" if result.attempt > 1 else "")


def _status_words(status: Status) -> str:
    return _STATUS_WORDS.get(status, status.value)


def _whether_it_ran(status: Status, failure: Failure) -> str:
    if not failure.may_have_run:
        return "nothing was run"
    if "may have run" in failure.message:  # a link that broke: nobody knows how it ended
        return "may have run"
    if status is Status.FAILED and failure.phase in {"execute", "decode"}:
        return "it ran, and failed"
    return "it may have run, wholly or in part"

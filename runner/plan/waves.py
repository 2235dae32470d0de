"""``waves``: the hosts of a step or a block, one share after another (Ansible's ``serial``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from runner.document.nodes import Scalar
from runner.plan.model import PlannedWave
from runner.playbook.control import Tolerance, Wave
from runner.problems import Problem, Problems, Severity
from runner.values import Span

_MOST_NAMED = 5
"""Hosts that a message names before it counts the others."""


@dataclass(frozen=True, slots=True)
class ResolvedWave:
    """A wave with its hosts; ``written`` is what the author said of it, the last one again where it repeats."""

    hosts: tuple[str, ...]
    written: Wave

    @property
    def planned(self) -> PlannedWave:
        """As the plan has it."""
        return PlannedWave(self.hosts, self.written.pause)

    def max_fail(self, number: int, waves: int) -> int | None:
        """How many of its hosts may go bad; the first of several allows none unless it says so (language.md)."""
        if self.written.max_fail is not None:
            return self.written.max_fail.of(len(self.hosts))
        return 0 if number == 0 and waves > 1 else None


def resolve_waves(
    what: str,
    waves: Sequence[Wave],
    hosts: Sequence[str],
    hosts_of: Callable[[Scalar], Collection[str]],
    problems: Problems,
    *,
    limited: bool = False,
) -> list[ResolvedWave]:
    """The waves, together all ``hosts``, each once.

    Args:
        what: ``step `patch` ``, for messages.
        waves: as written, not empty.
        hosts: in the order they start.
        hosts_of: the hosts that a pattern names.
        problems: takes patterns that hold no host of the step, and hosts that no wave takes.
        limited: ``-l`` leaves hosts out, so that a pattern without hosts is no mistake.

    Returns:
        Waves without empty ones. A percent is of all ``hosts``, rounded down, at least 1. Hosts of a pattern are taken
        by its wave and no other; sizes take from the rest. A last size repeats until no host is left.

    """
    taken = _of_patterns(what, waves, hosts, hosts_of, None if limited else problems)
    reserved = {host for names in taken.values() for host in names}
    rest = [host for host in hosts if host not in reserved]
    found: list[ResolvedWave] = []
    for number, wave in enumerate(waves):
        if wave.size is None:
            found.append(ResolvedWave(tuple(taken[number]), wave))
            continue
        size = share(wave.size, len(hosts))
        found.append(ResolvedWave(tuple(rest[:size]), wave))
        rest = rest[size:]
    last = waves[-1]
    if last.size is not None:
        size = share(last.size, len(hosts))
        found += [
            ResolvedWave(tuple(rest[start : start + size]), last) for start in range(0, len(rest), size)
        ]
    elif rest and not any(wave.pattern and _names_nobody(wave.pattern.span, problems) for wave in waves):
        _tell_rest(what, rest, last.span, problems)
    return [wave for wave in found if wave.hosts]


def share(size: Tolerance, hosts: int) -> int:
    """How many hosts a size is, at least 1."""
    return max(1, size.of(hosts))


def _of_patterns(
    what: str,
    waves: Sequence[Wave],
    hosts: Sequence[str],
    hosts_of: Callable[[Scalar], Collection[str]],
    problems: Problems | None,
) -> dict[int, list[str]]:
    taken: dict[int, list[str]] = {}
    free = dict.fromkeys(hosts)
    for number, wave in enumerate(waves):
        if wave.pattern is None:
            continue
        named = set(hosts_of(wave.pattern))
        taken[number] = [host for host in free if host in named]
        for host in taken[number]:
            del free[host]
        if problems is not None and hosts and not taken[number]:
            if _names_nobody(wave.pattern.span, problems):
                continue
            again = bool(named & set(hosts))
            words = "whose hosts are all in waves before it" if again else f"which holds no host of {what}"
            problems.error(
                "wave-empty",
                f"a wave of {what} is `{wave.pattern.text}`, {words}",
                wave.span,
                "take the wave out, or write a pattern with hosts of its own",
            )
    return taken


def _names_nobody(pattern: Span, problems: Problems) -> bool:
    """Whether a name in the pattern has been told to be unknown, so that what follows from it is not told too."""
    return any(
        (problem.severity, problem.code) == (Severity.ERROR, "unknown-host")
        and problem.span is not None
        and (problem.span.path, problem.span.line) == (pattern.path, pattern.line)
        and pattern.column <= problem.span.column < pattern.end_column
        for problem in problems
    )


def _tell_rest(what: str, rest: Sequence[str], span: Span, problems: Problems) -> None:
    named = ", ".join(f"`{host}`" for host in rest[:_MOST_NAMED])
    more = f" and {len(rest) - _MOST_NAMED} more" if len(rest) > _MOST_NAMED else ""
    problems.add(
        Problem(
            "wave-rest",
            f"no wave of {what} takes {named}{more}",
            span,
            hints=("add `100%` as the last wave: it takes whatever is left",),
        )
    )

"""What is wrong with a document: problems with a code, a place and hints, collected and never thrown one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from runner.values import Span


class Severity(StrEnum):
    """An error refuses the run (exit code 2), a warning is told and the run goes on."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, in the words of the author.

    ``code`` is a key of :data:`runner.codes.CODES`. ``message`` is one sentence without a full stop, literals in
    backticks. ``related`` are further places, each with a few words. Each hint says one thing to type or do.
    ``private``: the line there holds a secret and must not be shown.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    hints: tuple[str, ...] = ()
    related: tuple[tuple[Span, str], ...] = ()
    private: bool = False


class Problems:
    """Collects problems of all stages and files; gives them back sorted by position, each only once."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._problems: dict[tuple[object, ...], Problem] = {}
        self._refused: dict[tuple[str, int], list[Span]] = {}
        self.extend(problems)

    def error(self, code: str, message: str, span: Span | None = None, *hints: str) -> None:
        """Note something that refuses the run."""
        self.add(Problem(code, message, span, Severity.ERROR, hints))

    def warning(self, code: str, message: str, span: Span | None = None, *hints: str) -> None:
        """Note something that is told while the run goes on."""
        self.add(Problem(code, message, span, Severity.WARNING, hints))

    def add(self, problem: Problem) -> None:
        """Note a problem; the same code and message at the same place counts once (see also :meth:`end_stage`)."""
        span = problem.span
        if span is not None and any(
            _covers(each, span) for each in self._refused.get((span.path, span.line), ())
        ):
            return
        self._problems.setdefault((problem.code, problem.message, problem.span), problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note many problems."""
        for problem in problems:
            self.add(problem)

    def end_stage(self) -> None:
        """Say that a stage (syntax, schema, names) is over: one mistake is told once.

        Whatever a later stage finds at a place that is refused by now follows from it, and is dropped. A place
        of many lines covers nothing: what stands in a script that is folded, say, is mistakes of their own.
        """
        self._refused = {}
        for problem in self:
            span = problem.span
            if problem.severity is Severity.ERROR and span is not None and span.line == span.end_line:
                self._refused.setdefault((span.path, span.line), []).append(span)

    def sorted(self) -> list[Problem]:
        """All problems by path, line and column; those without a place first."""
        return sorted(self, key=lambda p: (p.span is not None, p.span or Span(""), p.severity, p.code))

    @property
    def has_errors(self) -> bool:
        """Whether anything refuses the run."""
        return any(p.severity is Severity.ERROR for p in self)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems.values())

    def __len__(self) -> int:
        return len(self._problems)


def _covers(refused: Span, span: Span) -> bool:
    """Whether ``span`` begins inside ``refused``, which stands on one line (or both at one empty place)."""
    return refused.column <= span.column < max(refused.end_column, refused.column + 1)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to ``name`` (any case), or None when nothing is near."""
    by_lower = {k.lower(): k for k in known}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def suggestion(name: str, known: Iterable[str], *, limit: int = 12) -> tuple[str, ...]:
    """Hints for an unknown name: the near one, else the known ones where they are few.

    >>> suggestion("regsiter", ["register", "retry"])
    ('did you mean `register`?',)
    """
    names = sorted(set(known))
    near = did_you_mean(name, names)
    if near is not None:
        return (f"did you mean `{near}`?",)
    if names and len(names) <= limit:
        return ("known: " + ", ".join(f"`{n}`" for n in names),)
    return ()

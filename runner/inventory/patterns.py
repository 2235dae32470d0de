"""Chooses hosts by patterns, as Ansible has them: ``web:&prod:!canary``, globs, ``~regex``, ranges and subscripts."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from runner.document.reader import INVENTORY_LIMIT, read_source, written_path
from runner.inventory.inventory import Inventory
from runner.inventory.model import ALL, IMPLICIT_HOSTS
from runner.inventory.names import RANGE_HINT, RangeError, expand
from runner.inventory.pattern_terms import Operation, PatternError, Subscript, Term, parse_pattern
from runner.problems import Problems, suggestion
from runner.values import Span

__all__ = ["PatternError", "Term", "parse_pattern", "select"]

_COMPARED_NAMES = 2_000
"""Names that did-you-mean looks at: comparing one with 50,000 takes seconds."""


def select(
    inventory: Inventory,
    pattern: str | Sequence[str],
    problems: Problems,
    span: Span | Sequence[Span | None] | None = None,
    *,
    directory: Path | None = None,
    sets: Mapping[str, Collection[str]] | None = None,
) -> list[str]:
    """The hosts that a pattern names, in inventory order, each once.

    Args:
        inventory: where hosts and groups are looked up.
        pattern: one pattern, or a list of them, which is their union with all ``&`` and ``!`` taken afterwards.
        problems: takes names that are neither a host nor a group, patterns that cannot be read (errors), and globs and
            regular expressions that match nothing (warnings). A group without hosts is no problem.
        span: the place of the pattern's text (quotes included or not), or one for each of a list.
        directory: what ``@file`` is relative to; default the working directory.
        sets: hosts that ``@name`` means in place of a file of that name; those the inventory lacks are left out.

    Returns:
        Names of hosts. ``localhost``, ``127.0.0.1`` and ``::1`` are this machine where the inventory does not have
        them, and come last.

    """
    texts = [pattern] if isinstance(pattern, str) else list(pattern)
    spans = list(span) if isinstance(span, Sequence) else [span] * len(texts)
    selection = _Selection(inventory, problems, directory or Path(), sets or {})
    return selection.hosts([_Text(text, where) for text, where in zip(texts, spans, strict=True)])


@dataclass(frozen=True, slots=True)
class _Text:
    """A pattern's text and the place where it stands."""

    text: str
    span: Span | None

    def place(self, start: int, end: int) -> Span | None:
        """The place of a part: exact where the pattern stands on one line, plain or in quotes."""
        span = self.span
        if span is None or span.line != span.end_line:
            return span
        quote = {len(self.text): 0, len(self.text) + 2: 1}.get(span.end_column - span.column)
        if quote is None:
            return span
        column = span.column + quote
        return Span(span.path, span.line, column + start, span.line, column + end)


@dataclass(frozen=True, slots=True)
class _PlacedTerm:
    """A term and the text it stands in, for the places of problems."""

    term: Term
    text: _Text

    def place(self, start: int = 0, end: int | None = None) -> Span | None:
        """The place of the body's characters ``start`` to ``end``."""
        base = self.term.start
        return self.text.place(base + start, self.term.end if end is None else base + end)


class _Selection:
    def __init__(
        self,
        inventory: Inventory,
        problems: Problems,
        directory: Path,
        sets: Mapping[str, Collection[str]],
    ) -> None:
        self._inventory = inventory
        self._problems = problems
        self._directory = directory
        self._sets = sets

    def hosts(self, texts: Iterable[_Text]) -> list[str]:
        """The hosts of some texts together, in inventory order."""
        terms = [placed for text in texts for placed in self._terms(text)]
        if terms and all(placed.term.operation is not Operation.UNION for placed in terms):
            terms.insert(0, _ALL_HOSTS)  # `!canary` alone is `all:!canary`, as in Ansible
        chosen: set[str] = set()
        for placed in sorted(terms, key=lambda placed: placed.term.operation):
            matched = self._match(placed)
            if placed.term.operation is Operation.UNION:
                chosen.update(matched)
            elif placed.term.operation is Operation.INTERSECTION:
                chosen.intersection_update(matched)
            else:
                chosen.difference_update(matched)
        known = [name for name in self._inventory.hosts if name in chosen]
        return known + [
            name for name in IMPLICIT_HOSTS if name in chosen and name not in self._inventory.hosts
        ]

    def _terms(self, text: _Text) -> list[_PlacedTerm]:
        try:
            return [_PlacedTerm(term, text) for term in parse_pattern(text.text)]
        except PatternError as error:
            self._problems.error(
                "pattern-syntax", str(error), text.place(error.start, error.end), _SYNTAX_HINT
            )
            return []

    # --- one term ---------------------------------------------------------------------------------------------------

    def _match(self, placed: _PlacedTerm) -> Collection[str]:
        term = placed.term
        if term.file is not None:
            return self._file(placed, term.file)
        if term.regex is not None:
            return self._regex(placed, term.regex)
        found = self._named(term.body, prefer_host=term.operation is Operation.UNION)
        if found is None:
            found = self._subscripted(placed)
        if found is None and term.has_range:
            return self._range(placed)
        if found is None and term.is_glob:
            return self._glob(placed)
        if found is None and term.body in IMPLICIT_HOSTS:
            return (term.body,)
        return self._unknown(placed) if found is None else found

    def _named(self, name: str, *, prefer_host: bool = False) -> Collection[str] | None:
        """A host or a group of exactly this name; of both the host where a pattern names it alone, as in Ansible."""
        is_host = name in self._inventory.hosts
        if name in self._inventory.groups and not (is_host and prefer_host):
            return self._inventory.group_hosts(name)
        return (name,) if is_host else None

    def _subscripted(self, placed: _PlacedTerm) -> Collection[str] | None:
        """``web[0]`` and ``web[1:3]`` where ``web`` is known; ``web[01:20]`` is always a range of names."""
        split = placed.term.subscript
        if split is None or split[1].padded:
            return None
        base, subscript = split
        hosts = self._named(base)
        if hosts is None and any(character in base for character in "*?["):
            hosts = self._matching(re.compile(fnmatch.translate(base)).match)
        if hosts is None:
            return None
        return self._apply(subscript, base, tuple(hosts), placed)

    def _apply(
        self, subscript: Subscript, base: str, hosts: tuple[str, ...], placed: _PlacedTerm
    ) -> Collection[str]:
        if not subscript.single:
            return hosts[subscript.first : None if subscript.last is None else subscript.last + 1]
        if -len(hosts) <= subscript.first < len(hosts):
            return (hosts[subscript.first],)
        if hosts:
            self._problems.error(
                "subscript-out-of-range",
                f"`{base}` has {len(hosts)} hosts, there is no `{base}{subscript}`",
                placed.place(),
                f"write a number from 0 to {len(hosts) - 1}, or from -{len(hosts)} to -1 to count from the end",
            )
        return ()

    def _range(self, placed: _PlacedTerm) -> Collection[str]:
        try:
            names = list(expand(placed.term.body))
        except RangeError as error:
            self._problems.error("host-range", str(error), placed.place(), RANGE_HINT)
            return ()
        found: list[str] = []
        missing: list[str] = []
        for name in names:
            hosts = self._named(name, prefer_host=True)
            if hosts is None:
                missing.append(name)
            else:
                found.extend(hosts)
        if missing:
            others = f" and {len(missing) - 1} more of `{placed.term.body}`" if len(missing) > 1 else ""
            self._tell_unknown(missing[0], others, placed)
        return found

    def _glob(self, placed: _PlacedTerm) -> Collection[str]:
        found = self._matching(re.compile(fnmatch.translate(placed.term.body)).match)
        return self._told_if_empty(found, placed)

    def _regex(self, placed: _PlacedTerm, expression: str) -> Collection[str]:
        try:
            match = re.compile(expression).match
        except re.error as error:
            at = 1 + (error.pos or 0)  # after the `~`
            self._problems.error(
                "pattern-syntax",
                f"`{expression}` is no regular expression: {error.msg}",
                placed.place(at, min(at + 1, len(placed.term.body))),
            )
            return ()
        return self._told_if_empty(self._matching(match), placed)

    def _matching(self, match: Callable[[str], object]) -> Collection[str] | None:
        """Hosts of the groups whose name matches, and hosts whose name does; None where nothing matches."""
        if match(ALL):
            return self._inventory.hosts
        groups = [name for name in self._inventory.groups if match(name)]
        members = chain.from_iterable(map(self._inventory.group_hosts, groups))
        hosts = dict.fromkeys(chain(members, filter(match, self._inventory.hosts)))
        return hosts if hosts or groups else None

    def _file(self, placed: _PlacedTerm, name: str) -> Collection[str]:
        """The hosts of ``@file``, which holds a name or pattern a line and ``#`` comments; or of a named set."""
        if name in self._sets:
            return self._sets[name]
        path = self._directory / written_path(name)
        source = read_source(path, self._problems, limit=INVENTORY_LIMIT, span=placed.place())
        texts = []
        for number, raw in enumerate(source.text.splitlines() if source else (), 1):
            line = raw.split("#", 1)[0].strip()
            if not line:
                continue
            column = raw.index(line) + 1
            span = Span(str(path), number, column, number, column + len(line))
            if line.startswith("@"):
                self._problems.error("pattern-syntax", f"`{line}`: a file of hosts cannot name another", span)
            else:
                texts.append(_Text(line, span))
        return self.hosts(texts)

    # --- problems ---------------------------------------------------------------------------------------------------

    def _told_if_empty(self, found: Collection[str] | None, placed: _PlacedTerm) -> Collection[str]:
        if found is not None:
            return found
        self._problems.warning(
            "pattern-matches-nothing",
            f"`{placed.term.body}` matches no host and no group of the inventory",
            placed.place(),
            "`runner inventory list` shows the names",
        )
        return ()

    def _unknown(self, placed: _PlacedTerm) -> Collection[str]:
        self._tell_unknown(placed.term.body, "", placed)
        return ()

    def _tell_unknown(self, name: str, others: str, placed: _PlacedTerm) -> None:
        known = chain(self._inventory.groups, _comparable(name, self._inventory.hosts))
        if others:
            message = f"`{name}`{others} are neither hosts nor groups of the inventory"
        else:
            message = f"`{name}` is neither a host nor a group of the inventory"
        hints = suggestion(name, known) or ("`runner inventory list` shows the names",)
        self._problems.error("unknown-host", message, placed.place(), *hints)


def _comparable(name: str, hosts: Collection[str]) -> Iterable[str]:
    """Hosts worth comparing with a name that is unknown: in a large inventory those that begin like it."""
    if len(hosts) <= _COMPARED_NAMES:
        return hosts
    similar = (host for host in hosts if host[:1] == name[:1] and abs(len(host) - len(name)) <= 2)
    return islice(similar, _COMPARED_NAMES)


_ALL_HOSTS = _PlacedTerm(Term(Operation.UNION, ALL, 0, 0), _Text("", None))
_SYNTAX_HINT = "separate patterns with commas, and close every bracket"

"""Findings as a person reads them: hosts that are well folded where they are many, those that are not at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from runner.cli.doctor_controller import HERE
from runner.cli.doctor_finding import Finding
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import Line, Piece, Role, line

_FOLDED_FROM = 4
"""So many hosts that are well in the same way are told as one."""
_MOST_SEEN = 3
_NARROWEST = 40
_PLACES = {
    "host": "type on the host, as its administrator:",
    "controller": "type here:",
    "inventory": "write into the inventory:",
}


def report(findings: Sequence[Finding], width: int | None = None) -> list[Line]:
    """The lines for ``findings``; what was seen is wrapped at ``width`` columns, and not at all where that is None."""
    column = max(len(finding.check) for finding in findings)
    lines: list[Line] = []
    for title, rows in _blocks(findings):
        lines += [*([line("")] if lines else []), line(Piece(harmless(title), Role.STRONG))]
        for finding in rows:
            lines += _row(finding, column, width)
    return lines


def told_of_hosts(findings: Sequence[Finding]) -> str:
    """How many hosts miss something; empty where no host was looked at."""
    hosts = _by_place(finding for finding in findings if finding.place != HERE)
    if not hosts:
        return ""
    missing = [host for host, rows in hosts.items() if not _well(rows)]
    words = f"{len(hosts)} host" + ("s" if len(hosts) > 1 else "")
    return (
        f"{len(missing)} of {words} with something in the way: {fold(missing)}"
        if missing
        else f"{words} well"
    )


def _blocks(findings: Sequence[Finding]) -> Iterator[tuple[str, Sequence[Finding]]]:
    places = _by_place(findings)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for place, rows in places.items():
        if place != HERE and _well(rows):
            alike[tuple(finding.check for finding in rows)].append(place)
    if HERE in places:
        yield HERE, places[HERE]
    for checks, hosts in alike.items():
        if len(hosts) < _FOLDED_FROM:
            yield from ((host, places[host]) for host in hosts)
        else:
            yield (
                f"{fold(hosts)} ({len(hosts)} hosts)",
                list(_folded(checks, [places[host] for host in hosts])),
            )
    yield from ((place, rows) for place, rows in places.items() if place != HERE and not _well(rows))


def _folded(checks: Sequence[str], hosts: Sequence[Sequence[Finding]]) -> Iterator[Finding]:
    """One finding a check for all of these hosts."""
    for number, check in enumerate(checks):
        seen = list(dict.fromkeys(rows[number].seen for rows in hosts))
        words = " | ".join(seen) if len(seen) <= _MOST_SEEN else f"well on each, {len(seen)} differ"
        yield Finding("", check, ok=True, seen=words)


def _by_place(findings: Sequence[Finding] | Iterator[Finding]) -> Mapping[str, list[Finding]]:
    places: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        places[finding.place].append(finding)
    return places


def _well(rows: Sequence[Finding]) -> bool:
    return all(finding.ok for finding in rows)


def _row(finding: Finding, column: int, width: int | None) -> Iterator[Line]:
    mark = Piece("ok   ", Role.GOOD) if finding.ok else Piece("MISS ", Role.BAD)
    margin = " " * (column + 9)
    first, *rest = _wrapped(finding.seen, margin, width)
    yield line("  ", mark, f"{finding.check:<{column}}  {first}")
    yield from (line(margin, each) for each in rest)
    if finding.ok:
        return
    if finding.hint:
        yield from (line(margin, each) for each in _wrapped(f"hint: {finding.hint}", margin, width))
    if finding.mend is not None:
        yield line(margin, _PLACES[finding.mend.where])
        # Whole, however long: a command is there to be copied.
        yield from (line(margin, "  ", Piece(harmless(typed), Role.STRONG)) for typed in finding.mend.lines)


def _wrapped(text: str, margin: str, width: int | None) -> list[str]:
    """The lines of a text beside a margin."""
    if width is None:
        return [harmless(text)]
    room = max(width - len(margin), _NARROWEST)
    return wrap(harmless(text), room, break_long_words=False, break_on_hyphens=False) or [""]

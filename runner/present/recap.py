"""The end of a run in a few lines: how each host fared, counts of results, how long, what may still run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.engine.observe import Summary
from runner.engine.result import Status
from runner.present.cells import cell_width, fit
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import STATUS_ROLES, Line, Piece, Role, line
from runner.present.port import Mask
from runner.present.progress import RunProgress
from runner.units import format_duration

LEAST_WIDTH = 40
_GOOD_FIRST = (
    Status.OK,
    Status.CHANGED,
    Status.DETACHED,
    Status.SKIPPED,
    Status.CANCELLED,
    Status.UNREACHABLE,
    Status.TIMED_OUT,
    Status.FAILED,
    Status.UNKNOWN,
)


def count_of(number: int, noun: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def status_words(status: Status) -> str:
    """A status as a person says it: ``timed out``."""
    return status.value.replace("_", " ")


def counts(numbers: Mapping[Status, int]) -> Iterator[Piece]:
    """``19 ok, 1 failed`` in the colours of the statuses; those without a result are left out."""
    before = ""
    for status in _GOOD_FIRST:
        if number := numbers.get(status):
            yield Piece(before)
            yield Piece(f"{number:,} {status_words(status)}", STATUS_ROLES[status])
            before = ", "


def recap_lines(
    progress: RunProgress, mask: Mask, *, width: int, good: str = "✓", bad: str = "✗"
) -> list[Line]:
    """The recap of an ended run: hosts under their worst status, the worst first, node sets cut to the width."""
    start, summary = progress.start, progress.summary
    if start is None or summary is None:
        return []
    lines = list(_host_lines(progress.hosts_by_status(), mask, width))
    if summary.stopped_because:
        lines.append(line(Piece(f"stopped: {harmless(mask(summary.stopped_because))}", Role.WARNING)))
    lines += [
        line(Piece("may still run: ", Role.WARNING), harmless(mask(name))) for name in summary.may_still_run
    ]
    lines.append(_verdict(harmless(mask(start.playbook)), summary, good, bad))
    lines.append(_result_counts(summary))
    lines.append(line(Piece(f"  run {start.run}", Role.FAINT)))
    return lines


def _host_lines(hosts: Mapping[Status, list[str]], mask: Mask, width: int) -> Iterator[Line]:
    if not hosts:
        return
    words = {status: status_words(status) for status in hosts}
    counts = {status: count_of(len(names), "host") for status, names in hosts.items()}
    word_width, count_width = max(map(len, words.values())), max(map(len, counts.values()))
    for status, names in hosts.items():
        head = f"  {words[status]:<{word_width}}  "
        count = f"{counts[status]:>{count_width}}  "
        room = max(width - cell_width(head + count), LEAST_WIDTH // 2)
        shown = fit(harmless(mask(fold(names))), room)
        yield line(Piece(head, STATUS_ROLES[status]), count, Piece(shown, Role.FAINT))


def _verdict(playbook: str, summary: Summary, good: str, bad: str) -> Line:
    hosts = count_of(sum(summary.hosts.values()), "host")
    cancelled = summary.hosts.get(Status.CANCELLED, 0)
    wrong = sum(number for status, number in summary.hosts.items() if status.bad) - cancelled
    fine = summary.exit_code == 0
    what = [f"{wrong:,} of {hosts} with errors" if wrong else hosts]
    what += [f"{cancelled:,} cancelled"] if cancelled else []
    # A signal ends the process with a code of its own, which the summary does not know.
    code = "" if fine or summary.stopped_because else f" (exit {summary.exit_code})"
    return line(
        Piece(f"{good if fine else bad} {playbook}", Role.GOOD if fine else Role.BAD),
        f": {', '.join(what)} in {format_duration(summary.duration)}{code}",
    )


def _result_counts(summary: Summary) -> Line:
    ignored = f" ({summary.ignored:,} ignored)" if summary.ignored else ""
    return line(f"  {count_of(sum(summary.results.values()), 'result')}: ", *counts(summary.results), ignored)

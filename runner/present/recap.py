"""The end of a run in a few lines: how each host fared, counts of results, how long, what may still run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from runner.engine.observe import PolicyStopped, Summary
from runner.engine.result import Status
from runner.errors import ExitCode
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


def counts(numbers: Mapping[Status, int], would_change: int = 0) -> Iterator[Piece]:
    """``19 ok, 1 failed`` in the colours of the statuses; those without a result are left out.

    ``would_change`` of them would change, which is not said to be changed.
    """
    before = ""
    for status in _GOOD_FIRST:
        number = numbers.get(status, 0)
        would = min(would_change, number) if status is Status.CHANGED else 0
        for count, words in ((number - would, status_words(status)), (would, "would change")):
            if count:
                yield Piece(before)
                yield Piece(f"{count:,} {words}", STATUS_ROLES[status])
                before = ", "


def recap_lines(
    progress: RunProgress, mask: Mask, *, width: int, good: str = "✓", bad: str = "✗"
) -> list[Line]:
    """The recap of an ended run: hosts under their worst status, the worst first, node sets cut to the width."""
    start, summary = progress.start, progress.summary
    if start is None or summary is None:
        return []
    lines = list(_host_lines(_host_groups(progress), mask, width))
    lines += [
        line(Piece(f"stopped: {harmless(mask(text))}", Role.BAD))
        for text in stop_sentences(progress.stops, summary)
    ]
    if summary.stopped_because and summary.stopped_because != summary.policy:
        lines.append(line(Piece(f"stopped: {harmless(mask(summary.stopped_because))}", Role.WARNING)))
    lines += [
        line(Piece("may still run: ", Role.WARNING), harmless(mask(name))) for name in summary.may_still_run
    ]
    lines.append(_verdict(harmless(mask(start.playbook)), progress, summary, good, bad))
    lines.append(_result_counts(progress, summary))
    lines.append(line(Piece(f"  run {start.run}", Role.FAINT)))
    return lines


def stop_sentences(stops: Sequence[PolicyStopped], summary: Summary) -> list[str]:
    """Which limits ended a part of the run, each once; what else did, such as a gate, is in the summary alone."""
    sentences = {stop.reason: stop_sentence(stop) for stop in stops}
    if summary.policy is not None:
        sentences.setdefault(summary.policy, summary.policy)
    return list(sentences.values())


def stop_sentence(stop: PolicyStopped) -> str:
    """Which limit, with the numbers, and how much went on at that moment."""
    if not stop.running:
        return stop.reason
    return f"{stop.reason}; {stop.running:,} {'was' if stop.running == 1 else 'were'} still running"


_Group: TypeAlias = tuple[str, Role, list[str]]  # words, how they look, hosts


def _host_groups(progress: RunProgress) -> list[_Group]:
    """Hosts by their worst status; rescued ones after the bad ones, and what would change is not called changed."""
    groups: list[_Group] = []
    rescued: list[str] = []
    for status, hosts in progress.hosts_by_status().items():
        if not status.bad:
            rescued += [host for host in hosts if progress.was_rescued(host)]
            hosts = [host for host in hosts if not progress.was_rescued(host)]  # noqa: PLW2901 - the rest
        if status is Status.CHANGED:
            would = [host for host in hosts if progress.would_change(host)]
            groups.append(("would change", Role.CHANGED, would))
            hosts = [host for host in hosts if not progress.would_change(host)]  # noqa: PLW2901 - the rest
        groups.append((status_words(status), STATUS_ROLES[status], hosts))
    first_good = next(
        (index for index, status in enumerate(progress.hosts_by_status()) if not status.bad), len(groups)
    )
    groups.insert(first_good, ("rescued", Role.CHANGED, rescued))
    return [group for group in groups if group[2]]


def _host_lines(groups: Sequence[_Group], mask: Mask, width: int) -> Iterator[Line]:
    if not groups:
        return
    counts = [count_of(len(names), "host") for _, _, names in groups]
    word_width, count_width = max(len(words) for words, _, _ in groups), max(map(len, counts))
    for (words, role, names), counted in zip(groups, counts, strict=True):
        head = f"  {words:<{word_width}}  "
        count = f"{counted:>{count_width}}  "
        room = max(width - cell_width(head + count), LEAST_WIDTH // 2)
        shown = fit(harmless(mask(fold(names))), room)
        yield line(Piece(head, role), count, Piece(shown, Role.FAINT))


def _verdict(playbook: str, progress: RunProgress, summary: Summary, good: str, bad: str) -> Line:
    hosts = count_of(sum(summary.hosts.values()), "host")
    cancelled = summary.hosts.get(Status.CANCELLED, 0)
    wrong = sum(number for status, number in summary.hosts.items() if status.bad) - cancelled
    fine = summary.exit_code == ExitCode.SUCCESS
    what = [f"{wrong:,} of {hosts} with errors" if wrong else hosts]
    what += [f"{cancelled:,} cancelled"] if cancelled else []
    groups = {words: len(names) for words, _, names in _host_groups(progress)}
    what += [f"{groups[words]:,} {words}" for words in ("rescued", "would change") if words in groups]
    # A signal ends the process with a code of its own, which the summary does not know.
    code = "" if fine or summary.stopped_because else f" (exit {summary.exit_code})"
    differs = summary.exit_code == ExitCode.DIFFERENT
    sign, role = (good, Role.GOOD) if fine else ("!", Role.CHANGED) if differs else (bad, Role.BAD)
    return line(
        Piece(f"{sign} {playbook}", role), f": {', '.join(what)} in {format_duration(summary.duration)}{code}"
    )


def _result_counts(progress: RunProgress, summary: Summary) -> Line:
    also = {
        "ignored": summary.ignored,
        "rescued": progress.mended,
        "from before": summary.restored,
    }
    told = ", ".join(f"{number:,} {words}" for words, number in also.items() if number)
    head = f"  {count_of(sum(summary.results.values()), 'result')}: "
    return line(head, *counts(summary.results, summary.would_change), f" ({told})" if told else "")

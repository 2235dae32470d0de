"""What the live region shows: a line a running step, with whom it waits for, and how far the run is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from runner.engine.observe import ProgressReceived
from runner.engine.result import Status
from runner.present.cells import cell_width, fit, pad
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import Line, Piece, Role, line
from runner.present.progress import RunProgress, StepProgress
from runner.present.recap import count_of, counts

_MOST_FOLDED = 200  # a longer node set would be cut away anyway, and costs time at every drawing
_WAITED_FOR = 3  # hosts named one by one, the longest waited for first
_WIDEST_BAR = 24
_PROGRESS_LINES = 2  # of a step: what the scripts that run longest say of their progress


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Signs of the display; the ASCII ones are for terminals that say they have nothing else."""

    good: str
    bad: str
    skipped: str
    done: str
    rest: str
    rule: str


UNICODE = Glyphs(good="✓", bad="✗", skipped="-", done="━", rest="─", rule="─")
ASCII = Glyphs(good="+", bad="x", skipped="-", done="#", rest=".", rule="-")


def live_lines(
    progress: RunProgress, now: datetime, *, width: int, height: int, glyphs: Glyphs
) -> list[Line]:
    """At most ``height`` lines of at most ``width`` cells; none before the run has started."""
    if progress.start is None:
        return []
    running = [step for step in progress.steps.values() if step.running]
    name_width = min(max((cell_width(step.outline.id) for step in running), default=0), width // 3)
    lines: list[Line] = []
    shown = 0
    for step in running:
        block = list(_step_lines(step, now, width, name_width, glyphs))
        if len(lines) + len(block) > height - 2:
            break
        lines += block
        shown += 1
    if shown < len(running):
        lines.append(line(Piece(f"  and {count_of(len(running) - shown, 'step')} more running", Role.FAINT)))
    lines.append(_run_line(progress, now, glyphs))
    return lines


def clock(seconds: float) -> str:
    """Elapsed whole seconds, as short as can be read: ``7s``, ``1m 05s``, ``2h 10m``."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def counted(step: StepProgress) -> Iterator[Piece]:
    """``19 ok, 1 failed`` in the colours of the statuses."""
    yield from counts(step.counts)
    if step.ignored:
        yield Piece(f" ({step.ignored} ignored)", Role.FAINT)


def _step_lines(
    step: StepProgress, now: datetime, width: int, name_width: int, glyphs: Glyphs
) -> Iterator[Line]:
    total, ended = step.outline.hosts, step.ended
    size = max(min(_WIDEST_BAR, width - name_width - 36), 0)
    done = size * ended // total if total else size
    bad = any(step.counts.get(status) for status in Status if status.bad)
    yield line(
        Piece(f"  {pad(fit(step.outline.id, name_width), name_width)}  ", Role.STRONG),
        Piece(glyphs.done * done, Role.BAD if bad else Role.GOOD),
        Piece(glyphs.rest * (size - done), Role.FAINT),
        f" {ended:>{len(str(total))}}/{total}  ",
        *counted(step),
    )
    indent = " " * (name_width + 4)
    yield line(indent, Piece(fit(_waiting(step, now), width - len(indent) - 1), Role.FAINT))
    speaking = (host for host in step.running if host in step.said)
    for host in islice(speaking, _PROGRESS_LINES):
        yield line(indent, Piece(fit(_progress(step.said[host]), width - len(indent) - 1), Role.NOTE))


def _waiting(step: StepProgress, now: datetime) -> str:
    """Who is waited for: the first to have started are the slowest; the rest as one node set."""
    slowest = list(islice(step.running.items(), _WAITED_FOR))
    named = ", ".join(f"{host} {clock((now - since).total_seconds())}" for host, since in slowest)
    others = list(islice(step.running, _WAITED_FOR, _WAITED_FOR + _MOST_FOLDED))
    more = f", and {fold(others)}" if others else ""
    if (unnamed := len(step.running) - len(slowest) - len(others)) > 0:
        more = f", and {count_of(unnamed + len(others), 'host')} more"
    return harmless(f"waiting for {named}{more}")


def _progress(said: ProgressReceived) -> str:
    """``web07: Copying files 45%, 9 of 20, 12s left``."""
    percent = f" {said.percent}%" if said.percent is not None else ""
    status = f", {said.status}" if said.status else ""
    left = f", {clock(said.seconds_left)} left" if said.seconds_left is not None else ""
    return harmless(f"{said.host}: {said.activity}{percent}{status}{left}").replace("\n", " ")


def _run_line(progress: RunProgress, now: datetime, glyphs: Glyphs) -> Line:
    assert progress.start is not None  # noqa: S101 - the caller has looked
    steps = list(progress.steps.values())
    over = sum(step.over for step in steps)
    hosts = progress.hosts_by_status()
    bad = sum(len(names) for status, names in hosts.items() if status.bad)
    elapsed = clock((now - progress.start.at).total_seconds())
    pieces: list[str | Piece] = [
        Piece(f"  {harmless(progress.start.playbook)}", Role.STRONG),
        f"  {over} of {count_of(len(steps), 'step')} done, {count_of(progress.start.hosts, 'host')}",
    ]
    if bad:
        pieces += [", ", Piece(f"{glyphs.bad} {bad} with errors", Role.BAD)]
    return line(*pieces, Piece(f"  {elapsed}", Role.FAINT))

"""What the live region shows: a line a running step, with whom it waits for, and how far the run is. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from runner.engine.observe import AssignmentWaits, DeadlineSet, GateOpened, ProgressReceived, Waits
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
    progress: RunProgress, now: datetime, *, width: int, height: int, glyphs: Glyphs, asks: bool = False
) -> list[Line]:
    """At most ``height`` lines of at most ``width`` cells; none before the run has started.

    ``asks``: a gate is answered here, so the last line is the question, and what is typed stands behind it.
    """
    if progress.start is None:
        return []
    gate = progress.gate if asks else None
    room = height - 2 - (gate is not None)
    running = [step for step in progress.steps.values() if step.going_on]
    name_width = min(max((cell_width(step.outline.id) for step in running), default=0), width // 3)
    lines: list[Line] = []
    shown = 0
    for step in running:
        block = list(_step_lines(step, now, width, name_width, glyphs))
        if len(lines) + len(block) > room:
            break
        lines += block
        shown += 1
    if shown < len(running):
        lines.append(line(Piece(f"  and {count_of(len(running) - shown, 'step')} more running", Role.FAINT)))
    lines.append(_run_line(progress, now, glyphs))
    if gate is not None:
        question = harmless(gate.message).replace("\n", " ")
        lines.append(line(Piece(fit(f"{gate.step}: {question}", width - 9), Role.WARNING), " [y/n] "))
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
    yield from counts(step.counts, step.would_change)
    also = {"ignored": step.ignored, "from before": step.restored}
    if told := ", ".join(f"{number:,} {words}" for words, number in also.items() if number):
        yield Piece(f" ({told})", Role.FAINT)


def _step_lines(
    step: StepProgress, now: datetime, width: int, name_width: int, glyphs: Glyphs
) -> Iterator[Line]:
    total, ended = step.outline.hosts, step.ended
    wave = _wave(step)
    size = max(min(_WIDEST_BAR, width - name_width - 36 - len(wave)), 0)
    done = size * ended // total if total else size
    bad = any(step.counts.get(status) for status in Status if status.bad)
    yield line(
        Piece(f"  {pad(fit(step.outline.id, name_width), name_width)}  ", Role.STRONG),
        Piece(glyphs.done * done, Role.BAD if bad else Role.GOOD),
        Piece(glyphs.rest * (size - done), Role.FAINT),
        f" {ended:>{len(str(total))}}/{total}  ",
        Piece(wave, Role.NOTE),
        *counted(step),
    )
    indent = " " * (name_width + 4)
    room = width - len(indent) - 1
    if step.running:
        yield line(indent, Piece(fit(_working(step, now), room), Role.FAINT))
    for what, hosts in step.waiting.items():
        if what is Waits.GATE and step.gate is not None:
            yield line(indent, Piece(fit(_gate(step.gate, now), room), Role.WARNING))
            how = harmless(f"runner runs approve {step.gate.run} {step.gate.step}")
            yield line(indent, Piece(fit(how, room), Role.FAINT))
        elif hosts:
            yield line(indent, Piece(fit(_waiting(what, hosts, now), room), Role.CHANGED))
    speaking = (host for host in step.running if host in step.said)
    for host in islice(speaking, _PROGRESS_LINES):
        yield line(indent, Piece(fit(_progress(step.said[host]), room), Role.NOTE))


def _wave(step: StepProgress) -> str:
    """``wave 2 of 4  3/10  ``: how many of its hosts are through."""
    if (wave := step.wave) is None:
        return ""
    through = min(max(step.ended - step.before_wave, 0), wave.hosts)
    return f"wave {wave.number} of {wave.of}  {through}/{wave.hosts}  "


def _working(step: StepProgress, now: datetime) -> str:
    """Who is waited for: the first to have started are the slowest; the rest as one node set."""
    named = [
        f"{host} {_phase(step.deadlines.get(host), since, now)}"
        for host, since in islice(step.running.items(), _WAITED_FOR)
    ]
    return harmless(f"waiting for {_and_others(named, step.running)}")


def _phase(deadline: DeadlineSet | None, since: datetime, now: datetime) -> str:
    """``connect 12s of 30s``; the time of a step itself needs no name, nor one that has no limit."""
    if deadline is None:
        return clock((now - since).total_seconds())
    name = "" if deadline.phase == "step" else f"{deadline.phase} "
    return name + _elapsed(deadline.at, deadline.until, now)


def _elapsed(since: datetime, until: datetime | None, now: datetime) -> str:
    gone = clock((now - since).total_seconds())
    return gone if until is None else f"{gone} of {clock((until - since).total_seconds())}"


def _waiting(what: Waits, hosts: Mapping[str, AssignmentWaits], now: datetime) -> str:
    """Who waits without working and until when: those who began to first; the reason is the first one's."""
    first = list(islice(hosts.values(), _WAITED_FOR))
    named = [f"{wait.host} {_left(what, wait, now)}" for wait in first]
    reason = first[0].reason.replace("\n", " ")
    return harmless(f"{_WORDS[what]}: {_and_others(named, hosts)}: {reason}")


_WORDS = {
    Waits.RETRY: "retry",
    Waits.UNREACHABLE: "unreachable",
    Waits.LOCK: "lock",
    Waits.GATE: "gate",
    Waits.REBOOT: "restart",
    Waits.CONDITION: "condition",
}


def _left(what: Waits, wait: AssignmentWaits, now: datetime) -> str:
    """``in 4s (attempt 2)``; ``again in 4m 00s``; ``12s of 5m 00s`` where it may be over at any moment."""
    if wait.until is None or what not in {Waits.RETRY, Waits.UNREACHABLE}:
        return _elapsed(wait.at, wait.until, now)
    left = clock(math.ceil((wait.until - now).total_seconds()))
    return f"in {left} (attempt {wait.attempt + 1})" if what is Waits.RETRY else f"again in {left}"


def _and_others(named: Sequence[str], hosts: Mapping[str, object]) -> str:
    others = list(islice(hosts, _WAITED_FOR, _WAITED_FOR + _MOST_FOLDED))
    more = f", and {fold(others)}" if others else ""
    if (unnamed := len(hosts) - len(named) - len(others)) > 0:
        more = f", and {count_of(unnamed + len(others), 'host')} more"
    return ", ".join(named) + more


def _gate(gate: GateOpened, now: datetime) -> str:
    """``gate: 1h 58m left, default stop: go on?``."""
    left = ""
    if gate.until is not None:
        left = f"{clock(math.ceil((gate.until - now).total_seconds()))} left, default {gate.default}: "
    return harmless(f"gate: {left}{gate.message}").replace("\n", " ")


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
    bad, rescued = progress.bad_hosts, progress.rescued_hosts
    elapsed = clock((now - progress.start.at).total_seconds())
    pieces: list[str | Piece] = [
        Piece(f"  {harmless(progress.start.playbook)}", Role.STRONG),
        f"  {over} of {count_of(len(steps), 'step')} done, {count_of(progress.start.hosts, 'host')}",
    ]
    if rescued:
        pieces += [", ", Piece(f"{rescued} rescued", Role.CHANGED)]
    if bad:
        pieces += [", ", Piece(f"{glyphs.bad} {bad} with errors", Role.BAD)]
    waves = [f"  {name} wave {wave.number} of {wave.of}" for name, wave in progress.waves.items()]
    return line(*pieces, Piece(f"  {elapsed}", Role.FAINT), Piece("".join(waves), Role.NOTE))

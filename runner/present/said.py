"""What is said of one result or one wait, for every presenter that writes lines. Pure."""

from __future__ import annotations

from runner.engine.observe import AssignmentWaits, GateOpened, Waits, WaveStarted
from runner.engine.result import Result, Status
from runner.present.recap import count_of, status_words
from runner.units import format_duration


def ending_words(result: Result) -> str:
    """How a result ended: ``changed``, ``would change``, ``failed, rescued``, ``failed (ignored)``."""
    words = "would change" if result.would_change and not result.bad else status_words(result.status)
    words += ", rescued" if result.rescued else ""
    return words + (" (ignored)" if result.ignored else "")


def effort_words(result: Result) -> str:
    """How long it took, and in which attempt where it was not the first: ``321ms, attempt 3, waited 4.0s``."""
    parts = [format_duration(result.duration)] if result.duration else []
    parts += [f"attempt {result.attempt}"] if result.attempt > 1 else []
    parts += [f"waited {format_duration(result.waited)}"] if result.waited >= 1 else []
    return ", ".join(parts)


def never_started(result: Result) -> bool:
    """Whether nothing was done for it, and nothing of it is worth more than its reason."""
    if result.status is Status.CANCELLED:
        return result.failure is not None and result.failure.phase == "plan" and result.started_at is None
    return result.status is Status.SKIPPED and result.skip_reason is not None


def wait_words(event: AssignmentWaits) -> str:
    """What is waited for and for how long: ``attempt 2 follows in 4.0s: the script ended with exit code 1``."""
    left = None if event.until is None else format_duration((event.until - event.at).total_seconds())
    follows = "now" if left is None else f"in {left}"
    most = "" if left is None else f", {left} at most"
    match event.what:
        case Waits.RETRY:
            head = f"attempt {event.attempt + 1} follows {follows}"
        case Waits.UNREACHABLE:
            head = f"is tried again {follows}"
        case Waits.LOCK:
            head = f"waits for a lock{most}"
        case Waits.REBOOT:
            head = f"waits for its restart{most}"
        case Waits.GATE | Waits.CONDITION:
            head = f"waits{most}"
    return f"{head}: {event.reason}"


def gate_words(event: GateOpened) -> str:
    """The question, how to answer it from elsewhere, and what follows where nobody does."""
    answer = f"answer with `runner runs approve {event.run} {event.step}`"
    if event.until is None:
        return f"{event.message}; {answer}"
    left = format_duration((event.until - event.at).total_seconds())
    return f"{event.message}; {answer}, default {event.default} in {left}"


def wave_words(event: WaveStarted) -> str:
    """``wave 2 of 4: 10 hosts``."""
    return f"wave {event.number} of {event.of}: {count_of(event.hosts, 'host')}"

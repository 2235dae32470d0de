"""``runner runs show``: a run by its journal, failures first; or one result whole. Pure but for what is given in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from runner.engine.observe import StepOutline
from runner.engine.result import Result, Status
from runner.journal.control import WaitingGate
from runner.journal.record import RunOptions
from runner.journal.replay import History
from runner.present.encode import encode_result, encode_summary, encode_time
from runner.present.failures import FailureReport
from runner.present.fold_outputs import OutputFold, output_lines
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import STATUS_ROLES, Line, Piece, Role, line
from runner.present.recap import count_of, status_words
from runner.present.table import table_lines
from runner.runs.outcome import outcomes, summary_of
from runner.units import format_duration

_COLUMNS = (
    Status.OK,
    Status.CHANGED,
    Status.SKIPPED,
    Status.FAILED,
    Status.TIMED_OUT,
    Status.UNREACHABLE,
    Status.CANCELLED,
    Status.UNKNOWN,
    Status.DETACHED,
)


def unmasked(text: str) -> str:
    """A journal holds no secret, so nothing is left to mask."""
    return text


def state_words(history: History, pid: int | None) -> str:
    """How a run stands: going on, ended, stopped, or broken off."""
    if pid is not None:
        return f"going on (process {pid})"
    if history.finished is None:
        return "broke off: its process is gone"
    if history.finished.stopped_because:
        return f"stopped: {history.finished.stopped_because}"
    if history.finished.policy:
        return f"stopped: {history.finished.policy}"
    return "finished"


def show_lines(
    history: History, *, pid: int | None, width: int, gates: Sequence[WaitingGate] = ()
) -> list[Line]:
    """The run for a person; ``gates`` are those that wait for an answer now."""
    known = outcomes(history)
    lines = [*_head(history, pid), ()]
    for gate in gates:
        answer = f"runner runs approve {history.header.run} {gate.step}"
        lines += [line(Piece(f"? gate {gate.step}", Role.WARNING), f": {harmless(gate.message)}")]
        lines += [line(f"    answer with: {answer}"), line(f"    or say no:   {answer} --reject"), ()]
    lines += _step_table(history, list(known.values()), width)
    failures = FailureReport(unmasked)
    for key, result in known.items():
        if key in history.results:
            failures.add(result)
    if failures:
        lines += [(), *failures.lines()[:-1]]
    if history.unknown or history.taken_for_done:
        lines += [(), *_unknown_lines(history)]
    if (going_on := how_to_go_on(history, pid)) is not None:
        lines += [(), line(going_on)]
    return lines


def how_to_go_on(history: History, pid: int | None) -> str | None:
    """What to type next; None where everything is done."""
    run = history.header.run
    if pid is not None:
        return f"watch it with: runner runs watch {run}"
    summary = summary_of(history)
    if history.finished is None or summary.exit_code or history.unknown:
        return f"resume with: runner resume {run}"
    return None


def _head(history: History, pid: int | None) -> Iterator[Line]:
    header, summary = history.header, summary_of(history)
    state = state_words(history, pid)
    if history.finished is not None:
        state += f", exit code {int(summary.exit_code)}"
    by = f" by {header.user} on {header.machine}" if header.user else ""
    rows = [
        ("playbook", header.path),
        ("started", f"{_when(header.started_at)}{by}"),
        ("state", f"{state}, after {format_duration(summary.duration)}"),
        ("given", _given(header.options)),
        ("resumed", count_of(history.resumed, "time") if history.resumed else ""),
        ("damaged", ", ".join(f"line {number}" for number in history.damaged)),
    ]
    yield line(Piece(f"run {header.run}", Role.STRONG), f"  {harmless(header.playbook)}")
    for name, text in rows:
        if text:
            yield line(Piece(f"  {name:<10}", Role.FAINT), harmless(text))


def _given(options: RunOptions) -> str:
    words = [f"-i {path}" for path in options.inventory]
    words += [f"-l {options.limit}"] if options.limit else []
    words += [f"-t {tag}" for tag in options.tags] + [f"--skip-tags {tag}" for tag in options.skip_tags]
    words += [f"--only {step}" for step in options.only]
    words += [f"--start-at {options.start_at}"] if options.start_at else []
    words += [f"-e {name}=..." for name in (*options.extras, *options.secret_extras)]
    words += ["--check"] if options.check else []
    return " ".join(words)


def _step_table(history: History, results: Sequence[Result], width: int) -> list[Line]:
    """Steps by what became of their hosts; columns that nothing is in are left out."""
    by_step: dict[str, Counter[Status]] = {}
    for result in results:
        by_step.setdefault(result.step, Counter())[result.status] += 1
    used = [status for status in _COLUMNS if any(found[status] for found in by_step.values())]
    steps = history.header.steps
    open_ = any(sum(by_step.get(step.id, Counter()).values()) < step.hosts for step in steps)
    columns = ["STEP", "HOSTS", *(status.value.replace("_", " ").upper() for status in used)]
    columns += ["NOT RUN"] if open_ else []
    rows = []
    for step in steps:
        found = by_step.get(step.id, Counter())
        row = [step.id, str(step.hosts), *(str(found[status] or "") for status in used)]
        rows.append([*row, str(step.hosts - sum(found.values()) or "")] if open_ else row)
    return table_lines(columns, rows, width, numeric=frozenset(columns[1:]))


def _unknown_lines(history: History) -> Iterator[Line]:
    for words, keys in (
        ("began, and nobody knows how it ended", list(history.unknown)),
        ("began, and was taken for done without a result", sorted(history.taken_for_done)),
    ):
        hosts: dict[str, list[str]] = {}
        for step, host in keys:
            hosts.setdefault(step, []).append(host)
        for step, names in hosts.items():
            yield line(
                Piece(f"? {step}", Role.WARNING),
                " on ",
                Piece(harmless(fold(names)), Role.HOSTS),
                f": {words}",
            )


def result_lines(results: Sequence[Result], width: int) -> list[Line]:
    """Some results whole: how each ended, what it gave, what went wrong."""
    outputs, failures = OutputFold(unmasked, information=True), FailureReport(unmasked)
    lines: list[Line] = []
    for result in results:
        lines.append(_result_head(result))
        outputs.add(result)
        failures.add(result)
    if outputs:
        lines += [(), *output_lines(outputs, width, with_hosts=len(results) > 1)]
    if failures:
        lines += [(), *failures.lines()[:-1]]
    return lines


def _result_head(result: Result) -> Line:
    told = [f"attempt {result.attempt}"] if result.attempt > 1 else []
    told += [_when(result.started_at)] if result.started_at else []
    told += [format_duration(result.duration)] if result.duration else []
    told += [f"exit code {result.exit_code}"] if result.exit_code is not None else []
    told += [result.skip_reason] if result.skip_reason else []
    told += [word for word in ("ignored", "rescued") if getattr(result, word)]
    return line(
        Piece(f"{result.step} on {harmless(result.host)}: ", Role.STRONG),
        Piece(status_words(result.status), STATUS_ROLES[result.status]),
        Piece(f"  {', '.join(told)}" if told else "", Role.FAINT),
    )


def show_document(history: History, *, pid: int | None, gates: Sequence[WaitingGate] = ()) -> dict[str, Any]:
    """The document of ``runs show -o json``; ``gates`` as in :func:`show_lines`."""
    header = history.header
    known = outcomes(history)
    by_step: dict[str, Counter[str]] = {}
    for result in known.values():
        by_step.setdefault(result.step, Counter())[result.status.value] += 1
    return {
        "run": header.run,
        "playbook": header.playbook,
        "path": header.path,
        "started_at": encode_time(header.started_at),
        "last_at": encode_time(history.last_at or header.started_at),
        "state": state_of(history, pid),
        "pid": pid,
        "user": header.user,
        "machine": header.machine,
        "resumed": history.resumed,
        "steps": [
            {"id": step.id, "hosts": step.hosts, "statuses": dict(by_step.get(step.id, Counter()))}
            for step in header.steps
        ],
        "bad": [encode_result(header.run, result, unmasked) for result in known.values() if result.bad],
        "unknown": [{"step": step, "host": host} for step, host in history.unknown],
        "taken_for_done": [{"step": step, "host": host} for step, host in sorted(history.taken_for_done)],
        "waiting": [
            {
                "step": gate.step,
                "message": gate.message,
                "since": encode_time(gate.at),
                "until": encode_time(gate.until) if gate.until else None,
            }
            for gate in gates
        ],
        "gates": [
            {"step": one.step, "go": one.go, "who": one.who, "at": encode_time(one.at)}
            for one in history.answers.values()
        ],
        "summary": encode_summary(summary_of(history), unmasked),
    }


def state_of(history: History, pid: int | None) -> str:
    """``running``, ``finished``, ``stopped`` or ``crashed``."""
    if pid is not None:
        return "running"
    if history.finished is None:
        return "crashed"
    return "stopped" if history.finished.stopped_because or history.finished.policy else "finished"


def outlines(history: History) -> tuple[StepOutline, ...]:
    """The steps as presenters need them."""
    return tuple(StepOutline(id=step.id, name=step.name, hosts=step.hosts) for step in history.header.steps)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"

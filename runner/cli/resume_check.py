"""``runner resume --check``: what going on with a run would do, without doing it; connects to nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click

from runner.cli.prepare import Prepared
from runner.cli.resume_told import decided, settled, stand_words
from runner.cli.resuming import Resuming, Stand, look
from runner.cli.runs_store import show, width
from runner.errors import ExitCode
from runner.journal.replay import Key
from runner.journal.store import RunStore
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import Line, Piece, Role, line
from runner.present.table import table_lines
from runner.runs.going_on import lost_sessions
from runner.values import Secret

DONE: Final = "done"
TO_RUN: Final = "to_run"
UNKNOWN: Final = "unknown"


def check(folder: Path, name: str, resuming: Resuming, *, as_json: bool) -> int | Prepared:
    """Say what `runner resume` would do now; gives the exit code, or the problems of playbook or inventory.

    Raises:
        UsageError: no such run or step, or an input is missing.
        JournalError: the run cannot be gone on with.

    """
    directory = RunStore(folder).find(name)
    with directory.lock():
        stand = look(
            directory,
            resuming,
            lambda left: settled(left, resuming.unknown),
            no_input=True,
            password=lambda: Secret(""),  # resume asks for it; here it is enough that there will be one
        )
    if isinstance(stand, Prepared):
        return stand
    if as_json:
        click.echo(json.dumps(check_document(stand), indent=2, ensure_ascii=False))
    else:
        show(check_lines(stand, width(), resuming.resume_options))
    return ExitCode.SUCCESS


def check_lines(stand: Stand, width: int, resume_options: str = "") -> list[Line]:
    """A table of the steps, and every assignment that is neither simply done nor simply to do."""
    run = stand.history.header.run
    if stand.nothing_left:
        return [line(f"run {run} has nothing left to do")]
    asked = set(stand.asked)
    going, words = stand.going, stand_words(stand.plan, stand.history, stand.going, stand.changed, asked)
    counts = _counts(stand)
    columns = ["STEP", "HOSTS", "DONE", "TO RUN", "UNKNOWN"]
    rows = []
    for planned in stand.plan.steps:
        step = planned.step.id
        numbers = [counts[step, state] for state in (DONE, TO_RUN, UNKNOWN)]
        rows.append([step, str(len(planned.placements)), *(str(number or "") for number in numbers)])
    lines = [line(Piece(words[0], Role.STRONG)), *map(line, words[1:])]
    lines += [(), *table_lines(columns, rows, width, numeric=frozenset(columns[1:]))]
    if asked:
        by_step: dict[str, list[str]] = {}
        for step, host in stand.asked:
            by_step.setdefault(step, []).append(host)
        lines.append(())
        for step, hosts in by_step.items():
            head = Piece(f"? {step}", Role.WARNING)
            lines.append(
                line(
                    head,
                    f" on {harmless(fold(hosts))}: had begun, and nobody knows how it ended; asked about",
                )
            )
    options = resume_options + (" --unknown rerun|skip|fail" if asked else "")
    options += "".join(f" --rerun {step}" for step in dict.fromkeys(key[0] for key in going.asked_again))
    return [*lines, (), line(f"nothing was run; go on with: runner resume {run}{options}")]


def check_document(stand: Stand) -> dict[str, Any]:
    """The document of ``resume --check -o json``."""
    header = stand.history.header
    states, why = _states(stand), _reasons(stand)
    counts = Counter(states.values())
    return {
        "run": header.run,
        "playbook": header.playbook,
        "path": header.path,
        "nothing_left": stand.nothing_left,
        "changed": list(stand.changed.named),
        "counts": {state: counts[state] for state in (DONE, TO_RUN, UNKNOWN)},
        "assignments": [
            {"step": step, "host": host, "state": state, "reason": why.get((step, host))}
            for (step, host), state in states.items()
        ],
        "sessions_opened_anew": [
            {"session": session, "hosts": hosts}
            for session, hosts in lost_sessions(stand.plan, stand.going).items()
        ],
    }


def _states(stand: Stand) -> dict[Key, str]:
    """Of every assignment in plan order; what is taken for done counts as done."""
    left_so = set(stand.going.failed)
    return {
        (planned.step.id, place.host): UNKNOWN
        if (planned.step.id, place.host) in left_so
        else DONE
        if (planned.step.id, place.host) in stand.going.restored
        else TO_RUN
        for planned in stand.plan.steps
        for place in planned.placements
    }


def _counts(stand: Stand) -> Counter[tuple[str, str]]:
    return Counter((step, state) for (step, _), state in _states(stand).items())


def _reasons(stand: Stand) -> dict[Key, str]:
    """Why an assignment is what it is, where that is not plain."""
    found = {key: words for words, keys in decided(stand.going) for key in keys}
    found |= dict.fromkeys(stand.asked, "asked about")
    ended = stand.history.results
    for planned in stand.plan.steps:
        for place in planned.placements:
            key = (planned.step.id, place.host)
            if key not in found and key not in stand.going.restored and key in ended:
                found[key] = f"before: {ended[key].status.value.replace('_', ' ')}"
    return found

"""A run gone on with: its plan made again, compared, what is unknown decided, and the rest run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from runner.cli.kept import Kept
from runner.cli.options import anchored_outputs
from runner.cli.prepare import Origin, Prepared, prepare
from runner.cli.recording import given_again, resumed_now, steps_of
from runner.cli.resume_told import MOST_NAMED, decide, stand_words, tell_taken_for_done
from runner.cli.run_command import asked_password, read_logins
from runner.cli.running import Locking, Showing, execute
from runner.errors import JournalError, UsageError
from runner.execute.executor import GATE_SHUT
from runner.journal.record import Answered, Choice, Resumed, RunOptions
from runner.journal.replay import History, Key
from runner.journal.store import RunDirectory, RunStore
from runner.plan.model import Plan
from runner.problems import suggestion
from runner.runs.digests import Changes, changes, digests_of
from runner.runs.going_on import GoingOn, Open, go_on, open_assignments, reads_of_lost_secrets
from runner.values import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Resuming:
    """What ``runner resume`` is given; see its options. ``resume_options`` finds the run again."""

    extra: Sequence[str] = ()
    unknown: Choice | None = None
    allow_changed: bool = False
    rerun: Sequence[str] = ()
    throttle: int | None = None
    timeout: float | None = None
    resume_options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How a run stands, and what going on with it does: its plan made again, and every assignment decided.

    ``asked`` are unknown, and nothing says yet what becomes of them.
    """

    history: History
    prepared: Prepared
    plan: Plan
    before: Mapping[str, Answered]
    changed: Changes
    going: GoingOn
    asked: Collection[Key] = ()

    @property
    def nothing_left(self) -> bool:
        """Whether the run came to its end and there is nothing to add to it."""
        return self.history.finished is not None and not self.going.left and not self.going.decisions()


Decide = Callable[[Open], Mapping[Key, Choice]]
"""Says what becomes of what is unknown."""


def resume(folder: Path, name: str, resuming: Resuming, showing: Showing, locking: Locking) -> int | Prepared:
    """Go on with a run; gives its exit code, or the problems that its playbook or inventory have now.

    Raises:
        UsageError: no such run or step, or an input is missing; nothing was run.
        JournalError: it is going on, cannot be read, or is another run now; nothing was run.

    """
    directory = RunStore(folder).find(name)
    showing = replace(showing, outputs=anchored_outputs(showing.outputs))
    with directory.lock() as lock:
        stand = look(
            directory,
            resuming,
            lambda left: decide(left, resuming.unknown, ask=not showing.no_input),
            no_input=showing.no_input,
            password=lambda: asked_password(no_input=showing.no_input),
        )
        if isinstance(stand, Prepared):
            return stand
        plan, going, changed, prepared = stand.plan, stand.going, stand.changed, stand.prepared
        if stand.nothing_left:
            sys.stderr.write(f"run {directory.run} has nothing left to do\n")
            return int(stand.history.finished.exit_code) if stand.history.finished else 0
        sys.stderr.write("\n".join(stand_words(plan, stand.history, going, changed)) + "\n\n")
        logins = read_logins(prepared, plan, no_input=showing.no_input)
        digests = digests_of(plan, inventory_files=prepared.inventory_files, given=prepared.given)
        record = Resumed(
            at=datetime.now(UTC),
            decisions=going.decisions(),
            changed=changed.named,
            rerun=tuple(resuming.rerun),
            plan=plan.digest if changed.named else None,
            digests=digests if changed.named else None,
            steps=steps_of(plan) if changed.named else None,
            hosts=len(plan.hosts) if changed.named else None,
        )
        kept = Kept(
            directory=directory,
            lock=lock,
            resumed=resumed_now(record),
            restored=going.restored,
            passed_waves=stand.history.waves,
            before=stand.before,
            resume_options=resuming.resume_options,
        )
        try:
            return execute(plan, logins, showing=showing, keep=lambda: kept, locking=locking)
        finally:
            tell_taken_for_done(going)


def look(
    directory: RunDirectory,
    resuming: Resuming,
    deciding: Decide,
    *,
    no_input: bool,
    password: Callable[[], Secret],
) -> Stand | Prepared:
    """How a run stands; the problems of its playbook or inventory where they have some now. Goes to its folder.

    Raises:
        UsageError: no such step, or an input is missing.
        JournalError: it cannot be read, or is another run now.

    """
    history = directory.replay()
    _enter(history.header.options, directory.run)
    prepared, before = _prepared(directory, history, resuming, no_input=no_input, password=password)
    if prepared.plan is None:
        return prepared
    plan = prepared.plan
    _check_rerun(plan, resuming.rerun)
    changed = _changes(history, prepared, plan, allowed=resuming.allow_changed)
    left = open_assignments(plan, history, resuming.rerun)
    decisions = deciding(left)
    going = go_on(
        plan,
        history,
        decisions=decisions,
        rerun=resuming.rerun,
        changed_steps=changed.steps,
        changed_hosts=changed.hosts,
    )
    _refuse_lost_secrets(plan, going, directory.run)
    return Stand(
        history=history,
        prepared=prepared,
        plan=plan,
        before=before,
        changed=changed,
        going=going,
        asked=[key for key in left.ask if key not in decisions],
    )


def _enter(options: RunOptions, run: str) -> None:
    """Go where the run began: relative paths, and steps on this machine, mean the same there.

    Raises:
        JournalError: the folder is gone.

    """
    try:
        os.chdir(options.cwd)
    except OSError as error:
        raise JournalError(
            "run-changed",
            f"run `{run}` began in `{options.cwd}`, which cannot be entered: {error.strerror}; nothing was run",
        ) from error


def _prepared(
    directory: RunDirectory,
    history: History,
    resuming: Resuming,
    *,
    no_input: bool,
    password: Callable[[], Secret],
) -> tuple[Prepared, Mapping[str, Answered]]:
    header = history.header
    options = header.options
    before = _answers(directory, history)
    given = given_again(
        options,
        extra=resuming.extra,
        throttle=resuming.throttle,
        timeout=resuming.timeout,
        password=password() if options.ask_password else None,
        no_input=no_input,
        can_approve=bool(before),
    )
    prepared = prepare(header.path, given, origin=Origin(header.run, header.now, header.seed))
    missing = [name for name in options.secret_extras if name not in prepared.extras]
    if missing:
        names = ", ".join(f"`{one}`" for one in missing)
        raise UsageError(
            "secret-not-given",
            f"run `{header.run}` was given {names}, which is secret and not recorded; nothing was run",
            hints=tuple(f"give it again: `-e {one}=...`, or `-e @FILE`" for one in missing),
        )
    return prepared, before


def _answers(directory: RunDirectory, history: History) -> dict[str, Answered]:
    """Answers that a gate has not taken yet: given since the run stopped there, or right before it broke off."""
    found = {}
    for step in history.header.steps:
        given = directory.control.answered(step.id)
        told = history.answers.get(step.id)
        shut = told is not None and any(
            result.failure is not None and result.failure.code in GATE_SHUT
            for result in (history.results[step.id, host] for host in history.results.hosts(step.id))
        )
        if given is not None:
            found[step.id] = given
        elif told is not None and told.go and not shut:
            found[step.id] = told
    return found


def _check_rerun(plan: Plan, rerun: Iterable[str]) -> None:
    steps = {planned.step.id: planned.step for planned in plan.steps}
    for name in rerun:
        if name not in steps:
            raise UsageError("unknown-step", f"no step is named `{name}`", hints=suggestion(name, steps))
        if steps[name].rerun == "never":
            raise UsageError(
                "rerun-never",
                f"step `{name}` says `rerun: never`, so it is not run again; nothing was run",
                steps[name].span,
            )


def _changes(history: History, prepared: Prepared, plan: Plan, *, allowed: bool) -> Changes:
    """What has changed since the run began.

    Raises:
        JournalError: something has, and that is not allowed.

    """
    header = history.header
    now = digests_of(plan, inventory_files=prepared.inventory_files, given=prepared.given)
    changed = changes(header.digests, now, same_plan=header.plan == plan.digest)
    if allowed or not changed.named:
        return changed
    named = [*changed.named[:MOST_NAMED]]
    more = len(changed.named) - len(named)
    named += [f"{more} more"] if more else []
    raise JournalError(
        "run-changed",
        f"run `{header.run}` cannot be gone on with: changed since it began: {', '.join(named)}; nothing was run",
        hints=(
            "`--allow-changed` goes on: what was done stays done where step and host are as they were",
            f"or begin again: `runner run {header.path}`",
        ),
    )


def _refuse_lost_secrets(plan: Plan, going: GoingOn, run: str) -> None:
    lost = reads_of_lost_secrets(plan, going)
    if not lost:
        return
    first, others = lost[0], len(lost) - 1
    more = (
        f", and {others} other steps likewise"
        if others > 1
        else ", and another step likewise"
        if others
        else ""
    )
    steps = dict.fromkeys(one.registers for one in lost)
    again = " ".join(f"--rerun {step}" for step in steps)
    raise JournalError(
        "resumed-secret",
        f"step `{first.reader}` reads `{first.name}`, which step `{first.registers}` registered and which held a"
        f" secret, so that no journal has it{more}; nothing was run",
        next(item.step.span for item in plan.steps if item.step.id == first.reader),
        hints=(f"run it again: `runner resume {run} {again}`",),
    )

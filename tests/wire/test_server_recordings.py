"""Every recorded run of a real engine, asked for by a playbook: the same request, the recorded result.

``said.py`` lists what a playbook says in other words or not at all, and why; ``comparing.py`` what the machine decides.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Run, application_arguments, recording, recordings, runs
from tests.support.recorded_requests import asked
from tests.wire.comparing import OF_THE_MACHINE, differences
from tests.wire.conversations import Answered, answered
from tests.wire.playing import Book, Way, local, problems, winrm
from tests.wire.said import OTHERWISE, REFUSED, UNSAID, sayable

RUNS = {run.name: run for name in recordings() for run in runs(name)}
SAYABLE = [name for name, run in RUNS.items() if sayable(run)]

#: A session option, application arguments among them, is WinRM's alone.
_WAYS: dict[str, Way] = {"42-application-arguments": winrm}


def played(name: str) -> Answered:
    """The step of a run."""
    return answered(RUNS[name], _WAYS.get(RUNS[name].recording, local))


def test_every_run_is_accounted_for() -> None:
    """Of the 209 runs each is said, refused or unsaid, and the lists name no other."""
    assert len(RUNS) == 209
    assert len(SAYABLE) + len(REFUSED) + len(UNSAID) == 209
    assert {*REFUSED, *UNSAID, *OTHERWISE, *_of_servers()} <= set(RUNS)
    assert not set(OTHERWISE) - set(SAYABLE)


def _of_servers() -> list[str]:
    return [name for name in OF_THE_MACHINE if not name.startswith("client-")]


@pytest.mark.pwsh
@pytest.mark.parametrize("name", SAYABLE)
def test_a_run_is_asked_for_as_recorded_and_gives_what_was_recorded(name: str) -> None:
    """Commands, arguments, `--%` keys, values, input are equal; so are outputs, errors, streams, state, exit code."""
    step = played(name)

    assert step.asked == step.run.asked
    assert differences(step.run, step.result, step.order) == {}


@pytest.mark.parametrize("name", REFUSED)
def test_a_known_mistake_is_refused_before_anything_is_sent(name: str, tmp_path: Path) -> None:
    """What an engine would only answer with an error is told from the playbook alone."""
    run: Run = RUNS[name]
    book = Book([{"id": "a", "script": run.document["script"], "using": {"x": " t ", "a": [1, 2, 3]}}])

    assert problems(tmp_path, book) == [REFUSED[name]]


@pytest.mark.pwsh
def test_application_arguments_are_those_recorded() -> None:
    """What the session options tell of the client opens the pool as it was recorded."""
    step = played("42-application-arguments.0")
    sent = application_arguments({"transcript": [_message("InitRunspacePool", step.opening)]})
    was = application_arguments(recording("42-application-arguments"))

    assert {name: sent[name] for name in ("run", "n")} == {name: was[name] for name in ("run", "n")}


def _message(name: str, clixml: str) -> dict[str, object]:
    return {"messages": [{"name": name, "clixml": clixml}]}


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_said_otherwise_is_not_what_was_recorded(name: str) -> None:
    """The other words are really others, and of one run: nothing is let through by them."""
    run = RUNS[name]
    other = OTHERWISE[name][1](run.creation)

    assert asked(other, run.input) != run.asked

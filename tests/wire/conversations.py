"""Recordings asked for by playbooks: each playbook is run once, and its steps are then looked at one by one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from runner.engine.result import Result
from runner.execute.powershell.children import children_request
from tests.support.recorded import Run, recording, runs, runs_of
from tests.support.recorded_own import adapted, own
from tests.support.recorded_requests import Asked, AskedCommand
from tests.support.winrm_lab import PASSWORD as LOGIN_PASSWORD
from tests.wire.playing import LOGIN_VARIABLE, SESSION, Played, Way, local, play
from tests.wire.said import OTHERWISE, PASSWORD, PASSWORD_VARIABLE, book_of, sayable, step_id

_CHILDREN = children_request().statements[0].commands[0].text


@dataclass(frozen=True)
class Answered:
    """One step: its run as recorded, said as a playbook says it; what came; the order of its streams; what it asked."""

    run: Run
    result: Result
    order: list[str]
    asked: Asked
    opening: str


def answered(run: Run, way: Way = local) -> Answered:
    """The step of a run in the playbook of its recording."""
    played, said = _conversation(run.recording, way)
    step = step_id(run)
    alone = f"alone-{step}"
    place = alone if alone in played.heard else SESSION
    heard = played.heard[place]
    sent = [each.asked for each in heard.pipelines if not is_the_products_own(each.asked)]
    # What makes values comes before the steps of the session; a pool of a step's own has nothing else.
    steps = (
        [run.name] if place == alone else [n for n in said if f"alone-{step_id(said[n])}" not in played.heard]
    )
    asked = sent[steps.index(run.name) - len(steps)]
    return Answered(said[run.name], played.results[step], played.order.get(step, []), asked, heard.opening)


def said_otherwise(name: str) -> dict[str, object]:
    """A recording with those requests that a playbook makes in other words said so."""
    changes = {run.number: OTHERWISE[run.name][1] for run in runs(name) if run.name in OTHERWISE}
    return adapted(recording(name), changes)


def secrets() -> AbstractContextManager[Mapping[str, str]]:
    """The environment that passwords are read from."""
    return patch.dict(os.environ, {PASSWORD_VARIABLE: PASSWORD, LOGIN_VARIABLE: LOGIN_PASSWORD})


@cache
def _conversation(name: str, way: Way) -> tuple[Played, dict[str, Run]]:
    book, questions = book_of(name)
    document = said_otherwise(name)
    with TemporaryDirectory() as folder, secrets():
        played = asyncio.run(play(Path(folder), book, [document, own("own", questions)], way))
    return played, {run.name: run for run in runs_of(document) if sayable(run)}


def is_the_products_own(asked: Asked) -> bool:
    """Whether a pipeline is what the product asks beside the steps: a folder, or what a stop has left behind."""
    (command,) = asked.statements[0] if len(asked.statements[0]) == 1 else (None,)
    return isinstance(command, AskedCommand) and command.text in {_CHILDREN, "Test-Path"}

"""The examples of Invoke-Command's reference as playbooks: which there are, and what each one sends and gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from runner.present.encode import encode_value
from tests.support.pack_recordings import network_share
from tests.support.recorded import Run, recording, recordings, runs, runs_of
from tests.support.recorded_requests import Asked

FOLDER = Path(__file__).parents[2] / "playbooks" / "invoke-command"


@dataclass(frozen=True, slots=True)
class Example:
    """One example.

    ``steps`` are its steps on remote hosts, by id, with the recorded run that each one is: ``e04-shared-data.2``.
    ``hosts`` are all their hosts as the reference names them. ``configuration`` is the session configuration.
    ``in_5_1`` is its number in the reference of Windows PowerShell 5.1, None where that has no such example.
    """

    steps: Mapping[str, str]
    hosts: tuple[str, ...]
    in_5_1: int | None = None
    configuration: str = "Microsoft.PowerShell"
    shells: int | None = field(default=None, kw_only=True)
    """How many sessions are opened; one a step and host where None."""


_SERVERS, _EVENTS = ("Server01", "Server02"), "e06-event-log.1"
EXCHANGE = "ps.exchangelabs.com"
MACHINES = tuple(f"Machine{number:03d}" for number in range(1, 9))
EXAMPLES: Mapping[int, Example] = MappingProxyType(
    {
        1: Example({"test": "e18-inventory.1"}, ("Server01",), 1),
        2: Example({"culture": "e02-culture.2"}, ("Server01",), 2),
        3: Example({"culture": "e02-culture.2"}, ("Server02",), 3),
        4: Example(
            {
                "get": "e04-shared-data.2",
                "lost": "e04-shared-data.1",
                "get_in_session": "e04-shared-data.2",
                "kept": "e04-shared-data.3",
            },
            ("Server02",),
            4,
            shells=3,
        ),
        5: Example({"events": "e05-stored-block.1"}, ("S1", "S2"), 5),
        6: Example({"events": _EVENTS}, (*_SERVERS, "TST-0143", "localhost"), 6, "MySession.PowerShell"),
        7: Example({"ask": "e07-host-version.1"}, MACHINES, 7),
        9: Example({"events": "e09-using-log.2"}, ("Server01",), 9),
        10: Example({"shown": "e10-process.1", "hidden": "e10-process.1"}, ("S1", "S2"), 10),
        11: Example({"documents": "e11-param.2"}, ("Server01",)),
        12: Example({"texts": "e12-args.1"}, ("Server01",)),
        13: Example({"sample": "e13-file.1"}, _SERVERS, 11),
        14: Example({"rename": "e14-exchange.1"}, (EXCHANGE,), 12, "Microsoft.Exchange"),
        15: Example({"hot_fixes": "e15-hotfix.1"}, ("Server01",), 14),
        16: Example({"mailbox": "e14-exchange.2"}, (EXCHANGE,), 13, "Microsoft.Exchange"),
        17: Example({"script": "e17-network-share.0"}, ("Server02",), 15),
        19: Example({"process": "e19-ssh.2"}, ("LinuxServer01",)),
        20: Example({"process": "e19-ssh.2"}, ("LinuxServer01",)),
        21: Example({"info": "e18-inventory.1"}, ("WinServer1", "LinuxServer5")),
        22: Example({"events": _EVENTS}, ("LinuxServer5",)),
    }
)
"""By number. 8 is a job and 18 a run in disconnected sessions, which come later."""


def path_of(number: int) -> Path:
    """The playbook of an example."""
    [path] = FOLDER.glob(f"{number:02d}-*.yml")
    return path


def recorded_run(name: str) -> Run:
    """The run a step is, ``e04-shared-data.2``."""
    title, _, number = name.rpartition(".")
    return _composed() if title == "e17-network-share" else runs(title)[int(number)]


@cache
def _composed() -> Run:
    """Example 17, made of two recordings (tests/support/pack_recordings.py)."""
    examples = {name: recording(name) for name in recordings() if name.startswith("e")}
    [run] = runs_of(network_share(examples))
    return run


def recorded_output(name: str) -> Any:
    """What a recorded run gave, as ``-o json`` writes it."""
    return [encode_value(value, lambda text: text) for value in recorded_run(name).recorded.output]


def comparable(pipelines: Iterable[Asked]) -> list[str]:
    """Pipelines so that equal requests are equal, and in an order: hosts are asked side by side.

    How the lines of a script end, and blank ones around it, are the author's.
    """
    return sorted(
        repr(
            [
                (command.text.replace("\r", "").strip(), command.is_script, command.arguments, command.using)
                for statement in pipeline.statements
                for command in statement
            ]
        )
        for pipeline in pipelines
    )

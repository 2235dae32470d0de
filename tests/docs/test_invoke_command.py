"""The examples of Invoke-Command's reference: each is there, is valid, and over a lab gives what PowerShell gave.

The script that runs them is the one of `make examples`. Where there is a PowerShell the lab's hosts run it, and what it
gives is its own affair; elsewhere they answer with what was recorded, but only to the request that was recorded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.cli.prepare import Given, prepare
from runner.lab.control import lab_down, lab_up
from runner.lab.state import LabState
from tests.docs.conftest import ROOT, runner
from tests.support.engines import real_engine
from tests.support.examples import EXAMPLES, EXCHANGE, FOLDER, path_of, recorded_output

# The first test waits for all examples, each a run of its own with an engine for each host: more than two minutes where
# the machine has other work.
pytestmark = pytest.mark.timeout(600)

_WITH_A_WARNING = {15: "check-skipped", 17: "credssp-delegation"}


@dataclass(frozen=True)
class Ran:
    """What came of the script: its output, and the JSON document of each example by its number."""

    done: subprocess.CompletedProcess[str]
    documents: dict[int, dict[str, Any]]

    def results(self, number: int) -> dict[tuple[str, str], dict[str, Any]]:
        """Step and host -> result of one example."""
        return {(each["step"], each["host"]): each for each in self.documents[number]["results"]}


@pytest.fixture(scope="module")
def windows_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """A lab of the size that the examples need."""
    directory = tmp_path_factory.mktemp("examples") / "lab"
    yield lab_up(5, directory, windows=4)
    lab_down(directory)


@pytest.fixture(scope="module")
def ran(windows_lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All examples, run by their script from a copy of their folder; each writes a JSON document besides."""
    work = tmp_path_factory.mktemp("run")
    shutil.copytree(FOLDER, work / "invoke-command")
    program = work / "runner"
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = run ] || exec {sys.executable} -m runner "$@"\n'
        f'exec {sys.executable} -m runner "$@" -o rich -o "json={work}/$(basename "$2").json"\n'
    )
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", str(work / "invoke-command" / "run.sh")],
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
        env=_environment(work, windows_lab) | {"RUNNER": str(program)},
    )
    documents = {int(path.name[:2]): json.loads(path.read_text()) for path in work.glob("*.yml.json")}
    return Ran(done, documents)


def _environment(home: Path, lab: LabState) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "RUNNER_LAB_DIR": str(lab.directory.path),
        "COLUMNS": "100",
    }


def test_every_example_has_its_playbook() -> None:
    """Named by its number, with the reference's command on top and its number in the reference of 5.1."""
    assert {int(path.name[:2]) for path in FOLDER.glob("*.yml")} == set(EXAMPLES)
    for number, example in EXAMPLES.items():
        head = path_of(number).read_text().split("\nversion: 1\n")[0]
        where = f"5.1: {example.in_5_1}" if example.in_5_1 else "PowerShell 7"
        assert f"# Example {number} ({where}" in head, path_of(number)
        assert "Invoke-Command " in head, path_of(number)


def test_the_table_has_every_example() -> None:
    """The README of the folder names each file once."""
    text = (FOLDER / "README.md").read_text()
    for number in EXAMPLES:
        assert text.count(f"({path_of(number).name})") == 1, path_of(number)
    assert set(re.findall(r"\]\(([\w-]+\.yml)\)", text)) == {path_of(number).name for number in EXAMPLES}


@pytest.mark.parametrize("number", EXAMPLES)
def test_an_example_is_valid_and_plans(
    number: int, windows_lab: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the inventory of the examples; two of them do what is warned of, and nothing else is."""
    monkeypatch.setenv("RUNNER_LAB_DIR", str(windows_lab.directory.path))
    example = EXAMPLES[number]
    prepared = prepare(str(path_of(number)), Given(inventory=(str(FOLDER / "lab.py"),)))
    told = [problem.code for problem in prepared.problems]
    assert told == ([_WITH_A_WARNING[number]] if number in _WITH_A_WARNING else [])
    assert prepared.plan is not None
    hosts = {planned.step.id: [each.host for each in planned.placements] for planned in prepared.plan.steps}
    assert {step: tuple(hosts[step]) for step in example.steps} == dict.fromkeys(example.steps, example.hosts)


def test_all_are_valid_from_the_command_line(windows_lab: LabState, tmp_path: Path) -> None:
    """As one would check them before a commit."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", "validate", str(FOLDER), "-i", str(FOLDER / "lab.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=_environment(tmp_path, windows_lab),
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(EXAMPLES)} files checked" in done.stderr + done.stdout


@pytest.mark.pwsh
def test_the_script_runs_all_of_them(ran: Ran) -> None:
    """It ends well and says which example it is at."""
    assert ran.done.returncode == 0, ran.done.stdout + ran.done.stderr
    assert set(ran.documents) == set(EXAMPLES)
    headings = re.findall(r"^== .*/(\d\d)-", ran.done.stdout, flags=re.MULTILINE)
    assert headings == [f"{number:02d}" for number in EXAMPLES]


@pytest.mark.pwsh
@pytest.mark.parametrize("number", EXAMPLES)
def test_an_example_gives_what_was_recorded(ran: Ran, number: int) -> None:
    """On each of its hosts, by each of its steps."""
    example = EXAMPLES[number]
    results = ran.results(number)
    named = [host for step, host in results if step in example.steps]
    hosts = {host for host in named if not host.startswith("localhost:")} or {EXCHANGE}
    assert hosts == set(example.hosts)
    for (step, host), result in results.items():
        assert result["status"] in {"ok", "changed"}, (step, host, result)
        if step in example.steps and not real_engine():
            assert result["output"] == recorded_output(example.steps[step]), (step, host)


@pytest.mark.pwsh
def test_the_host_versions_are_counted(ran: Ran) -> None:
    """Example 7: one variable with the answers of all computers."""
    [line] = ran.results(7)["summary", "localhost"]["output"]
    assert re.fullmatch(r"[\d.]+: 8", line)


@pytest.mark.pwsh
def test_the_computer_name_is_hidden_from_sight_alone(ran: Ran) -> None:
    """Example 10: the column goes, the host of each result stays."""
    [shown, hidden] = re.search(
        r"== \S+10-hide.*?✓ shown(.*?)✓ hidden(.*?)\n\n", ran.done.stdout, flags=re.DOTALL
    ).groups()  # type: ignore[union-attr]
    assert re.search(r"^host .*ProcessName", shown, flags=re.MULTILINE)
    assert "ProcessName" in hidden
    assert not re.search(r"^host ", hidden, flags=re.MULTILINE)
    assert {host for _, host in ran.results(10)} == {"S1", "S2"}


@pytest.mark.pwsh
def test_a_redirection_is_told(ran: Ran) -> None:
    """Example 16: where one is sent is said, for each hop."""
    assert "sends us to https://localhost:" in ran.done.stdout + ran.done.stderr


def test_a_missing_lab_is_told_with_what_starts_it(tmp_path: Path) -> None:
    """The inventory of the examples without a lab."""
    done = runner("inventory", "list", "-i", str(FOLDER / "lab.py"), home=tmp_path)
    assert done.returncode == 2
    assert "runner lab up 5 --windows 4" in done.stderr

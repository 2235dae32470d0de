"""Broken playbooks and inventories, each refused at its mistake; README.md here says how to add one without Python."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from jsonschema import Draft202012Validator

import runner.cli.running
from runner.cli.main import run_command_line
from runner.codes import code_pages
from runner.schema_files import schema_text

CASES = Path(__file__).parent
AREAS = sorted(folder for folder in CASES.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
HEADER = re.compile(r"\s*[#;]*\s*(why|run|expect|hint):\s*(.*)")
EXPECTED = re.compile(
    r"(?P<warning>warning )?(?P<code>[a-z0-9-]+)(?: (?:(?P<path>\S+):)?(?P<line>\d+):(?P<column>\d+))?"
)
RAW_WORDS = re.compile(
    r"Traceback|<class|\bat 0x|given schemas|does not match|is not of type|Additional properties|"
    r"while parsing|while scanning|could not be found|\[Errno|NoneType|JSONDecodeError|undefined:"
)
SCHEMA = Draft202012Validator(json.loads(schema_text("problems")))


@dataclass(frozen=True, slots=True)
class Case:
    """One mistake: where to stand, what to type, and what must be told."""

    name: str
    folder: Path
    command: tuple[str, ...]
    expected: tuple[tuple[str, str, str | None, int | None, int | None], ...]
    hints: tuple[str, ...]

    @property
    def errors(self) -> set[tuple[str, str, str | None, int | None, int | None]]:
        """What is refused, without the warnings beside it."""
        return {each for each in self.expected if each[0] == "error"}


def read_case(path: Path) -> Case:
    """A file with its header in comments, or a folder with ``case.txt``."""
    folder, header = (path, path / "case.txt") if path.is_dir() else (path.parent, path)
    lines = header.read_bytes().decode("utf-8", "replace").splitlines()
    found: dict[str, list[str]] = {"why": [], "run": [], "expect": [], "hint": []}
    for line in lines:
        match = HEADER.fullmatch(line)
        if match:
            found[match[1]].append(match[2])
        elif not path.is_dir():
            break
    assert found["why"], f"{path}: say in a line `why: ...` what the author did"
    assert found["expect"], f"{path}: say in lines `expect: CODE LINE:COLUMN` what must be told"
    command = found["run"][0] if found["run"] else f"validate {path.name}"
    return Case(
        name=str(path.relative_to(CASES)),
        folder=folder,
        command=tuple(shlex.split(command)),
        expected=tuple(
            read_expectation(text, None if path.is_dir() else path.name) for text in found["expect"]
        ),
        hints=tuple(found["hint"]),
    )


def read_expectation(text: str, default: str | None) -> tuple[str, str, str | None, int | None, int | None]:
    """``[warning] CODE [[PATH:]LINE:COLUMN]`` as severity, code, path, line and column."""
    match = EXPECTED.fullmatch(text)
    assert match, f"not `CODE LINE:COLUMN`: {text}"
    severity = "warning" if match["warning"] else "error"
    if match["line"] is None:
        return severity, match["code"], None, None, None
    return severity, match["code"], match["path"] or default, int(match["line"]), int(match["column"])


ALL = [
    read_case(path)
    for area in AREAS
    for path in sorted(area.iterdir())
    if not path.name.startswith(("_", ".")) and path.name != "__pycache__"
]
IN_ONE_PROCESS = pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])


@pytest.fixture(autouse=True)
def nothing_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would start a run fails the test: no transport is even made."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a broken playbook was about to be run")

    monkeypatch.setattr(runner.cli.running, "execute", refuse)
    for name in ("NO_COLOR", "RUNNER_HOME", "RUNNER_INVENTORY", "RUNNER_OUTPUT"):
        monkeypatch.delenv(name, raising=False)


def shown(problem: Mapping[str, Any]) -> tuple[str, str, str | None, int | None, int | None]:
    """A problem of a document in the form of :func:`read_expectation`."""
    return problem["severity"], problem["code"], problem["path"], problem["line"], problem["column"]


def check_words(problems: list[dict[str, Any]]) -> None:
    """Every message is one sentence of ours, and its code has a page."""
    for problem in problems:
        told = " ".join([problem["message"], *problem["hints"]])
        assert problem["code"] in code_pages()
        assert "\n" not in problem["message"]
        assert not problem["message"].endswith("."), problem["message"]
        assert problem["message"].count("`") % 2 == 0, problem["message"]
        assert not RAW_WORDS.search(told), told


@IN_ONE_PROCESS
def test_the_mistake_is_told(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document holds exactly the expected problems, follows its schema, and the exit code is 2."""
    monkeypatch.chdir(case.folder)
    code = run_command_line([*case.command, "-o", "json"])
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    SCHEMA.validate(document)
    problems = document["problems"]
    assert sorted(map(shown, problems), key=str) == sorted(case.expected, key=str), printed.out
    assert code == 2
    check_words(problems)
    hints = " ".join(hint for problem in problems for hint in problem["hints"])
    for hint in case.hints:
        assert hint in hints


@IN_ONE_PROCESS
def test_the_mistake_is_shown(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text for people names code and place, shows the line with a caret, and says that nothing was run."""
    monkeypatch.chdir(case.folder)
    assert run_command_line(case.command) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert "hunter2" not in printed.err
    for severity, problem, path, line, column in case.expected[:20]:
        assert f"{severity}[{problem}]: " in printed.err
        if line is not None:
            assert f"  --> {path}:{line}:{column}\n" in printed.err
    if all(has_a_line_to_show(case, each) for each in case.expected):
        assert len(re.findall(r"^ +\| +\^+$", printed.err, re.MULTILINE)) >= min(len(case.expected), 20)
    assert "nothing was run" in printed.err or "nothing was connected to" in printed.err


def has_a_line_to_show(case: Case, expected: tuple[str, str, str | None, int | None, int | None]) -> bool:
    """Whether the place is in a file that can be read, and its line holds no secret (`hunter2` in all cases)."""
    _, code, path, line, _ = expected
    if path is None or line is None or not (case.folder / path).is_file():
        return False
    lines = (case.folder / path).read_bytes().split(b"\n")
    return not code.startswith("plain-") and b"hunter2" not in lines[line - 1]


@IN_ONE_PROCESS
def test_a_run_refuses_it_too(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `validate` refuses in a playbook, `run` and `plan` refuse before anything is connected."""
    if case.command[0] != "validate" or not is_playbook(case.folder / case.command[1]):
        return
    monkeypatch.chdir(case.folder)
    for command in ("plan", "run"):
        assert run_command_line([command, *case.command[1:], "-o", "json"]) == 2
        problems = json.loads(capsys.readouterr().out)["problems"]
        assert case.errors <= set(map(shown, problems)), problems


def is_playbook(path: Path) -> bool:
    """Whether `run` would take the file: it has steps, or is broken enough that nobody can tell."""
    return path.is_file() and b"\nsteps" in b"\n" + path.read_bytes()


def test_there_are_enough_cases() -> None:
    """At least 120 broken files, over all the codes that a document can get."""
    assert len(ALL) >= 120
    assert len({code for case in ALL for _, code, *_ in case.expected}) >= 80


@pytest.mark.parametrize("case", ALL[:: len(ALL) // 5], ids=[case.name for case in ALL[:: len(ALL) // 5]])
def test_in_a_process_of_its_own(case: Case) -> None:
    """The console program says the same: problems on standard output with `-o json`, nothing on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", *case.command, "-o", "json"],
        cwd=case.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == ""
    assert sorted(map(shown, json.loads(done.stdout)["problems"]), key=str) == sorted(case.expected, key=str)


@pytest.mark.parametrize(
    ("name", "head", "size"),
    [("playbook.yml", "version: 1\nsteps: []\n#", 4 * 2**20 + 1), ("hosts.ini", "web01\n#", 64 * 2**20 + 1)],
)
def test_files_too_large(
    name: str,
    head: str,
    size: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A playbook over 4 MiB and an inventory over 64 MiB are refused unread."""
    monkeypatch.chdir(tmp_path)
    with Path(name).open("w", encoding="utf-8") as file:
        file.write(head)
        file.truncate(size)  # a sparse file: no disk is filled
    assert run_command_line(["validate", name, "-o", "json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["code"] == "file-too-large"

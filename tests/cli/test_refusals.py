"""Refusals: exit code 2, the document where JSON is asked for, and results apart from everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import runner.cli.prepare
from runner.schema_files import schema_text
from tests.support.command_line import Typed

SCHEMA = Draft202012Validator(json.loads(schema_text("problems")))
BROKEN = "version: 1\nsteps:\n  - id: work\n    scirpt: uptime\n"

REFUSED = [
    (["run", "broken.yml"], "unknown-key"),
    (["plan", "broken.yml"], "unknown-key"),
    (["validate", "broken.yml"], "unknown-key"),
    (["run", "missing.yml"], "file-not-found"),
    (["run", "hello.yml", "-i", "nowhere.yml"], "inventory-not-found"),
    (["run", "hello.yml", "-e", "nothing"], "extra-form"),
    (["run", "hello.yml", "-e", "@nowhere.yml"], "file-not-found"),
    (["run", "hello.yml", "--only", "nothing"], "unknown-step"),
    (["run", "hello.yml", "-t", "nothing"], "unknown-step-tag"),
    (["run", "hello.yml", "-i", "hosts.yml", "-l", "wbe"], "unknown-host"),
    (["run", "hello.yml", "--ask-password"], "no-terminal"),
    (["run", "hello.yml", "--limt", "web"], "command-line"),
    (["run"], "command-line"),
    (["plan", "hello.yml", "--timeout", "soon"], "command-line"),
    (["inventory", "list"], "inventory-missing"),
    (["inventory", "list", "wbe", "-i", "hosts.yml"], "unknown-host"),
    (["inventory", "host", "wbe01", "-i", "hosts.yml"], "unknown-host"),
    (["inventory", "graph", "wbe", "-i", "hosts.yml"], "unknown-group"),
    (["explain", "unknown-usnig"], "unknown-code"),
    (["explain", "x", "--host", "web01"], "nothing-to-explain"),
    (["explain", "nothing", "--host", "web01", "-i", "hosts.yml"], "unknown-variable"),
    (["explain", "site", "--host", "web9", "-i", "hosts.yml"], "unknown-host"),
]
EACH = pytest.mark.parametrize(("words", "code"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])


@pytest.fixture(autouse=True)
def broken(folder: Path) -> None:
    """A playbook with one mistake."""
    (folder / "broken.yml").write_text(BROKEN, encoding="utf-8")


@EACH
def test_as_json(words: list[str], code: str, typed: Typed) -> None:
    """With `-o json` standard output is the document of problems alone."""
    done = typed(*words, "-o", "json")
    document = json.loads(done.out)
    SCHEMA.validate(document)
    assert (done.code, done.err) == (2, "")
    assert code in [problem["code"] for problem in document["problems"]]
    assert all(not problem["path"] or Path(problem["path"]).suffix for problem in document["problems"])


@EACH
def test_as_text(words: list[str], code: str, typed: Typed) -> None:
    """Without it standard output is empty, and standard error says what is wrong and that nothing was run."""
    done = typed(*words)
    assert (done.code, done.out) == (2, "")
    if code == "command-line":
        assert "Error: " in done.err
        assert "Usage: runner" in done.err
    else:
        assert f"error[{code}]: " in done.err
        assert "nothing was run" in done.err or "nothing was connected to" in done.err


@pytest.mark.parametrize(
    "form", [["-o", "json"], ["-ojson"], ["--output", "json"], ["--output=json"], ["-o", "jsonl"]]
)
def test_every_spelling_asks_for_json(form: list[str], typed: Typed) -> None:
    """The forms of `-o` are alike."""
    assert json.loads(typed("run", "missing.yml", *form).out)["problems"]
    assert json.loads(typed("run", "hello.yml", "-e", "nothing", *form).out)["problems"]


def test_json_asked_for_in_the_environment(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUNNER_OUTPUT counts for refusals too, and yields to the command line."""
    monkeypatch.setenv("RUNNER_OUTPUT", "json")
    assert json.loads(typed("run", "hello.yml", "-e", "nothing").out)["problems"]
    assert typed("run", "hello.yml", "-e", "nothing", "-o", "plain").out == ""


def test_several_files_at_once(typed: Typed, folder: Path) -> None:
    """`validate` of a folder checks every YAML file below and tells the problems of all, sorted."""
    (folder / "more").mkdir()
    (folder / "more" / "a.yml").write_text("- id: a\n  scirpt: uptime\n", encoding="utf-8")
    (folder / "more" / "hosts.yml").write_text("version: 1\nhosts: [a]\n", encoding="utf-8")
    done = typed("validate", ".", "-o", "json")
    found = [
        (problem["path"], problem["line"], problem["code"]) for problem in json.loads(done.out)["problems"]
    ]
    assert ("broken.yml", 4, "unknown-key") in found
    assert ("more/a.yml", 2, "unknown-key") in found
    assert ("more/hosts.yml", 2, "wrong-type") in found
    assert [path for path, *_ in found] == sorted(path for path, *_ in found)
    assert "refused: 5 files checked, nothing was connected to" in typed("validate", ".").err


def test_what_is_fine_is_said(typed: Typed) -> None:
    """`validate` of what is right ends with 0 and says so on standard error."""
    done = typed("validate", "hello.yml", "hosts.yml")
    assert (done.code, done.out) == (0, "")
    assert done.err == "valid: 2 files checked, nothing was connected to\n"
    assert json.loads(typed("validate", "hello.yml", "-o", "json").out) == {"problems": []}


def test_at_most_twenty_are_shown(typed: Typed, folder: Path) -> None:
    """Of many problems twenty are shown, with the count of all; JSON has all."""
    steps = "".join(f"  - {{id: s{number}, script: uptime, kye: 1}}\n" for number in range(50))
    (folder / "many.yml").write_text(f"version: 1\nsteps:\n{steps}", encoding="utf-8")
    done = typed("validate", "many.yml")
    assert done.err.count("error[unknown-key]") == 20
    assert "50 errors; the first 20 are shown, `-o json` gives all" in done.err
    assert len(json.loads(typed("validate", "many.yml", "-o", "json").out)["problems"]) == 50


def test_a_bug_of_ours(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """An internal error ends with 70 and the name of a report that holds the traceback, which is not shown."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(runner.cli.prepare, "load_playbook", fail)
    done = typed("run", "hello.yml")
    assert (done.code, done.out) == (70, "")
    assert "error[internal]: this is a bug of runner: RuntimeError" in done.err
    assert "Traceback" not in done.err
    report = Path(done.err.partition("a report is in ")[2].partition(";")[0])
    try:
        assert "Traceback" in report.read_text(encoding="utf-8")
    finally:
        report.unlink()

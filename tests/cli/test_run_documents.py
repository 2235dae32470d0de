"""What `runs list, show, diff` and `resume --check` print for programs, held to its schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from runner.journal.control import WaitingGate
from runner.journal.store import RunStore
from runner.schema_files import schema_text
from tests.support.command_line import Typed


@cache
def validator(part: str) -> Draft202012Validator:
    """The schema of one of the documents."""
    found = {f"{name}.schema.json": json.loads(schema_text(name)) for name in ("result", "events", "runs")}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema)) for name, schema in found.items()
    )
    return Draft202012Validator({"$ref": f"runs.schema.json#/$defs/{part}"}, registry=registry)


@pytest.fixture(autouse=True)
def recorded_here(folder: Path) -> None:
    """Runs are recorded in the folder, not in the state directory of whoever tests."""
    (folder / "runner.toml").touch()


@pytest.fixture
def told(typed: Typed) -> Any:
    """Types a command with `-o json`, and gives its document once it is what its schema says."""

    def tell(part: str, *words: str, code: int = 0) -> Any:
        done = typed(*words, "-o", "json")
        assert done.code == code, done.err
        document = json.loads(done.out)
        validator(part).validate(document)
        return document

    return tell


def book(folder: Path, second: str = "exit 3") -> None:
    """Three steps of which the second fails, or does what is said."""
    (folder / "hello.yml").write_text(
        "version: 1\nname: n\nsteps:\n"
        "- {id: a, script: echo 1}\n"
        f"- {{id: b, needs: [a], script: {json.dumps(second)}}}\n"
        "- {id: c, needs: [b], script: echo 3}\n"
    )


@pytest.mark.parametrize("part", ["list", "show", "results", "diff", "resume_check"])
def test_a_schema_takes_no_foreign_key(part: str) -> None:
    """A document with a key that is not described is refused, so that none can be forgotten."""
    foreign = {"foreign": 1}
    assert not validator(part).is_valid([foreign] if part in {"list", "results"} else foreign)


def test_a_list_is_what_its_schema_says(told: Any, typed: Typed, folder: Path) -> None:
    """A run that ended, a check, one that broke off, and one that nobody can read."""
    book(folder)
    assert told("list", "runs", "list") == []
    journals: list[Path] = []  # by age, which names of the same second do not tell
    for command in (["run"], ["plan", "--check"], ["run"]):
        typed(*command, "hello.yml")
        journals += set(folder.glob(".runner/runs/*/journal.jsonl")) - set(journals)
    assert len(journals) == 3
    states = {entry["run"]: entry["state"] for entry in told("list", "runs", "list")}
    assert set(states.values()) == {"finished"}
    whole = journals[0].read_bytes().splitlines(keepends=True)
    journals[0].write_bytes(b"".join(whole[:-1]))
    journals[1].write_bytes(b"{}\n")
    entries = {entry["run"]: entry for entry in told("list", "runs", "list")}
    found = [entries[journal.parent.name] for journal in journals]
    assert [one["state"] for one in found] == ["crashed", "unreadable", "finished"]
    assert found[1]["problem"]
    assert found[2]["hosts"] == {"ok": 0, "failed": 1, "unreachable": 0}


def test_what_is_shown_is_what_its_schema_says(told: Any, typed: Typed, folder: Path) -> None:
    """A run with a failure, whole and by step and host."""
    book(folder)
    typed("run", "hello.yml")
    shown = told("show", "runs", "show", "last")
    assert [one["step"] for one in shown["bad"]] == ["b", "c"]
    (result,) = told("results", "runs", "show", "last", "--step", "b")
    assert result["exit_code"] == 3


def test_a_gate_that_waits_is_shown(told: Any, typed: Typed, folder: Path) -> None:
    """A program that looks at runs learns that one waits for an answer."""
    book(folder)
    typed("run", "hello.yml")
    directory = RunStore(folder / ".runner").find("last")
    since = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)
    directory.control.open_gate(WaitingGate("go_live", "roll on?", since))
    assert told("show", "runs", "show", "last")["waiting"] == []  # nobody runs it, so nobody waits
    with directory.lock():
        (waiting,) = told("show", "runs", "show", "last")["waiting"]
    assert waiting == {
        "step": "go_live",
        "message": "roll on?",
        "since": "2026-11-21T01:50:00Z",
        "until": None,
    }


def test_a_difference_is_what_its_schema_says(told: Any, typed: Typed, folder: Path) -> None:
    """Two runs that went other ways, and a run and itself."""
    book(folder)
    typed("run", "hello.yml")
    first = told("list", "runs", "list")[0]["run"]
    assert told("diff", "runs", "diff", "last", "last")["differences"] == []
    book(folder, "echo 2")
    typed("run", "hello.yml")
    found = told("diff", "runs", "diff", first, "last", code=5)["differences"]
    assert [(one["step"], one["status"], one["output_changed"]) for one in found] == [
        ("b", ["failed", "ok"], True),
        ("c", ["skipped", "ok"], True),
    ]


def test_what_resume_would_do(told: Any, typed: Typed, folder: Path) -> None:
    """What is done, what would run and why; nothing is run and nothing is recorded by it."""
    book(folder, "test -e free || exit 3")
    typed("run", "hello.yml")
    (journal,) = folder.glob(".runner/runs/*/journal.jsonl")
    before = journal.read_bytes()
    document = told("resume_check", "resume", "last", "--check")
    assert document["counts"] == {"done": 1, "to_run": 2, "unknown": 0}
    assert [(one["step"], one["state"], one["reason"]) for one in document["assignments"]] == [
        ("a", "done", None),
        ("b", "to_run", "before: failed"),
        ("c", "to_run", "before: skipped"),
    ]
    again = told("resume_check", "resume", "last", "--check", "--rerun", "a")
    assert again["counts"] == {"done": 0, "to_run": 3, "unknown": 0}
    assert again["assignments"][0]["reason"] == "runs again, as --rerun says"
    assert journal.read_bytes() == before
    (folder / "free").touch()
    assert typed("resume", "last").code == 0
    assert told("resume_check", "resume", "last", "--check")["nothing_left"] is True


def test_what_resume_would_do_for_people(typed: Typed, folder: Path) -> None:
    """A row a step, and what to type."""
    book(folder)
    typed("run", "hello.yml")
    done = typed("resume", "last", "--check")
    assert done.code == 0, done.err
    assert "1 done, 2 to do" in done.out
    assert [line.split() for line in done.out.splitlines()[2:6]] == [
        ["STEP", "HOSTS", "DONE", "TO", "RUN", "UNKNOWN"],
        ["a", "1", "1"],
        ["b", "1", "1"],
        ["c", "1", "1"],
    ]
    assert "nothing was run; go on with: runner resume 20" in done.out


def test_what_is_unknown_is_asked_about(told: Any, typed: Typed, folder: Path) -> None:
    """What may have run is neither done nor to run, until `--unknown` says more; nobody is asked now."""
    book(folder)
    typed("run", "hello.yml")
    (journal,) = folder.glob(".runner/runs/*/journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line).get("type") != "finished"]
    ended = [
        line
        for line in kept
        if (json.loads(line).get("type"), json.loads(line).get("step")) == ("ended", "b")
    ]
    assert len(ended) == 1
    journal.write_bytes(b"".join(kept[: kept.index(ended[0])]))
    document = told("resume_check", "resume", "last", "--check")
    assert document["counts"] == {"done": 1, "to_run": 1, "unknown": 1}
    assert document["assignments"][1]["reason"] == "asked about"
    done = typed("resume", "last", "--check")
    assert "? b on localhost: had begun, and nobody knows how it ended; asked about" in done.out
    assert "--unknown rerun|skip|fail" in done.out
    settled = told("resume_check", "resume", "last", "--check", "--unknown", "rerun")
    assert settled["counts"] == {"done": 1, "to_run": 2, "unknown": 0}
    assert settled["assignments"][1]["reason"] == "runs again, though it may have run"


def test_a_run_that_cannot_be_gone_on_with_ends_with_4(typed: Typed, folder: Path) -> None:
    """What has changed is named, as the document of problems too."""
    book(folder)
    typed("run", "hello.yml")
    book(folder, "echo other")
    assert typed("resume", "last", "--check").code == 4
    for words in (("--check",), ()):
        done = typed("resume", "last", *words, "-o", "json")
        assert done.code == 4
        (problem,) = json.loads(done.out)["problems"]
        assert problem["code"] == "run-changed"
    (folder / "hello.yml").write_text("version: 1\nname: n\nsteps: 3\n")
    done = typed("resume", "last", "--check", "-o", "json")
    assert done.code == 4
    assert json.loads(done.out)["problems"]

"""The sh script of a lock on a host, in each sh there is: one holder, tokens that grow, expired locks taken once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.execute.locks.scripts import POSIX
from runner.schema_files import schema_text

ABOUT = ",\n".join(
    f"{json.dumps(key)}: {json.dumps(value)}"
    for key, value in {
        "run": 'r"1\n"expires": 7,\\',
        "user": "ännä",
        "controller": "ctl1",
        "pid": 7,
        "since": "2026-11-21T01:50:00+00:00",
    }.items()
)
A, B, C = "a" * 32, "b" * 32, "c" * 32
SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> list[str]:
    words: list[str] = request.param
    if shutil.which(words[0]) is None:
        pytest.skip(f"`{words[0]}` is not installed")
    return words


def ask(
    shell: list[str], folder: Path, verb: str, holding: str, seconds: int = 60, gone: str = ""
) -> list[str]:
    """The words of the answer's first line, and the text below as the last."""
    words = [*shell, "-c", POSIX, "runner", verb, holding, str(seconds), ABOUT, gone, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    head, _, text = done.stdout.partition("\n")
    return [*head.split(), text]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_take_renew_refuse_give(shell: list[str], tmp_path: Path) -> None:
    """The course of a lock, with its file as the schema says it; nothing else is left."""
    assert ask(shell, tmp_path, "take", A) == ["taken", "1", ""]
    held = ask(shell, tmp_path, "take", B)
    assert [*held[:2], held[3]] == ["held", "1", str(tmp_path)]
    document = json.loads(held[4])
    Draft202012Validator(json.loads(schema_text("lock"))).validate(document)
    assert (document["holding"], document["token"], document["user"]) == (A, 1, "ännä")
    assert 50 <= document["expires"] - int(held[2]) <= 60
    assert ask(shell, tmp_path, "take", A, 600) == ["taken", "1", ""]
    assert json.loads((tmp_path / ".runner-lock.1").read_text())["expires"] - int(held[2]) >= 590
    assert ask(shell, tmp_path, "give", B) == ["other", ""]
    assert ask(shell, tmp_path, "give", A) == ["given", ""]
    assert json.loads((tmp_path / ".runner-lock.1").read_text())["expires"] == 0
    assert ask(shell, tmp_path, "take", B) == ["taken", "2", ""]
    assert files(tmp_path) == [".runner-lock.2"]
    assert (tmp_path / ".runner-lock.2").stat().st_mode & 0o7777 == 0o644


def test_an_expired_lock_is_taken_after_a_grace(shell: list[str], tmp_path: Path) -> None:
    """By others after five seconds; its holder itself gets the next token; and the slow one learns of it."""
    ask(shell, tmp_path, "take", A, -3)
    assert ask(shell, tmp_path, "take", B)[0] == "held"
    assert ask(shell, tmp_path, "take", A, -20) == ["taken", "2", ""]
    assert ask(shell, tmp_path, "take", B) == ["taken", "3", ""]
    assert ask(shell, tmp_path, "take", A)[:2] == ["held", "3"]
    assert ask(shell, tmp_path, "give", A) == ["other", ""]
    assert json.loads((tmp_path / ".runner-lock.3").read_text())["expires"] > 0


def test_an_earlier_process_of_the_same_run_is_passed_over(shell: list[str], tmp_path: Path) -> None:
    """The one that is named, and no other."""
    ask(shell, tmp_path, "take", A)
    assert ask(shell, tmp_path, "take", B, gone=C)[0] == "held"
    assert ask(shell, tmp_path, "take", B, gone=A) == ["taken", "2", ""]


@pytest.mark.parametrize("what", ["text", "directory", "link", "fifo", "future"])
def test_what_is_no_lock_of_ours_is_left_alone(shell: list[str], tmp_path: Path, what: str) -> None:
    """It counts as held, is never followed and never waited for, and stays as it is."""
    path = tmp_path / ".runner-lock.4"
    if what == "text":
        path.write_text("mine!\n")
    elif what == "directory":
        path.mkdir()
    elif what == "link":
        (tmp_path / "target").write_text('"expires": 0,\n')
        path.symlink_to(tmp_path / "target")
    elif what == "fifo":
        os.mkfifo(path)
    else:
        path.write_text('{\n"version": 9,\n"until": 0\n}\n')
    before = path.lstat()
    held = ask(shell, tmp_path, "take", A)
    assert held[:2] == ["held", "4"]
    assert path.lstat() == before


@pytest.mark.parametrize("name", ["0", "01", "x", "1x", "1" * 16, ""])
def test_names_that_are_no_tokens_are_passed_over(shell: list[str], tmp_path: Path, name: str) -> None:
    """No number is made of them, in octal or otherwise."""
    (tmp_path / f".runner-lock.{name}").write_text("")
    assert ask(shell, tmp_path, "take", A) == ["taken", "1", ""]


def test_where_nothing_can_be_written(shell: list[str], tmp_path: Path) -> None:
    """The reason is the system's own."""
    words = [*shell, "-c", POSIX, "runner", "take", A, "60", ABOUT, "", str(tmp_path / "none")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 64
    assert "none" in done.stderr


def test_of_many_that_take_at_once_one_gets_it(shell: list[str], tmp_path: Path) -> None:
    """Where nobody held it, where it was given back, and where it expired; each time the token grows."""
    for turn, last in enumerate(["none", "given", "expired"], start=1):
        with ThreadPoolExecutor(8) as many:
            holdings = [f"{turn}{number:x}".ljust(32, "0") for number in range(8)]
            answers = list(many.map(lambda holding: ask(shell, tmp_path, "take", holding), holdings))
        taken = [holding for holding, answer in zip(holdings, answers, strict=True) if answer[0] == "taken"]
        assert len(taken) == 1, (last, answers)
        assert files(tmp_path) == [f".runner-lock.{turn}"]
        if turn == 1:
            ask(shell, tmp_path, "give", taken[0])
        else:
            path = tmp_path / f".runner-lock.{turn}"
            text = path.read_text()
            path.write_text(text.replace(text.split("\n")[2], '"expires": 5,'))


acts = st.tuples(
    st.sampled_from(["take", "give", "expire"]), st.sampled_from([A, B, C]), st.sampled_from([60, -20])
)


@given(st.lists(acts, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_script_is_as_its_model(tmp_path: Path, happens: list[tuple[str, str, int]]) -> None:
    """Whatever three runs do one after another, a small model says the same."""
    folder = tmp_path / os.urandom(4).hex()
    folder.mkdir()
    token, holder, valid = 0, "", False
    for verb, holding, seconds in happens:
        if verb == "expire":
            for path in folder.iterdir():
                lines = path.read_text().split("\n")
                lines[2] = lines[2] if lines[2] == '"expires": 0,' else '"expires": 5,'
                path.write_text("\n".join(lines))
            valid = False
        elif verb == "give":
            mine = holder == holding
            assert ask(["sh"], folder, "give", holding)[0] == ("given" if mine else "other")
            valid = valid and not mine
        elif valid and holder != holding:
            assert ask(["sh"], folder, "take", holding, seconds)[:2] == ["held", str(token)]
        else:
            token += not (valid and holder == holding)
            assert ask(["sh"], folder, "take", holding, seconds) == ["taken", str(token), ""]
            holder, valid = holding, seconds > 0


def test_to_look_changes_nothing(shell: list[str], tmp_path: Path) -> None:
    """Who holds it is told, also after its time; what nobody took or was given back is free."""
    assert ask(shell, tmp_path, "show", "") == ["free", ""]
    assert files(tmp_path) == []
    ask(shell, tmp_path, "take", A, seconds=-60)
    word, token, _, folder, text = ask(shell, tmp_path, "show", "")
    assert (word, token, folder) == ("held", "1", str(tmp_path))
    assert json.loads(text)["holding"] == A
    assert ask(shell, tmp_path, "take", A)[:2] == ["taken", "2"]
    ask(shell, tmp_path, "give", A)
    assert ask(shell, tmp_path, "show", "") == ["free", ""]
    assert files(tmp_path) == [".runner-lock.2"]


def test_who_keeps_a_lock_does_not_take_one(shell: list[str], tmp_path: Path) -> None:
    """What another took and gave back meanwhile is lost; what nobody took, or what a restart wiped, is kept."""
    ask(shell, tmp_path, "take", A)
    assert ask(shell, tmp_path, "keep", A)[:2] == ["taken", "1"]
    assert ask(shell, tmp_path, "take", B, gone=A)[:2] == ["taken", "2"]
    assert ask(shell, tmp_path, "keep", A)[:2] == ["held", "2"]
    ask(shell, tmp_path, "give", B)
    assert ask(shell, tmp_path, "keep", A)[:2] == ["held", "2"]
    ask(shell, tmp_path, "take", A, seconds=-60)
    assert ask(shell, tmp_path, "keep", A)[:2] == ["taken", "4"]
    (tmp_path / ".runner-lock.4").unlink()
    assert ask(shell, tmp_path, "keep", A)[:2] == ["taken", "1"]

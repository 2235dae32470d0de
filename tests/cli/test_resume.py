"""`runner resume`: killed and stopped runs of this machine's own shells, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Done, clean_environment, in_a_process

HOSTS = '{"version": 1, "connection": {"transport": "local"}, "hosts": {"a1": {}, "a2": {}, "a3": {}}}'
HEAD = "version: 1\nname: book\ntargets: {all: {hosts: all}}\n"

SLOW = """\
steps:
  - id: one
    target: all
    register: first
    shell: python
    output: json
    script: |
      open("ledger", "a").write($Using:inventory_hostname + " one\\n")
      print(7)
  - id: two
    target: all
    rerun: RERUN
    shell: python
    script: |
      import os, time
      host = $Using:inventory_hostname
      open("ledger", "a").write(host + " two\\n")
      if not os.path.exists("free") and host != "a1":
          open("at." + host, "w").close()
          time.sleep(600)
  - id: three
    target: all
    script: |
      echo "$Using:inventory_hostname three ${Using:first.output}" >> ledger
"""


@dataclass
class Place:
    """A folder with a playbook and three hosts that are this machine, and commands typed there."""

    folder: Path
    living: list[subprocess.Popen[str]] = field(default_factory=list)

    def book(self, steps: str, head: str = HEAD) -> None:
        """Write the playbook."""
        (self.folder / "book.yml").write_text(head + steps, encoding="utf-8")

    def type(self, *words: str, environment: dict[str, str] | None = None) -> Done:
        """Type a command to its end."""
        return in_a_process(*words, folder=self.folder, environment=environment)

    def run(self, *words: str) -> Done:
        """A run to its end."""
        return self.type("run", "book.yml", "-i", "hosts.json", "-o", "plain", *words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a run."""
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "run", "book.yml", "-i", "hosts.json", "-o", "plain", *words],
            cwd=self.folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.living.append(process)
        return process

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until something is true."""
        give_up = time.monotonic() + 60
        while not true():
            assert time.monotonic() < give_up, f"{what} did not happen"
            time.sleep(0.02)

    def resume(self, *words: str) -> Done:
        """Go on with the last run."""
        return self.type("resume", "last", "-o", "plain", *words)

    def records(self) -> list[dict[str, Any]]:
        """The lines of the only run's journal."""
        (journal,) = self.folder.glob(".runner/runs/*/journal.jsonl")
        return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]

    def ledger(self) -> Counter[str]:
        """What ran, and how often."""
        return Counter((self.folder / "ledger").read_text(encoding="utf-8").splitlines())

    def show(self) -> dict[str, Any]:
        """`runs show last`."""
        shown: dict[str, Any] = json.loads(self.type("runs", "show", "last", "-o", "json").out)
        return shown

    def killed(self, rerun: str = "ask", number: signal.Signals = signal.SIGKILL) -> Done:
        """Run SLOW and end it by a signal while its second step runs on a2 and a3, and is done on a1."""
        self.book(SLOW.replace("RERUN", rerun))
        process = self.start()
        self.until(lambda: len(list(self.folder.glob("at.*"))) == 2, "the second step")
        self.until(lambda: any(_is_end(one, "three", "a1") for one in self.records()), "the end on a1")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        (self.folder / "free").touch()
        for at in self.folder.glob("at.*"):
            at.unlink()
        return Done(process.returncode, out, err)


def _is_end(record: dict[str, Any], step: str, host: str) -> bool:
    return (record["type"], record.get("step"), record.get("host")) == ("ended", step, host)


@pytest.fixture
def place(tmp_path: Path) -> Any:
    """The folder; what a failed test left running is killed."""
    made = Place(tmp_path)
    (tmp_path / "runner.toml").touch()  # so that the runs are recorded here
    (tmp_path / "hosts.json").write_text(HOSTS, encoding="utf-8")
    yield made
    for process in made.living:
        if process.poll() is None:
            process.kill()
            process.communicate()
    _end_sleepers(tmp_path)


def _end_sleepers(folder: Path) -> None:
    """End scripts that a killed run has left behind in this folder."""
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and int(path.name) != os.getpid():
            try:
                if (path / "cwd").readlink() == folder:
                    os.kill(int(path.name), signal.SIGKILL)
            except OSError:
                continue


def done_once(place: Place, *keys: str) -> bool:
    """Whether each of these ran exactly once."""
    ran = place.ledger()
    return all(ran[key] == 1 for key in keys)


ONES = ("a1 one", "a2 one", "a3 one", "a1 two", "a1 three 7")


def test_kill_9_and_resume(place: Place) -> None:
    """What was done ran once, what may have run is not run again by itself, and what could not run is told."""
    assert place.killed().code == -signal.SIGKILL
    assert place.show()["state"] == "crashed"
    done = place.resume()
    assert done.code == 1, done.err
    assert "two on a[2-3]: left unknown" in done.err
    assert "unknown-after-crash" in done.err
    assert done_once(place, *ONES, "a2 two", "a3 two")
    assert place.ledger()["a2 three 7"] == 0
    left = {(one["step"], one["host"]) for one in place.show()["unknown"]}
    assert left == {("two", "a2"), ("two", "a3")}


def test_unknown_rerun(place: Place) -> None:
    """`--unknown rerun` runs what was unknown again, then the rest; registered results came back typed."""
    place.killed()
    done = place.resume("--unknown", "rerun")
    assert done.code == 0, done.err
    assert done_once(place, *ONES, "a2 three 7", "a3 three 7")
    assert place.ledger()["a2 two"] == 2
    assert "two on a[2-3]: runs again, though it may have run" in done.err
    assert place.show()["unknown"] == []


def test_unknown_skip(place: Place) -> None:
    """`--unknown skip` takes it for done without a result, and says so at the end; a third part does not ask again."""
    place.killed()
    done = place.resume("--unknown", "skip")
    assert done.code == 0, done.err
    assert done.err.rstrip().endswith("two on a[2-3]: taken for done without a result")
    assert done_once(place, *ONES, "a2 two", "a3 two", "a2 three 7", "a3 three 7")
    assert len(place.show()["taken_for_done"]) == 2
    again = place.resume()
    assert (again.code, again.out) == (0, "")
    assert "has nothing left to do" in again.err


def test_rerun_safe_needs_no_answer(place: Place) -> None:
    """A step with `rerun: safe` is run again without a word."""
    place.killed("safe")
    done = place.resume()
    assert done.code == 0, done.err
    assert done_once(place, *ONES, "a2 three 7", "a3 three 7")


def test_rerun_never_beats_the_command_line(place: Place) -> None:
    """A step with `rerun: never` is never run again, whatever --unknown says, and --rerun of it is refused."""
    place.killed("never")
    refused = place.resume("--rerun", "two")
    assert refused.code == 2
    assert "error[rerun-never]" in refused.err
    done = place.resume("--unknown", "rerun")
    assert done.code == 0, done.err
    assert done_once(place, *ONES, "a2 two", "a3 two", "a2 three 7")
    assert "two on a[2-3]: taken for done without a result" in done.err


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
def test_a_signal_and_resume(number: signal.Signals, code: int, place: Place) -> None:
    """A stopped run's journal is complete, it says how to go on, and what was stopped in its midst is asked about."""
    stopped = place.killed(number=number)
    assert stopped.code == code, stopped.err
    assert "resume with: runner resume " in stopped.err
    kinds = [record["type"] for record in place.records()]
    assert kinds[-1] == "finished"
    assert kinds.count("stopped") == 1
    assert place.show()["state"] == "stopped"
    done = place.resume("--unknown", "rerun")
    assert done.code == 0, done.err
    assert done_once(place, *ONES, "a2 three 7", "a3 three 7")


def test_a_run_that_goes_on_is_not_resumed(place: Place) -> None:
    """Two processes never run one run; the second is told which one does."""
    place.book(SLOW.replace("RERUN", "ask"))
    process = place.start()
    place.until(lambda: list(place.folder.glob("at.*")), "the second step")
    done = place.resume()
    assert done.code == 4
    assert "error[run-going-on]" in done.err
    assert str(process.pid) in done.err


def test_changes_are_refused_by_name(place: Place) -> None:
    """A changed playbook, script and inventory are named, and nothing is run."""
    place.book("steps:\n  - {id: one, target: all, file: one.sh}\n")
    (place.folder / "one.sh").write_text("exit 1\n", encoding="utf-8")
    assert place.run().code == 1
    (place.folder / "one.sh").write_text("echo ran >> ledger\n", encoding="utf-8")
    (place.folder / "hosts.json").write_text(HOSTS + "\n", encoding="utf-8")
    done = place.resume()
    assert done.code == 4
    assert "error[run-changed]" in done.err
    assert "script `one.sh`, inventory `hosts.json`" in " ".join(done.err.split())
    assert "playbook" not in done.err.split("hint:")[0].split("began:")[1]
    assert not (place.folder / "ledger").exists()
    assert place.resume("--allow-changed").code == 0
    assert place.ledger()["ran"] == 3


def test_allow_changed_keeps_what_is_the_same(place: Place) -> None:
    """Of a mended playbook only the step that was changed runs again, and it is said."""
    one = "{id: one, target: all, script: 'echo one >> ledger'}"
    place.book(f"steps:\n  - {one}\n  - {{id: two, target: all, script: 'echo two >> ledger; exit 1'}}\n")
    assert place.run().code == 1
    place.book(
        f"# mended\nsteps:\n  - {one}\n  - {{id: two, target: all, script: 'echo better >> ledger'}}\n"
    )
    done = place.resume("--allow-changed")
    assert done.code == 0, done.err
    assert place.ledger() == Counter({"one": 3, "two": 3, "better": 3})
    place.book(
        f"steps:\n  - {one.replace('echo one', 'echo uno')}\n  - {{id: two, target: all, script: 'true'}}\n"
    )
    done = place.resume("--allow-changed")
    assert done.code == 0, done.err
    assert "one on a[1-3]: runs again, as it or its host changed" in done.err
    assert place.ledger()["uno"] == 3


def test_an_input_that_is_another_now(place: Place) -> None:
    """Inputs come back as they were given; another value is a change, and named."""
    place.book(
        "inputs: {word: {type: string}}\n"
        "steps:\n  - {id: one, target: all, script: 'test -e free && echo $Using:word >> ledger'}\n"
    )
    assert place.run("-e", "word=blue").code == 1
    done = place.resume("-e", "word=red")
    assert done.code == 4
    assert "input `word`" in done.err
    (place.folder / "free").touch()
    assert place.resume().code == 0
    assert place.ledger() == Counter({"blue": 3})


def test_secret_inputs_are_asked_for_again(place: Place) -> None:
    """A secret is in no file of the record; without it the run is not gone on with, and with it it is."""
    place.book(
        "inputs: {word: {type: string, secret: true}}\n"
        "steps:\n  - {id: one, target: all, script: 'test -e free && echo $Using:word >> ledger'}\n"
    )
    assert place.run("-e", "word=xyzzy-plugh").code == 1
    for path in (place.folder / ".runner").rglob("*"):
        assert not path.is_file() or b"xyzzy" not in path.read_bytes()
    (place.folder / "free").touch()
    done = place.resume()
    assert done.code == 2
    assert "error[secret-not-given]" in done.err
    assert "-e word=..." in done.err
    assert place.resume("-e", "word=xyzzy-plugh").code == 0
    assert place.ledger() == Counter({"xyzzy-plugh": 3})


def test_a_result_that_held_a_secret(place: Place) -> None:
    """Who reads it is refused by name before anything runs, and --rerun of the step that registers it helps."""
    place.book(
        "inputs: {word: {type: string, secret: true}}\n"
        "steps:\n"
        "  - {id: fetch, target: all, script: 'echo $Using:word', register: token}\n"
        "  - {id: use, target: all, script: 'test -e free && echo ${Using:token.output[0]} >> ledger'}\n"
    )
    secret = ("-e", "word=xyzzy-plugh")
    assert place.run(*secret).code == 1
    (place.folder / "free").touch()
    done = place.resume(*secret)
    assert done.code == 4
    assert "error[resumed-secret]" in done.err
    told = " ".join(done.err.split())
    assert "`use` reads `token`, which step `fetch` registered" in told
    assert "--rerun fetch" in told
    done = place.resume(*secret, "--rerun", "fetch")
    assert done.code == 0, done.err
    assert place.ledger() == Counter({"xyzzy-plugh": 3})


def test_what_failed_runs_again_and_is_counted_once(place: Place) -> None:
    """A finished run with failures can be gone on with: only those hosts, and what was held back by them."""
    place.book(
        "steps:\n"
        "  - id: one\n    target: all\n"
        "    script: 'echo $Using:inventory_hostname >> ledger; test -e free || test $Using:inventory_hostname != a2'\n"
        "  - {id: two, target: all, script: 'echo two $Using:inventory_hostname >> ledger'}\n"
    )
    failed = place.run()
    assert failed.code == 1
    assert "resume with: runner resume " in failed.err
    (place.folder / "free").touch()
    done = place.resume()
    assert done.code == 0, done.err
    assert place.ledger() == Counter({"a1": 1, "a2": 2, "a3": 1, "two a1": 1, "two a2": 1, "two a3": 1})
    assert "6 results: 6 ok" in done.err
    assert place.show()["summary"]["hosts"]["ok"] == 3


def test_a_lost_session_is_told(place: Place) -> None:
    """The variables of a kept session do not come back, and it is said before the rest runs."""
    place.book(
        "sessions: {warm: {target: all}}\n"
        "steps:\n  - {id: one, session: warm, script: x=1}\n"
        "  - {id: two, session: warm, script: 'test -e free && echo \"x is $x\" >> ledger'}\n"
    )
    assert place.run().code == 1
    (place.folder / "free").touch()
    done = place.resume()
    assert done.code == 0, done.err
    assert "session warm is opened anew on a[1-3]: variables of earlier steps are gone" in done.err
    assert place.ledger() == Counter({"x is ": 3})


def test_the_moment_and_the_id_stay(place: Place) -> None:
    """`now()` and `run.id` are those of the run's beginning, and files are relative to where it began."""
    place.book(
        "steps:\n"
        "  - {id: one, target: all, script: 'echo ${Using:run.id} ${Using:run.started_at} >> ledger; test -e free'}\n"
    )
    assert place.run().code == 1
    (place.folder / "free").touch()
    (place.folder / "below").mkdir()
    done = in_a_process("resume", "last", "-o", "json=out.json", folder=place.folder / "below")
    assert done.code == 0, done.err
    assert list(place.ledger().values()) == [6]
    assert (place.folder / "below" / "out.json").exists()


def test_the_folder_is_gone(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the run began is part of it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    place.book("steps: [{id: one, script: exit 1}]\n")
    began = elsewhere / "began"
    began.mkdir()
    words = ("run", str(place.folder / "book.yml"), "--record", str(place.folder / ".runner"))
    assert in_a_process(*words, folder=began).code == 1
    began.rmdir()
    done = place.resume()
    assert done.code == 4
    assert "error[run-changed]" in done.err
    assert str(began) in done.err


def test_a_run_that_cannot_be_recorded(place: Place) -> None:
    """Without a record nothing is run, and the way out is said."""
    place.book("steps: [{id: one, script: touch ran}]\n")
    (place.folder / "file").touch()
    done = place.run("--record", "file/record")
    assert done.code == 2
    assert "error[journal-not-created]" in done.err
    assert "--record DIR" in done.err
    assert not (place.folder / "ran").exists()


def test_no_such_run(place: Place) -> None:
    """A run that there is not is refused."""
    done = place.type("resume", "2026")
    assert done.code == 2
    assert "error[unknown-run]" in done.err

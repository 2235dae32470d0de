"""`runner apply`: runs exactly what the plan file says, and refuses by name what has changed since it was made."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.planfile.build import digest_of
from tests.support.command_line import Done, Typed

BOOK = """\
version: 1
name: Apply
inputs:
  word: {type: string, default: plain}
  token: {type: string, secret: true, default: nothing-given}
targets: {all: {hosts: all}, some: {hosts: "a1,a2"}}
steps:
  - id: one
    target: all
    register: first
    script: echo "$Using:inventory_hostname $Using:word" >> ledger
  - id: two
    target: some
    file: two.sh
"""
HOSTS = """\
version: 1
connection: {transport: local}
hosts: {a1: {}, a2: {address: 10.0.0.2}, a3: {}}
"""


@pytest.fixture
def book(folder: Path, typed: Typed) -> Path:
    """A playbook, a script, an inventory, and their plan in p.plan."""
    (folder / ".runner").mkdir()
    (folder / "book.yml").write_text(BOOK, encoding="utf-8")
    (folder / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    (folder / "two.sh").write_text("echo two >> ledger\n", encoding="utf-8")
    assert typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan").code == 0
    return folder


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Changes a file."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def header(folder: Path) -> dict[str, Any]:
    """The first line of the only run's journal."""
    (journal,) = folder.glob(".runner/runs/*/journal.jsonl")
    found: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8").splitlines()[0])
    return found


def refused(done: Done, folder: Path) -> None:
    """It ended with 2, said so, and nothing ran or was recorded."""
    assert done.code == 2, done.err
    assert "nothing was run" in done.err
    assert not (folder / "ledger").exists()
    assert not list(folder.glob(".runner/runs/*"))


def test_apply_runs_the_plan(book: Path, typed: Typed) -> None:
    """Every assignment of the plan runs, in a new run whose record names the plan file by its digest."""
    document = json.loads((book / "p.plan").read_text(encoding="utf-8"))
    done = typed("apply", "p.plan", "-o", "plain")
    assert done.code == 0, done.err
    assert sorted((book / "ledger").read_text(encoding="utf-8").split("\n")) == sorted(
        ["a1 plain", "a2 plain", "a3 plain", "two", "two", ""]
    )
    assert f"plan file p.plan, digest {document['digest'][:12]}, made " in done.err
    recorded = header(book)
    assert recorded["options"]["more"]["plan_file"]["digest"] == document["digest"]
    assert recorded["plan"] == document["plan"]
    assert recorded["now"].removesuffix("+00:00") == document["now"].removesuffix("Z")
    assert recorded["started_at"] > recorded["now"]


def test_apply_gives_each_run_its_own_id(book: Path, typed: Typed) -> None:
    """A plan can be applied twice: two runs are recorded."""
    assert typed("apply", "p.plan", "-o", "quiet").code == 0
    assert typed("apply", "p.plan", "-o", "quiet").code == 0
    assert len(list(book.glob(".runner/runs/*"))) == 2


def test_apply_keeps_to_the_options_of_the_plan(book: Path, typed: Typed) -> None:
    """Limit, only and inputs of the planning are those of the run."""
    words = ("-l", "a2", "--only", "one", "-e", "word=given")
    assert typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan", *words).code == 0
    assert typed("apply", "p.plan", "-o", "quiet").code == 0
    assert (book / "ledger").read_text(encoding="utf-8") == "a2 given\n"


CHANGES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "playbook": (edit("book.yml", "name: Apply", "name: Apply  # again"), ["playbook `book.yml` changed"]),
    "script": (
        edit("two.sh", "two", "2"),
        ["script `two.sh` changed", "step `two` sends another script"],
    ),
    "script gone": (lambda folder: (folder / "two.sh").unlink(), ["script `two.sh` is gone"]),
    "script of the step": (
        edit("book.yml", "$Using:word", "$Using:word!"),
        ["playbook `book.yml` changed", "step `one` sends another script"],
    ),
    "step gone": (
        edit("book.yml", "  - id: two\n    target: some\n    file: two.sh\n", ""),
        ["step `two` is gone", "script `two.sh` is gone"],
    ),
    "step new": (
        edit("book.yml", "steps:\n", "steps:\n  - {id: zero, target: all, script: echo}\n"),
        ["step `zero` is new"],
    ),
    "step says": (
        edit("book.yml", "register: first", "register: first\n    timeout: 5m"),
        ["step `one` says something else"],
    ),
    "hosts of a step": (edit("book.yml", '"a1,a2"', '"a1,a3"'), ["step `two` has other hosts: without `a2`"]),
    "waves": (
        edit("book.yml", "register: first", "register: first\n    waves: [1, 100%]"),
        ["waves and limits changed"],
    ),
    "host gone": (
        edit("hosts.yml", ", a3: {}", ""),
        ["inventory `hosts.yml` changed", "host `a3` is gone", "step `one` has other hosts: without `a3`"],
    ),
    "host new": (
        edit("hosts.yml", "a3: {}", "a3: {}, a4: {}, a5: {}"),
        ["hosts `a[4-5]` are new"],
    ),
    "transport": (
        edit("hosts.yml", "10.0.0.2", "10.0.0.2, connection: {transport: ssh, user_name: eve}"),
        ["host `a2` has another transport: `ssh`, was `local`", "host `a2` has another user: `eve`"],
    ),
    "order of hosts": (
        edit("hosts.yml", "a1: {}, a2: {address: 10.0.0.2}", "a2: {address: 10.0.0.2}, a1: {}"),
        ["the order of the hosts changed"],
    ),
    "inventory gone": (
        lambda folder: (folder / "hosts.yml").unlink(),
        ["inventory `hosts.yml` is gone"],
    ),
    "default of an input": (
        edit("book.yml", "default: plain", "default: other"),
        ["input `word` has another value"],
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_changed_is_refused_by_name(kind: str, book: Path, typed: Typed) -> None:
    """Each kind of change ends with 2 and names what changed, and nothing runs."""
    change, told = CHANGES[kind]
    change(book)
    done = typed("apply", "p.plan", "-o", "plain")
    refused(done, book)
    assert "error[plan-changed]" in done.err
    for words in told:
        assert words in done.err


def test_an_input_given_now_that_was_not_is_refused(book: Path, typed: Typed) -> None:
    """`-e` cannot change what was approved."""
    done = typed("apply", "p.plan", "-e", "word=evil")
    refused(done, book)
    assert "input `word` has another value" in done.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("10.0.0.2", "10.0.0.9", "has another address: `10.0.0.9`, was `10.0.0.2`"),
        ("port: 22", "port: 2222", "has another port: `2222`, was `22`"),
        ("user_name: ops", "user_name: root", "has another user: `root`, was `ops`"),
        ("jump: bastion", "jump: eve", "has another jump: `eve`, was `bastion`"),
        ("port: 22", "port: 22, host_key_checking: accept_new", "is reached or spoken to in another way"),
    ],
)
def test_a_host_that_is_reached_otherwise_is_refused(
    old: str, new: str, told: str, book: Path, typed: Typed
) -> None:
    """Another address, port, user, way or setting of a host is named; nothing is connected to."""
    (book / "hosts.yml").write_text(
        "version: 1\nhosts: {a1: {}, a2: {}, far: {address: 10.0.0.2, connection: {transport: ssh, port: 22,"
        " user_name: ops, jump: bastion}}}\nconnection: {transport: local}\n",
        encoding="utf-8",
    )
    assert typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan").code == 0
    edit("hosts.yml", old, new)(book)
    done = typed("apply", "p.plan")
    refused(done, book)
    assert "inventory `hosts.yml` changed" in done.err
    assert f"host `far` {told}" in done.err


def test_refusals_are_told_as_json(book: Path, typed: Typed) -> None:
    """`-o json` gives the document of problems, with one for each difference."""
    edit("hosts.yml", ", a3: {}", "")(book)
    done = typed("apply", "p.plan", "-o", "json")
    assert done.code == 2
    found = json.loads(done.out)["problems"]
    assert {problem["code"] for problem in found} == {"plan-changed"}
    assert any("host `a3` is gone" in problem["message"] for problem in found)


def test_a_file_that_plays_no_part_may_change(book: Path, typed: Typed) -> None:
    """Only what the plan was made from counts."""
    (book / "README").write_text("new", encoding="utf-8")
    assert typed("apply", "p.plan", "-o", "quiet").code == 0


def test_a_secret_input_must_be_given_again(book: Path, typed: Typed) -> None:
    """Without it apply says how to give it; with it the plan runs."""
    words = ("-e", "token=correct-horse")
    assert typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan", *words).code == 0
    done = typed("apply", "p.plan")
    refused(done, book)
    assert "error[plan-secret]" in done.err
    assert "-e token=..." in done.err
    assert typed("apply", "p.plan", "-o", "quiet", *words).code == 0


def test_another_version_of_the_runner_is_a_warning(book: Path, typed: Typed) -> None:
    """The format is the same, so the plan runs, and the difference is told."""
    document = json.loads((book / "p.plan").read_text(encoding="utf-8"))
    document["runner"] = "0.0.9"
    document["digest"] = digest_of(document)
    (book / "p.plan").write_text(json.dumps(document), encoding="utf-8")
    done = typed("apply", "p.plan", "-o", "quiet")
    assert done.code == 0
    assert "warning[plan-version]: the plan was made by runner 0.0.9" in done.err


def test_a_forged_plan_runs_nothing(book: Path, typed: Typed) -> None:
    """A file with another script and a right digest is held against the playbook, and refused."""
    document = json.loads((book / "p.plan").read_text(encoding="utf-8"))
    document["steps"][0]["scripts"][0]["text"] = "echo harmless"
    document["digest"] = digest_of(document)
    (book / "p.plan").write_text(json.dumps(document), encoding="utf-8")
    done = typed("apply", "p.plan")
    refused(done, book)
    assert "step `one` says something else" in done.err


def test_a_plan_is_applied_from_another_folder(
    book: Path, typed: Typed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Relative paths are those of the folder where the plan was made; the record is found again by what is told."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    os.chdir(elsewhere)
    done = typed("apply", str(book / "p.plan"), "-o", "json=result.json")
    assert done.code == 0, done.err
    assert (book / "ledger").exists()
    assert (elsewhere / "result.json").exists()


def test_a_plan_is_applied_in_another_checkout(
    book: Path, typed: Typed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`--root` names the folder with the same files; the old one is gone."""
    checkout = tmp_path_factory.mktemp("ci") / "checkout"
    shutil.copytree(book, checkout)
    os.chdir(checkout)
    shutil.rmtree(book)
    done = typed("apply", "p.plan")
    assert done.code == 2
    assert "error[plan-root]" in done.err
    assert "`--root .`" in done.err
    done = typed("apply", "p.plan", "--root", ".", "-o", "plain")
    assert done.code == 0, done.err
    assert (checkout / "ledger").exists()
    book.mkdir()


def test_an_applied_run_can_be_resumed(book: Path, typed: Typed) -> None:
    """A run of a plan file that failed goes on like every other, without the plan file."""
    (book / "two.sh").write_text("test -e free\n", encoding="utf-8")
    assert typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan").code == 0
    assert typed("apply", "p.plan", "-o", "quiet").code == 1
    (book / "p.plan").unlink()
    (book / "free").touch()
    done = typed("resume", "last", "-o", "plain")
    assert done.code == 0, done.err
    assert len((book / "ledger").read_text(encoding="utf-8").splitlines()) == 3


def test_apply_can_check(book: Path, typed: Typed) -> None:
    """`--check` runs nothing that is not said to be harmless."""
    done = typed("apply", "p.plan", "--check", "-o", "plain")
    assert done.code == 0, done.err
    assert not (book / "ledger").exists()


def test_a_copied_file_is_part_of_the_plan(book: Path, typed: Typed) -> None:
    """What `copy` would take to hosts is compared; where its path comes of an expression, planning warns."""
    step = "  - {id: three, target: all, copy: {src: SRC, dest: '/nowhere/x'}}\n"
    (book / "app.conf").write_text("approved\n", encoding="utf-8")
    (book / "book.yml").write_text(BOOK + step.replace("SRC", "app.conf"), encoding="utf-8")
    done = typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan")
    assert (done.code, "copy-not-planned" in done.err) == (0, False)
    (book / "app.conf").write_text("slipped in\n", encoding="utf-8")
    done = typed("apply", "p.plan")
    refused(done, book)
    assert "copied file `app.conf` changed since the plan was made" in done.err
    (book / "app.conf").unlink()
    assert "copied file `app.conf` is gone" in typed("apply", "p.plan").err
    (book / "book.yml").write_text(BOOK + step.replace("SRC", "'{{ word }}.conf'"), encoding="utf-8")
    done = typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan")
    assert done.code == 0
    assert "warning[copy-not-planned]: step `three` copies" in done.err
    assert "warning[copy-not-planned]" in typed("plan", "show", "p.plan").out


def test_files_of_another_checkout_are_the_same_files(
    book: Path, typed: Typed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keys and known hosts that the inventory names beside itself are no difference where all of it has moved."""
    (book / "hosts.yml").write_text(
        "version: 1\nhosts: {a1: {}, a2: {}}\n"
        "connection: {transport: ssh, known_hosts: ./known, key_file_path: ./key}\n",
        encoding="utf-8",
    )
    assert typed("plan", "book.yml", "-i", "hosts.yml", "--out", "p.plan").code == 0
    checkout = tmp_path_factory.mktemp("ci") / "checkout"
    shutil.copytree(book, checkout)
    (checkout / "two.sh").write_text("echo 2\n", encoding="utf-8")
    os.chdir(checkout)
    done = typed("apply", "p.plan", "--root", ".")
    assert done.code == 2
    assert "script `two.sh` changed" in done.err
    assert "host" not in done.err

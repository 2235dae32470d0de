"""`runner plan --out` and `runner plan show`: what the one who approves gets to see, and what no file holds."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from runner.document.schema_validator import findings
from runner.planfile.build import digest_of
from tests.support.command_line import Typed

HOSTS = """\
version: 1
connection: {transport: local}
groups:
  web: {hosts: {"web[1:3]": {}}}
  db: {hosts: {db1: {address: 10.9.8.7, connection: {transport: ssh, user_name: ops, port: 2222}}}}
"""

BOOK = """\
version: 1
name: Patch
inputs:
  release: {type: string, default: "1.0"}
  token: {type: string, secret: true, default: hunter2hunter2}
targets: {web: {hosts: web}, db: {hosts: db}}
lock: run
steps:
  - id: stop
    target: web
    waves: [1, 100%]
    max_fail: 1
    script: echo stop $Using:release
  - id: open
    gate: {message: go on?, timeout: 1h, default: stop}
  - id: change
    target: db
    file: scripts/change.sh
"""


@pytest.fixture
def book(folder: Path) -> Path:
    """A playbook with waves, a gate, a lock and a script in a file of its own."""
    (folder / "book.yml").write_text(BOOK, encoding="utf-8")
    (folder / "prod.yml").write_text(HOSTS, encoding="utf-8")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "change.sh").write_text("echo changed with hunter2hunter2\n", encoding="utf-8")
    return folder


def plan(typed: Typed, folder: Path, *words: str) -> dict[str, Any]:
    """Write a plan file and read it."""
    done = typed("plan", "book.yml", "-i", "prod.yml", "--out", "p.plan", *words)
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads((folder / "p.plan").read_text(encoding="utf-8"))
    return document


def test_a_plan_file_has_all_that_decides(book: Path, typed: Typed) -> None:
    """Files with digests, options, hosts with addresses and groups, steps with scripts, waves and locks are in it."""
    document = plan(typed, book, "-e", "release=2.1", "-l", "web2,web1,db1")
    assert findings("plan", document) == []
    assert [(file["kind"], file["path"]) for file in document["files"]] == [
        ("playbook", "book.yml"),
        ("script", "scripts/change.sh"),
        ("inventory", "prod.yml"),
    ]
    assert document["options"]["limit"] == "web2,web1,db1"
    assert document["options"]["extras"] == {"release": "2.1"}
    hosts = {host["name"]: host for host in document["hosts"]}
    assert hosts["web1"]["groups"] == ["all", "web"]
    (way,) = hosts["db1"]["reached"]
    assert (way["address"], way["port"], way["user"], way["transport"]) == ("10.9.8.7", 2222, "ops", "ssh")
    stop, opened, change = document["steps"]
    assert [each["host"] for each in stop["assignments"]] == ["web1", "web2"]
    assert stop["scripts"][0]["text"] == "echo stop $Using:release"
    assert opened["kind"].startswith("gate")
    assert [each["host"] for each in change["assignments"]] == ["db1"]
    (policy,) = document["policies"]
    assert [wave["hosts"] for wave in policy["waves"]] == [["web1"], ["web2"]]
    assert document["locked"] == ["db1", "web1", "web2"]


def test_no_secret_is_in_a_plan_file(book: Path, typed: Typed) -> None:
    """A secret input, given or by default, is neither among the options nor in the text of a script that repeats it."""
    document = plan(typed, book)
    (script,) = document["steps"][2]["scripts"]
    assert script["text"] == "echo changed with ********\n"
    plan(typed, book, "-e", "token=correct-horse")
    text = (book / "p.plan").read_text(encoding="utf-8")
    assert "correct-horse" not in text
    assert json.loads(text)["options"]["secret_extras"] == ["token"]


def test_only_its_owner_reads_a_plan_file(book: Path, typed: Typed) -> None:
    """Mode 0600, over an older file with another one too, and nothing else is left in the folder."""
    (book / "p.plan").write_text("old", encoding="utf-8")
    (book / "p.plan").chmod(0o644)
    before = set(book.iterdir())
    plan(typed, book)
    assert stat.S_IMODE((book / "p.plan").stat().st_mode) == 0o600
    assert set(book.iterdir()) == before


def test_a_plan_that_cannot_be_written_is_told(book: Path, typed: Typed) -> None:
    """A missing folder ends with 2 and a code."""
    done = typed("plan", "book.yml", "-i", "prod.yml", "--out", "missing/p.plan")
    assert done.code == 2
    assert "error[plan-not-written]" in done.err


def test_planning_says_how_to_go_on(book: Path, typed: Typed) -> None:
    """The commands that show, sign and run the plan are told, with the secret inputs that must be given again."""
    done = typed("plan", "book.yml", "-i", "prod.yml", "--out", "p.plan", "-e", "token=correct-horse")
    assert "runner plan show p.plan\n" in done.err
    assert "ssh-keygen -Y sign -n runner-plan -f KEY p.plan\n" in done.err
    assert "runner apply p.plan -e token=...\n" in done.err


def test_a_plan_file_is_shown_for_approval(book: Path, typed: Typed) -> None:
    """Steps with folded hosts, every wave, the gate, the locks, addresses and digests; scripts whole with `-v`."""
    document = plan(typed, book)
    done = typed("plan", "show", "p.plan")
    assert done.code == 0
    for told in (
        "3 steps, 5 hosts, 5 assignments",
        document["digest"],
        "locks on the controller for the run: db1,web[1-3]",
        "db1 at 10.9.8.7",
        "on     web[1-3]  (3)",
        "wave 1 web1  (1)",
        "wave 2 web[2-3]  (2)",
        "gate: an approval for 1h, else stop",
        "stops  when more than 1 host fails",
        "script    scripts/change.sh  sha256 ",
    ):
        assert told in done.out
    assert "echo changed" not in done.out
    whole = typed("plan", "show", "p.plan", "-v").out
    assert "echo changed with ********" in whole
    assert "script: echo stop $Using:release" in whole


def test_a_plan_file_is_shown_as_json(book: Path, typed: Typed) -> None:
    """`-o json` gives the document itself."""
    document = plan(typed, book)
    assert json.loads(typed("plan", "show", "p.plan", "-o", "json").out) == document


def test_warnings_are_kept_for_the_one_who_approves(book: Path, typed: Typed) -> None:
    """What was told at planning time is in the file and shown."""
    document = plan(typed, book, "-l", "web")
    assert [each["code"] for each in document["warnings"]] == ["step-without-hosts"]
    assert "warning[step-without-hosts]" in typed("plan", "show", "p.plan").out


def test_a_hostile_file_does_not_reach_the_terminal(book: Path, typed: Typed) -> None:
    """A name with an escape sequence, in a file with a right digest, is shown harmless."""
    document = plan(typed, book)
    document["playbook"]["name"] = "fine\x1b[2Jgone"
    document["steps"][0]["scripts"][0]["text"] = "echo \x1b[8m"
    document["digest"] = digest_of(document)
    (book / "p.plan").write_text(json.dumps(document), encoding="utf-8")
    for words in ([], ["-v"]):
        done = typed("plan", "show", "p.plan", *words)
        assert done.code == 0
        assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is no JSON"),
        (b'{"kind": "runner-plan",\n  "version": }', "p.plan:2:14"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"[]", "it is no plan file"),
        (b'{"version": 1}', "it is no plan file"),
        (b'{"kind": "runner-plan", "version": 99}', "version `99`"),
        (b'{"kind": "runner-plan", "version": 1}', "breaks the rule `required`"),
        (b"[" * 200_000, "nested too deep"),
    ],
)
@pytest.mark.parametrize("words", [("plan", "show"), ("apply",)], ids=" ".join)
def test_what_is_no_plan_file_is_refused(
    words: tuple[str, ...], content: bytes, told: str, folder: Path, typed: Typed
) -> None:
    """Damaged and foreign files end with 2 and a code, at the place where there is one."""
    (folder / "p.plan").write_bytes(content)
    done = typed(*words, "p.plan")
    assert done.code == 2
    assert "error[plan-file]" in done.err
    assert told in done.err


def test_a_missing_plan_file_is_refused(typed: Typed) -> None:
    """No such file: 2, and nothing was run."""
    done = typed("apply", "none.plan")
    assert done.code == 2
    assert "error[plan-file]" in done.err
    assert done.err.count("nothing was run") == 1


def test_a_playbook_is_no_plan_file(book: Path, typed: Typed) -> None:
    """Who forgets to plan is told how a plan is made."""
    for words in (("apply",), ("plan", "show")):
        done = typed(*words, str(book))
        assert (done.code, done.out) == (2, "")
        assert "hint: `runner plan PLAYBOOK --out FILE` writes one" in done.err


def test_an_edited_plan_file_is_refused(book: Path, typed: Typed) -> None:
    """An address changed by hand does not fit the digest."""
    plan(typed, book)
    text = (book / "p.plan").read_text(encoding="utf-8")
    (book / "p.plan").write_text(text.replace("10.9.8.7", "10.6.6.6"), encoding="utf-8")
    done = typed("apply", "p.plan")
    assert done.code == 2
    assert "its digest does not fit" in done.err


def test_a_playbook_named_show_is_planned_by_its_folder(folder: Path, typed: Typed) -> None:
    """`show` is the command; `./show` is a playbook."""
    (folder / "show").write_text((folder / "hello.yml").read_text(encoding="utf-8"), encoding="utf-8")
    assert "greet" in typed("plan", "./show").out
    assert typed("plan", "show").code == 2

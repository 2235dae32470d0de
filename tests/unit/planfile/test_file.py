"""Plan files: whatever is edited in one is refused, and what is written is read again."""

from __future__ import annotations

import copy
import json
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli.plan_file import document_of
from runner.cli.prepare import Given, prepare
from runner.document.schema_validator import findings
from runner.errors import UsageError
from runner.planfile.build import digest_of
from runner.planfile.compare import differences
from runner.planfile.file import moment, parse_plan_file, write_plan_file
from runner.planfile.view import plan_file_lines
from runner.present.paint import text_of

BOOK = """\
version: 1
name: Whole
targets: {web: {hosts: web}}
pools: {api: 2}
steps:
  - block:
      - {id: inner, target: web, script: echo inner, retry: {attempts: 3, delay: 1s}, pool: api}
    id: outer
    rescue:
      - {id: mend, target: web, script: echo mend}
  - {id: roll, target: web, waves: [1, 100%], max_fail: 0, command: uptime, until: "true"}
  - {id: ask, gate: {message: on?, timeout: 1h, default: stop}}
"""
INVENTORY = (
    "version: 1\nconnection: {transport: ssh, jump: bastion}\ngroups: {web: {hosts: {'web[1:3]': {}}}}\n"
)


@cache
def document() -> dict[str, Any]:
    """The document of a plan with blocks, waves, pools and a gate."""
    with tempfile.TemporaryDirectory() as folder:
        book, hosts = Path(folder) / "book.yml", Path(folder) / "hosts.yml"
        book.write_text(BOOK, encoding="utf-8")
        hosts.write_text(INVENTORY, encoding="utf-8")
        given_ = Given(inventory=[str(hosts)])
        prepared = prepare(str(book), given_)
        assert prepared.plan is not None, [problem.message for problem in prepared.problems]
        return document_of(prepared, prepared.plan, given_, path=str(book))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all scalars."""
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]
    if isinstance(value, list):
        return [leaf for key, each in enumerate(value) for leaf in leaves(each, (*path, key))]
    return [path]


def edited(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The document with one scalar changed."""
    changed = copy.deepcopy(document())
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def other(value: Any) -> Any:
    """A value of the same type that is another one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    return "other"


def value_at(path: tuple[Any, ...]) -> Any:
    """What stands there."""
    found: Any = document()
    for key in path:
        found = found[key]
    return found


def test_a_whole_document_is_right_by_its_schema() -> None:
    """Blocks, waves, pools and gates are described; the digest is that of the rest."""
    assert findings("plan", document()) == []
    assert document()["digest"] == digest_of(document())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """The file holds the same document."""
    path = tmp_path / "p.plan"
    write_plan_file(str(path), document())
    assert parse_plan_file(path.read_bytes(), str(path)) == document()


@given(st.data())
def test_every_edit_is_refused(data: st.DataObject) -> None:
    """One scalar changed anywhere, and the file is refused, whatever it is."""
    path = data.draw(st.sampled_from(leaves(document())))
    changed = edited(path, other(value_at(path)))
    with pytest.raises(UsageError) as caught:
        parse_plan_file(json.dumps(changed).encode(), "p.plan")
    assert caught.value.code == "plan-file"


_NOT_COMPARED = {"digest", "runner", "warnings", "root", "plan", "check", "options", "kind", "version"}


@given(st.data())
def test_every_edit_with_a_new_digest_is_a_difference(data: st.DataObject) -> None:
    """Whoever makes a digest too is told apart from what there is: each scalar that decides is compared."""
    paths = [path for path in leaves(document()) if path[0] not in _NOT_COMPARED]
    path = data.draw(st.sampled_from(paths))
    assert differences(edited(path, other(value_at(path))), document()) != []


def test_a_document_does_not_differ_from_itself() -> None:
    """Nothing is told where nothing changed; where it was made does not count."""
    moved = {**document(), "root": "/elsewhere", "runner": "0.0.0", "warnings": [], "check": True}
    assert differences(document(), document()) == []
    assert differences(document(), moved) == []


def test_the_view_shows_all_that_is_asked_of_an_approval() -> None:
    """Blocks, waves, retries, pools, the gate and the way through a jump host; the age in days."""
    now = moment(document()["now"]) + timedelta(days=2, hours=1)
    text = "\n".join(map(text_of, plan_file_lines(document(), now=now)))
    for told in (
        "2 days 1h 00m ago",
        "through bastion: web[1-3]",
        "outer  block with rescue",
        "in     rescue of outer",
        "wave 1 web1  (1)",
        "stops  when any host fails",
        "retry  3 attempts",
        "takes  1 of api",
        "pool api of 2",
        "gate: an approval for 1h, else stop",
    ):
        assert told in text

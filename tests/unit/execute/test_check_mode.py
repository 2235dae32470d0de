"""`--check`: hosts are compared and never changed, and what is not known before the run is no error."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.engine.result import Difference, Status
from runner.execute.check_mode import NOT_KNOWN_YET, NOT_RUN
from tests.support.powershell_host import FakeWinrm
from tests.unit.execute.alone import Done, do
from tests.unit.execute.test_powershell_files import INVENTORY, Disk


async def check(folder: Path, steps: str, **more: object) -> Done:
    return await do(folder, steps, check=True, **more)  # type: ignore[arg-type]


def skipped(done: Done, step: str) -> str | None:
    result = done.result(step)
    assert (result.status, result.held_back, result.failure) == (Status.SKIPPED, False, None), result
    return result.skip_reason


@pytest.mark.parametrize(
    "body",
    [
        "script: 'touch %s'",
        "command: touch, args: ['%s']",
        "http: {url: 'http://localhost:1/'}",
        "gate: {that: 1 > 2}",
        "wait_for: {path: '%s', from: host}",
    ],
)
async def test_what_may_change_something_is_not_run(tmp_path: Path, body: str) -> None:
    """Each is a neutral skip with the reason; nothing is recorded as started but what may act."""
    path = tmp_path / "made"
    done = await check(tmp_path, f"- {{id: x, target: all, {body.replace('%s', str(path))}}}\n")
    assert skipped(done, "x") == NOT_RUN
    assert not path.exists()


async def test_what_only_reads_is_run(tmp_path: Path) -> None:
    """A step that its author calls `read_only` runs, and so do `assert`, `set_vars` and `fail`."""
    steps = """\
- {id: read, target: all, read_only: true, script: echo 3, register: seen}
- {id: set, target: all, set_vars: {n: "{{ seen.output[0] | int }}"}}
- {id: sure, target: all, assert: {that: n == 3}}
- {id: bad, target: all, fail: "{{ n }} is too much"}
"""
    done = await check(tmp_path, steps)
    assert [done.result(step).status for step in ("read", "set", "sure")] == [Status.OK] * 3
    assert done.message("bad") == "3 is too much"


async def test_what_reads_a_step_that_did_not_run_is_not_known(tmp_path: Path) -> None:
    """Conditions, templates, loops, `$Using:` and assertions over its result, by name and by `results`: all neutral."""
    steps = """\
- {id: make, target: all, script: echo 1, register: made}
- {id: when, target: all, read_only: true, when: "made.output[0] == '1'", script: exit 1}
- {id: using, target: all, read_only: true, script: 'exit ${Using:made.exit_code}'}
- {id: whole, target: all, read_only: true, script: 'echo $Using:results.made > /dev/null; exit 1', shell: python}
- {id: environment, target: all, read_only: true, script: exit 1, environment: {A: "{{ made.output }}"}}
- {id: loop, target: all, read_only: true, loop: made.output, script: exit 1}
- {id: each, target: all, read_only: true, loop: [1, 2], when: made.changed, script: exit 1}
- {id: sure, target: all, assert: {that: made.output | length == 7}}
- {id: results, target: all, assert: {that: results.made.a.status == 'failed'}}
- {id: defined, target: all, assert: {that: made is undefined}}
"""
    done = await check(tmp_path, steps)
    assert skipped(done, "make") == NOT_RUN
    for step in ("when", "using", "whole", "environment", "loop", "each", "sure", "results", "defined"):
        assert skipped(done, step) == NOT_KNOWN_YET, step


async def test_not_knowing_goes_on(tmp_path: Path) -> None:
    """What is made of an unknown value is unknown too: variables, and what reads those."""
    steps = """\
- {id: make, target: all, script: echo 1, register: made}
- {id: set, target: all, set_vars: {n: "{{ made.output[0] }}"}}
- {id: read, target: all, read_only: true, script: 'echo $Using:n', register: seen}
- {id: sure, target: all, assert: {that: "seen.output[0] == '1'"}}
- {id: other, target: all, assert: {that: number == 1}}
"""
    done = await check(tmp_path, steps)
    assert [skipped(done, step) for step in ("set", "read", "sure")] == [NOT_KNOWN_YET] * 3
    assert done.result("other").status is Status.OK


async def test_items_of_a_loop_are_not_run_either(tmp_path: Path) -> None:
    """A loop over known items is skipped with the reason of its items."""
    done = await check(tmp_path, "- {id: x, target: all, loop: [1, 2], script: exit 1}\n")
    assert skipped(done, "x") == NOT_RUN


async def test_that_something_would_change_is_known(tmp_path: Path) -> None:
    """Of an `ensure` that would set something `changed` is known, and what `set` would print is not."""
    steps = f"""\
- {{id: e, target: all, ensure: {{test: 'test -e {tmp_path}/f', set: 'touch {tmp_path}/f'}}, register: made}}
- {{id: follows, target: all, when: made.changed, assert: {{that: true}}}}
- {{id: reads, target: all, assert: {{that: 'made.output == []'}}}}
"""
    done = await check(tmp_path, steps)
    assert done.result("e").would_change
    assert done.result("follows").status is Status.OK
    assert skipped(done, "reads") == NOT_KNOWN_YET


async def test_errors_are_still_errors(tmp_path: Path) -> None:
    """A template that is wrong fails under --check as in a run."""
    done = await check(tmp_path, "- {id: x, target: all, set_vars: {n: '{{ 1 / 0 }}'}}\n")
    assert done.result().status is Status.FAILED


async def copied(folder: Path, content: str, *, more: str = "", **given: object) -> Done:
    steps = f"- {{id: x, target: all, copy: {{content: \"{content}\", dest: '{folder}/f'{more}}}}}\n"
    return await do(folder, steps, **given)  # type: ignore[arg-type]


async def test_copy_compares_and_writes_nothing(tmp_path: Path) -> None:
    """A file that is missing or differs would change, one that is the same would not; nothing is written."""
    assert (await copied(tmp_path, "new", check=True)).result().would_change
    assert not (tmp_path / "f").exists()
    (tmp_path / "f").write_text("old")
    result = (await copied(tmp_path, "new", check=True)).result()
    assert (result.status, result.would_change, result.difference) == (Status.CHANGED, True, None)
    assert result.output[0]["changed"]
    (tmp_path / "f").write_text("new")
    result = (await copied(tmp_path, "new", check=True)).result()
    assert (result.status, result.would_change) == (Status.OK, False)


async def test_copy_compares_mode_and_owner(tmp_path: Path) -> None:
    """A mode that differs would change although the content does not, with --diff the two modes; nothing is set."""
    (tmp_path / "f").write_text("same")
    (tmp_path / "f").chmod(0o600)
    done = await copied(tmp_path, "same", more=", mode: 0644", check=True, diff=True)
    assert done.result().would_change
    assert done.result().difference == Difference({"mode": "0600"}, {"mode": "0644"}, str(tmp_path / "f"))
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
    assert not (await copied(tmp_path, "same", more=", mode: 0600", check=True)).result().would_change


async def test_copy_into_a_directory_that_a_run_would_make(tmp_path: Path) -> None:
    """A missing directory is what an earlier step would make: the file would be new."""
    steps = f"- {{id: x, target: all, copy: {{content: a, dest: '{tmp_path}/no/such/f'}}}}\n"
    done = await check(tmp_path, steps, diff=True)
    assert done.result().would_change
    assert done.result().difference == Difference(None, "a", f"{tmp_path}/no/such/f")


@pytest.mark.parametrize("checking", [True, False])
async def test_a_difference_has_both_texts(tmp_path: Path, checking: bool) -> None:
    """With --diff the text before is read first, in a check and in a run; of a new file there is none before."""
    path = tmp_path / "f"
    done = await copied(tmp_path, "one\\n", check=checking, diff=True)
    assert done.result().difference == Difference(None, "one\n", str(path))
    path.write_text("one\ntwo\n")
    done = await copied(tmp_path, "one\\n", check=checking, diff=True)
    assert done.result().difference == Difference("one\ntwo\n", "one\n", str(path))
    assert path.read_text() == ("one\ntwo\n" if checking else "one\n")
    path.write_text("one\n")
    assert (await copied(tmp_path, "one\\n", check=checking, diff=True)).result().difference is None


@pytest.mark.parametrize("before", [b"\xff\xfe", b"a\0b", b"x" * ((1 << 20) + 1)])
async def test_what_is_no_short_text_is_told_by_its_digest(tmp_path: Path, before: bytes) -> None:
    """Bytes, a NUL and more than 1 MiB have no text: size and digest before and after are shown instead."""
    (tmp_path / "f").write_bytes(before)
    difference = (await copied(tmp_path, "text", check=True, diff=True)).result().difference
    assert difference is not None
    assert difference.before["bytes"] == len(before)
    assert difference.after["bytes"] == 4
    assert difference.before["sha256"] != difference.after["sha256"]


async def test_a_difference_shows_no_secret(tmp_path: Path) -> None:
    """What is masked in output is masked in what changes."""
    (tmp_path / "f").write_text("key=hunter22 old\n")
    done = await copied(tmp_path, "key=hunter22 new", check=True, diff=True, secrets=("hunter22",))
    assert done.result().difference is not None
    assert "hunter22" not in repr(done.result())


async def test_a_windows_host_is_compared_too(tmp_path: Path) -> None:
    """Over PowerShell the look and the text before come by the fixed scripts, and nothing is put."""
    disk = Disk(f=b"old\n")
    steps = "- {id: x, target: all, copy: {content: \"new\\n\", dest: 'C:\\data\\f.bin'}}\n"
    done = await check(
        tmp_path,
        steps,
        head="targets: {all: {hosts: win}}\n",
        inventory=INVENTORY,
        transports={"winrm": FakeWinrm({"win": disk.host()})},
        diff=True,
    )
    assert done.result("x", "win").would_change
    assert done.result("x", "win").difference == Difference("old\n", "new\n", "C:\\data\\f.bin")
    assert disk.files == {"C:\\data\\f.bin": b"old\n"}


async def test_what_only_reads_changes_nothing(tmp_path: Path) -> None:
    """A `read_only` step is never changed, whatever its `changed_when` says, in a check and in a run."""
    steps = "- {id: x, target: all, read_only: true, script: echo 1, changed_when: true}\n"
    for checking in (True, False):
        assert (await do(tmp_path, steps, check=checking)).result().status is Status.OK

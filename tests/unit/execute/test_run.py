"""Whole runs on this machine: what an author writes, what every host's result is."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from runner.engine.observe import AssignmentStarted, OutputReceived, RunEnded, RunStarted
from runner.engine.result import Status
from tests.unit.execute.running import run


def book(steps: str, head: str = "") -> str:
    """A playbook whose target `all` are the three hosts."""
    return "\n".join(
        [
            "version: 1",
            "name: x",
            dedent(head),
            "targets: {all: {hosts: [a, b, c]}}",
            "sessions: {warm: {target: all}, again: {target: all, on_loss: reopen}}",
            "steps:",
            dedent(steps),
        ]
    )


async def test_a_script_runs_on_every_host_and_its_output_comes_back(tmp_path: Path) -> None:
    """Lines of output, standard error apart, the exit code, and all events in order."""
    seen = await run(
        tmp_path, book("- {id: hello, target: all, script: 'echo hello; echo $Using:number; echo oops >&2'}")
    )
    result = seen.result("hello", "b")
    assert (result.status, result.exit_code) == (Status.OK, 0)
    assert (result.output, result.stderr) == (["hello", "2"], ["oops"])
    assert (seen.exit_code, result.transport, result.changed) == (0, "local", False)
    assert isinstance(seen.events[0], RunStarted)
    assert isinstance(seen.events[-1], RunEnded)
    assert {e.host for e in seen.events if isinstance(e, AssignmentStarted)} == {"a", "b", "c"}
    told = [(e.stream, e.text) for e in seen.events if isinstance(e, OutputReceived) and e.host == "b"]
    assert sorted(told) == [("stderr", "oops\n"), ("stdout", "2\n"), ("stdout", "hello\n")]


async def test_results_feed_the_next_step_and_the_report(tmp_path: Path) -> None:
    """A host reads its own result; a local step reads all of them as typed data, in inventory order."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: count, target: all, output: json, register: counts, script: 'echo "{\\"n\\": $Using:number}"'}
            - {id: own, target: all, script: 'echo $Using:n', using: {n: "{{ counts.output.n * 10 }}"}}
            - id: report
              needs: [{step: count, wait: all}]
              target: local
              shell: python
              script: |
                print([(host, r["output"]["n"]) for host, r in $Using:results.counts.items()])
            """
        ),
    )
    assert seen.result("own", "c").output == ["30"]
    assert seen.result("report", "localhost").output == ["[('a', 1), ('b', 2), ('c', 3)]"]


async def test_a_failure_on_one_host_stops_nobody_else(tmp_path: Path) -> None:
    """The host fails, its later steps are held back with the reason, `run_if` steps act, the others go on."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: work, target: all, script: 'test $Using:number != 2 || { echo broken >&2; exit 3; }'}
            - {id: more, target: all, script: 'true'}
            - {id: mend, target: all, needs: [work], run_if: failure, script: 'echo mended'}
            - {id: tidy, target: all, needs: [more, mend], run_if: always, script: 'true'}
            """
        ),
    )
    work = seen.result("work", "b")
    assert (work.status, work.exit_code, work.errors[0].message) == (Status.FAILED, 3, "broken")
    assert work.failure is not None
    assert (work.failure.code, work.failure.may_have_run) == ("exit-code", True)
    more = seen.result("more", "b")
    assert (more.status, more.held_back, more.skip_reason) == (Status.SKIPPED, True, "`work` did not succeed")
    assert [seen.result("mend", h).status for h in "abc"] == [Status.SKIPPED, Status.OK, Status.SKIPPED]
    assert [seen.result("tidy", h).status for h in "abc"] == [Status.OK] * 3
    assert seen.exit_code == 1
    assert seen.summary is not None
    assert seen.summary.hosts == {Status.OK: 2, Status.FAILED: 1}


async def test_conditions_decide_what_counts(tmp_path: Path) -> None:
    """`failed_when` replaces the exit code's rule, `changed_when` makes a change, `ignore_errors` forgives."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: grep, target: all, script: 'exit 1', failed_when: result.exit_code > 1}
            - {id: looks, target: all, script: 'echo fatal', failed_when: "'fatal' in result.output"}
            - {id: moves, target: all, needs: [grep], script: 'echo moved', changed_when: "'moved' in result.output"}
            - {id: hopes, target: all, needs: [moves], script: 'exit 9', ignore_errors: true}
            - {id: after, target: all, needs: [hopes], script: 'true'}
            - {id: typo, target: all, needs: [after], script: 'true', failed_when: 'result.output[0] > 1'}
            """
        ),
    )
    assert seen.result("grep").status is Status.OK
    assert seen.result("looks").status is Status.FAILED
    assert (seen.result("moves").status, seen.result("moves").changed) == (Status.CHANGED, True)
    hopes = seen.result("hopes")
    assert (hopes.status, hopes.ignored, hopes.bad) == (Status.FAILED, True, False)
    assert seen.result("after").status is Status.OK
    typo = seen.result("typo")
    assert (typo.status, typo.failure is not None and typo.failure.may_have_run) == (Status.FAILED, True)


async def test_when_is_asked_a_host_at_a_time_on_its_own_results(tmp_path: Path) -> None:
    """A false `when` skips that host neutrally and says which expression it was."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: look, target: all, register: look, script: 'echo $Using:number'}
            - {id: act, target: all, when: ["look is succeeded", "look.output[0] | int > 1"], script: 'true'}
            - {id: next, target: all, script: 'true'}
            """
        ),
    )
    act = seen.result("act")
    assert (act.status, act.held_back) == (Status.SKIPPED, False)
    assert act.skip_reason == "`when` is false: `look.output[0] | int > 1`"
    assert [seen.result("act", h).status for h in "bc"] == [Status.OK] * 2
    assert seen.result("next").status is Status.OK


async def test_loops_run_all_items_and_fail_once(tmp_path: Path) -> None:
    """Items in order with `item` and `loop`, one failed item fails the host and stops no other item."""
    seen = await run(
        tmp_path,
        book(
            """\
            - id: each
              target: a
              loop: [x, bad, z]
              register: each
              script: 'echo "$Using:loop.index:$Using:item"; test "$Using:item" != bad'
              ignore_errors: true
            - id: sees
              target: a
              script: 'echo $Using:words'
              using: {words: "{{ each.results | map(attribute='status') | join(',') }}"}
            - {id: none, target: a, loop: "{{ [] }}", script: 'true'}
            - {id: some, target: a, loop: [1, 2, 3], when: item > 1, script: 'echo $Using:item'}
            - {id: wide, target: a, loop: {over: "{{ range(8) }}", throttle: 4}, script: 'echo $Using:item'}
            """.replace("$Using:loop.index", "${Using:loop.index}")
        )
        .replace("target: a,", "hosts: a,")
        .replace("target: a\n", "hosts: a\n"),
    )
    each = seen.result("each")
    assert [item.status for item in each.items] == [Status.OK, Status.FAILED, Status.OK]
    assert each.output == ["1:x", "2:bad", "3:z"]
    assert seen.result("sees").output == ["ok,failed,ok"]
    assert seen.result("none").skip_reason == "`loop` has no items"
    assert [item.status for item in seen.result("some").items] == [Status.SKIPPED, Status.OK, Status.OK]
    assert seen.result("wide").output == [str(number) for number in range(8)]


async def test_a_failed_item_fails_the_host_with_a_count(tmp_path: Path) -> None:
    """The failure says how many of how many, and the first reason."""
    seen = await run(tmp_path, book("- {id: each, hosts: a, loop: [0, 4, 0], script: 'exit $Using:item'}"))
    each = seen.result("each")
    assert each.status is Status.FAILED
    assert each.failure is not None
    assert each.failure.message == "1 of 3 items failed: the script ended with exit code 4"


async def test_a_session_keeps_variables_and_a_target_does_not(tmp_path: Path) -> None:
    """Kept interpreters remember; fresh ones begin anew."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: set, session: warm, script: 'kept=$Using:number'}
            - {id: get, session: warm, script: 'echo "[${kept-}]"'}
            - {id: other, target: all, script: 'echo "[${kept-}]"'}
            - {id: prog, session: warm, command: printenv, args: [COLOUR], environment: {COLOUR: "red {{ number }}"}}
            """
        ),
    )
    assert [seen.result("get", host).output for host in "abc"] == [["[1]"], ["[2]"], ["[3]"]]
    assert seen.result("other").output == ["[]"]
    assert seen.result("prog", "b").output == ["red 2"]
    assert (seen.result("get").session, seen.result("other").session) == ("warm", None)


async def test_a_session_that_is_lost_is_told_and_on_loss_decides(tmp_path: Path) -> None:
    """`exit` ends the session with that code: by default the next step fails, with `reopen` it begins anew."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: set, session: warm, script: 'kept=1; exit 0'}
            - {id: get, session: warm, script: 'echo "[${kept-}]"', ignore_errors: true}
            - {id: set2, session: again, script: 'kept=1; exit 0'}
            - {id: get2, session: again, script: 'echo "[${kept-}]"'}
            """
        ),
    )
    assert (seen.result("set").status, seen.result("set").session_lost) == (Status.OK, True)
    get = seen.result("get")
    assert get.failure is not None
    assert (get.failure.code, get.failure.may_have_run) == ("session-lost", False)
    assert "`set`" in get.failure.message
    assert seen.result("get2").output == ["[]"]


async def test_parallel_steps_on_one_session_take_turns(tmp_path: Path) -> None:
    """Steps without an order between them share the interpreter one after another, in file order."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: one, session: warm, needs: [], script: 'log="${log-}1"; sleep 0.05'}
            - {id: two, session: warm, needs: [], script: 'log="${log-}2"'}
            - {id: three, session: warm, needs: [], script: 'log="${log-}3"; echo "$log"'}
            """
        ),
    )
    assert [seen.result("three", host).output for host in "abc"] == [["123"]] * 3


async def test_a_command_is_argv_without_a_shell(tmp_path: Path) -> None:
    """Arguments arrive as they are; a program that is not there says so."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: echo, hosts: a, command: printf, args: ['%s|', '$HOME', 'a b', 7, true, null, "*"]}
            - {id: gone, hosts: a, command: no-such-program-here}
            """
        ),
    )
    assert seen.result("echo").output == ["$HOME|a b|7|true||*|"]
    gone = seen.result("gone")
    assert gone.failure is not None
    assert gone.failure.hints[0].endswith("the host has no program `no-such-program-here`")


async def test_input_environment_directory_and_arguments(tmp_path: Path) -> None:
    """What a step gives its script arrives typed as the language says."""
    (tmp_path / "dir").mkdir()
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: all
              hosts: a
              shell: python
              args: [1, two, {{three: 3}}]
              environment: {{WHO: "{{{{ inventory_hostname }}}}", N: 5}}
              working_directory: {tmp_path}/dir
              input_object: [line, {{json: true}}]
              output: json
              script: |
                import json, os, sys
                print(json.dumps([args, os.environ["WHO"], os.environ["N"], os.getcwd(), sys.stdin.read()]))
            - {{id: no, hosts: a, working_directory: {tmp_path}/nowhere, script: 'true'}}
            """
        ),
    )
    assert seen.result("all").output == [
        [1, "two", {"three": 3}],
        "a",
        "5",
        str((tmp_path / "dir").resolve()),
        'line\n{"json": true}\n',
    ]
    no = seen.result("no")
    assert no.failure is not None
    assert no.failure.code == "working-directory"


async def test_assertions_name_what_does_not_hold(tmp_path: Path) -> None:
    """All expressions are looked at, nothing is sent, the message is the author's where there is one."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: fine, target: all, assert: {that: "number > 0"}}
            - {id: some, target: all, assert: {that: ["number < 3", "number != 3"]}}
            - {id: said, hosts: c, needs: [fine], assert: {that: "number < 3", message: "too many: {{ number }}"}}
            """
        ),
    )
    assert [seen.result("fine", host).status for host in "abc"] == [Status.OK] * 3
    some = seen.result("some", "c").failure
    assert some is not None
    assert some.message == "these do not hold: `number < 3`, `number != 3`"
    assert not some.may_have_run
    said = seen.result("said", "c").failure
    assert said is not None
    assert said.message == "too many: 3"


async def test_copy_and_fetch_as_steps(tmp_path: Path) -> None:
    """A file goes out with a template in its place, changes once, and comes back below the host's directory."""
    (tmp_path / "motd").write_text("welcome\n")
    seen = await run(
        tmp_path,
        book(
            f"""\
            - {{id: put, target: all, copy: {{src: motd, dest: "{tmp_path}/etc-{{{{ number }}}}", mode: 0640}}}}
            - {{id: again, target: all, copy: {{src: motd, dest: "{tmp_path}/etc-{{{{ number }}}}", mode: 0640}}}}
            - {{id: text, hosts: a, copy: {{content: "n={{{{ number }}}}\\n", dest: {tmp_path}/text}}}}
            - {{id: take, target: all, register: taken, fetch: {{src: "{tmp_path}/etc-{{{{ number }}}}", dest: back}}}}
            """
        ),
    )
    assert [seen.result("put", host).status for host in "abc"] == [Status.CHANGED] * 3
    assert [seen.result("again", host).status for host in "abc"] == [Status.OK] * 3
    assert ((tmp_path / "etc-2").read_text(), (tmp_path / "etc-2").stat().st_mode & 0o777) == (
        "welcome\n",
        0o640,
    )
    assert (tmp_path / "text").read_text() == "n=1\n"
    fetched = tmp_path / "back" / "b" / str(tmp_path / "etc-2").lstrip("/")
    assert fetched.read_text() == "welcome\n"
    assert seen.result("take", "b").output[0]["dest"] == str(fetched)


async def test_output_that_is_no_json_fails_and_is_still_shown(tmp_path: Path) -> None:
    """A decoding error is the failure; what came is there as lines."""
    seen = await run(tmp_path, book("- {id: bad, hosts: a, output: json, script: 'echo not json'}"))
    bad = seen.result("bad")
    assert bad.failure is not None
    assert (bad.status, bad.failure.code, bad.output) == (Status.FAILED, "output-not-json", ["not json"])


async def test_long_output_is_kept_in_a_file(tmp_path: Path) -> None:
    """Past the memory limit the result has the beginning and the name of the file with all of it."""
    script = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99; echo end"
    seen = await run(
        tmp_path,
        book(f'- {{id: long, hosts: a, script: "{script}"}}'.replace("\\0", "\\\\0")),
        output_dir=tmp_path / "out",
    )
    long = seen.result("long")
    assert long.truncated
    assert long.output_file is not None
    assert Path(long.output_file).read_text().splitlines()[-1].endswith("end")
    assert len(long.output) < 20_000


async def test_a_script_may_be_a_template(tmp_path: Path) -> None:
    """`template: true` pastes, and references still arrive as data."""
    seen = await run(
        tmp_path,
        book("- {id: t, hosts: b, template: true, script: 'echo {{ number + 1 }} $Using:number'}"),
    )
    assert seen.result("t", "b").output == ["3 2"]


async def test_a_value_that_a_shell_cannot_hold_fails_that_host_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    """The other hosts go on; the failure says that nothing ran."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: x, target: all, script: 'echo $Using:v', using: {v: "{{ [1] if number == 2 else 'fine' }}"}}
            """
        ),
    )
    assert [seen.result("x", host).status for host in "abc"] == [Status.OK, Status.FAILED, Status.OK]
    failure = seen.result("x", "b").failure
    assert failure is not None
    assert (failure.code, failure.phase, failure.may_have_run) == ("value-type", "send", False)


async def test_a_session_that_is_reset_begins_each_step_anew(tmp_path: Path) -> None:
    """`reset: step` keeps the connection and nothing of the interpreter."""
    text = book(
        """\
        - {id: set, session: clean, script: 'kept=1; echo $$'}
        - {id: get, session: clean, script: 'echo "[${kept-}]"'}
        """
    ).replace("sessions: {", "sessions: {clean: {target: all, reset: step}, ")
    seen = await run(tmp_path, text)
    assert [seen.result("get", host).output for host in "abc"] == [["[]"]] * 3


async def test_an_idle_session_is_closed_and_on_loss_decides(tmp_path: Path) -> None:
    """After `idle_close` without use the interpreter ends; the next step fails by name, or gets a new one."""
    seen = await run(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {one: {hosts: [a]}}
        sessions:
          strict: {target: one, idle_close: 100ms}
          soft: {target: one, idle_close: 100ms, on_loss: reopen}
          busy: {target: one, idle_close: 1h}
        steps:
          - {id: s1, session: strict, script: 'v=1'}
          - {id: s2, session: soft, script: 'v=1'}
          - {id: s3, session: busy, script: 'v=1'}
          - {id: wait, target: one, script: 'sleep 0.5'}
          - {id: e1, session: strict, ignore_errors: true, script: 'echo $v'}
          - {id: e2, session: soft, script: 'echo "[$v]"'}
          - {id: e3, session: busy, script: 'echo "[$v]"'}
        """,
    )
    lost = seen.result("e1", "a")

    assert lost.failure is not None
    assert ("session-lost", False) == (lost.failure.code, lost.failure.may_have_run)
    assert "being idle for 100ms" in lost.failure.message
    assert (["[]"], ["[1]"]) == (seen.result("e2", "a").output, seen.result("e3", "a").output)

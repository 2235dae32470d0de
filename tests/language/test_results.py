"""language.md, "Results", "Failure", "Loop", "Time" and "Throttle"."""

from __future__ import annotations

import json

import pytest

from tests.language.author import Author

FIELDS = {
    *("status", "changed", "output", "stderr", "errors", "warnings", "verbose", "debug", "information"),
    *("progress", "exit_code"),
}


def test_fields_of_a_result(author: Author) -> None:
    """A registered result has exactly the fields of the language; with `loop` also `results`."""
    ran = author.run(
        """
        steps:
          - {id: one, register: r, script: 'echo o; echo e >&2'}
          - {id: many, register: m, loop: [a, b], script: 'echo $Using:item'}
          - {id: no, register: n, when: false, script: 'true'}
          - id: look
            shell: python
            output: json
            script: |
              import json
              print(json.dumps([$Using:r, $Using:m, $Using:n]))
        """
    )
    one, many, no = ran.output("look")
    assert set(one) == FIELDS
    assert set(many) == FIELDS | {"results"}
    assert (one["status"], one["changed"], one["output"], one["stderr"], one["exit_code"]) == (
        "ok",
        False,
        ["o"],
        ["e"],
        0,
    )
    assert [(item["item"], item["output"]) for item in many["results"]] == [("a", ["a"]), ("b", ["b"])]
    assert many["output"] == ["a", "b"]
    assert (no["status"], no["output"]) == ("skipped", [])


def test_own_result_and_all_results(author: Author) -> None:
    """`N` is the host's own result, `results.N` a mapping of hosts in inventory order."""
    ran = author.run(
        """
        steps:
          - {id: one, hosts: pair, register: r, script: 'echo $Using:inventory_hostname'}
          - {id: own, hosts: pair, when: "r.output == [inventory_hostname]", script: 'echo ${Using:r.output[0]}'}
          - id: all
            needs: [one]
            shell: python
            script: print(list($Using:results.r), $Using:results.r["b"]["output"])
        """
    )
    assert (ran.output("own", "a"), ran.output("own", "b")) == (["a"], ["b"])
    assert ran.output("all") == ["['a', 'b'] ['b']"]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("- {id: two, needs: [], when: r is succeeded, hosts: pair, script: 'true'}", "unordered-result"),
        ("- {id: two, needs: [], hosts: pair, script: 'echo ${Using:r.status}'}", "unordered-result"),
        ("- {id: two, hosts: pair, shell: python, script: 'print($Using:results.r)'}", "unordered-result"),
        ("- {id: two, hosts: pair, when: results.r | length > 1, script: 'true'}", "unordered-result"),
        ("- {id: two, shell: python, script: 'print($Using:r)'}", "result-of-other-hosts"),
        ("- {id: two, when: r is succeeded, script: 'true'}", "result-of-other-hosts"),
        ("- {id: two, when: results.q | length > 1, script: 'true'}", "unknown-result"),
        (
            "- {id: two, hosts: pair, needs: [{step: one, wait: all}], when: results.r | length > 1, script: 'true'}",
            None,
        ),
        (
            "- {id: two, hosts: pair, needs: [{step: one, wait: same}], when: r is succeeded, script: 'true'}",
            None,
        ),
        ("- {id: two, hosts: c, when: results.r | length > 1, script: 'true'}", None),
        (
            (
                "- {id: mid, hosts: pair, script: 'true'}\n  - {id: two, hosts: pair, when: r is succeeded,"
                " script: 'true'}"
            ),
            None,
        ),
        (
            "- {id: mid, script: 'true'}\n  - {id: two, hosts: pair, when: results.r | length > 1, script: 'true'}",
            None,
        ),
    ],
)
def test_readers_must_be_ordered(author: Author, steps: str, code: str | None) -> None:
    """A reader of `N` has that step upstream, a reader of `results.N` an edge that waits for all hosts."""
    ran = author.run(f"steps:\n  - {{id: one, hosts: pair, register: r, script: 'true'}}\n  {steps}\n")
    if code is None:
        assert ran.code == 0, ran.document
        assert ran.status("two", ran.results[-1]["host"]) == "ok"
    else:
        problem = ran.only_problem()
        assert (problem["code"], problem["line"]) == (code, 4)
        if code == "result-of-other-hosts":
            assert "results.r" in " ".join(problem["hints"])


@pytest.mark.parametrize(
    ("output", "script", "value"),
    [
        ("lines", "echo a; echo; printf b", ["a", "", "b"]),
        ("text", "echo a; echo b", "a\nb\n"),
        ("json", "echo '{\"a\": [1]}'", {"a": [1]}),
        ("jsonl", "echo 1; echo '{\"a\": 2}'", [1, {"a": 2}]),
        ("objects", "echo 1; echo '{\"a\": 2}'", [1, {"a": 2}]),
        ("LINES", "echo a", ["a"]),
    ],
)
def test_output(author: Author, output: str, script: str, value: object) -> None:
    """`output` reads standard output as lines, text, JSON or JSON lines; `objects` means `jsonl` here."""
    ran = author.run(f"steps:\n  - {{id: x, output: {output}, script: {json.dumps(script)}}}\n")
    assert ran.output("x") == value


@pytest.mark.parametrize("output", ["json", "jsonl", "objects"])
def test_output_that_cannot_be_read(author: Author, output: str) -> None:
    """Output that is not what was promised fails the host, says that the script ran, and keeps the exit code."""
    ran = author.run(f"steps:\n  - {{id: x, output: {output}, script: 'echo no json'}}\n")
    result = ran.result("x")
    assert (result["status"], result["exit_code"], result["failure"]["may_have_run"]) == ("failed", 0, True)


@pytest.mark.parametrize(
    ("shell", "script"),
    [
        ("sh", "exit 3"),
        ("bash", "exit 3"),
        ("python", "import sys; sys.exit(3)"),
        ("sh", "kill -TERM $$"),
        ("python", "1 / 0"),
    ],
)
def test_what_fails(author: Author, shell: str, script: str) -> None:
    """A non-zero exit, a signal and an exception fail the host; the text on standard error is kept."""
    ran = author.run(f"steps:\n  - {{id: x, shell: {shell}, script: '{script}'}}\n")
    result = ran.result("x")
    assert (ran.code, result["status"], result["failure"]["may_have_run"]) == (1, "failed", True)
    if "3" in script:
        assert result["exit_code"] == 3
    if "kill" in script:
        assert result["signal"] in {"TERM", "SIGTERM", 15}


def test_standard_error_alone_is_no_failure(author: Author) -> None:
    """Text on standard error with exit 0 is ok, and stands in `stderr`."""
    ran = author.run("steps:\n  - {id: x, script: 'echo oops >&2'}\n")
    assert (ran.status("x"), ran.result("x")["stderr"]) == ("ok", ["oops"])


def test_failed_when_replaces_the_rules(author: Author) -> None:
    """`failed_when` decides alone: exit 1 may be fine and exit 0 a failure; a list means and."""
    ran = author.run(
        """
        steps:
          - {id: fine, failed_when: result.exit_code > 1, script: 'exit 1'}
          - {id: never, failed_when: false, script: 'exit 9'}
          - {id: both, failed_when: [result.exit_code == 0, "'x' in result.output"], script: 'echo y'}
          - {id: registered, register: reg, failed_when: "'bad' in result.stderr", script: 'exit 4'}
          - {id: bad, failed_when: "'bad' in result.output", script: 'echo bad'}
        """
    )
    assert [r["status"] for r in ran.results] == ["ok", "ok", "ok", "ok", "failed"]
    assert ran.result("bad")["failure"]["code"] == "failed-when"
    assert ran.result("fine")["exit_code"] == 1


def test_failed_when_takes_no_timeout(author: Author) -> None:
    """`failed_when: false` makes no success of a step that timed out."""
    ran = author.run("steps:\n  - {id: x, failed_when: false, timeout: 200ms, script: 'sleep 9'}\n")
    assert ran.status("x") == "timed_out"


def test_changed_when(author: Author) -> None:
    """A script is unchanged unless `changed_when` says so; a failed step stays failed."""
    ran = author.run(
        """
        steps:
          - {id: plain, script: 'true'}
          - {id: always, changed_when: true, script: 'true'}
          - {id: seen, changed_when: "'new' in result.output", script: 'echo new'}
          - {id: unseen, changed_when: "'new' in result.output", script: 'echo old'}
          - {id: command, command: 'true'}
          - {id: bad, changed_when: true, script: 'exit 1'}
        """
    )
    assert [r["status"] for r in ran.results] == ["ok", "changed", "changed", "ok", "ok", "failed"]


def test_ignore_errors_may_be_a_template(author: Author) -> None:
    """`ignore_errors` takes a template over the step's own `result`."""
    ran = author.run(
        """
        steps:
          - {id: x, ignore_errors: '{{ result.exit_code == 3 }}', script: 'exit 3'}
          - {id: y, ignore_errors: '{{ result.exit_code == 4 }}', script: 'exit 3'}
        """
    )
    assert (ran.result("x")["ignored"], ran.result("y")["ignored"], ran.code) == (True, False, 1)


def test_one_host_never_stops_another(author: Author) -> None:
    """A failure on one host is that host's; the others run on, also through later steps."""
    ran = author.run(
        """
        steps:
          - {id: one, hosts: 'pair:solo', throttle: 1, script: '[ $Using:inventory_hostname != a ]'}
          - {id: two, hosts: 'pair:solo', script: 'true'}
        """
    )
    assert [ran.status("two", h) for h in "abc"] == ["skipped", "ok", "ok"]
    assert ran.code == 1


def test_loops_run_all_items(author: Author) -> None:
    """Items run in order, one after another; all run; one that failed fails the host; `when` sees the item."""
    ran = author.run(
        """
        steps:
          - {id: x, loop: [1, 2, 3], script: 'echo $Using:item >> order; [ $Using:item != 1 ]'}
          - {id: y, needs: [], loop: [1, 2, 3], when: item != 2, script: 'echo $Using:item'}
          - {id: z, needs: [], loop: [1, 2], ignore_errors: true, script: 'exit 1'}
          - {id: m, needs: [], loop: '{{ {"a": 1}.items() | list }}',
             script: 'echo "${Using:item[0]} ${Using:item[1]}"'}
        """
    )
    assert (author.folder / "order").read_text().split() == ["1", "2", "3"]
    x = ran.result("x")
    assert x["status"] == "failed"
    assert [i["status"] for i in x["items"]] == ["failed", "ok", "ok"]
    assert [i["item"] for i in x["items"]] == [1, 2, 3]
    assert "1 of 3" in x["failure"]["message"]
    assert [i["status"] for i in ran.result("y")["items"]] == ["ok", "skipped", "ok"]
    assert ran.output("y") == ["1", "3"]
    assert ran.status("z") in {"ok", "failed"}
    assert ran.output("m") == ["a 1"]


def test_a_loop_with_a_throttle(author: Author) -> None:
    """`loop: {over, throttle}` runs as many items at once as it says: two that wait for each other end."""
    wait = "touch here$Using:item; until test -e here1 && test -e here2; do sleep 0.02; done"
    ran = author.run(
        f"steps:\n  - {{id: x, timeout: 20s, loop: {{over: [1, 2], throttle: 2}}, script: '{wait}'}}\n"
    )
    assert ran.code == 0


def test_a_loop_over_results(author: Author) -> None:
    """A loop over results is expanded in the run, and stands with an unknown count in the plan."""
    text = """
        steps:
          - {id: one, register: r, script: 'echo a; echo b'}
          - {id: two, loop: r.output, script: 'echo "<$Using:item>"'}
        """
    assert author.run(text).output("two") == ["<a>", "<b>"]
    author.write("p.yml", "version: 1\n" + text.replace("\n        ", "\n"))
    assert "\N{MULTIPLICATION SIGN} ?" in author.type("plan", "p.yml").stdout


def test_what_is_no_list(author: Author) -> None:
    """A loop over something that is no list fails the host and says so."""
    ran = author.run("vars: {v: 5}\nsteps:\n  - {id: x, loop: v, script: 'true'}\n")
    assert (ran.code, ran.result("x")["failure"]["code"]) == (1, "loop-not-a-list")


def test_timeout(author: Author) -> None:
    """A step that runs too long is timed out and ended with what it started; output so far is kept."""
    ran = author.run(
        "steps:\n  - {id: x, timeout: 300ms, script: 'echo begun; (sleep 1; touch late) & sleep 60'}\n"
        "  - {id: y, run_if: failure, script: 'sleep 1.2; test ! -e late'}\n"
    )
    x = ran.result("x")
    assert (x["status"], x["output"], x["failure"]["may_have_run"]) == ("timed_out", ["begun"], True)
    assert ran.status("y") == "ok"
    assert ran.code == 1


def test_timeout_is_for_one_item(author: Author) -> None:
    """`timeout` counts for each item of a loop anew."""
    ran = author.run("steps:\n  - {id: x, timeout: 1500ms, loop: [1, 2, 3], script: 'sleep 0.6'}\n")
    assert ran.status("x") == "ok"


def test_timeout_counts_no_waiting_for_a_slot(author: Author) -> None:
    """Waiting for a slot is not in the timeout."""
    ran = author.run(
        "steps:\n  - {id: x, hosts: 'pair:solo', throttle: 1, timeout: 1s, script: 'sleep 0.5'}\n"
    )
    assert ran.code == 0


def test_timeout_of_the_run(author: Author) -> None:
    """The playbook's `timeout` is for the whole run: what has not ended by then is not done."""
    ran = author.run("timeout: 400ms\nsteps:\n  - {id: x, script: 'sleep 9'}\n  - {id: y, script: 'true'}\n")
    assert ran.code == 1
    assert ran.status("x") != "ok"
    assert ran.document["summary"]["stopped_because"]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("500ms", True),
        ("30s", True),
        ("3m", True),
        ("12h", True),
        ("1d", True),
        ("5", True),
        ("0.5", True),
        ("5 parsecs", False),
    ],
)
def test_durations(author: Author, text: str, good: bool) -> None:
    """Durations carry units; a bare number is seconds."""
    document = author.plan(f"steps:\n  - {{timeout: {text}, script: 'true'}}\n")
    assert (document.code == 0) is good
    if text == "5":
        assert document.document["steps"][0]["timeout_s"] == 5


@pytest.mark.parametrize(
    "text",
    [
        "session_options: {o: {idle_timeout: 3000}}\nsteps:\n  - {script: 'true'}\n",
        "session_options: {o: {open_timeout: 30}}\nsteps:\n  - {script: 'true'}\n",
        "targets: {t: {hosts: a, connecting_timeout: 3000}}\nsteps:\n  - {script: 'true'}\n",
        "targets: {t: {ssh_connections: [{host_name: h, connecting_timeout: 3000}]}}\nsteps:\n  - {script: 'true'}\n",
        "targets: {t: {hosts: a, session_option: {idle_timeout: 3000}}}\nsteps:\n  - {script: 'true'}\n",
    ],
)
def test_bare_numbers_with_two_readings(author: Author, text: str) -> None:
    """In session options and `connecting_timeout` a bare number is an error whose hint gives both readings."""
    problem = author.validate(text).only_problem()
    assert problem["line"] == 2
    hints = " ".join(problem["hints"])
    assert "s`" in hints or "ms`" in hints
    assert "millisecond" in hints
    assert "tick" in hints


def peak(author: Author, playbook: str, most: int, *options: str) -> int:
    """How many assignments of a playbook ran at once; each stays until ``most`` have begun, and a little longer."""
    script = (
        f"echo + >> log; until [ $(grep -c + log) -ge {most} ]; do sleep 0.05; done; sleep 0.1; echo - >> log"
    )
    ran = author.run(playbook.replace("COUNT", script), *options)
    assert ran.code == 0, ran.document
    now = reached = 0
    for line in (author.folder / "log").read_text().split():
        now += 1 if line == "+" else -1
        reached = max(reached, now)
    return reached


@pytest.mark.parametrize(
    ("playbook", "options", "most"),
    [
        ("steps:\n  - {hosts: 'pair:solo', script: 'COUNT'}\n", (), 3),
        ("steps:\n  - {hosts: 'pair:solo', throttle: 1, script: 'COUNT'}\n", (), 1),
        ("defaults: {throttle: 1}\nsteps:\n  - {hosts: 'pair:solo', script: 'COUNT'}\n", (), 1),
        ("throttle: 2\nsteps:\n  - {hosts: 'pair:solo', script: 'COUNT'}\n", (), 2),
        (
            "targets: {t: {hosts: 'pair:solo', throttle: 2}}\nsteps:\n  - {target: t, script: 'COUNT'}\n",
            (),
            2,
        ),
        (
            (
                "targets: {t: {hosts: 'pair:solo', throttle: 1}}\nsteps:\n  - {target: t, script: 'COUNT'}\n"
                "  - {needs: [], target: t, script: 'COUNT'}\n"
            ),
            (),
            1,
        ),
        (
            (
                "targets: {t: {hosts: 'pair:solo'}}\nsessions: {s: {target: t, throttle: 2}}\nsteps:\n"
                "  - {session: s, script: 'COUNT'}\n"
            ),
            (),
            2,
        ),
        ("steps:\n  - {hosts: 'pair:solo', script: 'COUNT'}\n", ("-f", "1"), 1),
        ("steps:\n  - {hosts: 'pair:solo', throttle: 3, script: 'COUNT'}\n", ("-f", "2"), 2),
        ("steps:\n  - {hosts: 'pair:solo', throttle: 0, script: 'COUNT'}\n", (), 3),
        ("steps:\n  - {hosts: 'pair:solo', throttle: unlimited, script: 'COUNT'}\n", (), 3),
        (
            "targets: {t: {hosts: 'pair:solo', throttle: 0}}\nsteps:\n  - {target: t, script: 'COUNT'}\n",
            (),
            3,
        ),
    ],
)
def test_throttles(author: Author, playbook: str, options: tuple[str, ...], most: int) -> None:
    """Each limit is a counter of its own over all that runs at once in its scope; `-f` is default and run's limit."""
    assert peak(author, playbook, most, *options) == most


def test_throttle_of_a_group(author: Author) -> None:
    """A group's throttle counts its hosts over all steps, and no others."""
    text = (author.folder / "hosts.yml").read_text()
    (author.folder / "hosts.yml").write_text(text.replace("    vars: {tier: front}", "    throttle: 1"))
    assert peak(author, "steps:\n  - {hosts: 'pair:solo', script: 'COUNT'}\n", 2) == 2


def test_throttle_default_is_32(author: Author) -> None:
    """32 is the default of a step that has none; the rest waits."""
    hosts = ", ".join(f"h{n}: {{}}" for n in range(40))
    (author.folder / "hosts.yml").write_text(
        f"version: 1\nconnection: {{transport: local}}\nhosts: {{{hosts}}}\n"
    )
    assert peak(author, "steps:\n  - {hosts: all, script: 'COUNT'}\n", 32) == 32

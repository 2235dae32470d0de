"""language.md, who and how many: `run_once`, `delegate_to`, `set_vars`, waves, limits and their exit codes."""

from __future__ import annotations

from tests.language.author import Author

TARGETS = "targets:\n  pair: {hosts: pair}\n  wide: {hosts: 'pair:solo'}\n"


def test_run_once_runs_on_the_first_host_and_all_see_the_result(author: Author) -> None:
    """Under its own name on every host of the step, and under `results`."""
    ran = author.run(
        TARGETS
        + """
steps:
  - {id: once, target: wide, run_once: true, register: found, script: 'echo $$ >> runs; echo here'}
  - {id: reads, target: wide, script: 'echo $Using:seen', using: {seen: "{{ found.output[0] }}"}}
"""
    )
    assert ran.code == 0, ran.results
    assert len((author.folder / "runs").read_text().splitlines()) == 1
    assert [ran.output("reads", host) for host in "abc"] == [["here"]] * 3


def test_a_delegate_does_the_work_with_the_hosts_variables(author: Author) -> None:
    """The result is the host's."""
    ran = author.run(
        TARGETS
        + "steps:\n  - {id: drain, target: pair, delegate_to: c, script: 'echo $Using:weight of $Using:tier'}\n"
    )
    assert [ran.output("drain", host) for host in "ab"] == [["1 of front"], ["2 of front"]]


def test_with_several_delegates_all_must_succeed(author: Author) -> None:
    """The body runs on each; one that fails fails the host, and the message says which."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: drain
    hosts: a
    delegate_to: pair
    script: 'n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > n; echo $n; test $n != 2'
"""
    )
    drain = ran.result("drain", "a")
    assert (ran.code, drain["status"], drain["output"]) == (1, "failed", ["1", "2"])
    assert drain["failure"]["message"] == "1 of 2 delegates failed: on `b`: the script ended with exit code 1"


def test_values_of_set_vars_are_typed_and_the_hosts_own(author: Author) -> None:
    """Later steps of the host read them as variables."""
    ran = author.run(
        TARGETS
        + """
steps:
  - {id: set, target: pair, set_vars: {port: "{{ 8000 + weight }}", names: "{{ [inventory_hostname] }}"}}
  - id: reads
    target: pair
    output: json
    shell: python
    script: import json; print(json.dumps([$Using:port, $Using:names]))
"""
    )
    assert [ran.output("reads", host) for host in "ab"] == [[8001, ["a"]], [8002, ["b"]]]


def test_waves_follow_each_other(author: Author) -> None:
    """The first wave is over on its host before the others begin."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: patch
    target: wide
    waves: [1, 100%]
    health: patched is succeeded
    register: patched
    script: 'echo "$Using:inventory_hostname" >> order; ls order | wc -l'
"""
    )
    assert ran.code == 0, ran.results
    assert (author.folder / "order").read_text().split()[0] == "a"


def test_a_wave_whose_health_fails_is_the_last(author: Author) -> None:
    """The hosts of later waves are never touched, and the run is stopped by a policy: exit code 4."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: patch
    target: wide
    waves: [1, 100%]
    health: {script: 'echo sick; exit 4'}
    script: 'echo $Using:inventory_hostname >> touched'
  - {id: after, target: wide, script: echo after}
"""
    )
    assert ran.code == 4, ran.results
    assert (author.folder / "touched").read_text().split() == ["a"]
    assert [ran.status("patch", host) for host in "abc"] == ["ok", "skipped", "skipped"]
    said = ran.result("after", "b")["skip_reason"]
    assert "`health` failed on `a`: the script ended with exit code 4: sick" in said


def test_a_health_that_does_not_hold_stops_the_waves(author: Author) -> None:
    """An expression is asked on every host of the wave that ended well."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: patch
    target: wide
    waves: [2, 100%]
    register: done
    health: "'b' not in done.output"
    script: echo $Using:inventory_hostname
  - {id: after, target: wide, script: echo after}
"""
    )
    assert ran.code == 4, ran.results
    said = ran.result("after", "c")["skip_reason"]
    assert "`health` does not hold on `b`: `'b' not in done.output`" in said
    assert ran.status("patch", "c") == "skipped"


def test_more_failures_than_allowed_stop_the_step(author: Author) -> None:
    """`max_fail: 0` with one host at a time: the second is never begun, what must run anyway does; exit code 4."""
    ran = author.run(
        TARGETS
        + """
steps:
  - {id: patch, target: wide, throttle: 1, max_fail: 0, script: exit 3}
  - {id: report, needs: [{step: patch, wait: all}], run_if: always, script: echo told}
"""
    )
    assert ran.code == 4, ran.results
    assert [ran.status("patch", host) for host in "abc"] == ["failed", "skipped", "skipped"]
    assert ran.output("report") == ["told"]
    assert "max_fail" in ran.result("patch", "b")["skip_reason"]


def test_failures_within_the_limit_stop_nothing(author: Author) -> None:
    """One of three is allowed: all of them run, and the exit code is that of a failure."""
    ran = author.run(
        TARGETS
        + """
steps:
  - {id: patch, target: wide, throttle: 1, max_fail: 1, script: 'test "$Using:inventory_hostname" != a'}
"""
    )
    assert (ran.code, [ran.status("patch", host) for host in "abc"]) == (1, ["failed", "ok", "ok"])


def test_a_slow_host_is_put_aside_and_still_ends(author: Author) -> None:
    """`quarantine`: it is told, and its result counts when it comes."""
    ran = author.run(
        TARGETS
        + """
steps:
  - {id: slow, target: pair, throttle: 1, quarantine: 200ms, script: 'test $Using:weight != 1 || sleep 1; echo done'}
"""
    )
    assert (ran.code, [ran.output("slow", host) for host in "ab"]) == (0, [["done"]] * 2)
    ended = [result["host"] for result in ran.results]
    assert ended == ["b", "a"]

"""language.md: "every other text value is one": numbers and durations of control keys as templates."""

from __future__ import annotations

import pytest

from tests.language.author import Author

COUNT = "n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > n; test $n -ge"


def test_a_retry_takes_its_numbers_from_variables(author: Author) -> None:
    """`attempts`, `delay` and the rest, each a template of inputs and playbook vars."""
    ran = author.run(
        f"""
        inputs: {{tries: {{type: integer, default: 2}}}}
        vars: {{wait: 1ms}}
        steps:
          - id: flaky
            retry:
              attempts: "{{{{ tries }}}}"
              delay: "{{{{ wait }}}}"
              backoff: "{{{{ tries }}}}"
              jitter: "{{{{ 0.5 }}}}"
            script: |
              {COUNT} 3
        """,
        "-e",
        "tries=4",
    )
    assert (ran.code, ran.result("flaky")["attempt"]) == (0, 3)


def test_a_lone_retry_may_be_a_template(author: Author) -> None:
    """`retry: "{{ tries }}"` is the number of attempts."""
    ran = author.run(
        """
        vars: {tries: 1}
        steps: [{id: bad, retry: "{{ tries }}", script: exit 9}]
        """
    )
    assert (ran.code, ran.result("bad")["attempt"]) == (1, 1)


def test_limits_may_be_another_one_on_each_host(author: Author) -> None:
    """What the inventory says of a host decides how often that host is tried."""
    ran = author.run(
        """
        steps:
          - id: bad
            hosts: pair
            retry: {attempts: "{{ weight }}", delay: 1ms}
            script: exit 3
        """
    )
    assert [ran.result("bad", host)["attempt"] for host in ("a", "b")] == [1, 2]


def test_a_timeout_of_a_host_ends_that_host_alone(author: Author) -> None:
    """`timeout` is computed for each host, from variables of the step too."""
    ran = author.run(
        """
        steps:
          - id: slow
            hosts: pair
            vars: {limits: {a: 200ms, b: 1h}}
            timeout: "{{ limits[inventory_hostname] }}"
            script: if test "$Using:inventory_hostname" = a; then sleep 60; fi
        """
    )
    assert (ran.status("slow", "a"), ran.status("slow", "b")) == ("timed_out", "ok")


def test_bodies_that_wait_take_templates(author: Author) -> None:
    """`wait_for` and `gate` give up after a computed time."""
    ran = author.run(
        """
        vars: {limit: 50ms}
        steps:
          - {id: port, wait_for: {port: 1, timeout: "{{ limit }}", interval: "{{ '10ms' }}"}}
          - {id: gate, run_if: always, gate: {that: "1 > 2", timeout: "{{ limit }}", default: stop}}
        """
    )
    assert "50ms" in ran.result("port")["failure"]["message"]
    assert ran.result("gate")["failure"]["code"] == "gate-timeout"


def test_a_plan_shows_what_was_computed(author: Author) -> None:
    """The limits of the run and of each host are in the plan as numbers."""
    plan = author.plan(
        """
        inputs: {window: {type: duration, default: 2h}, share: {type: string, default: 50%}}
        timeout: "{{ window }}"
        max_fail: "{{ share }}"
        deadlines: {gate: "{{ window }}"}
        steps:
          - {id: a, hosts: pair, max_fail: "{{ share }}", timeout: "{{ weight }}m", script: "true"}
        """
    ).document
    assert plan["timeout_s"] == 7200
    (step,) = plan["steps"]
    assert [each["limits"]["timeout_s"] for each in step["assignments"]] == [60, 120]


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ("timeout: '{{ word }}'", "`timeout` of step `a` must be a duration like `30s` or `5m`"),
        ("retry: {delay: '{{ word }}'}", "`retry.delay` of step `a` must be a duration"),
        ("retry: {attempts: '{{ 0 }}'}", "`retry.attempts` of step `a` must be a whole number from 1"),
        ("retry: {jitter: '{{ 2 }}'}", "`retry.jitter` of step `a` must be a number from 0 to 1"),
        ("max_fail: '{{ word }}'", "must be a number of hosts, or a percent"),
        ("max_fail: '{{ 200 }}%'", "must be a number of hosts, or a percent"),
        ("quarantine: '{{ word }}'", "must be `true`, `false` or a duration like `5m`"),
        ("retry: {delay: 1m, max_delay: '{{ 5 }}s'}", "is 5.0s, which is shorter than `delay`"),
        ("loop: {over: [1], throttle: '{{ word }}'}", "must be a whole number or `unlimited`"),
    ],
)
def test_a_computed_value_is_checked_as_a_written_one(author: Author, control: str, words: str) -> None:
    """What a template comes to must be what the key takes, told at the template before anything connects."""
    problem = author.run(
        f"vars: {{word: soon}}\nsteps: [{{id: a, hosts: pair, {control}, script: 'true'}}]\n"
    ).only_problem()
    assert words in problem["message"]


def test_what_is_known_only_while_it_runs_is_refused(author: Author) -> None:
    """A result is not there yet when limits are computed; the problem says what is."""
    ran = author.run(
        """
        steps:
          - {id: a, script: echo 3, register: probe}
          - {id: b, timeout: "{{ probe.output[0] }}s", script: "true"}
        """
    )
    problem = ran.only_problem()
    assert "`timeout` of step `b` on `localhost`" in problem["message"]
    assert any("computed when the plan is made" in hint for hint in problem["hints"])


def test_waves_are_never_templates(author: Author) -> None:
    """Who runs when is decided before there are variables."""
    problem = author.run(
        "steps: [{id: a, hosts: pair, waves: [{size: 1, pause: '{{ 1 }}s'}, 100%], script: 'true'}]\n"
    ).only_problem()
    assert problem["code"] == "template-not-here"

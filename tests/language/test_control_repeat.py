"""language.md, `retry`, `until` and `loop`: what is done again, and what its result is."""

from __future__ import annotations

from tests.language.author import Author

COUNT = 'n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > n; echo "attempt $n"'


def test_a_step_is_repeated_until_it_ends_well(author: Author) -> None:
    """`retry: {attempts, delay}`: the result is the last attempt's, with its number."""
    ran = author.run(
        f"""
        steps:
          - id: flaky
            retry: {{attempts: 5, delay: 20ms}}
            script: |
              {COUNT}; test $n -ge 3
        """
    )
    flaky = ran.result("flaky")
    assert (ran.code, flaky["status"], flaky["attempt"], flaky["output"]) == (0, "ok", 3, ["attempt 3"])


def test_retry_as_a_number_is_the_number_of_attempts(author: Author) -> None:
    """`retry: 1` is one attempt; the default delay of 5 s is not waited for after the last one."""
    ran = author.run("steps:\n  - {id: bad, retry: 1, script: exit 9}\n")
    assert (ran.code, ran.result("bad")["attempt"], ran.result("bad")["exit_code"]) == (1, 1, 9)


def test_on_says_what_is_repeated(author: Author) -> None:
    """Statuses, failure codes and expressions; what none of them names fails at once."""
    ran = author.run(
        """
        steps:
          - {id: status, retry: {attempts: 3, delay: 1ms, on: [timed_out]}, script: exit 1}
          - {id: code, run_if: always, retry: {attempts: 3, delay: 1ms, on: [exit-code]}, script: exit 1}
          - id: busy
            run_if: always
            retry: {attempts: 3, delay: 1ms, on: ["result.exit_code == 75"]}
            script: exit 75
        """
    )
    assert [ran.result(step)["attempt"] for step in ("status", "code", "busy")] == [1, 3, 3]


def test_until_repeats_what_ended_well(author: Author) -> None:
    """`result` in `until` is the step's own."""
    ran = author.run(
        f"""
        steps:
          - id: state
            until: "'attempt 4' in result.output"
            retry: {{attempts: 9, delay: 1ms}}
            script: |
              {COUNT}
        """
    )
    assert (ran.code, ran.result("state")["attempt"]) == (0, 4)


def test_an_until_that_never_holds_fails_the_host(author: Author) -> None:
    """With a code of its own, and the expression in its message."""
    ran = author.run(
        """
        steps:
          - {id: state, until: "'ready' in result.output", retry: {attempts: 2, delay: 1ms}, script: echo no}
        """
    )
    failure = ran.result("state")["failure"]
    assert (ran.code, failure["code"]) == (1, "until-not-held")
    assert "'ready' in result.output" in failure["message"]


def test_items_have_names_and_attempts_of_their_own(author: Author) -> None:
    """`loop: {over, item, index}`: an item is repeated alone, and `item` keeps its usual name too."""
    ran = author.run(
        """
        steps:
          - id: each
            loop: {over: [1, 2], item: wanted, index: place}
            retry: {attempts: 3, delay: 1ms}
            script: |
              f=at$Using:place; n=$(($(cat $f 2>/dev/null || echo 0) + 1)); echo $n > $f
              echo "$Using:item: $n"; test $n -ge $Using:wanted
        """
    )
    each = ran.result("each")
    assert (ran.code, each["output"]) == (0, ["1: 1", "2: 2"])


def test_a_loop_goes_over_the_items_of_a_mapping(author: Author) -> None:
    """`NAME.items()` gives pairs; the mapping itself is refused with what to write."""
    playbook = """
        vars: {ports: {web: 80, db: 5432}}
        steps:
          - {id: each, loop: OVER, script: 'echo "${Using:item[0]}=${Using:item[1]}"'}
        """
    ran = author.run(playbook.replace("OVER", "ports.items()"))
    assert [each["output"] for each in ran.result("each")["items"]] == [["web=80"], ["db=5432"]]

    failure = author.run(playbook.replace("OVER", "ports")).result("each")["failure"]
    assert failure["code"] == "loop-not-a-list"
    assert "NAME.items()" in failure["hints"][0]

"""language.md, what waves, orders, limits and unreachable hosts come to on a fleet, sentence by sentence."""

from __future__ import annotations

import pytest

from tests.language.author import Author

TARGETS = "targets:\n  pair: {hosts: pair}\n  wide: {hosts: 'pair:solo'}\n  solo: {hosts: solo}\n"

BOTH_ENDS = (
    '\'echo "+$Using:inventory_hostname" >> seen; sleep 0.1; echo "-$Using:inventory_hostname" >> seen\''
)
"""A script that writes down when it begins and when it ends."""

DEAD = """\
version: 1
hosts:
  up: {connection: {transport: local}}
  down1: {address: 127.0.0.1, connection: {transport: ssh, port: 1, user_name: nobody, host_key_checking: off}}
  down2: {address: 127.0.0.1, connection: {transport: ssh, port: 1, user_name: nobody, host_key_checking: off}}
"""
"""One host that is there and two where nothing listens."""


def seen(author: Author) -> list[str]:
    """What the scripts wrote, in the order they wrote it."""
    return (author.folder / "seen").read_text().split()


def test_the_last_wave_repeats(author: Author) -> None:
    """`waves: 1` is one host after another, in inventory order."""
    ran = author.run(TARGETS + f"steps:\n  - {{id: x, target: wide, waves: 1, script: {BOTH_ENDS}}}\n")
    assert (ran.code, seen(author)) == (0, ["+a", "-a", "+b", "-b", "+c", "-c"])


@pytest.mark.parametrize("size", ["10%", "34%", "66%"])
def test_a_percent_is_rounded_down_and_at_least_one(author: Author, size: str) -> None:
    """Of three hosts each of these is one."""
    ran = author.run(
        TARGETS + f"steps:\n  - {{id: x, target: wide, waves: [{size}, 100%], script: {BOTH_ENDS}}}\n"
    )
    assert ran.code == 0, ran.results
    assert seen(author)[:2] == ["+a", "-a"]
    assert sorted(seen(author)[2:4]) == ["+b", "+c"]


def test_a_wave_may_be_a_pattern(author: Author) -> None:
    """Its hosts go first, wherever the inventory has them."""
    ran = author.run(
        TARGETS + f"steps:\n  - {{id: x, target: wide, waves: [solo, pair], script: {BOTH_ENDS}}}\n"
    )
    assert ran.code == 0, ran.results
    assert seen(author)[:2] == ["+c", "-c"]


def test_in_the_first_of_several_waves_no_host_may_fail(author: Author) -> None:
    """Though nothing says `max_fail`; the others are never touched, and the exit code is 4."""
    ran = author.run(TARGETS + "steps:\n  - {id: x, target: wide, waves: [1, 100%], script: exit 3}\n")
    assert ran.code == 4, ran.results
    assert [ran.status("x", host) for host in "abc"] == ["failed", "skipped", "skipped"]


def test_the_first_wave_may_say_otherwise(author: Author) -> None:
    """`{size, max_fail}`: the host of the first wave fails, and the others go on."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: x
    target: wide
    waves: [{size: 1, max_fail: 1}, 100%]
    script: test "$Using:inventory_hostname" != a
"""
    )
    assert (ran.code, [ran.status("x", host) for host in "abc"]) == (1, ["failed", "ok", "ok"])


def test_one_wave_is_no_first_of_several(author: Author) -> None:
    """Then a failure stops nothing."""
    ran = author.run(
        TARGETS
        + "steps:\n  - {id: x, target: wide, waves: 100%, throttle: 1, script: test $Using:inventory_hostname != a}\n"
    )
    assert (ran.code, [ran.status("x", host) for host in "abc"]) == (1, ["failed", "ok", "ok"])


def test_a_host_goes_through_the_whole_block_in_its_wave(author: Author) -> None:
    """The second host begins the first step after the first host has ended the last one."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: update
    target: pair
    waves: 1
    block:
      - {id: one, script: 'echo "one $Using:inventory_hostname" >> seen'}
      - {id: two, script: 'echo "two $Using:inventory_hostname" >> seen'}
"""
    )
    assert ran.code == 0, ran.results
    assert (author.folder / "seen").read_text().splitlines() == ["one a", "two a", "one b", "two b"]


@pytest.mark.parametrize(
    ("order", "hosts"),
    [
        ("inventory", "abc"),
        ("name", "abc"),
        ("reverse", "cba"),
        ("'{{ -(weight | default(9)) }}'", "cba"),
        ("tier != 'back'", "cab"),
    ],
)
def test_hosts_start_in_the_order_that_is_asked_for(author: Author, order: str, hosts: str) -> None:
    """By a word, or by what an expression gives for each host."""
    ran = author.run(
        TARGETS
        + f"steps:\n  - {{id: x, target: wide, throttle: 1, order_by: {order}, script: {BOTH_ENDS}}}\n"
    )
    assert ran.code == 0, ran.results
    assert seen(author)[::2] == [f"+{host}" for host in hosts]


def test_a_shuffle_is_every_host_once(author: Author) -> None:
    """In whatever order: none is forgotten, none comes twice."""
    ran = author.run(
        TARGETS
        + f"steps:\n  - {{id: x, target: wide, order_by: shuffle, throttle: 1, script: {BOTH_ENDS}}}\n"
    )
    assert ran.code == 0, ran.results
    assert sorted(seen(author)[::2]) == ["+a", "+b", "+c"]


def test_max_fail_as_a_percent_is_of_the_steps_hosts(author: Author) -> None:
    """Half of three is one: the second failure stops the third host."""
    ran = author.run(
        TARGETS + "steps:\n  - {id: x, target: wide, throttle: 1, max_fail: 50%, script: exit 1}\n"
    )
    assert (ran.code, [ran.status("x", host) for host in "abc"]) == (4, ["failed", "failed", "skipped"])


def test_the_runs_own_max_fail_counts_over_all_steps(author: Author) -> None:
    """One host in each of two steps is more than one; nothing more is started but what runs in any case."""
    ran = author.run(
        TARGETS
        + """
max_fail: 1
steps:
  - {id: one, hosts: a, script: exit 1}
  - {id: two, hosts: b, run_if: always, script: exit 1}
  - {id: three, hosts: c, needs: [two], script: echo three}
  - {id: tidy, hosts: c, needs: [three], run_if: always, script: echo tidy}
"""
    )
    assert ran.code == 4, ran.results
    assert (ran.status("two", "b"), ran.status("three", "c")) == ("failed", "skipped")
    assert ran.output("tidy", "c") == ["tidy"]


def test_any_errors_stops_the_steps_other_hosts(author: Author) -> None:
    """One at a time: the second is not begun; what does not need the step goes on."""
    ran = author.run(
        TARGETS
        + """
steps:
  - {id: x, target: wide, throttle: 1, any_errors: stop, script: exit 1}
  - {id: apart, target: solo, needs: [], script: echo apart}
"""
    )
    assert ran.code == 4, ran.results
    assert [ran.status("x", host) for host in "abc"] == ["failed", "skipped", "skipped"]
    assert ran.output("apart", "c") == ["apart"]


def test_an_unreachable_host_holds_up_nobody(author: Author) -> None:
    """Exit code 3 where nothing failed, and the host that is there is done."""
    author.write("hosts.yml", DEAD)
    ran = author.run("steps:\n  - {id: x, hosts: all, script: echo here}\n")
    assert (ran.code, ran.output("x", "up"), ran.status("x", "down1")) == (3, ["here"], "unreachable")


def test_unreachable_hosts_may_be_ignored(author: Author) -> None:
    """`unreachable: ignore`: the run is a success, and those hosts are told."""
    author.write("hosts.yml", DEAD)
    ran = author.run(
        "steps:\n  - {id: x, hosts: all, unreachable: ignore, max_unreachable: 0, script: echo here}\n"
        "  - {id: after, hosts: up, needs: [{step: x, wait: all}], script: echo after}\n"
    )
    assert (ran.code, ran.status("x", "down1"), ran.output("after", "up")) == (0, "unreachable", ["after"])


def test_more_unreachable_hosts_than_allowed_stop(author: Author) -> None:
    """`max_unreachable: 1` with two that are not there: exit code 4; failures are not counted in it."""
    author.write("hosts.yml", DEAD)
    ran = author.run(
        "steps:\n  - {id: x, hosts: all, max_unreachable: 1, throttle: 1, order_by: name, script: echo here}\n"
    )
    assert (ran.code, ran.status("x", "up")) == (4, "skipped")


def test_a_late_host_is_given_up_in_the_end(author: Author) -> None:
    """`{retry_after, give_up_after}`: tried again meanwhile, unreachable afterwards."""
    author.write("hosts.yml", DEAD)
    ran = author.run(
        "steps:\n  - {id: x, hosts: 'up:down1', throttle: 1, order_by: name,\n"
        "     unreachable: {retry_after: 50ms, give_up_after: 500ms}, script: echo here}\n"
    )
    assert (ran.code, ran.status("x", "down1"), ran.output("x", "up")) == (3, "unreachable", ["here"])
    assert [result["host"] for result in ran.results] == ["up", "down1"]


def test_who_waits_for_a_retry_holds_no_slot(author: Author) -> None:
    """With one slot the other host is through before the first one's second attempt."""
    ran = author.run(
        TARGETS
        + """
steps:
  - id: x
    target: pair
    throttle: 1
    retry: {attempts: 2, delay: 500ms}
    script: 'echo $Using:inventory_hostname >> seen; test $Using:weight = 2 -o $(grep -c a seen) = 2'
"""
    )
    assert (ran.code, seen(author)) == (0, ["a", "b", "a"])


def test_a_timeout_is_for_one_attempt(author: Author) -> None:
    """The first one is ended and the second is not short of time for it."""
    ran = author.run(
        """
        steps:
          - id: x
            timeout: 2s
            retry: {attempts: 2, delay: 1ms}
            script: 'test -e again || { touch again; sleep 600; }; echo done'
        """
    )
    x = ran.result("x")
    assert (ran.code, x["status"], x["attempt"], x["output"]) == (0, "ok", 2, ["done"])


def test_items_run_at_once_where_that_is_asked_for(author: Author) -> None:
    """`loop: {over, throttle}`: each of two items waits for the other one, which only works side by side."""
    ran = author.run(
        """
        steps:
          - id: x
            timeout: 50s
            loop: {over: [1, 2], throttle: 2}
            script: 'touch "at$Using:item"; until [ -e at1 ] && [ -e at2 ]; do sleep 0.05; done; echo "$Using:item"'
        """
    )
    assert (ran.code, ran.output("x")) == (0, ["1", "2"])


def test_all_items_run_and_one_that_failed_fails_the_host(author: Author) -> None:
    """`results` has each item's own."""
    ran = author.run(
        """
        steps:
          - {id: x, register: x, loop: [1, 2, 3], script: 'echo "$Using:item" >> seen; test "$Using:item" != 2'}
          - id: y
            run_if: always
            using: {how: "{{ x.results | map(attribute='status') | join(' ') }}"}
            script: echo $Using:how
        """
    )
    assert (ran.code, ran.status("x"), seen(author)) == (1, "failed", ["1", "2", "3"])
    assert ran.output("y") == ["ok failed ok"]


def test_set_vars_stands_between_playbook_and_step(author: Author) -> None:
    """Over inventory and `vars`, below a step's own `vars` and what is given with `-e`."""
    book = (
        TARGETS
        + """
vars: {tier: playbook, level: playbook}
steps:
  - {id: set, target: solo, set_vars: {site: set, tier: set, level: set}}
  - id: reads
    target: solo
    vars: {level: step}
    output: json
    shell: python
    script: import json; print(json.dumps([$Using:site, $Using:tier, $Using:level]))
"""
    )
    assert author.run(book).output("reads", "c") == ["set", "set", "step"]
    assert author.run(book, "-e", "tier=given").output("reads", "c") == ["set", "given", "step"]


def test_a_rescued_host_is_told_as_rescued(author: Author) -> None:
    """And counts as succeeded: neither the run nor a limit counts what failed on it."""
    ran = author.run(
        TARGETS
        + """
max_fail: 0
steps:
  - id: deploy
    target: pair
    block: [{id: one, script: exit 3}]
    rescue: [{id: mend, script: echo mended}]
  - {id: after, target: pair, script: echo after}
"""
    )
    assert (ran.code, ran.status("one", "a"), ran.output("after", "a")) == (0, "failed", ["after"])
    assert ran.document["summary"]["rescued"] == 2
    assert ran.document["summary"]["hosts"]["failed"] == 0

"""Order, limits and conditions of a run, read from a ledger that the scripts on the hosts write."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.end_to_end.site import Site

pytestmark = [pytest.mark.sshd]

HOSTS = ["n3", "n1", "n2", "n5", "n4", "n6"]


def _ledger(site: Site) -> list[list[str]]:
    return [line.split() for line in (site.folder / "ledger").read_text().splitlines()]


def _most_at_once(ledger: list[list[str]], step: str) -> int:
    """How many scripts of a step ran at once at most."""
    running = most = 0
    for what, name, *_ in ledger:
        if name == step:
            running += 1 if what == "start" else -1
            most = max(most, running)
    return most


def _work(site: Site, step: str, seconds: float = 0.4) -> str:
    """A script that says in the ledger when it starts and when it ends."""
    ledger = site.folder / "ledger"
    return (
        f"echo start {step} $Using:inventory_hostname >>{ledger}; sleep {seconds}; "
        f"echo end {step} $Using:inventory_hostname >>{ledger}"
    )


async def test_throttles(site: Site) -> None:
    """Never more at once than a step, a target or a session allows; what has no such limit does run at once."""
    site.hosts(*HOSTS)
    done = await site.run_steps(
        f"""\
        - {{id: step, needs: [], target: all, throttle: 2, script: '{_work(site, "step")}'}}
        - {{id: target, needs: [], target: narrow, script: '{_work(site, "target")}'}}
        - {{id: session, needs: [], session: slim, script: '{_work(site, "session")}'}}
        - {{id: free, needs: [], target: all, script: '{_work(site, "free", 1.5)}'}}
        """,
        head="targets: {all: {hosts: all}, narrow: {hosts: all, throttle: 3}}\n"
        "sessions: {slim: {target: all, throttle: 1}}\n",
    )
    assert done.code == 0, done.stderr
    ledger = _ledger(site)
    assert Counter(name for what, name, _ in ledger if what == "end") == dict.fromkeys(
        ("step", "target", "session", "free"), 6
    )
    assert _most_at_once(ledger, "step") <= 2
    assert _most_at_once(ledger, "target") <= 3
    assert _most_at_once(ledger, "session") == 1
    assert _most_at_once(ledger, "free") > 3


async def test_limit_of_the_command_line_and_order_of_hosts(site: Site) -> None:
    """``-f 1`` runs one at a time in the whole run, and the hosts come as they stand in the inventory."""
    site.hosts(*HOSTS)
    done = await site.run_steps(
        f"""\
        - {{id: one, needs: [], target: all, script: '{_work(site, "work", 0)}'}}
        - {{id: two, needs: [], target: all, script: '{_work(site, "work", 0)}'}}
        """,
        "-f",
        "1",
    )
    assert done.code == 0, done.stderr
    ledger = _ledger(site)
    assert _most_at_once(ledger, "work") == 1
    started = [host for what, _, host in ledger if what == "start"]
    assert list(dict.fromkeys(started)) == HOSTS
    assert len(started) == 12


async def test_no_barrier_where_none_is_asked_for(site: Site) -> None:
    """A host goes on while another is slow: here the slow one waits for what the other's next step does."""
    site.hosts("slow", "quick")
    mark = site.folder / "mark"
    done = await site.run_steps(
        f"""\
        - id: first
          target: all
          timeout: 30s
          script: |
            [ $Using:inventory_hostname = quick ] || until [ -e {mark} ]; do sleep 0.1; done
        - {{id: second, target: all, script: 'touch {mark}'}}
        - {{id: third, target: all, needs: [{{step: second, wait: all}}], script: '{_work(site, "third", 0)}'}}
        """
    )
    assert done.code == 0, done.stdout


async def test_waiting_for_all_hosts(site: Site) -> None:
    """``wait: all`` begins on no host before the needed step has ended on all, and a diamond joins both its sides."""
    site.hosts(*HOSTS)
    ledger = site.folder / "ledger"
    done = await site.run_steps(
        f"""\
        - id: top
          target: all
          script: |
            [ $Using:inventory_hostname = n5 ] && sleep 1
            echo end top $Using:inventory_hostname >>{ledger}
        - {{id: left, needs: [top], target: all, script: '{_work(site, "left", 0.2)}'}}
        - {{id: right, needs: [top], target: all, script: '{_work(site, "right", 0)}'}}
        - {{id: join, needs: [left, right], target: all, script: '{_work(site, "join", 0)}'}}
        - {{id: last, needs: [{{step: join, wait: all}}], target: all, script: '{_work(site, "last", 0)}'}}
        """
    )
    assert done.code == 0, done.stderr
    rows = [tuple(row) for row in _ledger(site)]
    at = {row: index for index, row in enumerate(rows)}
    for host in HOSTS:
        assert at["end", "top", host] < at["start", "left", host]
        assert max(at["end", side, host] for side in ("left", "right")) < at["start", "join", host]
        assert at["start", "last", host] > max(at["end", "join", other] for other in HOSTS)
    assert at["start", "left", "n3"] < at["end", "top", "n5"]


async def test_conditions(site: Site) -> None:
    """``run_if``, ``when``, ``ignore_errors``, ``failed_when`` and ``changed_when``, host by host."""
    site.hosts("bad", "good")
    done = await site.run_steps(
        """\
        - {id: work, target: all, register: work,
           script: 'echo $Using:inventory_hostname; [ $Using:inventory_hostname = good ]'}
        - {id: on_success, needs: [work], target: all, script: 'true'}
        - {id: on_failure, needs: [on_success], run_if: failure, target: all, script: 'true'}
        - {id: in_any_case, needs: [on_success], run_if: always, target: all, script: 'true'}
        - {id: chosen, needs: [work], run_if: always, target: all, when: work is failed, script: 'echo it did'}
        - {id: by_output, needs: [work], run_if: always, target: all, when: "work.output == ['good']", script: 'true'}
        - {id: ignored, needs: [], target: all, ignore_errors: true, script: 'exit 9'}
        - {id: after_ignored, needs: [ignored], target: all, script: 'true'}
        - {id: judged, needs: [], target: all, failed_when: "'no' in result.output", script: 'echo no'}
        - {id: forgiven, needs: [], target: all, failed_when: "result.exit_code not in [0, 3]", script: 'exit 3'}
        - {id: altered, needs: [], target: all, changed_when: "result.stderr | length > 0", script: 'echo x >&2'}
        """
    )
    expected = {
        "work": ("failed", "ok"),
        "on_success": ("skipped", "ok"),
        "on_failure": ("ok", "skipped"),
        "in_any_case": ("ok", "ok"),
        "chosen": ("ok", "skipped"),
        "by_output": ("skipped", "ok"),
        "ignored": ("failed", "failed"),
        "after_ignored": ("ok", "ok"),
        "judged": ("failed", "failed"),
        "forgiven": ("ok", "ok"),
        "altered": ("changed", "changed"),
    }
    assert {
        step: tuple(done.statuses(step)[host] for host in ("bad", "good")) for step in expected
    } == expected
    assert done.result("ignored", "good")["exit_code"] == 9
    assert done.code == 1


async def test_only_ignored_errors_are_no_error(site: Site) -> None:
    """A run in which all that went wrong was ignored ends with 0, an unreachable host included."""
    site.hosts("a")
    inventory = (site.folder / "inventory.yml").read_text()
    site.write(
        "inventory.yml", inventory.replace('"a": {', '"gone": {"address": "no-such-host.invalid"}, "a": {')
    )
    done = await site.run_steps("- {id: x, target: all, ignore_errors: true, script: 'exit 4'}")
    assert done.statuses("x") == {"a": "failed", "gone": "unreachable"}
    assert (done.code, done.document["summary"]["ignored"]) == (0, 2)


async def test_loops(site: Site) -> None:
    """Items run in order one by one, or as many at once as ``throttle`` says; one bad item fails the host, all run."""
    site.hosts("a")
    mark = site.folder / "mark"
    done = await site.run_steps(
        f"""\
        - {{id: inorder, target: all, loop: [1, 2, 3, 4], script: 'echo $Using:item >>{mark}'}}
        - {{id: wide, needs: [], target: all, loop: {{over: [1, 2, 3, 4, 5, 6], throttle: 3}},
           script: '{_work(site, "wide")}'}}
        - {{id: bad, needs: [], target: all, register: bad, loop: ["x", "y", "z"],
           script: 'echo $Using:item; [ $Using:item != y ]'}}
        - {{id: reads, needs: [bad], run_if: always, target: all, loop: "{{{{ bad.results }}}}", when: item is failed,
           script: 'echo ${{Using:item.item}}'}}
        """
    )
    assert mark.read_text().split() == ["1", "2", "3", "4"]
    assert 2 <= _most_at_once(_ledger(site), "wide") <= 3
    bad = done.result("bad", "a")
    assert [(item["item"], item["status"]) for item in bad["items"]] == [
        ("x", "ok"),
        ("y", "failed"),
        ("z", "ok"),
    ]
    assert bad["status"] == "failed"
    assert [item["status"] for item in done.result("reads", "a")["items"]] == ["skipped", "ok", "skipped"]
    assert done.result("reads", "a")["items"][1]["output"] == ["y"]

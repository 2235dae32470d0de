"""language.md, "Order" and `run_if`."""

from __future__ import annotations

import pytest

from tests.language.author import Author

PAIR = "targets:\n  pair: {hosts: pair}\n  wide: {hosts: 'pair:solo'}\n  c: {hosts: c}\n"


def test_a_step_without_needs_needs_the_step_before_it(author: Author) -> None:
    """Without `needs` a step waits for the one before it in the file, and is held back by it."""
    ran = author.run(
        """
        steps:
          - {id: one, script: 'sleep 0.1; echo 1 >> order'}
          - {id: two, script: 'echo 2 >> order; exit 1'}
          - {id: three, script: 'echo 3 >> order'}
        """
    )
    assert ran.code == 1
    assert (author.folder / "order").read_text().split() == ["1", "2"]
    three = ran.result("three")
    assert (three["status"], three["held_back"]) == ("skipped", True)
    assert "two" in three["skip_reason"]


def test_no_needs_start_at_once(author: Author) -> None:
    """`needs: []` waits for nothing: the second step releases the first one."""
    ran = author.run(
        """
        steps:
          - {id: one, timeout: 20s, script: 'until test -e go; do sleep 0.02; done'}
          - {id: two, needs: [], script: 'touch go'}
        """
    )
    assert ran.code == 0, ran.results


def test_a_lone_name_is_a_list_of_one(author: Author) -> None:
    """`needs: one` is `needs: [one]`."""
    document = author.plan(
        """
        steps:
          - {id: one, script: 'true'}
          - {id: two, script: 'true'}
          - {id: three, needs: one, script: 'true'}
        """
    ).document
    assert [need["step"] for need in document["steps"][2]["needs"]] == ["one"]


def test_an_edge_holds_host_by_host(author: Author) -> None:
    """A host goes on when it is ready itself: `a` releases `b`, which is still in the step before."""
    ran = author.run(
        PAIR
        + """
steps:
  - id: first
    target: pair
    timeout: 20s
    script: '[ $Using:inventory_hostname = a ] || until test -e go; do sleep 0.02; done'
  - {id: second, target: pair, script: 'touch go'}
"""
    )
    assert ran.code == 0, ran.results


def test_a_host_judged_by_its_own_result(author: Author) -> None:
    """A host that ran the needed step goes on although another one failed it, also with `wait: all`."""
    ran = author.run(
        PAIR
        + """
steps:
  - {id: first, target: pair, script: '[ $Using:inventory_hostname = b ]'}
  - {id: own, target: pair, script: 'true'}
  - {id: all, target: pair, needs: [{step: first, wait: all}], script: 'true'}
  - {id: other, target: c, needs: [first], script: 'true'}
  - {id: same, target: c, needs: [{step: first, wait: same}], script: 'true'}
"""
    )
    assert ran.code == 1
    assert (ran.status("own", "a"), ran.status("own", "b")) == ("skipped", "ok")
    assert (ran.status("all", "a"), ran.status("all", "b")) == ("skipped", "ok")
    assert ran.status("other", "c") == "skipped"
    assert ran.status("same", "c") == "ok"


def test_wait_all_waits_for_all_hosts(author: Author) -> None:
    """`{step, wait: all}` holds a host back in time until every host of the needed step is over."""
    ran = author.run(
        PAIR
        + """
steps:
  - id: first
    target: pair
    script: |
      [ $Using:inventory_hostname = a ] || sleep 0.2
      echo $Using:inventory_hostname >> done
  - {id: second, target: pair, needs: [{step: first, wait: all}], script: 'wc -l < done'}
"""
    )
    assert ran.output("second", "a") == ran.output("second", "b") == ["2"]


def test_a_host_that_did_not_run_the_step_waits_for_all(author: Author) -> None:
    """A host the needed step has not waits for all hosts of it."""
    ran = author.run(
        PAIR
        + """
steps:
  - {id: first, target: pair, script: 'sleep 0.1; echo x >> done'}
  - {id: second, target: c, script: 'wc -l < done'}
  - {id: third, script: 'wc -l < done', needs: [first]}
"""
    )
    assert ran.output("second", "c") == ["2"]
    assert ran.output("third") == ["2"]


def test_run_if_looks_at_everything_upstream(author: Author) -> None:
    """`success`, `failure` and `always` see a failure three steps back, through steps that were held back."""
    ran = author.run(
        """
        steps:
          - {id: bad, script: 'exit 1'}
          - {id: held, script: 'true'}
          - {id: mended, run_if: failure, script: 'true'}
          - {id: still, script: 'true'}
          - {id: after, run_if: always, script: 'true'}
          - {id: last, run_if: FAILURE, script: 'true'}
        """
    )
    assert [r["status"] for r in ran.results] == ["failed", "skipped", "ok", "skipped", "ok", "ok"]


def test_run_if_failure_is_skipped_where_all_is_well(author: Author) -> None:
    """A step for failures that was not needed is neutral: what needs it goes on."""
    ran = author.run(
        """
        steps:
          - {id: good, script: 'true'}
          - {id: mend, run_if: failure, script: 'true'}
          - {id: after, script: 'true'}
        """
    )
    assert ran.code == 0
    assert [r["status"] for r in ran.results] == ["ok", "skipped", "ok"]
    assert ran.result("mend")["held_back"] is False


@pytest.mark.parametrize(
    "why", ["when: false", "loop: []", "when: '1 > 2'", "when: [true, false]", "run_if: failure"]
)
def test_neutral_skips(author: Author, why: str) -> None:
    """A step skipped by its own `when`, `run_if` or an empty `loop` holds nobody back and fails no run."""
    ran = author.run(f"steps:\n  - {{id: one, {why}, script: 'exit 1'}}\n  - {{id: two, script: 'true'}}\n")
    assert ran.code == 0
    assert (ran.status("one"), ran.result("one")["output"], ran.status("two")) == ("skipped", [], "ok")


def test_a_bad_result_goes_through_a_neutral_skip(author: Author) -> None:
    """What is skipped by its own `when` does not hide a failure before it."""
    ran = author.run(
        """
        steps:
          - {id: bad, script: 'exit 1'}
          - {id: neutral, run_if: always, when: false, script: 'true'}
          - {id: after, script: 'true'}
          - {id: failure, run_if: failure, script: 'true'}
        """
    )
    assert (ran.status("neutral"), ran.status("after"), ran.status("failure")) == ("skipped", "skipped", "ok")


@pytest.mark.parametrize("script", ["exit 1", "sleep 60"])
def test_ignored_errors_are_good(author: Author, script: str) -> None:
    """A failure or a timeout with `ignore_errors` holds nobody back, and `run_if: failure` does not see it."""
    ran = author.run(
        f"""
        steps:
          - {{id: bad, ignore_errors: true, timeout: 300ms, script: '{script}'}}
          - {{id: good, script: 'true'}}
          - {{id: failure, run_if: failure, script: 'true'}}
        """
    )
    assert ran.code == 0
    assert ran.result("bad")["ignored"] is True
    assert (ran.status("good"), ran.status("failure")) == ("ok", "skipped")


def test_an_unreachable_host_is_bad_and_the_others_go_on(author: Author) -> None:
    """Unreachable is exit 3, holds back that host alone, and `ignore_errors` takes it."""
    (author.folder / "hosts.yml").write_text(
        "version: 1\ngroups: {g: {hosts: {gone: {address: 127.0.0.1, connection: {port: 1}},"
        " a: {connection: {transport: local}}}}}\n"
    )
    head = "targets: {g: {hosts: g}}\nsteps:\n  - {id: one, target: g, script: 'true'%s}\n"
    ran = author.run(head % "" + "  - {id: two, target: g, script: 'true'}\n")
    assert ran.code == 3
    assert ran.statuses == {
        ("one", "gone"): "unreachable",
        ("one", "a"): "ok",
        ("two", "gone"): "skipped",
        ("two", "a"): "ok",
    }
    taken = author.run(
        head % ", ignore_errors: true" + "  - {id: two, run_if: failure, target: g, script: 'true'}\n"
    )
    assert (taken.code, taken.status("two", "gone")) == (0, "skipped")


def test_selection_passes_needs_through(author: Author) -> None:
    """Steps that selection leaves out drop away, and what needed them needs what they needed."""
    steps = """
        steps:
          - {id: one, tags: [x], script: 'true'}
          - {id: two, script: 'true'}
          - {id: three, tags: x, script: 'true'}
        """
    document = author.plan(steps, "-t", "x").document
    assert [(s["id"], [n["step"] for n in s["needs"]]) for s in document["steps"]] == [
        ("one", []),
        ("three", ["one"]),
    ]
    assert [s["id"] for s in author.plan(steps, "--skip-tags", "x").document["steps"]] == ["two"]


def test_reading_what_a_dropped_step_registers(author: Author) -> None:
    """Reading a result of a step that selection leaves out is an error at its place."""
    ran = author.plan(
        """
        steps:
          - {id: one, register: r, script: 'true'}
          - {id: two, tags: x, when: r is succeeded, script: 'true'}
        """,
        "-t",
        "x",
    )
    problem = ran.only_problem()
    assert (problem["code"], problem["line"]) == ("unselected-result", 5)


def test_cycles_and_unknown_steps(author: Author) -> None:
    """A cycle and an unknown step are errors with positions; a near name is suggested."""
    ran = author.validate(
        "steps:\n  - {id: one, needs: [two], script: 'true'}\n  - {id: two, needs: [one], script: 'true'}\n"
    )
    problem = ran.only_problem()
    assert "one" in problem["message"]
    assert "two" in problem["message"]
    unknown = author.validate(
        "steps:\n  - {id: one, script: 'true'}\n  - {id: two, needs: [onee], script: 'true'}\n"
    ).only_problem()
    assert (unknown["code"], unknown["line"], unknown["column"]) == ("unknown-step", 4, 23)
    assert "`one`" in " ".join(unknown["hints"])


def test_unknown_and_empty_hosts(author: Author) -> None:
    """An unknown group is an error; an empty one skips the step with a warning; nothing at all is exit 2."""
    unknown = author.run("steps:\n  - {hosts: pear, script: 'true'}\n").only_problem()
    assert (unknown["line"], unknown["column"]) == (3, 13)
    assert "`pair`" in " ".join(unknown["hints"])
    some = author.run(
        "steps:\n  - {id: one, hosts: empty, script: 'true'}\n  - {id: two, hosts: pair, script: 'true'}\n"
    )
    assert some.code == 0
    assert {r["step"] for r in some.results} == {"two"}
    assert "step-without-hosts" in some.stderr
    assert author.run("steps:\n  - {hosts: empty, script: 'true'}\n").code == 2
    assert author.run("steps:\n  - {hosts: pair, script: 'true'}\n", "-l", "c").code == 2


def test_an_empty_step_passes_the_order_through(author: Author) -> None:
    """A step without hosts hides neither the order nor a failure before it."""
    ran = author.run(
        """
        steps:
          - {id: one, hosts: pair, script: 'exit 1'}
          - {id: two, hosts: empty, script: 'true'}
          - {id: three, hosts: pair, script: 'true'}
        """
    )
    assert ran.status("three", "a") == "skipped"


def test_ids_are_made_from_names(author: Author) -> None:
    """An id that is left out is made from `name`; a step that has neither is named by its number."""
    document = author.plan(
        "steps:\n  - {name: Restart IIS now, script: 'true'}\n  - script: 'true'\n"
    ).document
    assert [s["id"] for s in document["steps"]] == ["restart_iis_now", "step_2"]


def test_hosts_start_in_inventory_order(author: Author) -> None:
    """With one at a time hosts run in the inventory's order, however the pattern names them."""
    ran = author.run(
        "steps:\n  - {hosts: 'c,b,a', throttle: 1, script: 'echo $Using:inventory_hostname >> order'}\n"
    )
    assert ran.code == 0
    assert (author.folder / "order").read_text().split() == ["a", "b", "c"]

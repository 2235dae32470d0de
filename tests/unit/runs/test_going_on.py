"""What a resumed run takes from the journal, what it does again, and what it decides of the unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli.prepare import Given, prepare
from runner.engine.result import Failure, Result, Status
from runner.journal.record import Choice, RunHeader, Started
from runner.journal.recorded import Key, Recorded
from runner.journal.replay import History
from runner.plan.model import Plan
from runner.runs.going_on import (
    GoingOn,
    SecretRead,
    go_on,
    lost_sessions,
    open_assignments,
    reads_of_lost_secrets,
)

NOW = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)
HEAD = "version: 1\nname: book\ntargets: {all: {hosts: all}}\nsessions: {warm: {target: all}}\nsteps:\n"
HOSTS = "version: 1\nconnection: {transport: local}\nhosts: {a: {}, b: {}}\n"

Plans = Callable[[str], Plan]


def make_plan(folder: Path, steps: str) -> Plan:
    """The plan of some steps over the hosts a and b."""
    (folder / "book.yml").write_text(HEAD + indent(dedent(steps).strip(), "  "), encoding="utf-8")
    (folder / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    prepared = prepare(str(folder / "book.yml"), Given(inventory=[str(folder / "hosts.yml")]))
    assert prepared.plan is not None, prepared.problems.sorted()
    return prepared.plan


@pytest.fixture
def plans(tmp_path: Path) -> Plans:
    """Makes plans."""
    return lambda steps: make_plan(tmp_path, steps)


def result(key: Key, status: Status = Status.OK, **more: object) -> Result:
    """A result of an assignment."""
    failure = Failure("exit-code", "exit code 1", may_have_run=True) if status is Status.FAILED else None
    code = 1 if failure else None
    return Result(step=key[0], host=key[1], status=status, failure=failure, exit_code=code, **more)  # type: ignore[arg-type]


def history(results: Mapping[Key, Result] | None = None, unknown: tuple[Key, ...] = ()) -> History:
    """A journal's history."""
    header = RunHeader(run="r", playbook="book", path="book.yml", started_at=NOW, now=NOW, plan="")
    began = {key: Started(*key, 1, None, NOW) for key in unknown}
    return History(header, results=Recorded(results), unknown=began)


def resumed(plan: Plan, past: History, choice: Choice | None = None, **more: object) -> GoingOn:
    """The decisions, with one choice for everything that is asked about."""
    found = open_assignments(plan, past, more.get("rerun", ()))  # type: ignore[arg-type]
    decisions = {key: choice for key in (*found.safe, *found.never, *found.ask) if choice}
    return go_on(plan, past, decisions=decisions, **more)  # type: ignore[arg-type]


TWO = """
    - {id: one, target: all, script: echo}
    - {id: two, target: all, script: echo}
    """


@pytest.mark.parametrize(
    ("ended", "kept"),
    [
        (result(("one", "a")), True),
        (result(("one", "a"), Status.CHANGED, changed=True), True),
        (result(("one", "a"), Status.DETACHED), True),
        (result(("one", "a"), Status.SKIPPED), True),
        (result(("one", "a"), Status.FAILED, ignored=True), True),
        (result(("one", "a"), Status.FAILED, rescued=True), True),
        (result(("one", "a"), Status.FAILED), False),
        (result(("one", "a"), Status.UNREACHABLE), False),
        (result(("one", "a"), Status.SKIPPED, held_back=True), False),
    ],
    ids=lambda value: value.status.value if isinstance(value, Result) else str(value),
)
def test_what_ended_well_is_kept(ended: Result, kept: bool, plans: Plans) -> None:
    """What ended well, was neutrally skipped, forgiven or mended is not run again; everything else is."""
    going = resumed(plans(TWO), history({("one", "a"): ended}))
    assert going.restored == ({("one", "a"): ended} if kept else {})
    assert going.left == (3 if kept else 4)
    assert going.decisions() == ()


def test_results_of_steps_that_are_gone_are_left_out(plans: Plans) -> None:
    """With --allow-changed the plan may have lost steps and hosts; what they did is no part of it."""
    past = history(
        {("gone", "a"): result(("gone", "a")), ("one", "z"): result(("one", "z"))}, (("gone", "b"),)
    )
    plan = plans(TWO)
    assert open_assignments(plan, past).ask == ()
    assert resumed(plan, past).restored == {}


def test_the_unknown_by_what_its_step_says(plans: Plans) -> None:
    """`rerun: safe` and `never` need no question."""
    plan = plans("""
        - {id: one, target: all, script: echo, rerun: safe}
        - {id: two, target: all, script: echo, rerun: never, needs: []}
        - {id: three, target: all, script: echo, needs: []}
        """)
    found = open_assignments(
        plan, history(unknown=(("one", "a"), ("two", "b"), ("three", "a"), ("three", "b")))
    )
    assert found.safe == (("one", "a"),)
    assert found.never == (("two", "b"),)
    assert found.ask == (("three", "a"), ("three", "b"))


def test_an_unknown_run_again(plans: Plans) -> None:
    """It is run as if it had never begun, and a second resume must know."""
    going = resumed(plans(TWO), history(unknown=(("one", "a"),)), Choice.RERUN)
    assert (going.restored, going.again) == (Recorded(), [("one", "a")])
    assert [decision.choice for decision in going.decisions()] == [Choice.RERUN]


def test_an_unknown_taken_for_done(plans: Plans) -> None:
    """What needs it goes on; it has no result, and is listed."""
    going = resumed(plans(TWO), history(unknown=(("one", "a"),)), Choice.SKIP)
    taken = going.restored["one", "a"]
    assert (taken.status, taken.bad, taken.output) == (Status.SKIPPED, False, [])
    assert going.taken_for_done == [("one", "a")]


def test_an_unknown_left_unknown(plans: Plans) -> None:
    """Without a decision it is bad, and what needs it on that host does not run."""
    going = resumed(plans(TWO), history(unknown=(("one", "a"),)))
    left = going.restored["one", "a"]
    assert (left.status, left.bad) == (Status.UNKNOWN, True)
    assert left.failure is not None
    assert left.failure.code == "unknown-after-crash"
    assert going.failed == [("one", "a")]


def test_what_an_earlier_resume_took_for_done_stays_so(plans: Plans) -> None:
    """It is not asked about again."""
    past = history()
    past.taken_for_done.add(("one", "a"))
    going = resumed(plans(TWO), past)
    assert going.restored["one", "a"].status is Status.SKIPPED
    assert going.decisions() == ()


def test_rerun_names_steps(plans: Plans) -> None:
    """--rerun runs a step again on all hosts, also where it is unknown, and asks nothing."""
    past = history({("one", "a"): result(("one", "a")), ("two", "a"): result(("two", "a"))}, (("one", "b"),))
    plan = plans(TWO)
    going = resumed(plan, past, rerun=["one"])
    assert list(going.restored) == [("two", "a")]
    assert going.asked_again == [("one", "a")]
    assert open_assignments(plan, past, ["one"]).ask == ()


def test_changed_steps_and_hosts_run_again(plans: Plans) -> None:
    """Results of another script, or of a host that is reached in another way, are not taken; a second resume knows."""
    keys = [(step, host) for step in ("one", "two") for host in ("a", "b")]
    past = history({key: result(key) for key in keys})
    going = resumed(plans(TWO), past, changed_steps={"one"}, changed_hosts={"b"})
    assert list(going.restored) == [("two", "a")]
    assert sorted(going.changed) == [("one", "a"), ("one", "b"), ("two", "b")]
    assert {(one.step, one.host, one.choice) for one in going.decisions()} == {
        (*key, Choice.RERUN) for key in going.changed
    }


CLEANED = """
    - {id: work, target: all, script: echo}
    - {id: tidy, target: all, script: echo, run_if: always}
    - {id: after, target: all, script: echo, needs: [tidy]}
    """


def test_what_cleaned_up_belongs_to_its_attempt(plans: Plans) -> None:
    """A step that ran although something had failed runs again behind that, and only on that host."""
    past = history(
        {
            ("work", "a"): result(("work", "a"), Status.FAILED),
            ("work", "b"): result(("work", "b")),
            ("tidy", "a"): result(("tidy", "a")),
            ("tidy", "b"): result(("tidy", "b")),
        }
    )
    going = resumed(plans(CLEANED), past)
    assert list(going.restored) == [("work", "b"), ("tidy", "b")]
    assert going.tidied == [("tidy", "a")]


def test_one_for_all_waits_for_all(plans: Plans) -> None:
    """A clean-up on this machine belongs to every host before it."""
    plan = plans("""
        - {id: work, target: all, script: echo}
        - {id: tidy, script: echo, run_if: always}
        """)
    done = {
        ("work", "a"): result(("work", "a")),
        ("work", "b"): result(("work", "b")),
        ("tidy", "localhost"): result(("tidy", "localhost")),
    }
    assert len(resumed(plan, history(done)).restored) == 3
    done["work", "b"] = result(("work", "b"), Status.UNREACHABLE)
    assert list(resumed(plan, history(done)).restored) == [("work", "a")]


BLOCK = """
    - id: deploy
      target: all
      block:
        - {id: body, script: echo}
      rescue:
        - {id: mend, script: echo}
      always:
        - {id: tidy, script: echo}
    """


def test_a_mended_block_stays_mended(plans: Plans) -> None:
    """The rescued result and what rescued it are kept together."""
    done = {
        ("body", "a"): result(("body", "a"), Status.FAILED, rescued=True),
        ("mend", "a"): result(("mend", "a")),
        ("tidy", "a"): result(("tidy", "a")),
    }
    assert list(resumed(plans(BLOCK), history(done)).restored) == list(done)


def test_a_block_that_is_not_mended_begins_again(plans: Plans) -> None:
    """Where the body runs again its rescue and always are due again too."""
    done = {
        ("body", "a"): result(("body", "a"), Status.FAILED),
        ("mend", "a"): result(("mend", "a")),
        ("tidy", "a"): result(("tidy", "a")),
    }
    going = resumed(plans(BLOCK), history(done))
    assert going.restored == {}
    assert sorted(going.tidied) == [("mend", "a"), ("tidy", "a")]


SECRET = """
    - {id: fetch, target: all, script: echo, register: token}
    - {id: use, target: all, script: 'echo ${Using:token.output}'}
    - {id: gather, shell: python, script: 'print($Using:results.token["a"])'}
    - {id: other, target: all, script: echo}
    """


def test_who_reads_a_lost_secret_is_named(plans: Plans) -> None:
    """A step that has still to run and reads what held a secret is known before anything connects."""
    held = {("fetch", host): result(("fetch", host), secret=host == "a") for host in ("a", "b")}
    plan = plans(SECRET)
    going = resumed(plan, history(held))
    assert reads_of_lost_secrets(plan, going) == [
        SecretRead("use", "fetch", "token"),
        SecretRead("gather", "fetch", "token"),
    ]


def test_a_secret_that_nobody_needs_any_more(plans: Plans) -> None:
    """Where every reader is done, or only hosts without a secret read their own, nothing is refused."""
    held = {("fetch", host): result(("fetch", host), secret=host == "a") for host in ("a", "b")}
    held |= {("use", "a"): result(("use", "a")), ("gather", "localhost"): result(("gather", "localhost"))}
    plan = plans(SECRET)
    assert reads_of_lost_secrets(plan, resumed(plan, history(held))) == []
    assert reads_of_lost_secrets(plan, resumed(plan, history(held), rerun=["fetch"])) == []


def test_sessions_that_are_opened_anew(plans: Plans) -> None:
    """Where a kept session has steps that are done and steps that are not, its variables are gone."""
    plan = plans("""
        - {id: one, session: warm, script: x=1}
        - {id: two, session: warm, script: echo $x}
        """)
    past = history({("one", "a"): result(("one", "a"))})
    assert lost_sessions(plan, resumed(plan, past)) == {"warm": ["a"]}
    assert lost_sessions(plan, resumed(plan, history())) == {}


ALL_KEYS = [(step, host) for step in ("work", "tidy", "after") for host in ("a", "b")]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan with a clean-up, made once."""
    return make_plan(tmp_path_factory.mktemp("cleaned"), CLEANED)


@given(data=st.data())
def test_every_assignment_is_restored_or_left(cleaned: Plan, data: st.DataObject) -> None:
    """Whatever a journal says, nothing is both kept and run again, and only what ended well or was decided is kept."""
    statuses = st.sampled_from(
        [None, "unknown", Status.OK, Status.FAILED, Status.SKIPPED, Status.UNREACHABLE]
    )
    said = {key: data.draw(statuses, label=str(key)) for key in ALL_KEYS}
    results = {key: result(key, status) for key, status in said.items() if isinstance(status, Status)}
    unknown = tuple(key for key, status in said.items() if status == "unknown")
    choice = data.draw(st.sampled_from([None, *Choice]))
    going = resumed(cleaned, history(results, unknown), choice)
    lists = [going.again, going.changed, going.asked_again, going.tidied]
    run_again = [key for keys in lists for key in keys]
    assert not set(run_again) & set(going.restored)
    assert going.left == len(ALL_KEYS) - len(going.restored)
    for key in going.restored:
        if key in unknown:
            assert key in going.taken_for_done + going.failed
        else:
            assert said[key] in {Status.OK, Status.SKIPPED}


PUT_BACK = """
    - id: deploy
      target: all
      block:
        - {id: once, script: echo, rerun: never}
        - {id: install, script: echo}
        - {id: restart, script: echo}
      rescue:
        - {id: put_back, script: echo}
        - {id: give_up, fail: no}
    """


def put_back(host: str) -> dict[Key, Result]:
    """What is recorded of a host where the rescue has run and the block is still bad."""
    bad = {"restart", "give_up"}
    return {
        (step, host): result((step, host), Status.FAILED if step in bad else Status.OK)
        for step in ("once", "install", "restart", "put_back", "give_up")
    }


def test_a_block_that_was_put_back_begins_anew(plans: Plans) -> None:
    """On that host alone; what may never run again stays done."""
    well = {(step, "b"): result((step, "b")) for step in ("once", "install")}
    going = resumed(plans(PUT_BACK), history(put_back("a") | well))
    assert set(going.restored) == {("once", "a"), *well}
    assert ("install", "a") in going.undone
    assert ("put_back", "a") in going.tidied + going.undone
    forgotten = {(one.step, one.host) for one in going.decisions() if one.choice is Choice.RERUN}
    assert forgotten >= {("install", "a"), ("put_back", "a"), ("give_up", "a")}


def test_what_was_done_since_the_rescue_stays_done(plans: Plans) -> None:
    """A rescue that an earlier resume has forgotten puts nothing back a second time."""
    done = {("install", "a"): result(("install", "a")), ("once", "a"): result(("once", "a"))}
    assert set(resumed(plans(PUT_BACK), history(done)).restored) == set(done)


def test_a_rescue_that_was_cut_off_puts_the_block_back_too(plans: Plans) -> None:
    """Nobody knows how far it came, so the block cannot be taken for done."""
    past = put_back("a")
    del past["put_back", "a"], past["give_up", "a"]
    going = resumed(plans(PUT_BACK), history(past, (("put_back", "a"),)), Choice.RERUN)
    assert set(going.restored) == {("once", "a")}

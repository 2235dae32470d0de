"""`gate`: nothing goes on before somebody says so, or before it holds; and nobody holds a slot meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.engine.observe import Waits
from runner.engine.result import Status
from runner.execute.bodies.questions import Questions
from runner.execute.ports import Answer
from tests.unit.execute.alone import START, Keeper, SkippingClock, do

GATE = "- {id: x, gate: {message: 'Go on with {{ 1 + 1 }}?', timeout: 2h%s}}\n"
LOCAL = "localhost"


async def test_an_answer_opens_it(tmp_path: Path) -> None:
    """Who approved is the output; the question, its end and its default are told to whoever watches."""
    keeper = Keeper(Answer(go=True, who="ops"))
    done = await do(tmp_path, GATE % "", keeper=keeper)
    result = done.result(host=LOCAL)
    assert (result.status, result.changed, result.output) == (Status.OK, False, {"approved_by": "ops"})
    until = START + timedelta(hours=2)
    assert keeper.asked == [("x", "Go on with 2?", until)]
    (opened,) = done.gates()
    assert (opened.step, opened.message, opened.until, opened.default) == (
        "x",
        "Go on with 2?",
        until,
        "stop",
    )
    assert opened.run
    (waits,) = done.waits()
    assert (waits.what, waits.until) == (Waits.GATE, until)


async def test_it_holds_no_slot_while_it_waits(tmp_path: Path) -> None:
    """Waiting for an answer gives the slots back, and nothing of it is a start on a host."""
    done = await do(tmp_path, GATE % "", keeper=Keeper(Answer(go=True, who="ops")))
    assert done.slots.log == ["away"]


@pytest.mark.parametrize(
    ("keeper", "default", "code"),
    [
        (Keeper(Answer(go=False, who="ops")), "", "gate-rejected"),
        (Keeper(Answer(go=False, who="ops")), ", default: go", "gate-rejected"),
        (Keeper(None), "", "gate-timeout"),
        (Keeper(None), ", default: stop", "gate-timeout"),
        (Keeper(None, can_ask=False), "", "gate-unattended"),
        (Keeper(None, can_ask=False), ", default: stop", "gate-unattended"),
        (None, "", "gate-unattended"),
    ],
)
async def test_what_keeps_it_shut(tmp_path: Path, keeper: Keeper | None, default: str, code: str) -> None:
    """A no, no answer in time and nobody to ask end it, each with a code of its own, and say that nothing was run."""
    done = await do(tmp_path, GATE % default, keeper=keeper)
    assert done.result(host=LOCAL).status is Status.FAILED
    assert done.code(host=LOCAL) == code
    assert "nothing was run behind it" in done.message(host=LOCAL)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{message: Go on?, timeout: 0s}", "nobody can be asked: Go on?; nothing was run behind it"),
        ("{that: 1 == 2, timeout: 0s}", "the gate is shut: the last look says: "),
    ],
)
async def test_a_gate_that_waits_for_nobody_says_so(tmp_path: Path, gate: str, said: str) -> None:
    """`timeout: 0s` looks once, and there is no time to tell."""
    done = await do(tmp_path, f"- {{id: x, gate: {gate}}}\n", keeper=Keeper(None))
    assert done.message(host=LOCAL).startswith(said)


@pytest.mark.parametrize(
    ("keeper", "who"),
    [(Keeper(None), "timeout"), (Keeper(None, can_ask=False), "default"), (None, "default")],
)
async def test_a_default_of_go_opens_it(tmp_path: Path, keeper: Keeper | None, who: str) -> None:
    """`default: go` goes on where nobody answers or nobody can be asked, and says so."""
    done = await do(tmp_path, GATE % ", default: go", keeper=keeper)
    assert done.result(host=LOCAL).output == {"approved_by": who}


async def test_somebody_is_asked_once_for_all_hosts(tmp_path: Path) -> None:
    """Hosts that come to the gate together or later share one question and its answer."""
    keeper = Keeper(Answer(go=True, who="ops"))
    head = "targets: {all: {hosts: [a, b, c]}}\n"
    steps = "- {id: x, target: all, gate: Go on?}\n"
    for together in (True, False):
        keeper.asked.clear()
        done = await do(tmp_path, steps, head=head, keeper=keeper, together=together)
        assert len(keeper.asked) == 1
        assert {result.output["approved_by"] for result in done.results.values()} == {"ops"}


async def test_secrets_are_not_asked_aloud(tmp_path: Path) -> None:
    """The message that is shown has no secret in it."""
    keeper = Keeper(Answer(go=True, who="ops"))
    done = await do(tmp_path, "- {id: x, gate: use hunter22?}\n", keeper=keeper, secrets=("hunter22",))
    assert "hunter22" not in repr(keeper.asked) + repr(done.gates()) + repr(done.waits())


async def test_a_script_opens_it_when_it_succeeds(tmp_path: Path) -> None:
    """A condition's script is run every five seconds, without a slot between, until it succeeds."""
    clock = SkippingClock(lambda now: (tmp_path / "ready").touch() if now >= 10 else None)
    steps = f"- {{id: x, gate: {{that: {{script: 'test -e {tmp_path}/ready'}}, timeout: 1m}}}}\n"
    done = await do(tmp_path, steps, clock=clock)
    assert done.result(host=LOCAL).output == {"approved_by": "condition"}
    assert clock.sleeps == [5, 5]
    assert done.result(host=LOCAL).waited == 10
    assert done.slots.log == ["start 1", "away", "away"]


async def test_a_script_that_never_succeeds_keeps_it_shut(tmp_path: Path) -> None:
    """At the end of the time there is one last look, and the message says what that saw."""
    clock = SkippingClock()
    steps = "- {id: x, gate: {that: {script: 'echo not yet >&2; exit 3'}, timeout: 12s}}\n"
    done = await do(tmp_path, steps, clock=clock)
    assert done.code(host=LOCAL) == "gate-timeout"
    assert "exit code 3: not yet" in done.message(host=LOCAL)
    assert clock.sleeps == [5, 5, 2]
    assert done.told() == []


async def test_an_expression_is_evaluated_anew(tmp_path: Path) -> None:
    """A condition reads what steps have registered by now; one that is false says which."""
    steps = "- {id: n, script: echo 3, register: n}\n- {id: x, gate: {that: [n.output | length == 1], timeout: 5s}}\n"
    done = await do(tmp_path, steps)
    assert done.result(host=LOCAL).status is Status.OK
    done = await do(tmp_path, steps.replace("== 1", "== 2"))
    assert done.code(host=LOCAL) == "gate-timeout"
    assert "`n.output | length == 2` does not hold" in done.message(host=LOCAL)


class Silent(Keeper):
    """Never answers; ``withdrawn`` counts questions that were taken back."""

    withdrawn = 0

    async def ask(self, step: str, message: str, until: datetime | None) -> Answer | None:
        try:
            await asyncio.Event().wait()
        finally:
            self.withdrawn += 1
        return None


async def test_a_question_is_taken_back_when_nobody_waits_for_it() -> None:
    """It stays while one host waits, is withdrawn with the last, and is asked anew after that."""
    keeper, questions = Silent(), Questions()
    waiting = [
        asyncio.ensure_future(questions.ask(1, lambda: keeper.ask("x", "Go on?", None))) for _ in range(2)
    ]
    for number, task in enumerate(waiting):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert keeper.withdrawn == number
    answered = await questions.ask(1, lambda: Keeper(Answer(go=True, who="ops")).ask("x", "Go on?", None))
    assert answered == Answer(go=True, who="ops")

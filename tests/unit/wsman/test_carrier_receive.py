"""Receives that last: through times without output, bare answers, and a network that goes away."""

from __future__ import annotations

import pytest

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.wsman.faults import WsmanFault
from runner.wsman.port import Answer, Redirected
from runner.wsman.receive import PATIENCE, Receiving
from tests.unit.wsman.scripted_wire import (
    PIPELINE,
    POOL,
    JumpingClock,
    ScriptedWire,
    Taken,
    client,
    envelope,
    fault,
    opened,
)

COMMAND = str(PIPELINE).upper()
EMPTY = Answer(200, envelope("<rsp:ReceiveResponse/>"))
CUT = "connection-lost"


def receiving(
    wire: ScriptedWire, clock: JumpingClock, notices: list[str], missed: list[str] | None = None
) -> Receiving:
    """The Receives of a command; ``missed`` gets a word each time an answer may have been lost."""
    asking = client(wire, clock, operation_timeout=60.0)
    lost = missed if missed is not None else []
    return Receiving(
        asking, (("ShellId", str(POOL)),), COMMAND, notices.append, lambda: lost.append("missed")
    )


def broken(code: str = CUT) -> HostError:
    """A network that failed under a request."""
    return ConnectionLost(code, "the link broke", may_have_run=True)


async def test_a_time_without_output_is_no_error() -> None:
    """0x80338029 means: ask again, with a new id, and at once, for the server has made us wait already."""
    wire, clock, notices = ScriptedWire(), JumpingClock(), list[str]()
    for _ in range(3):
        wire.next["Receive"].append(fault(0x80338029))
    receives = receiving(wire, clock, notices)
    for _ in range(3):
        assert (await receives.next()).pieces == ()
    wire.say(b"output", command=COMMAND)

    assert (await receives.next()).pieces == (b"output",)
    assert len({asked.message_id for asked in wire.requests}) == 4
    assert notices == []


@pytest.mark.parametrize("answer", [EMPTY, Answer(200, b""), fault(0x80338029)])
async def test_bare_answers_do_not_make_us_spin(answer: Answer) -> None:
    """A server that answers at once that it has nothing is asked ever more slowly, up to once a second."""
    wire, clock = ScriptedWire(), JumpingClock()
    wire.next["Receive"].extend([answer] * 20)
    receives = receiving(wire, clock, [])
    for _ in range(20):
        await receives.next()

    assert clock.slept[:3] == [0.05, 0.1, 0.2]
    assert clock.slept[-1] == 1.0
    wire.say(b"output", command=COMMAND)
    wire.say(b"more", command=COMMAND)
    await receives.next()
    rested = len(clock.slept)
    await receives.next()
    assert len(clock.slept) == rested


async def test_an_answer_after_a_while_is_not_rested_after() -> None:
    """A server that holds an empty answer for half a minute paces us by itself."""
    wire, clock = ScriptedWire(), JumpingClock()

    def slowly(_: object) -> Answer:
        clock.time += 30
        return EMPTY

    wire.next["Receive"].extend([slowly] * 3)
    receives = receiving(wire, clock, [])
    for _ in range(3):
        await receives.next()

    assert clock.slept == []


async def test_after_the_network_failed_the_same_message_is_sent_again() -> None:
    """The server keeps its answer to a message id, so nothing is lost; each change is told."""
    wire, clock, notices = ScriptedWire(), JumpingClock(), list[str]()
    wire.next["Receive"].extend(
        [broken(), broken("answer-timeout"), Unreachable("connection-refused", "refused")]
    )
    wire.say(b"output", command=COMMAND)

    assert (await receiving(wire, clock, notices).next()).pieces == (b"output",)
    assert len(wire.asked("Receive")) == 4
    assert len({asked.content for asked in wire.asked("Receive")}) == 1
    assert clock.slept == [0.5, 1.0, 2.0]
    assert "interrupted" in notices[0]
    assert "is back" in notices[-1]


async def test_while_the_server_still_works_on_the_first_the_second_waits() -> None:
    """Windows says "internal error" to a message id that it has not answered yet."""
    wire, clock, notices = ScriptedWire(), JumpingClock(), list[str]()
    wire.next["Receive"].extend([broken(), fault(0x54F), fault(0x54F)])
    wire.say(b"output", command=COMMAND)

    assert (await receiving(wire, clock, notices).next()).pieces == (b"output",)
    assert len({asked.message_id for asked in wire.asked("Receive")}) == 1


async def test_an_internal_error_is_one_when_nothing_was_sent_twice() -> None:
    """Then it is the server's own."""
    wire = ScriptedWire()
    wire.next["Receive"].append(fault(0x54F))
    taken = Taken()
    made = await opened(wire, taken)
    async with made.listening():
        await taken.until(lambda: taken.lost)

    assert taken.lost[0].code == "wsman-fault"
    await made.close()


async def test_an_internal_error_that_stays_ends() -> None:
    """No operation can still be under way after its time and some grace."""
    wire, clock = ScriptedWire(), JumpingClock()
    wire.next["Receive"].append(broken())
    wire.next["Receive"].extend([fault(0x54F)] * 100)
    begun = clock.now()
    with pytest.raises(WsmanFault):
        await receiving(wire, clock, []).next()

    assert 90 <= clock.now() - begun < 120


async def test_a_receive_is_sent_again_only_when_the_server_says_who_it_is() -> None:
    """While it does not, nothing else is asked, and a person is told once that it is gone and once that it is back."""
    wire, clock, notices = ScriptedWire(), JumpingClock(), list[str]()
    wire.next["Receive"].append(broken())
    wire.next["Identify"].extend([broken("answer-timeout"), Unreachable("connect-timeout", "no answer")])
    wire.say(b"output", command=COMMAND)

    assert (await receiving(wire, clock, notices).next()).pieces == (b"output",)
    assert [asked.action for asked in wire.requests] == ["Receive", *["Identify"] * 3, "Receive"]
    assert ["interrupted" in notice for notice in notices] == [True, False]
    assert "is back" in notices[1]


@pytest.mark.parametrize(
    ("failure", "told"), [(broken(), ["missed"]), (Unreachable("connection-refused", "refused"), [])]
)
async def test_an_answer_may_be_missed_where_the_server_had_the_question(
    failure: HostError, told: list[str]
) -> None:
    """Not where nothing was sent; and it is told only when the server is back."""
    wire, clock, missed = ScriptedWire(), JumpingClock(), list[str]()
    wire.next["Receive"].append(failure)

    def nothing_yet(_: object) -> Answer:
        assert missed == []
        return EMPTY

    wire.next["Identify"].append(nothing_yet)
    wire.say(b"output", command=COMMAND)
    await receiving(wire, clock, [], missed).next()
    assert missed == told


async def test_a_server_that_names_itself_and_is_silent_otherwise_is_asked_twice() -> None:
    """Each Receive has the time of an operation and some grace; a third would change nothing."""
    wire, clock = ScriptedWire(), JumpingClock()
    wire.next["Receive"].extend([broken("answer-timeout")] * 5)
    with pytest.raises(ConnectionLost) as caught:
        await receiving(wire, clock, []).next()

    assert (caught.value.code, caught.value.may_have_run) == ("answer-timeout", True)
    assert len(wire.asked("Receive")) == 2


async def test_connections_that_break_again_and_again_end() -> None:
    """Though the server says each time who it is: what is waited in all has its limit."""
    wire, clock = ScriptedWire(), JumpingClock()
    wire.next["Receive"].extend([broken()] * 100)
    begun = clock.now()
    with pytest.raises(ConnectionLost) as caught:
        await receiving(wire, clock, []).next()

    assert caught.value.code == "network-not-restored"
    assert PATIENCE <= clock.now() - begun <= PATIENCE + 15


async def test_a_network_that_stays_away_ends_after_four_minutes() -> None:
    """With ever longer pauses, a notice for those a person can follow, and what is to be looked at."""
    wire, clock, notices = ScriptedWire(), JumpingClock(), list[str]()
    wire.next["Receive"].append(broken())
    wire.next["Identify"].extend([broken()] * 100)
    begun = clock.now()
    with pytest.raises(ConnectionLost) as caught:
        await receiving(wire, clock, notices).next()

    assert caught.value.code == "network-not-restored"
    assert caught.value.may_have_run
    assert PATIENCE <= clock.now() - begun <= PATIENCE + 15
    assert clock.slept == sorted(clock.slept)
    assert 2 < len(notices) < 25


@pytest.mark.parametrize("code", ["login-refused", "certificate-untrusted", "connection-closed"])
async def test_what_waiting_does_not_cure_is_not_waited_for(code: str) -> None:
    """A refused login would lock the account, a wrong certificate may be an attacker's, a closed wire is our doing."""
    wire, clock = ScriptedWire(), JumpingClock()
    wire.next["Receive"].append(Unreachable(code, "refused"))
    with pytest.raises(Unreachable):
        await receiving(wire, clock, []).next()

    assert clock.slept == []


async def test_a_redirection_in_the_middle_is_an_error() -> None:
    """The session is at the server that made it."""
    wire = ScriptedWire()
    wire.next["Receive"].append(Redirected("https://b.example/wsman"))
    with pytest.raises(ConnectionLost, match=r"b\.example"):
        await receiving(wire, JumpingClock(), []).next()


async def test_an_answer_that_cannot_be_read_loses_the_session() -> None:
    """Half a stream would be guessed at otherwise."""
    wire, taken = ScriptedWire(), Taken()
    stream = '<rsp:ReceiveResponse><rsp:Stream Name="stdout">abc</rsp:Stream></rsp:ReceiveResponse>'
    wire.next["Receive"].append(Answer(200, envelope(stream)))
    made = await opened(wire, taken)
    async with made.listening():
        await taken.until(lambda: taken.lost)

    assert taken.lost[0].code == "wsman-unreadable"
    await made.close()


async def test_an_answer_to_another_message_loses_the_session() -> None:
    """Whoever mixes answers up may mix sessions up."""
    wire, taken = ScriptedWire(), Taken()
    wire.next["Receive"].append(Answer(200, envelope("<rsp:ReceiveResponse/>", relates_to="uuid:other")))
    made = await opened(wire, taken)
    async with made.listening():
        await taken.until(lambda: taken.lost)

    assert taken.lost[0].code == "wsman-unreadable"
    await made.close()


@pytest.mark.parametrize("code", [0x803381C4, 0x803381DE])
async def test_a_session_that_somebody_disconnected_is_lost_and_left(code: int) -> None:
    """It is not ours any more, so it is not deleted either."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next["Receive"].append(fault(code))
    await made.command(PIPELINE, b"creation")
    await taken.until(lambda: taken.lost)
    await made.close()

    assert taken.lost[0].code == "session-disconnected"
    assert wire.asked("Delete") == []

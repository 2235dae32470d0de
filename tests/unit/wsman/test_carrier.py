"""The WSMan carrier against a server in memory: what it asks, when it receives, and how it ends."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.wsman import names
from runner.wsman.port import Answer
from tests.unit.wsman.scripted_wire import (
    PIPELINE,
    ScriptedWire,
    Taken,
    carrier,
    envelope,
    fault,
    opened,
    settled,
    state,
)

SECOND = UUID("33333333-3333-4333-8333-333333333333")
COMMAND = str(PIPELINE).upper()


async def test_nothing_is_received_for_a_pool_nobody_listens_to() -> None:
    """An idle session holds no request."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await settled()

    assert wire.asked("Receive") == []
    await made.close()


async def test_what_came_while_nobody_listened_is_delivered_when_somebody_does() -> None:
    """The server keeps it; its order stays."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.say(b"one")
    wire.say(b"two", b"three")
    async with made.listening():
        await taken.until(lambda: taken.data(None) == b"onetwothree")

    await made.close()


async def test_who_stops_listening_at_an_answer_leaves_no_receive_behind() -> None:
    """What was waited for has come, so nothing more is asked for."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.say(b"opened")
    async with made.listening():
        await taken.until(lambda: taken.fragments)
    await settled()

    assert wire.holding == 0
    assert len(wire.asked("Receive")) == 1
    await made.close()


async def test_a_receive_that_is_under_way_is_taken_up_again() -> None:
    """Listening twice never makes two Receives of the pool at once."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    async with made.listening():
        await settled()
    async with made.listening():
        await settled()
        assert wire.holding == 1
        wire.say(b"late")
        await taken.until(lambda: taken.fragments)

    await made.close()


async def test_a_command_is_received_for_until_the_server_says_that_it_is_done() -> None:
    """Its last message and Done end the Receives; nothing is asked after."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    wire.say(b"some", command=COMMAND)
    wire.say(state(4), command=COMMAND, done=True)
    await taken.until(lambda: taken.data(PIPELINE) == b"some" + state(4))
    await settled()

    assert wire.holding == 0
    assert [a.data("rsp:CommandLine/rsp:Arguments") for a in wire.asked("Command")] == [b"creation"]
    await made.close_pipeline(PIPELINE)
    await made.close()


async def test_a_server_that_never_says_done_is_believed_its_last_message() -> None:
    """Some servers say Running to the end (remoting.md 12)."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    wire.say(state(2), command=COMMAND)
    wire.say(state(3), command=COMMAND)
    await taken.until(lambda: len(taken.fragments) == 2)
    await settled()

    assert wire.holding == 0
    assert taken.pipelines_lost == []
    await made.close()


async def test_done_without_a_last_message_gives_the_pipeline_up() -> None:
    """The pool must not wait for a state that will never come; the session itself is not lost."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    wire.say(b"half", command=COMMAND, done=True)
    await taken.until(lambda: taken.pipelines_lost)

    ((pipeline, error),) = taken.pipelines_lost
    assert (pipeline, error.code, error.may_have_run) == (PIPELINE, "command-gone", True)
    assert not made.lost
    await made.close()


@pytest.mark.parametrize("code", [995, 0x4C7, 0x8033805B])
async def test_a_command_that_is_gone_is_given_up(code: int) -> None:
    """Somebody ended it on the host."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next["Receive"].append(fault(code))
    await made.command(PIPELINE, b"creation")
    await taken.until(lambda: taken.pipelines_lost)

    assert taken.lost == []
    await made.close()


async def test_the_servers_id_of_a_command_is_used() -> None:
    """Servers of protocol 2.1 choose their own."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next["Command"].append(
        Answer(
            200, envelope("<rsp:CommandResponse><rsp:CommandId>THEIRS</rsp:CommandId></rsp:CommandResponse>")
        )
    )
    await made.command(PIPELINE, b"creation")
    await made.send(b"input", pipeline=PIPELINE)
    wire.say(b"output", command="THEIRS")
    await taken.until(lambda: taken.data(PIPELINE) == b"output")
    await made.signal(PIPELINE)
    await made.close_pipeline(PIPELINE)

    assert {a.command_id for a in wire.requests if a.action in {"Send", "Receive", "Signal"}} == {"THEIRS"}
    await made.close()


async def test_stopping_uses_the_misspelt_code_and_closing_the_other() -> None:
    """Signals have a channel of their own while a Receive waits."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    await settled()
    await made.signal(PIPELINE)
    wire.say(state(3), command=COMMAND, done=True)
    await taken.until(lambda: taken.fragments)
    await made.close_pipeline(PIPELINE)

    assert [a.body("rsp:Signal/rsp:Code") for a in wire.asked("Signal")] == [
        names.STOP_PIPELINE,
        names.TERMINATE,
    ]
    await made.close()


async def test_answers_to_host_calls_have_a_stream_of_their_own() -> None:
    """``pr`` and ``stdin`` are never mixed."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    await made.send(b"input", pipeline=PIPELINE)
    await made.send(b"answer", pipeline=PIPELINE, prompt=True)

    assert ['Name="pr"' in a.content.decode() for a in wire.asked("Send")] == [False, True]
    await made.close()


async def test_what_is_asked_of_a_closed_pipeline_is_nothing() -> None:
    """Input that comes late, a stop that comes late, a second close."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    wire.next["Signal"].append(fault(0x8033805B))  # the command has ended by itself
    await made.close_pipeline(PIPELINE)
    await made.send(b"input", pipeline=PIPELINE)
    await made.signal(PIPELINE)
    await made.close_pipeline(PIPELINE)

    assert (len(wire.asked("Send")), len(wire.asked("Signal"))) == (0, 1)
    assert not made.lost
    await made.close()


async def test_closing_a_pipeline_ends_its_receive_by_force_if_need_be() -> None:
    """A server that goes on holding the Receive of a closed command does not hold us."""
    wire, taken = ScriptedWire(stubborn=True), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    await settled()
    await made.close_pipeline(PIPELINE)

    assert wire.holding == 0
    assert taken.pipelines_lost == []
    await made.close()


async def test_a_refused_operation_loses_the_session_once() -> None:
    """Who asked is told, the pool is told once, every Receive ends, and what is asked later fails the same way."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    async with made.listening():
        await settled()
        wire.next["Send"].append(fault(0x803381A6))
        with pytest.raises(ConnectionLost) as caught:
            await made.send(b"input", pipeline=PIPELINE)
        with pytest.raises(ConnectionLost):
            await made.send(b"input")
        await settled()

    assert caught.value.code == "quota-operations"
    assert caught.value.may_have_run
    assert [error.code for error in taken.lost] == ["quota-operations"]
    assert made.lost
    assert wire.holding == 0
    await made.close()


@pytest.mark.parametrize("action", ["Send", "Command"])
async def test_what_may_have_reached_the_server_is_never_sent_twice(action: str) -> None:
    """A broken connection under input or a command loses the session; only Receives are repeated."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next[action].append(ConnectionLost("connection-lost", "the link broke", may_have_run=True))
    with pytest.raises(ConnectionLost) as caught:
        await (made.send(b"input") if action == "Send" else made.command(PIPELINE, b"creation"))

    assert caught.value.may_have_run
    assert len(wire.asked(action)) == 1
    assert len(taken.lost) == 1
    await made.close()


async def test_a_host_out_of_reach_in_the_middle_is_a_lost_connection() -> None:
    """The run had reached it before, so its status is not `unreachable`."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next["Send"].append(Unreachable("connection-refused", "refused"))
    with pytest.raises(ConnectionLost) as caught:
        await made.send(b"input")

    assert (caught.value.code, caught.value.may_have_run) == ("connection-refused", False)
    await made.close()


async def test_a_pool_that_is_gone_is_lost_and_not_deleted() -> None:
    """The server has closed it already."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next["Receive"].append(fault(0x8033805B))
    async with made.listening():
        await taken.until(lambda: taken.lost)
    await made.close()

    assert [error.code for error in taken.lost] == ["shell-gone"]
    assert wire.asked("Delete") == []


async def test_closing_deletes_the_shell_and_ends_every_receive() -> None:
    """Once, however often it is asked, and nobody is told that anything was lost."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    async with made.listening():
        await settled()
        await asyncio.gather(made.close(), made.close())

    assert len(wire.asked("Delete")) == 1
    assert wire.holding == 0
    assert (taken.lost, taken.pipelines_lost, made.lost) == ([], [], True)
    with pytest.raises(HostError, match="closed"):
        await made.send(b"late")


async def test_closing_never_raises() -> None:
    """A server that refuses, and one that is gone."""
    for reaction in (
        fault(5),
        ConnectionLost("connection-lost", "the link broke"),
        Unreachable("connection-refused", "x"),
    ):
        wire = ScriptedWire()
        made = await opened(wire, Taken())
        wire.next["Delete"].append(reaction)
        await made.close()

    await carrier(ScriptedWire()).close()


async def test_aborting_says_nothing_to_the_server() -> None:
    """Every Receive ends at once."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    await settled()
    before = len(wire.requests)
    made.abort()
    made.abort()
    await settled()

    assert (wire.holding, len(wire.requests), made.lost, taken.lost) == (0, before, True, [])


async def test_two_pipelines_do_not_disturb_each_other() -> None:
    """The close of one may overlap the command of the next (remoting.md 4.3)."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.command(PIPELINE, b"creation")
    wire.say(state(4), command=COMMAND, done=True)
    await taken.until(lambda: taken.fragments)
    await asyncio.gather(made.close_pipeline(PIPELINE), made.command(SECOND, b"creation"))
    wire.say(b"second", command=str(SECOND).upper())
    await taken.until(lambda: taken.data(SECOND) == b"second")

    await made.close()

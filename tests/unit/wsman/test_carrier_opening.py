"""Opening a shell: what is asked for, where redirections lead, what is tried again, how large fragments are."""

from __future__ import annotations

import pytest

from runner.errors import ConnectionLost, Unreachable
from runner.wsman import http_errors
from runner.wsman.carrier import WsmanCarrier
from runner.wsman.operations import ShellSettings
from runner.wsman.port import Answer, Redirected
from tests.unit.wsman.scripted_wire import (
    PIPELINE,
    POOL,
    JumpingClock,
    ScriptedWire,
    Taken,
    carrier,
    client,
    envelope,
    fault,
    fragment,
    opened,
)

CAPABILITY = 0x00010002


def capability(version: str) -> bytes:
    """A SESSION_CAPABILITY as a fragment."""
    return fragment(
        CAPABILITY, f'<Obj><MS><Version N="protocolversion">{version}</Version></MS></Obj>'.encode()
    )


async def test_opening_makes_a_shell_and_hands_over_the_first_fragments() -> None:
    """One Create with the pool's id; the selectors of the answer are used from then on."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    await made.send(b"more")

    (create,) = wire.asked("Create")
    assert create.data("rsp:Shell/pwsh:creationXml") == b"opening"
    (send,) = wire.asked("Send")
    assert f'Name="ShellId">{str(POOL).upper()}<' in send.content.decode()
    assert not made.lost
    await made.close()


async def test_the_selectors_of_the_answer_are_used_whatever_they_are() -> None:
    """Old servers choose the shell's id themselves."""
    wire = ScriptedWire()
    wire.next["Create"].append(
        Answer(
            200,
            envelope(
                "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
                "<w:Selector Name='ShellId'>THEIRS</w:Selector>"
                "<w:Selector Name='Other'>1</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
            ),
        )
    )
    made = await opened(wire, Taken())
    await made.close()

    (delete,) = wire.asked("Delete")
    assert '"ShellId">THEIRS<' in delete.content.decode()
    assert '"Other">1<' in delete.content.decode()


@pytest.mark.parametrize(
    ("version", "size"),
    [("2.1", 113664), ("2.2", 382464), ("2.3", 382464), ("2.10", 382464), ("3.0", 382464)],
)
async def test_fragments_grow_when_the_server_is_known_to_take_more(version: str, size: int) -> None:
    """150 KiB envelopes until the server has said that it speaks 2.2 or later (remoting.md 3.1)."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    assert made.fragment_size == 113664
    wire.say(capability(version))
    async with made.listening():
        await taken.until(lambda: taken.fragments)

    assert made.fragment_size == size
    await made.close()


@pytest.mark.parametrize("size", [150 * 1024, 500 * 1024])
async def test_the_largest_fragments_fit_the_envelope_exactly_enough(size: int) -> None:
    """Base64 and everything around it is counted, with an address of any length."""
    wire = ScriptedWire(url="https://" + "a" * 3000 + ":5986/wsman?PSVersion=5.1")
    asking = client(wire, envelope_size=size)
    made = WsmanCarrier(asking, ShellSettings())
    await made.open(POOL, b"", Taken())
    await made.command(PIPELINE, b"x" * asking.payload_size(size))
    await made.send(b"x" * asking.payload_size(size), pipeline=PIPELINE)

    assert size - 2048 < max(len(asked.content) for asked in wire.requests) <= size
    await made.close()


async def test_a_refused_opening_is_unreachable_and_leaves_nothing() -> None:
    """A quota: told as such, and nothing is deleted that was never made."""
    wire, taken = ScriptedWire(), Taken()
    wire.next["Create"].append(fault(0x803381A5))
    made = carrier(wire)
    with pytest.raises(Unreachable) as caught:
        await made.open(POOL, b"opening", taken)
    await made.close()

    assert caught.value.code == "quota-shells"
    assert wire.asked("Delete") == []
    assert taken.lost == []
    assert made.lost


async def test_a_shell_that_may_have_been_made_is_deleted() -> None:
    """The answer was lost, or nobody waited for it: a shell nobody knows of would count against the quota."""
    wire = ScriptedWire()
    wire.next["Create"].append(http_errors.lost("web1", "it was cut"))
    made = carrier(wire)
    with pytest.raises(Unreachable) as caught:
        await made.open(POOL, b"opening", Taken())
    await made.close()

    assert caught.value.message == "the link to `web1` broke: it was cut; nothing was run"
    assert not caught.value.may_have_run
    assert len(wire.asked("Delete")) == 1


async def test_a_server_out_of_reach_is_tried_again_as_often_as_the_author_says() -> None:
    """``max_connection_retry_count``: for what may pass, with a notice each, and never for a refusal."""
    wire, taken, clock = ScriptedWire(), Taken(), JumpingClock()
    wire.next["Create"].extend([Unreachable("connection-refused", "refused"), fault(0x80338012)])
    made = WsmanCarrier(client(wire, clock), ShellSettings(), retries=2)
    await made.open(POOL, b"opening", taken)

    assert len(wire.asked("Create")) == 3
    assert len(taken.notices) == 2
    assert clock.slept == [0.5, 1.0]
    await made.close()


@pytest.mark.parametrize("refusal", [Unreachable("login-refused", "refused"), fault(5)])
async def test_a_refusal_is_not_tried_again(refusal: Answer | Unreachable) -> None:
    """It would be refused again, and accounts are locked for less."""
    wire = ScriptedWire()
    wire.next["Create"].append(refusal)
    made = WsmanCarrier(client(wire), ShellSettings(), retries=5)
    with pytest.raises(Unreachable):
        await made.open(POOL, b"opening", Taken())
    await made.close()

    assert len(wire.asked("Create")) == 1


async def test_the_last_try_tells_its_own_error() -> None:
    """After all tries the reason is that of the last."""
    wire = ScriptedWire()
    wire.next["Create"].extend([Unreachable("connection-refused", "refused")] * 2)
    made = WsmanCarrier(client(wire), ShellSettings(), retries=1)
    with pytest.raises(Unreachable, match="refused"):
        await made.open(POOL, b"opening", Taken())
    await made.close()


async def test_a_redirection_is_followed_and_told() -> None:
    """The wire goes there from now on, and the envelope is addressed to it."""
    wire, taken = ScriptedWire(url="https://a.example:443/x?PSVersion=5.1"), Taken()
    wire.next["Create"].extend(
        [
            Redirected("https://b.example/x"),
            fault(0x80338199, detail="<w:RedirectLocation>/y</w:RedirectLocation>"),
        ]
    )
    made = carrier(wire, allow_redirection=True)
    await made.open(POOL, b"opening", taken)

    assert wire.redirected == [
        "https://b.example:443/x?PSVersion=5.1",
        "https://b.example:443/y?PSVersion=5.1",
    ]
    assert len(taken.notices) == 2
    assert "b.example" in wire.requests[-1].content.decode()
    await made.close()


async def test_a_redirection_nobody_allowed_names_its_target() -> None:
    """At the opening it makes the host unreachable, later it loses the session."""
    wire = ScriptedWire(url="https://a.example:443/x?PSVersion=5.1")
    wire.next["Create"].append(Redirected("https://b.example/x"))
    made = carrier(wire)
    with pytest.raises(Unreachable, match=r"b\.example"):
        await made.open(POOL, b"opening", Taken())
    later = await opened(wire, Taken())
    wire.next["Send"].append(Redirected("https://b.example/x"))
    with pytest.raises(ConnectionLost, match=r"b\.example"):
        await later.send(b"x")

    assert wire.redirected == []
    await made.close()
    await later.close()

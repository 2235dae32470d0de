"""The carrier against conversations of pypsrp with real Windows hosts: it asks what was asked, and takes what came."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from runner.wsman import names
from runner.wsman.carrier import WsmanCarrier
from runner.wsman.client import Client, ClientSettings, MonotonicClock
from runner.wsman.operations import ShellSettings
from tests.unit.wsman.recorded import FOLDER, RecordedWire, Turn, canonical, turns
from tests.unit.wsman.scripted_wire import Taken

_LATER = "disconnecting and connecting are a later part of the project"
_GET = "asks for the state of the shell with Get, where the runner probes with a message of PSRP"
_CONFIGURATION = "reads the server's configuration, where the runner goes by the protocol it speaks"

NOT_OURS = {
    "test_psrp_disconnect_runspaces.yml": _LATER,
    "test_psrp_disconnected_commands.yml": _LATER,
    "test_psrp_is_alive_http_error.yml": _GET,
    "test_psrp_is_alive_invalid_selectors.yml": _GET,
    "test_psrp_is_alive_other_wsman_error.yml": _GET,
    "test_psrp_is_alive_state_disconnected.yml": _GET,
    "test_psrp_receive_failure.yml": "asks for the output of a command that was never begun; test_faults.py reads it",
    "test_wsman_update_envelope_size_150.yml": _CONFIGURATION,
    "test_wsman_update_envelope_size_4096.yml": _CONFIGURATION,
    "test_wsman_update_envelope_size_500.yml": _CONFIGURATION,
}
RECORDINGS = sorted(path.name for path in FOLDER.glob("test_*.yml"))

_SIZE = f"{{{names.WSMAN}}}MaxEnvelopeSize"

pytestmark = pytest.mark.windows_recordings


def ours() -> list[str]:
    """The recordings of PowerShell remoting; those of winrs shells and of file copies by them are not."""
    return [name for name in RECORDINGS if name.startswith("test_psrp_") and name not in NOT_OURS]


def as_we_say_it(recorded: dict[str, Any]) -> dict[str, Any]:
    """A recorded request with each thing that we say otherwise, and why."""
    expected = dict(recorded)
    options = {
        # A boolean option is TRUE in MS-WSMV's own examples; pypsrp writes Python's word.
        ("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "True", None): ("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "TRUE", None),
        # PowerShell's own client sends 1.
        ("WINRS_NOPROFILE", "TRUE", "true"): ("WINRS_NOPROFILE", "1", "true"),
    }
    said = {options.get(option, option) for option in recorded.get("OptionSet", ())}
    # It is about cmd.exe, which runs no command of PowerShell; PowerShell's own client does not send it.
    said.discard(("WINRS_SKIP_CMD_SHELL", "False", None))
    expected.pop("OptionSet", None)
    if said:
        expected["OptionSet"] = said
    # pypsrp begins with 150 KiB and says more when it knows the server; PowerShell's client says 500 KiB at once.
    expected[_SIZE] = tuple("512000" if part == "153600" else part for part in recorded[_SIZE])
    # pypsrp's spelling closes the command instead of stopping it (remoting.md 5.2).
    expected["body"] = _spelt(recorded["body"])
    return expected


def _spelt(tree: Any) -> Any:
    if isinstance(tree, (list, tuple)):
        return type(tree)(_spelt(part) for part in tree)
    return names.STOP_PIPELINE if tree == "powershell/signal/ctrl_c" else tree


class Conversation:
    """Drives a carrier through the requests of a recording, with the recorded fragments."""

    def __init__(self, name: str) -> None:
        self.turns = turns(name)
        self.taken = Taken()
        self.wire = RecordedWire(self.turns)
        first = next(turn for turn in self.turns if turn.action == "Create")
        self.carrier = _carrier(self.wire, first)
        self.pipelines: dict[str, UUID] = {}
        self._listening: list[Any] = []

    async def run(self) -> None:
        """Every turn, each when the one before it was asked."""
        for turn in self.turns:
            if turn.action == "Get":
                turn.taken = True  # what only pypsrp asks: see the reasons above
                continue
            await self._do(turn)
            await self.wire.asked_for(turn)
        for context in self._listening:
            await context.__aexit__(None, None, None)
        await self.wire.deleted()
        await self.carrier.close()

    async def _do(self, turn: Turn) -> None:
        if turn.action == "Create":
            await self.carrier.open(turn.shell, turn.payload("rsp:Shell/pwsh:creationXml"), self.taken)
        elif turn.action == "Command":
            wished = UUID(turn.command_id)
            await self.carrier.command(wished, turn.payload("rsp:CommandLine/rsp:Arguments"))
            self.pipelines[_given_id(turn)] = wished
        elif turn.action == "Send":
            await self.carrier.send(
                turn.payload("rsp:Send/rsp:Stream"),
                pipeline=self.pipelines[turn.command_id] if turn.command_id else None,
                prompt=_stream(turn) == "pr",
            )
        elif turn.action == "Signal":
            await self._signal(turn)
        elif turn.action == "Receive" and turn.command_id is None:
            context = self.carrier.listening()
            await context.__aenter__()
            self._listening.append(context)
        elif turn.action == "Delete":
            await self.carrier.close()

    async def _signal(self, turn: Turn) -> None:
        assert turn.command_id is not None
        pipeline = self.pipelines[turn.command_id]
        code = turn.request.findtext("s:Body/rsp:Signal/rsp:Code", "", {"s": names.SOAP, "rsp": names.SHELL})
        if code == names.TERMINATE:
            await self.carrier.close_pipeline(pipeline)
        else:
            await self.carrier.signal(pipeline)


def _carrier(wire: RecordedWire, first: Turn) -> WsmanCarrier:
    """A carrier with the settings that the recording was made with."""
    settings = ClientSettings(
        host="windows",
        resource_uri=first.header("wsman:ResourceURI"),
        session=uuid4(),
        operation_timeout=float(first.header("wsman:OperationTimeout").removeprefix("PT").removesuffix("S")),
        envelope_size=int(as_we_say_it(canonical(first.request))[_SIZE][2]),
    )
    return WsmanCarrier(
        Client(wire, settings, MonotonicClock()),
        ShellSettings(no_machine_profile="WINRS_NOPROFILE" in wire.turns[0].message["request"]),
    )


def _given_id(turn: Turn) -> str:
    """The id a CommandResponse gave: an old server's own."""
    return turn.response.partition("<rsp:CommandId>")[2].partition("<")[0]


def _stream(turn: Turn) -> str | None:
    element = turn.request.find("s:Body/rsp:Send/rsp:Stream", {"s": names.SOAP, "rsp": names.SHELL})
    assert element is not None
    return element.get("Name")


@pytest.mark.parametrize("name", ours())
async def test_the_carrier_asks_what_was_asked(name: str) -> None:
    """Given the recorded fragments, every request is the recorded one but for ids and what is explained above."""
    talk = Conversation(name)
    async with asyncio.timeout(120):
        await talk.run()

    assert len(talk.wire.pairs) == len([turn for turn in talk.turns if turn.action != "Get"])
    for recorded, asked in talk.wire.pairs:
        assert canonical(asked) == as_we_say_it(canonical(recorded))


@pytest.mark.parametrize("name", ours())
async def test_the_carrier_takes_what_came(name: str) -> None:
    """Every byte of every recorded answer reaches its target, in order."""
    talk = Conversation(name)
    async with asyncio.timeout(120):
        await talk.run()

    for target in {turn.command_id for turn in talk.turns if turn.action == "Receive"}:
        came = b"".join(t.streams for t in talk.turns if t.action == "Receive" and t.command_id == target)
        assert talk.taken.data(talk.pipelines[target] if target else None) == came


def test_every_recording_is_played_or_has_its_reason() -> None:
    """Nothing is left out in silence."""
    assert set(ours()) | set(NOT_OURS) | {
        name for name in RECORDINGS if name.startswith(("test_winrs_", "test_client_"))
    } == set(RECORDINGS)

"""The replay endpoint: every recorded conversation comes again, whatever ids the client has."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import psrpcore
import pytest

from runner.lab.engine_channel import ENDED_BY_CLIENT, EngineChannel
from runner.lab.psrp_messages import Joiner, Message, fragments
from runner.lab.replay import ReplaySession, serve
from runner.lab.replay_recordings import Recordings
from runner.lab.replay_request import read_request
from runner.psrp.packets import Kind, Packet, format_packet, parse_packet
from tests.support.engines import RECORDINGS, replay_command

NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    return Recordings(RECORDINGS)


class Channel(EngineChannel):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(os.open(os.devnull, os.O_RDONLY))
        self.sent = b""

    def send_raw(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        os.close(self._source)


class Client:
    """Gives packets to a session by hand and keeps what it answers, as messages of each target."""

    def __init__(self, recordings: Recordings) -> None:
        self.channel = Channel()
        self.session = ReplaySession(recordings, self.channel)
        self.joiner = Joiner()

    def give(self, packet: Packet) -> list[Packet]:
        """Hand over a packet; what came of it."""
        self.session.handle(packet)
        sent, self.channel.sent = self.channel.sent, b""
        return [parse_packet(line) for line in sent.splitlines()]

    def messages(self, packets: list[Packet]) -> list[tuple[int, str, UUID | None]]:
        """The messages in them."""
        return [
            (message.kind, message.body, packet.target)
            for packet in packets
            for message in self.joiner.feed(packet.data)
        ]


@pytest.fixture
def client(recordings: Recordings) -> Iterator[Client]:
    made = Client(recordings)
    yield made
    made.channel.close()


def recorded(name: str) -> list[dict[str, Any]]:
    return list(json.loads((RECORDINGS / f"{name}.json").read_bytes())["transcript"])


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_comes_again(client: Client, name: str) -> None:
    """The recorded client's packets, under new ids, get the recorded engine's messages and acknowledgements."""
    ids: dict[str, UUID] = {}

    def target(packet: dict[str, Any]) -> UUID | None:
        guid = packet["PSGuid"]
        return ids.setdefault(guid, uuid4()) if UUID(guid).int else None

    expected: dict[UUID | None, list[tuple[int, str]]] = {}
    came: dict[UUID | None, list[tuple[int, str]]] = {}
    for packet in recorded(name):
        kind, to = Kind(packet["packet"]), target(packet)
        if packet["dir"] == "S":
            for message in packet.get("messages", ()):
                expected.setdefault(to, []).append((int(message["type"], 16), message["clixml"]))
            continue
        data = base64.b64decode(packet["data"]) if kind is Kind.DATA else b""
        answers = client.give(Packet(kind, to, data, packet.get("Stream") == "PromptResponse"))
        acks = [answer for answer in answers if answer.kind is not Kind.DATA]
        assert acks == [Packet(Kind(f"{kind}Ack"), to)]
        for number, body, of in client.messages(answers):
            came.setdefault(of, []).append((number, body))
    for exchange in (expected, came):  # the machine's own words and a new key each time
        exchange[None] = [(kind, "") for kind, _ in exchange[None]]
    for of, messages in expected.items():
        assert came[of] == messages


def test_a_new_order_of_using_values_is_the_same_request() -> None:
    """`--%` is a dictionary: the order of its keys, type names and ids mean nothing; values do."""

    def body(*pairs: tuple[str, str], number: int) -> str:
        entries = "".join(f'<En><S N="Key">{key}</S><S N="Value">{value}</S></En>' for key, value in pairs)
        return (
            f'<Obj RefId="{number}"><MS><B N="NoInput">true</B><Obj N="PowerShell" RefId="{number + 1}"><MS>'
            f'<Obj N="Cmds" RefId="{number + 2}"><TN RefId="{number}"><T>List{number}</T></TN><LST>'
            f'<Obj RefId="9{number}"><MS><S N="Cmd">$using:a_x000D__x000A_</S><B N="IsScript">true</B>'
            '<Obj N="Args"><LST><Obj><MS>'
            f'<S N="N">--%</S><Obj N="V"><DCT>{entries}</DCT></Obj></MS></Obj></LST></Obj></MS></Obj></LST></Obj>'
            "</MS></Obj></MS></Obj>"
        )

    first = read_request(body(("a", "1"), ("b", "2"), number=1))
    assert read_request(body(("b", "2"), ("a", "1"), number=5)) == first
    assert read_request(body(("a", "1"), ("b", "3"), number=1)) != first
    assert (first.name, first.has_input) == ("$using:a", False)


def test_answers_that_were_recorded_often_come_in_order(recordings: Recordings) -> None:
    """A request with several recorded answers gets them one after the other, then the last for ever."""
    assert _repeated()
    for key in _repeated():
        answers = recordings._answers[key]
        found = [recordings.find(key, ("", -1), turn) for turn in range(len(answers) + 2)]
        assert found == [*answers, answers[-1], answers[-1]]


def _repeated() -> list[str]:
    every = Recordings(RECORDINGS)
    return [key for key in every.requests() if len(every._answers[key]) > 1]


def test_a_recording_goes_on_where_the_session_is(recordings: Recordings) -> None:
    """A request that several recordings hold is answered from the one the session is in."""
    key = next(
        key for key in _repeated() if len({answer.place[0] for answer in recordings._answers[key]}) > 1
    )
    last = recordings._answers[key][-1]
    found = recordings.find(key, (last.place[0], last.place[1] - 1), 0)
    assert found is not None
    assert found.place == last.place


def test_what_was_never_recorded_fails_by_name() -> None:
    """An unknown script ends in Failed with the id ReplayNotRecorded, and the session goes on."""
    said = _talk("Get-Nothing -At All", "'usable'")
    assert [type(event).__name__ for event in said[0]] == ["PipelineStateEvent"]
    assert said[0][0].reason.FullyQualifiedErrorId == "ReplayNotRecorded"
    assert "no recording holds this request: Get-Nothing -At All" in str(said[0][0].reason)
    assert said[1][0].data == "usable"


def test_a_stop_of_what_waits_for_input_or_an_answer(client: Client) -> None:
    """A pipeline that was never answered is Stopped when it is told to; a second stop says nothing."""
    target = uuid4()
    client.give(Packet(Kind.COMMAND, target))
    answers = client.messages(client.give(Packet(Kind.SIGNAL, target)))
    assert [kind for kind, _, _ in answers] == [0x00041006]
    assert "PipelineStopped" in answers[0][1]
    assert client.messages(client.give(Packet(Kind.SIGNAL, target))) == []
    assert client.give(Packet(Kind.SIGNAL, uuid4()))[0].kind is Kind.SIGNAL_ACK


def test_the_session_key_is_one_that_psrpcore_can_read() -> None:
    """The exchange of keys works with a client that has real cryptography."""
    with _Conversation() as talk:
        talk.pool.exchange_key()
        assert [type(event).__name__ for event in talk.send_pool()] == ["EncryptedSessionKeyEvent"]
        assert talk.pool._cipher.encrypt("secret")


def test_reset_and_available_are_answered() -> None:
    """The two questions a kept session is asked between runs have their answers."""
    with _Conversation() as talk:
        talk.pool.reset_runspace_state()
        (reset,) = talk.send_pool()
        talk.pool.get_available_runspaces()
        (available,) = talk.send_pool()
    assert (reset.success, available.count) == (True, 1)


def test_a_second_session_in_one_process() -> None:
    """After a close the process waits for another session, as the engine does."""
    with _Conversation() as talk:
        assert talk.step(Packet(Kind.CLOSE), Kind.CLOSE_ACK)
        talk.open()
        assert talk.run("'usable'")[0].data == "usable"
    assert talk.code == ENDED_BY_CLIENT


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b"hello\n", "an unknown element was received"),
        (format_packet(Packet(Kind.DATA_ACK)), "a client may not send DataAck"),
        (format_packet(Packet(Kind.SIGNAL)), "a Signal needs a pipeline"),
        (format_packet(Packet(Kind.COMMAND)), "a Command needs a pipeline"),
        (format_packet(Packet(Kind.DATA, None, b"short")), "a fragment's head is cut off"),
        (
            format_packet(Packet(Kind.COMMAND, UUID(int=1))) + format_packet(Packet(Kind.DATA, UUID(int=1))),
            "a packet came before the Command for the same target was acknowledged",
        ),
        (b"\n", "the client has ended the session"),
    ],
)
def test_a_client_that_breaks_the_protocol(
    recordings: Recordings, capsys: pytest.CaptureFixture[str], lines: bytes, words: str
) -> None:
    """It is told at once, on standard error, and the process ends as the engine does."""
    source, target = os.pipe(), os.pipe()
    os.write(source[1], lines)
    os.close(source[1])
    try:
        assert serve(recordings, EngineChannel(source[0], target[1])) == ENDED_BY_CLIENT
    finally:
        for descriptor in (source[0], *target):
            os.close(descriptor)
    assert words in capsys.readouterr().err


def test_a_long_message_is_cut_as_the_engine_does() -> None:
    """Fragments hold at most 32768 bytes, begin at 0, and come together again."""
    message = Message(0x00041004, b"p" * 16, f"<S>{'x' * 100_000}</S>")
    pieces = list(fragments(7, message, UUID(int=3)))
    assert [len(piece) for piece in pieces] == [32789, 32789, 32789, 100_047 - 3 * 32768 + 21]
    joiner = Joiner()
    assert [each for piece in pieces for each in joiner.feed(piece)] == [message]


def test_a_message_without_its_head_is_refused() -> None:
    """An object that is too short for a message, or a cut fragment, is an error and no crash."""
    whole = next(fragments(1, Message(0x00041004, b"p" * 16, ""), None))
    with pytest.raises(ValueError, match="a fragment is cut off"):
        Joiner().feed(whole[:-1])
    short = whole[:17] + (5).to_bytes(4, "big") + b"short"
    with pytest.raises(ValueError, match="shorter than its head"):
        Joiner().feed(short)


def test_no_folder_is_told(tmp_path: Path) -> None:
    """Without recordings the command says how to name them."""
    environment = {key: value for key, value in os.environ.items() if key != "RUNNER_REPLAY_RECORDINGS"}
    command = replay_command(tmp_path / "missing")
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 2
    assert "--recordings or RUNNER_REPLAY_RECORDINGS" in ended.stderr


def test_the_list_names_every_request() -> None:
    """`--list` prints one line for each request that can be answered."""
    ended = subprocess.run([*replay_command(), "--list"], capture_output=True, text=True, check=True)
    assert len(ended.stdout.splitlines()) > 150
    assert any("'usable'" in line for line in ended.stdout.splitlines())


class _Conversation:
    """psrpcore's client and the endpoint as a process, one packet at a time."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(replay_command(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self.code: int | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *error: object) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.code = self.process.wait()

    def open(self) -> None:
        self.pool = psrpcore.ClientRunspacePool()
        self.pool.open()
        names = [type(event).__name__ for event in self.send_pool()]
        assert names == ["SessionCapabilityEvent", "ApplicationPrivateDataEvent", "RunspacePoolStateEvent"]

    def step(self, packet: Packet, until: Kind) -> list[Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(format_packet(packet))
        self.process.stdin.flush()
        events: list[Any] = []
        while (answer := parse_packet(self.process.stdout.readline())).kind is not until:
            events += self.take(answer)
        return events

    def take(self, answer: Packet) -> list[Any]:
        events = []
        self.pool.receive_data(psrpcore.PSRPPayload(answer.data, psrpcore.StreamType.default, answer.target))
        while (event := self.pool.next_event()) is not None:
            events.append(event)
        return events

    def send_pool(self) -> list[Any]:
        payload = self.pool.data_to_send(32768)
        assert payload is not None
        return self.step(Packet(Kind.DATA, None, payload.data), Kind.DATA_ACK)

    def run(self, script: str) -> list[Any]:
        powershell = psrpcore.ClientPowerShell(self.pool)
        powershell.add_script(script)
        powershell.start()
        payload = self.pool.data_to_send(32768)
        assert payload is not None
        target = powershell.pipeline_id
        self.step(Packet(Kind.COMMAND, target), Kind.COMMAND_ACK)
        self.step(Packet(Kind.DATA, target, payload.data), Kind.DATA_ACK)
        events = self.step(Packet(Kind.CLOSE, target), Kind.CLOSE_ACK)
        powershell.close()
        return events


def _talk(*scripts: str) -> list[list[Any]]:
    with _Conversation() as talk:
        return [talk.run(script) for script in scripts]

"""The operations: what each asks in its body, and what its answer means."""

from __future__ import annotations

from base64 import b64encode
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.wsman import names, operations
from runner.wsman.envelope import Request, UnreadableEnvelope, body_of, read
from runner.wsman.operations import ShellSettings
from tests.unit.wsman.recorded import FOLDER
from tests.unit.wsman.scripted_wire import NAMESPACES, PIPELINE, POOL, envelope


def body(request: Request) -> ET.Element:
    """A request's body as an element."""
    return ET.fromstring(f'<s xmlns:rsp="{names.SHELL}">{request.body}</s>')[0]


def answer(inside: str) -> ET.Element:
    """The body of an answer."""
    return body_of(read(envelope(inside)))


def test_a_shell_is_asked_for_with_the_pools_id_and_fragments() -> None:
    """ShellId in capitals, both input streams, the fragments in creationXml, and the protocol must be complied with."""
    request = operations.create(POOL, b"fragments", ShellSettings())
    shell = body(request)

    assert shell.get("ShellId") == str(POOL).upper()
    assert shell.findtext("rsp:InputStreams", "", NAMESPACES) == "stdin pr"
    assert shell.findtext("rsp:OutputStreams", "", NAMESPACES) == "stdout"
    assert shell.findtext("pwsh:creationXml", "", NAMESPACES) == b64encode(b"fragments").decode()
    assert [tuple(option) for option in request.options] == [("protocolversion", "2.3", True)]
    assert [e.tag.rpartition("}")[2] for e in shell] == ["InputStreams", "OutputStreams", "creationXml"]


def test_what_the_author_said_of_the_session_is_asked_for() -> None:
    """Name, idle time, buffering and no profile are said only where the author said them."""
    settings = ShellSettings(name="a<b", idle_timeout=60, no_machine_profile=True, buffering="Drop")
    request = operations.create(POOL, b"", settings)
    shell = body(request)

    assert shell.findtext("rsp:Name", "", NAMESPACES) == "a<b"
    assert shell.findtext("rsp:IdleTimeOut", "", NAMESPACES) == "PT60.000S"
    assert shell.findtext("rsp:BufferMode", "", NAMESPACES) == "Drop"
    assert ("WINRS_NOPROFILE", "1", True) in [tuple(option) for option in request.options]


@pytest.mark.windows_recordings
@pytest.mark.parametrize("name", ["open_shell_v1.xml", "open_shell_v2.xml", "open_shell_omi.xml"])
def test_the_shell_is_the_one_the_server_names(name: str) -> None:
    """Windows' two forms and OMI's, with white space around everything."""
    created = operations.created(body_of(read((FOLDER / name).read_bytes())))

    (selector,) = created.selectors
    assert selector[0] == "ShellId"
    UUID(selector[1].removeprefix("uuid:"))


@pytest.mark.parametrize("inside", ["", "<x:ResourceCreated/>"])
def test_an_answer_that_names_no_shell_is_none(inside: str) -> None:
    """Without a selector nothing could be asked of the shell."""
    with pytest.raises(UnreadableEnvelope, match="names no shell"):
        operations.created(answer(inside))


def test_a_command_has_one_argument_and_no_text() -> None:
    """The script is in the fragments only."""
    line = body(operations.command(PIPELINE, b"creation"))

    assert line.get("CommandId") == str(PIPELINE).upper()
    assert [(e.tag.rpartition("}")[2], e.text) for e in line] == [
        ("Command", None),
        ("Arguments", b64encode(b"creation").decode()),
    ]


def test_the_servers_id_of_a_command_wins() -> None:
    """A server of protocol 2.1 chooses its own; one that says nothing took ours."""
    inside = "<rsp:CommandResponse><rsp:CommandId> ABC </rsp:CommandId></rsp:CommandResponse>"

    assert operations.command_id(answer(inside), PIPELINE) == "ABC"
    assert operations.command_id(answer(""), PIPELINE) == str(PIPELINE).upper()


@pytest.mark.parametrize(("prompt", "stream"), [(False, "stdin"), (True, "pr")])
@pytest.mark.parametrize("command", [None, "ID"])
def test_input_names_its_stream_and_its_target(prompt: bool, stream: str, command: str | None) -> None:
    """Answers to host calls have a stream of their own; the pool is meant where no command is named."""
    (element,) = body(operations.send(b"data", command, prompt=prompt))

    assert (element.get("Name"), element.get("CommandId"), element.text) == (
        stream,
        command,
        b64encode(b"data").decode(),
    )


@pytest.mark.parametrize("command", [None, "ID"])
def test_output_is_asked_for_with_the_option_that_keeps_it_alive(command: str | None) -> None:
    """The stream is stdout, for the pool or a command."""
    request = operations.receive(command)
    (element,) = body(request)

    assert (element.text, element.get("CommandId")) == ("stdout", command)
    assert [option.name for option in request.options] == ["WSMAN_CMDSHELL_OPTION_KEEPALIVE"]


@given(st.lists(st.binary(max_size=100), max_size=5), st.booleans())
def test_streams_come_in_order(pieces: list[bytes], done: bool) -> None:
    """Every piece that has bytes, as it was sent, and whether the command is done."""
    streams = "".join(f'<rsp:Stream Name="stdout">{b64encode(p).decode()}</rsp:Stream>' for p in pieces)
    word = "Done" if done else "Running"
    state = f'<rsp:CommandState State="{names.SHELL}/CommandState/{word}"/>'
    received = operations.received(answer(f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"))

    assert received.pieces == tuple(piece for piece in pieces if piece)
    assert received.done is done


@pytest.mark.parametrize(
    "inside",
    ["", "<rsp:ReceiveResponse/>", '<rsp:ReceiveResponse><rsp:Stream Name="stdout"/></rsp:ReceiveResponse>'],
)
def test_an_empty_answer_is_no_error(inside: str) -> None:
    """OMI answers so when it has nothing to say."""
    assert operations.received(answer(inside)).pieces == ()


def test_a_stream_that_is_no_base64_is_refused() -> None:
    """Half of a fragment would be worse than an error."""
    with pytest.raises(UnreadableEnvelope, match="base64"):
        operations.received(
            answer('<rsp:ReceiveResponse><rsp:Stream Name="stdout">abc</rsp:Stream></rsp:ReceiveResponse>')
        )


def test_only_the_misspelt_code_stops_a_pipeline() -> None:
    """Any other code closes the command and loses its output (remoting.md 5.2, 12)."""
    (code,) = body(operations.signal("ID", names.STOP_PIPELINE))

    assert code.text == "powershell/signal/crtl_c"

"""CREATE_PIPELINE as text: psrpcore, which writes the same message from objects, is what it is measured by."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import psrpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import PSRPMessageType, PSSecureString, PSVersion, RemoteStreamOptions, SessionCapability

from runner.psrp.creation import plain_creation, plain_value
from runner.psrp.fragments import objects
from runner.psrp.protocol import Protocol
from runner.psrp.request import Argument, Command, PipelineRequest, PoolSettings, Statement
from runner.psrp.to_ps import to_ps

PIPELINE = UUID(int=7)
_HEADS = 21 + 40  # of the fragment and of the message

#: Text that XML can hold once it is escaped; a script may have more than a value.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31) + 1, 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(0, 9), inner, max_size=3),
    max_leaves=8,
)
arguments = st.builds(Argument, values, st.none() | texts)
commands = st.builds(
    Command,
    texts.filter(bool),
    st.booleans(),
    st.lists(arguments, max_size=3).map(tuple),
    st.none() | st.booleans(),
)
statements = st.builds(Statement, st.lists(commands, min_size=1, max_size=3).map(tuple))
requests = st.builds(
    PipelineRequest,
    statements=st.lists(statements, min_size=1, max_size=3).map(tuple),
    input=st.none() | st.just(()),
    invocation_info=st.booleans(),
)


def by_psrpcore(request: PipelineRequest, protocol: str) -> bytes:
    """The body that psrpcore writes, without the texts of the commands."""
    pool = psrpcore.ClientRunspacePool()
    pool.their_capability = SessionCapability(
        PSVersion=PSVersion("2.0"),
        protocolversion=PSVersion(protocol),
        SerializationVersion=PSVersion("1.1.0.1"),
    )
    pool.state = psrpcore.types.RunspacePoolState.Opened
    options = RemoteStreamOptions.AddInvocationInfo if request.invocation_info else RemoteStreamOptions.none
    shell = psrpcore.ClientPowerShell(
        pool, add_to_history=True, no_input=request.input is None, remote_stream_options=options
    )
    for number, statement in enumerate(request.statements):
        if number:
            shell.add_statement()
        for command in statement.commands:
            shell.add_command(
                psrpcore.Command(command.text, command.is_script, use_local_scope=command.use_local_scope)
            )
            for argument in command.arguments:
                shell.add_parameter(argument.name, argument.value)
    shell.start()
    payload = pool.data_to_send()
    assert payload is not None
    return re.sub(rb"</MS><ToString>[^<]*</ToString>", b"</MS>", payload.data[_HEADS:])


@given(requests, st.sampled_from(["2.0", "2.1", "2.2", "2.3"]))
def test_plain_requests_are_written_as_psrpcore_writes_them(request: PipelineRequest, protocol: str) -> None:
    """Byte for byte, for every protocol, whatever characters are in the texts."""
    major, _, minor = protocol.partition(".")
    assert plain_creation(request, (int(major), int(minor))) == by_psrpcore(request, protocol)


@given(values.filter(lambda value: value is not None))
def test_plain_input_is_written_as_psrpcore_writes_it(value: Any) -> None:
    """Numbers of objects and types begin with each item."""
    pool = psrpcore.ClientRunspacePool()
    pool.prepare_message(value, PSRPMessageType.PipelineInput, PIPELINE)
    payload = pool.data_to_send()
    assert payload is not None
    assert plain_value(value) == payload.data[_HEADS:]


@pytest.mark.parametrize("arguments", [{}, {"a": 1}])
def test_pools_are_opened_as_psrpcore_opens_them(arguments: dict[str, Any]) -> None:
    """With arguments of the application and without, the second pool too."""
    for number in (1, 2):
        pool = psrpcore.ClientRunspacePool(
            application_arguments=dict(arguments), runspace_pool_id=UUID(int=number)
        )
        pool.open()
        payload = pool.data_to_send()
        assert payload is not None
        protocol = Protocol(PoolSettings(pool=UUID(int=number), application_arguments=arguments))
        assert [data for _, data in protocol.opening()] == [data for _, data in objects(payload.data)]


@pytest.mark.parametrize(
    "value", [1.5, Decimal(1), PSSecureString("x"), b"x", PIPELINE, -(2**40), {"a": [1.5]}]
)
def test_other_values_are_left_to_psrpcore(value: Any) -> None:
    """Wherever they are."""
    sent = value if isinstance(value, PSSecureString) else to_ps(value)
    command = Command("x", arguments=(Argument("plain"), Argument(sent, "--%")))
    assert plain_creation(PipelineRequest(statements=(Statement((command,)),)), (2, 3)) is None

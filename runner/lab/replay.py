"""Answers like ``pwsh -s`` from recordings of a real PowerShell. It is no engine: it knows only what was recorded.

::

    python -m runner.lab.replay -s -NoLogo -NoProfile [--recordings DIR]
    python -m runner.lab.replay --list [--recordings DIR]

It can stand wherever ``pwsh -s`` or ``pwsh -sshs`` would: a child process, an sshd subsystem, behind a WSMan front end.
A pipeline is matched by its commands, arguments, ``$using:`` values and input; the engine's answer of then is sent
again, with the ids of this session. What was never recorded fails with the id ``ReplayNotRecorded``. ``--recordings``
may be left out where ``RUNNER_REPLAY_RECORDINGS`` names the folder.

What it cannot do: variables are not kept (only the answers recorded with them are), a secure string is received but
not looked at, and one in an answer is sent as it was recorded, encrypted with a key that nobody has any more.
Standard library only, so that it starts fast.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, deque
from pathlib import Path
from uuid import UUID

from runner.lab import psrp_messages as psrp
from runner.lab.engine_channel import ENDED_BY_CLIENT, BadClient, EngineChannel, say
from runner.lab.psrp_messages import Joiner, Message, fragments
from runner.lab.replay_recordings import Answer, Recordings, Sent, asked_for
from runner.lab.replay_request import Request, read_member, read_request, read_value
from runner.lab.replay_states import STOPPED_STATE, failed_state, members, pool_state
from runner.lab.session_key import encrypted_session_key
from runner.psrp.packets import Kind, Packet

_RECORDINGS = "RUNNER_REPLAY_RECORDINGS"
#: What the engine sends when it closes a session: Closing, Closed (MS-PSRP 2.2.3.4).
_CLOSING = (4, 3)
#: Characters of an unknown request that are told.
_TOLD = 400


class Pipeline:
    """One pipeline: what was asked, and what of the answer is still to be sent."""

    def __init__(self) -> None:
        self.request: Request | None = None
        self.input: list[object] = []
        self.answer: Answer | None = None
        self.waiting: deque[Sent] = deque()
        self.done = False


class ReplaySession:
    """What one client is told; sessions follow each other in one process, as with the engine."""

    def __init__(self, recordings: Recordings, channel: EngineChannel) -> None:
        self._recordings = recordings
        self._channel = channel
        self._pool = bytes(16)
        self._number = 0
        self._turns: Counter[str] = Counter()
        self._last = ("", -1)
        self._joiners: dict[tuple[UUID | None, bool], Joiner] = {}
        self._pipelines: dict[UUID, Pipeline] = {}

    def handle(self, packet: Packet) -> None:
        """Answer one packet.

        Raises:
            BadClient: it breaks the protocol.

        """
        if packet.kind is Kind.DATA:
            self._data(packet)
            return
        if packet.target is None:
            self._close()
        elif packet.kind is Kind.COMMAND:
            self._pipelines[packet.target] = Pipeline()
        elif packet.kind is Kind.SIGNAL:
            self._stop(packet.target)
        else:
            self._pipelines.pop(packet.target, None)
        self._channel.acknowledge(packet)

    def _data(self, packet: Packet) -> None:
        joiner = self._joiners.setdefault((packet.target, packet.prompt), Joiner())
        try:
            messages = joiner.feed(packet.data)
        except ValueError as error:
            raise BadClient(str(error)) from error
        if packet.target is None:  # the engine acknowledges after it has worked; a pipeline works later
            for message in messages:
                self._for_pool(message)
            self._channel.acknowledge(packet)
            return
        self._channel.acknowledge(packet)
        pipeline = self._pipelines.get(packet.target)
        if pipeline is None:
            return  # acknowledged all the same, as the engine does
        for message in messages:
            self._for_pipeline(packet.target, pipeline, message)

    def _for_pool(self, message: Message) -> None:
        if message.kind == psrp.INIT_RUNSPACEPOOL:
            self._pool = message.pool
            for kind, body in self._recordings.opening:
                self._send(kind, body)
        elif message.kind == psrp.PUBLIC_KEY:
            public_key = read_member(message.body, "S[@N='PublicKey']")
            key = encrypted_session_key(public_key, os.urandom(32))
            self._send(psrp.ENCRYPTED_SESSION_KEY, members(f'<S N="EncryptedSessionKey">{key}</S>'))
        elif message.kind in {psrp.RESET_RUNSPACE_STATE, psrp.GET_AVAILABLE_RUNSPACES}:
            call = read_member(message.body, "I64[@N='ci']")
            free = (
                0
                if any(each.answer is not None and not each.done for each in self._pipelines.values())
                else 1
            )
            done = (
                "<B {}>true</B>" if message.kind == psrp.RESET_RUNSPACE_STATE else f"<I32 {{}}>{free}</I32>"
            )
            result = done.format('N="SetMinMaxRunspacesResponse"')
            self._send(psrp.RUNSPACE_AVAILABILITY, members(f'{result}<I64 N="ci">{call}</I64>'))

    def _for_pipeline(self, target: UUID, pipeline: Pipeline, message: Message) -> None:
        if message.kind == psrp.CREATE_PIPELINE:
            try:
                pipeline.request = read_request(message.body)
            except ValueError as error:
                raise BadClient(str(error)) from error
            if not pipeline.request.has_input:
                self._answer(target, pipeline)
        elif message.kind == psrp.PIPELINE_INPUT:
            pipeline.input.append(read_value(message.body))
        elif message.kind == psrp.END_OF_PIPELINE_INPUT:
            self._answer(target, pipeline)
        elif message.kind == psrp.PIPELINE_HOST_RESPONSE:
            self._go_on(target, pipeline)

    def _answer(self, target: UUID, pipeline: Pipeline) -> None:
        if pipeline.request is None:
            return
        asked = asked_for(pipeline.request.key, pipeline.input)
        found = self._recordings.find(asked, self._last, self._turns[asked])
        if found is None:
            text = f"no recording holds this request: {pipeline.request.name} {asked}"
            self._send(psrp.PIPELINE_STATE, failed_state(text[:_TOLD], "ReplayNotRecorded"), target)
            pipeline.done = True
            return
        self._turns[asked] += 1
        self._last = found.place
        pipeline.answer = found
        pipeline.waiting.extend(found.before)
        self._go_on(target, pipeline)

    def _go_on(self, target: UUID, pipeline: Pipeline) -> None:
        """Send on until something is asked of the client's host, or to the end."""
        while pipeline.waiting:
            kind, body = pipeline.waiting.popleft()
            self._send(kind, body, target)
            pipeline.done = pipeline.done or kind == psrp.PIPELINE_STATE
            if (
                kind == psrp.PIPELINE_HOST_CALL and '<I64 N="ci">-100</I64>' not in body
            ):  # -100: wants no answer
                return

    def _stop(self, target: UUID) -> None:
        pipeline = self._pipelines.get(target)
        if pipeline is None or pipeline.done:
            return
        pipeline.done = True
        after = pipeline.answer.after if pipeline.answer is not None else []
        for kind, body in after or [(psrp.PIPELINE_STATE, STOPPED_STATE)]:
            self._send(kind, body, target)

    def _close(self) -> None:
        for state in _CLOSING:
            self._send(psrp.RUNSPACEPOOL_STATE, pool_state(state))
        self._pipelines.clear()
        self._joiners.clear()

    def _send(self, kind: int, body: str, target: UUID | None = None) -> None:
        self._number += 1
        message = Message(kind, self._pool, body)
        self._channel.send_data(list(fragments(self._number, message, target)), target)


def serve(recordings: Recordings, channel: EngineChannel) -> int:
    """Answer until the input ends; what the process ends with."""
    session = ReplaySession(recordings, channel)
    try:
        while (packet := channel.receive()) is not None:
            session.handle(packet)
    except BadClient as error:
        say(str(error))
    except BrokenPipeError:
        return ENDED_BY_CLIENT
    say("the client has ended the session")
    return ENDED_BY_CLIENT


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="replay", description="Answers like pwsh -s from recordings.")
    parser.add_argument("-s", "-ServerMode", "-sshs", "-SSHServerMode", dest="server", action="store_true")
    parser.add_argument("-NoLogo", action="store_true")
    parser.add_argument("-NoProfile", action="store_true")
    parser.add_argument("--recordings", type=Path, default=os.environ.get(_RECORDINGS))
    parser.add_argument("--list", action="store_true", help="print the requests that can be answered")
    options = parser.parse_args()
    if options.recordings is None or not Path(options.recordings).is_dir():
        parser.error(f"--recordings or {_RECORDINGS} must name the folder of the recordings")
    recordings = Recordings(Path(options.recordings))
    if options.list:
        sys.stdout.writelines(f"{key}\n" for key in recordings.requests())
        return 0
    return serve(recordings, EngineChannel())


if __name__ == "__main__":
    sys.exit(main())

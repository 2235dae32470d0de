"""Files on a host that speaks PowerShell, by the fixed scripts of ``powershell_file_scripts`` in a runspace pool.

The counterpart of ``host_files``: content goes and comes as ``byte[]`` of 1 MiB (remoting.md 12, server/53), digests
are compared on both sides, and what a host answers is not trusted.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from runner.errors import ConnectionLost, ExecutionFailed, HostError
from runner.execute.bodies.host_files import (
    REFUSALS,
    Destination,
    Facts,
    Listed,
    Wish,
    facts_of,
    strange_answer,
)
from runner.execute.guard import Guard, uninterrupted
from runner.execute.patience import within
from runner.execute.powershell import file_scripts as scripts
from runner.execute.powershell.lease import STOP_MARGIN, PoolLease
from runner.execute.powershell.session import Answer
from runner.psrp.from_ps import from_ps
from runner.psrp.records import error_record
from runner.psrp.request import (
    Argument,
    Command,
    PipelineReceiver,
    PipelineRequest,
    PipelineState,
    RecordKind,
    Statement,
)
from runner.psrp.script import Settings, command
from runner.transport.port import Receiver, Stream

PIECE = 1 << 20
"""Bytes of one item of the pipeline's input: twice as fast as 32 KiB (remoting.md 12)."""

_CLEAN_UP = 5.0
"""Seconds to take a half written file away."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NO_FACTS = Facts("", "", 0, "", "")


class PowerShellFiles:
    """The files of one host; a :class:`runner.execute.bodies.host_files.Files`."""

    def __init__(self, lease: PoolLease, guard: Guard) -> None:
        self._lease = lease
        self._guard = guard

    async def look(self, destination: str, name: str) -> Destination:
        """See ``Files.look``."""
        (answer,) = await self._ask(scripts.LOOK, {"Destination": destination, "Name": name})
        kind, path, digest = answer.get("Kind"), answer.get("Path"), answer.get("Digest")
        if not isinstance(path, str) or not path:
            raise strange_answer()
        if kind == "absent":
            return Destination(path)
        if kind != "file" or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise strange_answer()
        return Destination(path, digest, _facts(answer))

    async def put(self, path: str, digest: str, content: AsyncIterator[bytes], wish: Wish) -> Facts:
        """See ``Files.put``."""
        temporary = _beside(path)
        words = {"Path": path, "Temporary": temporary, "Digest": digest, **_words(wish)}
        words |= {"Backup": wish.backup, "Validate": wish.validate}
        try:
            (answer,) = await self._ask(scripts.PUT, words, content)
        except BaseException:
            await uninterrupted(self._take_away(temporary))
            raise
        return _facts(answer)

    async def settle(self, path: str, wish: Wish) -> Facts:
        """See ``Files.settle``."""
        (answer,) = await self._ask(scripts.SETTLE, {"Path": path, **_words(wish)})
        return _facts(answer)

    async def find(self, patterns: Sequence[str]) -> list[Listed]:
        """See ``Files.find``."""
        answers = await self._ask(scripts.FIND, {"Pattern": list(patterns)})
        return list(dict.fromkeys(_listed(answer) for answer in answers))

    async def take(self, listed: Listed, receiver: Receiver) -> None:
        """See ``Files.take``."""
        if listed.size:
            arguments = {"Path": listed.path, "Size": listed.size}
            await self._run(_request(scripts.TAKE, arguments), _Taking(receiver))

    async def _ask(
        self, script: str, arguments: Mapping[str, Any], content: AsyncIterator[bytes] | None = None
    ) -> list[Mapping[str, Any]]:
        """The mappings a script answers with, at least one.

        Raises:
            ExecutionFailed: the host refused, or answers something else.
            ConnectionLost: the link broke.

        """
        answer = Answer(self._lease.session.decrypt)
        await self._run(_request(script, arguments, content), answer)
        if not answer.values or not all(isinstance(value, Mapping) for value in answer.values):
            raise strange_answer()
        return answer.values

    async def _run(self, request: PipelineRequest, receiver: PipelineReceiver) -> None:
        self._guard.progress.sent = True
        running = self._lease.session.run(request, receiver, Settings(), kept=False)
        try:
            end = await self._guard.watch(self._lease.stoppable, running, STOP_MARGIN)
        except ConnectionLost:
            self._lease.lose()
            raise
        if end.state is not PipelineState.COMPLETED:
            raise _refused(error_record(end.error).message if end.error is not None else "it was stopped")
        if end.exit_code is not None:  # it ends the script around it too, which answers nothing then
            raise _refused("validation-failed `exit` in it leaves the copy undone: say `throw`, or nothing")

    async def _take_away(self, temporary: str) -> None:
        """Take a file away that was begun; a session that is gone cannot do it, and its temporary file stays.

        By force, for on Linux a name that begins with a dot is a hidden file, which `Remove-Item` refuses otherwise.
        """
        if self._lease.session.lost:
            return
        named = {"LiteralPath": temporary, "Force": True, "ErrorAction": "Ignore"}
        removing = Statement((command("Remove-Item", **named),))
        try:
            await within(self._lease.session.ask(PipelineRequest(statements=(removing,))), _CLEAN_UP)
        except HostError:
            return


class _Taking:
    """Gives the pieces of a file on; a :class:`runner.psrp.request.PipelineReceiver`."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def output_received(self, value: Any) -> None:
        """Give a piece on."""
        piece = from_ps(value)
        if isinstance(piece, bytes) and piece:
            self._receiver.data_received(Stream.STDOUT, piece)

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """What else is said has no meaning here."""


async def in_pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same content in pieces of :data:`PIECE` bytes; the last is what is left."""
    held = bytearray()
    async for data in content:
        held += data
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def _request(
    script: str, arguments: Mapping[str, Any], content: AsyncIterator[bytes] | None = None
) -> PipelineRequest:
    given = tuple(Argument(value, name) for name, value in arguments.items())
    command = Command(script, is_script=True, arguments=given, use_local_scope=True)
    pieces = None if content is None else in_pieces(content)
    return PipelineRequest(statements=(Statement((command,)),), input=pieces)


def _words(wish: Wish) -> dict[str, str]:
    return {"Owner": wish.owner, "Group": wish.group, "Mode": wish.mode}


def _beside(path: str) -> str:
    """A name in the same directory, for the file while it is written."""
    cut = max(path.rfind("/"), path.rfind("\\")) if "/" not in path else path.rfind("/")
    return f"{path[: cut + 1]}.runner-{secrets.token_hex(8)}"


def _facts(answer: Mapping[str, Any]) -> Facts:
    """Who owns a file and its mode; a Windows host tells none."""
    text = answer.get("Facts")
    if not isinstance(text, str):
        raise strange_answer()
    return facts_of(text) if text else _NO_FACTS


def _listed(answer: Mapping[str, Any]) -> Listed:
    kind, path, size = answer.get("Kind"), answer.get("Path"), answer.get("Size")
    digest = answer.get("Digest")
    known = kind in {"file", "missing", "directory", "special", "unreadable"}
    if not known or not isinstance(path, str) or not path or not isinstance(size, int) or size < 0:
        raise strange_answer()
    if kind != "file":
        return Listed(str(kind), path)
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise strange_answer()
    return Listed("file", path, size, digest, windows=answer.get("Windows") is True)


def _refused(message: str) -> ExecutionFailed:
    """The error of a script's refusal: its first word is ours, the rest the host's reason."""
    word, _, reason = message.strip().partition(" ")
    if word in REFUSALS:
        return ExecutionFailed(word, f"{REFUSALS[word]}: {reason}" if reason else REFUSALS[word])
    if word == "file-script":
        return ExecutionFailed("file-script", f"the host's PowerShell cannot handle the file: {reason}")
    return ExecutionFailed("file-script", f"the host's PowerShell failed while handling files: {message}")

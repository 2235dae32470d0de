"""Files on a host: looked at, put and taken by the fixed scripts of ``host_scripts`` over a kept connection.

What a host answers is not trusted: answers have a bound, are parsed strictly, and nothing but what was announced is
taken.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.errors import ExecutionFailed
from runner.execute.bodies import host_scripts
from runner.execute.guard import Guard
from runner.shell.fresh import FreshProcess, start_fresh
from runner.shell.request import ShellRequest
from runner.transport.port import Connection, Exit, Receiver, Stream
from runner.using.model import Shell

_ANSWER_LIMIT = 16 << 20
"""Bytes of an answer that are kept: a list of some hundred thousand files; no honest host sends more."""

_FACTS = re.compile(r"(\d+) (\d+) ([0-7]{3,5}) ([^\n]*):([^:\n]*)")
_DIGEST = re.compile(r"[0-9a-f]{64}")

REFUSALS = {
    "destination-directory": "the destination is a directory",
    "destination-link": "the destination cannot be followed",
    "destination-parent": "the destination has no directory to stand in",
    "destination-unreadable": "the destination cannot be compared",
    "destination-special": "the destination is no regular file",
    "destination-write": "the file cannot be written",
    "digest-missing": "the host has no program that computes SHA-256",
    "digest-differs": "the file arrived damaged, or changed while it was sent",
    "owner-refused": "the owner cannot be set",
    "mode-refused": "the mode cannot be set",
    "validation-failed": "the new file was refused by `validate`",
    "backup-failed": "the backup cannot be written",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Who owns a file, by number and by name, and its permission bits."""

    uid: str
    gid: str
    mode: int
    owner: str
    group: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a file will stand: the path with ``~``, directory and links resolved; digest and facts if it is there."""

    path: str
    digest: str | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A file found; ``kind`` is ``file``, ``missing``, ``directory``, ``special`` or ``unreadable``.

    ``windows``: the path has backslashes between its parts, and may begin with a drive.
    """

    kind: str
    path: str
    size: int = 0
    digest: str = ""
    windows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a file shall be besides its content; empty text leaves it as it is."""

    owner: str = ""
    group: str = ""
    mode: str = ""
    backup: str = ""
    validate: str = ""


class Files(Protocol):
    """The files of one host."""

    async def look(self, destination: str, name: str) -> Destination:
        """What stands at the destination; ``name`` is used where it is a directory.

        Raises:
            ExecutionFailed: nothing can be put there.
            ConnectionLost: the link broke.

        """

    async def put(self, path: str, digest: str, content: AsyncIterator[bytes], wish: Wish) -> Facts:
        """Put a file in place at once: written beside it, checked, and only then renamed over it.

        Raises:
            ExecutionFailed: it could not be; what stood there still does, and nothing else is left.
            ConnectionLost: the link broke.

        """

    async def settle(self, path: str, wish: Wish) -> Facts:
        """Set the owner, group and mode of a file whose content is right.

        Raises:
            ExecutionFailed: one of them cannot be set.
            ConnectionLost: the link broke.

        """

    async def find(self, patterns: Sequence[str]) -> list[Listed]:
        """The files that paths and patterns name, in order, each once.

        Raises:
            ExecutionFailed: the host cannot answer.
            ConnectionLost: the link broke.

        """

    async def take(self, listed: Listed, receiver: Receiver) -> None:
        """Give the announced bytes of a file to ``receiver``, which must count and check them.

        Raises:
            ExecutionFailed: the host could not read it.
            ConnectionLost: the link broke.

        """


class HostFiles:
    """The files of a host with a POSIX sh; a :class:`Files`."""

    def __init__(self, connection: Connection, guard: Guard) -> None:
        self._connection = connection
        self._guard = guard

    async def look(self, destination: str, name: str) -> Destination:
        """See :meth:`Files.look`."""
        head, _, path = (await self._ask(host_scripts.LOOK, [destination, name])).partition("\n")
        if not path:
            raise strange_answer()
        if head == "absent":
            return Destination(path)
        kind, _, rest = head.partition(" ")
        digest, _, facts = rest.partition(" ")
        if kind != "file" or not _DIGEST.fullmatch(digest):
            raise strange_answer()
        return Destination(path, digest, facts_of(facts))

    async def put(self, path: str, digest: str, content: AsyncIterator[bytes], wish: Wish) -> Facts:
        """See :meth:`Files.put`."""
        words = [path, digest, wish.owner, wish.group, wish.mode, wish.backup, wish.validate]
        return _done(await self._ask(host_scripts.PUT, words, content))

    async def settle(self, path: str, wish: Wish) -> Facts:
        """See :meth:`Files.settle`."""
        return _done(await self._ask(host_scripts.SETTLE, [path, wish.owner, wish.group, wish.mode]))

    async def find(self, patterns: Sequence[str]) -> list[Listed]:
        """See :meth:`Files.find`."""
        answer = await self._ask(host_scripts.FIND, patterns)
        return list(dict.fromkeys(_listed(entry) for entry in answer.split("\0")[:-1]))

    async def take(self, listed: Listed, receiver: Receiver) -> None:
        """See :meth:`Files.take`."""
        if listed.size:
            await self._run(host_scripts.TAKE, [listed.path, str(listed.size)], receiver, None)

    async def _ask(
        self, script: str, words: Sequence[str], content: AsyncIterator[bytes] | None = None
    ) -> str:
        answer = _Answer()
        await self._run(script, words, answer, content)
        return bytes(answer.output).decode(errors="surrogateescape")

    async def _run(
        self, script: str, words: Sequence[str], receiver: Receiver, content: AsyncIterator[bytes] | None
    ) -> None:
        """Run a script to its end; one that refuses or fails is an error."""
        errors = _Answer(receiver)
        # A path of the host that is no UTF-8 travels as bytes, which a shell's argument may be.
        arguments = [word.encode(errors="surrogateescape") for word in words]
        request = ShellRequest(shell=Shell.SH, script=script, args=arguments, script_name="runner")
        process = await start_fresh(self._connection, request, errors)
        self._guard.progress.sent = True
        ended = await self._guard.watch(process, _finish(process, content))
        if ended.code != 0:
            raise _refused(ended, bytes(errors.errors).decode(errors="replace"))


async def _finish(process: FreshProcess, content: AsyncIterator[bytes] | None) -> Exit:
    if content is not None:
        async for piece in content:
            await process.write(piece)
    await process.write_eof()
    return await process.wait()


class _Answer:
    """Keeps what a script says, within the bound; its standard output goes to ``receiver`` where one is given."""

    def __init__(self, receiver: Receiver | None = None) -> None:
        self._receiver = receiver
        self.output = bytearray()
        self.errors = bytearray()

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        if stream is Stream.STDOUT and self._receiver is not None:
            self._receiver.data_received(stream, data)
            return
        kept = self.output if stream is Stream.STDOUT else self.errors
        kept += data[: _ANSWER_LIMIT - len(kept)]


def _refused(ended: Exit, said: str) -> ExecutionFailed:
    """The error of a script's refusal, in our words with the host's reason behind them."""
    first = said.strip().splitlines() or [""]
    word, _, reason = first[0].partition(" ")
    if ended.code == host_scripts.REFUSED and word in REFUSALS:
        more = f": {reason}" if reason else ""
        rest = f" ({'; '.join(first[1:4])})" if first[1:] else ""
        return ExecutionFailed(word, f"{REFUSALS[word]}{more}{rest}")
    how = f"exit code {ended.code}" if ended.signal is None else f"signal {ended.signal}"
    return ExecutionFailed("file-script", f"the host's sh ended with {how} while handling files: {first[-1]}")


def strange_answer() -> ExecutionFailed:
    """The error of a host that answers what our script does not say."""
    return ExecutionFailed("file-script", "the host's answer about a file cannot be understood")


def _done(answer: str) -> Facts:
    word, _, rest = answer.strip("\n").partition(" ")
    if word != "done":
        raise strange_answer()
    return facts_of(rest)


def facts_of(text: str) -> Facts:
    """What ``stat`` was asked to say: numbers, mode and names.

    Raises:
        ExecutionFailed: it is something else.

    """
    match = _FACTS.fullmatch(text)
    if match is None:
        raise strange_answer()
    return Facts(match[1], match[2], int(match[3], 8), match[4], match[5])


def _listed(entry: str) -> Listed:
    kind, size, digest, path = [*entry.split(" ", 3), "", "", ""][:4]
    known = kind in {"file", "missing", "directory", "special", "unreadable"}
    if not known or not path or not size.isdecimal() or (kind == "file" and not _DIGEST.fullmatch(digest)):
        raise strange_answer()
    return Listed(kind, path, int(size), digest if kind == "file" else "")

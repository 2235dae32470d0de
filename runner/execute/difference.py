"""What ``copy`` changes of a file, for ``--diff``: the text before and after where it has one, else what is known."""

from __future__ import annotations

from typing import Any

from runner.engine.result import Difference
from runner.execute.bodies.copy import Comparison, Content
from runner.execute.bodies.host_files import Facts, Files, Listed, Wish
from runner.transport.port import Stream

TEXT_LIMIT = 1 << 20
"""Bytes of a text that is shown; the difference is a part of the result, which is kept in memory and recorded."""


async def difference_of(files: Files, content: Content, comparison: Comparison) -> Difference | None:
    """What a copy changes or would change, read before it does; None where it changes nothing.

    Raises:
        ExecutionFailed: the host cannot read its file.
        ConnectionLost: the link broke.

    """
    there, wish = comparison.there, comparison.wanted
    if not comparison.differs:
        if wish is None or there.facts is None:
            return None
        return Difference(_known(there.facts, wish), _wished(wish), there.path)
    after = await _new_text(content)
    if there.digest is None:
        return Difference(
            None, _described(content.digest, content.size) if after is None else after, there.path
        )
    found = await files.find([there.path])
    # Between the two looks the file may have gone, and its name then is a pattern that finds others or nothing.
    listed = found[0] if len(found) == 1 else Listed("missing", there.path)
    before = None if after is None else await _old_text(files, listed)
    if before is None or after is None:
        return Difference(
            _described(there.digest, listed.size), _described(content.digest, content.size), there.path
        )
    return Difference(before, after, there.path)


async def _new_text(content: Content) -> str | None:
    if content.size > TEXT_LIMIT:
        return None
    data = bytearray()
    async for piece in content.pieces():
        data += piece
    return _text(bytes(data))


async def _old_text(files: Files, listed: Listed) -> str | None:
    if listed.kind != "file" or listed.size > TEXT_LIMIT:
        return None
    taken = _Taken(listed.size)
    await files.take(listed, taken)
    return _text(bytes(taken.data))


class _Taken:
    """Keeps the bytes of a file, no more than were announced; a :class:`runner.transport.port.Receiver`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.data = bytearray()

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece."""
        if stream is Stream.STDOUT:
            self.data += data[: self._size - len(self.data)]


def _text(data: bytes) -> str | None:
    """The text; None for what is none: a NUL is in no text that a person reads by lines."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _described(digest: str, size: int) -> dict[str, Any]:
    return {"bytes": size, "sha256": digest}


def _known(facts: Facts, wish: Wish) -> dict[str, str]:
    known = {"owner": facts.owner, "group": facts.group, "mode": f"{facts.mode:04o}"}
    return {key: value for key, value in known.items() if getattr(wish, key)}


def _wished(wish: Wish) -> dict[str, str]:
    wished = {"owner": wish.owner, "group": wish.group, "mode": wish.mode}
    return {key: value for key, value in wished.items() if value}

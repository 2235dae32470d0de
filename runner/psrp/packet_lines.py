"""Lines out of a stream of bytes, with a bound on what an unended one may hold."""

from __future__ import annotations

#: Bytes of the longest line that is taken. PowerShell's own lines are 44 KiB (fragments of 32 KiB in base64); the room
#: above is for engines that send bigger fragments.
LONGEST_LINE = 4 << 20


class LineTooLong(ValueError):
    """A line has no end within the bound."""


class LineSplitter:
    """Cuts what comes into lines, in order, whatever the pieces are."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in ``data``, without their newlines.

        Raises:
            LineTooLong: more than the bound has come without a newline; the splitter is of no use any more.

        """
        first, *rest = data.split(b"\n")
        self._keep(first)
        if not rest:
            return []
        lines = [self.rest(), *rest[:-1]]
        self._keep(rest[-1])
        return lines

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            raise LineTooLong(f"a line is longer than {self._longest} bytes")
        self._parts.append(part)

    def rest(self) -> bytes:
        """What has come since the last newline; it is taken out."""
        whole = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return whole

"""What a doctor finds: one thing that was looked at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mend:
    """What mends something: lines to type, and where (``host``, ``controller``) or to write (``inventory``)."""

    where: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: where, whether it is well, what was seen, and what to do where it is not.

    ``unreachable`` says that nothing is known to be missing on the host: it could not be reached, or let nobody in.
    """

    place: str
    check: str
    ok: bool
    seen: str
    hint: str = ""
    mend: Mend | None = None
    unreachable: bool = False

    def as_document(self) -> dict[str, object]:
        """For ``-o json``: hints and what mends only where something is wrong."""
        mend = {"where": self.mend.where, "lines": list(self.mend.lines)} if self.mend is not None else None
        return {
            "place": self.place,
            "check": self.check,
            "ok": self.ok,
            "seen": self.seen,
            "hint": None if self.ok else self.hint or None,
            "mend": None if self.ok else mend,
        }

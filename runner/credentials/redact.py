"""Masking: every known secret is starred out wherever text is shown or stored, also when it comes in pieces.

Occurrences that overlap are masked together. All secrets are one compiled alternation, longest first, so the cost
grows with the text and not with text times secrets.
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from runner.objects import PSObject
from runner.values import Secret

STARS = "********"

_SHORTEST = 4
"""Characters a secret has at least to be masked: shorter ones would star out half of any output and hide nothing."""

_ARMOR = re.compile(r"-----[A-Z0-9 ]+-----")
"""The first and last line of a PEM or OpenSSH key: the same for everybody."""


class Redactor:
    """Knows the secrets of a run; more may come while it goes on."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._heads: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to mask."""
        return not self._secrets

    def add(self, secret: Secret | str) -> None:
        """Mask this text from now on, and each line of it where it has several."""
        text = secret.reveal() if isinstance(secret, Secret) else secret
        for part in {text, text.strip(), *(line.strip() for line in text.splitlines())}:
            if len(part) >= _SHORTEST and not part.isspace() and not _ARMOR.fullmatch(part):
                self._secrets.add(part)
                self._heads.update(part[:length] for length in range(1, _SHORTEST))
                self._pattern = None

    def mask(self, text: str) -> str:
        """The text with every secret replaced by stars."""
        pieces: list[str] = []
        end = 0
        for start, stop in self.spans(text):
            pieces += (text[end:start], STARS)
            end = stop
        return "".join((*pieces, text[end:])) if pieces else text

    def finds(self, text: str) -> bool:
        """Whether a secret stands in the text."""
        return next(self.spans(text), None) is not None

    def mask_value(self, value: Any) -> Any:
        """A nested value with every text in it masked, keys too; the value itself where nothing had to be.

        Goes by a list and not by recursion: how deep output is nested is up to the host.
        """
        if not self._secrets:
            return value
        root = [value]
        pending: list[tuple[Any, Any]] = [(root, 0)]
        while pending:
            container, key = pending.pop()
            found = container[key]
            if isinstance(found, str):
                masked = self.mask(found)
                container[key] = found if masked == found else masked
            elif isinstance(found, Secret):
                container[key] = STARS
            elif isinstance(found, bytes):
                container[key] = self.mask(found.decode(errors="surrogateescape")).encode(
                    errors="surrogateescape"
                )
            elif isinstance(found, dict) and tuple(found) == ("$bytes",):
                container[key] = self._mask_bytes(found)
            elif isinstance(found, dict):
                copied = container[key] = self._copied(found)
                pending.extend((copied, k) for k in copied)
            elif isinstance(found, list | tuple):
                items = container[key] = list(found)
                pending.extend((items, index) for index in range(len(items)))
        return root[0]

    def _copied(self, found: dict[Any, Any]) -> dict[Any, Any]:
        """A mapping with its keys masked, of the same kind; an object of PowerShell keeps its types and its text."""
        entries = {self.mask(k) if isinstance(k, str) else k: v for k, v in found.items()}
        if isinstance(found, PSObject):
            text = None if found.text is None else self.mask(found.text)
            return PSObject(entries, type_names=found.type_names, text=text)
        return OrderedDict(entries) if isinstance(found, OrderedDict) else entries

    def _mask_bytes(self, found: dict[str, Any]) -> dict[str, Any]:
        """``{"$bytes": base64}``, which output becomes where it is no UTF-8 (cli.md)."""
        try:
            text = base64.b64decode(found["$bytes"], validate=True).decode(errors="surrogateescape")
        except (TypeError, ValueError):  # a script wrote it, and it is something else
            return {"$bytes": self.mask_value(found["$bytes"])}
        masked = self.mask(text)
        if masked == text:
            return found
        return {"$bytes": base64.b64encode(masked.encode(errors="surrogateescape")).decode("ascii")}

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets stand, in order; overlapping and touching occurrences are one."""
        pattern = self._compiled()
        found = pattern.search(text) if pattern is not None else None
        if pattern is None or found is None:
            return
        start, stop = found.span()
        while (found := pattern.search(text, found.start() + 1)) is not None:
            if found.start() > stop:
                yield start, stop
                start = found.start()
            stop = max(stop, found.end())
        yield start, stop

    def held_from(self, text: str) -> int:
        """Where the tail begins that may be the beginning of a secret; the length of the text where there is none."""
        earliest = len(text)
        for length in range(1, min(_SHORTEST, len(text) + 1)):
            if text[-length:] in self._heads:
                earliest = len(text) - length
        for secret in self._secrets:
            start = text.find(
                secret[:_SHORTEST], max(0, len(text) - len(secret) + 1), earliest + _SHORTEST - 1
            )
            while start != -1 and not secret.startswith(text[start:]):
                start = text.find(secret[:_SHORTEST], start + 1, earliest + _SHORTEST - 1)
            if start != -1:
                earliest = min(earliest, start)
        return earliest

    def _compiled(self) -> re.Pattern[str] | None:
        if self._pattern is None and self._secrets:
            ordered = sorted(self._secrets, key=lambda secret: (-len(secret), secret))
            self._pattern = re.compile("|".join(map(re.escape, ordered)))
        return self._pattern


class StreamMask:
    """Masks text that comes in pieces: what may be the beginning of a secret is held back until more has come."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._starred: int | None = None  # up to where in what is held the stars given out last reach

    def feed(self, text: str) -> str:
        """What may be shown now."""
        return self._give(self._held + text, final=False)

    def finish(self) -> str:
        """The rest; afterwards the stream is as new."""
        return self._give(self._held, final=True)

    def _give(self, text: str, *, final: bool) -> str:
        cut = len(text) if final else self._redactor.held_from(text)
        pieces: list[str] = []
        starred = self._starred
        for start, stop in self._redactor.spans(text):
            if start >= cut:
                break
            if starred is None or start > starred:
                pieces += (text[starred or 0 : start], STARS)
            starred = max(stop, starred or 0)
        if (starred or 0) < cut:
            pieces.append(text[starred or 0 : cut])
            starred = None
        self._held = text[cut:]
        self._starred = None if final or starred is None else starred - cut
        return "".join(pieces)

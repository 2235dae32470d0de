"""Long output in files: masked like everything that is stored."""

from __future__ import annotations

from pathlib import Path

from runner.credentials.redact import Redactor, StreamMask

_PIECE = 1 << 20


def mask_file(path: Path, redactor: Redactor) -> None:
    """Replace every secret in a file of output; all other bytes stay as they are."""
    if redactor.empty:
        return
    masked, stream = path.with_name(path.name + ".masked"), StreamMask(redactor)
    with (
        path.open("r", encoding="utf-8", errors="surrogateescape", newline="") as source,
        masked.open("w", encoding="utf-8", errors="surrogateescape", newline="") as target,
    ):
        masked.chmod(0o600)
        while piece := source.read(_PIECE):
            target.write(stream.feed(piece))
        target.write(stream.finish())
    masked.replace(path)

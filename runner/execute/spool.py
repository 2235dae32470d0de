"""Long output in files: masked like everything that is stored."""

from __future__ import annotations

import codecs
from typing import IO

from runner.credentials.redact import Redactor, StreamMask

_PIECE = 1 << 20


def copy_masked(source: IO[bytes], target: IO[bytes], redactor: Redactor) -> None:
    """Copy output with every secret replaced; all other bytes stay as they are."""
    decoder, stream = codecs.getincrementaldecoder("utf-8")("surrogateescape"), StreamMask(redactor)
    while piece := source.read(_PIECE):
        target.write(stream.feed(decoder.decode(piece)).encode(errors="surrogateescape"))
    rest = stream.feed(decoder.decode(b"", final=True)) + stream.finish()
    target.write(rest.encode(errors="surrogateescape"))

"""The recordings that come with the lab: what PowerShell 7.6.5 answered to the examples of Invoke-Command's reference.

A replay reads a folder of JSON files, so that one of somebody's own can be given to it; the packed ones are laid out in
the lab's directory. Packed by ``python -m tests.support.pack_recordings``.
"""

from __future__ import annotations

import gzip
from pathlib import Path

PACKED = Path(__file__).with_name("recordings.jsonl.gz")


def unpack_recordings(folder: Path) -> None:
    """Write each recording as a file of its own, in their order; earlier ones of the lab are overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = gzip.decompress(PACKED.read_bytes()).splitlines()
    for number, line in enumerate(lines):
        (folder / f"{number:03d}.json").write_bytes(line)

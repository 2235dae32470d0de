"""Packs the recordings that the lab ships: ``python -m tests.support.pack_recordings``.

The examples of the reference (``e*.json``) with what the replay reads of them, one JSON text a line, compressed so that
the same recordings give the same bytes.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.lab.recordings import PACKED

RECORDINGS = Path(__file__).parents[1] / "recordings" / "server"


def packed() -> bytes:
    """The packed file."""
    lines = [
        json.dumps(_needed(json.loads(path.read_bytes())), ensure_ascii=False, separators=(",", ":"))
        for path in sorted(RECORDINGS.glob("e*.json"))
    ]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def _needed(recording: Mapping[str, Any]) -> dict[str, Any]:
    """What the replay reads of a recording."""
    return {
        "name": recording["name"],
        "runs": [{"pipeline": run["pipeline"]} for run in recording["runs"]],
        "transcript": [
            {
                "dir": packet["dir"],
                "packet": packet["packet"],
                "PSGuid": packet["PSGuid"],
                "messages": [
                    {"type": message["type"], "clixml": message["clixml"]}
                    for message in packet.get("messages", ())
                ],
            }
            for packet in recording["transcript"]
        ],
    }


if __name__ == "__main__":
    PACKED.write_bytes(packed())

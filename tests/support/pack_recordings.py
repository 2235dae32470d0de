"""Packs the recordings that the lab ships: ``python -m tests.support.pack_recordings``.

The examples of the reference (``e*.json``) with what the replay reads of them, one JSON text a line, compressed so that
the same recordings give the same bytes. Example 17 asks for a file of a network share, which no PowerShell on Linux
has: it is answered with the file that example 12 lists, under the name it would have there.
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
    recordings = [json.loads(path.read_bytes()) for path in sorted(RECORDINGS.glob("e*.json"))]
    recordings.append(network_share({recording["name"]: recording for recording in recordings}))
    lines = [
        json.dumps(_needed(recording), ensure_ascii=False, separators=(",", ":")) for recording in recordings
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


def network_share(recordings: Mapping[str, Any]) -> dict[str, Any]:
    """Example 17: the request of example 15 with its command, the answer to example 12 with its names."""
    asked, answered = recordings["e15-hotfix"], recordings["e12-args"]
    request = _packets(asked, "Get-HotFix", "C")[:2]  # Command, and the Data with CREATE_PIPELINE
    answer = _packets(answered, "Get-ChildItem $args[0] $args[1]", "S")
    pipeline = request[0]["PSGuid"]
    transcript = [_renamed(packet, pipeline, {"Get-HotFix": SHARED_FILE}) for packet in request]
    transcript += [_renamed(packet, pipeline, _SHARE) for packet in answer]
    return {"name": "e17-network-share", "runs": [{"pipeline": pipeline}], "transcript": transcript}


SHARED_FILE = r"Get-Item \\Net03\Scripts\LogFiles.ps1"
"""What example 17 runs."""
_SHARE = {
    "/home/fleet/a.txt": r"\\Net03\Scripts\LogFiles.ps1",
    "/home/fleet": r"\\Net03\Scripts",
    ">a.txt<": ">LogFiles.ps1<",
    ">.txt<": ">.ps1<",
    ">a<": ">LogFiles<",
}


def _packets(recording: Mapping[str, Any], script: str, direction: str) -> list[dict[str, Any]]:
    """The packets of a run, one way."""
    [pipeline] = [run["pipeline"] for run in recording["runs"] if run["script"] == script]
    return [
        packet
        for packet in recording["transcript"]
        if (packet["PSGuid"], packet["dir"]) == (pipeline, direction)
    ]


def _renamed(packet: Mapping[str, Any], pipeline: str, names: Mapping[str, str]) -> dict[str, Any]:
    messages = []
    for message in packet.get("messages", ()):
        clixml = message["clixml"]
        for old, new in names.items():
            clixml = clixml.replace(old, new)
        messages.append({**message, "clixml": clixml})
    return {**packet, "PSGuid": pipeline, "messages": messages}


if __name__ == "__main__":
    PACKED.write_bytes(packed())

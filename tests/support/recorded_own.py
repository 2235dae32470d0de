"""Recordings in the form of tests/recordings/server that no engine made as they are: for the replay endpoint.

Answers to what a test asks beside a recorded conversation (a real engine works them out itself), recorded requests that
are said otherwise, and what an engine answered to PowerShell's own client.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.support.clixml import RECORDINGS, written

_NAMES = UUID("7a2f6a52-6f0f-4a4b-8a7b-7d2f0c6f3d11")
#: PIPELINE_STATE Completed (MS-PSRP 2.2.3.5).
_COMPLETED = '<Obj RefId="0"><MS><I32 N="PipelineState">4</I32></MS></Obj>'
_CREATE, _OUTPUT, _STATE = "00021006", "00041004", "00041006"


@dataclass(frozen=True)
class Question:
    """A script, or a command with arguments by name that are texts; ``answer`` is the one value that it gives."""

    text: str
    answer: Any
    named: Mapping[str, str] | None = None

    @property
    def creation(self) -> str:
        """As much of a CREATE_PIPELINE as a replay reads."""
        arguments = "".join(
            f'<Obj RefId="{number}"><MS><S N="N">{escape(name)}</S><S N="V">{escape(value)}</S></MS></Obj>'
            for number, (name, value) in enumerate((self.named or {}).items(), 5)
        )
        command = (
            f'<Obj RefId="3"><MS><S N="Cmd">{escape(self.text)}</S>'
            f'<B N="IsScript">{"true" if self.named is None else "false"}</B>'
            f'<Obj N="Args" RefId="4"><LST>{arguments}</LST></Obj></MS></Obj>'
        )
        return (
            '<Obj RefId="0"><MS><Obj N="PowerShell" RefId="1"><MS><Obj N="Cmds" RefId="2"><LST>'
            f'{command}</LST></Obj></MS></Obj><B N="NoInput">true</B></MS></Obj>'
        )


def own(name: str, questions: Iterable[Question]) -> dict[str, Any]:
    """A recording of questions and their answers."""
    runs, transcript = [], []
    for number, question in enumerate(questions):
        pipeline = str(uuid5(_NAMES, f"{name}.{number}"))
        runs.append({"pipeline": pipeline})
        transcript.append(_packet("C", pipeline, (_CREATE, "CreatePipeline", question.creation)))
        answer = (
            (_OUTPUT, "PipelineOutput", written(question.answer)),
            (_STATE, "PipelineState", _COMPLETED),
        )
        transcript.append(_packet("S", pipeline, *answer))
    return {"name": name, "runs": runs, "transcript": transcript}


def _packet(direction: str, pipeline: str, *messages: tuple[str, str, str]) -> dict[str, Any]:
    told = [{"type": kind, "name": name, "clixml": clixml} for kind, name, clixml in messages]
    return {"dir": direction, "packet": "Data", "PSGuid": pipeline, "messages": told}


def adapted(document: dict[str, Any], changes: Mapping[int, Callable[[str], str]]) -> dict[str, Any]:
    """A recording with the CREATE_PIPELINE of some runs said otherwise; ``changes`` are by the number of the run."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    by_pipeline = {found["runs"][number]["pipeline"]: change for number, change in changes.items()}
    for packet in found["transcript"]:
        change = by_pipeline.get(packet["PSGuid"])
        for message in packet.get("messages") or ():
            if change is not None and packet["dir"] == "C" and message["name"] == "CreatePipeline":
                before, message["clixml"] = message["clixml"], change(message["clixml"])
                assert message["clixml"] != before, "a change that changes nothing"
    return found


def of_client(name: str) -> dict[str, Any]:
    """What PowerShell's own client said and was answered, without the two pipelines that it runs for itself."""
    path = RECORDINGS / "client" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    asked = [
        packet["PSGuid"]
        for packet in document["transcript"]
        for message in packet.get("messages") or ()
        if message["name"] == "CreatePipeline" and not _is_its_own(message["clixml"])
    ]
    wanted = {*asked, str(UUID(int=0))}
    return {
        "name": f"client-{name}",
        "runs": [{"pipeline": pipeline} for pipeline in asked],
        "transcript": [packet for packet in document["transcript"] if packet["PSGuid"] in wanted],
    }


def _is_its_own(creation: str) -> bool:
    text = ET.fromstring(creation).findtext(".//S[@N='Cmd']") or ""
    return text.startswith("__Set-PS")

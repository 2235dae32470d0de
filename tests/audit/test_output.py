"""Hostile output of hosts, and what stands on which stream."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from tests.audit.conftest import Audit

HOSTILE = {
    "book.yml": """\
        version: 1
        name: "evil \\e[2J"
        targets: {two: {hosts: "web-01,web-02"}}
        steps:
          - id: evil
            name: "step \\e]0;x\\a"
            target: two
            script: |
              printf 'a\\033[2J\\033]0;title\\007b\\rXX\\n'
              printf '\\377\\376raw\\n'
              printf '\\302\\233 31m\\342\\200\\256 override\\n'
              printf 'err\\033[31m\\n' >&2
              exit 3
        """
}
RESULT_KEYS = [
    "run",
    "step",
    "host",
    "item",
    "attempt",
    "status",
    "started_at",
    "duration_s",
    "exit_code",
    "output",
    "stderr",
    "signal",
    "truncated",
    "output_file",
    "errors",
    "streams",
    "failure",
    "transport",
    "session",
    "changed",
]
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("form", ["plain", "rich", "quiet"])
@pytest.mark.parametrize("more", [(), ("-vv",)])
def test_controls_reach_no_screen(form: str, more: tuple[str, ...], lab: Path, audit: Audit) -> None:
    """Escape sequences, carriage returns and reordering marks of a host or a playbook are shown, not sent."""
    done = audit("run", "book.yml", "-i", lab, "-o", form, *more, files=HOSTILE)
    assert done.code == 1
    assert CONTROLS.findall(done.out + done.err) == []


def test_the_document(lab: Path, audit: Audit) -> None:
    """The JSON document has cli.md's keys and types, moments in UTC with Z, and text that is not UTF-8 as bytes."""
    done = audit("run", "book.yml", "-i", lab, "-o", "json", files=HOSTILE)
    document = json.loads(done.out)
    assert list(document) == ["run", "results", "summary"]
    assert document["summary"]["results"]["failed"] == 2
    for result in document["results"]:
        assert list(result)[: len(RESULT_KEYS)] == RESULT_KEYS
        assert result["started_at"].endswith("Z")
        assert datetime.fromisoformat(result["started_at"]).tzinfo is not None
        assert (result["status"], result["exit_code"], result["transport"]) == ("failed", 3, "ssh")
        assert base64.b64decode(result["output"][1]["$bytes"]) == b"\xff\xferaw"
        assert result["stderr"] == ["err\x1b[31m"]


def test_endless_output(lab: Path, audit: Audit, tmp_path: Path) -> None:
    """A host that never stops writing one line is stopped by the step's timeout, and what it wrote is bounded."""
    book = "version: 1\nsteps:\n  - {id: flood, hosts: web-01, timeout: 1s, script: 'yes | tr -d \"\\n\"'}\n"
    done = audit("run", "book.yml", "-i", lab, "-o", "json", "--record", "record", files={"book.yml": book})
    assert done.code == 1
    (result,) = json.loads(done.out)["results"]
    assert (result["status"], result["truncated"]) == ("timed_out", True)
    assert len(done.out) < 4 << 20
    assert (tmp_path / result["output_file"]).stat().st_size > 1 << 20

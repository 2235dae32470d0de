"""`-f` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.conftest import Audit

MANY = 40
BOOK = {
    "book.yml": f"""\
        version: 1
        name: crowd
        throttle: 33
        steps:
          - hosts: all
            script: |
              cd "${{Using:folder}}"; : > "${{Using:inventory_hostname}}"
              until [ $(ls | wc -l) -ge {MANY} ]; do sleep 0.1; done
            vars: {{folder: "{{{{ where }}}}"}}
            timeout: 10s
        """,
    "hosts.ini": "[crowd]\n" + "".join(f"h{number} ansible_connection=local\n" for number in range(MANY)),
}


@pytest.mark.parametrize(("option", "code"), [(("-f", "unlimited"), 0), (("-f", str(MANY)), 0), ((), 1)])
def test_hosts_at_once(option: tuple[str, ...], code: int, audit: Audit, tmp_path: Path) -> None:
    """`-f unlimited` lifts the limits of the step and the run, `-f N` sets them, and without it 32 is the limit."""
    folder = tmp_path / "crowd"
    folder.mkdir()
    words = ("run", "book.yml", "-i", "hosts.ini", "-e", f"where={folder}", "-o", "quiet")
    done = audit(*words, *option, files=BOOK)
    assert done.code == code, done.err

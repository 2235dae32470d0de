"""Every code that the transport uses has its page."""

from __future__ import annotations

import re
from pathlib import Path

import runner.transport
from runner.codes import code_pages
from runner.codes.transport import CODES

_CODE = re.compile(r'"([a-z]+(?:-[a-z]+)+)"')


def test_every_page_is_of_a_code_in_use() -> None:
    """No page explains a code that nothing uses."""
    sources = "".join(path.read_text() for path in Path(runner.transport.__file__).parent.glob("*.py"))
    assert CODES.keys() - set(_CODE.findall(sources)) == set()


def test_every_code_of_the_error_mapper_has_a_page() -> None:
    """Each code in the modules that make errors is explained."""
    folder = Path(runner.transport.__file__).parent
    for name in ("ssh_errors", "ssh_host_keys", "ssh_identities", "ssh_jumps"):
        used = set(_CODE.findall((folder / f"{name}.py").read_text()))
        not_codes = {"cert-authority", "keyboard-interactive", "ssh-rsa", "rsa-sha", "accept-new"}
        assert used - not_codes - code_pages().keys() == set(), name

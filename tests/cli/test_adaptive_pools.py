"""A pool that opens fewer connections than it may says so while it runs."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.command_line import Typed

HOSTS = """\
version: 1
connection: {transport: ssh, user_name: x, host_key_checking: off}
hosts: {d1: {address: 127.0.0.1, connection: {port: PORT}}}
"""
BOOK = """\
version: 1
name: paced
pools: {bastion: {throttle: 16, adaptive: true}}
steps: [{id: look, hosts: d1, pool: bastion, script: 'true'}]
"""


def test_a_pool_that_backs_off_is_told(typed: Typed, folder: Path) -> None:
    """With its name, its limit now and its size; without `adaptive` nothing is said."""
    (folder / "paced.yml").write_text(BOOK, encoding="utf-8")
    (folder / "plain.yml").write_text(BOOK.replace(", adaptive: true", ""), encoding="utf-8")
    with socket.socket() as silent:  # bound and not listening: who connects is refused
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        (folder / "paced.hosts.yml").write_text(HOSTS.replace("PORT", str(port)), encoding="utf-8")
        told = typed("run", "paced.yml", "-i", "paced.hosts.yml")
        untold = typed("run", "plain.yml", "-i", "paced.hosts.yml")

    assert (told.code, untold.code) == (3, 3)
    assert "note: pool `bastion` opens 8 of 16 connections at once\n" in told.err
    assert "connections at once" not in untold.err

"""known_hosts: reading, finding, adding."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.transport.ssh_known_hosts import (
    KnownHosts,
    KnownHostsFiles,
    append_entry,
    entry_name,
    hashed_name,
    parse_entries,
)

KEY = "ssh-ed25519 " + base64.b64encode(b"a key").decode()
OTHER = "ssh-ed25519 " + base64.b64encode(b"another").decode()


def known(text: str) -> KnownHosts:
    return KnownHosts(parse_entries(text, "known_hosts"))


@pytest.mark.parametrize(
    ("names", "host", "port", "found"),
    [
        ("web1", "web1", 22, True),
        ("web1", "WEB1", 22, True),
        ("web1,10.0.0.1", "10.0.0.1", 22, True),
        ("web1", "web2", 22, False),
        ("[web1]:2222", "web1", 2222, True),
        ("[web1]:2222", "web1", 22, False),
        ("[web1]:2222", "web1", 2223, False),
        ("web1", "web1", 2222, True),
        ("*.example.com", "web1.example.com", 22, True),
        ("*.example.com,!db.example.com", "db.example.com", 22, False),
        ("[*.example.com]:2222", "web1.example.com", 2222, True),
        ("::1", "::1", 22, True),
    ],
)
def test_names(names: str, host: str, port: int, found: bool) -> None:
    """Names, lists, patterns and ports find a host as in ssh."""
    assert bool(known(f"{names} {KEY}\n").keys(host, port).trusted) is found


@given(st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True), st.integers(1, 65535))
def test_hashed_names(host: str, port: int) -> None:
    """A hashed name finds its own host and no other."""
    found = known(f"{hashed_name(entry_name(host, port))} {KEY}\n")
    assert found.keys(host, port).trusted
    assert not found.keys(f"{host}x", port).trusted


def test_markers() -> None:
    """Authorities and revoked keys are kept apart from trusted ones, with their lines."""
    found = known(f"# comment\n@cert-authority * {KEY}\n@revoked web1 {OTHER}\nweb1 {KEY}\n").keys("web1", 22)
    assert [entry.source for entry in found.authorities] == ["known_hosts:2"]
    assert [entry.source for entry in found.revoked] == ["known_hosts:3"]
    assert [entry.source for entry in found.trusted] == ["known_hosts:4"]


def test_a_revoked_key_under_the_bare_name_counts_for_every_port() -> None:
    """A revoked key is revoked although nothing else stands under the host's port."""
    assert known(f"@revoked web1 {KEY}\n").keys("web1", 2222).revoked


@given(st.text())
def test_lines_that_are_none_are_passed_over(text: str) -> None:
    """No text makes reading fail, and a good line after it is found."""
    assert known(f"{text}\nweb1 {KEY}\n").keys("web1", 22).trusted


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    """What others add to the file while a run goes on counts."""
    files, path = KnownHostsFiles(), tmp_path / "known_hosts"
    assert not files.known([path]).keys("web1", 22).trusted
    append_entry(path, "web1", KEY)
    assert files.known([path]).keys("web1", 22).trusted


def test_an_accepted_key_counts_at_once(tmp_path: Path) -> None:
    """What was accepted is known to the next connection, and written once."""
    files, path = KnownHostsFiles(), tmp_path / "known_hosts"
    files.accept([path], "web1", KEY, hashed=False)
    assert len(files.known([path]).keys("web1", 22).trusted) == 1
    assert path.read_text() == f"web1 {KEY}\n"


def test_an_accepted_key_counts_where_no_file_keeps_it() -> None:
    """With /dev/null as the file a key that was accepted stays accepted for the run."""
    files, path = KnownHostsFiles(), Path("/dev/null")
    files.accept([path], "web1", KEY, hashed=False)
    assert files.known([path]).keys("web1", 22).trusted

"""Reading ssh_config as ssh does; ssh itself is asked for what is right."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.transport.ssh_config import (
    ConfigError,
    ConfigFiles,
    Question,
    Value,
    expand_tokens,
    first,
    host_matches,
    parse,
    resolve,
)

_WORDS = (
    "Hostname",
    "User",
    "Port",
    "ProxyJump",
    "ServerAliveInterval",
    "StrictHostKeyChecking",
    "HostKeyAlias",
)

CASES = {
    "first value wins": "Host web1\n  Port 2201\nHost *\n  Port 2202\n  User ops\n",
    "order beats precision": "Host *\n  Port 2202\nHost web1\n  Port 2201\n",
    "negation": "Host * !web1\n  User other\nHost web*\n  User ops\n",
    "several patterns": "Host db* web?\n  User ops\nHost web?? \n  Port 7\n",
    "equals and quotes": 'host=web1\n User = "ops"\n Port=2201\nHostName "10.0.0.1"\n',
    "comment at the end": "Host web1\n  User ops # the team\n  # Port 7\n",
    "before any host": "User everybody\nHost web1\n  User ops\n",
    "match all": "Match all\n  User ops\n",
    "match host after hostname": "Host web1\n  Hostname real.example\nMatch host real.*\n  User ops\n",
    "match originalhost": "Host web1\n  Hostname real.example\nMatch originalhost web1,db1\n  User ops\n",
    "match not": "Match !host web1\n  User other\nMatch host web1 !user root\n  Port 2201\n",
    "match user": "Host web1\n  User ops\nMatch user ops\n  Port 2201\nMatch user root\n  Port 7\n",
    "match localuser": "Match localuser nobody-like-this\n  Port 7\nMatch !localuser nobody-like-this\n  Port 8\n",
    "match exec": 'Match exec "test %h = web1"\n  User yes\nMatch exec false\n  Port 7\n',
    "match final": "Match final\n  User last\nHost web1\n  Port 2201\n",
    "jump": "Host web*\n  ProxyJump ops@gate:2222,inner\n",
    "words in any case": "hOST WEB1\nhost web1\n  PORT 2201\n  userKnownHostsFile /dev/null\n",
    "checking": "Host web1\n  StrictHostKeyChecking accept-new\n",
    "hostname with token": "Host web1\n  HostName %h.example.com\n",
}


def read(path: Path, host: str, values: dict[str, list[Value]] | None = None) -> dict[str, list[Value]]:
    """What the file says for a host."""

    def execute(command: str) -> bool:
        return subprocess.run(command, shell=True, check=False).returncode == 0

    question = Question(host, None, getpass.getuser())
    return resolve(ConfigFiles(path.parent), [(path, path.parent)], question, values or {}, execute)


@pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's ssh is not installed")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("host", ["web1", "db1", "other"])
def test_as_ssh_reads_it(tmp_path: Path, case: str, host: str) -> None:
    """For each file and host the values are those that ``ssh -G`` prints."""
    path = tmp_path / "config"
    path.write_text(CASES[case])
    bare = ask_ssh(Path("/dev/null"), host)
    wanted = {word: text for word, text in ask_ssh(path, host).items() if text != bare.get(word)}
    values = read(path, host)
    got = {word: first(values, word) for word in _WORDS}
    if got["Hostname"]:
        got["Hostname"] = expand_tokens(got["Hostname"], {"h": host}, "test")
    assert {
        word.lower(): text for word, text in got.items() if text and text != bare.get(word.lower())
    } == wanted


def ask_ssh(path: Path, host: str) -> dict[str, str]:
    output = subprocess.run(
        ["ssh", "-G", "-F", str(path), host], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.split(None, 1) for line in output.splitlines() if " " in line)
    known = {word.lower() for word in _WORDS}
    return {word: text for word, text in pairs if word in known}


def test_keys_gather(tmp_path: Path) -> None:
    """IdentityFile gathers over all blocks that match, in order, each once."""
    path = tmp_path / "config"
    path.write_text("Host web1\n  IdentityFile a\nHost *\n  IdentityFile b\n  IdentityFile a\n")
    assert [value.text for value in read(path, "web1")["IdentityFile"]] == ["a", "b"]


def test_source_of_a_value(tmp_path: Path) -> None:
    """Each value knows its file and line."""
    path = tmp_path / "config"
    path.write_text("Host web1\n\n  Port 2201\n")
    assert read(path, "web1")["Port"] == [Value(("2201",), f"{path}:3")]


def test_include(tmp_path: Path) -> None:
    """Included files are read where they stand, globs in order, relative to the base, within the block's condition."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "10-a").write_text("Host web1\n  Port 2201\n")
    (tmp_path / "conf.d" / "20-b").write_text("Port 2202\nUser ops\n")
    path = tmp_path / "config"
    path.write_text("Host web*\n  Include conf.d/*\nHost *\n  User other\nInclude missing\n")
    assert [first(read(path, "web1"), word) for word in ("Port", "User")] == ["2201", "ops"]
    assert [first(read(path, "db1"), word) for word in ("Port", "User")] == [None, "other"]


def test_include_of_itself(tmp_path: Path) -> None:
    """A file that includes itself is an error, not an endless walk."""
    path = tmp_path / "config"
    path.write_text("Include config\n")
    with pytest.raises(ConfigError, match="include each other"):
        read(path, "web1")


def test_values_above_the_files_win(tmp_path: Path) -> None:
    """What is said above the files stands, and ``Match`` sees it."""
    path = tmp_path / "config"
    path.write_text("Port 2201\nMatch host 10.0.0.1\n  User ops\n")
    above = {"Hostname": [Value(("10.0.0.1",), "options")]}
    values = read(path, "web1", above)
    assert first(values, "Hostname") == "10.0.0.1"
    assert first(values, "User") == "ops"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Host web1\n  Port\n", "config:2: `Port` has no value"),
        ("User 'ops\n", "config:1: quotes are not closed"),
        ("= x\n", "config:1: expected a word"),
    ],
)
def test_broken_line(text: str, message: str) -> None:
    """A line that is broken is told with its number."""
    with pytest.raises(ConfigError, match=message):
        parse(text, "config")


def test_proxy_command_is_taken_whole() -> None:
    """The rest of a ProxyCommand line is one text, quotes and all."""
    assert parse('ProxyCommand nc "%h" %p # x\n', "config")[0].arguments == ('nc "%h" %p # x',)


@pytest.mark.parametrize(
    ("patterns", "name", "matches"),
    [
        (["web?"], "web1", True),
        (["web?"], "web12", False),
        (["WEB*"], "web1", True),
        (["*", "!web1"], "web1", False),
        (["!web1"], "db1", False),
        (["[::1]:22"], "[::1]:22", True),
    ],
)
def test_patterns(patterns: list[str], name: str, matches: bool) -> None:
    """Patterns are those of ssh: ``*``, ``?`` and ``!``, no bracket sets, any case."""
    assert host_matches(name, patterns) is matches

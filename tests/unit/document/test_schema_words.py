"""The words from elsewhere point at keys that exist, and never stand in the way of a key of the language."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.document.schema_words import ADVICE, RENAMED, correct
from runner.schema_files import schema_text

PLAYBOOK: dict[str, Any] = json.loads(schema_text("playbook"))
INVENTORY: dict[str, Any] = json.loads(schema_text("inventory"))
DEFS = PLAYBOOK["$defs"]
STEP = DEFS["step"]["properties"]


def fields(union: dict[str, Any]) -> set[str]:
    """The keys of the mapping among the alternatives."""
    return {key for branch in union["anyOf"] for key in branch.get("properties", {})}


KEYS: dict[str, set[str]] = {
    "playbook": set(PLAYBOOK["properties"]),
    "steps": {"version", "steps"},
    "step": set(STEP),
    "inventory": set(INVENTORY["properties"]),
    "group": set(INVENTORY["$defs"]["group"]["properties"]),
    "host": set(INVENTORY["$defs"]["host"]["properties"]),
    "ssh_connections": set(DEFS["ssh_connection"]["properties"]),
    "session option": set(DEFS["session_option"]["properties"]),
    "jump": fields(DEFS["jump_host"]),
    "needs": fields(DEFS["need"]),
    "run_as": fields(DEFS["run_as"]),
    "command": fields(DEFS["command_item"]),
    "pool": fields(DEFS["pool"]),
    "waves": fields(DEFS["wave"]),
    **{name: set(DEFS[name]["properties"]) for name in ("target", "connection", "credential", "deadlines")},
    **{
        name: set(STEP[name]["properties"])
        for name in ("copy", "ensure", "fetch", "reboot", "http", "wait_for")
    },
    **{name: fields(STEP[name]) for name in ("retry", "assert", "gate", "loop", "include", "unreachable")},
}


@pytest.mark.parametrize("scope", RENAMED)
def test_words_point_at_keys_of_their_place(scope: str) -> None:
    """A word is answered with a key that may stand in the same mapping."""
    for word, key in RENAMED[scope].items():
        if key in KEYS[scope]:
            assert correct(scope, word, KEYS[scope], {}).hints == (f"write `{key}`",)
        else:
            assert scope in {
                "connection",
                "ssh_connections",
            }  # these share words with targets, which have more keys


@pytest.mark.parametrize("scope", sorted(RENAMED.keys() | ADVICE.keys()))
def test_no_word_is_a_key_of_its_place(scope: str) -> None:
    """No word of the tables is a key of the language at that place."""
    words = RENAMED.get(scope, {}).keys() | ADVICE.get(scope, {}).keys()
    assert words.isdisjoint(KEYS[scope])


def test_invoke_commands_spelling_finds_the_key() -> None:
    """A parameter of Invoke-Command is answered with the key that has its name in snake_case."""
    for word, key in [("KeyFilePath", "key_file_path"), ("UseSSL", "use_ssl"), ("run-as", "run_as")]:
        assert correct("target", word, KEYS["target"], {}).key == key


def test_a_key_of_another_place_is_sent_there() -> None:
    """A key that stands elsewhere is answered with where, before a near word is guessed."""
    found = correct("step", "ports", ["port"], {"a target": ["ports"]})
    assert found.hints == ("`ports` is a key of a target",)


def test_an_unknown_word_is_answered_with_a_near_one_or_nothing() -> None:
    """A misspelt key gets the near one; a word that is like nothing gets no guess."""
    assert correct("step", "regsiter", KEYS["step"], {}).key == "register"
    assert correct("step", "zzzzzz", KEYS["step"], {}) == correct("step", "qqqq", KEYS["step"], {})


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("community.general.ufw", "modules of Ansible"),
        ("ansible.builtin.apt", "modules of Ansible"),
        ("ansible.windows.win_powershell", "shell: powershell"),
        ("with_fileglob", "write `loop`"),
        ("become_flags", "write `run_as"),
        ("remote_user", "user_name"),
    ],
)
def test_a_word_of_ansible_is_answered_with_what_to_write(word: str, hint: str) -> None:
    """Modules by their full names too, whatever collection they are of."""
    (said,) = correct("step", word, KEYS["step"], {}).hints
    assert hint in said

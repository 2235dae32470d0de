"""No secret is shown by what tells of mistakes, of the inventory or of variables."""

from __future__ import annotations

import json

import pytest

from tests.audit.conftest import Audit

INVENTORY = "[web]\nw1 ansible_password=hunter2 ansible_user=u\nw2 ansible_password=hunter3 ansible_port=x\n"
PLAYBOOK = "version: 1\ncredentials:\n  a: {username: x, password: hunter2, usrname: y}\nsteps:\n  - script: echo hi\n"


@pytest.mark.parametrize("words", [("host", "w1"), ("host", "w2"), ("list",), ("graph",)])
@pytest.mark.parametrize("form", ["text", "json"])
def test_inventory(words: tuple[str, ...], form: str, audit: Audit) -> None:
    """`runner inventory` shows a login's password neither as a value nor in the line that it warns of."""
    done = audit("inventory", *words, "-i", "hosts.ini", "-o", form, files={"hosts.ini": INVENTORY})
    assert "hunter" not in done.out + done.err
    assert "plain-text-secret" in done.err + done.out


@pytest.mark.parametrize("words", [("validate",), ("run",), ("plan",), ("graph",)])
def test_playbook(words: tuple[str, ...], audit: Audit) -> None:
    """A password written into a playbook is refused without showing the line, though more is wrong on it."""
    done = audit(*words, "book.yml", files={"book.yml": PLAYBOOK})
    assert done.code == 2
    assert "error[plain-secret]" in done.err
    assert "hunter2" not in done.out + done.err


def test_another_mistake_beside_a_password(audit: Audit) -> None:
    """A line that gives a password is not shown for any other mistake on it."""
    book = "version: 1\nvars: {db_password: hunter2, db_password: hunter3}\nsteps:\n  - script: echo hi\n"
    done = audit("validate", "book.yml", files={"book.yml": book})
    assert done.code == 2
    assert "book.yml:2:" in done.err
    assert "hunter" not in done.err


def test_explain(audit: Audit) -> None:
    """`runner explain` of a secret input tells where it comes from and not what it is, wherever it comes from."""
    book = "version: 1\ninputs: {token: {type: string, secret: true, default: hunter2}}\nsteps:\n  - script: echo hi\n"
    words = ("explain", "token", "--host", "localhost", "--playbook", "book.yml", "-o", "json")
    for more in ((), ("-e", "token=hunter3")):
        done = audit(*words, *more, files={"book.yml": book})
        assert done.code == 0, done.err
        assert "hunter" not in done.out + done.err
        assert json.loads(done.out)["definitions"][0]["value"] == "********"


@pytest.mark.parametrize("extra", ["my-token=hunter2", "{token: hunter2", "{token: [hunter2}"])
def test_an_extra_value_in_a_wrong_form(extra: str, audit: Audit) -> None:
    """What is said of a `-e` that cannot be read does not repeat the value."""
    done = audit(
        "run", "book.yml", "-e", extra, files={"book.yml": "version: 1\nsteps:\n  - script: echo hi\n"}
    )
    assert done.code == 2
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("kind", ["integer", "boolean", "duration", "size", "datetime", "mapping", "number"])
def test_a_secret_input_of_the_wrong_type(kind: str, audit: Audit) -> None:
    """A secret value that does not fit its input is refused without being shown."""
    book = f"version: 1\ninputs: {{token: {{type: {kind}, secret: true}}}}\nsteps:\n  - script: echo hi\n"
    done = audit("run", "book.yml", "-e", "token=hunter2", files={"book.yml": book})
    assert done.code == 2
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("rule", ["enum: [a, b]", "pattern: '^[0-9]+$'"])
def test_a_secret_input_against_its_rules(rule: str, audit: Audit) -> None:
    """A secret value that breaks a rule is refused without being shown."""
    book = (
        f"version: 1\ninputs:\n  token: {{type: string, secret: true, {rule}}}\nsteps:\n  - script: echo hi\n"
    )
    done = audit("run", "book.yml", "-e", "token=hunter2", files={"book.yml": book})
    assert done.code == 2
    assert "hunter2" not in done.out + done.err

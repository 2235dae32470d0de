"""What is wrong with a session option is shown at the option, wherever the options were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.planning import prepared

STEP = "steps: [{id: s, target: t, script: Get-Date}]\n"


def marked(folder: Path, playbook: str, *, inventory: str | None = None) -> list[tuple[str, str]]:
    """Code and marked text of each error."""
    text = f"version: 1\nname: x\n{playbook}{STEP}"
    found = prepared(folder, text, inventory=inventory) if inventory else prepared(folder, text)
    marks = []
    for problem in found.problems.sorted():
        span = problem.span
        assert span is not None
        line = Path(span.path).read_text(encoding="utf-8").split("\n")[span.line - 1]
        marks.append((problem.code, line[span.column - 1 : span.end_column - 1]))
    return marks


@pytest.mark.parametrize(
    ("transport", "option", "mark"),
    [
        ("winrm", "idle_timeout: '{{ 59 }}s'", ("setting-value", "'{{ 59 }}s'")),
        ("winrm", "skip_cn_check: true", ("needs-https", "skip_cn_check")),
        ("winrm, use_ssl: true", "no_encryption: true", ("needs-http", "no_encryption")),
        ("winrm", "maximum_redirection: 3", ("missing-companion", "maximum_redirection")),
        ("ssh", "operation_timeout: 3s", ("option-not-for-transport", "operation_timeout")),
        ("winrm", "proxy_credential: c", ("missing-companion", "proxy_credential")),
        (
            "winrm",
            "proxy_access_type: autodetect, proxy_credential: c",
            ("unknown-credential", "proxy_credential"),
        ),
    ],
)
def test_the_option_is_marked(tmp_path: Path, transport: str, option: str, mark: tuple[str, str]) -> None:
    """The caret stands under the value that is wrong, or the key that does not go."""
    target = f"hosts: [web], transport: {transport}, session_option: {{open_timeout: 3s, {option}}}"

    assert marked(tmp_path, f"targets: {{t: {{{target}}}}}\n") == [mark]


def test_a_wrong_value_is_told_once(tmp_path: Path) -> None:
    """What the check of the document says of a value, the plan does not say again."""
    target = "{hosts: [web], transport: winrm, session_option: {idle_timeout: 30s}}"

    assert marked(tmp_path, f"targets: {{t: {target}}}\n") == [("wrong-value", "30s")]


def test_named_options_are_marked_where_they_are_wrong_or_used(tmp_path: Path) -> None:
    """A wrong value is shown in the named options; what only this target cannot have, where it asks for them."""
    playbook = (
        "session_options: {quick: {skip_ca_check: true, idle_timeout: '{{ 59 }}s'}}\n"
        "targets: {t: {hosts: [web], transport: winrm, session_option: quick}}\n"
    )

    assert marked(tmp_path, playbook) == [("setting-value", "'{{ 59 }}s'"), ("needs-https", "quick")]


def test_options_of_an_inventory_are_marked_there(tmp_path: Path) -> None:
    """The file is the inventory where it says the option."""
    option = "{open_timeout: '{{ 1 }}x'}"
    inventory = (
        f"version: 1\nhosts: {{web: {{connection: {{transport: winrm, session_option: {option}}}}}}}\n"
    )

    marks = marked(tmp_path, "targets: {t: {hosts: web}}\n", inventory=inventory)

    assert marks == [("setting-value", "'{{ 1 }}x'")]

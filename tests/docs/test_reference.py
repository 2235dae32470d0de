"""The reference is written from the code, whole and current."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from docs import generate
from docs.generators.schemas import schema
from runner.cli.main import COMMANDS
from runner.cli.main import runner as cli
from runner.codes import code_pages
from runner.errors import ExitCode
from tests.docs.conftest import runner as run


def text(path: str) -> str:
    """A page of the reference as it is in the repository."""
    return (generate.REFERENCE / path).read_text(encoding="utf-8")


def commands(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, each with what is typed for it."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{words} {name}")


def test_generated_pages_are_current() -> None:
    """``python -m docs.generate --check`` finds nothing to write."""
    assert list(generate.drift(generate.pages())) == []


def test_drift_is_seen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that differs from the code, and one that is missing, end the check with 1 and their names."""
    changed = {**generate.pages(), "exit-codes.md": "other\n", "new.md": "new\n"}
    monkeypatch.setattr(generate, "pages", lambda: changed)
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "exit-codes.md" in told
    assert "new.md" in told


@pytest.mark.parametrize(("words", "command"), list(commands(cli, "runner"))[1:])
def test_every_command_and_option_is_documented(words: str, command: click.Command) -> None:
    """Each stands in the page of commands, in the section of its own."""
    page = text("commands.md")
    _, found, rest = page.partition(f"# {words}\n")
    assert found, words
    section = rest.partition("\n## ")[0].partition("\n### ")[0]
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help, f"{words} {option.name}"
            assert all(f"`{name}" in section for name in option.opts), f"{words} {option.name}"


def test_every_command_is_listed() -> None:
    """The first table names every command."""
    assert all(f"[`runner {name}`]" in text("commands.md") for name in COMMANDS)


@pytest.mark.parametrize("code", sorted(code_pages()))
def test_every_code_has_its_page(code: str) -> None:
    """And the index leads to it."""
    assert f"# {code}\n" in text(f"errors/{code}.md")
    assert f"]({code}.md)" in text("errors/index.md")


def test_every_key_of_the_language_is_documented() -> None:
    """Of playbooks, targets, steps and inventories."""
    language, inventory = text("language.md"), text("inventory.md")
    definitions = schema("playbook")["$defs"]
    for keys in (schema("playbook"), definitions["target"], definitions["step"], definitions["credential"]):
        assert all(f"# `{key}`\n" in language for key in keys["properties"])
    for keys in (schema("inventory"), schema("inventory")["$defs"]["group"]):
        assert all(f"# `{key}`\n" in inventory for key in keys["properties"])


def test_the_settings_example_holds_for_every_command(tmp_path: Path) -> None:
    """Settings are read by commands that have no use for some of them."""
    [example] = re.findall(r"```toml\n(.*?)```", text("settings.md"), re.DOTALL)
    (tmp_path / "runner.toml").write_text(example, encoding="utf-8")
    assert run("lab", "status", home=tmp_path).returncode == 1
    assert run("schema", home=tmp_path).returncode == 0
    assert "inventories/prod.yml" in run("inventory", "list", home=tmp_path).stderr


def test_every_exit_code_is_documented() -> None:
    """With its meaning."""
    assert all(f"| `{int(code)}` |" in text("exit-codes.md") for code in ExitCode)

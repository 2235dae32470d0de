"""The reference is written from the code, whole and current."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from docs import generate
from docs.generators import invoke_command
from docs.generators.schemas import fields_of, resolve, schema
from runner.cli.main import COMMANDS
from runner.cli.main import runner as cli
from runner.codes import code_pages
from runner.errors import ExitCode
from runner.plan.session_options import ACTING
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


# Of the syntax blocks of both references: Windows PowerShell 5.1 (VMGuid is its name of VMId) and PowerShell 7.
_SYNTAX = """
AllowRedirection ApplicationName ArgumentList AsJob Authentication CertificateThumbprint ComputerName ConfigurationName
ConnectingTimeout ConnectionUri ContainerId Credential EnableNetworkAccess FilePath HideComputerName HostName
InDisconnectedSession InputObject JobName KeyFilePath NoNewScope Options Port RemoteDebug RunAsAdministrator ScriptBlock
Session SessionName SessionOption SSHConnection SSHTransport StrictMode Subsystem ThrottleLimit UserName UseSSL VMId
VMGuid VMName Debug ErrorAction ErrorVariable InformationAction InformationVariable OutBuffer OutVariable
PipelineVariable Verbose WarningAction WarningVariable
"""


@pytest.mark.parametrize("parameter", _SYNTAX.split())
def test_every_parameter_of_invoke_command_leads_to_a_key(parameter: str) -> None:
    """Or to the reason why it has none; and the key exists in the part of the language that is named."""
    [found] = [each for each in invoke_command.PARAMETERS if parameter in each.name.split()]
    assert found.keys or found.differs
    definitions = schema("playbook")["$defs"]
    for key, part in found.keys:
        assert key in definitions[part]["properties"], f"{part}.{key}"
        assert f"`-{parameter}`" in section(text("language.md"), key)


def section(page: str, key: str) -> str:
    """Everything under the headings of a key."""
    return "".join(re.findall(rf"^#+ `{key}`\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL))


def test_what_goes_with_what_is_what_the_rules_say() -> None:
    """A key that a kind of target excludes has no `yes` in its column."""
    page = text("invoke-command.md")
    rows = {
        row[1]: row for line in page.splitlines() if (row := [cell.strip() for cell in line.split("|")])[2:]
    }
    uri = rows["key"].index("Uri")
    assert (rows["`port`"][uri], rows["`credential`"][uri]) == ("-", "yes")
    ssh = rows["key"].index("SSHHost, SSHHostHashParam")
    assert (rows["`throttle`"][ssh], rows["`use_ssl`"][ssh]) == ("**lifted**", "-")


def test_every_session_option_has_its_parameter_unit_and_transports() -> None:
    """In one table; what acts over SSH is what a plan lets through there."""
    rows = [line.split(" | ") for line in text("session-options.md").splitlines() if line.startswith("| `")]
    assert {row[0].strip("| `") for row in rows} == set(
        schema("playbook")["$defs"]["session_option"]["properties"]
    )
    over_ssh = {row[0].strip("| `") for row in rows if "ssh" in row[4]}
    assert over_ssh == ACTING["ssh"]
    assert all(row[1].startswith("`-") and row[2] and row[3] for row in rows)


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


@pytest.mark.parametrize(
    ("name", "page"),
    [("journal", "journal.md"), ("plan", "plan-file.md"), ("lock", "locks.md"), ("runs", "runs.md")],
)
def test_every_part_of_a_format_is_documented(name: str, page: str) -> None:
    """Each definition of its schema has a heading, and each key of it a row there."""
    parts = dict(schema(name)["$defs"])
    page_text = text(page)
    if "properties" in schema(name):
        parts["The document"] = schema(name)
    for part, described in parts.items():
        heading = f"### `{part}`\n" if part in schema(name)["$defs"] else f"## {part}\n"
        _, found, rest = page_text.partition(heading)
        assert found, part
        section = rest.partition("\n#")[0]
        assert all(f"| `{key}` |" in section for key in described.get("properties", {})), part


def test_every_deadline_is_documented() -> None:
    """With what happens when it is over."""
    rows = [line.split(" | ") for line in text("deadlines.md").splitlines() if line.startswith("| `")]
    deadlines = fields_of(*resolve(schema("playbook")["properties"]["deadlines"], "playbook"))
    assert {row[0].strip("| `") for row in rows} == set(deadlines)
    assert all(len(row) == 5 and all(cell.strip("| ") for cell in row) for row in rows)

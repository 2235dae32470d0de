"""Settings: the command line over the environment over the file, for every command, from any folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import Done, Typed


def greeting(done: Done) -> str:
    """What the first step of hello.yml said."""
    assert done.code == 0, done.err
    text: str = json.loads(done.out)["results"][0]["output"][0]
    return text


RUN = ("run", "hello.yml", "-o", "json")


def test_precedence(typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of the file yields to RUNNER_EXTRA, and that to `-e`."""
    assert greeting(typed(*RUN)) == "hello world from north"
    (folder / "runner.toml").write_text('extra = ["who=file"]\n', encoding="utf-8")
    assert greeting(typed(*RUN)) == "hello file from north"
    monkeypatch.setenv("RUNNER_EXTRA", "who=environment")
    assert greeting(typed(*RUN)) == "hello environment from north"
    assert greeting(typed(*RUN, "-e", "who=line")) == "hello line from north"


def test_the_table_of_pyproject(typed: Typed, folder: Path) -> None:
    """`[tool.runner]` is read, other tables and a pyproject.toml without it are passed over."""
    settings = '[project]\nname = "x"\n[tool.runner]\nextra = ["who=project"]\n'
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    assert greeting(typed(*RUN)) == "hello project from north"
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    assert greeting(typed(*RUN)) == "hello world from north"


def test_runner_toml_before_pyproject(typed: Typed, folder: Path) -> None:
    """In one folder runner.toml counts."""
    (folder / "pyproject.toml").write_text('[tool.runner]\nextra = ["who=project"]\n', encoding="utf-8")
    (folder / "runner.toml").write_text('extra = ["who=file"]\n', encoding="utf-8")
    assert greeting(typed(*RUN)) == "hello file from north"


def test_from_a_folder_below(typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest file upwards counts, and its paths are relative to itself."""
    (folder / "runner.toml").write_text('inventory = ["hosts.yml"]\n', encoding="utf-8")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    done = typed("inventory", "list", "web")
    assert (done.code, done.err) == (0, "")
    assert "web01" in done.out


def test_settings_reach_every_command(typed: Typed, folder: Path) -> None:
    """Commands of a group have the settings too, and options with their own spelling."""
    settings = 'inventory = ["hosts.yml"]\nformat = "dot"\nno-color = true\n'
    (folder / "runner.toml").write_text(settings, encoding="utf-8")
    assert typed("inventory", "host", "web02").code == 0
    assert typed("graph", "hello.yml").out.startswith("digraph")
    assert typed("graph", "hello.yml", "--format", "mermaid").out.startswith("flowchart")


@pytest.mark.parametrize("output", ['"jsonl"', '["jsonl"]', '"json"'])
def test_an_output_of_runs_fits_other_commands(output: str, typed: Typed, folder: Path) -> None:
    """A setting for runs does not break commands that only know text and JSON: they print JSON."""
    (folder / "runner.toml").write_text(f"output = {output}\n", encoding="utf-8")
    assert json.loads(typed("validate", "hello.yml").out) == {"problems": []}
    (folder / "runner.toml").write_text('output = ["plain"]\n', encoding="utf-8")
    assert typed("validate", "hello.yml").out == ""


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"),
    [
        ('inventroy = ["hosts.yml"]\n', "unknown-setting", "runner.toml:1:1", "did you mean `inventory`?"),
        ('no_color = true\n  "skip-tag" = ["x"]\n', "unknown-setting", "runner.toml:2:3", "`skip_tags`"),
        ("throttle = \n", "settings-file", "runner.toml:1:1", ""),
    ],
)
def test_wrong_settings(text: str, code: str, place: str, hint: str, typed: Typed, folder: Path) -> None:
    """A typo in a settings file is refused with its place, not passed over."""
    (folder / "runner.toml").write_text(text, encoding="utf-8")
    done = typed("validate", "hello.yml")
    assert (done.code, done.out) == (2, "")
    assert f"error[{code}]" in done.err
    assert place in done.err
    assert hint in done.err


def test_a_wrong_value_in_the_environment(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that does not fit is refused as if it were typed."""
    monkeypatch.setenv("RUNNER_TIMEOUT", "soon")
    done = typed("run", "hello.yml")
    assert done.code == 2
    assert "soon" in done.err
    assert "--timeout" in done.err


@pytest.mark.parametrize("name", ["RUNNER_HOME", "RUNNER_RECORD"])
def test_where_long_output_is_kept(
    name: str, typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--record` and its variables say where output past 1 MiB goes."""
    monkeypatch.setenv(name, str(folder / "kept"))
    (folder / "long.yml").write_text(
        "version: 1\nsteps:\n  - {shell: python, output: text, script: print('x' * 3000000)}\n",
        encoding="utf-8",
    )
    done = typed("run", "long.yml", "-o", "json")
    assert done.code == 0
    assert str(folder / "kept") in done.out

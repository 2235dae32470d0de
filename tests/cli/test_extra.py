"""`-e`: texts, mappings in braces, files; typed by what the playbook declares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run_command_line
from tests.support.command_line import Typed

TYPES = """\
version: 1
inputs:
  text: {type: string, default: "-"}
  count: {type: integer, default: 0}
  force: {type: boolean, default: false}
  window: {type: duration, default: 1s}
  size: {type: size, default: 1}
  names: {type: list, default: []}
  tree: {type: mapping, default: {}}
steps:
  - shell: python
    output: json
    script: |
      import json
      seconds = $Using:window.total_seconds()
      print(json.dumps([$Using:text, $Using:count, $Using:force, seconds, $Using:size, $Using:names, $Using:tree]))
"""
DEFAULTS = ["-", 0, False, 1.0, 1, [], {}]


@pytest.mark.parametrize(
    ("extra", "changed"),
    [
        (["text=a=b c"], {0: "a=b c"}),
        (["text="], {0: ""}),
        (["count=7", "force=true"], {1: 7, 2: True}),
        (["count=7", "count=8"], {1: 8}),
        (["window=2m", "size=1KiB"], {3: 120.0, 4: 1024}),
        (["names=[a, b]"], {5: ["a", "b"]}),
        (["{text: x, count: 3, names: [1], tree: {a: {b: 1}}}"], {0: "x", 1: 3, 5: [1], 6: {"a": {"b": 1}}}),
        (['{"text": "json"}'], {0: "json"}),
        (["@values.yml"], {0: "file", 1: 5, 6: {"k": None}}),
        (["@values.json", "text=later"], {0: "later", 1: 6}),
    ],
)
def test_forms(extra: list[str], changed: dict[int, object], typed: Typed, folder: Path) -> None:
    """Each form gives its value with the declared type, the later one winning."""
    (folder / "types.yml").write_text(TYPES, encoding="utf-8")
    (folder / "values.yml").write_text("text: file\ncount: 5\ntree: {k: null}\n", encoding="utf-8")
    (folder / "values.json").write_text('{"text": "json", "count": 6}', encoding="utf-8")
    options = [word for each in extra for word in ("-e", each)]
    done = typed("run", "types.yml", "-o", "json", *options)
    assert done.code == 0, done.err + done.out
    expected = [changed.get(at, value) for at, value in enumerate(DEFAULTS)]
    assert json.loads(done.out)["results"][0]["output"] == expected


def test_a_secret_input_is_not_shown(typed: Typed, folder: Path) -> None:
    """The value of a secret input is masked in every output, and in the refusal of a wrong one."""
    (folder / "secret.yml").write_text(
        "version: 1\ninputs:\n  token: {type: string, secret: true, pattern: '^t-'}\n"
        "steps:\n  - script: echo $Using:token\n",
        encoding="utf-8",
    )
    for output in ("json", "jsonl", "plain"):
        done = typed("run", "secret.yml", "-o", output, "-e", "token=t-hunter2")
        assert done.code == 0
        assert "hunter2" not in done.out + done.err
    done = typed("run", "secret.yml", "-e", "token=hunter2")
    assert done.code == 2
    assert "hunter2" not in done.out + done.err


def test_validate_needs_no_values(typed: Typed, folder: Path) -> None:
    """An input without a value, and whatever is made of it, is no problem of `validate` and `graph`."""
    (folder / "later.yml").write_text(
        "version: 1\ninputs: {window: duration, count: integer}\n"
        'vars: {since: "{{ now() - inputs.window }}", half: "{{ count / 2 }}"}\n'
        "targets: {web: {hosts: web01, port: '{{ count }}'}}\n"
        "steps:\n  - {target: web, script: echo $Using:since $Using:half, throttle: '{{ count }}'}\n"
        "  - {loop: '{{ count }}', script: echo $Using:item}\n",
        encoding="utf-8",
    )
    done = typed("validate", "later.yml")
    assert (done.code, done.err) == (0, "valid: 1 file checked, nothing was connected to\n")
    assert typed("graph", "later.yml").code == 0
    done = typed("plan", "later.yml", "-o", "json")
    assert [problem["code"] for problem in json.loads(done.out)["problems"]] == ["input-missing"] * 2


def test_a_json_file_may_escape_any_character(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `json.dumps` writes by default is read, surrogate pairs too; what is no JSON is told at its place."""
    (tmp_path / "p.yml").write_text("version: 1\nname: x\nsteps: [{id: a, script: 'echo $Using:note'}]\n")
    (tmp_path / "good.json").write_text(r'{"note": "\ud834\udd1e"}')
    (tmp_path / "bad.json").write_text('{"note": 1,}')

    playbook = str(tmp_path / "p.yml")
    assert run_command_line(["run", playbook, "-e", f"@{tmp_path / 'good.json'}", "-o", "plain"]) == 0
    assert "\U0001d11e" in capsys.readouterr().out
    assert run_command_line(["run", playbook, "-e", f"@{tmp_path / 'bad.json'}"]) == 2
    assert "bad.json:1:12" in capsys.readouterr().err

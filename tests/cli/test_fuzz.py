"""Whatever is done to a good playbook, `validate` gives problems with places in a file, and never a bug of ours."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.cli.main import run_command_line
from runner.codes import code_pages
from runner.schema_files import schema_text

SCHEMA = Draft202012Validator(json.loads(schema_text("problems")))
LINE_BREAK = re.compile(r"\r\n|\r|\n")

GOOD = """\
version: 1
name: Collect and compare
inputs:
  newest: {type: integer, default: 10, minimum: 1}
  window: {type: duration, default: 2h}
  token: {type: string, secret: true}
vars:
  site: north
  since: "{{ now() - inputs.window }}"
  tree: {a: [1, 2], b: {c: d}}
vars_files: [common.yml]
credentials:
  ops: {username: ops, password: {env: OPS_PASSWORD}}
session_options:
  slow: {open_timeout: 30s, cancel_timeout: 12s}
targets:
  web:
    hosts: "web:&prod:!web[1]"
    transport: ssh
    credential: ops
    session_option: slow
    jump: [bastion]
  some: {ssh_connections: [{host_name: a@b:22, options: {Compression: "yes"}}], subsystem: sh}
sessions:
  warm: {target: web}
scripts:
  recent: |
    echo "$Using:site" "${Using:newest}"
defaults: {timeout: 5m, connection: {user_name: ops}}
throttle: 20
steps:
  - id: events
    session: warm
    shell: bash
    script: {ref: recent}
    register: events
  - id: restart
    needs: [events]
    session: warm
    shell: bash
    when: events.output | length > 0 and site == 'north'
    script: |
      for name in "${Using:names[@]}"; do
        echo "$name" '$Using:site'
      done
    using: {names: "{{ tree.a }}"}
    throttle: 5
    timeout: 10m
  - include: more.yml
  - id: report
    needs: [{step: restart, wait: all}, {step: events, wait: all}]
    run_if: always
    target: local
    shell: python
    script: |
      print(len($Using:results.events), f"{$Using:since}")
  - {id: place, copy: {content: "{{ site }}", dest: /tmp/x, mode: 0644}}
  - {id: sure, assert: {that: [newest > 1, "site != ''"], message: bad}, loop: [1, 2], tags: [a, b]}
"""
INVENTORY = """\
version: 1
vars: {rack: 7}
connection: {transport: ssh, jump: [bastion]}
hosts:
  bastion: {address: 10.0.0.1, connection: {port: 2222, jump: []}}
groups:
  web: {hosts: {"web[01:04]": {}, web9: {vars: {weight: 2}}}, vars: {tier: "{{ rack }}"}, throttle: 10}
  prod: {groups: [web]}
"""
INI = """\
bastion ansible_host=10.0.0.1 ansible_port=2222
[web]
web[01:04] tier='front end'
web9:2200 weight=2
[prod:children]
web
[web:vars]
rack={{ weight }}
"""
PIECES = [
    *"\t\n :-?,[]{}#&*!|>'\"%@`\\~<=.0é\0“", "{{ ", " }}", "$Using:", "${Using:", ": ", "- ", "\n  ", "null", "yes",
    "true", "[]", "{}", "-1", "1e999", "99999999999999999999", "!!python/x ", "<<: ", "*a", "&a ", "{% if %}", "1.5h",
    "all", "web", "local", "results", "item", "id: events\n", "needs: [restart]\n", "\\x", "|\n", ">\n", "~(", "[9]",
]  # fmt: skip


@st.composite
def mistakes(draw: st.DrawFn, text: str) -> str:
    """The text with a few lines dropped, doubled, moved or indented, and stretches cut, doubled or replaced."""
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            lines = text.split("\n")
            at, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
            kind = draw(st.sampled_from(["drop", "double", "swap", "indent", "dedent"]))
            if kind == "drop":
                del lines[at]
            elif kind == "double":
                lines.insert(other, lines[at])
            elif kind == "swap":
                lines[at], lines[other] = lines[other], lines[at]
            else:
                lines[at] = "  " + lines[at] if kind == "indent" else lines[at].removeprefix("  ")
            text = "\n".join(lines)
        else:
            start = draw(st.integers(0, len(text)))
            end = min(len(text), start + draw(st.integers(0, 8)))
            new = draw(st.one_of(st.just(""), st.sampled_from(PIECES), st.just(text[start:end] * 2)))
            text = text[:start] + new + text[end:]
    return text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all files of the good playbook, as the working directory."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "common.yml").write_text("limit: 3\n", encoding="utf-8")
    (folder / "more.yml").write_text("- id: more\n  script: echo $Using:limit\n", encoding="utf-8")
    with contextlib.chdir(folder):
        yield folder


def check(site: Path, **files: str) -> int:
    """Validate the files together; hold the document to what it promises; give the exit code."""
    names = {"playbook": "playbook.yml", "inventory": "hosts.yml", "ini": "hosts.ini"}
    for kind, text in files.items():
        (site / names[kind]).write_bytes(text.encode("utf-8", "surrogatepass"))
    inventory = "hosts.ini" if "ini" in files else "hosts.yml"
    words = ["validate", "playbook.yml", "-i", inventory, "-o", "json"]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command_line(words)
    assert code in {0, 2}, err.getvalue()
    assert err.getvalue() == ""
    document = json.loads(out.getvalue())
    SCHEMA.validate(document)
    problems = document["problems"]
    assert (code == 2) == any(problem["severity"] == "error" for problem in problems)
    for problem in problems:
        assert problem["code"] in code_pages()
        assert "\n" not in problem["message"]
        if problem["path"] is not None:
            check_place(site / problem["path"], problem)
    return code


def check_place(path: Path, problem: dict[str, int]) -> None:
    """A problem begins and ends inside its file."""
    if not path.is_file():
        assert (problem["line"], problem["column"]) == (1, 1), problem
        return
    lines = LINE_BREAK.split(path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff"))
    for line, column in (("line", "column"), ("end_line", "end_column")):
        assert 1 <= problem[line] <= len(lines), problem
        assert 1 <= problem[column] <= len(lines[problem[line] - 1]) + 1, problem


FUZZED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def test_the_files_themselves_are_fine(site: Path) -> None:
    """What the mutations start from has no error."""
    assert check(site, playbook=GOOD, inventory=INVENTORY) == 0
    assert check(site, playbook=GOOD, ini=INI) == 0


@FUZZED
@given(text=mistakes(GOOD))
@example(text=GOOD.replace("timeout: 10m", "timeout: 1e999"))
@example(text=GOOD.replace("throttle: 20", "throttle: 99999999999999999999"))
@example(text=GOOD.replace("{ref: recent}", "{ref: [recent]}"))
@example(text="steps: [[[\n")
def test_playbooks(site: Path, text: str) -> None:
    """A playbook with mistakes is told as such."""
    check(site, playbook=text, inventory=INVENTORY)


@FUZZED
@given(text=mistakes(INVENTORY))
def test_inventories(site: Path, text: str) -> None:
    """A native inventory with mistakes is told as such, below the good playbook."""
    check(site, playbook=GOOD, inventory=text)


@FUZZED
@given(text=mistakes(INI))
def test_ini_inventories(site: Path, text: str) -> None:
    """An INI inventory with mistakes is told as such, below the good playbook."""
    check(site, playbook=GOOD, ini=text)


@FUZZED
@given(text=st.text(alphabet=st.sampled_from("abc019 -_.:,!&~*[]()@%^$\\{}"), max_size=24))
@example(text="@~0")
@example(text="@~nobody-at-all/hosts")
def test_patterns(site: Path, text: str) -> None:
    """Any text may stand where a pattern is due."""
    pattern = json.dumps(text)
    check(site, playbook=GOOD.replace('"web:&prod:!web[1]"', pattern), inventory=INVENTORY)


@FUZZED
@given(
    text=st.lists(
        st.sampled_from([*PIECES, "a", "site", "1", "(", ")", "|", "upper", "in", "not", "is", " "])
    ).map("".join)
)
def test_expressions(site: Path, text: str) -> None:
    """Any text may stand where an expression is due."""
    expression = json.dumps(text)
    check(
        site,
        playbook=GOOD.replace("events.output | length > 0 and site == 'north'", expression),
        inventory=INVENTORY,
    )

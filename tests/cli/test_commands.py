"""Each command that makes or prints something: what it prints can be read by what it is for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from runner.codes import code_pages
from runner.schema_files import schema_names
from tests.support.command_line import Typed, clean_environment, in_a_process


def test_init_makes_what_works(typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `init` makes validates, plans and runs as it stands, and is never overwritten."""
    done = typed("init", "ops")
    assert (done.code, done.err) == (0, "")
    assert "next: cd ops && runner run playbooks/hello.yml" in done.out
    monkeypatch.chdir(folder / "ops")
    assert (
        typed("validate", "playbooks", "inventories").err
        == "valid: 2 files checked, nothing was connected to\n"
    )
    assert typed("plan", "playbooks/hello.yml").code == 0
    done = typed("run", "playbooks/hello.yml", "-e", "who=you")
    assert done.code == 0
    assert "hello you from" in done.out
    changed = Path("playbooks", "hello.yml")
    changed.write_text("mine", encoding="utf-8")
    assert "kept   playbooks/hello.yml" in typed("init", ".").out
    assert changed.read_text(encoding="utf-8") == "mine"


def test_init_where_nothing_can_be_made(typed: Typed, folder: Path) -> None:
    """A file in the way is told with its name."""
    (folder / "ops").write_text("a file", encoding="utf-8")
    done = typed("init", "ops")
    assert (done.code, done.out) == (2, "")
    assert "ops" in done.err
    assert "Traceback" not in done.err


def test_schemas(typed: Typed) -> None:
    """`schema` lists the names, and prints each as a schema that is one."""
    assert typed("schema").out.split() == list(schema_names())
    for name in schema_names():
        schema = json.loads(typed("schema", name).out)
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    done = typed("schema", "playbok")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `playbook`?" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_load(shell: str, typed: Typed) -> None:
    """Each script is one the shell can read."""
    done = typed("completion", shell)
    assert (done.code, done.err) == (0, "")
    if shutil.which(shell) is None:
        pytest.skip(f"`{shell}` is not installed")
    read = subprocess.run(
        [shell, "-n"], input=done.out, text=True, capture_output=True, check=False, timeout=30
    )
    assert (read.returncode, read.stderr) == (0, "")


def test_completion_completes(folder: Path) -> None:
    """What the script asks `runner` for are the commands and options there are."""
    environment = {**clean_environment(), "_RUNNER_COMPLETE": "bash_complete"}
    for typed, count, expected in (("runner va", "1", "validate"), ("runner run --li", "2", "--limit")):
        done = subprocess.run(
            [shutil.which("runner", path=_scripts()) or "runner"],
            env={**environment, "COMP_WORDS": typed, "COMP_CWORD": count},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert f"plain,{expected}" in done.stdout.splitlines()


def _completed(words: str, folder: Path) -> set[str]:
    """What `runner` offers where the last word is completed."""
    environment = {**clean_environment(), "_RUNNER_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [shutil.which("runner", path=_scripts()) or "runner"],
        env={**environment, "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_names_are_completed(folder: Path, typed: Typed) -> None:
    """Files, runs, their steps and gates, steps of a playbook, formats, schemas, codes; nothing where nothing fits."""
    (folder / "runner.toml").touch()
    (folder / "hello.yml").write_text(
        "version: 1\nname: n\nsteps:\n- {id: greet, script: 'true'}\n"
        "- {id: go_live, needs: [greet], gate: {message: on?, timeout: 10ms, default: stop}}\n"
    )
    assert typed("run", "hello.yml", "-o", "quiet", "--no-input").code == 4
    (run,) = (path.name for path in folder.glob(".runner/runs/*"))
    assert _completed("runner run hel", folder) == {"file,hel"}
    assert _completed("runner run hello.yml -i ho", folder) == {"file,ho"}
    assert _completed("runner resume ", folder) == {"plain,last", f"plain,{run}"}
    assert _completed(f"runner runs show {run[:6]}", folder) == {f"plain,{run}"}
    assert _completed("runner runs show last --step ", folder) == {"plain,greet", "plain,go_live"}
    assert _completed("runner resume last --rerun gr", folder) == {"plain,greet"}
    assert _completed("runner runs approve last ", folder) == {"plain,go_live"}
    assert _completed("runner run hello.yml --only g", folder) == {"plain,greet", "plain,go_live"}
    assert _completed("runner run hello.yml -o j", folder) == {"plain,json", "plain,jsonl"}
    assert _completed("runner schema pl", folder) == {"plain,plan", "plain,playbook"}
    assert _completed("runner explain unknown-ste", folder) == {
        "plain,unknown-step",
        "plain,unknown-step-tag",
    }
    assert _completed("runner run missing.yml --only g", folder) == set()
    assert _completed("runner runs show nosuch --step ", folder) == set()


def test_bash_completes_a_file_and_a_run(folder: Path, typed: Typed) -> None:
    """The script as bash runs it."""
    if shutil.which("bash") is None:
        pytest.skip("`bash` is not installed")
    script = folder / "completion.bash"
    script.write_text(typed("completion", "bash").out)
    asked = "COMP_WORDS=(runner resume la); COMP_CWORD=2; _runner_completion runner; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "-c", f"source {script}; {asked}"],
        env={**clean_environment(), "PATH": f"{_scripts()}:{os.environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["last"], done.stderr


def _scripts() -> str:
    import sysconfig  # noqa: PLC0415 - only here

    return sysconfig.get_path("scripts")


def test_every_code_is_explained(typed: Typed) -> None:
    """`explain CODE` prints the page of every code there is."""
    for code, page in code_pages().items():
        done = typed("explain", code)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"{code}: {page.summary}\n\n{page.explanation}\n")
        assert bool(page.wrong) == ("\nWrong:\n" in done.out)


def test_where_a_variable_came_from(typed: Typed) -> None:
    """`explain NAME --host` has every definition with its place, the one that counts first."""
    done = typed(
        "explain", "site", "--host", "web01", "--playbook", "hello.yml", "-i", "hosts.yml", "-o", "json"
    )
    assert json.loads(done.out) == {
        "name": "site",
        "host": "web01",
        "definitions": [
            {"value": '"north"', "source": "playbook vars", "path": "hello.yml", "line": 5, "column": 14},
            {
                "value": '"south"',
                "source": "the whole inventory",
                "path": "hosts.yml",
                "line": 2,
                "column": 14,
            },
        ],
    }
    done = typed("explain", "who", "--host", "localhost", "--playbook", "hello.yml", "-e", "who=you")
    assert done.out == 'who on localhost\n  = "you"\n      from -e\n'


def test_inventory_as_json(typed: Typed) -> None:
    """`inventory list` has the form of Ansible's --list, `graph` a mapping of groups, `host` places."""
    listing = json.loads(typed("inventory", "list", "-i", "hosts.yml", "-o", "json").out)
    assert listing["web"]["hosts"] == ["web01", "web02", "web03"]
    assert listing["_meta"]["hostvars"]["web01"]["tier"] == "front"
    tree = json.loads(typed("inventory", "graph", "web", "-i", "hosts.yml", "-o", "json").out)
    assert tree == {"web": {"hosts": ["web01", "web02", "web03"], "children": []}}
    host = json.loads(typed("inventory", "host", "bastion", "-i", "hosts.yml", "-o", "json").out)
    assert host["connection"]["address"]["value"] == "10.0.0.1"


def test_inventory_of_a_pattern(typed: Typed) -> None:
    """A pattern chooses; several inventories add up."""
    assert typed("inventory", "list", "web:!web02", "-i", "hosts.yml").out.split()[::2] == ["web01", "web03"]
    done = typed("inventory", "list", "-i", "hosts.yml", "-i", "extra1,extra2,")
    assert "extra2" in done.out
    assert "bastion" in done.out


def test_plan_as_json(typed: Typed) -> None:
    """A plan has each step's hosts, needs and digests."""
    document = json.loads(typed("plan", "hello.yml", "-o", "json").out)
    assert [step["id"] for step in document["steps"]] == ["greet", "report"]
    assert [need if isinstance(need, str) else need["step"] for need in document["steps"][1]["needs"]] == [
        "greet"
    ]
    assert [len(step["scripts"][0]["sha256"]) for step in document["steps"]] == [64, 64]
    assert [a["host"] for step in document["steps"] for a in step["assignments"]] == [
        "localhost",
        "localhost",
    ]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ([], ["greet", "report"]),
        (["-t", "first"], ["greet"]),
        (["--only", "greet"], ["greet"]),
        (["--only", "greet", "--only", "report"], ["greet", "report"]),
    ],
)
def test_a_choice_of_steps(options: list[str], steps: list[str], typed: Typed) -> None:
    """Tags and ids choose the steps of plan, graph and run alike."""
    plan = json.loads(typed("plan", "hello.yml", "-o", "json", *options).out)
    assert [step["id"] for step in plan["steps"]] == steps
    graph = json.loads(typed("graph", "hello.yml", "--format", "json", *options).out)
    assert [step["id"] for step in graph["steps"]] == steps
    run = json.loads(typed("run", "hello.yml", "-o", "json", *options).out)
    assert [result["step"] for result in run["results"]] == steps


@pytest.mark.parametrize("options", [["--skip-tags", "first"], ["--start-at", "report"]])
def test_a_choice_that_leaves_out_what_is_read(options: list[str], typed: Typed) -> None:
    """A step whose reader is chosen cannot be left out: exit 2, with the way to mend it."""
    done = typed("run", "hello.yml", *options)
    assert (done.code, done.out) == (2, "")
    assert "select step `greet` too" in done.err


def test_graph_text(typed: Typed) -> None:
    """The text drawing has a line a step."""
    done = typed("graph", "hello.yml")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[1] for line in done.out.splitlines() if "──" in line] == ["greet", "report"]


def test_graph_mermaid_and_dot(typed: Typed) -> None:
    """Both have each step once and the edge."""
    mermaid = typed("graph", "hello.yml", "--format", "mermaid").out
    assert mermaid.splitlines()[0] == "flowchart TD"
    assert "    greet --> report" in mermaid.splitlines()
    dot = typed("graph", "hello.yml", "--format", "dot").out
    assert dot.startswith('digraph "Hello" {')
    assert dot.endswith("}\n")
    assert '    "greet" -> "report";' in dot.splitlines()


def test_graph_svg(typed: Typed, folder: Path) -> None:
    """The SVG is well-formed, whatever stands in names, and holds each step's id."""
    (folder / "odd.yml").write_text(
        'version: 1\nname: <b> & "co"\nsteps:\n  - {id: a, name: "x < y & z", script: uptime}\n'
        "  - {id: b, script: date}\n",
        encoding="utf-8",
    )
    root = ET.fromstring(typed("graph", "odd.yml", "--format", "svg").out)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {element.text for element in root.iter() if element.text}
    assert {"a", "b"} <= texts
    for form in ("dot", "mermaid", "json", "text"):
        assert typed("graph", "odd.yml", "--format", form).code == 0


def test_an_output_into_a_file(typed: Typed, folder: Path) -> None:
    """`-o FORMAT=FILE` beside a form for people: the file has the document, the stream has the lines."""
    done = typed("run", "hello.yml", "-o", "plain", "-o", "json=out.json", "-o", "jsonl=out.jsonl")
    assert done.code == 0
    assert "greet localhost | hello world from north" in done.out
    assert json.loads((folder / "out.json").read_text(encoding="utf-8"))["summary"]
    events = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["run_started", "run_ended"]


def test_quiet(typed: Typed) -> None:
    """`-o quiet` of a run that goes well prints nothing."""
    done = typed("run", "hello.yml", "-o", "quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("output", ["xml", "json=", "junit", "json=a.json=b"])
def test_outputs_that_there_are_not(output: str, typed: Typed) -> None:
    """An output that cannot be opened is refused before anything is run."""
    done = typed("run", "hello.yml", "-o", output)
    if output == "json=a.json=b":  # a file may have any name
        assert done.code == 0
        return
    assert (done.code, done.out) == (2, "")
    assert "error[" in done.err
    assert "nothing was run" in done.err


def test_a_failing_run_ends_with_1(typed: Typed, folder: Path) -> None:
    """Exit code 1 where something failed, 0 where the failure was to be ignored."""
    (folder / "fails.yml").write_text("version: 1\nsteps:\n  - script: exit 3\n", encoding="utf-8")
    assert typed("run", "fails.yml", "-o", "quiet").code == 1
    (folder / "ignored.yml").write_text(
        "version: 1\nsteps:\n  - {script: exit 3, ignore_errors: true}\n", encoding="utf-8"
    )
    assert typed("run", "ignored.yml", "-o", "quiet").code == 0


def test_an_unreachable_host_ends_with_3(typed: Typed, folder: Path) -> None:
    """Exit code 3 where nothing failed but a host could not be reached, 1 where something failed too."""
    (folder / "away.yml").write_text(
        "version: 1\ntargets:\n  away: {hosts: [127.0.0.1], transport: ssh, port: 1, connect_timeout: 5s}\n"
        "steps:\n  - {id: a, target: away, shell: sh, script: uptime}\n  - {id: b, needs: [], script: 'true'}\n",
        encoding="utf-8",
    )
    assert typed("run", "away.yml", "-o", "quiet").code == 3
    text = (folder / "away.yml").read_text(encoding="utf-8").replace("'true'", "'false'")
    (folder / "away.yml").write_text(text, encoding="utf-8")
    assert typed("run", "away.yml", "-o", "quiet").code == 1


def test_the_script_beside_the_module(folder: Path) -> None:
    """The console script and `python -m runner` give the same."""
    script = shutil.which("runner", path=_scripts())
    assert script is not None
    done = subprocess.run(
        [script, "plan", "hello.yml"], cwd=folder, env=clean_environment(), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout == in_a_process("plan", "hello.yml", folder=folder).out


def test_explain_ssh_says_what_reaches_a_host_and_why(typed: Typed, tmp_path: Path) -> None:
    """Every word of ssh's configuration with its value and where that came from; a local host has none."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        "version: 1\nhosts:\n"
        "  web: {address: 192.0.2.1, connection: {port: 2222, options: {Compression: 'yes'}}}\n"
        "  here: {connection: {transport: local}}\n",
        encoding="utf-8",
    )
    rows = json.loads(typed("explain", "ssh", "--host", "web", "-i", str(inventory), "-o", "json").out)["ssh"]
    told = {row["word"]: (row["value"], row["source"]) for row in rows}

    assert ("2222", "port") == told["Port"]
    assert ("yes", "options") == told["Compression"]
    assert ("192.0.2.1", "address") == told["Hostname"]
    refused = typed("explain", "ssh", "--host", "here", "-i", str(inventory))
    assert refused.code == 2
    assert "not over SSH" in refused.err

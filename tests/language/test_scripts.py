"""language.md, "Bodies" and "Standard input and arguments"."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.language.author import Author


def test_local_speaks_sh(author: Author) -> None:
    """Where nothing says, a local step and an SSH host speak sh; `shell` says otherwise, in any case."""
    ran = author.run(
        """
        steps:
          - {id: sh, script: 'echo "${BASH_VERSION:-none}"'}
          - {id: bash, shell: BASH, script: 'echo "${BASH_VERSION:+some}"'}
          - {id: python, shell: Python, script: 'print(1 + 1)'}
        """
    )
    assert [ran.output(s) for s in ("sh", "bash", "python")] == [["none"], ["some"], ["2"]]


def test_shell_of_target_inventory_and_defaults(author: Author) -> None:
    """The nearest `shell` wins: step, target, host, group, defaults."""
    (author.folder / "hosts.yml").write_text(
        "version: 1\ngroups:\n  g:\n    connection: {transport: local, shell: bash}\n"
        "    hosts: {grouped: {}, hosted: {connection: {shell: python}}}\n"
        "  h: {connection: {transport: local}, hosts: {plain: {}}}\n"
    )
    document = author.plan(
        """
        defaults: {connection: {shell: python}}
        targets: {all: {hosts: all}, sh: {hosts: all, shell: sh}}
        steps:
          - {id: none, target: all, script: 'true'}
          - {id: target, target: sh, script: 'true'}
          - {id: step, target: sh, shell: bash, script: 'true'}
        """
    ).document
    shells = {step["id"]: {a["host"]: a["shell"] for a in step["assignments"]} for step in document["steps"]}
    assert shells == {
        "none": {"grouped": "bash", "hosted": "python", "plain": "python"},
        "target": dict.fromkeys(["grouped", "hosted", "plain"], "sh"),
        "step": dict.fromkeys(["grouped", "hosted", "plain"], "bash"),
    }


@pytest.mark.parametrize(
    ("target", "shell"),
    [
        ("{ssh_connections: [{host_name: h}]}", "powershell"),
        ("{hosts: a, transport: ssh, subsystem: powershell}", "powershell"),
        ("{hosts: a, transport: winrm}", "powershell"),
        ("{connection_uri: https://x.example/PowerShell}", "powershell"),
        ("{vm_name: w, credential: c}", "powershell"),
        ("{container_id: w}", "sh"),
        ("{hosts: a, transport: ssh}", "sh"),
        ("{ssh_connections: [{host_name: h}], shell: bash}", "bash"),
        ("{local: true}", "sh"),
    ],
)
def test_default_shells(author: Author, target: str, shell: str) -> None:
    """A script in two versions is asked for in the shell that the kind of target speaks."""
    other = "bash" if shell != "bash" else "powershell"
    ran = author.validate(
        f"credentials: {{c: {{username: u, password: {{env: P}}}}}}\n"
        f"targets: {{t: {target}}}\nsteps:\n  - {{target: t, script: {{python: 'x', {other}: 'y'}}}}\n"
        if shell != "sh"
        else f"targets: {{t: {target}}}\nsteps:\n  - {{target: t, script: {{python: 'x', powershell: 'y'}}}}\n"
    )
    assert "no-script-for-shell" in ran.codes
    assert f"no script for `{shell}`" in ran.words


def test_script_by_shell_and_by_name(author: Author) -> None:
    """`script` takes `{ref: name}` and a text for each shell; a text for sh serves bash."""
    ran = author.run(
        """
        scripts:
          named: |
            echo "named $Using:x"
        steps:
          - {id: ref, vars: {x: 1}, script: {ref: named}}
          - {id: sh, script: {sh: echo sh, python: print(0)}}
          - {id: python, shell: python, script: {sh: echo sh, python: print(0)}}
          - {id: bash, shell: bash, script: {sh: echo sh, python: print(0)}}
        """
    )
    assert [ran.output(s)[0] for s in ("ref", "sh", "python", "bash")] == ["named 1", "sh", "0", "sh"]


def test_file_is_relative_to_the_playbook(author: Author) -> None:
    """`file` is relative to the playbook, its digest is in the plan, and `$Using:` works in it."""
    author.write("books/scripts/x.sh", 'echo "file $Using:x" $1\n')
    author.write(
        "books/p.yml", "version: 1\nsteps:\n  - {id: f, vars: {x: 1}, file: scripts/x.sh, args: [2]}\n"
    )
    ran = author.type("run", "books/p.yml", "-o", "json")
    assert ran.output("f") == ["file 1 2"]
    planned = author.type("plan", "books/p.yml", "-o", "json").document
    (script,) = planned["steps"][0]["scripts"]
    assert script["path"].endswith("scripts/x.sh")
    assert len(script["sha256"]) == 64


@pytest.mark.parametrize(
    ("name", "shell", "good"),
    [
        ("a.ps1", "sh", False),
        ("a.py", "sh", False),
        ("a.sh", "python", False),
        ("a.sh", "bash", True),
        ("a.py", None, False),
    ],
)
def test_a_file_that_contradicts_the_shell(author: Author, name: str, shell: str | None, good: bool) -> None:
    """A `.ps1`, `.sh` or `.py` file that contradicts the shell is an error that names `shell:` (and `subsystem:`)."""
    author.write(name, "# nothing\n")
    say = f", shell: {shell}" if shell else ""
    ran = author.validate(f"steps:\n  - {{file: {name}{say}}}\n")
    assert (ran.codes == []) is good
    if not good:
        assert ran.codes == ["file-shell"]
        assert "`shell: " in ran.words


def test_a_powershell_file_over_ssh_names_the_subsystem(author: Author) -> None:
    """A `.ps1` for a plain SSH host names `subsystem:`, also where the step says `shell: sh`."""
    author.write("a.ps1", "Get-Date\n")
    for say in ("", ", shell: sh"):
        ran = author.validate(
            f"targets: {{t: {{hosts: a, transport: ssh}}}}\nsteps:\n  - {{target: t, file: a.ps1{say}}}\n"
        )
        assert ran.codes == ["file-shell"]
        assert "`shell: powershell`" in ran.words
        assert "`subsystem: powershell`" in ran.words


@pytest.mark.parametrize(
    ("script", "code", "error"),
    [
        (">\n      echo a\n      echo b", "folded-script", True),
        ("echo a\n      echo b", None, True),
        ("echo a # comment", None, False),
        ("{Get-Culture}", None, True),
        ("'{ Get-Culture }'", None, False),
        ("null", None, True),
        ("|\n      echo a", "", None),
    ],
)
def test_script_style(author: Author, script: str, code: str | None, error: bool | None) -> None:
    """Folded and multi-line plain text is an error, a plain line with ` #` a warning, braces have their hint."""
    ran = author.validate(f"steps:\n  - script: {script}\n")
    if error is None:
        assert ran.problems == []
        return
    (problem,) = ran.problems
    assert problem["severity"] == ("error" if error else "warning"), problem
    assert problem["line"] in (3, 4)
    if "{" in script:
        assert "brace" in ran.words


def test_command_runs_argv_without_a_shell(author: Author) -> None:
    """`command` is one program with `args`, which no shell reads; forms with and without a list are one."""
    ran = author.run(
        """
        vars: {x: 'a b'}
        steps:
          - {id: plain, command: printf, args: ['%s|', '$HOME', '* ;', '{{ x }}', true, null, 5]}
          - {id: listed, command: [{name: printf, args: ['%s|', a b]}]}
          - {id: mapping, command: {name: printf, args: ['%s|', c]}}
          - {id: input, command: cat, input_object: [a, {b: 1}]}
          - {id: missing, command: no-such-program-here}
        """
    )
    assert ran.output("plain") == ["$HOME|* ;|a b|true||5|"]
    assert ran.output("listed") == ["a b|"]
    assert ran.output("mapping") == ["c|"]
    assert ran.output("input") == ["a", '{"b": 1}']
    assert ran.status("missing") == "failed"


def test_command_refusals(author: Author) -> None:
    """A name with blanks has its hint; a list of commands and `parameters` are for powershell."""
    blanks = author.validate("steps:\n  - command: ls -l /tmp\n").only_problem()
    assert (blanks["line"], blanks["column"]) == (3, 14)
    assert "`command: ls`" in " ".join(blanks["hints"])
    assert "command-pipeline" in author.validate("steps:\n  - command: [{name: a}, {name: b}]\n").codes
    assert "parameters-shell" in author.validate("steps:\n  - {command: a, parameters: {x: 1}}\n").codes
    assert (
        "parameters-shell"
        in author.validate("steps:\n  - {script: a, shell: sh, parameters: {x: 1}}\n").codes
    )


def test_parameters_without_a_word_about_the_shell(author: Author) -> None:
    """`parameters` on a script that sh would run by default is refused as well."""
    ran = author.validate("steps:\n  - {script: a, parameters: {x: 1}}\n")
    assert ran.codes == ["parameters-shell"]


def test_standard_input(author: Author) -> None:
    """Text items are lines, others JSON lines; without `input_object` standard input is at its end."""
    ran = author.run(
        """
        vars: {list: [1, two, {three: [3]}, null, true]}
        steps:
          - {id: items, input_object: '{{ list }}', script: cat}
          - {id: lone, input_object: text, script: cat}
          - {id: number, input_object: 5, script: cat}
          - {id: none, script: cat}
          - {id: python, shell: python, input_object: [a, 1], script: 'import sys; print(sys.stdin.read().split())'}
          - {id: empty, shell: python, script: 'import sys; print(repr(sys.stdin.read()))'}
          - {id: bash, shell: bash, input_object: [a], script: 'read -r x; echo "<$x>"'}
        """
    )
    assert ran.output("items") == ["1", "two", '{"three": [3]}', "null", "true"]
    assert (ran.output("lone"), ran.output("number"), ran.output("none")) == (["text"], ["5"], [])
    assert (ran.output("python"), ran.output("empty"), ran.output("bash")) == (
        ["['a', '1']"],
        ["''"],
        ["<a>"],
    )


def test_args_of_sh_and_bash(author: Author) -> None:
    """In sh and bash `$1 ...`: scalars as text, null as empty, true and false; lists and mappings fail the host."""
    ran = author.run(
        """
        steps:
          - {id: sh, args: [a b, 5, 1.10, true, null, "", '$x'], script: 'printf "%s|" "$@"; echo $#'}
          - {id: bash, shell: bash, args: [false, "*"], script: 'printf "%s|" "$@"'}
          - {id: lone, args: one, script: 'echo $1'}
          - {id: list, needs: [], args: [[1]], script: 'echo $1'}
          - {id: mapping, needs: [], shell: bash, args: [{a: 1}], script: 'echo $1'}
        """
    )
    assert ran.output("sh") == ["a b|5|1.10|true|||$x|7"]
    assert ran.output("bash") == ["false|*|"]
    assert ran.output("lone") == ["one"]
    assert (ran.status("list"), ran.status("mapping")) == ("failed", "failed")
    assert ran.result("list")["failure"]["may_have_run"] is False


def test_args_of_python(author: Author) -> None:
    """In python `sys.argv[1:]` as text and `args` typed."""
    script = "import sys, json; print(json.dumps([sys.argv[1:], args]))"
    ran = author.run(
        f"""
        steps:
          - {{id: p, shell: python, output: json, args: [a, 5, true, null, [1], {{b: 2}}], script: '{script}'}}
        """
    )
    texts, typed = ran.output("p")
    assert typed == ["a", 5, True, None, [1], {"b": 2}]
    assert texts[:4] == ["a", "5", "true", ""]
    assert len(texts) == 6


def test_nothing_stands_in_argv_or_the_environment(author: Author, fleet: Path) -> None:
    """Script and values are neither in the interpreter's argv nor in its environment, here and over SSH."""
    ran = author.run(
        """
        steps:
          - {id: x, hosts: 'web-01,localhost', vars: {v: needle},
             script: "cat /proc/$$/cmdline /proc/$$/environ | tr '\\\\0' '\\\\n'; : $Using:v haystack"}
        """.replace("web-01,localhost", "web-01"),
        inventory=fleet,
    )
    told = json.dumps(ran.output("x", "web-01"))
    assert "needle" not in told
    assert "haystack" not in told


def test_environment_and_directory(author: Author) -> None:
    """`environment` and `working_directory` hold for the step; values are templates; null leaves a name out."""
    (author.folder / "work").mkdir()
    ran = author.run(
        """
        vars: {v: 7}
        steps:
          - {id: a, environment: {X: '{{ v }}', Y: true, Z: null}, working_directory: '{{ "work" }}',
             script: 'echo "$X $Y ${Z-unset}"; pwd'}
          - {id: b, command: sh, args: [-c, 'echo $X; pwd'], environment: {X: 1}, working_directory: work}
          - {id: c, shell: python, environment: {X: 1}, working_directory: work,
             script: 'import os; print(os.environ["X"], os.getcwd())'}
          - {id: d, script: 'echo "${X-unset}"'}
        """
    )
    assert ran.output("a")[0] == "7 true unset"
    assert ran.output("a")[1].endswith("/work")
    assert ran.output("b")[0] == "1"
    assert ran.output("c")[0].startswith("1 ")
    assert ran.output("d") == ["unset"]


def test_script_text_is_no_template(author: Author) -> None:
    """`{{` in a script stays, with a warning where it names a known variable; `template: true` pastes."""
    text = """
        vars: {v: 7}
        steps:
          - {id: stays, script: 'echo "{{ v }} {{ other }}"'}
          - {id: pasted, template: true, script: 'echo "{{ v }} $Using:v"'}
        """
    ran = author.run(text)
    assert (ran.output("stays"), ran.output("pasted")) == (["{{ v }} {{ other }}"], ["7 7"])
    assert author.validate(text).warnings == ["template-in-script"]


def test_templates_and_secrets(author: Author) -> None:
    """`template: true` is refused where it would paste a secret, also by `inputs.` and through a variable."""
    for name in ("s", "inputs.s", "made"):
        ran = author.validate(
            "inputs: {s: {type: string, secret: true, default: x}}\nvars: {made: 'a{{ s }}'}\n"
            f"steps:\n  - {{template: true, script: 'echo {{{{ {name} }}}}'}}\n"
        )
        assert ran.codes == ["template-secret"], name


def test_a_script_is_sent_unchanged(author: Author) -> None:
    """Blank lines, tabs, trailing blanks and odd characters of a script arrive as written."""
    ran = author.run(
        "steps:\n  - id: x\n    script: |\n      cat <<'END'\n      a\tb  \n\n      \\n ü $x `y`\n      END\n"
    )
    assert ran.output("x") == ["a\tb  ", "", "\\n ü $x `y`"]

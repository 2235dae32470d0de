"""language.md: what its other parts promise across the rest: connections, secrets, files of variables, versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.language.author import Author


def test_connection_layers(author: Author) -> None:
    """The nearest connection key wins: step, target, host, group, defaults."""
    (author.folder / "hosts.yml").write_text(
        "version: 1\nconnection: {transport: ssh}\ngroups:\n  g:\n    connection: {user_name: group, port: 3}\n"
        "    hosts: {h: {connection: {user_name: host}}, i: {}}\n  n: {hosts: {j: {}}}\n"
    )
    document = author.plan(
        """
        defaults: {connection: {user_name: default, port: 9}}
        targets: {plain: {hosts: all}, said: {hosts: all, user_name: target}}
        steps:
          - {id: a, target: plain, script: 'true'}
          - {id: b, target: said, script: 'true'}
          - {id: c, target: said, connection: {user_name: step}, script: 'true'}
        """
    ).document
    users = {s["id"]: {a["host"]: a["user"] for a in s["assignments"]} for s in document["steps"]}
    assert users == {
        "a": {"h": "host", "i": "group", "j": "default"},
        "b": dict.fromkeys("hij", "target"),
        "c": dict.fromkeys("hij", "step"),
    }
    assert {a["host"]: a["port"] for a in document["steps"][0]["assignments"]} == {"h": 3, "i": 3, "j": 9}


def test_vars_files(author: Author) -> None:
    """Later vars files win over earlier ones and `vars`; they may hold templates; relative to the playbook."""
    author.write("v/one.yml", "a: one\nb: one\n")
    author.write("v/two.yml", "b: '{{ c }}2'\n")
    ran = author.run(
        "vars_files: [v/one.yml, v/two.yml]\nvars: {a: play, b: play, c: play}\nsteps:\n"
        "  - {id: x, script: 'echo $Using:a $Using:b $Using:c'}\n"
    )
    assert ran.output("x") == ["one play2 play"]


@pytest.mark.parametrize(("requires", "good"), [(">=0.1", True), (">=99", False), ("about 1", False)])
def test_requires(author: Author, requires: str, good: bool) -> None:
    """`requires` holds the playbook to versions of the runner."""
    assert (author.validate(f"requires: '{requires}'\nsteps:\n  - {{script: 'true'}}\n").code == 0) is good


def test_a_template_in_a_script_file(author: Author) -> None:
    """`template: true` works for `file`: names are checked before the run at their place in that file."""
    author.write("x.sh", "echo one\necho {{ v }}\n")
    good = author.run("vars: {v: 1}\nsteps:\n  - {id: x, template: true, file: x.sh}\n")
    assert good.output("x") == ["one", "1"]
    problem = author.run("steps:\n  - {id: x, template: true, file: x.sh}\n").only_problem()
    assert (problem["code"], problem["path"], problem["line"], problem["column"]) == (
        "unknown-variable",
        "x.sh",
        2,
        9,
    )


def test_unknown_using_in_files(author: Author) -> None:
    """A `$Using:` name in a script file and in an included file is told at its place in that file."""
    author.write("x.sh", "echo one\necho $Using:nothing\n")
    author.write("inc.yml", "- script: |\n    echo $Using:nothing\n")
    in_script = author.validate("steps:\n  - file: x.sh\n").only_problem()
    assert (in_script["path"], in_script["line"], in_script["column"]) == ("x.sh", 2, 6)
    in_steps = author.validate("steps:\n  - include: inc.yml\n").only_problem()
    assert (in_steps["path"], in_steps["line"], in_steps["column"]) == ("inc.yml", 2, 10)


def test_secrets_are_masked_everywhere(author: Author) -> None:
    """A secret input is masked in output, standard error, failures and skip reasons, on every way out."""
    ran = author.run(
        """
        inputs: {s: {type: string, secret: true}}
        steps:
          - {id: a, ignore_errors: true, script: 'echo "out $Using:s"; echo "err $Using:s" >&2; exit 1'}
          - {id: b, assert: {that: 1 == 2, message: 'is {{ s }}'}, ignore_errors: true}
          - {id: c, shell: python, ignore_errors: true, script: 'raise ValueError($Using:s)'}
          - {id: d, loop: ['{{ s }}'], script: 'true'}
          - {id: e, register: r, script: 'printf %s $Using:s'}
          - {id: f, script: 'test "${Using:r.output[0]}" = "$Using:s"'}
        """,
        "-e",
        "s=open-sesame",
    )
    assert ran.status("f") == "ok"
    assert "open-sesame" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("source", ["password: secret", "password: {env: P, file: x}", "private_key: text"])
def test_plain_secrets_are_refused(author: Author, source: str) -> None:
    """A secret written in plain text, or one with two sources, is an error."""
    ran = author.validate(f"credentials: {{c: {{username: u, {source}}}}}\nsteps:\n  - {{script: 'true'}}\n")
    assert (ran.only_problem()["line"], "secret`" in ran.words.replace("`password", "")) == (2, False)


def test_missing_sources_stop_before_anything(author: Author) -> None:
    """A credential that a plan needs is read before the first connection; one it does not need is not read."""
    text = "credentials: {c: {username: u, password: {env: NOT_THERE_AT_ALL}}}\nsteps:\n  - {script: 'touch ran'}\n"
    assert author.run(text).code == 0
    (author.folder / "ran").unlink()
    ran = author.run(text + "  - {script: 'echo ${Using:credentials.c.password}'}\n")
    assert ran.code == 2
    assert "NOT_THERE_AT_ALL" in ran.words
    assert not (author.folder / "ran").exists()


@pytest.mark.parametrize(
    "source", ["{env: P}", "{file: p.txt}", "{command: [cat, p.txt]}", "{command: cat p.txt}"]
)
def test_sources_of_secrets(author: Author, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A secret comes from the environment, a file (one newline dropped) or a command."""
    monkeypatch.setenv("P", "pass-word")
    author.write("p.txt", "pass-word\n")
    ran = author.run(
        f"credentials: {{c: {{username: u, password: {source}}}}}\n"
        "steps:\n  - {id: x, script: 'printf %s \"${Using:credentials.c.password}\" | wc -c'}\n"
    )
    assert ran.output("x") == ["9"]


def test_a_fleet_over_ssh(author: Author, fleet: Path) -> None:
    """The same playbook over SSH: groups, variables, values, streams and exit codes."""
    ran = author.run(
        """
        vars: {text: "a 'b' \\"c\\" $d\\n"}
        targets: {web: {hosts: web, throttle: 1}, py: {hosts: app, shell: python}}
        steps:
          - {id: sh, target: web, register: r, script: 'printf "%s" "$Using:text"; echo $Using:role'}
          - {id: py, target: py, needs: [], output: json,
             script: 'import json; print(json.dumps([$Using:text, $Using:inventory_hostname]))'}
          - {id: all, needs: [sh, py], shell: python, output: json,
             script: 'import json; print(json.dumps($Using:results.r))'}
          - {id: bad, hosts: 'web-01', ignore_errors: true, script: 'echo e >&2; kill -9 $$'}
        """,
        inventory=fleet,
    )
    assert ran.output("sh", "web-01") == ["a 'b' \"c\" $d", "web"]
    assert ran.output("py", "app-02") == ["a 'b' \"c\" $d\n", "app-02"]
    assert list(ran.output("all")) == ["web-01", "web-02"]
    assert (ran.result("bad", "web-01")["signal"], ran.result("bad", "web-01")["stderr"]) == ("KILL", ["e"])


def test_limits_and_only_and_start_at(author: Author) -> None:
    """`-l` limits hosts and leaves local steps, `--only` and `--start-at` choose steps."""
    text = (
        "steps:\n  - {id: a, hosts: pair, script: 'true'}\n  - {id: b, hosts: pair, script: 'true'}\n"
        "  - {id: c, script: 'true'}\n"
    )
    assert set(author.run(text, "-l", "b").statuses) == {("a", "b"), ("b", "b"), ("c", "localhost")}
    assert {s for s, _ in author.run(text, "--only", "b").statuses} == {"b"}
    assert {s for s, _ in author.run(text, "--start-at", "b").statuses} == {"b", "c"}


def test_a_json_playbook(author: Author) -> None:
    """JSON is YAML: a playbook written as JSON runs, escaped characters included."""
    playbook = {
        "version": 1,
        "vars": {"v": "ü€/\t"},
        "steps": [{"id": "x", "script": 'printf %s "$Using:v"'}],
    }
    (author.folder / "p.json").write_text(json.dumps(playbook))
    assert author.type("run", "p.json", "-o", "json").output("x") == ["ü€/\t"]


def test_variables_of_a_variable(author: Author) -> None:
    """Templates inside lists and mappings of variables are computed, also those of the inventory on each host."""
    (author.folder / "hosts.yml").write_text(
        "version: 1\nvars: {url: 'http://{{ inventory_hostname }}:{{ port }}', list: ['{{ port }}',"
        " {k: '{{ port + 1 }}'}]}\n"
        "connection: {transport: local}\nhosts: {a: {vars: {port: 1}}, b: {vars: {port: 2}}}\n"
    )
    ran = author.run(
        "steps:\n  - {id: x, hosts: all, shell: python, script: 'print($Using:url, $Using:list)'}\n"
    )
    assert ran.output("x", "b") == ["http://b:2 [2, {'k': 3}]"]


def test_a_variable_that_some_hosts_lack(author: Author) -> None:
    """A name that is not defined on one host of the step is refused, with that host's name."""
    problem = author.run("steps:\n  - {hosts: 'pair:solo', script: 'echo $Using:weight'}\n").only_problem()
    assert (problem["code"], "`c`" in problem["message"]) == ("unknown-using", True)


def test_equal_hosts_of_two_targets_run_once(author: Author) -> None:
    """A host in two targets of a step runs it once."""
    ran = author.run(
        "targets: {t: {hosts: pair}, u: {hosts: 'a:c'}}\nsteps:\n  - {target: [t, u], script: 'true'}\n"
    )
    assert sorted(r["host"] for r in ran.results) == ["a", "b", "c"]


def test_result_of_a_loop_in_results(author: Author) -> None:
    """`register` with `loop` holds each item's result, readable in Jinja and scripts."""
    ran = author.run(
        """
        steps:
          - {id: x, hosts: pair, register: r, loop: [1, 2],
             script: 'echo $Using:item; exit $Using:item', failed_when: false}
          - {id: y, hosts: pair, when: "r.results | map(attribute='exit_code') | list == [1, 2]",
             script: 'echo ${Using:r.results[1].output[0]}'}
          - {id: z, args: ["{{ results.r.values() | map(attribute='results') | map('length') | sum }}"],
             script: 'echo $1'}
        """
    )
    assert (ran.output("y", "b"), ran.output("z")) == (["2"], ["4"])

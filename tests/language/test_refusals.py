"""language.md: what belongs to later versions, combinations, targets, inventory patterns and YAML."""

from __future__ import annotations

import pytest

from tests.language.author import Author

STEP_KEYS = {
    "run_as": "run_as: {user: root}",
    "collect": "collect: {dataset: d}",
    "background": "background: true",
    "job_name": "job_name: j",
    "disconnected": "disconnected: true",
}


@pytest.mark.parametrize("key", STEP_KEYS)
@pytest.mark.parametrize("place", ["step", "defaults"])
def test_keys_of_later_versions(author: Author, key: str, place: str) -> None:
    """A key of a later version is valid, and refused by name at plan, on a step and in `defaults`."""
    said = STEP_KEYS[key]
    if place == "step":
        text = f"steps:\n  - {{{said}, script: 'true'}}\n"
    else:
        text = f"defaults: {{{said}}}\nsteps:\n  - {{script: 'true'}}\n"
    assert author.validate(text).codes == []
    ran = author.run(text.replace("'true'}\n", "'touch ran'}\n"))
    assert ran.code == 2
    assert "not-available-yet" in ran.codes
    assert f"`{key}`" in ran.words
    assert not (author.folder / "ran").exists()


BODIES = {
    "receive": "receive: {job: j}",
}


@pytest.mark.parametrize("key", BODIES)
def test_bodies_of_later_versions(author: Author, key: str) -> None:
    """A body of a later version is valid, and refused by name at plan."""
    text = f"steps:\n  - {{{BODIES[key]}}}\n"
    assert author.validate(text).codes == []
    problem = author.plan(text).only_problem()
    assert (problem["code"], f"`{key}`" in problem["message"]) == ("not-available-yet", True)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("secrets", "secrets: {s: {env: S}}"),
        ("where", "targets: {t: {hosts: a, where: \"os = 'linux'\"}}"),
        ("max_age", "targets: {t: {hosts: a, max_age: 1h}}"),
        ("run_as", "targets: {t: {hosts: a, run_as: {user: root}}}"),
        ("run_as", "defaults: {connection: {run_as: {user: root}}}"),
        ("keyring", "credentials: {c: {username: u, password: {keyring: a/b}}}"),
        ("vault", "credentials: {c: {username: u, password: {vault: {path: p, key: k}}}}"),
        ("age", "credentials: {c: {username: u, password: {age: a}}}"),
        ("ansible_vault", "credentials: {c: {username: u, password: {ansible_vault: a}}}"),
    ],
)
def test_sections_of_later_versions(author: Author, key: str, text: str) -> None:
    """A part of the playbook of a later version is valid, and refused by name at plan."""
    who = "target: t" if "targets" in text else "hosts: a"
    whole = f"{text}\nsteps:\n  - {{{who}, script: 'true'}}\n"
    assert author.validate(whole).codes == []
    ran = author.plan(whole)
    assert ran.code == 2
    assert set(ran.codes) == {"not-available-yet"}
    assert f"`{key}`" in ran.words


@pytest.mark.parametrize("place", ["step", "defaults"])
def test_remote_debug_is_refused_with_its_reason(author: Author, place: str) -> None:
    """`remote_debug` is valid, and refused at plan because nobody types into a run."""
    head, said = ("", "remote_debug: true, ") if place == "step" else ("defaults: {remote_debug: true}\n", "")
    text = f"{head}steps:\n  - {{{said}script: 'true'}}\n"
    assert author.validate(text).codes == []
    problem = author.plan(text).only_problem()
    assert problem["code"] == "remote-debug"
    assert "debugger" in problem["message"]
    assert author.plan(text.replace("true, s", "false, s").replace(": true}", ": false}")).code == 0


@pytest.mark.parametrize(
    "target",
    [
        "{container_id: w}",
        "{vm_name: w, credential: c}",
        "{vm_guid: 11111111-2222-3333-4444-555555555555, credential: c}",
    ],
)
def test_transports_of_later_versions(author: Author, target: str) -> None:
    """Container and VM targets are valid, and refused at plan as not available yet."""
    head = "credentials: {c: {username: u, password: {env: P}}}\n"
    text = f"{head}targets: {{t: {target}}}\nsteps:\n  - {{target: t, script: 'true'}}\n"
    assert author.validate(text).codes == []
    ran = author.plan(text)
    assert "transport-not-available" in ran.codes
    assert "not available yet" in ran.words


@pytest.mark.parametrize(
    "target",
    [
        "{hosts: a, transport: winrm}",
        "{connection_uri: https://x.example/PowerShell}",
        "{ssh_connections: [{host_name: h}]}",
        "{hosts: [c], transport: ssh, subsystem: powershell}",
        "{hosts: [c], transport: ssh, configuration_name: powershell}",
        "{local: true, shell: powershell}",
    ],
)
def test_powershell_is_planned_over_each_transport(author: Author, target: str) -> None:
    """PowerShell is what WinRM, URIs, `ssh_connections` and subsystems speak, and what `shell:` may ask for."""
    (author.folder / "hosts.yml").write_text("version: 1\nhosts: {a: {}, c: {}}\n")
    text = f"targets: {{t: {target}}}\nsteps:\n  - {{target: t, script: Get-Date}}\n"
    (assignment,) = author.plan(text).document["steps"][0]["assignments"]
    assert assignment["shell"] == "powershell"


@pytest.mark.parametrize("shell", ["sh", "bash", "python"])
@pytest.mark.parametrize(
    "body", ["script: ls", "command: ls", "copy: {content: a, dest: b}", "fetch: {src: a, dest: b}"]
)
def test_winrm_speaks_powershell_alone(author: Author, shell: str, body: str) -> None:
    """Another shell over WinRM is refused by name, with what to type."""
    problem = author.plan(
        f"targets: {{t: {{connection_uri: 'https://x.example/PowerShell'}}}}\nsteps:\n"
        f"  - {{target: t, shell: {shell}, {body}}}\n"
    ).only_problem()
    assert problem["code"] == "shell-over-winrm"
    assert f"`{shell}`" in problem["message"]
    assert "say `shell: powershell`" in problem["hints"]


@pytest.mark.parametrize(
    "target",
    [
        "{hosts: a, transport: ssh, authentication: basic}",
        "{hosts: a, transport: ssh, configuration_name: x, subsystem: y}",
        "{connection_uri: https://x, port: 1}",
        "{connection_uri: https://x, use_ssl: true}",
        "{hosts: a, transport: winrm, key_file_path: x}",
        "{hosts: a, transport: winrm, jump: b}",
        "{hosts: a, transport: winrm, certificate_thumbprint: AAAABBBBCCCCDDDDEEEEFFFF0000111122223333, credential: c}",
        "{container_id: x, credential: c, user_name: u}",
        "{vm_name: x}",
        "{local: true, credential: c}",
        "{hosts: a, local: true}",
        "{hosts: a, transport: winrm, allow_redirection: true}",
        "{hosts: a, transport: ssh, run_as_administrator: true}",
        "{hosts: a, transport: winrm, authentication: digest}",
    ],
)
def test_combinations(author: Author, target: str) -> None:
    """What the parameter sets exclude is refused at validation, with line and column inside the target."""
    ran = author.validate(
        f"credentials: {{c: {{username: u, password: {{env: P}}}}}}\ntargets: {{t: {target}}}\nsteps:\n"
        f"  - {{script: 'true'}}\n"
    )
    problem = ran.only_problem()
    assert problem["line"] == 3
    assert problem["column"] > 10


@pytest.mark.parametrize(
    "step",
    [
        "target: local, session: s, script: a",
        "target: local, hosts: a, script: a",
        "script: a, file: b",
        "target: local",
        "script: a, args: [1], command: b",
        "assert: true, args: [1]",
        "copy: {dest: x}",
        "copy: {src: a, content: b, dest: x}",
        "script: a, rescue: [{script: b}]",
        "script: a, unknown: b",
        "script: a, run_if: sometimes",
        "script: a, register: 1x",
        "script: a, timeout: long",
        "script: a, throttle: -1",
    ],
)
def test_steps_that_make_no_sense(author: Author, step: str) -> None:
    """What contradicts itself in a step is one problem at its place."""
    ran = author.validate(f"sessions: {{s: {{target: local}}}}\nsteps:\n  - {{{step}}}\n")
    problem = ran.only_problem()
    assert problem["line"] == 4


def test_lone_values_and_aliases(author: Author) -> None:
    """A lone name stands for a list of one, an alias for its key, and words are read in any case."""
    text = """
        targets:
          u: {connection_uri: https://x.example, transport: WinRM, authentication: Basic, credential: c}
          v: {vm_guid: 11111111-2222-3333-4444-555555555555, credential: c}
          s:
            ssh_connections: {computer_name: h, identity_file_path: k, connecting_timeout: 5s}
            host_key_checking: Accept_New
        credentials: {c: {username: u, password: {env: P}}}
        sessions: {w: {target: s, on_loss: Reopen}}
        steps:
          - {target: s, shell: sh, tags: one, when: true, output: Text, script: 'true'}
          - {session: w, shell: sh, needs: [], script: 'true'}
        """
    assert author.validate(text).codes == []


def test_who(author: Author) -> None:
    """Without who: `defaults`, else `local`; a step's own who hides that of `defaults`."""
    document = author.plan(
        """
        defaults: {hosts: pair}
        steps:
          - {id: a, script: 'true'}
          - {id: b, target: local, script: 'true'}
        """
    ).document
    hosts = {s["id"]: [x["host"] for x in s["assignments"]] for s in document["steps"]}
    assert hosts == {"a": ["a", "b"], "b": ["localhost"]}


def test_names_of_hosts(author: Author) -> None:
    """A name is what was written without user and port; `name` overrides; one name for two endpoints is an error."""
    text = (
        "targets: {t: {ssh_connections: [{host_name: u@one.example}, {host_name: 'two:2222'},"
        " {host_name: three, name: third}], shell: sh}}\nsteps:\n  - {target: t, script: 'true'}\n"
    )
    document = author.plan(text).document
    found = {a["host"]: (a["address"], a["port"], a["user"]) for a in document["steps"][0]["assignments"]}
    assert found == {
        "one.example": ("one.example", None, "u"),
        "two": ("two", 2222, None),
        "third": ("three", None, None),
    }
    twice = author.plan(text.replace("u@one.example", "two"))
    assert twice.codes == ["host-twice"]
    assert "`name:`" in twice.words


def test_a_written_host_gets_its_inventory_variables(author: Author) -> None:
    """A name that is in the inventory too gets its variables."""
    ran = author.plan(
        "targets: {t: {ssh_connections: [{host_name: b}], shell: sh}}\nsteps:\n"
        "  - {target: t, script: 'echo $Using:weight'}\n"
    )
    assert ran.code == 0, ran.document


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("pair", "a b"),
        ("'pair:solo'", "a b c"),
        ("'pair,solo'", "a b c"),
        ("'all:!pair'", "here c"),
        ("'pair:&a'", "a"),
        ("'pair[0]'", "a"),
        ("'pair[-1]'", "b"),
        ("'pair[0:1]'", "a b"),
        ("'?'", "a b c"),
        ("'~^[ab]$'", "a b"),
        ("[a, c]", "a c"),
        ("['a', 'b:!b']", "a"),
        ("{file: names.txt}", "b"),
        ('"*"', "here a b c"),
    ],
)
def test_patterns(author: Author, pattern: str, hosts: str) -> None:
    """Patterns as in Ansible, lists and files of names; the order is the inventory's."""
    author.write("names.txt", "# comment\nb\n")
    document = author.plan(f"steps:\n  - {{hosts: {pattern}, script: 'true'}}\n").document
    assert [a["host"] for a in document["steps"][0]["assignments"]] == hosts.split()


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("steps:\n  - script: & 'x'\n", 3, "|"),
        ("steps:\n  - script: a\n    hosts: !canary\n", 4, '"!canary"'),
        ("steps:\n  - script: a\n    hosts: *\n", 4, '"*"'),
        ("steps:\n  - script: a\n    hosts: &web\n", 4, '"&web"'),
        ("steps:\n  - script: a\n    hosts: @file\n", 4, '"@file"'),
        ("steps:\n  - script: a\n    when: 'a' in b\n", 4, '"'),
        ("vars: {x: 1}\nsteps:\n  - script: a\n    args: [1]\n    name: {{ x }}\n", 6, "{{ x }}"),
        ("steps:\n  - script: %x\n", 3, ""),
        ("steps:\n  - script: `x`\n", 3, ""),
        ("steps:\n  - script: a\n    needs:\n", 4, "[]"),
        ("steps:\n  - script:\n", 3, ""),
        ("steps:\n  - script: a\n    ignore_errors: yes\n", 4, "true"),
        ('steps:\n  - {script: a, file: "C:\\temp\\new.ps1"}\n', 3, ""),
        ('steps:\n  - script: a\n    working_directory: "C:\\temp"\n', 4, ""),
        ('targets: {t: {hosts: a, user_name: "DOMAIN\\bob"}}\nsteps:\n  - script: a\n', 2, "'DOMAIN\\bob'"),
    ],
)
def test_traps_of_yaml(author: Author, text: str, line: int, hint: str) -> None:
    """What YAML reads otherwise than it looks is told where it stands, with what to type."""
    ran = author.validate(text)
    assert ran.code == 2
    assert ran.problems[0]["line"] == line, ran.problems
    assert hint in ran.words


def test_scalars_are_what_they_look_like(author: Author) -> None:
    """`no`, `on`, `12:30:00` and dates are texts; `yes` and its kin in `vars` get a hint."""
    text = (
        "vars: {a: no, b: on, c: 12:30:00, d: 2026-01-01, e: 0o17, f: 1e3, g: ~}\nsteps:\n"
        "  - {id: x, shell: python, script: 'print($Using:a, $Using:b, $Using:c, $Using:d, $Using:e, $Using:f,"
        " $Using:g)'}\n"
    )
    assert author.run(text).output("x") == ["no on 12:30:00 2026-01-01 15 1000.0 None"]
    told = author.validate(text).problems
    assert [(p["severity"], p["line"]) for p in told] == [("warning", 2), ("warning", 2)]


def test_numbers_where_text_is_due(author: Author) -> None:
    """A key that wants text gets a plain number as written: modes, names, environment, arguments, commands."""
    ran = author.run(
        """
        steps:
          - {id: a, name: 1.10, environment: {V: 1.10, M: 0022}, args: [1.10, 007], script: 'echo $V $M $1 $2'}
          - {id: b, command: echo, args: [1.10, 0x1F]}
          - {id: c, copy: {content: 1.10, dest: v, mode: 0600}}
        """
    )
    assert (ran.output("a"), ran.output("b")) == (["1.10 0022 1.10 007"], ["1.10 0x1F"])
    assert (author.folder / "v").read_text() == "1.10"


def test_defaults_hold_for_every_step(author: Author) -> None:
    """`defaults` fill what a step leaves out, mappings are merged; `id`, `name`, `needs` and bodies are none."""
    ran = author.run(
        """
        defaults:
          {shell: bash, vars: {a: d, b: d}, using: {u: d}, environment: {E: d}, timeout: 20s, ignore_errors: true}
        steps:
          - {id: x, vars: {b: s}, script: 'echo $Using:a $Using:b $Using:u $E ${BASH_VERSION:+bash}'}
          - {id: y, shell: sh, ignore_errors: false, script: 'echo ${BASH_VERSION:+bash}; exit 1'}
        """
    )
    assert ran.output("x") == ["d s d d bash"]
    assert (ran.status("y"), ran.result("y")["output"], ran.code) == ("failed", [""], 1)
    for key in ("id: x", "name: x", "needs: []", "script: x", "command: x", "copy: {src: a, dest: b}"):
        assert author.validate(f"defaults: {{{key}}}\nsteps:\n  - {{script: 'true'}}\n").code == 2, key


@pytest.mark.parametrize(
    "key", ["register: r", "loop: [1, 2]", "tags: [t]", "when: false", "failed_when: true", "description: x"]
)
def test_any_key_of_a_step_may_stand_in_defaults(author: Author, key: str) -> None:
    """A key in `defaults` has its effect on a step that does not say it, or is refused; it is never without effect."""
    ran = author.run(
        f"defaults: {{{key}}}\nsteps:\n  - {{id: x, script: 'true'}}\n",
        *(["-t", "t"] if "tags" in key else []),
    )
    if ran.code == 2:
        return
    result = ran.result("x")
    if "loop" in key:
        assert len(result["items"]) == 2
    if "when: false" in key:
        assert result["status"] == ("failed" if "failed" in key else "skipped")
    if "register" in key:
        again = author.run(
            f"defaults: {{{key}}}\nsteps:\n  - {{id: x, script: 'echo 1'}}\n"
            f"  - {{id: y, register: q, script: 'echo ${{Using:r.status}}'}}\n"
        )
        assert again.output("y") == ["ok"]

"""language.md on PowerShell: scripts, files, commands, arguments, input, `$Using:`, and what a step sets of a session.

Hosts named `r` answer as a real engine did when it was recorded (tests marked `pwsh`); hosts named `s` are the scripted
engine, which says what reached it.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.language.author import Author

USING = "JAB1AHMAaQBuAGcAOgB4AA=="  # base64 of UTF-16 of `$using:x`


def using_of(author: Author, script: str, head: str = "", **using: Any) -> dict[str, Any]:
    """What reaches a host as `$Using:` values: text of the reference, as PowerShell keys it, to value."""
    lines = "".join(
        f"\n      {line}" for line in [*(f"say {line}" for line in script.split("\n")), "echo using"]
    )
    step = f"steps:\n  - id: a\n    hosts: s1\n    using: {using}\n    script: |{lines}\n"
    ran = author.run(head + step)
    values = ran.output("a", "s1")[-1] or {}
    return {_text(key): value for key, value in values.items()}


def _text(key: str) -> str:
    from base64 import b64decode  # noqa: PLC0415 - the one place that reads keys

    return b64decode(key).decode("utf-16-le")


def test_a_script_is_sent_unchanged(powershell: Author) -> None:
    """A script is always sent as a script, unchanged: `{{ }}` and `$Using:` stay in it, values go beside it."""
    script = "say {{ x }} $Using:x {braces}"
    ran = powershell.run(f"vars: {{x: 1}}\nsteps:\n  - {{id: a, hosts: s1, script: '{script}'}}\n")
    assert ran.output("a", "s1") == [script.removeprefix("say ")]


def test_template_makes_a_script_a_template(powershell: Author) -> None:
    """With `template: true` the script is what Jinja makes of it."""
    ran = powershell.run(
        "vars: {x: 7}\nsteps:\n  - {id: a, hosts: s1, template: true, script: 'say {{ x + 1 }}'}\n"
    )
    assert ran.output("a", "s1") == ["8"]


def test_template_is_refused_for_secrets(powershell: Author) -> None:
    """A secret is delivered by `$Using:`, never pasted into script text."""
    problem = powershell.run(
        "inputs: {x: {type: string, secret: true}}\n"
        "steps:\n  - {id: a, hosts: s1, template: true, script: 'say {{ x }}'}\n",
        "-e",
        "x=hush",
    ).only_problem()
    assert "$Using:" in "".join(problem["hints"])


def test_braces_around_a_script_are_told(powershell: Author) -> None:
    """`{Get-Culture}` is a script block that is shown and not run; the hint drops the braces."""
    ran = powershell.validate("steps:\n  - {id: a, hosts: r1, script: '{Get-Culture}'}\n")
    assert ran.warnings == ["script-braces"]
    assert "drop the braces: `script: Get-Culture`" in ran.words


def test_a_version_for_each_shell(powershell: Author) -> None:
    """`{sh: ..., powershell: ...}` is the one for the host's shell, `{ref: name}` a script with a name."""
    ran = powershell.run(
        "scripts: {hello: say named}\n"
        "targets: {both: {hosts: s1}, here: {local: true}}\n"
        "steps:\n"
        "  - {id: a, target: [both, here], script: {powershell: say ps, sh: echo sh}}\n"
        "  - {id: b, target: both, script: {ref: hello}}\n"
    )
    assert (ran.output("a", "s1"), ran.output("a")) == (["ps"], ["sh"])
    assert ran.output("b", "s1") == ["named"]


def test_a_file_is_read_on_the_controller(powershell: Author) -> None:
    """`file` is read on the controller, relative to the playbook, and sent as text; a mistake in it has its place."""
    powershell.write("scripts/x.ps1", "say from a file\nthrow stop here\n")
    ran = powershell.run("steps:\n  - {id: a, hosts: s1, file: scripts/x.ps1}\n")
    assert ran.result("a", "s1")["output"] == ["from a file"]
    assert ran.status("a", "s1") == "failed"


@pytest.mark.pwsh
def test_arguments_are_typed_and_by_position(powershell: Author) -> None:
    """`args` bind by position with nulls and lists kept, `parameters` by name, switches by true."""
    ran = powershell.run(
        """
        steps:
          - id: position
            hosts: r1
            args: [null, [x, y]]
            script: '"$($args[0]) $($args[1]) $($args.Count)"'
          - id: name
            hosts: r1
            parameters: {param2: two, s: true}
            script: 'param($param1, $param2, [switch]$s) "$param1|$param2|$s"'
        """
    )
    assert ran.output("position", "r1") == [" x y 2"]
    assert ran.output("name", "r1") == ["|two|True"]


def test_values_arrive_with_their_types(powershell: Author) -> None:
    """Arguments, parameters and input are data: what a lone `{{ }}` makes keeps its type."""
    ran = powershell.run(
        """
        vars: {n: 5, items: [1, two, null, [3]], map: {a: {b: 1.5}}}
        steps:
          - {id: args, hosts: s1, args: ["{{ n }}", "{{ items }}", "{{ map }}", true], script: echo arguments}
          - {id: named, hosts: s1, parameters: {Name: "{{ n }}", Force: true}, script: echo parameters}
          - {id: input, hosts: s1, input_object: "{{ items }}", script: echo input}
        """
    )
    assert ran.output("args", "s1") == [5, [1, "two", None, [3]], {"a": {"b": 1.5}}, True]
    assert ran.output("named", "s1") == [{"Name": 5, "Force": True}]
    assert ran.output("input", "s1") == [1, "two", None, [3]]


@pytest.mark.pwsh
def test_input_object_is_input(powershell: Author) -> None:
    """`input_object` is `$input`, item by item; every host of the step gets all of it."""
    ran = powershell.run(
        "steps:\n  - {id: a, hosts: recorded, input_object: [1, 2, 3, 4, 5], script: '$input | % { $_ * 2 }'}\n"
    )
    assert [ran.output("a", host) for host in ("r1", "r2")] == [[2, 4, 6, 8, 10]] * 2


@pytest.mark.pwsh
def test_a_list_of_commands_is_a_pipeline(powershell: Author) -> None:
    """`command` is a pipeline of commands with `args` and `parameters`, without a script."""
    ran = powershell.run(
        "steps:\n  - id: a\n    hosts: r1\n"
        "    command: [{name: Write-Output, args: [[3, 1, 2]]}, {name: Sort-Object}]\n"
    )
    assert ran.output("a", "r1") == [1, 2, 3]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("working_directory", "/tmp"),
        ("environment", "{A: b}"),
        ("native_exit_code", "true"),
        ("strict_mode", "latest"),
        ("stop", "process_tree"),
    ],
)
def test_command_takes_nothing_that_needs_a_script(powershell: Author, key: str, value: str) -> None:
    """For endpoints without a language: what would be done by a script is refused by name, at its place."""
    problem = powershell.run(
        f"steps:\n  - {{id: a, hosts: r1, command: Get-Thing, {key}: {value}}}\n"
    ).only_problem()
    assert f"`{key}" in problem["message"]


def test_names_of_commands_have_no_blanks(powershell: Author) -> None:
    """`Get-Service -Name x` is no name; the hint is the command with its parameters."""
    ran = powershell.run("steps:\n  - {id: a, hosts: r1, command: Get-Service -Name spooler}\n")
    assert ran.only_problem()["code"] == "command-blanks"
    assert "`command: Get-Service` with `parameters: {Name: spooler}`" in ran.words


@pytest.mark.parametrize(
    ("script", "using", "reached"),
    [
        ("$Using:x $using:X", {"x": 1}, {"$using:x": 1}),
        ("${Using:with space}", {"with space": 1}, {"${using:with space}": 1}),
        ("($Using:x.Member)", {"x": {"member": 2, "other": 3}}, {"$Using:x.Member": 2}),
        ("($Using:x[0])", {"x": [7, 8]}, {"$Using:x[0]": 7}),
        ("@Using:splat", {"splat": {"Path": "/"}}, {"@using:splat": {"Path": "/"}}),
        ('"text $Using:x.Member"', {"x": 1}, {"$using:x": 1}),
        ("'$Using:x' # $Using:x", {}, {}),
        ("`$Using:x", {}, {}),
    ],
)
def test_the_forms_of_using(
    powershell: Author, script: str, using: dict[str, Any], reached: dict[str, Any]
) -> None:
    """Each form is found as the engine's parser finds it; chains send the member's value alone; any case."""
    assert using_of(powershell, script, **using) == reached


def test_using_looks_in_using_then_in_variables(powershell: Author) -> None:
    """`using:` comes before the step's variables; both are computed by Jinja and delivered as data."""
    head = 'vars: {x: low, y: "{{ 1 + 1 }}"}\n'
    assert using_of(powershell, "$Using:x $Using:y", head, x="{{ 'near' }}") == {
        "$using:x": "near",
        "$using:y": 2,
    }


def test_every_name_is_known_before_anything_connects(powershell: Author) -> None:
    """A name that does not exist is an error at its line and column in the YAML; nothing is run on any host."""
    ran = powershell.run(
        "steps:\n  - {id: a, hosts: s1, script: say first}\n  - id: b\n    hosts: s1\n    script: |\n"
        "      say one\n      say $Using:nope\n"
    )
    problem = ran.only_problem()
    assert (problem["code"], problem["line"], problem["column"]) == ("unknown-using", 8, 11)


@pytest.mark.parametrize(
    "script", ["$Using:x.Trim()", "$Using:x[$i]", "$Using:x[0..1]", "$Using:x.$p", "$Using:x = 5"]
)
def test_using_is_a_value(powershell: Author, script: str) -> None:
    """Method calls, indexes that are no constants and assignments are refused, as the engine refuses them."""
    ran = powershell.run(f"steps:\n  - {{id: a, hosts: r1, using: {{x: [a]}}, script: '{script}'}}\n")
    assert ran.only_problem()["code"] in {"invalid-using-expression", "using-assigned"}


@pytest.mark.parametrize(
    ("reference", "unlocked"),
    [("$Using:credentials.ops", ["s3 cret"]), ("$Using:token", ["p@ss"])],
)
def test_secrets_arrive_as_secure_values(
    powershell: Author, monkeypatch: pytest.MonkeyPatch, reference: str, unlocked: list[str]
) -> None:
    """`$Using:credentials.ops` is a PSCredential, an input of type secure_string a SecureString; both are masked."""
    monkeypatch.setenv("OPS", "s3 cret")
    powershell.write("given.json", '{"token": "p@ss"}')
    ran = powershell.run(
        "inputs: {token: {type: secure_string}}\n"
        "credentials: {ops: {username: 'D\\u', password: {env: OPS}}}\n"
        f"steps:\n  - id: a\n    hosts: s1\n    script: |\n      say {reference}\n      unlock\n",
        "-e",
        "@given.json",
    )
    assert ran.output("a", "s1")[1:] == ["********"]
    assert not any(text in ran.stdout + ran.stderr for text in unlocked)


def test_a_secret_input_arrives_as_text(powershell: Author) -> None:
    """An input with `secret: true` arrives as plain text, and is masked where it is shown."""
    powershell.write("given.json", '{"token": "p@ss"}')
    ran = powershell.run(
        "inputs: {token: {type: string, secret: true}}\n"
        "steps:\n  - id: a\n    hosts: s1\n    script: |\n      say $Using:token\n      echo using\n",
        "-e",
        "@given.json",
    )
    assert list(ran.output("a", "s1")[1].values()) == ["********"]


@pytest.mark.parametrize("key", ["error_action", "warning_action", "information_action"])
def test_actions_take_the_words_of_powershell(powershell: Author, key: str) -> None:
    """The words are PowerShell's, in any case; those that need a person are refused with the reason."""
    step = "steps:\n  - {{id: a, hosts: r1, {}: {}, script: 1..3}}\n"
    for word in ("Continue", "silentlycontinue", "STOP", "Ignore"):
        assert powershell.plan(step.format(key, word)).code == 0
    for word, reason in {"Inquire": "nobody", "Suspend": "workflows", "Break": "debugger"}.items():
        ran = powershell.plan(step.format(key, word))
        assert (ran.codes, reason in ran.words) == (["preference-refused"], True)


def test_remote_debug_is_refused_with_the_reason(powershell: Author) -> None:
    """`remote_debug` is accepted by the schema and refused at plan: nobody types into a debugger of a run."""
    step = "steps:\n  - {id: a, hosts: r1, remote_debug: true, script: 1..3}\n"
    assert powershell.validate(step).codes == []
    assert "debugger" in powershell.plan(step).only_problem()["message"]


def test_no_new_scope_is_for_local_steps(powershell: Author) -> None:
    """`no_new_scope` goes with local steps only; such steps share one local interpreter."""
    interpreter = powershell.folder / "hosts.yml"
    program = interpreter.read_text().split("scripted:")[1].split("interpreter: ")[1].split("}")[0]
    ran = powershell.run(
        f"targets: {{here: {{local: true, shell: powershell, interpreter: {program}}}}}\n"
        "steps:\n"
        "  - {id: a, target: here, no_new_scope: true, script: $v = kept}\n"
        "  - {id: b, target: here, no_new_scope: true, script: $v}\n"
        "  - {id: c, target: here, script: $v}\n"
    )
    assert (ran.output("b"), ran.output("c")) == (["kept"], [None])
    refused = powershell.plan(
        "steps:\n  - {id: a, hosts: s1, no_new_scope: true, script: $v}\n"
    ).only_problem()
    assert "local steps only" in refused["message"]


@pytest.mark.parametrize(
    "key", ["credential: x", "use_ssl: true", "port: 3", "session_option: {open_timeout: 3s}"]
)
def test_a_local_step_has_no_connection(author: Author, key: str) -> None:
    """Without a who the step is this controller: what would be said of a connection is refused, not ignored."""
    step = f"steps:\n  - {{id: a, shell: powershell, script: Get-Date, connection: {{{key}}}}}\n"
    problem = author.plan(step).only_problem()
    assert f"`{key.partition(':')[0]}`" in problem["message"]
    assert "local step" in problem["message"]


def test_a_missing_engine_is_told_with_the_way(author: Author) -> None:
    """Where there is no `pwsh` the host is unreachable: once said, with how to install it or where to say it is."""
    author.write(
        "hosts.yml", "version: 1\nhosts: {h: {connection: {transport: local, interpreter: /nowhere/pwsh}}}\n"
    )
    ran = author.run("steps:\n  - {id: a, hosts: h, shell: powershell, script: 1..3}\n")
    failure = ran.result("a", "h")["failure"]
    assert (ran.code, ran.status("a", "h"), failure["code"]) == (3, "unreachable", "engine-missing")
    assert failure["message"].count("cannot be started") == 1
    assert "interpreter:" in "".join(failure["hints"])

"""language.md, "Jinja", "Precedence" and "Reserved"."""

from __future__ import annotations

import json

import pytest

from tests.language.author import Author


def values(author: Author, variables: dict[str, object], *options: str, head: str = "") -> list[object]:
    """What python sees of each variable, as JSON."""
    names = ", ".join(f"$Using:{name}" for name in variables)
    ran = author.run(
        f"{head}vars: {json.dumps(variables, ensure_ascii=False)}\nsteps:\n"
        f"  - id: x\n    shell: python\n    output: json\n    script: |\n      import json\n"
        f"      print(json.dumps([{names}], default=str))\n",
        *options,
    )
    found: list[object] = ran.output("x")
    return found


def test_types_and_text(author: Author) -> None:
    """A lone `{{ }}` keeps its type, blanks around it too; anything mixed is text."""
    assert values(
        author,
        {
            "n": 5,
            "a": "{{ n }}",
            "b": " {{ n + 1 }} ",
            "c": "x{{ n }}",
            "d": "{{ n }}{{ n }}",
            "e": "{{ [n] }}",
            "f": "{{ none }}",
            "g": "{{ {'k': true} }}",
        },
    ) == [5, 5, 6, "x5", "55", [5], None, {"k": True}]


def test_nothing_is_parsed_again(author: Author) -> None:
    """A text that looks like a number, a list or a template stays the text it is."""
    assert values(
        author,
        {
            "t": "5",
            "a": "{{ t }}",
            "b": "{{ '[1]' }}",
            "c": "{{ '{{ t }}' }}",
            "d": "{{ '1' ~ '2' }}",
            "e": "{{ 'true' }}",
            "f": "1{{ '2' }}",
        },
    ) == ["5", "5", "[1]", "{{ t }}", "12", "true", "12"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'2026-11-21T01:02:03Z' | to_datetime | string", "2026-11-21 01:02:03+00:00"),
        ("('2h' | duration).total_seconds()", 7200.0),
        ("'10MiB' | size", 10485760),
        ("{'a': 1} | to_json", '{"a": 1}'),
        ("'[1, 2]' | from_json", [1, 2]),
        ("'abc123' | regex_search('[0-9]+')", "123"),
        ("'abc' | regex_search('[0-9]+')", None),
        ("'abc' | regex_replace('b', 'x')", "axc"),
        ("'a' | b64encode | b64decode", "a"),
        ("'a' | hash('sha256') | length", 64),
        ("{'a': {'x': 1}} | combine({'b': 2})", {"a": {"x": 1}, "b": 2}),
        ("{'a': {'x': 1}} | combine({'a': {'y': 2}}, recursive=true)", {"a": {"x": 1, "y": 2}}),
        ("[3, 1, 3] | unique", [3, 1]),
        ("[3, 1, 2] | sort | map('string') | join('-')", "1-2-3"),
        ("['a', 'b'] | select('equalto', 'a') | list", ["a"]),
        ("missing | default(4)", 4),
        ("missing is defined", False),
        ("(now() - now()).total_seconds()", 0.0),
        ("now().tzinfo | string", "UTC"),
    ],
)
def test_filters_and_tests(author: Author, expression: str, value: object) -> None:
    """The filters that the language promises are there and keep types; `default` guards an undefined name."""
    assert values(author, {"x": f"{{{{ {expression} }}}}"}) == [value]


def test_tests_of_results(author: Author) -> None:
    """`changed`, `failed`, `skipped`, `succeeded` and `unreachable` are tests of results."""
    (author.folder / "hosts.yml").write_text(
        "version: 1\nhosts: {gone: {address: 127.0.0.1, connection: {port: 1}}, here: {connection:"
        " {transport: local}}}\n"
    )
    ran = author.run(
        """
        steps:
          - {id: ok, register: ok, script: 'true'}
          - {id: changed, register: changed, changed_when: true, script: 'true'}
          - {id: failed, register: failed, ignore_errors: true, script: 'exit 1'}
          - {id: timed, register: timed, ignore_errors: true, timeout: 200ms, script: 'sleep 9'}
          - {id: skipped, register: skipped, when: false, script: 'true'}
          - {id: gone, hosts: gone, register: gone, ignore_errors: true, script: 'true'}
          - id: all
            assert:
              - ok is succeeded and ok is not failed and ok is not changed and ok is not skipped
              - changed is changed and changed is succeeded
              - failed is failed and failed is not succeeded
              - timed is failed
              - skipped is skipped and skipped is not succeeded and skipped is not failed and skipped.output == []
              - results.gone['gone'] is unreachable and ok is not unreachable
        """
    )
    assert ran.status("all") == "ok", ran.result("all")["failure"]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("when: nme == 1", "unknown-variable"),
        ("args: ['{{ nme }}']", "unknown-variable"),
        ("failed_when: nme", "unknown-variable"),
        ("environment: {X: 'a{{ nme }}'}", "unknown-variable"),
        ("when: name | lowr", "unknown-filter"),
        ("when: name is nosuch", "unknown-test"),
        ("when: name ==", "template-syntax"),
        ("vars: {y: '{{ nme }}'}", "unknown-variable"),
        ("working_directory: '{{ nme }}'", "unknown-variable"),
        ("loop: '{{ nme }}'", "unknown-variable"),
        ("timeout: '{{ nme }}'", "unknown-variable"),
    ],
)
def test_strict(author: Author, key: str, code: str) -> None:
    """Unknown names, filters, tests and bad syntax are problems with a place, before anything runs."""
    ran = author.run(f"vars: {{name: x}}\nsteps:\n  - {{{key}, script: 'touch ran'}}\n")
    problem = ran.only_problem()
    assert (problem["code"], problem["line"]) == (code, 4)
    assert not (author.folder / "ran").exists()


def test_attributes_are_strict(author: Author) -> None:
    """A member that is not there is an error, not an empty text; it fails the plan where the value is known."""
    ran = author.run("vars: {m: {a: 1}, x: '{{ m.b }}'}\nsteps:\n  - {script: 'echo $Using:x'}\n")
    problem = ran.only_problem()
    assert problem["line"] == 2


def test_the_sandbox(author: Author) -> None:
    """Python's inside is out of reach of an expression."""
    ran = author.run("steps:\n  - {when: \"''.__class__.__mro__ | length > 0\", script: 'true'}\n")
    assert ran.code in (1, 2)


def test_expressions(author: Author) -> None:
    """An expression may stand in one outer `{{ }}`; a list in `when` means and; a boolean stands for itself."""
    ran = author.run(
        """
        vars: {x: 1}
        steps:
          - {id: a, when: '{{ x == 1 }}', script: 'true'}
          - {id: b, when: [x == 1, '{{ x == 2 }}'], script: 'true'}
          - {id: c, when: true, script: 'true'}
          - {id: d, when: x, script: 'true'}
          - {id: e, when: [], script: 'true'}
          - {id: f, loop: '{{ [1, 2] }}', script: 'true'}
          - {id: g, loop: '[1, 2]', script: 'true'}
          - {id: h, loop: range(3), script: 'true'}
        """
    )
    assert [ran.status(s) for s in "abcdefgh"] == ["ok", "skipped", "ok", "ok", "ok", "ok", "ok", "ok"]
    assert [len(ran.result(s)["items"]) for s in "fgh"] == [2, 2, 3]


def test_a_when_that_is_no_boolean(author: Author) -> None:
    """A text that says false is not taken for a boolean: `'false'` is a text, and true as any text is in Jinja."""
    ran = author.run(
        "inputs: {x: {type: boolean}}\nsteps:\n  - {id: a, when: x, script: 'true'}\n", "-e", "x=false"
    )
    assert ran.status("a") == "skipped"


def test_now_is_one_instant(author: Author) -> None:
    """`now()` is the run's one instant, the same in each step and on each host, and UTC."""
    ran = author.run(
        """
        vars: {since: '{{ now() }}'}
        steps:
          - {id: a, hosts: pair, script: 'echo $Using:since'}
          - {id: b, args: ['{{ now() }}'], script: 'sleep 0.05; echo $1'}
        """
    )
    moments = {ran.output("a", "a")[0], ran.output("a", "b")[0], ran.output("b")[0]}
    assert len(moments) == 1
    assert moments.pop().endswith("Z")


def test_computed_when_the_plan_is_made(author: Author) -> None:
    """A variable that cannot be computed stops the plan, and nothing runs."""
    ran = author.run(
        "vars: {x: '{{ 1 // 0 }}'}\nsteps:\n  - {script: 'touch ran'}\n  - {when: x == 1, script: 'true'}\n"
    )
    assert ran.code == 2
    assert not (author.folder / "ran").exists()


def test_inventory_hostname(author: Author) -> None:
    """`inventory_hostname` and `group_names` are known as Ansible has them, in templates and scripts."""
    ran = author.run(
        "steps:\n  - {id: x, hosts: a, args: ['{{ inventory_hostname }}', \"{{ group_names | join(',')"
        " }}\"], script: 'echo $1 $2 $Using:inventory_hostname'}\n"
    )
    assert ran.output("x", "a") == ["a pair a"]


def layered(author: Author, layers: set[str]) -> str:
    """What `x` is for a script on host `h` where only some layers define it."""

    def told(layer: str, text: str) -> str:
        return text if layer in layers else ""

    (author.folder / "vars.yml").write_text("{}\n" if "vars_files" not in layers else "x: vars_files\n")
    (author.folder / "hosts.yml").write_text(
        "version: 1\n"
        + told("all", "vars: {x: all}\n")
        + "groups:\n  parent:\n    groups: [child]\n"
        + told("parent", "    vars: {x: parent}\n")
        + "  child:\n    connection: {transport: local}\n"
        + told("child", "    vars: {x: child}\n")
        + "    hosts: {h: {"
        + told("host", "vars: {x: host}")
        + "}}\n"
    )
    register = "register: x, " if "registered" in layers else ""
    ran = author.run(
        told("input", "inputs: {x: {type: string, default: input}}\n")
        + told("vars", "vars: {x: vars}\n")
        + "vars_files: [vars.yml]\nsteps:\n"
        + f"  - {{id: one, hosts: h, {register}output: text, script: 'printf registered'}}\n"
        + "  - {id: two, hosts: h, "
        + told("step", "vars: {x: step}, ")
        + told("using", "using: {x: using}, ")
        + "shell: python, script: 'v = $Using:x; print(v if isinstance(v, str) else v[\"output\"])'}\n",
        *(["-e", "x=extra"] if "extra" in layers else []),
    )
    found: str = ran.output("two", "h")[0]
    return found


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("all", "parent"),
        ("parent", "child"),
        ("child", "host"),
        ("host", "vars"),
        ("vars", "vars_files"),
        ("vars_files", "registered"),
        ("registered", "step"),
        ("step", "using"),
        ("using", "input"),
        ("using", "extra"),
        ("registered", "extra"),
        ("host", "input"),
    ],
)
def test_precedence(author: Author, low: str, high: str) -> None:
    """Of two layers that define a name the higher one counts, for each adjacent pair."""
    assert layered(author, {low, high}) == high
    assert layered(author, {low}) == low


def test_the_item_beats_step_vars_and_using_may_read_it(author: Author) -> None:
    """`item` is known in `using` and `vars` of the step, computed for each item."""
    ran = author.run(
        "steps:\n  - {id: x, loop: [1, 2], vars: {v: 'v{{ item }}'}, using: {u: 'u{{ v }}'}, script: 'echo $Using:u'}\n"
    )
    assert ran.output("x") == ["uv1", "uv2"]


def test_input_is_x_and_inputs_x(author: Author) -> None:
    """An input is both `x` and `inputs.x`, in scripts and templates, with its type."""
    ran = author.run(
        "inputs: {x: {type: integer}}\nsteps:\n  - {id: a, args: ['{{ x + 1 }}', '{{ inputs.x + 2 }}'],"
        " script: 'echo $1 $2 $Using:x ${Using:inputs.x}'}\n",
        "-e",
        "x=4",
    )
    assert ran.output("a") == ["5 6 4 4"]


def test_an_extra_that_nobody_declares(author: Author) -> None:
    """`-e` of a name that is declared nowhere is an error where there are inputs; a declared variable may be set."""
    head = (
        "inputs: {port: {type: integer, default: 1}}\nvars: {site: here}\nsteps:\n"
        "  - {id: a, hosts: a, vars: {mine: 1}, script: 'echo $Using:site $Using:tier $Using:mine'}\n"
    )
    wrong = author.run(head, "-e", "prot=2")
    assert (wrong.code, wrong.codes) == (2, ["unknown-input"])
    assert "`port`" in wrong.words
    assert author.run(head, "-e", "site=there", "-e", "tier=top", "-e", "mine=2").output("a", "a") == [
        "there top 2"
    ]
    assert author.run("steps:\n  - {id: a, script: 'echo $Using:new'}\n", "-e", "new=5").output("a") == ["5"]


@pytest.mark.parametrize(
    "name",
    [
        "results",
        "inputs",
        "host",
        "hosts",
        "groups",
        "facts",
        "item",
        "loop",
        "run",
        "failure",
        "secrets",
        "credentials",
    ],
)
def test_reserved_names(author: Author, name: str) -> None:
    """A reserved name cannot name a variable, an input, a result, a step's variable or a `using` entry."""
    for text in (
        f"vars: {{{name}: 1}}\nsteps:\n  - {{script: 'true'}}\n",
        f"inputs: {{{name}: {{type: string, default: x}}}}\nsteps:\n  - {{script: 'true'}}\n",
        f"steps:\n  - {{register: {name}, script: 'true'}}\n",
        f"steps:\n  - {{vars: {{{name}: 1}}, script: 'true'}}\n",
        f"steps:\n  - {{using: {{{name}: 1}}, script: 'true'}}\n",
        f"defaults: {{vars: {{{name}: 1}}}}\nsteps:\n  - {{script: 'true'}}\n",
    ):
        ran = author.validate(text)
        assert ran.codes == ["reserved-name"], text
        assert ran.problems[0]["line"], text


def test_reserved_by_extra(author: Author) -> None:
    """A reserved name given with `-e` is told, never silently without effect."""
    text = "steps:\n  - {id: a, hosts: a, script: 'true'}\n"
    assert author.validate(text, "-e", "results=1").codes == ["reserved-name"]


def test_explain(author: Author) -> None:
    """`runner explain` shows the value that counts and where it came from, hidden ones after it."""
    author.write("p.yml", "version: 1\nvars: {tier: play}\nsteps:\n  - {hosts: a, script: 'true'}\n")
    ran = author.type(
        "explain", "tier", "--host", "a", "--playbook", "p.yml", "-i", "hosts.yml", "-o", "json"
    )
    first, second = ran.document["definitions"]
    assert (first["source"], first["line"], json.loads(first["value"])) == ("playbook vars", 2, "play")
    assert "pair" in second["source"]


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        ("{type: string}", "5", "5"),
        ("{type: string, default: 1.10}", None, "1.10"),
        ("{type: string, default: 0644}", None, "0644"),
        ("{type: string, enum: [1.10, 1.20]}", "1.10", "1.10"),
        ("{type: integer, minimum: 1}", "5", 5),
        ("{type: number}", "1.5", 1.5),
        ("{type: boolean}", "true", True),
        ("{type: list}", "a, b", ["a", "b"]),
        ("{type: list, items: {type: integer}}", "[1, 2]", [1, 2]),
        ("{type: mapping}", "{a: 1}", {"a": 1}),
        ("{type: size}", "2KiB", 2048),
        ("{type: duration}", "2h", "2:00:00"),
        ("{type: datetime}", "2026-11-21T01:00:00Z", "2026-11-21 01:00:00+00:00"),
    ],
)
def test_inputs(author: Author, declared: str, given: str | None, value: object) -> None:
    """An input has the type that it declares, from `-e` or its default; a text keeps a number as written."""
    ran = author.run(
        f"inputs: {{v: {declared}}}\nsteps:\n  - {{id: x, shell: python, output: json,"
        f" script: 'import json; print(json.dumps($Using:v, default=str))'}}\n",
        *(["-e", f"v={given}"] if given is not None else []),
    )
    assert ran.output("x") == value


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ("{type: integer}", "x"),
        ("{type: integer, minimum: 3}", "2"),
        ("{type: integer, maximum: 3}", "4"),
        ("{type: string, enum: [a, b]}", "c"),
        ("{type: string, pattern: '^a'}", "b"),
        ("{type: duration}", "2 parsecs"),
        ("{type: boolean}", "maybe"),
        ("{type: list, items: {type: integer}}", "[x]"),
        ("{type: datetime}", "tomorrow"),
        ("{type: string}", None),
    ],
)
def test_wrong_inputs(author: Author, declared: str, given: str | None) -> None:
    """A wrong or missing value of an input is refused before anything connects; `validate` forgives a missing one."""
    text = f"inputs: {{v: {declared}}}\nsteps:\n  - {{script: 'touch ran'}}\n"
    ran = author.run(text, *(["-e", f"v={given}"] if given is not None else []))
    assert (ran.code, len(ran.codes)) == (2, 1)
    assert not (author.folder / "ran").exists()
    if given is None:
        assert author.validate(text).code == 0


def test_variables_in_a_circle(author: Author) -> None:
    """Variables that are defined by each other are told as a circle with a place."""
    problem = author.run(
        "vars: {a: '{{ b }}', b: '{{ a }}'}\nsteps:\n  - {script: 'echo $Using:a'}\n"
    ).only_problem()
    assert problem["code"] == "variable-cycle"


def test_sections_that_are_never_templates(author: Author) -> None:
    """Keys that decide who and when are never templates."""
    for text in (
        "steps:\n  - {target: '{{ x }}', script: 'true'}\n",
        "steps:\n  - {hosts: '{{ x }}', script: 'true'}\n",
        "steps:\n  - {id: a, script: 'true'}\n  - {needs: ['{{ x }}'], script: 'true'}\n",
        "steps:\n  - {id: '{{ x }}', script: 'true'}\n",
    ):
        ran = author.validate("vars: {x: a}\n" + text)
        assert ran.code == 2, text
        assert len(ran.codes) == 1, text


def test_other_text_values_are_templates(author: Author) -> None:
    """Every other text value is a template: `timeout`, `throttle`, `copy`, `input_object`, connection settings."""
    ran = author.run(
        """
        inputs: {n: {type: integer, default: 2}}
        vars: {limit: 20s, here: /bin/sh, word: x}
        targets: {t: {hosts: c, interpreter: '{{ here }}'}}
        steps:
          - {id: a, target: t, timeout: '{{ limit }}', throttle: '{{ n }}', input_object: ['{{ word }}'], script: cat}
          - {id: b, copy: {content: 'v={{ n }}', dest: '{{ word }}.txt'}}
        """
    )
    assert ran.output("a", "c") == ["x"]
    assert (author.folder / "x.txt").read_text() == "v=2"

"""language.md, "`$Using:`"."""

from __future__ import annotations

import json

import pytest

from tests.language.author import Author


def test_a_name_ends_where_it_cannot_go_on(author: Author) -> None:
    """In sh an unbraced name is letters, digits and `_`; a chain stands in braces; case does not matter."""
    ran = author.run(
        """
        vars: {name: v, m: {a: [x, {b: y}]}, name2: other, Name_3: w}
        steps:
          - id: x
            script: |
              echo $Using:name.txt $Using:name-x "$Using:name/$Using:name2" $using:NAME $USING:name_3
              echo ${Using:m.a[0]} "${Using:m.a[1].b}" "${using:M.a[0]}"
              echo pre$Using:name"post" $Using:name$Using:name
        """
    )
    assert ran.output("x") == ["v.txt v-x v/other v w", "x y x", "prevpost vv"]


def test_names_with_blanks(author: Author) -> None:
    """`${Using:name with space}` reads a variable whose name has a blank."""
    ran = author.run(
        """
        steps:
          - {id: sh, using: {my name: v}, script: 'echo "${Using:my name}"'}
          - {id: python, shell: python, using: {my name: v}, script: 'print(${Using:my name})'}
        """
    )
    assert (ran.output("sh"), ran.output("python")) == (["v"], ["v"])


def test_where_it_is_text_in_sh(author: Author) -> None:
    """In single quotes and quoted here-documents it is text with a warning; `\\$Using:` is literal without one."""
    text = r"""
        vars: {v: value}
        steps:
          - id: x
            shell: sh
            script: |
              echo '$Using:v' "$Using:v" "\$Using:v" \$Using:v
              cat <<END
              $Using:v \$Using:v ${Using:v}
              END
              cat <<'END'
              $Using:v
              END
              # $Using:nothing in a comment
              echo "$(echo "$Using:v")" `echo $Using:v` "'$Using:v'" ${X:-$Using:v}
        """
    ran = author.run(text)
    assert ran.output("x") == [
        "$Using:v value $Using:v $Using:v",
        "value $Using:v value",
        "$Using:v",
        "value value 'value' value",
    ]
    validated = author.validate(text)
    assert [p["line"] for p in validated.problems] == [8, 13]
    assert set(validated.warnings) == {"using-as-text"} or len(set(validated.warnings)) == 1
    assert author.run(text.replace("shell: sh", "shell: bash")).output("x") == ran.output("x")


AWKWARD = [
    "a b",
    "it's",
    'a "b"',
    "$HOME `x` $(y)",
    "back\\slash",
    "",
    "*",
    "line1\nline2\n",
    "\t ",
    "ü€😀",
    "-n",
    "\r",
]


@pytest.mark.parametrize("shell", ["sh", "bash", "python"])
def test_any_text_arrives_as_it_is(author: Author, shell: str) -> None:
    """Quotes, newlines, `$()`, backquotes and blanks of a value arrive untouched and are never read as code."""
    steps = []
    for number in range(len(AWKWARD)):
        script = (
            f"import sys; sys.stdout.write($Using:list[{number}])"
            if shell == "python"
            else f'printf %s "${{Using:list[{number}]}}"'
        )
        steps.append({"id": f"s{number}", "needs": [], "shell": shell, "output": "text", "script": script})
    ran = author.run(
        f"vars: {json.dumps({'list': AWKWARD}, ensure_ascii=False)}\nsteps: {json.dumps(steps)}\n"
    )
    assert [ran.output(f"s{n}") or "" for n in range(len(AWKWARD))] == AWKWARD


def test_types_in_sh(author: Author) -> None:
    """true and false, empty for null, ISO 8601 UTC for datetimes, seconds for durations, numbers as numbers."""
    ran = author.run(
        """
        inputs:
          d: {type: duration, default: 2h}
          t: {type: datetime, default: '2026-11-21T03:00:00+02:00'}
          z: {type: size, default: 2KiB}
        vars: {yes_: true, no_: false, nil: null, i: 5, f: 1.5, half: "{{ 'PT' and '500ms' | duration }}"}
        steps:
          - id: x
            script: echo $Using:yes_ $Using:no_ "[$Using:nil]" $Using:i $Using:f $Using:d $Using:t $Using:z $Using:half
        """
    )
    assert ran.output("x") == ["true false [] 5 1.5 7200 2026-11-21T01:00:00Z 2048 0.5"]


def test_types_in_python(author: Author) -> None:
    """python gets the value itself: datetime, timedelta, bool, None, list, mapping; in code and in f-string fields."""
    ran = author.run(
        """
        inputs: {d: {type: duration, default: 2h}, t: {type: datetime, default: '2026-11-21T01:00:00Z'}}
        vars: {b: true, nil: null, m: {a: [1, 2.5]}}
        steps:
          - id: x
            shell: python
            script: |
              import datetime
              assert $Using:d == datetime.timedelta(hours=2)
              assert $Using:t == datetime.datetime(2026, 11, 21, 1, tzinfo=datetime.timezone.utc)
              assert $Using:b is True and $Using:nil is None
              assert $Using:m == {"a": [1, 2.5]} and $Using:m.a[1] == 2.5 and $Using:m["a"][0] == 1
              print(f"{$Using:m.a[0]} {$Using:b!r}", len($Using:m.a))
        """
    )
    assert ran.output("x") == ["1 True 2"]


def test_python_strings_are_text(author: Author) -> None:
    """In a string it is text, with a warning at its place; a comment is neither."""
    text = """
        vars: {v: 1}
        steps:
          - id: x
            shell: python
            script: |
              print("$Using:v", '''$Using:v''', $Using:v)  # $Using:nothing
        """
    assert author.run(text).output("x") == ["$Using:v $Using:v 1"]
    assert [(p["severity"], p["line"], p["column"]) for p in author.validate(text).problems] == [
        ("warning", 8, 14),
        ("warning", 8, 28),
    ]


def test_arrays_in_bash(author: Author) -> None:
    """A list is an array in bash, a mapping an associative array."""
    text = """
        vars: {list: [a b, "", "*"], m: {one: 1, two words: "2 3"}, none: []}
        steps:
          - id: x
            shell: bash
            script: |
              printf '<%s>' "${Using:list[@]}"; echo
              echo ${#Using:list[@]}
              for x in "${Using:none[@]}"; do echo never; done
              declare -A copy; for k in "${!Using:m[@]}"; do echo "$k"; done | sort
              echo "${Using:m[one]}" "${Using:m.one}" "${Using:m[two words]}" "${Using:list[0]}"
        """
    ran = author.run(text)
    assert ran.output("x") == ["<a b><><*>", "3", "one", "two words", "1 1 2 3 a b"]


def test_a_bare_list_in_bash(author: Author) -> None:
    """A list without `[@]` gives its first element, as in bash, and a warning says so."""
    text = "vars: {list: [a, b]}\nsteps:\n  - {id: x, shell: bash, script: 'echo $Using:list'}\n"
    assert author.run(text).output("x") == ["a"]
    assert author.validate(text).warnings == ["using-first-element"]


@pytest.mark.parametrize("value", ["[1, 2]", "{a: 1}", "'{{ [1] }}'"])
def test_lists_and_mappings_in_sh(author: Author, value: str) -> None:
    """In sh a list or mapping is an error at validation where the value is known."""
    ran = author.run(f"vars: {{v: {value}}}\nsteps:\n  - script: echo $Using:v\n")
    problem = ran.only_problem()
    assert (problem["code"], problem["line"], problem["column"]) == ("using-type", 4, 18)


def test_a_wrong_type_at_run_time(author: Author) -> None:
    """Where the type is known only in the run, the host fails before anything is sent."""
    ran = author.run(
        """
        steps:
          - {id: one, register: r, script: 'echo 1'}
          - {id: two, using: {v: '{{ r.output }}'}, script: 'touch ran; echo $Using:v'}
        """
    )
    assert ran.status("two") == "failed"
    assert ran.result("two")["failure"]["may_have_run"] is False
    assert not (author.folder / "ran").exists()


def test_a_wrong_type_in_using_is_told_at_validation(author: Author) -> None:
    """A literal list in `using` or step `vars` is known at validation."""
    for key in ("using", "vars"):
        ran = author.validate(f"steps:\n  - {{{key}: {{v: [1]}}, script: 'echo $Using:v'}}\n")
        assert ran.codes == ["using-type"], key


@pytest.mark.parametrize(
    ("script", "line", "column"),
    [
        ("echo $Using:nme", 4, 18),
        ("|\n      echo a\n      echo $Using:nme", 6, 12),
        ('"echo \\t ${Using:nme}"', 4, 22),
    ],
)
def test_unknown_names(author: Author, script: str, line: int, column: int) -> None:
    """An unknown name is an error at its line and column in the YAML, with the near name."""
    ran = author.validate(f"vars: {{name: 1}}\nsteps:\n  - script: {script}\n")
    problem = ran.only_problem()
    assert (problem["code"], problem["line"], problem["column"]) == ("unknown-using", line, column)
    assert "`name`" in " ".join(problem["hints"])


def test_unknown_members(author: Author) -> None:
    """A member that a known value has not is told at validation, in sh, bash and python."""
    for shell, script in (
        ("sh", "echo ${Using:m.b}"),
        ("bash", "echo ${Using:m.b}"),
        ("python", "print($Using:m.b)"),
    ):
        ran = author.validate(f"vars: {{m: {{a: 1}}}}\nsteps:\n  - {{shell: {shell}, script: '{script}'}}\n")
        assert ran.codes == ["unknown-using"], shell


def test_an_index_beyond_the_end(author: Author) -> None:
    """An index that a list has not gives null, as PowerShell has it: empty in sh, None in python."""
    ran = author.run(
        """
        vars: {l: [1]}
        steps:
          - {id: sh, script: 'echo "[${Using:l[3]}]"'}
          - {id: py, shell: python, script: 'print($Using:l[3])'}
        """
    )
    assert (ran.output("sh"), ran.output("py")) == (["[]"], ["None"])


def test_where_a_name_is_looked_up(author: Author) -> None:
    """`$Using:` looks in `using`, then in step `vars`, the loop's item, playbook and host variables."""
    ran = author.run(
        """
        vars: {v: play, p: play}
        steps:
          - {id: x, vars: {v: step, s: step}, using: {v: using}, script: 'echo $Using:v $Using:s $Using:p'}
          - {id: loop, loop: [1, 2], script: 'echo $Using:item ${Using:loop.index}'}
          - {id: hosts, hosts: a,
             script: 'echo $Using:tier $Using:weight $Using:site $Using:inventory_hostname ${Using:host.name}'}
          - {id: run, shell: python, script: 'print(bool($Using:run.id), $Using:groups["pair"], $Using:hosts[0])'}
        """
    )
    assert ran.output("x") == ["using step play"]
    assert ran.output("loop") == ["1 1", "2 2"]
    assert ran.output("hosts", "a") == ["front 1 north a a"]
    assert ran.output("run") == ["True ['a', 'b'] here"]


def test_credentials_in_scripts(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential is a mapping in python, `.username` and `.password` in sh and bash, and is masked in output."""
    monkeypatch.setenv("P", "s3cr3t-value")
    head = "credentials: {ops: {username: me, password: {env: P}}}\nsteps:\n"
    ran = author.run(
        head + "  - {id: sh, script: 'echo ${Using:credentials.ops.username}; printf %s"
        ' "${Using:credentials.ops.password}" | wc -c\'}\n'
        + '  - {id: py, shell: python, script: \'c = $Using:credentials.ops; print(c["username"],'
        ' len(c["password"]), c["password"])\'}\n'
    )
    assert ran.output("sh") == ["me", "12"]
    assert ran.output("py")[0].startswith("me 12 ")
    assert "s3cr3t-value" not in ran.stdout + ran.stderr
    for shell in ("sh", "bash"):
        whole = author.validate(head + f"  - {{shell: {shell}, script: 'echo $Using:credentials.ops'}}\n")
        assert whole.code == 2, shell
        other = author.validate(head + f"  - {{shell: {shell}, script: 'echo ${{Using:credentials.ops}}'}}\n")
        assert other.code == 2, shell
    member = author.validate(head + "  - {script: 'echo ${Using:credentials.ops.token}'}\n")
    assert member.code == 2


def test_credentials_have_no_jinja_form(author: Author) -> None:
    """`{{ credentials.ops }}` is an error at its place."""
    ran = author.validate(
        "credentials: {ops: {username: me, password: {env: P}}}\nsteps:\n"
        "  - {args: ['{{ credentials.ops.password }}'], script: 'true'}\n"
    )
    assert (ran.code, ran.problems[0]["line"]) == (2, 4)


def test_secret_inputs(author: Author) -> None:
    """A `secret: true` input arrives as plain text and is masked where shown; a secure_string is for powershell."""
    ran = author.run(
        "inputs: {s: {type: string, secret: true}}\nsteps:\n  - {id: x,"
        " script: 'echo $Using:s; printf %s $Using:s | wc -c'}\n",
        "-e",
        "s=hush-hush",
    )
    assert ran.output("x")[1] == "9"
    assert "hush-hush" not in ran.stdout + ran.stderr
    for shell in ("sh", "bash", "python"):
        secure = author.validate(
            f"inputs: {{s: {{type: secure_string}}}}\nsteps:\n  - {{shell: {shell}, script: '$Using:s'}}\n",
            "-e",
            "s=hush-hush",
        )
        assert secure.codes == ["using-type"], shell


def test_values_are_not_in_the_script(author: Author) -> None:
    """A value that looks like `$Using:` or Jinja is data, and is not read again."""
    ran = author.run(
        "inputs: {x: {type: string}}\nvars: {v: 1, made: '{{ x }}'}\n"
        "steps:\n  - {id: a, script: 'echo \"$Using:x\" \"$Using:made\"', args: ['{{ x }}']}\n",
        "-e",
        "x=$Using:v {{ v }} $(id)",
    )
    assert ran.output("a") == ["$Using:v {{ v }} $(id) $Using:v {{ v }} $(id)"]


def test_line_numbers_are_the_authors(author: Author) -> None:
    """A python error and a bash syntax error name the line of the author's script."""
    ran = author.run(
        """
        vars: {v: "1\\n2\\n3"}
        steps:
          - id: py
            ignore_errors: true
            shell: python
            script: |
              x = $Using:v
              y = 1
              raise ValueError("here")
          - id: sh
            shell: bash
            script: |
              x="$Using:v"
              echo $LINENO
        """
    )
    assert ran.result("py")["errors"][0]["line"] == 3
    assert ran.output("sh") == ["2"]


def test_a_nul_is_refused(author: Author) -> None:
    """A NUL in a value for sh fails the host with a clear error, before anything is sent; python takes it."""
    ran = author.run(
        """
        vars: {v: "a\\0b"}
        steps:
          - {id: sh, ignore_errors: true, script: 'echo $Using:v'}
          - {id: py, shell: python, script: 'print(len($Using:v))'}
        """
    )
    assert ran.result("sh")["failure"]["code"] == "value-has-nul"
    assert ran.output("py") == ["3"]


def test_splat_is_for_powershell(author: Author) -> None:
    """`@Using:name` is PowerShell's; in sh and python it is told or stays text, never a silent nothing."""
    ran = author.run("vars: {v: 1}\nsteps:\n  - {id: x, script: 'echo @Using:v'}\n")
    assert ran.output("x") == ["@Using:v"]

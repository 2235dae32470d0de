"""Every name is known on every host before anything connects, and told where it stands in the YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.planning import INVENTORY, codes, found, prepared


def test_an_unknown_using_name_is_told_inside_the_block_scalar(tmp_path: Path) -> None:
    """Line and column are those of the YAML file, with a suggestion."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        vars: {build_number: 7}
        steps:
          - id: deploy
            script: |
              set -e
              echo "$Using:build_numbr"
        """,
    )
    (problem,) = result.problems.sorted()

    assert [("unknown-using", 8, 13)] == found(result)
    assert ("did you mean `build_number`?",) == problem.hints


@pytest.mark.parametrize(
    "script",
    ["'echo ''a'' $Using:nope'", '"echo \\"a\\" $Using:nope"', "echo $Using:nope", '"\\u00e4 $Using:nope"'],
)
def test_the_place_is_right_in_every_kind_of_scalar(tmp_path: Path, script: str) -> None:
    """Quotes and escapes before the name do not move its place."""
    line = f"  - {{id: a, script: {script}}}"

    assert [("unknown-using", 4, line.index("$") + 1)] == found(
        prepared(tmp_path, f"version: 1\nname: x\nsteps:\n{line}\n")
    )


def test_a_name_that_some_hosts_lack_names_such_a_host(tmp_path: Path) -> None:
    """The inventory of each host counts."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {all: {hosts: "web:db"}}
        steps:
          - {id: a, target: all, script: 'echo $Using:tier $Using:only_db'}
        """,
        inventory=INVENTORY,
    )
    (problem,) = result.problems.sorted()

    assert (
        "step `a` uses `$Using:only_db`, which is not defined for host `web01` and 3 more" == problem.message
    )


def test_names_in_templates_expressions_and_script_files_are_checked(tmp_path: Path) -> None:
    """Wherever a name may stand, it is resolved at validation."""
    (tmp_path / "x.sh").write_text("true\necho $Using:nope1\n", encoding="utf-8")
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        steps:
          - id: a
            file: x.sh
            when: nope2 > 1
            args: ["{{ nope3 }}", "ok"]
            environment: {A: "x{{ nope4 }}"}
            failed_when: result.exit_code > nope5
          - id: b
            assert: {that: nope6 == 1, message: "{{ nope7 }}"}
          - id: c
            loop: "{{ nope8 }}"
            script: echo $Using:item
          - id: d
            script: echo $Using:item
        """,
    )

    places = sorted((p.message.split("`")[3], p.span.line, p.span.column) for p in result.problems if p.span)
    assert [
        ("$Using:item", 16, 18),
        ("$Using:nope1", 2, 6),
        ("nope2", 6, 11),
        ("nope3", 7, 16),
        ("nope4", 8, 27),
        ("nope5", 9, 37),
        ("nope6", 11, 20),
        ("nope7", 11, 45),
        ("nope8", 13, 15),
    ] == places


def test_results_need_an_edge(tmp_path: Path) -> None:
    """``N`` needs the step upstream, ``results.N`` an all-hosts edge, plain ``N`` of other hosts gets the hint."""
    result = prepared(
        tmp_path,
        """\
        version: 1
        name: x
        targets: {web: {hosts: web}}
        steps:
          - {id: a, target: web, script: date, register: dates}
          - {id: same, target: web, when: dates is succeeded, script: 'true'}
          - {id: early, target: web, script: 'true', when: results.dates | length > 1}
          - {id: beside, needs: [], target: web, script: 'true', when: dates is succeeded}
          - {id: local, script: 'true', needs: [a], when: dates is succeeded}
          - {id: good, script: 'true', needs: [a], when: results.dates | length > 1}
          - {id: unknown, script: 'true', when: results.datse | length > 1}
        """,
        inventory=INVENTORY,
    )

    assert [
        ("unordered-result", 7),
        ("unordered-result", 8),
        ("result-of-other-hosts", 9),
        ("unknown-result", 11),
    ] == [(code, line) for code, line, _ in found(result)]


@pytest.mark.parametrize(
    ("shell", "script", "expected"),
    [
        ("sh", "echo $Using:names", ["using-type"]),
        ("bash", 'echo "${Using:names[@]}"', []),
        ("bash", "echo $Using:names", ["using-first-element"]),
        ("bash", "echo $Using:deep", ["using-type"]),
        ("python", "print($Using:deep)", []),
        ("sh", "echo ${Using:names[0]}", []),
        ("sh", "echo ${Using:names.nope}", ["unknown-using"]),
    ],
)
def test_a_wrong_type_is_told_where_it_is_known(
    tmp_path: Path, shell: str, script: str, expected: list[str]
) -> None:
    """Lists do not go to sh, nested ones not to bash, anything goes to python."""
    result = prepared(
        tmp_path,
        f"""\
        version: 1
        name: x
        vars: {{names: [a, b], deep: [[a]]}}
        steps:
          - id: a
            shell: {shell}
            script: |
              {script}
        """,
    )

    assert expected == codes(result)


def test_braces_in_a_script_get_a_warning_where_they_name_a_variable(tmp_path: Path) -> None:
    """``{{ name }}`` in a script stays, and the author is told; unknown names and ``template: true`` are quiet."""
    text = """\
        version: 1
        name: x
        vars: {release: 1}
        steps:
          - {id: a, script: 'echo {{ release }} {{ other }}'}
          - {id: b, script: 'echo {{ release }}', template: true}
        """

    assert [("template-in-script", 5, 27)] == found(prepared(tmp_path, text))


def test_a_secret_is_not_pasted(tmp_path: Path) -> None:
    """``template: true`` refuses secret inputs."""
    text = """\
        version: 1
        name: x
        inputs: {token: {type: string, secret: true, default: x}}
        steps:
          - {id: b, script: 'login {{ token }}', template: true}
        """

    assert "template-secret" in codes(prepared(tmp_path, text))


def test_variables_are_computed_when_the_plan_is_made(tmp_path: Path) -> None:
    """A template that fails is a problem at its place, not a surprise in the run."""
    text = """\
        version: 1
        name: x
        vars: {count: "{{ 1 / 0 }}"}
        steps:
          - {id: a, script: 'echo $Using:count'}
        """

    assert [("evaluation-failed", 3, 15)] == found(prepared(tmp_path, text))


def test_without_an_inventory_a_name_it_may_bring_is_a_warning(tmp_path: Path) -> None:
    """``validate`` without ``-i`` does not refuse what an inventory may define; near names are still errors."""
    text = """\
        version: 1
        name: x
        vars: {release: 1}
        targets: {web: {hosts: web}}
        steps:
          - {id: a, target: web, script: 'echo $Using:weight $Using:relase'}
        """
    result = prepared(tmp_path, text, validating=True)

    assert [("$Using:weight", "warning"), ("$Using:relase", "error")] == [
        (p.message.split("`")[3], p.severity.value) for p in result.problems.sorted()
    ]


def test_names_in_scripts_are_found_in_any_case(tmp_path: Path) -> None:
    """`$Using:LOG` is `log`, as in PowerShell; results and inputs too."""
    text = """\
        version: 1
        name: x
        vars: {Log: a}
        inputs: {Level: {type: integer, default: 1}}
        steps:
          - {id: a, script: 'echo $Using:LOG ${Using:Inputs.level} $using:level', register: First}
          - {id: b, shell: python, script: 'print($Using:first, $Using:results.First)'}
        """

    assert [] == codes(prepared(tmp_path, text))


def test_a_member_without_braces_is_told_in_shells(tmp_path: Path) -> None:
    """The hint is the form with braces; a file name after a variable is left alone."""
    text = """\
        version: 1
        name: x
        vars: {log: a}
        inputs: {release: {default: b}}
        steps:
          - {id: a, script: 'echo $Using:log.txt "$Using:inputs.release"'}
        """
    result = prepared(tmp_path, text)

    assert [("using-needs-braces", 6, 43)] == found(result)
    assert ("write `${Using:inputs.release}`",) == result.problems.sorted()[0].hints


@pytest.mark.parametrize("name", ["ops", "OPS"])
def test_a_credential_by_its_bare_name_is_told_how_it_is_written(tmp_path: Path, name: str) -> None:
    """Whoever knows `$Using:cred` of PowerShell writes the credential's name; the hint has the whole reference."""
    head = "credentials: {ops: {username: u, password: {env: OPS}}}\n"
    result = prepared(
        tmp_path, f"version: 1\nname: x\n{head}steps: [{{id: a, script: 'echo $Using:{name}'}}]\n"
    )
    (problem,) = result.problems.sorted()

    assert problem.code == "unknown-using"
    assert problem.hints == ("the credential of that name is `$Using:credentials.ops`",)

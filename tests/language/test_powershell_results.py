"""language.md on PowerShell: what comes back, what fails a host, and what of it later steps read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.author import Author


@pytest.mark.pwsh
def test_objects_are_the_default_output(powershell: Author) -> None:
    """`objects` is powershell's default: numbers are numbers, objects are mappings, the host stands beside them."""
    ran = powershell.run(
        """
        steps:
          - {id: numbers, hosts: r1, script: 1..3}
          - {id: object, hosts: r1, script: "[pscustomobject]@{a=@{b=@{c=@{d=1}}}}"}
        """
    )
    assert ran.output("numbers", "r1") == [1, 2, 3]
    assert ran.output("object", "r1") == [{"a": {"b": {"c": {"d": 1}}}}]


@pytest.mark.parametrize(
    ("output", "script", "found"),
    [
        ("objects", "emit 3", [1, 2, 3]),
        ("lines", "emit 3", ["1", "2", "3"]),
        ("text", "emit 3", "1\n2\n3\n"),
        ("json", 'say {"a": [1, 2]}', {"a": [1, 2]}),
        ("jsonl", 'say {"a": 1}', [{"a": 1}]),
    ],
)
def test_each_output_format(powershell: Author, output: str, script: str, found: object) -> None:
    """The output of a script can be asked for in each form, powershell's too."""
    ran = powershell.run(f"steps:\n  - {{id: a, hosts: s1, output: {output}, script: '{script}'}}\n")
    assert ran.output("a", "s1") == found


def test_every_stream_comes_back(powershell: Author) -> None:
    """A result has the output and each stream by its name; error records alone leave it ok."""
    ran = powershell.run("steps:\n  - {id: a, hosts: s1, register: r, script: streams}\n")
    result = ran.result("a", "s1")
    streams = result["streams"]
    assert (result["status"], result["output"], result["exit_code"]) == ("ok", ["before", "after"], None)
    assert [e["message"] for e in result["errors"]] == ["error"]
    assert (streams["warnings"], streams["verbose"], streams["debug"]) == (
        ["warning"],
        ["verbose"],
        ["debug"],
    )
    assert [entry["message"] for entry in streams["information"]] == ["information"]
    assert [entry["percent"] for entry in streams["progress"]] == [50]


def test_later_steps_read_every_stream(powershell: Author) -> None:
    """`register` gives output, errors, warnings, verbose, debug, information, progress and exit code by name."""
    ran = powershell.run(
        """
        steps:
          - {id: a, hosts: s1, register: r, script: streams}
          - id: b
            hosts: s1
            assert:
              that:
                - r.output == ['before', 'after']
                - r.errors[0].message == 'error'
                - r.warnings == ['warning'] and r.verbose == ['verbose'] and r.debug == ['debug']
                - r.information[0].message == 'information'
                - r.progress[0].percent == 50
                - r.exit_code is none and r.status == 'ok'
        """
    )
    assert ran.status("b", "s1") == "ok"


def test_a_failed_pipeline_fails_the_host_alone(powershell: Author) -> None:
    """Pipeline state Failed fails its host with PowerShell's message; the other host's output is whole."""
    ran = powershell.run(
        """
        vars: {words: {s1: throw no disk left, s2: say fine}}
        steps:
          - {id: a, hosts: scripted, template: true, script: "{{ words[inventory_hostname] }}"}
        """
    )
    result = ran.result("a", "s1")
    assert (result["status"], result["failure"]["code"]) == ("failed", "powershell-failed")
    assert result["failure"]["message"].startswith("no disk left")
    assert ran.output("a", "s2") == ["fine"]
    assert ran.code == 1


def test_one_host_is_treated_as_many_are(powershell: Author) -> None:
    """A terminating error on the only host is a result of that host too, and the run goes on elsewhere."""
    ran = powershell.run(
        """
        steps:
          - {id: a, hosts: s1, script: throw bad}
          - {id: b, hosts: s2, needs: [], script: say fine}
        """
    )
    assert ran.statuses == {("a", "s1"): "failed", ("b", "s2"): "ok"}


@pytest.mark.parametrize(("code", "status"), [(0, "ok"), (7, "failed")])
def test_exit_is_the_exit_code(powershell: Author, code: int, status: str) -> None:
    """`exit N` other than 0 fails the step; `exit_code` is its number, else null."""
    ran = powershell.run(f"steps:\n  - {{id: a, hosts: s1, script: exit {code}}}\n")
    assert (ran.status("a", "s1"), ran.result("a", "s1")["exit_code"]) == (status, code)


def test_failed_when_replaces_the_rules(powershell: Author) -> None:
    """`failed_when` decides alone: `exit 7` may be good, an error record may be bad."""
    ran = powershell.run(
        """
        steps:
          - {id: a, hosts: s1, script: exit 7, failed_when: "result.exit_code not in [0, 7]"}
          - {id: b, hosts: s1, script: fail word, failed_when: result.errors | length > 0, ignore_errors: true}
          - {id: c, hosts: s1, script: throw word, failed_when: false, changed_when: true}
        """
    )
    assert [ran.status(step, "s1") for step in "abc"] == ["ok", "failed", "changed"]


@pytest.mark.pwsh
def test_errors_are_whole(powershell: Author) -> None:
    """A record has message, full id, category, exception chain, line, stack, and its place in the author's file."""
    powershell.write("scripts/x.ps1", "Get-Item /nope\n'after'")
    ran = powershell.run("steps:\n  - {id: a, hosts: r1, file: scripts/x.ps1}\n")
    (error,) = ran.result("a", "r1")["errors"]
    assert ran.output("a", "r1") == ["after"]
    assert "/nope" in error["message"]
    assert error["fully_qualified_error_id"].startswith("PathNotFound,")
    assert error["category"].startswith("ObjectNotFound")
    assert error["exception"][0].endswith("ItemNotFoundException")
    assert (error["line"], error["source"]) == (1, "scripts/x.ps1:1")
    assert "line 1" in error["stack"]


@pytest.mark.pwsh
def test_lines_are_those_of_the_playbook(powershell: Author) -> None:
    """The line of an error in a block of text is the playbook's, in the record and in the failure."""
    ran = powershell.run(
        "steps:\n  - id: a\n    hosts: r1\n    script: |-\n      'before'\n      throw 'bad'\n"
    )
    place = _line(powershell.folder / "playbook.yml", "throw 'bad'")
    result = ran.result("a", "r1")
    assert result["failure"]["message"] == f"bad ({place})"
    assert [error["source"] for error in result["errors"]] == [place]


def _line(path: Path, text: str) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if line.strip() == text)
    return f"{path.name}:{number}"


@pytest.mark.pwsh
def test_formatted_output_is_told(powershell: Author) -> None:
    """`Format-Table` gives no data: it is named with its line and the way out."""
    ran = powershell.run("steps:\n  - {id: a, hosts: r1, script: Get-Item / | Format-Table Name}\n")
    assert ran.output("a", "r1") == []
    (warning,) = ran.result("a", "r1")["streams"]["warnings"]
    assert "`Format-Table` in line 1" in warning
    assert "Out-String" in warning


def test_hide_computer_name_is_for_the_screen(powershell: Author) -> None:
    """With `hide_computer_name` the table has no host; results keep it beside the output."""
    playbook = "steps:\n  - {{id: a, hosts: scripted, script: emit 1{}}}\n"
    shown = powershell.run(playbook.format(""), "-o", "rich=shown.txt")
    hidden = powershell.run(playbook.format(", hide_computer_name: true"), "-o", "rich=hidden.txt")
    assert {result["host"] for result in shown.results} == {result["host"] for result in hidden.results}
    assert "s[1-2]" in _table(powershell.folder / "shown.txt")
    assert "s[1-2]" not in _table(powershell.folder / "hidden.txt")


def _table(path: Path) -> str:
    """What stands between the head of the step and the summary."""
    return path.read_text(encoding="utf-8").partition("a  2 ok")[2].partition("\n\n")[0]


@pytest.mark.parametrize(
    ("action", "shown"), [("continue", True), ("silentlycontinue", False), (None, False)]
)
def test_information_is_shown_where_it_is_asked_for(
    powershell: Author, action: str | None, *, shown: bool
) -> None:
    """As on a console: Write-Information stays in the result, and `information_action: continue` shows it too."""
    said = f", information_action: {action}" if action else ""
    ran = powershell.run(
        f"steps:\n  - {{id: a, hosts: s1, script: streams{said}}}\n", "-o", "plain=plain.txt"
    )
    assert len(ran.result("a", "s1")["streams"]["information"]) == 1
    lines = (powershell.folder / "plain.txt").read_text(encoding="utf-8").splitlines()
    assert ("a s1 | information" in lines) is shown


@pytest.mark.pwsh
def test_a_script_that_cannot_be_read_ran_nowhere(powershell: Author) -> None:
    """A parse error says that nothing was run; a `throw` says that something may have."""
    ran = powershell.run(
        """
        steps:
          - {id: unread, hosts: r1, script: "'ran'; if ("}
          - {id: thrown, hosts: r2, needs: [], script: "'before'\\nthrow 'bad'"}
        """
    )
    unread, thrown = ran.result("unread", "r1"), ran.result("thrown", "r2")
    assert (unread["output"], unread["failure"]["may_have_run"]) == ([], False)
    assert (thrown["output"], thrown["failure"]["may_have_run"]) == (["before"], True)

"""How findings are told: what is well is folded, what is missing comes last, commands stay whole."""

from __future__ import annotations

from runner.cli.doctor_finding import Finding, Mend
from runner.cli.doctor_report import report, told_of_hosts
from runner.present.paint import text_of

CONTROLLER = Finding("controller", "sh", ok=True, seen="/bin/sh")
MISSING = Finding(
    "web-03",
    "certificate",
    ok=False,
    seen="it expired " + "long ago " * 20,
    hint="have a new one made",
    mend=Mend("host", ("New-SelfSignedCertificate " + "-Option " * 20,)),
)


def well(*numbers: int) -> list[Finding]:
    """Hosts on which a login works."""
    return [Finding(f"web-{number:02}", "login", ok=True, seen="as ops") for number in numbers]


def told(*findings: Finding, width: int | None = None) -> list[str]:
    """The lines as text."""
    return [text_of(line).rstrip() for line in report(findings, width)]


def test_many_hosts_that_are_well_are_one() -> None:
    """Under the names of all of them; what they differ in is said where it is little."""
    other = Finding("web-04", "login", ok=True, seen="as root")
    assert told(CONTROLLER, *well(1, 2, 3), other) == [
        *("controller", "  ok   sh     /bin/sh", ""),
        *("web-[01-04] (4 hosts)", "  ok   login  as ops | as root"),
    ]


def test_a_few_hosts_stand_alone() -> None:
    """Each with what was seen there."""
    assert [line for line in told(*well(1, 2)) if line.startswith("web")] == ["web-01", "web-02"]


def test_what_is_missing_comes_last_with_its_commands_whole() -> None:
    """What was seen and the hint are wrapped for a terminal; a line to type is never."""
    lines = told(MISSING, *well(1, 2, 4, 5), width=80)
    assert lines.index("web-[01-02,04-05] (4 hosts)") < lines.index("web-03")
    typed = [line for line in lines if "New-SelfSignedCertificate" in line]
    assert [line.strip() for line in typed] == [line.strip() for line in MISSING.mend.lines]  # type: ignore[union-attr]
    assert all(len(line) <= 80 for line in lines if line not in typed)
    assert any(line.strip() == "type on the host, as its administrator:" for line in lines)


def test_controls_of_a_host_are_made_visible() -> None:
    """What a host says can not move the cursor."""
    evil = Finding("web-01", "login", ok=True, seen="\x1b[2Jgone")
    assert "^[[2Jgone" in told(evil)[-1]


def test_the_last_line() -> None:
    """How many hosts miss something, and which."""
    assert told_of_hosts([CONTROLLER]) == ""
    assert told_of_hosts(well(1)) == "1 host well"
    assert told_of_hosts([*well(1, 2), MISSING]) == "1 of 3 hosts with something in the way: web-03"

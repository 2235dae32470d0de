"""Outputs of many hosts: equal ones once, tables for objects, bounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.result import Result, Streams
from runner.present.cells import cell_width
from runner.present.fold_outputs import MOST_LINES_A_STEP, OutputFold, output_lines
from runner.present.paint import text_of
from runner.present.table import table_lines
from runner.present.values import MOST_LINES, cell_text, value_lines
from tests.support.fake_runs import keep, mask_hunter, ok


def shown(results: list[Result], *, width: int = 80, with_hosts: bool = True) -> str:
    """The outputs as text."""
    outputs = OutputFold(mask_hunter)
    for result in results:
        outputs.add(result)
    return "\n".join(
        text_of(pieces).rstrip() for pieces in output_lines(outputs, width, with_hosts=with_hosts)
    )


def test_equal_output_is_told_once_the_common_one_first() -> None:
    """The biggest group leads, what differs stands last."""
    results = [ok("s", f"web{n:02d}", ["a", "b"] if n != 2 else ["a", "c"]) for n in range(1, 6)]
    assert shown(results) == "web[01,03-05] (4 hosts)\n  a\n  b\nweb02\n  a\n  c"


def test_one_line_a_host_is_one_line() -> None:
    """Short answers stand beside the names."""
    assert shown([ok("s", "a1", ["up 3 days"]), ok("s", "b1", ["up"])]) == "a1  up 3 days\nb1  up"


def test_objects_are_a_table_with_the_hosts() -> None:
    """Hosts with equal rows share them; numbers are aligned right."""
    rows = [{"name": "nginx", "pid": 7}, {"name": "ssh", "pid": 1234}]
    results = [ok("s", host, rows) for host in ("web1", "web2")] + [
        ok("s", "db1", [{"name": "pg", "pid": 1}])
    ]
    assert shown(results) == (
        "host      name    pid\nweb[1-2]  nginx     7\nweb[1-2]  ssh    1234\ndb1       pg        1"
    )


def test_a_single_object_a_host_makes_a_row() -> None:
    """A JSON object of one host is a row of the table of all."""
    results = [
        ok("s", "web1", {"os": "Debian", "tags": ["a", "b"]}),
        ok("s", "web2", {"os": "Alma", "tags": []}),
    ]
    assert shown(results).splitlines()[1:] == ["web1  Debian  a, b", "web2  Alma"]


def test_a_long_node_set_stands_above_its_rows() -> None:
    """Who is meant is never cut away where there is room for it; many tables would be worse than a cut."""
    names = [f"{group}-{n}" for group in ("application", "database", "frontend") for n in (1, 3, 5)]
    results = [ok("s", name, [{"a": 1}]) for name in names] + [ok("s", "web", [{"a": 2}])]
    assert shown(results, width=60).splitlines() == [
        "application-[1,3,5],database-[1,3,5],frontend-[1,3,5] (9 hosts)",
        "  a",
        "  1",
        "web",
        "  a",
        "  2",
    ]
    many = results + [ok("s", f"odd{n}x", [{"a": n}]) for n in range(3, 10)]
    assert shown(many, width=60).splitlines()[:2] == ["host                  a", "application-[1,3,5]…  1"]


def test_hidden_host_names_are_hidden() -> None:
    """hide_computer_name takes the column and the heads away."""
    assert shown([ok("s", "web1", [{"a": 1}])], with_hosts=False) == "a\n1"
    assert shown([ok("s", "web1", ["x"])], with_hosts=False) == "x"


def test_nested_values_are_indented_json() -> None:
    """What no table can show is shown whole."""
    assert shown([ok("s", "web1", {"disk": {"free": 3}})]).splitlines() == [
        "web1", "  {", '    "disk": {', '      "free": 3', "    }", "  }",
    ]  # fmt: skip


def test_different_columns_are_tables_of_their_own() -> None:
    """Objects that have nothing in common are not pressed into one table."""
    text = shown([ok("s", "web1", [{"a": 1}]), ok("s", "web2", [{"b": 2}])])
    assert text.splitlines() == ["web1", "  a", "  1", "web2", "  b", "  2"]


def test_standard_error_and_warnings_stand_after_the_output() -> None:
    """They are part of what a host said and tell hosts apart."""
    result = ok("s", "web1", ["a"], stderr=["deprecated"], streams=Streams(warnings=("low disk",)))
    assert shown([result, ok("s", "web2", ["a"])]).splitlines() == [
        "web1", "  a", "  ! deprecated", "  ! warning: low disk", "web2", "  a",
    ]  # fmt: skip


def test_items_of_a_loop_are_told_one_after_another() -> None:
    """Each under its item."""
    result = ok(
        "s", "web1", [], items=(ok("s", "web1", ["one"], item="a"), ok("s", "web1", ["two"], item={"n": 2}))
    )
    assert shown([result], with_hosts=False).splitlines() == ["[a]", "one", '[{"n": 2}]', "two"]


def test_a_long_output_is_cut_and_says_so() -> None:
    """A person sees the beginning, a pipeline everything; a difference beyond the cut still keeps hosts apart."""
    long = [f"line {n}" for n in range(MOST_LINES + 10)]
    text = shown([ok("s", "web1", long), ok("s", "web2", [*long[:-1], "other"])])
    assert text.count("... 10 more lines, see `-o json`") == 2


def test_many_different_outputs_are_bounded() -> None:
    """Memory and screen stay bounded; those left out are counted."""
    outputs = OutputFold(keep)
    for number in range(MOST_LINES_A_STEP + 500):
        outputs.add(ok("s", f"web{number}", [f"{number}"]))
    lines = output_lines(outputs, 80, with_hosts=True)
    assert len(lines) == MOST_LINES_A_STEP + 1
    assert text_of(lines[-1]) == "... 500 more hosts with other output, see `-o json`"


def test_secrets_and_controls_are_not_shown() -> None:
    """In lines, cells, names of columns and standard error."""
    text = shown([ok("s", "web1", [{"hunter2": "\x1b[2Jhunter2"}], stderr=["hunter2\x07"])])
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("one\ntwo\n", ["one", "two"]),
        ("", []),
        (12, ["12"]),
        (None, [""]),
        (b"\xff", ["{", '  "$bytes": "/w=="', "}"]),
    ],
)  # fmt: skip
def test_a_value_has_its_lines(value: object, lines: list[str]) -> None:
    """Text as it is, scalars on one line, the rest as JSON."""
    assert value_lines(value, keep) == lines


CELLS = st.text(alphabet="ab 日✓", max_size=25).map(str.strip)


@given(st.data(), st.integers(1, 5), st.integers(46, 120))
def test_a_table_fits_its_width(data: Any, columns: int, width: int) -> None:
    """No line passes the width, and every row is there."""
    names = [f"column{n}" for n in range(columns)]
    rows = data.draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), min_size=1, max_size=5))
    lines = table_lines(names, rows, width)
    assert all(cell_width(text_of(pieces)) <= width for pieces in lines)
    assert len(lines) == len(rows) + 1


def test_too_many_columns_become_records() -> None:
    """Rather a list that can be read than columns that cannot."""
    names = [f"column{n:02d}" for n in range(20)]
    lines = [text_of(pieces).rstrip() for pieces in table_lines(names, [[str(n) for n in range(20)]], 60)]
    assert lines[0] == "column00  0"
    assert len(lines) == 20


def test_a_cell_is_one_line() -> None:
    """A line feed in a cell is shown as a sign."""
    assert cell_text("a\nb", keep) == "a⏎b"


def test_a_warning_keeps_its_end() -> None:
    """What a person must read is broken at blanks, never cut: the way out stands at its end."""
    warning = "`Format-Table` gives drawing instructions, not data; end with `| Out-String`"
    results = [ok("s", f"web{n}", [], streams=Streams(warnings=(warning,))) for n in (1, 2)]

    lines = shown(results, width=60).splitlines()

    assert lines[0] == "web[1-2] (2 hosts)"
    assert " ".join(" ".join(lines[1:]).split()) == f"! warning: {warning}"
    assert max(map(len, lines)) <= 60
    assert shown(results, width=200) == f"web[1-2]  ! warning: {warning}"

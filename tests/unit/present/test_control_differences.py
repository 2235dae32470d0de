"""What changed or would change, under the hosts where it does."""

from __future__ import annotations

import pytest

from runner.engine.result import Difference, Result, Status
from runner.present.cells import cell_width
from runner.present.fold_outputs import OutputFold, output_lines
from runner.present.paint import Role, text_of
from runner.present.plain import Plain
from runner.present.sink import StreamSink
from tests.support.fake_runs import Pipe, events_of, mask_hunter

MOTD = Difference("old\nsame\n", "new hunter2\nsame\n", "/etc/motd")
DIFF = [
    "--- /etc/motd (before)",
    "+++ /etc/motd (after)",
    "@@ -1,2 +1,2 @@",
    "-old",
    "+new ********",
    " same",
]


def would_change(host: str, difference: Difference | None = MOTD, output: object = None) -> Result:
    """A result under --check --diff."""
    return Result(
        step="motd",
        host=host,
        status=Status.CHANGED,
        changed=True,
        would_change=True,
        difference=difference,
        output=output or [],
    )


def folded(results: list[Result], *, width: int = 80) -> list[str]:
    """What a view shows of one step."""
    fold = OutputFold(mask_hunter)
    for result in results:
        fold.add(result)
    return [text_of(pieces) for pieces in output_lines(fold, width, with_hosts=True)]


def test_equal_differences_are_one_under_a_node_set() -> None:
    """2,000 hosts with the same drift are one diff; one that drifted in another way has its own."""
    other = would_change("web04", Difference("older\nsame\n", "new\nsame\n", "/etc/motd"))
    lines = folded([*(would_change(f"web{n:02d}") for n in (1, 2, 3)), other])
    assert lines[:7] == ["web[01-03] (3 hosts)", *(f"  {text}" for text in DIFF)]
    assert lines[7:] == [
        "web04",
        "  --- /etc/motd (before)",
        "  +++ /etc/motd (after)",
        "  @@ -1,2 +1,2 @@",
        "  -older",
        "  +new",
        "   same",
    ]


@pytest.mark.parametrize("output", [{"path": "/etc/motd", "bytes": 14}, ["written"]])
def test_a_difference_stands_after_the_output_of_its_hosts(output: object) -> None:
    """Neither a table nor a line of output takes its place, or tears it from its hosts."""
    lines = folded([would_change("web1", output=output), would_change("web2", output=output)])
    assert lines[0] == "web[1-2] (2 hosts)"
    assert lines[-6:] == [f"  {text}" for text in DIFF]
    assert len(lines) > 7


def test_no_line_of_a_difference_passes_the_width() -> None:
    """A long line of a file is cut."""
    lines = folded([would_change("web1", Difference("x" * 200, "y" * 200))], width=60)
    assert max(map(cell_width, lines)) == 60


def test_each_item_of_a_loop_has_its_own() -> None:
    """Under its item; an item without a difference is not named."""
    items = [(would_change("web1"), "one"), (would_change("web1", None), "two")]
    result = Result(
        step="motd",
        host="web1",
        status=Status.CHANGED,
        items=tuple(
            Result(step="motd", host="web1", status=r.status, item=name, difference=r.difference)
            for r, name in items
        ),
        difference=MOTD,
    )
    lines = folded([result])
    assert lines[-7:] == [f"  {text}" for text in ("[one]", *DIFF)]
    assert sum("+new" in text for text in lines) == 1


def test_the_colours_are_those_of_a_diff() -> None:
    """What goes is red, what comes is green."""
    fold = OutputFold(mask_hunter)
    fold.add(would_change("web1"))
    roles = {text_of(p).strip(): p[-1].role for p in output_lines(fold, 80, with_hosts=True)}
    assert (roles["-old"], roles["+new ********"]) == (Role.RED, Role.GOOD)


def test_plain_stamps_each_line_of_a_difference() -> None:
    """On standard output, as results are, before the line that says how it ended."""
    out, err = Pipe(), Pipe()
    presenter = Plain(StreamSink(out), StreamSink(err), mask_hunter)
    for event in events_of([would_change("web1")]):
        presenter.on_event(event)
    assert out.getvalue().splitlines() == [f"motd web1 | {text}" for text in DIFF]
    assert "motd web1 would change\n" in err.getvalue()

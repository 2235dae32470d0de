"""The plan as it is shown: blocks with their steps below them, and what control keys come to, in a row each."""

from __future__ import annotations

from pathlib import Path

from runner.plan.graph import FORMATS, draw, drawing_of
from runner.plan.model import Plan
from runner.present.paint import Painter
from runner.present.plan_document import plan_document
from runner.present.plan_view import plan_lines
from tests.support.planning import prepared

INVENTORY = """\
version: 1
pools: {rack: 2}
groups:
  web:
    hosts: {"web[01:20]": {}}
    pool: rack
  lb: {hosts: {lb01: {}, lb02: {}}}
"""

PLAYBOOK = """\
version: 1
name: Rolling update
lock: run
max_fail: 20%
deadlines: {step: 10m, gate: 1h}
steps:
  - {id: ask, gate: {message: go?, default: stop}}
  - id: roll
    hosts: web
    waves: [web01, 10%, {size: 50%, pause: 30s}, 100%]
    max_fail: 2
    throttle: 4
    health: {script: "true"}
    block:
      - {id: drain, delegate_to: lb, script: "true"}
      - id: install
        script: "true"
        retry: {attempts: 3, delay: 5s, backoff: 2, max_delay: 1m, on: [unreachable]}
        until: result.exit_code == 0
      - {id: warm, loop: [1, 2, 3], timeout: 90s, script: "true"}
      - {id: note, run_once: true, script: "true"}
    rescue:
      - {id: back, loop: "{{ [failure.step] }}", script: "true"}
    always:
      - {id: undrain, delegate_to: lb01, lock: target, script: "true"}
  - {id: late, hosts: web, any_errors: stop, unreachable: {retry_after: 5m, give_up_after: 1h}, script: "true"}
"""

SHOWN = """\
locks 22 hosts on the controller for the run
stops when more than 4 hosts fail, in the whole run
deadlines: step 10m, gate 1h, where nothing nearer says one

  1  ask  gate: an approval for 1h, else stop
     on     localhost

     roll  block of 6 steps with rescue and always
     on     web[01-20]  (20)
     after  ask
     limit  4 at once in the block
     waves  web01 · 2 hosts · 10 hosts, pause 30s · 7 hosts
     health a script must succeed, before each further wave
     sends  health  PLAYBOOK:13:23  sha256 b5bea41b6c62
     stops  when more than 2 hosts fail; after the first wave when any host
       fails there

  2    drain  script sh
       by     lb[01-02] in the place of each host
       sends  PLAYBOOK:15:47  sha256 b5bea41b6c62

  3    install  script sh
       after  drain
       until  result.exit_code == 0
       retry  3 attempts, 5s apart, each wait 2 times the last up to 1m, on
         unreachable
       takes  1 of 2 rack
       sends  PLAYBOOK:17:18  sha256 b5bea41b6c62

  4    warm  script sh  \N{MULTIPLICATION SIGN} 3
       after  install
       limit  90s for an attempt
       takes  1 of 2 rack
       sends  PLAYBOOK:20:60  sha256 b5bea41b6c62

  5    note  script sh
       on     web01
       after  warm
       once   on the first host, for 20 hosts
       takes  1 of 2 rack
       sends  PLAYBOOK:21:45  sha256 b5bea41b6c62

     rescue of roll

  6    back  script sh  \N{MULTIPLICATION SIGN} ?
       takes  1 of 2 rack
       sends  PLAYBOOK:23:59  sha256 b5bea41b6c62

     always of roll

  7    undrain  script sh
       by     lb01 in the place of each host
       lock   on the host
       sends  PLAYBOOK:25:65  sha256 b5bea41b6c62

  8  late  script sh
     on     web[01-20]  (20)
     after  roll
     stops  at the first failure on any host, and ends what runs
     late   unreachable hosts are tried every 5m for 1h, the rest goes on
     takes  1 of 2 rack
     sends  PLAYBOOK:26:106  sha256 b5bea41b6c62
"""


def planned(folder: Path) -> Plan:
    result = prepared(folder, PLAYBOOK, inventory=INVENTORY)
    assert result.plan is not None, result.problems.sorted()
    return result.plan


def test_a_plan_with_control_reads_as_it_runs(tmp_path: Path) -> None:
    """Each key has a row, and our own rows stay within 80 columns."""
    text = Painter(colour=False).paint_all(plan_lines(planned(tmp_path)))
    shown = text.replace(str(tmp_path / "playbook.yml"), "PLAYBOOK")

    assert SHOWN == shown.split("\n", 2)[2]
    assert all(len(row) <= 80 for row in shown.splitlines() if "sends" not in row and "deadlines" not in row)


def test_the_document_of_a_plan_says_the_same(tmp_path: Path) -> None:
    """For programs: blocks, policies with the hosts of their waves, pools, locks, delegates."""
    document = plan_document(planned(tmp_path))
    steps = {step["id"]: step for step in document["steps"]}
    (block,) = document["blocks"]
    roll = next(policy for policy in document["policies"] if policy["of"] == "roll")

    assert [{"name": "rack", "size": 2, "adaptive": False}] == document["pools"]
    assert (22, 4) == (len(document["locked"]), document["max_fail"])
    assert ("roll", True, True, 4, 20) == (
        block["id"],
        block["rescue"],
        block["always"],
        block["throttle"],
        len(block["hosts"]),
    )
    assert [1, 2, 10, 7] == [len(wave["hosts"]) for wave in roll["waves"]]
    assert (2, True, [0, None, None, None]) == (
        roll["max_fail"],
        roll["health"],
        [wave["max_fail"] for wave in roll["waves"]],
    )
    assert {"block": "roll", "part": "rescue"} == steps["back"]["in"]
    assert ["lb01", "lb02"] == [each["host"] for each in steps["drain"]["assignments"][0]["delegates"]]
    assert 20 == len(steps["note"]["seen_by"])
    assert {"retry_after_s": 300.0, "give_up_after_s": 3600.0} == steps["late"]["unreachable"]
    assert (3, 5.0, ["unreachable"]) == tuple(
        steps["install"]["retry"][key] for key in ("attempts", "delay_s", "on")
    )


def test_the_graph_draws_a_block_by_its_steps_and_its_end(tmp_path: Path) -> None:
    """One way through body, rescue and always; what needs the block hangs on its end; every format has it."""
    drawing = drawing_of(planned(tmp_path))
    lines = [(line.start, line.end) for line in drawing.lines]
    notes = {box.id: box.note for box in drawing.boxes if box.note}

    assert {
        ("ask", "drain"),
        ("drain", "install"),
        ("install", "warm"),
        ("warm", "note"),
        ("note", "back"),
        ("back", "undrain"),
        ("undrain", "roll"),
        ("roll", "late"),
    } == set(lines)
    assert {
        "drain": "in roll",
        "install": "in roll",
        "warm": "in roll",
        "note": "in roll",
        "back": "rescue of roll",
        "undrain": "always of roll",
        "roll": "end of block",
    } == notes
    for kind in FORMATS:
        assert "undrain" in draw(drawing, kind)

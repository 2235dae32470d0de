"""language.md, `block`, `rescue` and `always`: who enters, who mends, what counts afterwards."""

from __future__ import annotations

from tests.language.author import Author

PAIR = "targets: {pair: {hosts: pair}}\n"

DEPLOY = """\
steps:
  - id: deploy
    target: pair
    block:
      - {id: one, script: 'echo one; test $Using:weight != 2 || { echo no space >&2; exit 3; }'}
      - {id: two, script: echo two}
    rescue:
      - id: mend
        script: 'echo "$Using:step on $Using:on: $Using:why"'
        using:
          step: "{{ failure.step }}"
          on: "{{ failure.hosts | join(',') }}"
          why: "{{ failure.errors[0].message }}"
    always:
      - {id: tidy, script: 'echo "$Using:bad"', using: {bad: "{{ 'bad' if failure else 'good' }}"}}
  - {id: after, target: pair, script: echo after}
"""


def test_a_rescue_runs_where_the_block_failed_and_always_everywhere(author: Author) -> None:
    """The other host never sees the rescue; what needs the block goes on on both, and the run is a success."""
    ran = author.run(PAIR + DEPLOY)
    assert ran.code == 0, ran.results
    assert (ran.status("one", "b"), ran.status("two", "b"), ran.status("two", "a")) == (
        "failed",
        "skipped",
        "ok",
    )
    assert (ran.status("mend", "a"), ran.output("mend", "b")) == ("skipped", ["one on b: no space"])
    assert [ran.output("tidy", host) for host in "ab"] == [["good"], ["bad"]]
    assert [ran.output("after", host) for host in "ab"] == [["after"]] * 2
    assert ran.document["summary"]["hosts"]["ok"] == 2


def test_a_rescue_that_fails_leaves_the_block_failed(author: Author) -> None:
    """`fail` in a rescue says that the host stays failed; `always` still runs, what needs the block does not."""
    ran = author.run(
        PAIR
        + """
steps:
  - id: deploy
    target: pair
    block:
      - {id: one, script: 'test $Using:weight != 2'}
    rescue:
      - {id: give_up, fail: "cannot go on after {{ failure.step }}"}
    always:
      - {id: tidy, script: echo tidy}
  - {id: after, target: pair, script: echo after}
"""
    )
    assert ran.code == 1
    assert ran.result("give_up", "b")["failure"]["message"] == "cannot go on after one"
    assert [ran.output("tidy", host) for host in "ab"] == [["tidy"]] * 2
    assert (ran.output("after", "a"), ran.status("after", "b")) == (["after"], "skipped")
    assert ran.result("after", "b")["held_back"]


def test_a_block_is_entered_where_its_when_holds(author: Author) -> None:
    """Its steps are skipped elsewhere, neutrally: what needs the block goes on there too."""
    ran = author.run(
        PAIR
        + """
steps:
  - id: deploy
    target: pair
    when: weight > 1
    block:
      - {id: one, script: echo one}
    always:
      - {id: tidy, script: echo tidy}
  - {id: after, target: pair, script: echo after}
"""
    )
    assert ran.code == 0, ran.results
    assert [ran.status("one", host) for host in "ab"] == ["skipped", "ok"]
    assert [ran.status("tidy", host) for host in "ab"] == ["skipped", "ok"]
    assert "weight > 1" in ran.result("one", "a")["skip_reason"]
    assert [ran.status("after", host) for host in "ab"] == ["ok", "ok"]


def test_a_when_of_a_block_that_cannot_be_asked_fails_the_host(author: Author) -> None:
    """Nothing of the block runs there, and the run is no success."""
    ran = author.run(
        PAIR
        + """
steps:
  - {id: look, target: pair, register: look, script: echo x}
  - id: deploy
    target: pair
    when: look.output[weight - 1] == "x"
    block:
      - {id: one, script: echo one}
"""
    )
    assert ran.code == 1, ran.results
    assert (ran.status("one", "a"), ran.status("one", "b")) == ("ok", "skipped")


def test_an_inner_rescue_spares_the_outer_one(author: Author) -> None:
    """Blocks in blocks: what was mended inside did not go wrong outside."""
    ran = author.run(
        PAIR
        + """
steps:
  - id: outer
    target: pair
    block:
      - id: inner
        block:
          - {id: one, script: exit 3}
        rescue:
          - {id: mend_inner, script: echo mended}
      - {id: two, script: echo two}
    rescue:
      - {id: mend_outer, script: echo too late}
"""
    )
    assert ran.code == 0, ran.results
    assert [ran.output("mend_inner", host) for host in "ab"] == [["mended"]] * 2
    assert [ran.output("two", host) for host in "ab"] == [["two"]] * 2
    assert [ran.status("mend_outer", host) for host in "ab"] == ["skipped"] * 2


def test_a_rescue_of_the_block_runs_on_all_its_hosts(author: Author) -> None:
    """`rescue_on: block`: one bad host brings the rescue to all, and `failure.hosts` names the bad ones."""
    ran = author.run(
        PAIR
        + """
steps:
  - id: deploy
    target: pair
    rescue_on: block
    block:
      - {id: one, script: 'test $Using:weight != 2'}
    rescue:
      - {id: back, script: 'echo "$Using:who"', using: {who: "{{ failure.hosts | join(',') }}"}}
"""
    )
    assert [ran.output("back", host) for host in "ab"] == [["b"], ["b"]]

"""What `failure` is in a rescue: the nearest block's bad results, without those that an inner rescue has mended."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.document.nodes import Mapping, Source
from runner.engine.result import ErrorRecord, Failure, Result, Status
from runner.execute.control.blocks import BlockFailures
from runner.playbook.bodies import FailBody
from runner.playbook.control import BlockPlace, Part
from runner.playbook.model import Block, Step
from runner.values import Span
from tests.unit.execute.scalars import scalar

SPAN = Span("playbook.yml", 1, 1)
NODE = Mapping(Source("playbook.yml", ""), 1, 1, 1, 1, entries={})


def place(block: str, part: Part = Part.BODY) -> BlockPlace:
    return BlockPlace(block, part)


def block(name: str, inside: BlockPlace | None = None, rescue_on: str = "host") -> Block:
    return Block(id=name, span=SPAN, node=NODE, place=inside, rescue_on=rescue_on)


@dataclass
class Story:
    """Blocks and what went wrong in them, told step by step."""

    blocks: tuple[Block, ...]
    failures: BlockFailures = field(init=False)

    def __post_init__(self) -> None:
        self.failures = BlockFailures({each.id: each for each in self.blocks}, ["a", "b"])

    def fails(self, step: str, where: BlockPlace, host: str = "a", **more: object) -> None:
        planned = Step(id=step, span=SPAN, node=NODE, body=FailBody(scalar("no")), place=where)
        result = Result(
            step=step,
            host=host,
            status=Status.FAILED,
            failure=Failure("exit-code", f"{step} on {host} broke"),
            **more,  # type: ignore[arg-type]
        )
        self.failures.ended(planned, result)


def told(story: Story, where: BlockPlace, host: str = "a") -> tuple[str, list[str], list[str]] | None:
    found = story.failures.failure(where, host)
    return None if found is None else (found["step"], found["hosts"], [e["message"] for e in found["errors"]])


def test_a_rescue_is_told_what_went_wrong_on_its_own_host() -> None:
    """The first bad step, the host, and what the script or the run said of it; of other hosts nothing."""
    story = Story((block("deploy"),))
    story.fails("second", place("deploy"), "b")
    story.fails("first", place("deploy"), errors=(ErrorRecord("no such file"),))
    rescue = place("deploy", Part.RESCUE)
    assert told(story, rescue) == ("first", ["a"], ["no such file"])
    assert told(story, rescue, "b") == ("second", ["b"], ["second on b broke"])


def test_a_rescue_of_the_whole_block_sees_all_hosts() -> None:
    """`rescue_on: block`: the hosts in inventory order, also on a host where nothing went wrong."""
    story = Story((block("deploy", rescue_on="block"),))
    story.fails("work", place("deploy"), "b")
    assert told(story, place("deploy", Part.RESCUE)) == ("work", ["b"], ["work on b broke"])
    story.fails("work", place("deploy"), "a")
    assert told(story, place("deploy", Part.RESCUE), "b") == (
        "work",
        ["a", "b"],
        ["work on a broke", "work on b broke"],
    )


def test_an_always_after_a_good_block_is_told_nothing() -> None:
    """`failure` is known there and null, so that `when: failure` may be asked."""
    story = Story((block("deploy"),))
    assert story.failures.tells(place("deploy", Part.ALWAYS))
    assert told(story, place("deploy", Part.ALWAYS)) is None


def test_only_rescues_and_always_know_failure() -> None:
    """A body does not, unless its block stands in a rescue; a step outside of blocks does not."""
    inner = block("inner", place("outer", Part.RESCUE))
    story = Story((block("outer"), inner))
    assert not story.failures.tells(None)
    assert not story.failures.tells(place("outer"))
    story.fails("work", place("outer"))
    assert story.failures.tells(place("inner"))
    assert told(story, place("inner")) == ("work", ["a"], ["work on a broke"])


def test_what_an_inner_rescue_mended_did_not_go_wrong_in_the_outer_block() -> None:
    """Before that it did; what goes wrong in the inner rescue itself does too."""
    story = Story((block("outer"), block("inner", place("outer"))))
    story.fails("work", place("inner"))
    assert told(story, place("outer", Part.RESCUE)) == ("work", ["a"], ["work on a broke"])
    story.failures.rescued("inner", "a", frozenset({"work"}))
    assert told(story, place("outer", Part.RESCUE)) is None
    assert told(story, place("inner", Part.ALWAYS)) == ("work", ["a"], ["work on a broke"])
    story.fails("mend", place("inner", Part.RESCUE))
    assert told(story, place("outer", Part.RESCUE)) == ("mend", ["a"], ["mend on a broke"])


def test_what_is_ignored_or_held_back_did_not_go_wrong() -> None:
    """An ignored failure is none, and a step that was held back has a cause that is told already."""
    story = Story((block("deploy"),))
    story.fails("ignored", place("deploy"), ignored=True)
    held = Result(step="held", host="a", status=Status.SKIPPED, held_back=True)
    story.failures.ended(
        Step(id="held", span=SPAN, node=NODE, body=FailBody(scalar("no")), place=place("deploy")), held
    )
    assert told(story, place("deploy", Part.RESCUE)) is None

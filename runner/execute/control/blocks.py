"""What went wrong in blocks, as their ``rescue`` and ``always`` steps are told it: the variable ``failure``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from runner.engine.result import ErrorRecord, Result
from runner.playbook.control import BlockPlace, Part
from runner.playbook.model import Block, Step


class BlockFailures:
    """The bad results of a run, by the blocks whose body they went wrong in.

    ``blocks`` are all of the playbook, ``hosts`` the run's in inventory order.
    """

    def __init__(self, blocks: Mapping[str, Block], hosts: Sequence[str]) -> None:
        self._blocks = blocks
        self._order = {host: number for number, host in enumerate(hosts)}
        self._bad: dict[str, dict[str, list[Result]]] = {name: {} for name in blocks}

    def ended(self, step: Step, result: Result) -> None:
        """Keep a bad result that is the step's own, not one that was held back by another."""
        if step.place is None or not result.status.bad or not result.bad:
            return
        for name in self._bodies_around(step.place):
            self._bad[name].setdefault(result.host, []).append(result)

    def rescued(self, block: str, host: str, steps: frozenset[str]) -> None:
        """A block is mended on a host: for the blocks around it what went wrong in it did not."""
        place = self._blocks[block].place
        for name in self._bodies_around(place) if place is not None else ():
            kept = [result for result in self._bad[name].pop(host, []) if result.step not in steps]
            if kept:
                self._bad[name][host] = kept

    def tells(self, place: BlockPlace | None) -> bool:
        """Whether ``failure`` is known there: in a rescue or an always, or in a block that stands in one."""
        return place is not None and self._told_by(place) is not None

    def failure(self, place: BlockPlace | None, host: str) -> dict[str, Any] | None:
        """``failure`` of the nearest such block on a host: ``step``, ``hosts`` and ``errors``; None where all is well.

        ``step`` is the first that went wrong, ``errors`` are those of it all in the form of a result's ``errors``.
        With ``rescue_on: block`` they are those of all hosts.
        """
        name = self._told_by(place) if place is not None else None
        if name is None:
            return None
        found = self._bad[name]
        if self._blocks[name].rescue_on == "block":
            hosts = sorted(found, key=lambda each: self._order.get(each, len(self._order)))
        else:
            hosts = [host] if host in found else []
        bad = [result for each in hosts for result in found[each]]
        if not bad:
            return None
        own = found.get(host, bad)
        errors = [asdict(error) for result in bad for error in _errors_of(result)]
        return {"step": own[0].step, "hosts": hosts, "errors": errors}

    def _told_by(self, place: BlockPlace) -> str | None:
        return next((each.block for each in self._places(place) if each.part is not Part.BODY), None)

    def _bodies_around(self, place: BlockPlace) -> Iterator[str]:
        """The blocks that go wrong with what stands there: in its body, or in any part of an inner block of it."""
        for each in self._places(place):
            if each.part is Part.BODY:
                yield each.block

    def _places(self, place: BlockPlace | None) -> Iterator[BlockPlace]:
        while place is not None:
            yield place
            place = self._blocks[place.block].place


def _errors_of(result: Result) -> Sequence[ErrorRecord]:
    """What the script reported, else what this run says of it, so that a rescue always has something to tell."""
    if result.errors or result.failure is None:
        return result.errors
    return (ErrorRecord(result.failure.message),)

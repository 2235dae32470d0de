"""The digest of a plan: equal where two plans do the same on the same hosts in the same order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from runner.plan.model import Placement, PlannedBlock, PlannedPolicy, PlannedPool, PlannedStep
from runner.playbook.model import Playbook


def plan_digest(
    playbook: Playbook,
    steps: Sequence[PlannedStep],
    blocks: Sequence[PlannedBlock],
    policies: Sequence[PlannedPolicy],
    pools: Sequence[PlannedPool],
) -> str:
    """SHA-256 over what decides what runs where: every file read, each step's hosts and endpoints, waves and pools.

    The seed is not in it: the order that came of it is.
    """
    numbers: dict[int, int] = {}
    places: list[list[Any]] = []

    def place(placement: Placement) -> int:
        """The number of a placement: steps share them, and each is written out once."""
        if id(placement) not in numbers:
            numbers[id(placement)] = len(places)
            places.append(_place(placement))
        return numbers[id(placement)]

    parts = {
        "files": sorted(document.source.digest for document in playbook.documents),
        "steps": [
            [item.step.id, [place(each) for each in item.placements], list(item.seen_by)] for item in steps
        ],
        "blocks": [[item.block.id, [each.host for each in item.placements]] for item in blocks],
        "waves": [[item.name, [[list(wave.hosts), wave.pause] for wave in item.waves]] for item in policies],
        "pools": [[pool.name, pool.size] for pool in pools],
        "places": places,
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _place(placement: Placement) -> list[Any]:
    reached = [placement.host, repr(placement.endpoint), placement.shell, placement.session]
    return [*reached, [_place(each) for each in placement.delegates]] if placement.delegates else reached

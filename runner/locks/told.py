"""What is said of locks: who holds what since when, from whom hosts were taken over, what was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from runner.errors import LockHeld
from runner.locks.model import Held, Refused
from runner.units import format_duration

NameHosts = Callable[[Iterable[str]], str]
"""Makes one short text of host names (``runner.present.folding.fold``)."""

_MOST = 3
"""Runs that a message names."""


def held_error(refused: Refused, name_hosts: NameHosts, *, waited: float) -> LockHeld:
    """The error of a run that does not get its hosts; ``waited`` in seconds."""
    held = refused.held or refused.ahead
    first = by_run(held)[0][0].holder
    what = "hosts are held" if refused.held else "others came first for hosts and wait for them"
    after = f" and were not given back in {format_duration(waited)}" if waited and refused.held else ""
    return LockHeld(
        "lock-held",
        f"{what}{after}: {who_holds(held, name_hosts)}; nothing was run",
        hints=(
            f"`runner runs show {first.run}` on `{first.controller}` shows what it does",
            "wait until they are given back: `--lock-wait 10m`",
            f"where that run is gone for good: `runner locks release --run {first.run}`",
        ),
    )


def who_holds(held: Sequence[Held], name_hosts: NameHosts) -> str:
    """Each run with its hosts, the one with most of them first."""
    groups = by_run(held)
    told = [f"`{name_hosts(each.host for each in group)}` by {run_of(group[0])}" for group in groups[:_MOST]]
    more = f", and more by {len(groups) - _MOST} further runs" if len(groups) > _MOST else ""
    return ", ".join(told) + more


def by_run(held: Iterable[Held]) -> list[list[Held]]:
    """The entries of each holder together, those with most hosts first."""
    groups: dict[str, list[Held]] = {}
    for each in held:
        groups.setdefault(each.holder.holding, []).append(each)
    return sorted(groups.values(), key=len, reverse=True)


def run_of(held: Held) -> str:
    """Who holds it, since when."""
    holder = held.holder
    return (
        f"run `{holder.run}` of `{holder.user}` on `{holder.controller}` (process {holder.pid}, "
        f"`{holder.playbook}`) since {held.since:%Y-%m-%d %H:%M:%S} UTC"
    )


def taken_over(held: Sequence[Held], name_hosts: NameHosts) -> str:
    """The notice that hosts were taken over from runs that are gone."""
    dead = all(each.alive is False for each in held)
    why = "its process has ended" if dead else "it did not renew them in time"
    return f"took hosts over from a run that is gone ({why}): held were {who_holds(held, name_hosts)}"

"""Holders and stores as the tests of locks use them."""

from __future__ import annotations

from runner.locks.database import Database
from runner.locks.model import Holder
from runner.locks.store import LockStore

ELSEWHERE = "another-boot pid:[1]"


def holder(name: str, *, machine: str = ELSEWHERE, pid: int = 7, started: int = 7) -> Holder:
    """Somebody else, on a machine that cannot be seen from here unless another is named."""
    return Holder(
        holding=f"holding-{name}",
        run=name,
        playbook="patch.yml",
        user="anna",
        controller="ctl1",
        machine=machine,
        pid=pid,
        started=started,
    )


def store(url: str) -> LockStore:
    return LockStore(Database(url))

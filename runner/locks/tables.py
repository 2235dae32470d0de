"""The tables that locks are kept in, and who holds or waits as a row says it. They are no interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, RowMapping, String, Table

from runner.locks.model import Holder

AT_ONCE = 500
"""Hosts in one statement: SQLite before 3.32 takes 999 values."""

metadata = MetaData()

formats = Table("runner_locks_format", metadata, Column("version", Integer, primary_key=True))


def _holder_columns() -> list[Column[Any]]:
    return [
        Column("run", String),
        Column("playbook", String),
        Column("user_name", String),
        Column("controller", String),
        Column("machine", String),
        Column("pid", BigInteger),
        Column("started", BigInteger),
        Column("since", Double),  # seconds since 1970
        Column("expires", Double),
    ]


locks = Table(
    "runner_locks",
    metadata,
    Column("host", String, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holding", String, index=True),  # NULL: nobody holds it
    *_holder_columns(),
)

queue = Table(
    "runner_locks_queue",
    metadata,
    Column("ticket", BigInteger, primary_key=True, autoincrement=False),
    Column("holding", String, nullable=False, unique=True),
    *_holder_columns(),
)

queue_hosts = Table(
    "runner_locks_queue_hosts",
    metadata,
    Column("ticket", BigInteger, primary_key=True, autoincrement=False),
    Column("host", String, primary_key=True, index=True),
)

NOBODY: dict[str, None] = dict.fromkeys(
    column.name for column in locks.columns if column.name not in {"host", "token"}
)


def values_of(holder: Holder) -> dict[str, Any]:
    """The columns that say who holds or waits."""
    return {
        "holding": holder.holding,
        "run": holder.run,
        "playbook": holder.playbook,
        "user_name": holder.user,
        "controller": holder.controller,
        "machine": holder.machine,
        "pid": holder.pid,
        "started": holder.started,
    }


def holder_of(row: RowMapping) -> Holder:
    """Who holds or waits, as a row says."""
    return Holder(
        holding=row["holding"],
        run=row["run"],
        playbook=row["playbook"],
        user=row["user_name"],
        controller=row["controller"],
        machine=row["machine"],
        pid=row["pid"],
        started=row["started"],
    )


def slices(hosts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The hosts in as many pieces as statements are needed."""
    for begin in range(0, len(hosts), AT_ONCE):
        yield hosts[begin : begin + AT_ONCE]

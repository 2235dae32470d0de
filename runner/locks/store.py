"""Who holds which host, in a table with one row for each host that was ever held.

A row outlives its holder, so that ``token`` grows with each grant. All writers take turns (``Database.writing``), and a
grant is one transaction: all hosts or none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from runner.errors import UsageError
from runner.locks import process
from runner.locks.database import Database
from runner.locks.model import Granted, Held, Holder, Refused

VERSION = 1
"""Of the tables; a newer one is refused by name."""

_AT_ONCE = 500
"""Hosts in one statement: SQLite before 3.32 takes 999 values."""

_metadata = MetaData()

_format = Table("runner_locks_format", _metadata, Column("version", Integer, primary_key=True))

_locks = Table(
    "runner_locks",
    _metadata,
    Column("host", String, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holding", String, index=True),  # NULL: nobody holds it
    Column("run", String),
    Column("playbook", String),
    Column("user_name", String),
    Column("controller", String),
    Column("machine", String),
    Column("pid", BigInteger),
    Column("started", BigInteger),
    Column("since", Double),  # seconds since 1970
    Column("expires", Double),
)

_NOBODY: dict[str, None] = dict.fromkeys(
    column.name for column in _locks.columns if column.name not in {"host", "token"}
)


class LockStore:
    """The locks in a database; blocking, one user at a time.

    ``now`` gives seconds since 1970 where the database has no clock of its own, ``alive`` whether a holder's process
    lives. Every method raises :class:`UsageError` where the database cannot be used.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], float] = time.time,
        alive: Callable[[Holder], bool | None] = process.alive,
    ) -> None:
        self._database = database
        self._now = now
        self._alive = alive
        self._ready = False

    def acquire(self, hosts: Collection[str], holder: Holder, ttl: float) -> Granted | Refused:
        """Hold all hosts for ``ttl`` seconds, or none of them; what nobody holds any more is taken over."""
        with self._database.writing() as connection:
            now = self._begin(connection)
            rows = {row["host"]: row for row in self._rows(connection, sorted(hosts))}
            held = self._read((row for row in rows.values() if row["holding"] is not None), now)
            others = tuple(each for each in held if not each.free_to_take)
            if others:
                return Refused(others)
            tokens = {host: rows[host]["token"] + 1 if host in rows else 1 for host in sorted(hosts)}
            values = _values(holder) | {"since": now, "expires": now + ttl}
            _write(connection, tokens, set(rows), values)
            return Granted(tokens, tuple(held))

    def renew(self, holding: str, ttl: float) -> frozenset[str]:
        """Hold what is still held for ``ttl`` seconds from now; gives which hosts those are."""
        with self._database.writing() as connection:
            now = self._begin(connection)
            mine = _locks.c.holding == holding
            connection.execute(update(_locks).where(mine).values(expires=now + ttl))
            return frozenset(connection.execute(select(_locks.c.host).where(mine)).scalars())

    def release(self, holding: str) -> None:
        """Give back what is still held; what others have taken meanwhile stays theirs."""
        with self._database.writing() as connection:
            self._begin(connection)
            connection.execute(update(_locks).where(_locks.c.holding == holding).values(**_NOBODY))

    def held(self) -> list[Held]:
        """Every host that is held, in order of name."""
        with self._database.writing() as connection:
            now = self._begin(connection)
            rows = connection.execute(select(_locks).where(_locks.c.holding.is_not(None))).mappings()
            return self._read(rows, now)

    def free(self, entries: Collection[Held]) -> list[Held]:
        """Take these from their holders, where they still hold them by the same grant; gives those it was so for."""
        freed = []
        with self._database.writing() as connection:
            self._begin(connection)
            for entry in entries:
                same = (_locks.c.host == entry.host) & (_locks.c.token == entry.token)
                still = same & _locks.c.holding.is_not(None)
                if connection.execute(update(_locks).where(still).values(**_NOBODY)).rowcount:
                    freed.append(entry)
        return freed

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _begin(self, connection: Connection) -> float:
        """Make the tables where there are none; gives the time."""
        if not self._ready:
            _metadata.create_all(connection)
            found = connection.execute(select(_format.c.version)).scalars().all()
            if not found:
                connection.execute(insert(_format).values(version=VERSION))
            elif max(found) != VERSION:
                raise UsageError(
                    "lock-database-version",
                    f"the locks in `{self._database.name}` are of format {max(found)}, and this version knows "
                    f"format {VERSION}; nothing was run",
                    hints=("use one version of the runner on all controllers that share a database",),
                )
            self._ready = True
        seconds = self._database.seconds(connection)
        return self._now() if seconds is None else seconds

    @staticmethod
    def _rows(connection: Connection, hosts: Sequence[str]) -> Iterator[RowMapping]:
        for some in _slices(hosts):
            yield from connection.execute(select(_locks).where(_locks.c.host.in_(some))).mappings()

    def _read(self, rows: Iterable[RowMapping], now: float) -> list[Held]:
        """The rows in order of host; whether a process lives is asked once for all of its hosts."""
        found, lives = [], {}
        for row in rows:
            holder = _holder(row)
            if holder.holding not in lives:
                lives[holder.holding] = self._alive(holder)
            since, expires = (datetime.fromtimestamp(row[name], UTC) for name in ("since", "expires"))
            expired = row["expires"] <= now
            alive = lives[holder.holding]
            found.append(Held(row["host"], row["token"], holder, since, expires, alive, expired))
        return sorted(found, key=lambda held: held.host)


def _write(connection: Connection, tokens: dict[str, int], there: set[str], values: dict[str, Any]) -> None:
    new = [{"host": host, "token": token, **values} for host, token in tokens.items() if host not in there]
    old = [{"at": host, "token": token} for host, token in tokens.items() if host in there]
    if new:
        connection.execute(insert(_locks), new)
    if old:
        statement = update(_locks).where(_locks.c.host == bindparam("at"))
        connection.execute(statement.values(token=bindparam("token"), **values), old)


def _values(holder: Holder) -> dict[str, Any]:
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


def _holder(row: RowMapping) -> Holder:
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


def _slices(hosts: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(hosts), _AT_ONCE):
        yield hosts[begin : begin + _AT_ONCE]

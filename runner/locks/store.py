"""Who holds which host, in a table with one row for each host that was ever held.

A row outlives its holder, so that ``token`` grows with each grant. All writers take turns (``Database.writing``), and a
grant is one transaction: all hosts or none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from runner.errors import UsageError
from runner.locks import process
from runner.locks.database import Database
from runner.locks.model import Granted, Held, Holder, Refused
from runner.locks.queue import enter, leave, who_is_ahead
from runner.locks.tables import NOBODY, formats, holder_of, locks, metadata, slices, values_of

VERSION = 1
"""Of the tables; a newer one is refused by name."""


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

    def acquire(
        self, hosts: Collection[str], holder: Holder, ttl: float, *, waits: bool = False
    ) -> Granted | Refused:
        """Hold all hosts for ``ttl`` seconds, or none of them; what nobody holds any more is taken over.

        Runs that wait for some of them and came first get them first. ``waits``: who is refused takes its place among
        those, which it keeps while it asks again within ``WAIT_TTL`` seconds, until :meth:`release`.
        """
        with self._database.writing() as connection:
            now = self._begin(connection)
            rows = {row["host"]: row for row in self._rows(connection, sorted(hosts))}
            held = self._read((row for row in rows.values() if row["holding"] is not None), now)
            others = tuple(each for each in held if not each.free_to_take)
            ahead = self._read(who_is_ahead(connection, sorted(hosts), holder.holding, now), now, "ticket")
            ahead = [each for each in ahead if each.alive is not False]
            if others or ahead:
                if waits:
                    enter(connection, sorted(hosts), holder, now)
                return Refused(others, tuple(ahead))
            leave(connection, holder.holding)
            tokens = {host: rows[host]["token"] + 1 if host in rows else 1 for host in sorted(hosts)}
            values = values_of(holder) | {"since": now, "expires": now + ttl}
            _write(connection, tokens, set(rows), values)
            return Granted(tokens, tuple(held))

    def renew(self, holding: str, ttl: float) -> frozenset[str]:
        """Hold what is still held for ``ttl`` seconds from now; gives which hosts those are."""
        with self._database.writing() as connection:
            now = self._begin(connection)
            mine = locks.c.holding == holding
            connection.execute(update(locks).where(mine).values(expires=now + ttl))
            return frozenset(connection.execute(select(locks.c.host).where(mine)).scalars())

    def release(self, holding: str) -> None:
        """Give back what is still held, or stop waiting; what others have taken meanwhile stays theirs."""
        with self._database.writing() as connection:
            self._begin(connection)
            leave(connection, holding)
            connection.execute(update(locks).where(locks.c.holding == holding).values(**NOBODY))

    def held(self) -> list[Held]:
        """Every host that is held, in order of name."""
        with self._database.writing() as connection:
            now = self._begin(connection)
            rows = connection.execute(select(locks).where(locks.c.holding.is_not(None))).mappings()
            return self._read(rows, now)

    def free(self, entries: Collection[Held]) -> list[Held]:
        """Take these from their holders, where they still hold them by the same grant; gives those it was so for."""
        freed = []
        with self._database.writing() as connection:
            self._begin(connection)
            for entry in entries:
                same = (locks.c.host == entry.host) & (locks.c.token == entry.token)
                still = same & locks.c.holding.is_not(None)
                if connection.execute(update(locks).where(still).values(**NOBODY)).rowcount:
                    freed.append(entry)
        return freed

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _begin(self, connection: Connection) -> float:
        """Make the tables where there are none; gives the time."""
        if not self._ready:
            metadata.create_all(connection)
            found = connection.execute(select(formats.c.version)).scalars().all()
            if not found:
                connection.execute(insert(formats).values(version=VERSION))
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
        for some in slices(hosts):
            yield from connection.execute(select(locks).where(locks.c.host.in_(some))).mappings()

    def _read(self, rows: Iterable[RowMapping], now: float, number: str = "token") -> list[Held]:
        """The rows in order of host, ``number`` being the column of the token or the ticket.

        Whether a process lives is asked once for all of its hosts.
        """
        found, lives = [], {}
        for row in rows:
            holder = holder_of(row)
            if holder.holding not in lives:
                lives[holder.holding] = self._alive(holder)
            since, expires = (datetime.fromtimestamp(row[name], UTC) for name in ("since", "expires"))
            expired = row["expires"] <= now
            alive = lives[holder.holding]
            found.append(Held(row["host"], row[number], holder, since, expires, alive, expired))
        return sorted(found, key=lambda held: held.host)


def _write(connection: Connection, tokens: dict[str, int], there: set[str], values: dict[str, Any]) -> None:
    new = [{"host": host, "token": token, **values} for host, token in tokens.items() if host not in there]
    old = [{"at": host, "token": token} for host, token in tokens.items() if host in there]
    if new:
        connection.execute(insert(locks), new)
    if old:
        statement = update(locks).where(locks.c.host == bindparam("at"))
        connection.execute(statement.values(token=bindparam("token"), **values), old)

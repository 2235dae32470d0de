"""Who waits for hosts, in the order in which they came: tickets beside the locks, in the same transactions.

A run gets its hosts when nobody holds them and nobody who came before waits for one of them. The first in the queue
waits for holders alone, who have all they need, so nobody waits for ever and no two wait for each other. Who has ended
or does not ask again in time is passed over; one that was only slow still has its ticket.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from runner.locks.model import Holder
from runner.locks.tables import queue, queue_hosts, slices, values_of

WAIT_TTL = 15.0
"""Seconds that a place is kept for who does not ask again; who waits asks every second or so."""

_FORGOTTEN = 3600.0
"""Seconds after which the ticket of who does not ask any more is removed."""

_LAST = 1 << 62
"""After all tickets."""


def who_is_ahead(connection: Connection, hosts: Sequence[str], holding: str, now: float) -> list[RowMapping]:
    """A row for each run that came before, has asked lately and waits for some of the hosts, with the first of them."""
    mine = connection.execute(select(queue.c.ticket).where(queue.c.holding == holding)).scalar()
    before = (queue.c.ticket < (_LAST if mine is None else mine)) & (queue.c.expires > now)
    found: dict[int, RowMapping] = {}
    for some in slices(hosts):
        waits = (queue_hosts.c.ticket == queue.c.ticket) & queue_hosts.c.host.in_(some)
        first = func.min(queue_hosts.c.host).label("host")
        statement = select(queue, first).where(before & waits).group_by(queue.c.ticket)
        for row in connection.execute(statement).mappings():
            found.setdefault(row["ticket"], row)
    return list(found.values())


def enter(connection: Connection, hosts: Sequence[str], holder: Holder, now: float) -> None:
    """Take the last place, or keep the one that it has; written now and then alone, for many may ask every second."""
    expires = now + WAIT_TTL
    mine = queue.c.holding == holder.holding
    until = connection.execute(select(queue.c.expires).where(mine)).scalar()
    if until is not None:
        if until < expires - WAIT_TTL / 3:
            connection.execute(update(queue).where(mine).values(expires=expires))
        return
    _remove(connection, queue.c.expires < now - _FORGOTTEN)
    ticket = (connection.execute(select(func.max(queue.c.ticket))).scalar() or 0) + 1
    connection.execute(insert(queue).values(ticket=ticket, since=now, expires=expires, **values_of(holder)))
    connection.execute(insert(queue_hosts), [{"ticket": ticket, "host": host} for host in hosts])


def leave(connection: Connection, holding: str) -> None:
    """Give up the place, if there is one."""
    _remove(connection, queue.c.holding == holding)


def _remove(connection: Connection, which: ColumnElement[bool]) -> None:
    tickets = connection.execute(select(queue.c.ticket).where(which)).scalars().all()
    if tickets:
        connection.execute(delete(queue_hosts).where(queue_hosts.c.ticket.in_(tickets)))
        connection.execute(delete(queue).where(queue.c.ticket.in_(tickets)))

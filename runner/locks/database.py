"""The database that holds the locks: where it is, how it is opened, and that its password is never shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from runner.errors import UsageError
from runner.locks.model import DatabaseBusy

BUSY = 60.0
"""Seconds that a writer waits for the others: each needs milliseconds, and a hundred times that where fifty runs start
at once on two busy cores."""

_LOCKED = "database is locked"
"""What SQLite says when ``BUSY`` is over (SQLITE_BUSY)."""

_ADVISORY = 0x72756E6E6572
"""The number of the advisory lock that makes writers of a PostgreSQL database take turns: ``runner`` in ASCII."""

_CONNECT_TIMEOUT = 10
"""Seconds to reach a PostgreSQL server."""


class Database:
    """A database of locks. Nothing is opened before it is asked.

    ``url`` is ``sqlite:///PATH`` or ``postgresql://...``, None the user's own file (:func:`default_path`).
    ``busy`` is for how many seconds others may keep a file locked.

    Raises:
        UsageError: the URL is none, or of another kind of database.

    """

    def __init__(self, url: str | None, *, busy: float = BUSY) -> None:
        self._busy = busy
        self._url = _own_file() if url is None else _checked(url)
        self.name = self._url.render_as_string(hide_password=True)
        self._made: Engine | None = None

    @property
    def shared(self) -> bool:
        """Whether controllers of several machines may use it, so that its own clock counts."""
        return self._url.get_backend_name() == "postgresql"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer is in at the same time.

        Raises:
            UsageError: the database cannot be used; nothing was written.

        """
        with self._errors(), self._engine().begin() as connection:
            if self.shared:
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY)))
            yield connection

    def seconds(self, connection: Connection) -> float | None:
        """Seconds since 1970 by the server's clock; None for a file, whose clock is this machine's."""
        if not self.shared:
            return None
        return float(connection.execute(text("select extract(epoch from clock_timestamp())")).scalar_one())

    def close(self) -> None:
        """Let go of it."""
        if self._made is not None:
            self._made.dispose()
            self._made = None

    def _engine(self) -> Engine:
        if self._made is None:
            self._made = self._postgresql() if self.shared else self._sqlite()
        return self._made

    def _sqlite(self) -> Engine:
        path = Path(self._url.database or "")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._error(f"{error.strerror}: `{path.parent}`") from None
        engine = create_engine(self._url, poolclass=NullPool, connect_args={"timeout": self._busy})

        # As SQLAlchemy's page on SQLite says, "Serializable isolation / Savepoints / Transactional DDL": the driver's
        # own transactions begin too late to keep a reader that will write from failing with "database is locked".
        @event.listens_for(engine, "connect")
        def connected(connection: Any, record: Any) -> None:
            del record
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def _postgresql(self) -> Engine:
        try:
            return create_engine(
                self._url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_TIMEOUT}
            )
        except ImportError:
            raise UsageError(
                "lock-database-driver",
                "locks in PostgreSQL need the package `psycopg`, which is not installed; nothing was run",
                hints=("install it: `pip install 'runner[postgres]'`",),
            ) from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the database says into an error of ours, without the password."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
            raise self._error(reason[0], DatabaseBusy if reason[0] == _LOCKED else UsageError) from None

    def _error(self, reason: str, kind: type[UsageError] = UsageError) -> UsageError:
        if self._url.password:
            reason = reason.replace(str(self._url.password), "***")
        return kind(
            "lock-database",
            f"the database of the locks cannot be used, `{self.name}`: {reason}",
            hints=("see that it is there and may be written, or name another: `--database URL`",),
        )


def default_path(environment: Mapping[str, str]) -> Path:
    """``runner/locks.db`` in the user's state directory (XDG Base Directory: ``$XDG_STATE_HOME`` or ~/.local/state)."""
    named = environment.get("XDG_STATE_HOME", "")
    # A relative path there is invalid and to be ignored, says the specification.
    base = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return base / "runner" / "locks.db"


def _own_file() -> URL:
    return URL.create("sqlite", database=str(default_path(os.environ)))


def _checked(written: str) -> URL:
    try:
        url = make_url(written)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):  # what is written may hold a password, and is not repeated
        raise _refused("it is no URL of a database") from None
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            raise _refused("a SQLite database of locks is a file and takes no options")
        return URL.create("sqlite", database=os.path.expanduser(url.database))  # noqa: PTH111 - as in settings
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise _refused(f"`{backend}` is no database for locks")


def _refused(reason: str) -> UsageError:
    return UsageError(
        "lock-database-url",
        f"`--database` cannot be used: {reason}; nothing was run",
        hints=("write `sqlite:///path/to/locks.db`, or `postgresql://user@server/database`",),
    )

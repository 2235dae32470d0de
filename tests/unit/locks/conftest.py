"""The databases that locks are kept in, each empty: SQLite always, PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.postgresql import postgresql, programs


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL database."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/locks.db"
    served: str = request.getfixturevalue("server")
    engine = create_engine(served.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        names = "runner_locks, runner_locks_queue, runner_locks_queue_hosts, runner_locks_format"
        connection.execute(text(f"drop table if exists {names}"))
    engine.dispose()
    return served

"""``runner locks``: who holds which host since when, and taking it away from who is gone."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.options import database_option, hand_on_settings, option, problem_output_option
from runner.engine.port import Clock
from runner.errors import ExitCode, UsageError
from runner.locks.told import by_run, run_of
from runner.present.folding import fold
from runner.present.table import table_lines
from runner.problems import suggestion

if TYPE_CHECKING:
    from runner.locks.controller import ControllerLocks
    from runner.locks.model import Held
    from runner.locks.store import LockStore

EXAMPLES = """\b
Examples:
  runner locks list                                who holds which host since when
  runner locks list --database postgresql://runner@db.example/locks -o json
  runner locks release web01 web02                 of a run that is gone
  runner locks release --run 2026-11-21T015000Z-7f3a
  runner locks release web01 --force               also of a run that goes on: it is stopped

A run that has ended on this machine needs no release: the next one takes its hosts over."""


@click.group(epilog=EXAMPLES)
@click.pass_context
def command(context: click.Context) -> None:
    """Show and release the hosts that runs hold (`lock: run`); connects to no host."""
    hand_on_settings(context)


@command.command("list", epilog=EXAMPLES)
@database_option
@problem_output_option
def list_locks(database: str | None, output: str) -> int:
    """List the hosts that are held, with the run that holds them."""
    name, store = _store(database)
    held = store.held()
    if output == "json":
        document = {"version": 1, "database": name, "locks": [_entry(each) for each in held]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif held:
        click.echo("\n".join(_lines(held)))
    else:
        click.echo("no host is held", err=True)
    return ExitCode.SUCCESS


@command.command("release", epilog=EXAMPLES)
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@option("--run", metavar="RUN", help="All hosts that this run holds.")
@option("--force", is_flag=True, help="Also of a run that may still be going on; it is stopped then.")
@database_option
def release(hosts: tuple[str, ...], run: str | None, force: bool, database: str | None) -> int:
    """Take hosts from runs that are gone."""
    if bool(hosts) == (run is not None):
        raise click.UsageError("Name the hosts, or the run with `--run RUN`.")
    _, store = _store(database)
    chosen = _chosen(store.held(), hosts, run)
    living = [each for each in chosen if not each.free_to_take]
    if living and not force:
        raise _refused(living)
    for group in by_run(store.free(chosen)):
        click.echo(f"released {fold(each.host for each in group)}, held by {run_of(group[0])}", err=True)
    return ExitCode.SUCCESS


def run_locks(
    database: str | None,
    *,
    run: str,
    playbook: Path | str,
    wait: float,
    clock: Clock,
    on_lost: Callable[[str], None],
    on_notice: Callable[[str], None],
) -> ControllerLocks:
    """The locks of one run, for ``runner run``, ``resume`` and ``apply``; nothing is opened before hosts are asked for.

    ``wait`` in seconds (``--lock-wait``). ``on_lost`` gets a sentence, and must stop the run with exit code 4.
    """
    from runner.locks.controller import ControllerLocks  # noqa: PLC0415 - only runs that lock need it

    return ControllerLocks(
        database,
        run=run,
        playbook=str(playbook),
        wait=wait,
        clock=clock,
        on_lost=on_lost,
        on_notice=on_notice,
        name_hosts=fold,
    )


def _store(url: str | None) -> tuple[str, LockStore]:
    from runner.locks.database import Database  # noqa: PLC0415 - SQLAlchemy takes a third of a second
    from runner.locks.store import LockStore  # noqa: PLC0415 - as above

    database = Database(url)
    return database.name, LockStore(database)


def _chosen(held: Sequence[Held], hosts: Sequence[str], run: str | None) -> list[Held]:
    """What is to be released.

    Raises:
        UsageError: nobody holds it.

    """
    if run is not None:
        chosen = [each for each in held if each.holder.run == run]
        if not chosen:
            raise _unknown(f"run `{run}` holds no host", run, {each.holder.run for each in held})
        return chosen
    by_host = {each.host: each for each in held}
    for host in hosts:
        if host not in by_host:
            raise _unknown(f"nobody holds host `{host}`", host, by_host)
    return [by_host[host] for host in dict.fromkeys(hosts)]


def _unknown(message: str, word: str, known: Iterable[str]) -> UsageError:
    hints = suggestion(word, sorted(known))
    return UsageError(
        "lock-unknown", f"{message}; nothing was released", hints=hints or ("`runner locks list`",)
    )


def _refused(living: Sequence[Held]) -> UsageError:
    first = by_run(living)[0]
    lives = (
        "its process lives" if first[0].alive else f"it may renew them until {first[0].expires:%H:%M:%S} UTC"
    )
    return UsageError(
        "lock-alive",
        f"`{fold(each.host for each in first)}` is held by {run_of(first[0])}, and {lives}; nothing was released",
        hints=("stop that run, or take the hosts away under it, which stops it: `--force`",),
    )


def _entry(held: Held) -> dict[str, object]:
    holder = held.holder
    return {
        "host": held.host,
        "token": held.token,
        "run": holder.run,
        "playbook": holder.playbook,
        "user": holder.user,
        "controller": holder.controller,
        "pid": holder.pid,
        "since": held.since.isoformat(),
        "expires": held.expires.isoformat(),
        "expired": held.expired,
        "alive": held.alive,
    }


def _lines(held: Sequence[Held]) -> list[str]:
    """A line a run, its hosts folded."""
    rows = []
    for group in by_run(held):
        each, holder = group[0], group[0].holder
        until = "expired" if each.expired else f"{each.expires:%Y-%m-%d %H:%M:%S}Z"
        alive = {True: "yes", False: "no", None: "unknown"}[each.alive]
        who = f"{holder.user}@{holder.controller}:{holder.pid}"
        since = f"{each.since:%Y-%m-%d %H:%M:%S}Z"
        rows.append((fold(entry.host for entry in group), holder.run, who, since, until, alive))
    columns = ("HOSTS", "RUN", "WHO", "SINCE", "EXPIRES", "ALIVE")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1 << 20
    return ["".join(piece.text for piece in line) for line in table_lines(columns, rows, width)]

"""``runner locks``: who holds which host since when, and taking it away from who is gone."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.cli.options import (
    database_option,
    hand_on_settings,
    inventory_option,
    login_options,
    option,
    problem_output_option,
)
from runner.cli.prepare import Given
from runner.cli.run_command import asked_password
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
  runner locks list --on-hosts -i prod.yml web     locks on the hosts themselves (`lock: target`)
  runner locks release --on-hosts -i prod.yml web01

A run that has ended on this machine needs no release: the next one takes its hosts over."""


@click.group(epilog=EXAMPLES)
@click.pass_context
def command(context: click.Context) -> None:
    """Show and release the hosts that runs hold.

    `lock: run` is kept on the controller, or in a database, and no host is connected to. `lock: target` is kept on the
    hosts: `--on-hosts` asks them, as a run would connect to them.
    """
    hand_on_settings(context)


def _host_options(function: Callable[..., int]) -> Callable[..., int]:
    """Options that ask the hosts themselves."""
    for each in (
        login_options,
        option(
            "-p",
            "--playbook",
            type=click.Path(dir_okay=False),
            metavar="PATH",
            help="Log in to hosts with the credentials of this playbook.",
        ),
        inventory_option,
        option(
            "--on-hosts", is_flag=True, help="Locks that hosts hold themselves (`lock: target`): ask them."
        ),
    ):
        function = each(function)
    return function


@command.command("list", epilog=EXAMPLES)
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@_host_options
@database_option
@problem_output_option
def list_locks(
    hosts: tuple[str, ...],
    database: str | None,
    output: str,
    on_hosts: bool,
    playbook: str | None,
    **given: Any,
) -> int:
    """List the hosts that are held, with the run that holds them; HOST patterns choose with `--on-hosts`."""
    as_json = output == "json"
    if on_hosts:
        return _list_on_hosts(hosts, _given(given), playbook, as_json=as_json)
    if hosts:
        raise click.UsageError("Hosts choose among locks on hosts: add `--on-hosts` and `-i INVENTORY`.")
    name, store = _store(database)
    held = store.held()
    if as_json:
        _print_document({"version": 1, "database": name, "locks": [_entry(each) for each in held]})
    elif held:
        click.echo("\n".join(_lines(held)))
    else:
        click.echo("no host is held", err=True)
    return ExitCode.SUCCESS


@command.command("release", epilog=EXAMPLES)
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@option("--run", metavar="RUN", help="All hosts that this run holds.")
@option("--force", is_flag=True, help="Also of a run that may still be going on; it is stopped then.")
@_host_options
@database_option
def release(
    hosts: tuple[str, ...],
    run: str | None,
    force: bool,
    database: str | None,
    on_hosts: bool,
    playbook: str | None,
    **given: Any,
) -> int:
    """Take hosts from runs that are gone.

    With `--on-hosts` HOST are patterns, and `--force` stops no run: what goes on there goes on, without the lock.
    """
    if on_hosts and (hosts or run is not None):
        from runner.cli.locks_on_hosts import release_on_hosts  # noqa: PLC0415 - the others connect to nothing

        return release_on_hosts(hosts, run, _given(given), force=force, playbook=playbook)
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


def _given(options: dict[str, Any]) -> Given:
    password = asked_password() if options.pop("ask_password") else None
    return Given(**options, password=password)


def _list_on_hosts(hosts: Sequence[str], given: Given, playbook: str | None, *, as_json: bool) -> int:
    from runner.cli import locks_on_hosts  # noqa: PLC0415 - the others connect to nothing

    asked = locks_on_hosts.ask_hosts(hosts, given, playbook=playbook)
    if asked is None:
        return ExitCode.REFUSED
    if as_json:
        _print_document(locks_on_hosts.document(asked))
        return asked.exit_code
    if asked.held:
        columns = ("HOSTS", "RUN", "WHO", "SINCE", "EXPIRES")
        click.echo("\n".join(_table(columns, locks_on_hosts.rows(asked))))
    elif asked.found:
        click.echo("no host is held", err=True)
    for line in asked.complaints():
        click.echo(line, err=True)
    return asked.exit_code


def _print_document(document: dict[str, object]) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


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
    return _table(columns, rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1 << 20
    return ["".join(piece.text for piece in line) for line in table_lines(columns, rows, width)]

"""Codes of the area ``locks``: hosts that are held, the database that says so, and locks on hosts themselves."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "lock-held": CodePage(
        "Hosts of the run are held by another run",
        "The playbook or a step says `lock: run`, and another run that says so too is working on these hosts. Nothing "
        "was connected to. The message says which run, whose, where and since when. A run whose process has ended holds "
        "nothing: its hosts are taken over at once on the same machine, and after 60 s from another. Runs that wait get their "
        "hosts in the order in which they came, so a run that does not wait is refused too while others wait for them.",
        wrong="runner run patch.yml -i prod.yml          # while somebody patches the same hosts",
        right="runner run patch.yml -i prod.yml --lock-wait 10m",
    ),
    "lock-database": CodePage(
        "The database that holds the locks cannot be used",
        "Without `--database` it is the file `runner/locks.db` in the state directory (`$XDG_STATE_HOME`, else "
        "`~/.local/state`). The message has the reason of the system or of the server; a password is never shown.",
        wrong="runner run patch.yml --database sqlite:////srv/locks.db     # which this user may not write",
        right="runner run patch.yml --database postgresql://runner@db.example/locks",
    ),
    "lock-database-url": CodePage(
        "`--database` names no database that can hold locks",
        "Locks are kept in a SQLite file, for one machine, or in PostgreSQL, for controllers on several. Nothing was "
        "run. Leave the password to a file (`~/.pgpass`) or set `RUNNER_DATABASE`, so that no process list shows it.",
        wrong="--database mysql://db.example/locks",
        right="--database postgresql://runner@db.example/locks",
    ),
    "lock-database-driver": CodePage(
        "The package that speaks to PostgreSQL is not installed",
        "It comes with an extra of the package. Nothing was run.",
        wrong="pip install runner",
        right="pip install 'runner[postgres]'",
    ),
    "lock-database-version": CodePage(
        "The tables of the locks were made by another version of the runner",
        "All controllers that share a database must know the same format, or one would not see what another holds. "
        "Nothing was run.",
    ),
    "lock-alive": CodePage(
        "Locks of a run that may still be going on were to be released",
        "`runner locks release` takes away what a run holds that has ended. One whose process lives, or of which "
        "nothing can be known from this machine and whose time is not over, keeps its hosts unless `--force` is given; "
        "it is stopped then within 20 s. With `--on-hosts` nothing but the time of a lock can be known; a run that goes on "
        "without its lock is not stopped, and its next step that asks for it fails.",
        wrong="runner locks release web01",
        right="runner locks release web01 --force",
    ),
    "lock-unknown": CodePage(
        "Nobody holds what was to be released",
        "The name is that of the host in the inventory, and the run is its id. `runner locks list` shows both, for "
        "locks on hosts `runner locks list --on-hosts -i INVENTORY`.",
    ),
    "lock-target-held": CodePage(
        "The host is held by another run, by a lock on the host itself",
        "The step or the playbook says `lock: target`, and the file of the lock on the host says who holds it. Nothing "
        "of the step was sent. A lock that nobody renews is free after 3 minutes by the host's own clock.",
        wrong="runner run patch.yml -i prod.yml          # while another controller patches the same host",
        right="runner run patch.yml -i prod.yml --lock-wait 10m",
    ),
    "lock-target-lost": CodePage(
        "The lock on the host was lost to another run between two steps",
        "The host could not be reached for 3 minutes, so the lock was not renewed, and another run took it, or somebody "
        "released it by hand (`runner locks release --on-hosts --force`). Steps of this run that ask for the lock fail there from now on: somebody else is working on the host.",
    ),
    "lock-target-script": CodePage(
        "The lock on the host cannot be handled there",
        "It is a file `.runner-lock.N` in /run/lock where all may write there, else in /tmp; on Windows in "
        "%ProgramData%\\runner-locks. The login must be able to write there, sh needs `mktemp`, `ln`, `sed` and "
        "`date`, PowerShell the language mode FullLanguage. The message has the host's words. Nothing of the step was "
        "sent.",
    ),
}

"""What a command takes before it does anything: ``runner --help``, and from its start to the first sign of a run.

Run: ``python -m benchmarks start [--runs N]``. Each is a process of its own with warm files, beside a bare
interpreter, which nothing written in Python can beat. The first sign is the line that names the run. From the plan's
end to it is timed inside, for a host over SSH too, whose library is loaded then; that host refuses, which is no matter.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Run, Spread, run


def measure(command: Sequence[str], runs: int, mark: str = "") -> list[Run]:
    """A warm-up that is thrown away, then some runs."""
    taken = [run(command, os.environ, mark) for _ in range(runs + 1)][1:]
    broken = next((each for each in taken if each.exit_code != 0), None)
    if broken is not None:
        raise SystemExit(f"{' '.join(command)} ended with {broken.exit_code}:\n{broken.output}")
    return taken


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks start", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=9, help="runs of each [9]")
    parser.add_argument("--first-sign", choices=("local", "ssh"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first_sign is not None:
        print(first_sign(options.first_sign))
        return 0
    runs: int = options.runs
    ours = (sys.executable, "-m", "runner")
    print(f"milliseconds, median of {runs} (lowest..highest)")
    with tempfile.TemporaryDirectory() as name:
        playbook = Path(name, "playbook.yml")
        playbook.write_text(
            json.dumps({"version": 1, "name": "One", "steps": [{"id": "one", "script": "echo 1"}]})
        )
        commands = {
            "bare interpreter": (sys.executable, "-c", ""),
            "runner --help": (*ours, "--help"),
            "runner run --help": (*ours, "run", "--help"),
            "runner validate": (*ours, "validate", str(playbook)),
            "runner run, whole": (*ours, "run", str(playbook), "--record", name),
        }
        for label, command in commands.items():
            print(f"{label:24}{_shown([each.whole for each in measure(command, runs)])}")
        signs = [
            each.marked_at - each.began_at
            for each in measure((*ours, "run", str(playbook), "--record", name), runs, "^run ")
            if each.marked_at is not None
        ]
        print(f"{'runner run, first sign':24}{_shown(signs)}")
        for transport in ("local", "ssh"):
            inside = [sys.executable, "-m", "benchmarks.start", "--first-sign", transport]
            waits = [float(subprocess.check_output(inside)) for _ in range(runs)]
            print(f"{f'plan to sign, {transport}':24}{_shown(waits)}")
    return 0


class _Noting(io.StringIO):
    """A stream that notes when it was first written to."""

    written_at: float | None = None

    def write(self, text: str) -> int:
        self.written_at = self.written_at or time.perf_counter()
        return super().write(text)


def first_sign(transport: str) -> float:
    """Seconds from the plan's end to the first line of the run, in this process."""
    from runner.cli.prepare import Given, prepare  # noqa: PLC0415 - so that the parent stays light

    with tempfile.TemporaryDirectory() as name:
        step = {"id": "one", "script": "echo 1", **({"hosts": "away"} if transport == "ssh" else {})}
        playbook, inventory = Path(name, "playbook.yml"), Path(name, "hosts.ini")
        playbook.write_text(json.dumps({"version": 1, "name": "One", "steps": [step]}))
        inventory.write_text("away ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh\n")
        given = Given(inventory=(str(inventory),))
        prepared = prepare(str(playbook), given)
        plan = prepared.plan
        planned, stream = time.perf_counter(), _Noting()
        # As the command does, after the plan.
        from runner.cli.kept import keep_new  # noqa: PLC0415
        from runner.cli.recording import header_of  # noqa: PLC0415
        from runner.cli.running import Showing, execute  # noqa: PLC0415

        if plan is None:
            raise SystemExit("there is no plan")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(stream):
            header = header_of(prepared, plan, given, path=str(playbook), logins={})
            execute(plan, {}, showing=Showing(no_color=True), keep=lambda: keep_new(Path(name), header))
    if stream.written_at is None:
        raise SystemExit("the run gave no sign")
    return stream.written_at - planned


def _shown(seconds: Sequence[float]) -> str:
    return Spread.of([second * 1000 for second in seconds]).shown(0)


if __name__ == "__main__":
    sys.exit(main())

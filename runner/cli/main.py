"""The console script: finds the command, wires it, and turns every way out into an exit code (cli.md, "Exit codes")."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from runner import __version__
from runner.cli.settings import read_settings
from runner.errors import ExitCode, RunnerError
from runner.problems import Problem, did_you_mean

COMMANDS = {
    "run": "Validate, plan, execute and show a playbook",
    "validate": "Check playbooks and inventories; connects to nothing",
    "plan": "Show the exact steps x hosts, in order, with scripts' digests",
    "apply": "Run a plan file, exactly",
    "graph": "Draw the steps as a graph",
    "locks": "Who holds which host since when (lock: run)",
    "resume": "Go on where a run stopped",
    "runs": "Runs, past and going on: list, show, watch, stop, approve, diff, export, prune",
    "inventory": "Show what the inventory resolves to",
    "explain": "Where a variable came from; what an error code means",
    "schema": "Print a JSON Schema",
    "lab": "A fleet on loopback to try and test with",
    "doctor": "What is missing here and on the targets, and how to mend it",
    "init": "Start a repository of runbooks",
    "completion": "Print shell completion",
}


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What writing fails with when a disk, a quota or a limit is full."""
_GONE = frozenset({errno.EPIPE, errno.EIO})
"""What writing fails with when nobody reads a pipe any more, and when a terminal was closed."""


class LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for, so that ``--help`` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"runner.cli.{cmd_name}_command")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"runner.cli.{cmd_name}_command.command is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name, or an error that suggests the near one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], COMMANDS)
            hint = f" Did you mean `{near}`?" if near else f" Commands: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table: no module is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EPILOG = """\b
Examples:
  runner lab up 5                                   five hosts on loopback
  runner run playbooks/hello.yml -i .runner/lab/inventory.yml
  runner validate playbooks/ -i inventories/prod.yml
  runner run patch.yml -i prod.yml -l 'web:!canary' -e version=2.1 -f 50
  runner resume last                                go on where a run stopped
  runner explain unknown-using                      what an error code means

Exit codes: 0 all well, 1 failed, 2 nothing was run, 3 unreachable, 4 stopped by a limit, 5 a difference, 130 Ctrl-C."""


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="runner")
@click.pass_context
def runner(context: click.Context) -> None:
    """Run YAML playbooks over fleets: PowerShell, sh, bash and python, without an agent."""
    settings = read_settings(Path.cwd())
    context.default_map = dict.fromkeys(COMMANDS, settings) if settings else None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    _open_missing_streams()
    sys.exit(run_command_line(arguments))


def _open_missing_streams() -> None:
    """Put the null device where a standard stream is closed, as under some daemons (git does the same).

    Else the next file or socket would get the number of standard output, and what is printed would go into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the lowest free number is the one that is missing
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - stays for good


def run_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code. Never raises but for a bug in itself."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
    except Exception as error:  # noqa: BLE001 - the last fence: a bug of ours ends in a report and 70
        lost = _let_go_of_lost_streams()
        if isinstance(error, OSError) and (lost or error.errno in _GONE | _FULL):
            return _code_of_lost_output(lost or error, ExitCode.SUCCESS)
        from runner.cli.complain import report_bug  # noqa: PLC0415 - only when something is wrong

        return report_bug(error)
    lost = _let_go_of_lost_streams()
    return _code_of_lost_output(lost, code) if lost and code < ExitCode.HANG_UP else code


def _code_of_lost_output(error: OSError, code: int) -> int:
    """The exit code where output is lost: a reader who went away is no mistake, a full disk is one."""
    if error.errno in _GONE:
        return ExitCode.CLOSED_OUTPUT
    if code == ExitCode.SUCCESS:  # else it has been told already
        with suppress(OSError):
            reason = error.strerror or str(error)
            print(f"error[output-not-written]: cannot write to standard output: {reason}", file=sys.stderr)  # noqa: T201
        return ExitCode.FAILED
    return code


def _run(words: list[str]) -> int:
    """The exit code of a command that ends as it should, or is refused, or is told to stop.

    Raises:
        OSError: nobody reads standard output any more, or the terminal is closed.

    """
    if "_RUNNER_COMPLETE" in os.environ:
        runner.main(args=words, prog_name="runner")
    try:
        # Not by Click's main(), which makes exit code 1 of a closed pipe.
        with runner.make_context("runner", list(words)) as context:
            result: Any = runner.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt, EOFError):
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        return _refuse_words(error, words)
    except RunnerError as error:
        from runner.cli.complain import complain, refuse, wants_json  # noqa: PLC0415 - only when something is wrong

        if error.exit_code is ExitCode.REFUSED:
            return refuse(error.problems, as_json=wants_json(words))
        if error.exit_code is not ExitCode.CLOSED_OUTPUT:  # that is no mistake, and the report has told it
            complain(error.problems, as_json=wants_json(words))
        return error.exit_code
    return int(result) if isinstance(result, int) else ExitCode.SUCCESS


def _let_go_of_lost_streams() -> OSError | None:
    """Why a stream holds back what was written: nobody reads the pipe, the terminal was closed, the disk is full.

    Such a stream goes to the null device, or the interpreter would try again at its end and exit with 120.
    """
    lost = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            lost = lost or error
    return lost


def _refuse_words(error: click.ClickException, words: Sequence[str]) -> int:
    """Say what is wrong with the words that were typed, as Click does, or as the document of problems."""
    from runner.cli.complain import refuse, wants_json  # noqa: PLC0415 - only when something is wrong

    if wants_json(words):
        message = " ".join(error.format_message().split()).rstrip(".")
        hint = "`runner --help` lists the commands, `runner COMMAND --help` the options of one"
        return refuse([Problem("command-line", message, hints=(hint,))], as_json=True)
    error.show()
    return ExitCode.REFUSED

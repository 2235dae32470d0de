"""The pages of the settings file and of exit codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import click

from docs.generators.markdown import table
from runner.cli.main import COMMANDS, runner
from runner.cli.settings import FILE_NAME, OPTIONS
from runner.errors import ExitCode

_INTRODUCTION = f"""\
# The settings file

`{FILE_NAME}`, or the table `[tool.runner]` of `pyproject.toml`, holds defaults for the options of every command. The
nearest one counts, from the folder you stand in upwards. Keys are the long names of options, with `_` or `-` between
words; an option that repeats takes a list. Paths are relative to the file. The environment and the command line win.
A key that names no option is refused ([`unknown-setting`](errors/unknown-setting.md)).

```toml
inventory = ["inventories/prod.yml"]
throttle = 50
no_color = true
```
"""

_MEANINGS = {
    ExitCode.SUCCESS: "Everything that ran succeeded; ignored errors and skipped steps included",
    ExitCode.FAILED: "The run finished, and something failed, timed out or is unknown on a host; `lab status`: no lab"
    " is up; `doctor`: something is missing",
    ExitCode.REFUSED: "Nothing was run: arguments, playbook, inventory, plan file, its signature or the source of a"
    " credential is wrong, or hosts are locked",
    ExitCode.UNREACHABLE: "Nothing failed, but a host could not be reached or refused the login",
    ExitCode.STOPPED: "Stopped early by a policy of the playbook (`max_fail`, `max_unreachable`, `health`, a gate) or"
    " as the journal could not be written; or a run that cannot be gone on with",
    ExitCode.DIFFERENT: "`plan --check`, `run --check`, `apply --check`: something would change; `runs diff`: the runs"
    " differ",
    ExitCode.BUG: "A bug of runner; a report file is named",
    ExitCode.HANG_UP: "Hang-up (SIGHUP); what was running on hosts was stopped",
    ExitCode.INTERRUPTED: "Ctrl-C; what was running on hosts was stopped",
    ExitCode.CLOSED_OUTPUT: "Who read the output went away; what was running on hosts was stopped",
    ExitCode.TERMINATED: "Termination (SIGTERM); what was running on hosts was stopped",
}


def pages() -> dict[str, str]:
    """``settings.md`` and ``exit-codes.md``."""
    return {"settings.md": _settings(), "exit-codes.md": _exit_codes()}


def _settings() -> str:
    options: dict[str, list[tuple[str, click.Option]]] = defaultdict(list)
    for path, option in _options():
        if option.name in OPTIONS:
            options[option.name].append((path, option))
    rows = [
        (f"`{name}`", options[name][0][1].help or "", ", ".join(f"`{path}`" for path, _ in options[name]))
        for name in sorted(options)
    ]
    return _INTRODUCTION + "\n" + table(("key", "what it does", "commands"), rows)


def _options() -> Iterator[tuple[str, click.Option]]:
    context = click.Context(runner, info_name="runner", **runner.context_settings)
    for name in COMMANDS:
        command = runner.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        for below, one in inner.items():
            for option in one.params if one else ():
                if isinstance(option, click.Option):
                    yield f"{name} {below}".strip(), option


def _exit_codes() -> str:
    rows = ((f"`{int(code)}`", f"{_MEANINGS[code]}.") for code in ExitCode)
    order = "The first that applies, in this order: 70, a signal, 4, 1, 3, 5, 0."
    return f"# Exit codes\n\n{table(('code', 'meaning'), rows)}\n{order}"

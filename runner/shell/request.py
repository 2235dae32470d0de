"""What is asked of an interpreter: a script, typed values and where it runs. A plain value, nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.using.model import Shell

#: What is started where a placement names no interpreter.
PROGRAMS = {Shell.SH: "sh", Shell.BASH: "bash", Shell.PYTHON: "python3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellRequest:
    """One script for one interpreter.

    Attributes:
        shell: ``sh``, ``bash`` or ``python``.
        interpreter: the program's name or path on the host; None is ``sh``, ``bash`` or ``python3``.
        script: the author's text after the rewriting of ``$Using:``; never changed further.
        values: the variables the rewritten script reads, by name (``__runner_using_0``): sh takes scalars, bash also
            lists and mappings of scalars, python any JSON-like value and datetime, date, timedelta, Decimal, bytes.
        args: sh and bash get scalars as ``$1 ...``; python gets texts in ``sys.argv[1:]`` and the typed list as
            ``args``.
        environment: variables of the script and what it starts; in a kept interpreter for this step only.
        working_directory: where the script begins; ``~`` and ``~/...`` are the login's home, a relative path starts
            from where the interpreter is. In a kept interpreter for this step only.
        script_name: what the interpreter calls the script in its messages (``$0``, ``sys.argv[0]``).

    """

    shell: Shell
    script: str
    interpreter: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    args: Sequence[Any] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str | None = None
    script_name: str = "script"

    @property
    def program(self) -> str:
        """What is started on the host."""
        return self.interpreter or PROGRAMS[self.shell]


def program_request(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    working_directory: str | None = None,
) -> ShellRequest:
    """The request that runs one program as argv, with an environment and a directory, without a shell reading it.

    ``sh`` only prepares and is replaced by the program; where neither environment nor directory is asked for,
    starting ``command`` itself over the connection does the same with less.
    """
    return ShellRequest(
        shell=Shell.SH,
        script='exec "$@"',
        args=tuple(command),
        environment=environment or {},
        working_directory=working_directory,
    )

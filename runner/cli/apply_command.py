"""``runner apply``: run a plan file, exactly; what has changed since it was made is refused by name."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from runner import __version__
from runner.cli.complain import complain, refuse
from runner.cli.completing import complete_files
from runner.cli.options import (
    anchored_outputs,
    check_options,
    extra_option,
    lock_options,
    option,
    output_options,
    record_options,
    trace_option,
)
from runner.cli.record import record_folder
from runner.errors import UsageError
from runner.problems import Problem, Severity
from runner.values import JsonValue, Secret

EXAMPLES = """\b
Examples:
  runner plan patch.yml -i prod.yml --out patch.plan   made, then looked at
  runner apply patch.plan
  runner apply patch.plan --root .                     elsewhere, the same files
  runner apply patch.plan -e token=@token.yml          secret inputs are in no plan
  runner apply patch.plan --allowed-signers allowed_signers --signer ops@example.com

The plan is made again and must come out the same. With --allowed-signers, or RUNNER_ALLOWED_SIGNERS,
it must be signed: ssh-keygen -Y sign -n runner-plan -f KEY patch.plan
Exit codes: as `runner run`; 2 where anything has changed, or the signature is not accepted."""

_MOST_TOLD = 50
"""Differences that are told one by one: more says that it is another plan altogether."""


@click.command(epilog=EXAMPLES)
@click.argument("planfile", shell_complete=complete_files)
@extra_option
@option(
    "--root", metavar="DIR", help="The folder that the plan's paths are relative to [as when it was made]."
)
@option("--signature", metavar="FILE", help="The plan's signature [PLANFILE.sig].")
@option("--allowed-signers", metavar="FILE", help="Who may sign plans; the plan must be signed then.")
@option("--signer", metavar="NAME", help="Who must have signed it [anybody in the file].")
@option("--ask-password", is_flag=True, help="Ask for the login password once (terminal only).")
@lock_options
@check_options
@output_options
@trace_option
@record_options
def command(
    planfile: str,
    extra: tuple[str, ...],
    root: str | None,
    no_input: bool,
    output: tuple[str, ...],
    record: Path | None,
    **options: Any,
) -> int:
    """Run the plan of PLANFILE, exactly: the same steps on the same hosts in the same order.

    Playbook, scripts, inventory and inputs are compared with what they were; each that has changed is named, and
    nothing is run.
    """
    from runner.journal.lines import read_options  # noqa: PLC0415 - the help needs none of it
    from runner.journal.record import APPLIED  # noqa: PLC0415
    from runner.planfile.file import moment, parse_plan_file, read_bytes  # noqa: PLC0415

    content = read_bytes(planfile)
    asked = {name: options.pop(name) for name in ("signature", "allowed_signers", "signer")}
    signed_by = _signed_by(content, planfile, **asked)
    document = parse_plan_file(content, planfile)
    output, extra = tuple(anchored_outputs(output)), tuple(map(_anchored_extra, extra))
    record = record.absolute() if record else None
    recorded, path = read_options(document["options"]), document["playbook"]["path"]
    _refuse_missing(recorded.secret_extras, extra)
    elsewhere = _enter(document["root"], root)
    from runner.cli.prepare import Origin, prepare, run_id  # noqa: PLC0415 - it loads YAML, Jinja and the planner
    from runner.cli.recording import given_again  # noqa: PLC0415
    from runner.cli.run_command import Recording, Telling, run_prepared  # noqa: PLC0415

    given = given_again(
        recorded,
        extra=extra,
        password=_password(asks=options.pop("ask_password") or recorded.ask_password, no_input=no_input),
        no_input=no_input,
    )
    given = replace(given, check=options.pop("check") or recorded.check)
    origin = Origin(run_id(datetime.now(UTC)), moment(document["now"]), document["seed"])
    prepared = prepare(path, given, origin=origin)
    changed = _changed(document, prepared, given, path)
    if changed:
        as_json = any(form in {"json", "jsonl"} for form in output)
        more = [] if prepared.plan else prepared.problems.sorted()
        return refuse([*changed, *more], prepared.sources, as_json=as_json)
    if document["runner"] != __version__:
        complain([_other_version(document["runner"])])
    folder = record or record_folder(Path(path), os.environ)
    if prepared.plan is not None:
        _tell(planfile, document, signed_by)
    applied: dict[str, JsonValue] = {
        "path": planfile,
        "digest": document["digest"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "signed_by": signed_by,
    }
    shown_as = record or (folder.absolute() if elsewhere else None)
    return run_prepared(
        prepared,
        given,
        Recording(path, folder, shown_as, {APPLIED: applied}),
        Telling(output=output, **options),
    )


def _password(*, asks: bool, no_input: bool) -> Secret | None:
    from runner.cli.run_command import asked_password  # noqa: PLC0415 - the help needs none of it

    return asked_password(no_input=no_input) if asks else None


def _signed_by(
    content: bytes, planfile: str, signature: str | None, allowed_signers: str | None, signer: str | None
) -> str | None:
    """Who signed the plan; None where nobody had to."""
    from runner.planfile.signature import Signing, verify  # noqa: PLC0415 - the help needs none of it

    if allowed_signers is not None:
        return verify(content, planfile, Signing(allowed_signers, signature, signer))
    if signature is None and signer is None:
        return None
    raise UsageError(
        "plan-signature",
        "a signature is to be checked, and nothing says who may sign; nothing was run",
        hints=("name them: `--allowed-signers FILE`, or the variable RUNNER_ALLOWED_SIGNERS",),
    )


def _anchored_extra(text: str) -> str:
    """A file of ``-e`` where the command is typed."""
    return f"@{Path(text[1:]).expanduser().absolute()}" if text.startswith("@") else text


def _refuse_missing(secrets: Sequence[str], extra: Sequence[str]) -> None:
    from runner.cli.extras import read_extras  # noqa: PLC0415 - it loads YAML

    given = read_extras(extra)
    missing = [name for name in secrets if name not in given]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise UsageError(
            "plan-secret",
            f"the plan was made with {names}, which is secret and not in it; nothing was run",
            hints=tuple(f"give it again: `-e {name}=...`, or `-e @FILE`" for name in missing),
        )


def _enter(then: str, root: str | None) -> bool:
    """Go where the plan's paths are; says whether that is another folder than the one here.

    Raises:
        UsageError: ``plan-root``: it cannot be entered.

    """
    here = Path.cwd()
    folder = Path(then) if root is None else Path(root).expanduser()
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(
            "plan-root",
            f"the folder `{folder}`, which the plan's paths are relative to, cannot be entered: {error.strerror};"
            " nothing was run",
            hints=("name the folder with the same files: `--root DIR`, e.g. `--root .`",),
        ) from error
    return Path.cwd() != here


def _changed(document: Mapping[str, Any], prepared: Any, given: Any, path: str) -> list[Problem]:
    """A problem for each difference, at most so many."""
    from runner.cli.plan_file import document_of  # noqa: PLC0415 - it loads the planner
    from runner.planfile.compare import differences, file_differences  # noqa: PLC0415

    if prepared.plan is None:
        told = file_differences(document, _files_now(document))
    else:
        told = differences(document, document_of(prepared, prepared.plan, given, path=path))
    more = len(told) - _MOST_TOLD
    told = [*told[:_MOST_TOLD], *([f"and {more} more: it"] if more > 0 else [])]
    hint = "look at what changed, then make the plan again: `runner plan PLAYBOOK --out FILE`"
    return [
        Problem("plan-changed", f"{each} since the plan was made", hints=(hint,) if each is told[-1] else ())
        for each in told
    ]


def _files_now(document: Mapping[str, Any]) -> dict[tuple[str, str], str | None]:
    """Digests of the recorded files as they are now; an executable inventory is left out, as it would have to run."""
    now: dict[tuple[str, str], str | None] = {}
    for file in document["files"]:
        path = Path(file["path"])
        if not path.exists():
            now[file["kind"], file["path"]] = None
        elif path.is_file() and not (file["kind"] == "inventory" and os.access(path, os.X_OK)):
            with suppress(OSError):
                now[file["kind"], file["path"]] = hashlib.sha256(path.read_bytes()).hexdigest()
    return now


def _other_version(version: str) -> Problem:
    return Problem(
        "plan-version",
        f"the plan was made by runner {version}, and this is {__version__}",
        severity=Severity.WARNING,
    )


def _tell(planfile: str, document: Mapping[str, Any], signed_by: str | None) -> None:
    from runner.planfile.file import moment  # noqa: PLC0415 - the help needs none of it
    from runner.present.harmless import harmless  # noqa: PLC0415
    from runner.units import format_duration  # noqa: PLC0415

    age = format_duration(max(0.0, (datetime.now(UTC) - moment(document["now"])).total_seconds()))
    signed = f", signed by {harmless(signed_by)}" if signed_by else ""
    sys.stderr.write(f"plan file {planfile}, digest {document['digest'][:12]}, made {age} ago{signed}\n")

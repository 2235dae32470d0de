"""Recorded runs as steps of a playbook: what each says, what a playbook says otherwise, and what it cannot say."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from tests.support.engines import real_engine
from tests.support.recorded import Run, application_arguments, recording, runs
from tests.support.recorded_own import Question
from tests.wire.playing import Book
from tests.wire.values import Sayer

REFUSED: dict[str, str] = {
    "05-using-missing.0": "unknown-using",
    "05-using-missing.1": "unknown-using",
    "06-using-refused.0": "invalid-using-expression",
    "06-using-refused.1": "invalid-using-expression",
    "06-using-refused.2": "invalid-using-expression",
    "06-using-refused.3": "invalid-using-expression",
    "06-using-refused.4": "using-assigned",
}
"""Mistakes that an engine was sent, and that a playbook is refused for before anything is sent: the problem's code."""

_TEXT = "templates and YAML have text for it, which is what is sent"
_SCRIPTS = "a step is one script, and what it sets of the session stands before it; it is not two scripts"
_STAYED = "shows what statements left in the session; a step puts back what it sets"

UNSAID: dict[str, str] = {
    "03b-using-case-of-chain.1": "a key that does not fit the script: keys are made from the script",
    "11-using-words.0": "one variable that is the text `B` and has a member `Name`",
    "12-using-array-form.0": "the array form of `--%`, which engines before 5 want and which loses what is nested",
    "12b-using-two-scripts.0": _SCRIPTS,
    "12b-using-two-scripts.1": _SCRIPTS,
    "13-type-char.0": _TEXT,
    "13-type-float-raw.0": "psrpcore sends a float as Single and loses digits (remoting.md 9.5); ours is a Double",
    "13-type-uri.0": _TEXT,
    "13-type-version.0": _TEXT,
    "13-type-xml.0": _TEXT,
    "15-instants.1": "a time with a zone is sent in UTC, so its Kind is Utc (remoting.md 1.9); the instant is the same",
    **dict.fromkeys(
        (f"32b-host-answers.{n}" for n in range(4)), "a person at a host with a screen; a run has none"
    ),
    "41-commands.2": "two statements: a `command` step is one pipeline",
    **dict.fromkeys((f"51-statements.{n}" for n in (1, 3, 7)), _STAYED),
    **dict.fromkeys((f"51-statements.{n}" for n in (9, 10, 11, 12, 13)), _SCRIPTS),
}
"""Runs that no playbook can ask for, and why."""


def _without_unused(*keys: str) -> Callable[[str], str]:
    """The request without values that its script does not use."""

    def change(clixml: str) -> str:
        for key in keys:
            clixml = re.sub(
                rf'<En><S N="Key">{re.escape(_key(key))}</S>.*?</En>(?=<En>|</DCT>)',
                "",
                clixml,
                flags=re.DOTALL,
            )
        return clixml

    return change


def _key(expression: str) -> str:
    return base64.b64encode(expression.encode("utf-16-le")).decode()


def _renamed(before: str, after: str) -> Callable[[str], str]:
    """The request with another name for a value."""
    return lambda clixml: clixml.replace(_key(before), _key(after)).replace(before, after)


OTHERWISE: dict[str, tuple[str, Callable[[str], str]]] = {
    "06-using-refused.5": ("values that the script does not use are not sent", _without_unused("$using:a")),
    "06-using-refused.6": ("values that the script does not use are not sent", _without_unused("$using:x")),
    "09-scope-of-session.7": (
        "no word makes a scope of its own in a session: a pool of the step's own forgets as well",
        lambda clixml: clixml.replace('<B N="UseLocalScope">true</B>', '<Nil N="UseLocalScope" />'),
    ),
    "13-type-datetime-offset.0": (
        "a time with a zone is sent in UTC (remoting.md 1.9)",
        lambda clixml: clixml.replace("T12:30:15.123456+02:00", "T10:30:15.123456Z"),
    ),
    "13-type-scriptblock.0": (
        "a script block is text, as which it arrives anyhow",
        lambda clixml: re.sub(r'<SBK N="Value">([^<]*)</SBK>', r'<S N="Value">\1</S>', clixml),
    ),
    "19-secure-in.0": (
        "a login is `$using:credentials.NAME`",
        _renamed("$using:c", "$using:credentials.c"),
    ),
}
"""Runs whose request a playbook makes in other words, why, and the recorded request in those words."""

_SETTINGS: dict[str, dict[str, Any]] = {
    "51-statements.0": {"working_directory": "/tmp"},
    "51-statements.2": {"strict_mode": "latest"},
    "51-statements.6": {"error_action": "Stop"},
}
"""Statements before a script, as keys of a step, which has a pool of its own: in a kept session they are put back."""

STOP_AFTER = "5s" if real_engine() else "1s"
"""When a run that was stopped in its recording is stopped. What comes before is compared: a replay says it at once, the
first script of an engine takes its time."""

_ALONE = frozenset({"09-scope-of-session.7", *_SETTINGS})

OWN_QUESTIONS = [Question("Test-Path", answer=True, named={"LiteralPath": "/tmp", "PathType": "Container"})]
"""What the product itself asks an engine beside the steps: whether a working directory is there."""


def sayable(run: Run) -> bool:
    """Whether a playbook can ask for it."""
    return run.name not in UNSAID and run.name not in REFUSED


def step_id(run: Run) -> str:
    """The step of a run."""
    return f"run_{run.number}"


def book_of(name: str, wanted: Callable[[Run], bool] = sayable) -> tuple[Book, list[Question]]:
    """The playbook of a recording, and the questions that it asks beside the recorded ones.

    The runs are steps in one session; before them come the steps that make values which YAML has not.
    """
    sayer = Sayer()
    chosen = [run for run in runs(name) if wanted(run)]
    steps = [_step(run, sayer) for run in chosen]
    sent = application_arguments(recording(name))
    told = {key: value for key, value in sent.items() if key != "PSVersionTable"}  # psrpcore's own
    makers = [
        {"id": f"made_{number}", "script": script, "register": f"made_{number}"}
        for number, (script, _) in enumerate(sayer.made)
    ]
    book = Book(
        steps=[*makers, *steps],
        head=dict(_HEADS.get(name, {})),
        extra=_EXTRA.get(name, {}),
        alone=tuple(step_id(run) for run in chosen if run.name in _ALONE),
    )
    if told:
        book.session_option = {"application_arguments": sayer.say(told)}
    return book, [*OWN_QUESTIONS, *(Question(script, value) for script, value in sayer.made)]


PASSWORD, PASSWORD_VARIABLE = "s3 crét", "WIRE_PASSWORD"
"""The password that server/19 sends, and the variable of the environment that a playbook has it from."""

_HEADS: dict[str, dict[str, Any]] = {
    "19-secure-in": {
        "inputs": {"ss": {"type": "secure_string"}},
        "credentials": {"c": {"username": "DOMAIN01\\User01", "password": {"env": PASSWORD_VARIABLE}}},
    }
}
_EXTRA = {"19-secure-in": {"ss": "p@ß"}}


def _step(run: Run, sayer: Sayer) -> dict[str, Any]:
    document = run.document
    step: dict[str, Any] = {"id": step_id(run), "ignore_errors": True}
    commands = document["commands"]
    if run.name in _SETTINGS:
        (script,) = [each for each in commands if "script" in each]
        step |= {"script": script["script"]} | _SETTINGS[run.name]
    elif commands:
        return step | {"command": [_command(each, sayer) for each in commands]}
    else:
        step["script"] = document["script"]
    if run.name in OTHERWISE and "credentials" in str(_HEADS.get(run.recording)):
        step["script"] = step["script"].replace("$using:c)", "$using:credentials.c)")
    if using := _variables(run, sayer):
        step["using"] = using
    positional, named = run.arguments()
    if positional:
        step["args"] = sayer.say(positional)
    if named:
        step["parameters"] = sayer.say(named)
    items = run.items()
    if items is not None:
        step["input_object"] = sayer.say(items)
    if document["stop_after"] is not None:
        step["timeout"] = STOP_AFTER
    return step


def _command(command: dict[str, Any], sayer: Sayer) -> dict[str, Any]:
    said: dict[str, Any] = {"name": command["command"]}
    if command.get("args"):
        said["args"] = sayer.say(command["args"])
    if command.get("parameters"):
        said["parameters"] = sayer.say(command["parameters"])
    return said


_BARE = re.compile(r"[$@]\{?using:(?P<name>\w+)\}?$", re.IGNORECASE)
_CHAIN = re.compile(r"\$using:(?P<name>\w+)\.(?P<member>\w+)$", re.IGNORECASE)


def _variables(run: Run, sayer: Sayer) -> dict[str, Any]:
    """The variables behind using expressions; a chain is a member of its variable where that is not sent whole."""
    found: dict[str, Any] = {}
    script = run.document["script"] or str(run.document["commands"])
    if run.recording == "19-secure-in":
        return found  # its input and its login have the names
    sent = run.using()
    for expression, value in sent.items():
        if (bare := _BARE.match(expression)) and _uses(script, expression):
            found[_as_written(script, bare["name"])] = sayer.say(value)
    for expression, value in sent.items():
        if (chain := _CHAIN.match(expression)) and chain["name"] not in found:
            found[chain["name"]] = {chain["member"]: sayer.say(value)}
    return found


def _uses(script: str, expression: str) -> bool:
    return expression.lower() in script.lower()


def _as_written(script: str, name: str) -> str:
    """The name as its script has it: keys are in small letters."""
    written = re.search(rf"using:({re.escape(name)})\b", script, re.IGNORECASE)
    return written[1] if written else name

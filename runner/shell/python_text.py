"""Requests for Python: one line of code that reads the rest, and a marshalled mapping with program and values.

``marshal`` (version 2) is what every Python from 3.4 on reads alike and needs no import that costs time on the host;
it is never read back from there.
"""

from __future__ import annotations

import ast
import marshal
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from runner.shell.refuse import encoded, kind, refusal
from runner.shell.request import ShellRequest
from runner.shell.scalars import scalar_bytes
from runner.values import Secret

#: The whole of argv after ``-c``: reads one line, byte by byte, and runs it. No quote, backslash or ``!`` that a
#: login shell (fish, csh, zsh) could take for its own.
BOOTSTRAP = 'exec(open(0,"rb",0,closefd=False).readline(),{})'

#: The line: collects an exact number of bytes and runs the program in them.
_LOADER = (
    r'exec("import os,marshal\nb=bytearray()\nwhile len(b)<%d:\n c=os.read(0,min(%d-len(b),1<<20))\n'
    r' if not c:raise SystemExit(1)\n b+=c\np=marshal.loads(b)\nexec(p[0],{\"request\":p[1]})",{})'
)
_VERSION = 2


def once(request: ShellRequest, nonce: bytes) -> bytes:
    """What is written to a fresh interpreter before the script's own standard input.

    Raises:
        ExecutionFailed: a value cannot be sent.

    """
    return _loaded(_source("on_host") + "\nrun_once(request)", {**request_fields(request), "nonce": nonce})


@cache
def kept_start() -> bytes:
    """What is written first to an interpreter that is kept."""
    return _loaded(f"{_source('on_host')}\n{_source('on_host_kept')}\nserve()", {})


def frame(request: ShellRequest, nonce: bytes, stdin: bytes | None) -> bytes:
    """One request to a kept interpreter.

    Raises:
        ExecutionFailed: a value cannot be sent.

    """
    data = marshal.dumps({**request_fields(request), "nonce": nonce, "input": stdin}, _VERSION)
    return len(data).to_bytes(8, "big") + data


def request_fields(request: ShellRequest) -> dict[str, Any]:
    """The request as ``on_host`` reads it.

    Raises:
        ExecutionFailed: the script, a value, an argument, the environment or the directory cannot be sent.

    """
    for name, value in request.environment.items():
        if not name or "=" in name or b"\0" in encoded(name, "a name in `environment`"):
            raise refusal("environment-name", f"`{name}` is no name of an environment variable")
        scalar_bytes(value, f"`environment.{name}`", holder="the environment")
    directory = request.working_directory
    if directory is not None and not scalar_bytes(directory, "`working_directory`"):
        raise refusal(
            "working-directory", "`working_directory` is empty", "leave it out to begin where the login does"
        )
    return {
        "script": encoded(request.script, "the script").decode(),
        "values": {
            name: encode(value, "the value of a `$Using:` expression")
            for name, value in request.values.items()
        },
        "args": [encode(arg, f"`args[{number}]`") for number, arg in enumerate(request.args)],
        "texts": [_argument(arg, f"`args[{number}]`") for number, arg in enumerate(request.args)],
        "environment": {
            name: scalar_bytes(value, "").decode() for name, value in request.environment.items()
        },
        "directory": directory,
        "name": request.script_name,
    }


def encode(value: Any, what: str) -> Any:
    """A value as marshal takes it: a tuple is a type's name and its parts; see ``on_host.restored``.

    Raises:
        ExecutionFailed: a type that is not delivered (``value-type``), or a text that is not Unicode.

    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Secret):
        return encode(value.reveal(), what)
    if isinstance(value, str):
        return encoded(value, what).decode()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, Decimal):
        return ("Decimal", str(value))
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, date):
        return ("date", value.year, value.month, value.day)
    if isinstance(value, timedelta):
        return ("timedelta", value.days, value.seconds, value.microseconds)
    return _collection(value, what)


def _collection(value: Any, what: str) -> Any:
    try:
        if isinstance(value, Mapping):
            return {_key(key, what): encode(item, what) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [encode(item, what) for item in value]
    except RecursionError:
        raise refusal("value-type", f"{what} is nested too deeply to be sent") from None
    raise refusal("value-type", f"{what} holds {kind(value)}, which cannot be sent to python")


def _key(key: Any, what: str) -> Any:
    if key is None or isinstance(key, bool | int | float | str | bytes):
        return encode(key, what)
    raise refusal("value-type", f"{what} has {kind(key)} as a key, which cannot be sent to python")


def _datetime(value: datetime) -> tuple[Any, ...]:
    offset = value.utcoffset()
    seconds = None if offset is None else offset.total_seconds()
    parts = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    return ("datetime", *parts, seconds, value.fold)


def _argument(value: Any, what: str) -> str:
    """An argument as ``sys.argv`` has it: a scalar as in a shell, anything else as Python writes it."""
    if isinstance(value, list | tuple | Mapping | bytes):
        return repr(encode(value, what))
    return scalar_bytes(value, what, holder="sys.argv").decode()


def _loaded(program: str, request: dict[str, Any]) -> bytes:
    try:
        data = marshal.dumps((program, request), _VERSION)
    except ValueError:
        raise refusal("value-type", "a value is nested too deeply to be sent") from None
    return _LOADER.replace("%d", str(len(data))).encode() + b"\n" + data


@cache
def _source(name: str) -> str:
    """The text of a module that runs on the host, without its comments and docstrings: it is sent every time."""
    tree = ast.parse(files("runner.shell").joinpath(f"{name}.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            del node.body[0]
    return ast.unparse(tree)

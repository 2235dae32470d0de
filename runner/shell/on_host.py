"""What runs on the host before and around a Python script. Sent as text; needs nothing but Python 3.6 there.

``run_once`` serves a fresh interpreter, ``serve`` a kept one. The script runs in the namespace of ``__main__`` under
the file name ``<script>``, so that line numbers and tracebacks are the author's.
"""

# ruff: noqa: PLC0415, S102, PTH111 - imports cost time on the host, running a script is the purpose, no pathlib there

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE_NAME = "<script>"
NO_DIRECTORY = 125


def restored(value: "Any") -> "Any":
    """A value as the controller encoded it: a tuple is a type's name and its parts."""
    if isinstance(value, list):
        return [restored(item) for item in value]
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    if not isinstance(value, tuple):
        return value
    name, parts = value[0], value[1:]
    if name == "Decimal":
        import decimal

        return decimal.Decimal(*parts)
    import datetime as dt

    if name == "datetime":
        offset, fold = parts[7:]
        zone = None if offset is None else dt.timezone(dt.timedelta(seconds=offset))
        return dt.datetime(*parts[:7]).replace(tzinfo=zone, fold=fold)  # noqa: DTZ001 - naive stays naive
    return getattr(dt, name)(*parts)


def open_text() -> None:
    """The three standard streams as UTF-8 whatever the locale, output a line at a time."""
    for name, descriptor, mode, errors in (
        ("stdin", 0, "r", "surrogateescape"),
        ("stdout", 1, "w", "surrogateescape"),
        ("stderr", 2, "w", "backslashreplace"),
    ):
        buffering = 1 if mode == "w" else -1
        stream = open(descriptor, mode, buffering, "utf-8", errors, closefd=False)  # noqa: SIM115 - lives on
        setattr(sys, name, stream)
        setattr(sys, "__" + name + "__", stream)


def place(request: "dict[str, Any]") -> bool:
    """Go where the script begins; False when that is no directory it can enter."""
    directory = request["directory"]
    if directory is None:
        return True
    try:
        os.chdir(os.path.expanduser(directory) if directory[:2] in ("~", "~/") else directory)
    except OSError:
        return False
    return True


def prepare(request: "dict[str, Any]", names: "dict[str, Any]") -> None:
    """Put values, arguments and environment where the script finds them."""
    names.update(restored(request["values"]))
    names["args"] = restored(request["args"])
    sys.argv = [request["name"]] + request["texts"]
    os.environ.update(request["environment"])


def show(error: BaseException) -> None:
    """Print an uncaught exception as Python does, without the frames of this file and with the script's lines."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE_NAME:
        trace = trace.tb_next
    error = error.with_traceback(trace)
    if sys.excepthook is sys.__excepthook__:
        import traceback

        traceback.print_exception(type(error), error, trace)
    else:
        sys.excepthook(type(error), error, trace)


def remember(script: str) -> None:
    """Let tracebacks show the script's own lines, which are in no file."""
    import linecache

    linecache.cache[FILE_NAME] = (len(script), None, script.splitlines(True), FILE_NAME)


def run_once(request: "dict[str, Any]") -> None:
    """Run the script and let the interpreter end as it would after it."""
    open_text()
    if not place(request):
        os.write(2, request["nonce"])
        os._exit(NO_DIRECTORY)
    names = sys.modules["__main__"].__dict__
    prepare(request, names)
    try:
        exec(compile(request["script"], FILE_NAME, "exec", dont_inherit=True), names)
    except SystemExit:
        raise
    except BaseException as error:
        remember(request["script"])
        show(error)
        # What is raised on decides the exit as ever (1, or a death by SIGINT); it has been shown already.
        sys.excepthook = lambda *_: None
        raise

"""The loop of a kept Python interpreter. Sent after ``on_host``, whose names it uses; Python 3.6 or newer.

A frame on standard input is eight bytes of length and a marshalled request. Its end is told on standard output and
standard error by the request's nonce and a code of three digits.
"""

# ruff: noqa: PLC0415, S102, S302, BLE001, PTH109, TC004 - imports cost time on the host, running a script is the
# purpose, frames come from the controller, a script may raise anything, no pathlib there, names come by ``on_host``

import marshal
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.shell.on_host import open_text, place, prepare, remember, show

FILE_NAME = "<script>"
DIRECTORY_REFUSED = 999
INTERRUPTED = 130


class Interrupts:
    """SIGINT ends the script that runs and is nothing between two scripts."""

    running = False

    def __call__(self, *_: object) -> None:
        """The signal's handler."""
        if self.running:
            raise KeyboardInterrupt


def read_exactly(descriptor: int, size: int) -> bytearray:
    """``size`` bytes, or fewer at the end of the stream."""
    data = bytearray()
    while len(data) < size:
        piece = os.read(descriptor, min(size - len(data), 1 << 20))
        if not piece:
            break
        data += piece
    return data


def input_descriptor(data: "bytes | None") -> int:
    """What standard input is for one script: nothing, or ``data`` in memory or in a file that has no name."""
    if data is None:
        return os.open(os.devnull, os.O_RDONLY)
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("input")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def exit_code(error: SystemExit) -> int:
    """What the interpreter would have ended with; a text goes to standard error."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    sys.stderr.write(str(error.code) + "\n")
    return 1


def run_script(request: "dict[str, Any]", names: "dict[str, Any]", interrupts: Interrupts) -> int:
    """Run one script to its end, whatever it raises; its exit code."""
    remember(request["script"])
    try:
        interrupts.running = True
        exec(compile(request["script"], FILE_NAME, "exec", dont_inherit=True), names)
        interrupts.running = False
    except SystemExit as error:
        interrupts.running = False
        return exit_code(error)
    except BaseException as error:
        interrupts.running = False
        show(error)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def run_step(request: "dict[str, Any]", names: "dict[str, Any]", interrupts: Interrupts) -> int:
    """One script with its values, environment and directory, which are gone after it."""
    environment = {name: os.environ.get(name) for name in request["environment"]}
    directory = None if request["directory"] is None else os.getcwd()
    if not place(request):
        return DIRECTORY_REFUSED
    prepare(request, names)
    try:
        return run_script(request, names, interrupts)
    finally:
        for name in request["values"]:
            names.pop(name, None)
        for name, value in environment.items():
            if value is not None:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        if directory is not None:
            os.chdir(directory)


def flush() -> None:
    """Give out what the script printed, even where it put other objects in place of the streams."""
    streams: list[Any] = [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]
    for stream in streams:
        try:  # noqa: SIM105 - contextlib is an import
            stream.flush()
        except Exception:  # noqa: S110 - closed, or no stream at all: nothing to give out
            pass


def serve() -> None:
    """Answer requests until standard input ends."""
    control, output, errors = os.dup(0), os.dup(1), os.dup(2)
    interrupts = Interrupts()
    signal.signal(signal.SIGINT, interrupts)
    umask = os.umask(0o022)
    os.umask(umask)
    handled = {number: signal.getsignal(number) for number in range(1, signal.NSIG)}
    names = sys.modules["__main__"].__dict__
    while True:
        size = read_exactly(control, 8)
        if len(size) < 8:
            return
        request = marshal.loads(read_exactly(control, int.from_bytes(size, "big")))
        standard_input = input_descriptor(request["input"])
        os.dup2(standard_input, 0)
        os.close(standard_input)
        open_text()
        try:
            code = run_step(request, names, interrupts)
        except BaseException as error:
            show(error)
            code = 1
        flush()
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.umask(umask)
        for number, handler in handled.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        os.write(1, request["nonce"] + b"%03d" % code)
        os.write(2, request["nonce"])

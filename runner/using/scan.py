"""One entry to the scanners: script text in, references and problems out. Never raises, whatever the text."""

from __future__ import annotations

from runner.using import posix, powershell, python
from runner.using.model import Scan, Shell


def scan(text: str, shell: Shell) -> Scan:
    """Find every ``$Using:`` expression that the interpreter of ``shell`` would evaluate in ``text``.

    A script that is broken elsewhere is still scanned as far as it can be read; problems of the ``$Using:``
    expressions themselves are in the result.
    """
    match shell:
        case Shell.POWERSHELL:
            return powershell.scan(text)
        case Shell.PYTHON:
            return python.scan(text)
        case Shell.SH | Shell.BASH:
            return posix.scan(text, bash=shell is Shell.BASH)

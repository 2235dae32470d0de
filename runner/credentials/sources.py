"""Where a secret comes from: an environment variable, a file, a program's output or a person at a terminal.

Nothing of what is read stands in any message: a message names the source, never the value.
"""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.document.nodes import AnyNode, to_plain
from runner.document.reader import written_path
from runner.errors import CredentialError
from runner.playbook.model import SecretSource
from runner.values import Secret

COMMAND_TIMEOUT = 60.0
"""Seconds a source's program may take; long enough for a person to touch a hardware key."""

_LARGEST = 1 << 20


class SecretReader:
    """Reads sources, each place once.

    Attributes:
        environ: the environment, the process's own by default.
        ask: asks a person without showing what is typed, ``getpass`` by default.
        terminal: whether there is somebody to ask; by default whether standard input is a terminal.
        render: evaluates templates in what the author wrote; by default nothing is evaluated.

    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        ask: Callable[[str], str] = getpass.getpass,
        terminal: bool | None = None,
        render: Callable[[AnyNode], Any] = to_plain,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._ask = ask
        self._terminal = sys.stdin.isatty() if terminal is None else terminal
        self._render = render
        self._asked: dict[str, Secret] = {}

    def read(self, source: SecretSource, what: str) -> Secret:
        """The secret; ``what`` names it in messages and prompts: ``the password of credential `ops` ``.

        A file's or program's last line end is no part of it.

        Raises:
            CredentialError: the source gave nothing usable.

        """
        value = self._render(source.value)
        match source.kind:
            case "env":
                text = self._environment(str(value), source, what)
            case "file":
                text = self._file(str(value), source, what)
            case "command":
                text = self._command(value, source, what)
            case "prompt":
                return self._prompt(value, source, what)
            case _:
                raise CredentialError(
                    "secret-source", f"{what} comes from `{source.kind}`, unknown here", source.span
                )
        if "\0" in text:
            raise CredentialError("secret-source", f"{what} holds a NUL byte", source.span)
        return Secret(text)

    def _environment(self, name: str, source: SecretSource, what: str) -> str:
        text = self._environ.get(name)
        if text:
            return text
        state = "is empty" if text is not None else "is not set"
        raise CredentialError(
            "secret-env",
            f"the environment variable `{name}` {state}, and {what} comes from it",
            source.span,
            hints=(f"set it for this command: `read -rs {name} && export {name}`",),
        )

    def _file(self, written: str, source: SecretSource, what: str) -> str:
        path = written_path(written)
        if not path.is_absolute():
            path = Path(source.span.path).parent / path
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            message = f"`{written}` cannot be read, and {what} comes from it: {reason.lower()}"
            hint = f"a path is relative to the file it is written in: here it is `{path}`"
            raise CredentialError("secret-file", message, source.span, hints=(hint,)) from error
        return self._decoded(data, f"`{written}`", source, what, code="secret-file")

    def _command(self, value: Any, source: SecretSource, what: str) -> str:
        try:
            words = [str(word) for word in value] if isinstance(value, list) else shlex.split(str(value))
        except ValueError as error:
            message = f"the command that gives {what} cannot be split into words: {error}"
            raise CredentialError("secret-command", message.rstrip(".").lower(), source.span) from error
        shown = f"`{words[0]}`" if words else "the command"
        if not words:
            raise CredentialError("secret-command", f"the command that gives {what} is empty", source.span)
        hints = ("it is run without a shell; for pipes and variables write `[sh, -c, '...']`",)
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            message = f"{shown} gave nothing within {COMMAND_TIMEOUT:.0f} s, and {what} comes from it"
            raise CredentialError("secret-command", message, source.span) from None
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            message = f"{shown} cannot be started, and {what} comes from it: {reason}"
            raise CredentialError("secret-command", message, source.span, hints=hints) from error
        if done.returncode != 0:
            message = f"{shown} ended with {_ending(done.returncode)}, and {what} comes from it"
            raise CredentialError("secret-command", message, source.span, hints=hints)
        return self._decoded(done.stdout, shown, source, what, code="secret-command")

    def _prompt(self, value: Any, source: SecretSource, what: str) -> Secret:
        text = value if isinstance(value, str) and value else f"{what[:1].upper()}{what[1:]}"
        if text in self._asked:
            return self._asked[text]
        if not self._terminal:
            message = f"{what} is asked for at a terminal, and there is none"
            hint = "in a pipeline take it from `{env: NAME}`, `{file: PATH}` or `{command: ...}`"
            raise CredentialError("secret-prompt", message, source.span, hints=(hint,))
        try:
            typed = self._ask(f"{text}: ")
        except EOFError:
            typed = ""
        if not typed:
            raise CredentialError("secret-prompt", f"nothing was typed for {what}", source.span)
        return self._asked.setdefault(text, Secret(typed))

    @staticmethod
    def _decoded(data: bytes, origin: str, source: SecretSource, what: str, *, code: str) -> str:
        if len(data) > _LARGEST:
            raise CredentialError(code, f"{origin} gives more than 1 MiB for {what}", source.span)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise CredentialError(code, f"{origin} gives no UTF-8 text for {what}", source.span) from None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise CredentialError(code, f"{origin} is empty, and {what} comes from it", source.span)
        return text


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"

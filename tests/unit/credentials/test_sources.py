"""Secrets from every source, and what is said where one gives nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.credentials.logins import SeveralCredentialsError, read_logins, secrets_of
from runner.credentials.sources import SecretReader
from runner.document.nodes import AnyNode, Scalar, Sequence, Source
from runner.errors import CredentialError, ExitCode
from runner.playbook.model import Credential, SecretSource
from runner.values import Secret, Span

WHAT = "the password of credential `ops`"


def scalar(text: str) -> Scalar:
    return Scalar(Source("p.yml", text), 1, 1, 1, 1, value=text, text=text, style="plain", start=0, end=0)


def source(kind: str, value: str | list[str], path: str = "p.yml") -> SecretSource:
    node: AnyNode
    if isinstance(value, str):
        node = scalar(value)
    else:
        node = Sequence(Source("p.yml", ""), 1, 1, 1, 1, items=[scalar(word) for word in value])
    return SecretSource(kind, node, Span(path, 3, 5))


def refused(reader: SecretReader, wanted: SecretSource) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        reader.read(wanted, WHAT)
    assert caught.value.span == wanted.span
    assert caught.value.exit_code is ExitCode.REFUSED
    return caught.value


def test_an_environment_variable_gives_its_text_untouched() -> None:
    """`env` takes the value as it is, blanks and all."""
    assert SecretReader(environ={"P": " s3cret\n"}).read(source("env", "P"), WHAT) == Secret(" s3cret\n")


@pytest.mark.parametrize(("environ", "state"), [({}, "is not set"), ({"P": ""}, "is empty")])
def test_a_missing_variable_is_named_with_what_to_type(environ: dict[str, str], state: str) -> None:
    """The variable's name, what needs it and a command to set it."""
    error = refused(SecretReader(environ=environ), source("env", "P"))
    assert error.message == f"the environment variable `P` {state}, and {WHAT} comes from it"
    assert error.hints == ("set it for this command: `read -rs P && export P`",)


def test_a_file_is_relative_to_where_it_is_written(tmp_path: Path) -> None:
    """`file` is found beside the playbook; its last line end is no part of the secret, others are."""
    (tmp_path / "pw").write_bytes(b"line one\n\n")
    wanted = source("file", "pw", str(tmp_path / "p.yml"))
    assert SecretReader().read(wanted, WHAT) == Secret("line one\n")


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no such file"), (b"\n", "is empty"), (b"\xff\xfe", "no UTF-8 text")]
)
def test_a_useless_file_is_told(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """Missing, empty or binary: the message says which."""
    if content is not None:
        (tmp_path / "pw").write_bytes(content)
    assert reason in refused(SecretReader(), source("file", "pw", str(tmp_path / "p.yml"))).message


def test_a_program_is_run_without_a_shell() -> None:
    """`command` takes words or a line; what a shell would do with it does not happen."""
    words = [sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; *"]
    assert SecretReader().read(source("command", words), WHAT) == Secret("$HOME; *")
    assert SecretReader().read(source("command", "printf 's3 cret'"), WHAT) == Secret("s3 cret")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("false", "ended with exit code 1"),
        ("no-such-program-here", "cannot be started"),
        ("true", "is empty"),
        ("echo 'x", "cannot be split into words"),
    ],
)
def test_a_useless_program_is_told(command: str, reason: str) -> None:
    """Failed, missing or silent: the message says which and never what was printed."""
    assert reason in refused(SecretReader(), source("command", command)).message


def test_a_prompt_asks_once_and_only_at_a_terminal() -> None:
    """The same question is asked once a run; without a terminal the run is refused with the other sources named."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "typed"

    reader = SecretReader(ask=ask, terminal=True)
    wanted = source("prompt", "Password of ops")
    assert reader.read(wanted, WHAT) == reader.read(wanted, WHAT) == Secret("typed")
    assert asked == ["Password of ops: "]
    error = refused(SecretReader(ask=ask, terminal=False), wanted)
    assert "there is none" in error.message
    assert "{env: NAME}" in error.hints[0]


def test_nothing_typed_is_nothing() -> None:
    """An empty answer is refused."""
    assert (
        "nothing was typed"
        in refused(SecretReader(ask=lambda _: "", terminal=True), source("prompt", "x")).message
    )


def test_only_what_a_plan_needs_is_read() -> None:
    """A credential that no host uses may be broken."""
    credentials = {
        "ops": Credential("ops", Span("p.yml"), username="ops", password=source("env", "P")),
        "other": Credential("other", Span("p.yml"), password=source("env", "MISSING")),
    }
    logins = read_logins(credentials, ["ops"], SecretReader(environ={"P": "s3cret"}))
    assert list(logins) == ["ops"]
    assert (logins["ops"].username, logins["ops"].password) == ("ops", Secret("s3cret"))
    assert list(secrets_of(logins["ops"])) == [Secret("s3cret")]


def test_all_that_is_missing_is_told_at_once() -> None:
    """Two credentials without a value are two problems."""
    credentials = {
        name: Credential(name, Span("p.yml"), password=source("env", name.upper())) for name in ("a", "b")
    }
    with pytest.raises(SeveralCredentialsError) as caught:
        read_logins(credentials, ["a", "b"], SecretReader(environ={}))
    assert [problem.code for problem in caught.value.problems] == ["secret-env", "secret-env"]

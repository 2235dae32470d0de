"""What is told when a runspace pool cannot be opened, used or trusted."""

from __future__ import annotations

from runner.errors import ConnectionLost, ExecutionFailed, HostError, Unreachable
from runner.psrp.fragments import TooMuch


def not_opened(reason: str) -> Unreachable:
    """The peer refused."""
    return Unreachable(
        "pool-refused",
        f"the host's PowerShell did not open the session: {reason}",
        phase="open",
    )


def not_opened_in_time(seconds: float) -> Unreachable:
    """The peer did not say in time that the pool is open."""
    return Unreachable(
        "pool-open-timeout",
        f"the host's PowerShell did not open the session within {seconds:g} s",
        hints=(
            "give it longer: `session_option: {open_timeout: 10m}`",
            "look whether the host is overloaded",
        ),
        phase="open",
    )


def while_opening(error: HostError) -> HostError:
    """A loss before anything could run: the host was not reached."""
    if not isinstance(error, ConnectionLost):
        return error
    return Unreachable(error.code, error.message, hints=error.hints, phase="open")


def broken(reason: str, *, running: bool) -> ConnectionLost:
    """The peer has closed or broken the pool."""
    return ConnectionLost(
        "pool-broken", f"the host's PowerShell ended the session: {reason}", may_have_run=running
    )


def closed(*, running: bool) -> ConnectionLost:
    """The pool was closed by us."""
    return ConnectionLost("pool-closed", "the session has been closed", may_have_run=running)


def bad_fragment(reason: str) -> ConnectionLost:
    """What came cannot be put together."""
    return ConnectionLost(
        "pool-fragment", f"what the host sent cannot be put together: {reason}", may_have_run=True
    )


def too_much(passed: TooMuch) -> ConnectionLost:
    """More came than is allowed."""
    size = f"{passed.limit / 1024 / 1024:g} MB"
    if passed.of_object:
        return ConnectionLost(
            "pool-object-too-large",
            f"the host sent an object of more than {size}",
            hints=(
                "give back less: `Select-Object` what is needed, or `fetch` the file",
                "allow more: `session_option: {maximum_received_object_size: 500MB}`",
            ),
            may_have_run=True,
        )
    return ConnectionLost(
        "pool-data-too-large",
        f"the host sent more than {size} for one step",
        hints=(
            "give back less, or in several steps",
            "allow more: `session_option: {maximum_received_data_size_per_command: 1GB}`",
        ),
        may_have_run=True,
    )


def not_stopped(seconds: float) -> ConnectionLost:
    """The pipeline went on."""
    return ConnectionLost(
        "pool-stop-timeout",
        f"the script did not stop within {seconds:g} s, so its session is given up",
        hints=("give it longer: `session_option: {cancel_timeout: 3m}`",),
        may_have_run=True,
    )


def no_answer(what: str, *, running: bool) -> ConnectionLost:
    """The peer does not answer for the pool."""
    return ConnectionLost("pool-no-answer", f"the host's PowerShell did not {what}", may_have_run=running)


def no_key(reason: str) -> ExecutionFailed:
    """Secure strings cannot travel."""
    return ExecutionFailed(
        "pool-key-refused",
        f"the host's PowerShell gave no key for secure strings: {reason}",
        hints=("leave secure strings and credentials out of what is sent and given back",),
        phase="send",
    )


def end_missed() -> ConnectionLost:
    """The pipeline is over at the peer, and what told so was lost."""
    return ConnectionLost(
        "pool-end-missed",
        "the script has ended, but the connection was interrupted just then: how it ended, and what it gave back last, "
        "was lost on the way",
        hints=("look on the host whether it did its work before you run it again",),
        may_have_run=True,
    )


def end_unreadable(what: str) -> ConnectionLost:
    """A message without which the pipeline would wait for ever."""
    return ConnectionLost(
        "pool-message-broken", f"the host sent {what} that cannot be read", may_have_run=True
    )

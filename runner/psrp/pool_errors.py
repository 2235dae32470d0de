"""What is told when a runspace pool cannot be opened, used or trusted."""

from __future__ import annotations

from dataclasses import dataclass

from runner.errors import ConnectionLost, ExecutionFailed, HostError, Unreachable
from runner.psrp.fragments import TooMuch
from runner.units import format_size

_MESSAGE_IN_DOUBT = (
    "run the step again with a session of its own (`target`); if it comes again, look at what lies between: a proxy, "
    "a jump host, a shell's start-up files"
)


@dataclass(frozen=True, slots=True)
class PoolErrors:
    """The errors of one pool; ``peer`` names the other side in messages: "PowerShell on `web1`"."""

    peer: str

    def not_opened(self, reason: str) -> Unreachable:
        """The peer refused."""
        return Unreachable(
            "pool-refused", f"{self.peer} did not open the session: {reason}; nothing was run", phase="open"
        )

    def not_opened_in_time(self, seconds: float, heard: str = "") -> Unreachable:
        """The peer did not say in time that the pool is open; ``heard`` is what it said instead."""
        said = f"; it said: {heard}" if heard else ""
        return Unreachable(
            "pool-open-timeout",
            f"{self.peer} did not open the session within {seconds:g} s{said}",
            hints=(
                "look whether the host is overloaded, or its PowerShell hangs",
                "where a remote host is only slow, give it longer: `session_option: {open_timeout: 10m}`",
            ),
            phase="open",
        )

    def too_old(self, protocol: str) -> Unreachable:
        """The peer speaks a protocol from before PowerShell 3."""
        return Unreachable(
            "pool-too-old",
            f"{self.peer} speaks remoting protocol {protocol}, as PowerShell 2 does; 3.0 or later is needed, and 5.1 "
            "or later for everything; nothing was run",
            hints=("install Windows Management Framework 5.1 on the host: https://aka.ms/wmf51download",),
            phase="open",
        )

    def broken(self, reason: str, *, running: bool) -> ConnectionLost:
        """The peer has closed or broken the pool."""
        return ConnectionLost(
            "pool-broken",
            f"{self.peer} ended the session: {reason}",
            hints=("where later steps do not need what it held, write `on_loss: reopen` on the session",),
            may_have_run=running,
        )

    def closed(self, *, running: bool) -> ConnectionLost:
        """The pool was closed by us."""
        return ConnectionLost(
            "pool-closed", f"the session with {self.peer} has been closed", may_have_run=running
        )

    def bad_fragment(self, reason: str) -> ConnectionLost:
        """What came cannot be put together."""
        return ConnectionLost(
            "pool-fragment",
            f"what {self.peer} sent cannot be put together: {reason}",
            hints=(_MESSAGE_IN_DOUBT,),
            may_have_run=True,
        )

    def too_much(self, passed: TooMuch) -> ConnectionLost:
        """More came than is allowed."""
        size = format_size(passed.limit)
        if passed.of_object:
            return ConnectionLost(
                "pool-object-too-large",
                f"{self.peer} sent an object of more than {size}",
                hints=(
                    "give back less: `Select-Object` what is needed, or `fetch` the file",
                    "allow more: `session_option: {maximum_received_object_size: 500MB}`",
                ),
                may_have_run=True,
            )
        return ConnectionLost(
            "pool-data-too-large",
            f"{self.peer} sent more than {size} for one step",
            hints=(
                "give back less, or in several steps",
                "allow more: `session_option: {maximum_received_data_size_per_command: 1GB}`",
            ),
            may_have_run=True,
        )

    def not_stopped(self, seconds: float) -> ConnectionLost:
        """The pipeline went on."""
        return ConnectionLost(
            "pool-stop-timeout",
            f"the script did not stop within {seconds:g} s, so the session with {self.peer} is given up",
            hints=("give it longer: `session_option: {cancel_timeout: 3m}`",),
            may_have_run=True,
        )

    def no_answer(self, what: str, *, running: bool) -> ConnectionLost:
        """The peer does not answer for the pool."""
        return ConnectionLost(
            "pool-no-answer",
            f"{self.peer} did not {what}",
            hints=("look whether the host is overloaded, or its PowerShell hangs",),
            may_have_run=running,
        )

    def no_key(self, reason: str) -> ExecutionFailed:
        """Secure strings cannot travel."""
        return ExecutionFailed(
            "pool-key-refused",
            f"{self.peer} gave no key for secure strings: {reason}",
            hints=("leave secure strings and credentials out of what is sent and given back",),
            phase="send",
        )

    def end_missed(self) -> ConnectionLost:
        """The pipeline is over at the peer, and what told so was lost."""
        return ConnectionLost(
            "pool-end-missed",
            f"the script has ended, but the connection to {self.peer} was interrupted just then: how it ended, and "
            "what it gave back last, was lost on the way",
            hints=("look on the host whether it did its work before you run it again",),
            may_have_run=True,
        )

    def end_unreadable(self, what: str) -> ConnectionLost:
        """A message without which the pipeline would wait for ever."""
        return ConnectionLost(
            "pool-message-broken",
            f"{self.peer} sent {what} that cannot be read",
            hints=(_MESSAGE_IN_DOUBT,),
            may_have_run=True,
        )


def while_opening(error: HostError) -> HostError:
    """A loss before anything could run: the host was not reached."""
    if not isinstance(error, ConnectionLost):
        return error
    return Unreachable(error.code, error.message, hints=error.hints, phase="open")

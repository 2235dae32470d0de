"""Whether Kerberos has a ticket for a password: asked once for all the logins of a fleet, not by each of them.

Negotiate tries Kerberos first, and pyspnego asks a KDC anew for each connection. Where there is none for the realm
(local users, a krb5.conf as it was installed, a controller outside the domain) each login waits for name servers, for
seconds where those are slow, in one of few threads; and a password that the KDC refuses counts against the account each
time. So the first login asks, the others wait for its answer, and a "no" has them log in by NTLM at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import spnego

from runner.values import Secret
from runner.wsman.authentication_steps import in_login_thread

#: How long an answer holds, seconds: a KDC that was away is not missed for long, and a fleet asks it rarely.
REMEMBERED = 60.0


@dataclass(slots=True, eq=False)
class _Question:
    """A ticket that was asked for; ``answered_at`` is of the clock, None before."""

    answer: asyncio.Task[bool]
    answered_at: float | None = None


class KerberosReach:
    """What is known of tickets for the credentials of one transport; of one event loop.

    Args:
        clock: seconds that only go forward.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._questions: dict[tuple[str | None, Secret | None], _Question] = {}

    async def gives_ticket(self, username: str | None, password: Secret | None) -> bool:
        """Whether a KDC gives a ticket for this password, by an answer at most :data:`REMEMBERED` seconds old.

        Who is cancelled while waiting does not end the question for the others.
        """
        key = (username, password)
        question = self._questions.get(key)
        if question is None or self._is_old(question):
            question = _Question(
                asyncio.create_task(in_login_thread(lambda: _has_ticket(username, password)))
            )
            self._questions[key] = question
            question.answer.add_done_callback(lambda _: self._note(key))
        return await asyncio.shield(question.answer)

    def _note(self, key: tuple[str | None, Secret | None]) -> None:
        self._questions[key].answered_at = self._clock()

    def _is_old(self, question: _Question) -> bool:
        if question.answered_at is None:
            return False
        return question.answer.cancelled() or self._clock() - question.answered_at > REMEMBERED


def _has_ticket(username: str | None, password: Secret | None) -> bool:
    try:
        # Making the context asks for the ticket of the user; no service is asked for before its first step.
        spnego.client(username, password.reveal() if password is not None else None, protocol="kerberos")
    except Exception:  # noqa: BLE001 - what fails here fails Kerberos, whatever it is; so pyspnego's Negotiate has it
        return False
    return True

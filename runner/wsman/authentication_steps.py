"""Tokens of a security context to and from HTTP headers, and the threads that a KDC may keep waiting."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import spnego
from spnego.exceptions import FeatureMissingError, SpnegoError

from runner.wsman.authentication_errors import kerberos_missing, login_failed
from runner.wsman.http_answer import Response
from runner.wsman.http_errors import Attempt

T = TypeVar("T")

#: A KDC that hangs keeps a thread for half a minute (krb5.conf's kdc_timeout), and must not keep asyncio's own, which
#: look up names. More logins at once than this wait.
_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="login")
_NTLM = "ntlm"
_CHALLENGE = re.compile(r"\s*([A-Za-z][A-Za-z0-9!#$&^_.+-]*)(?:\s+([A-Za-z0-9+/=]*))?")


def _no_tokens(record: logging.LogRecord) -> bool:
    """What pyspnego writes at DEBUG is kept from all logs: challenges, proofs of passwords, sealed credentials."""
    return record.levelno > logging.DEBUG


for _name in ("_credssp", "_gss", "_negotiate", "_ntlm", "_sspi"):
    logging.getLogger(f"spnego.{_name}").addFilter(_no_tokens)


async def in_login_thread(work: Callable[[], T]) -> T:
    """Run what may wait for a KDC away from the loop."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


async def step(context: spnego.ContextProxy, token: bytes | None) -> bytes | None:
    """One step of a security context; away from the loop, unless it is NTLM's, which asks nobody else."""
    return await off_loop(context.protocol, lambda: context.step(token))


async def off_loop(protocol: str, work: Callable[[], T]) -> T:
    """Run a part of a login where it may wait for a KDC without holding up others; NTLM only computes, for 1 ms."""
    return work() if protocol == _NTLM else await in_login_thread(work)


def offers(response: Response, header: str = "www-authenticate") -> list[str]:
    """The schemes a server offers, as it spells them, each once (RFC 9110 11.6.1)."""
    found: list[str] = []
    for value in response.every(header):
        # Commas part challenges and also parameters; a parameter has an equals sign in its first word.
        for part in re.sub(r'"[^"]*"', '""', value).split(","):
            match = _CHALLENGE.match(part)
            if match and not part[match.end(1) :].lstrip().startswith('=""') and match[1] not in found:
                found.append(match[1])
    return found


def token_of(response: Response, scheme: str, header: str = "www-authenticate") -> bytes | None:
    """The token that a server sends along with ``scheme``, None where there is none."""
    for value in response.every(header):
        for part in value.split(","):
            match = _CHALLENGE.match(part)
            if match and match[1].lower() == scheme.lower() and match[2]:
                try:
                    return base64.b64decode(match[2], validate=True)
                except binascii.Error:
                    return None
    return None


@contextmanager
def context_errors(attempt: Attempt, peer: str, authority: str = "Negotiate") -> Iterator[None]:
    """Turn what pyspnego, gssapi and krb5 raise into errors of the runner.

    Raises:
        Unreachable: with a code of its own for what Kerberos is short of.

    """
    try:
        yield
    except (ImportError, FeatureMissingError):
        raise kerberos_missing(attempt) from None
    except Exception as error:
        # krb5's errors have no common ground with gssapi's but their numbers; neither package need be installed.
        if isinstance(error, SpnegoError) or hasattr(error, "err_code") or hasattr(error, "min_code"):
            raise login_failed(attempt, peer, authority, error) from None
        raise

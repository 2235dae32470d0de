"""Whether a redirection is followed. Pure.

Only an author who says ``allow_redirection`` for a ``connection_uri`` is taken elsewhere, and the login goes there with
the request. A redirection is as trustworthy as the link it came over: over https the server was who it said, so it may
name another one; over http anybody may have answered, so it may only send us to another port or path of the same host,
or to one of ``trusted_hosts``. From https to http is never followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from runner.errors import HostError
from runner.transport.winrm_uris import connection_url, uses_tls
from runner.wsman.fault_errors import Asked


@dataclass(slots=True, kw_only=True)
class Redirections:
    """The redirections of one opening.

    Attributes:
        allowed: the author's ``allow_redirection``.
        maximum: hops; negative is any number, 0 none (PowerShell's default is 5).
        trusted_hosts: names to which a login may go without the peer's name proved; ``*`` is any.

    """

    allowed: bool
    maximum: int = 5
    trusted_hosts: tuple[str, ...] = ()
    _visited: list[str] = field(default_factory=list)

    def follow(self, location: str, asked: Asked) -> str:
        """The URL to go on with.

        Args:
            location: what the server named; may be relative, and without a port, as any URL.
            asked: of whom; its URL is where we were sent away from.

        Raises:
            HostError: it is not to be followed; the message names the target.

        """
        try:
            target = connection_url(urljoin(asked.url, location.strip()))
        except ValueError as error:
            raise asked.error(
                "redirect-refused", f"`{asked.host}` sends us elsewhere, but not to an address: {error}"
            ) from None
        if not self._visited:
            self._visited.append(asked.url)
        self._check(target, asked)
        self._visited.append(target)
        return target

    def _check(self, target: str, asked: Asked) -> None:
        shown = target.partition("?")[0]
        if not self.allowed:
            raise not_followed(target, asked)
        if uses_tls(asked.url) and not uses_tls(target):
            raise asked.error(
                "redirect-refused",
                f"`{asked.host}` sends us from https to {shown}, where the login would go unprotected",
            )
        if not self._trusted(asked.url, target):
            raise asked.error(
                "redirect-refused",
                f"`{asked.host}` sends us to {shown}, another host, over http, where anybody may have said so",
                "begin with https: connection_uri: https://...",
                f"or say that the target may have the login: trusted_hosts: [{urlsplit(target).hostname}]",
            )
        if target in self._visited:
            raise asked.error("redirect-loop", f"`{asked.host}` sends us in a circle, last to {shown}")
        followed = len(self._visited) - 1
        if 0 <= self.maximum <= followed:
            raise asked.error(
                "redirect-loop",
                f"`{asked.host}` sends us on to {shown} after {followed} redirections, and no more are allowed",
                "allow more: `session_option: {maximum_redirection: 10}`",
            )

    def _trusted(self, url: str, target: str) -> bool:
        if uses_tls(url):
            return True
        host = urlsplit(target).hostname or ""
        names = {name.lower() for name in self.trusted_hosts}
        return host == urlsplit(url).hostname or "*" in names or host in names


def not_followed(location: str, asked: Asked) -> HostError:
    """The error of a redirection that nobody allowed."""
    shown = location.partition("?")[0]
    return asked.error(
        "redirect-refused",
        f"`{asked.host}` sends us to {shown}, and nothing allows to follow",
        f"name it yourself: connection_uri: {shown}",
        "or follow: connection_uri with allow_redirection: true",
    )

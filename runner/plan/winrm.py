"""What only WinRM needs of an endpoint: its URL, its session configuration, and how one logs in there."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import urlsplit

from runner.plan.setting import Reach, Setting
from runner.problems import Problems
from runner.transport.endpoint import Authentication, Endpoint, WinrmSettings
from runner.transport.winrm_uris import connection_url, endpoint_url, resource_uri
from runner.values import Span


class ClientCertificates(Protocol):
    """The store of client certificates that ``certificate_thumbprint`` looks in."""

    def paths(self, thumbprint: str, span: Span, problems: Problems) -> tuple[str, str] | None:
        """The PEM files of a certificate and of its key (one file where both are in it); None where it was refused."""


class WinrmMaker:
    """Completes endpoints of WinRM hosts; what cannot be is noted where it was written."""

    def __init__(self, problems: Problems, certificates: ClientCertificates | None) -> None:
        self._problems = problems
        self._certificates = certificates

    def endpoint(self, reach: Reach, endpoint: Endpoint) -> Endpoint:
        """The endpoint with its :class:`WinrmSettings`; without them where its URL cannot be made."""
        uri = reach.host.uri
        try:
            url = self._url(reach, endpoint, uri)
        except ValueError as error:
            span = reach.host.span if uri is not None else reach.span("application_name", "address")
            self._problems.error("setting-value", str(error), span)
            return endpoint
        parts = urlsplit(url)
        certificate = self._certificate(reach)
        settings = WinrmSettings(
            url=url,
            resource_uri=self._resource_uri(reach),
            authentication=self._authentication(reach),
            certificate=certificate[0] if certificate else None,
            certificate_key=certificate[1] if certificate else None,
            allow_redirection=uri is not None and reach.flag("allow_redirection"),
            trusted_hosts=_names(reach.settings.get("trusted_hosts")),
        )
        return replace(
            endpoint, address=_address(endpoint, parts.hostname, uri), port=parts.port, winrm=settings
        )

    def _url(self, reach: Reach, endpoint: Endpoint, uri: str | None) -> str:
        if uri is not None:
            return connection_url(uri)
        return endpoint_url(
            endpoint.address,
            use_ssl=reach.flag("use_ssl"),
            port=endpoint.port,
            application_name=reach.text("application_name"),
        )

    def _resource_uri(self, reach: Reach) -> str:
        try:
            return resource_uri(reach.text("configuration_name"))
        except ValueError as error:
            self._problems.error("setting-value", str(error), reach.span("configuration_name"))
            return resource_uri(None)

    def _authentication(self, reach: Reach) -> Authentication:
        word = reach.word("authentication") or "default"
        found = next((kind for kind in Authentication if kind.value == word), None)
        if found is None and word != "digest":  # told with its reason, see login rules
            known = ", ".join(f"`{kind}`" for kind in Authentication)
            words = f"`authentication` must be one of {known}: `{reach.text('authentication')}`"
            self._problems.error("setting-value", words, reach.span("authentication"))
        return found or Authentication.DEFAULT

    def _certificate(self, reach: Reach) -> tuple[str, str] | None:
        files = reach.path("certificate_pem")
        if files is not None:  # what an Ansible inventory says
            return files, reach.path("certificate_key_pem") or files
        setting = reach.settings.get("certificate_thumbprint")
        if setting is None or setting.value is None or self._certificates is None:
            return None
        return self._certificates.paths(str(setting.value), setting.span, self._problems)


def _address(endpoint: Endpoint, host: str | None, uri: str | None) -> str:
    return host or endpoint.address if uri is not None else endpoint.address


def _names(setting: Setting | None) -> tuple[str, ...]:
    value = setting.value if setting is not None else None
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(name for item in items if item is not None for name in str(item).replace(",", " ").split())


def is_ip_address(address: str) -> bool:
    """Whether an address is a number of IPv4 or IPv6, a zone allowed."""
    try:
        ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def is_trusted(endpoint: Endpoint) -> bool:
    """Whether ``trusted_hosts`` names the endpoint, by its address or by the name the run knows it by."""
    patterns = endpoint.winrm.trusted_hosts if endpoint.winrm is not None else ()
    names = {endpoint.address.lower(), endpoint.host.lower()}
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in names)

"""The addresses of WinRM: the URL of a listener and the URI of a session configuration. Pure functions.

remoting.md 3.3, after PowerShell's own WSManConnectionInfo; what an author cannot mean raises :class:`ValueError` whose
text is a sentence for a problem, without full stop.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

#: Where a listener listens when nobody says otherwise (``winrm quickconfig`` makes these since WinRM 2.0).
HTTP_PORT = 5985
HTTPS_PORT = 5986

DEFAULT_APPLICATION = "wsman"
DEFAULT_CONFIGURATION = "Microsoft.PowerShell"

#: What PowerShell puts before a plain configuration name.
CONFIGURATION_PREFIX = "http://schemas.microsoft.com/powershell/"

#: What we say we are in ``PSVersion``: a server with two engines starts the old one only for a client that says 2.
#: 5.1 speaks the protocol 2.3 that we announce, and every later server takes it.
CLIENT_VERSION = "5.1"

# Everything RFC 3986 3.3 allows in a path, and the percent sign of what is quoted already.
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def endpoint_url(
    address: str, *, use_ssl: bool = False, port: int | None = None, application_name: str | None = None
) -> str:
    """The URL of a listener: ``http://web01:5985/wsman?PSVersion=5.1``.

    Args:
        address: a name or an IP address; IPv6 with or without brackets, a zone (``fe80::1%eth0``) is kept.
        use_ssl: https, and 5986 where no port is given.
        port: 1 to 65535; None or 0 is the default port.
        application_name: the path's first part, with or without slashes; None or empty is ``wsman``.

    Raises:
        ValueError: the address or the application name has characters that no URL can have there.

    """
    scheme = "https" if use_ssl else "http"
    port = port or (HTTPS_PORT if use_ssl else HTTP_PORT)
    application = (application_name or DEFAULT_APPLICATION).strip("/") or DEFAULT_APPLICATION
    if "?" in application or "#" in application:
        raise ValueError(f"the application name `{application}` is a path and can have no `?` and no `#`")
    path = "/" + quote(application, safe=_PATH_CHARACTERS)
    return urlunsplit((scheme, f"{_host(address)}:{port}", path, f"PSVersion={CLIENT_VERSION}", ""))


def connection_url(uri: str) -> str:
    """The URL that a ``connection_uri`` means: the port is written out, an empty path is ``/wsman``.

    Unlike a host's name a URI without a port means 80 or 443, as the reference says, not 5985 or 5986.

    Raises:
        ValueError: it is no http or https URL, has no host, an impossible port, a fragment, or a user's name in it.

    """
    parts = _split(uri)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    path = quote(parts.path, safe=_PATH_CHARACTERS)
    if path in {"", "/"} and not parts.query:
        path = f"/{DEFAULT_APPLICATION}"
    query = parts.query
    if "psversion=" not in query.lower():
        # PowerShell joins with a semicolon where there is a query already.
        query = f"{query};PSVersion={CLIENT_VERSION}" if query else f"PSVersion={CLIENT_VERSION}"
    return urlunsplit(
        (parts.scheme, f"{_host(parts.hostname or '')}:{port}", path.rstrip("/") or "/", query, "")
    )


def uri_host(uri: str) -> str:
    """The host a ``connection_uri`` names, IPv6 without brackets: what the run calls the host.

    Raises:
        ValueError: as :func:`connection_url`.

    """
    return _split(uri).hostname or ""


def uses_tls(url: str) -> bool:
    """Whether a URL is https."""
    return urlsplit(url).scheme.lower() == "https"


def resource_uri(configuration_name: str | None = None) -> str:
    """The resource URI of a session configuration.

    A plain name (``PowerShell.7``, a JEA endpoint's) gets PowerShell's prefix, a whole URI is kept, none is
    ``Microsoft.PowerShell``.

    Raises:
        ValueError: the name has white space around it or control characters in it.

    """
    name = configuration_name or DEFAULT_CONFIGURATION
    if name != name.strip() or not name.isprintable():
        raise ValueError(
            f"the configuration name {name!r} has white space around it or control characters in it"
        )
    return name if "://" in name else CONFIGURATION_PREFIX + name


def configuration_name(uri: str) -> str:
    """The name a person knows a configuration by: its resource URI without PowerShell's prefix."""
    if uri.lower().startswith(CONFIGURATION_PREFIX):
        return uri[len(CONFIGURATION_PREFIX) :]
    return uri


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri.strip())
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"`{_without_user(uri)}` is no URL: {str(error).lower()}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"`{_without_user(uri)}` must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError(f"`{_without_user(uri)}` has a user's name in it: name a credential instead")
    if not parts.hostname:
        raise ValueError(f"`{uri}` names no host")
    if parts.fragment:
        raise ValueError(f"`{uri}` has a fragment (`#{parts.fragment}`), which no server ever sees")
    if parts.port == 0:
        raise ValueError(f"`{uri}` has the port 0, which no server can have")
    return parts


def _without_user(uri: str) -> str:
    """The URI without what stands before an ``@``, which may be a password."""
    head, slashes, rest = uri.partition("//")
    place, slash, path = rest.partition("/")
    return head + slashes + place.rpartition("@")[2] + slash + path


def _host(address: str) -> str:
    """An address as it stands in a URL."""
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    if not bare or any(character in bare for character in "/?#@[]\\ \t\r\n"):
        raise ValueError(f"`{address}` is no host name and no IP address")
    if ":" not in bare:
        return bare
    literal, percent, zone = bare.partition("%")
    try:
        ipaddress.IPv6Address(literal)
    except ValueError:
        raise ValueError(
            f"`{address}` is no host name and no IP address; a port has a key of its own"
        ) from None
    # RFC 6874: the percent sign before a zone is quoted in a URL.
    if zone.startswith("25") and len(zone) > len("25"):
        zone = zone.removeprefix("25")
    return f"[{literal}%25{zone}]" if percent else f"[{literal}]"

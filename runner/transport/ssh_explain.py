"""What will be used to reach a host over SSH, word by word, and where each came from; connects to nothing."""

from __future__ import annotations

from pathlib import Path

from runner.transport.endpoint import Endpoint
from runner.transport.ssh_settings import DEFAULT_KEYS, Places, SettingsReader


def effective(
    endpoint: Endpoint, home: Path, *, system: Path = Path("/etc/ssh"), login_user: str | None = None
) -> list[tuple[str, str, str]]:
    """Rows of word, value and source, sorted by word.

    The source is a key of the target or the host (``port``, ``user_name``, ``key_file_path`` ...), ``credential``,
    ``options``, ``path:line`` of a configuration file, ``address``, or ``default``.

    Raises:
        ConfigError: an option or a configuration file is wrong.

    """
    settings = SettingsReader(Places(home, system)).settings(endpoint, login_user)
    rows = [(word, value.text, value.source) for word, values in settings.values.items() for value in values]
    said = set(settings.values)
    if endpoint.jump is not None:
        rows = [row for row in rows if row[0] not in {"ProxyJump", "ProxyCommand"}]
        rows.append(("ProxyJump", ",".join(hop.host for hop in endpoint.jump) or "none", "jump"))
    defaults = {
        "Port": str(settings.port),
        "User": settings.user,
        "ConnectTimeout": f"{settings.timeout:g}",
        "ServerAliveInterval": f"{endpoint.keepalive:g}",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": " ".join(map(str, settings.known_hosts)),
        "GlobalKnownHostsFile": " ".join(map(str, settings.global_known_hosts)),
        "IdentityFile": " ".join(f"~/.ssh/{name}" for name in DEFAULT_KEYS),
        "IdentityAgent": settings.agent or "none",
        "Compression": "no",
    }
    rows += [(word, text, "default") for word, text in defaults.items() if word not in said]
    if "Hostname" not in said:
        rows.append(("Hostname", settings.address, "address"))
    return sorted(rows)

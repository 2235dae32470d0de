"""How a front end is: its users, its limits and its manners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runner.lab.wsman_configurations import CONFIGURATIONS, Configuration
from runner.lab.wsman_soap import Request
from runner.transport.carrier import Carrier


class Manners(StrEnum):
    """Whose habits a server has; ``OMI`` are those of WSMan servers on Linux (remoting.md 12).

    Windows keeps its last answer to a Receive and gives it again to the same message id; OMI keeps none.
    """

    WINDOWS = "windows"
    OMI = "omi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Limits of the service, with the defaults of Windows Server; sizes in KiB, times in seconds."""

    max_shells_per_user: int = 30
    max_concurrent_users: int = 10
    max_concurrent_operations_per_user: int = 1500
    max_envelope_size_kb: int = 500
    idle_timeout: float = 7200.0
    operation_timeout: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What the service behind the HTTP server is like.

    Args:
        engine: makes the carrier of a new shell; it is opened once.
        configurations: session configurations by name.
        quotas: limits that really count.
        manners: whose habits it has.
        watch: is told of each request that was understood, before it is answered.

    """

    engine: Callable[[], Carrier]
    configurations: tuple[Configuration, ...] = CONFIGURATIONS
    quotas: Quotas = Quotas()
    manners: Manners = Manners.WINDOWS
    watch: Callable[[Request], None] | None = None

    def configuration(self, resource_uri: str) -> Configuration | None:
        """The session configuration of a resource URI, in any case."""
        return self._by_uri.get(resource_uri.lower())

    @property
    def _by_uri(self) -> Mapping[str, Configuration]:
        return {each.resource_uri.lower(): each for each in self.configurations}


@dataclass(slots=True)
class Counters:
    """What a front end has seen since it started; ``operations`` are counted by name, answered well or not."""

    operations: Counter[str] = field(default_factory=Counter)
    shells_opened: int = 0
    pipelines: int = 0
    logins: Counter[str] = field(default_factory=Counter)
    """Logins that succeeded, by scheme: each connection is one."""
    refused_logins: int = 0

    @property
    def receives(self) -> int:
        """Receive operations: polls for output."""
        return self.operations["Receive"]

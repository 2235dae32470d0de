"""What a PowerShell needs of the environment where it is no package of the system."""

from __future__ import annotations

import os


def engine_needs() -> dict[str, str]:
    """Of this process's environment: where .NET is, and whether it may look for ICU; without them no engine starts."""
    return {name: value for name, value in os.environ.items() if name.startswith("DOTNET_")}

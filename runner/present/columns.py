"""Which properties of PowerShell's objects stand in a table: those its users expect, or the first ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.objects import PSObject

MOST_COLUMNS = 8
"""Of an object that nobody chose the properties of; Get-Process has sixty."""

# What PowerShell's own formats show of types that are often asked for (its *.format.ps1xml).
_VIEWS: Mapping[str, Sequence[str]] = {
    "Microsoft.PowerShell.Commands.GenericMeasureInfo": (
        "Count",
        "Average",
        "Sum",
        "Maximum",
        "Minimum",
        "Property",
    ),
    "System.Diagnostics.EventLogEntry": (
        "Index",
        "TimeGenerated",
        "EntryType",
        "Source",
        "InstanceId",
        "Message",
    ),
    "System.Diagnostics.Eventing.Reader.EventLogRecord": ("TimeCreated", "Id", "LevelDisplayName", "Message"),
    "System.Diagnostics.Process": ("Id", "ProcessName", "CPU", "WS", "Handles"),
    "System.Globalization.CultureInfo": ("LCID", "Name", "DisplayName"),
    "System.IO.DirectoryInfo": ("Mode", "LastWriteTime", "Length", "Name"),
    "System.IO.FileInfo": ("Mode", "LastWriteTime", "Length", "Name"),
    "System.Management.ManagementObject#root\\cimv2\\Win32_QuickFixEngineering": (
        "Description",
        "HotFixID",
        "InstalledBy",
        "InstalledOn",
    ),
    "System.ServiceProcess.ServiceController": ("Status", "Name", "DisplayName"),
}
_SPOKEN = frozenset(
    f"System.Management.Automation.{name}"
    for name in ("DebugRecord", "ErrorRecord", "InformationRecord", "VerboseRecord", "WarningRecord")
)
_PREFIX = "Deserialized."
_CHOSEN = "System.Management.Automation.PSCustomObject"


def columns_of(records: Sequence[Mapping[Any, Any]]) -> list[Any]:
    """Names in the order in which they are first met; of .NET's own objects a few only."""
    found = list(dict.fromkeys(key for record in records for key in record))
    if len(found) <= MOST_COLUMNS or not all(isinstance(record, PSObject) for record in records):
        return found
    types = {_type_names(record) for record in records}
    views = {_VIEWS.get(names[0]) if names else None for names in types}
    if len(views) == 1 and (view := views.pop()):
        shown = [name for name in view if name in found]
        if len(shown) > 1:
            return shown
    if any(not names or _CHOSEN in names for names in types):
        return found  # the script's author chose them
    return found[:MOST_COLUMNS]


def is_spoken(value: PSObject) -> bool:
    """Whether a person is shown its text and no properties: records that were led into the output (`2>&1`) are."""
    return value.text is not None and (not value or bool(_SPOKEN.intersection(_type_names(value))))


def _type_names(record: Mapping[Any, Any]) -> tuple[str, ...]:
    names = record.type_names if isinstance(record, PSObject) else ()
    return tuple(name.removeprefix(_PREFIX) for name in names)

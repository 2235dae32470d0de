"""What a stopped pipeline leaves behind: a stop ends the native program, not what that program had started.

Found from inside the session, which still answers after a stop (remoting.md 2.9 and server/30): on Linux by the
engine's process group, on Windows by the parents that still live. Over WinRM the rest goes with the shell's job object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.psrp.request import Argument, Command, PipelineRequest, Statement

# On Windows a number is soon given again, so that an older process may have the number of our own as its parent's; and
# the console of a program that has none, conhost, is the engine's as much as the program's and ends with them.
_CHILDREN = r"""
param([int[]]$Except, [bool]$End)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Off
$found = @()
if ($PSVersionTable.PSVersion.Major -lt 6 -or $IsWindows) {
  $all = @(Get-CimInstance -ClassName Win32_Process -Property 'ProcessId', 'ParentProcessId', 'Name', 'CreationDate')
  $begun = ($all | Where-Object { $_.ProcessId -eq $PID }).CreationDate
  $all = @($all | Where-Object { $_.CreationDate -ge $begun -and $_.Name -ne 'conhost.exe' })
  $parents = @($PID)
  $seen = @($PID)
  while ($parents.Count -gt 0) {
    $children = @($all | Where-Object { $parents -contains $_.ParentProcessId -and $seen -notcontains $_.ProcessId })
    $parents = @($children | ForEach-Object { [int]$_.ProcessId })
    $seen += $parents
    $found += @($children | ForEach-Object { [pscustomobject]@{ Id = [int]$_.ProcessId; Name = [string]$_.Name } })
  }
} else {
  $all = @{}
  foreach ($directory in [IO.Directory]::GetDirectories('/proc')) {
    $id = [IO.Path]::GetFileName($directory)
    if ($id -notmatch '^\d+$') { continue }
    try { $text = [IO.File]::ReadAllText("$directory/stat") } catch { continue }
    $begin = $text.IndexOf('(')
    $close = $text.LastIndexOf(')')
    $fields = $text.Substring($close + 2).Split(' ')
    $name = $text.Substring($begin + 1, $close - $begin - 1)
    $all[[int]$id] = @{ Name = $name; State = $fields[0]; Parent = [int]$fields[1]; Group = [int]$fields[2] }
  }
  $ours = @()
  $up = $PID
  while ($all.ContainsKey($up)) { $ours += $up; $up = $all[$up].Parent }
  foreach ($id in @($all.Keys)) {
    if ($all[$id].Group -ne $all[$PID].Group -or $all[$id].State -eq 'Z' -or $ours -contains $id) { continue }
    $found += [pscustomobject]@{ Id = $id; Name = $all[$id].Name }
  }
}
foreach ($process in $found) {
  if ($Except -contains $process.Id) { continue }
  $gone = $false
  if ($End) {
    try { Stop-Process -Id $process.Id -Force; $gone = $true }
    catch { $gone = -not (Get-Process -Id $process.Id -ErrorAction Ignore) }
  }
  [pscustomobject]@{ Id = $process.Id; Name = $process.Name; Ended = $gone }
}
"""


@dataclass(frozen=True, slots=True)
class Child:
    """A process on the host; ``ended`` where it was killed now, which the host may refuse."""

    number: int
    name: str
    ended: bool = False

    def __str__(self) -> str:
        return f"`{self.name}` ({self.number})"


@dataclass(frozen=True, slots=True)
class Children:
    """What a stopped step had left behind: ``known`` False where the host could not be asked."""

    known: bool = True
    found: tuple[Child, ...] = ()

    @property
    def left(self) -> tuple[Child, ...]:
        """Those that still run."""
        return tuple(child for child in self.found if not child.ended)

    @property
    def told(self) -> str:
        """The end of a sentence about the stop; empty where nothing is left."""
        if not self.known:
            return "; what it had started may still run"
        ended = tuple(child for child in self.found if child.ended)
        return _told(ended, "was ended too") + _told(self.left, "still runs")


def _told(children: Sequence[Child], what: str) -> str:
    if not children:
        return ""
    names = ", ".join(map(str, children[:10])) + (" and more" if len(children) > 10 else "")
    return f"; {names}, which it had started, {what}"


def children_request(*, besides: Iterable[int] = (), end: bool = False) -> PipelineRequest:
    """Asks for what the session has started and still runs, but for ``besides``; with ``end`` it is killed."""
    given = (Argument(list(besides), "Except"), Argument(end, "End"))
    asking = Command(_CHILDREN, is_script=True, arguments=given, use_local_scope=True)
    return PipelineRequest(statements=(Statement((asking,)),))


def read_children(answers: Sequence[Any]) -> tuple[Child, ...]:
    """The answer of :func:`children_request`; what is no process in it is left out."""
    found = [
        Child(answer["Id"], str(answer["Name"])[:64], answer.get("Ended") is True)
        for answer in answers
        if isinstance(answer, Mapping) and isinstance(answer.get("Id"), int) and "Name" in answer
    ]
    return tuple(sorted(found, key=lambda child: child.number))

"""The fixed PowerShell scripts that look at, put and take files on a host, for Windows PowerShell 5.1 and PowerShell 7.

The counterpart of ``host_scripts``. Values come as arguments, content as ``byte[]`` pipeline input; each runs in a
scope of its own and leaves nothing in the session. One that refuses throws a word and a reason; what a host answers is
data that may lie: ``runner.execute.powershell_files`` checks it.
"""

from __future__ import annotations

_COMMON = r"""
$ErrorActionPreference = 'Stop'
Set-StrictMode -Off
$windows = $PSVersionTable.PSVersion.Major -lt 6 -or $IsWindows

function Deny($Word, $Reason) { throw "$Word $Reason" }
function Get-Reason($Record) { $Record.Exception.GetBaseException().Message }

function Resolve-FileName($Name) {
  $provider = $null; $drive = $null
  $resolver = $ExecutionContext.SessionState.Path
  $path = $resolver.GetUnresolvedProviderPathFromPSPath($Name, [ref]$provider, [ref]$drive)
  if ($provider.Name -ne 'FileSystem') { throw "file-script $Name is no path of the file system" }
  $path
}

function Invoke-Program($Word, $Program, $Arguments) {
  $ErrorActionPreference = 'Continue'
  $said = & $Program @Arguments 2>&1
  if ($LASTEXITCODE) { Deny $Word (($said | ForEach-Object { "$_" }) -join ' ') }
  $said
}

function Get-Facts($Path) {
  if ($windows) { return '' }
  $form = if ($IsMacOS) { '-L', '-f', '%u %g %Mp%Lp %Su:%Sg' } else { '-L', '-c', '%u %g %a %U:%G' }
  [string](Invoke-Program 'file-script' 'stat' ($form + '--' + $Path))
}

function Test-Regular($Path) {
  if ($windows) { return $true }
  $form = if ($IsMacOS) { '-L', '-f', '%HT' } else { '-L', '-c', '%F' }
  [string](Invoke-Program 'file-script' 'stat' ($form + '--' + $Path)) -match '^regular'
}

function Get-Digest($Stream, $Size) {
  $hash = [Security.Cryptography.SHA256]::Create()
  $buffer = New-Object byte[] 1048576
  while ($Size -gt 0) {
    $count = $Stream.Read($buffer, 0, [Math]::Min($buffer.Length, $Size))
    if ($count -eq 0) { break }
    $null = $hash.TransformBlock($buffer, 0, $count, $null, 0)
    $Size -= $count
  }
  $null = $hash.TransformFinalBlock($buffer, 0, 0)
  [BitConverter]::ToString($hash.Hash).Replace('-', '').ToLowerInvariant()
}

function Get-File($Path) {
  $stream = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite')
  try { [pscustomobject]@{ Size = $stream.Length; Digest = Get-Digest $stream $stream.Length } }
  finally { $stream.Dispose() }
}

function Set-Owning($Path, $Owner, $Group, $Mode) {
  if ($Owner -or $Group) {
    if ($windows) { Deny 'owner-refused' 'Windows has access lists; set them with icacls in a step of their own' }
    $who = if ($Group) { "${Owner}:$Group" } else { $Owner }
    $null = Invoke-Program 'owner-refused' 'chown' ('--', $who, $Path)
  }
  if ($Mode) {
    if ($windows) { Deny 'mode-refused' 'Windows has access lists and no mode; set them with icacls' }
    $null = Invoke-Program 'mode-refused' 'chmod' ('--', $Mode, $Path)
  }
}
"""

LOOK = (
    "param([string]$Destination, [string]$Name)\n"
    + _COMMON
    + r"""
$path = Resolve-FileName $Destination
$ends = if ($windows) { '[/\\]$' } else { '/$' }
if ($Destination -match $ends -or [IO.Directory]::Exists($path)) {
  if (-not $Name) { Deny 'destination-directory' 'it is a directory, and the content has no name of its own' }
  $path = [IO.Path]::Combine($path, $Name)
}
$item = Get-Item -LiteralPath $path -Force -ErrorAction Ignore
if ($item -and ($item.Attributes -band [IO.FileAttributes]::ReparsePoint)) {
  if ($PSVersionTable.PSVersion.Major -lt 7) { Deny 'destination-link' 'Windows PowerShell does not follow links' }
  $end = $item.ResolveLinkTarget($true)
  if (-not $end -or -not $end.Exists) { Deny 'destination-link' 'it is a link that leads nowhere' }
  $path = $end.FullName
}
$parent = [IO.Path]::GetDirectoryName($path)
if ($parent -and -not [IO.Directory]::Exists($parent)) { Deny 'destination-parent' "there is no directory $parent" }
if ([IO.Directory]::Exists($path)) { Deny 'destination-directory' "$path is a directory" }
if (-not [IO.File]::Exists($path)) { return [pscustomobject]@{ Kind = 'absent'; Path = $path } }
if (-not (Test-Regular $path)) { Deny 'destination-special' "$path is no regular file" }
try { $file = Get-File $path } catch { Deny 'destination-unreadable' (Get-Reason $_) }
[pscustomobject]@{ Kind = 'file'; Path = $path; Digest = $file.Digest; Facts = Get-Facts $path }
"""
)

PUT = (
    r"""
param([string]$Path, [string]$Temporary, [string]$Digest, [string]$Owner, [string]$Group, [string]$Mode,
  [string]$Backup, [string]$Validate)
begin {
"""
    + _COMMON
    + r"""
  if ($windows) { Set-Owning $Path $Owner $Group $Mode }
  $hash = [Security.Cryptography.SHA256]::Create()
  try { $stream = [IO.File]::Open($Temporary, 'CreateNew', 'Write', 'None') }
  catch { Deny 'destination-write' (Get-Reason $_) }
  if (-not $windows) { $null = Invoke-Program 'mode-refused' 'chmod' ('--', '600', $Temporary) }
}
process {
  if ($null -eq $_) { return }
  try { $stream.Write($_, 0, $_.Length) } catch { Deny 'destination-write' (Get-Reason $_) }
  $null = $hash.TransformBlock($_, 0, $_.Length, $null, 0)
}
end {
  try { $stream.Dispose() } catch { Deny 'destination-write' (Get-Reason $_) }
  $null = $hash.TransformFinalBlock((New-Object byte[] 0), 0, 0)
  $arrived = [BitConverter]::ToString($hash.Hash).Replace('-', '').ToLowerInvariant()
  if ($arrived -ne $Digest) { Deny 'digest-differs' 'what arrived is not what was sent' }
  $there = [IO.File]::Exists($Path)
  if (-not $windows) {
    if ($there) {
      $uid, $gid, $bits = (Get-Facts $Path).Split(' ')[0..2]
      $own = (Get-Facts $Temporary).Split(' ')[0..1]
      $new = $(if ($Owner) { $Owner } else { $uid }), $(if ($Group) { $Group } else { $gid })
      if ("$new" -ne "$own") { Set-Owning $Temporary $new[0] $new[1] '' }
    } else {
      Set-Owning $Temporary $Owner $Group ''
      $umask = Invoke-Program 'file-script' 'sh' ('-c', 'umask')
      $bits = [Convert]::ToString(438 -band -bnot [Convert]::ToInt32([string]$umask, 8), 8)
    }
    Set-Owning $Temporary '' '' $bits
    Set-Owning $Temporary '' '' $Mode
  }
  if ($Validate) {
    $before = Get-Variable -Name LASTEXITCODE -Scope Global -ValueOnly -ErrorAction Ignore
    try {
      $global:LASTEXITCODE = 0
      $ErrorActionPreference = 'Continue'
      $said = & ([scriptblock]::Create($Validate)) $Temporary 2>&1 | Out-String -Width 200
      $code = $global:LASTEXITCODE
    } catch { Deny 'validation-failed' (Get-Reason $_) }
    finally { $global:LASTEXITCODE = $before; $ErrorActionPreference = 'Stop' }
    if ($code) { Deny 'validation-failed' $said.Trim() }
  }
  if ($Backup -and $there) {
    try {
      [IO.File]::Copy($Path, $Backup, $true)
      if (-not $windows) { Set-Owning $Backup $uid $gid $bits }
    } catch { Deny 'backup-failed' (Get-Reason $_) }
  }
  try {
    if (-not $there) { [IO.File]::Move($Temporary, $Path) }
    elseif ($windows) { [IO.File]::Replace($Temporary, $Path, [NullString]::Value) }
    else { [IO.File]::Move($Temporary, $Path, $true) }
  } catch { Deny 'destination-write' (Get-Reason $_) }
  [pscustomobject]@{ Kind = 'done'; Facts = Get-Facts $Path }
}
"""
)

SETTLE = (
    "param([string]$Path, [string]$Owner, [string]$Group, [string]$Mode)\n"
    + _COMMON
    + r"""
Set-Owning $Path $Owner $Group $Mode
[pscustomobject]@{ Kind = 'done'; Facts = Get-Facts $Path }
"""
)

FIND = (
    "param([string[]]$Pattern)\n"
    + _COMMON
    + r"""
function Get-One($Path) {
  $answer = [pscustomobject]@{ Kind = 'file'; Path = $Path; Size = 0; Digest = ''; Windows = [bool]$windows }
  if ([IO.Directory]::Exists($Path)) { $answer.Kind = 'directory' }
  elseif (-not [IO.File]::Exists($Path)) { $answer.Kind = 'missing' }
  elseif (-not (Test-Regular $Path)) { $answer.Kind = 'special' }
  else {
    try { $file = Get-File $Path; $answer.Size = $file.Size; $answer.Digest = $file.Digest }
    catch { $answer.Kind = 'unreadable' }
  }
  $answer
}
foreach ($wanted in $Pattern) {
  $path = Resolve-FileName $wanted
  $found = @()
  if (-not (Test-Path -LiteralPath $path)) {
    $found = @(Get-Item -Path $path -Force -ErrorAction Ignore | Sort-Object -Property FullName)
  }
  if ($found.Count -eq 0) { Get-One $path } else { foreach ($item in $found) { Get-One $item.FullName } }
}
"""
)

TAKE = r"""
param([string]$Path, [long]$Size)
$ErrorActionPreference = 'Stop'
$stream = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite')
try {
  while ($Size -gt 0) {
    $buffer = New-Object byte[] ([int][Math]::Min(1048576, $Size))
    $count = $stream.Read($buffer, 0, $buffer.Length)
    if ($count -eq 0) { break }
    if ($count -lt $buffer.Length) { [Array]::Resize([ref]$buffer, $count) }
    $Size -= $count
    , $buffer
  }
} finally { $stream.Dispose() }
"""
"""No more than was announced, so a log that grows meanwhile is taken as it was looked at; pieces of 1 MiB."""

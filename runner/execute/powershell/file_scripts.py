"""The fixed PowerShell scripts that look at, put and take files on a host, for Windows PowerShell 5.1 and PowerShell 7.

The counterpart of ``host_scripts``. Values come as arguments, content as ``byte[]`` pipeline input; each runs in a
scope of its own and leaves nothing in the session. One that refuses throws a word and a reason; what a host answers is
data that may lie: ``runner.execute.powershell.files`` checks it.

What both engines must take: no ``??`` and no ternary, no ``clean`` block, no overload that only .NET has, unless a
check of the version stands before it. Paths that go to .NET are whole ones, for .NET knows nothing of
``Set-Location``. No variable has the name of a parameter: ``$mode`` is ``$Mode``.
"""

from __future__ import annotations

_COMMON = r"""
$ErrorActionPreference = 'Stop'
Set-StrictMode -Off
# Under AppLocker and its like no method of .NET may be called; better told once than by the first that fails.
$language = $ExecutionContext.SessionState.LanguageMode
if ($language -ne 'FullLanguage') {
  throw "file-script scripts run in $language there, and files need FullLanguage"
}
$windows = $PSVersionTable.PSVersion.Major -lt 6 -or $IsWindows

function Deny($Word, $Reason) { throw "$Word $Reason" }
function Get-Reason($Record) { $Record.Exception.GetBaseException().Message }

function Resolve-FileName($Name) {
  $provider = $null; $drive = $null
  $resolver = $ExecutionContext.SessionState.Path
  try { $path = $resolver.GetUnresolvedProviderPathFromPSPath($Name, [ref]$provider, [ref]$drive) }
  catch { throw "file-script $(Get-Reason $_)" }
  if ($provider.Name -ne 'FileSystem') { throw "file-script $Name is no path of the file system" }
  $path
}

# What a program writes to standard error comes as error records: its reason if it fails, else no part of its answer.
# The path stands in quotes, for on Linux the engine takes what does not for a pattern, also what comes of a variable:
# `a[1]` would be the file `a1` where there is one.
function Invoke-Program($Word, $Program, $Options, $Path) {
  $ErrorActionPreference = 'Continue'
  $before = $global:LASTEXITCODE
  try {
    $said = @(& $Program @Options "$Path" 2>&1)
    $code = $global:LASTEXITCODE
  } catch { Deny $Word (Get-Reason $_) }
  finally { $global:LASTEXITCODE = $before }
  if ($code) { Deny $Word (($said | ForEach-Object { "$_" }) -join ' ') }
  $said | Where-Object { $_ -isnot [Management.Automation.ErrorRecord] }
}

function Get-Facts($Path) {
  if ($windows) { return '' }
  $form = if ($IsMacOS) { '-L', '-f', '%u %g %Mp%Lp %Su:%Sg' } else { '-L', '-c', '%u %g %a %U:%G' }
  [string](Invoke-Program 'file-script' 'stat' ($form + '--') $Path)
}

# By the bits of st_mode: the words of %F are in the language of the host.
function Test-Regular($Path) {
  if ($windows) { return $true }
  $form, $base = if ($IsMacOS) { ('-L', '-f', '%p'), 8 } else { ('-L', '-c', '%f'), 16 }
  $bits = [Convert]::ToInt32([string](Invoke-Program 'file-script' 'stat' ($form + '--') $Path), $base)
  ($bits -band 0xF000) -eq 0x8000
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

# Open to all others meanwhile, or a fetch would keep a log from being rotated.
function Get-File($Path) {
  $stream = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
  try { [pscustomobject]@{ Size = $stream.Length; Digest = Get-Digest $stream $stream.Length } }
  finally { $stream.Dispose() }
}

function Set-Owning($Path, $Owner, $Group, $Mode) {
  if ($Owner -or $Group) {
    if ($windows) { Deny 'owner-refused' 'Windows has access lists; set them with icacls in a step of their own' }
    $who = if ($Group) { "${Owner}:$Group" } else { $Owner }
    $null = Invoke-Program 'owner-refused' 'chown' ('--', $who) $Path
  }
  if ($Mode) {
    if ($windows) { Deny 'mode-refused' 'Windows has access lists and no mode; set them with icacls' }
    $null = Invoke-Program 'mode-refused' 'chmod' ('--', $Mode) $Path
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
# Not by the reparse point: OneDrive's files and those of a volume with deduplication have one and are no links.
if ($item.LinkType -eq 'SymbolicLink') {
  if (-not $item.PSObject.Methods['ResolveLinkTarget']) {
    Deny 'destination-link' 'links are followed by PowerShell 7.2 and later'
  }
  try { $end = $item.ResolveLinkTarget($true) } catch { Deny 'destination-link' (Get-Reason $_) }
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
"""
    + _COMMON
    + r"""
if ($windows) { Set-Owning $Path $Owner $Group $Mode }
try { $stream = [IO.File]::Open($Temporary, 'CreateNew', 'Write', 'None') }
catch { Deny 'destination-write' (Get-Reason $_) }
# By $input, which comes piece by piece, and not by a process block: only one block can have a `finally` around the
# whole of it, and on Windows a file cannot be taken away that a stop has left open.
try {
  if (-not $windows) { $null = Invoke-Program 'mode-refused' 'chmod' ('--', '600') $Temporary }
  $hash = [Security.Cryptography.SHA256]::Create()
  foreach ($piece in $input) {
    try { $stream.Write($piece, 0, $piece.Length) } catch { Deny 'destination-write' (Get-Reason $_) }
    $null = $hash.TransformBlock($piece, 0, $piece.Length, $null, 0)
  }
  try { $stream.Flush() } catch { Deny 'destination-write' (Get-Reason $_) }
} finally {
  # On a full disk it fails once more, and what it says would take the place of the reason.
  try { $stream.Dispose() } catch { }
}
$null = $hash.TransformFinalBlock([byte[]]@(), 0, 0)
$arrived = [BitConverter]::ToString($hash.Hash).Replace('-', '').ToLowerInvariant()
if ($arrived -ne $Digest) { Deny 'digest-differs' 'what arrived is not what was sent' }
$there = [IO.File]::Exists($Path)
if (-not $windows) {
  if ($there) {
    $uid, $gid, $bits = (Get-Facts $Path).Split(' ')[0..2]
    $own = (Get-Facts $Temporary).Split(' ')[0..1]
    $new = $uid, $gid
    if ($Owner) { $new[0] = $Owner }
    if ($Group) { $new[1] = $Group }
    if ("$new" -ne "$own") { Set-Owning $Temporary $new[0] $new[1] '' }
  } else {
    Set-Owning $Temporary $Owner $Group ''
    $umask = [Convert]::ToInt32([string](Invoke-Program 'file-script' 'sh' @('-c') 'umask'), 8)
    $bits = 438 -band (-bnot $umask)
    $bits = [Convert]::ToString($bits, 8)
  }
  Set-Owning $Temporary '' '' $bits
  Set-Owning $Temporary '' '' $Mode
}
if ($Validate) {
  # Refused by what throws, by an exit code, and by the errors of cmdlets; programs may say what they like.
  $before = $global:LASTEXITCODE
  try {
    $global:LASTEXITCODE = 0
    $ErrorActionPreference = 'Continue'
    $said = @(& ([scriptblock]::Create($Validate)) $Temporary 2>&1)
    $code = $global:LASTEXITCODE
  } catch { Deny 'validation-failed' (Get-Reason $_) }
  finally { $global:LASTEXITCODE = $before; $ErrorActionPreference = 'Stop' }
  $errors = @($said | Where-Object {
    $_ -is [Management.Automation.ErrorRecord] -and $_.FullyQualifiedErrorId -notlike 'NativeCommandError*'
  })
  if ($code -or $errors) { Deny 'validation-failed' (($said | ForEach-Object { "$_" }) -join "`n").Trim() }
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
  else {
    # .NET says that a link to nowhere exists, and only `stat` finds that it does not.
    try { if (-not (Test-Regular $Path)) { $answer.Kind = 'special' } } catch { $answer.Kind = 'missing' }
  }
  if ($answer.Kind -eq 'file') {
    try { $file = Get-File $Path; $answer.Size = $file.Size; $answer.Digest = $file.Digest }
    catch { $answer.Kind = 'unreadable' }
  }
  $answer
}
foreach ($wanted in $Pattern) {
  $path = Resolve-FileName $wanted
  $found = @()
  if (-not [IO.File]::Exists($path) -and -not [IO.Directory]::Exists($path)) {
    # As in sh: a pattern takes names that begin with a dot where it begins with one itself.
    $hidden = $windows -or [IO.Path]::GetFileName($path).StartsWith('.')
    $found = @(Get-Item -Path $path -Force:$hidden -ErrorAction Ignore | Sort-Object -Property FullName)
  }
  if ($found.Count -eq 0) { Get-One $path } else { foreach ($item in $found) { Get-One $item.FullName } }
}
"""
)

TAKE = r"""
param([string]$Path, [long]$Size)
$ErrorActionPreference = 'Stop'
try { $stream = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete') }
catch { throw "file-script $($_.Exception.GetBaseException().Message)" }
try {
  while ($Size -gt 0) {
    $buffer = New-Object byte[] ([int][Math]::Min(1048576, $Size))
    $count = $stream.Read($buffer, 0, $buffer.Length)
    if ($count -eq 0) { break }
    $piece = $buffer
    if ($count -lt $buffer.Length) {
      $piece = New-Object byte[] $count
      [Array]::Copy($buffer, $piece, $count)
    }
    $Size -= $count
    , $piece
  }
} finally { $stream.Dispose() }
"""
"""No more than was announced, so a log that grows meanwhile is taken as it was looked at; pieces of 1 MiB."""

r"""The fixed scripts of a lock on a host: one for POSIX sh, one for Windows PowerShell 5.1 and PowerShell 7.

A lock is a file whose name ends in its token. To take it is to make the file with the next token, which only one can:
``link``, and on Windows ``File.Move``, fail where there is such a file. So nobody ever removes or renames what another
made, and no two can take an expired lock. The highest token counts; lower ones are litter that their owners may remove.
What was given back stays as a file that says so, or a slow taker could make a token that others have passed.

Arguments: ``take``, ``keep``, ``give`` or ``show``; the holding; seconds to hold; the lines of JSON about the holder; a
holding whose lock is free to take, or empty; the directory, or empty for the usual one. Answers: ``taken TOKEN``,
``held TOKEN NOW DIRECTORY`` with the file's text below, ``given``, ``other``, ``free``. To take what one holds is to
renew it; ``keep`` does nothing but that, so that who lost a lock does not take it back unseen when the other is done.

The directory must be the same for all users of a host: /run/lock where all may write there, else /tmp; on Windows
below %ProgramData%. It is judged by its mode and not by who asks. Only the host's clock is asked.
"""

from __future__ import annotations

GRACE = 5
"""Seconds that an expired lock is left alone: its holder, who is just renewing it, has seen that it was his."""

POSIX = (
    r"""
export LC_ALL=C
umask 022
verb=$1 holding=$2 seconds=$3 about=$4 gone=$5 folder=$6 temporary=
refuse() { printf '%s\n' "$1" >&2; exit 64; }
if [ -z "$folder" ]; then
  folder=/tmp
  case $(ls -ld /run/lock 2>/dev/null) in d???????w*) folder=/run/lock;; esac
fi
now=$(date +%s)
case $now in ''|*[!0-9]*) refuse 'date +%s tells no time';; esac
trap 'rm -f -- "$temporary"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM

each_token() {  # runs $1 with each token
  for file in "$folder"/.runner-lock.[1-9]*; do
    token=${file##*.}
    case $token in *[!0-9]*) continue;; esac
    [ ${#token} -gt 15 ] || $1 "$token"
  done
}
higher() { [ "$1" -le "$top" ] || top=$1; }
highest() { top=0; each_token higher; }
lower() { [ "$1" -ge "$top" ] || rm -f -- "$folder/.runner-lock.$1" 2>/dev/null; }

look() {  # at the lock with the highest token
  path=$folder/.runner-lock.$top content= expires=
  if [ -f "$path" ] && [ ! -L "$path" ]; then
    content=$(head -c 4096 <"$path" 2>/dev/null)
    expires=$(printf '%s\n' "$content" | sed -n 's/^"expires": \([0-9]\{1,12\}\),$/\1/p')
  fi
}
says() { case $content in *"\"holding\": \"$1\","*) return 0;; esac; return 1; }

write() {  # $1 token, $2 expires: whole before it has its name
  temporary=$(mktemp "$folder/.runner-XXXXXXXXXX" 2>&1) || refuse "$temporary"
  printf '{\n"version": 1,\n"expires": %s,\n"token": %s,\n"holding": "%s",\n%s\n}\n' \
    "$2" "$1" "$holding" "$about" >"$temporary" || refuse "$temporary cannot be written"
  chmod 644 "$temporary"
}
rewrite() { write "$top" "$1"; mv -f -- "$temporary" "$path" || refuse "$path cannot be written"; }

if [ "$verb" = give ]; then
  highest; look
  if [ "$top" -gt 0 ] && says "$holding"; then rewrite 0; echo given; else echo other; fi
  exit 0
fi
held() { printf 'held %s %s %s\n%s' "$top" "$now" "$folder" "$content"; exit 0; }
if [ "$verb" = show ]; then
  highest; look
  if [ "$top" -eq 0 ] || [ "$expires" = 0 ]; then echo free; exit 0; fi
  held
fi
tries=0
while [ $tries -lt 20 ]; do
  tries=$((tries + 1))
  highest; look
  if [ "$verb" = keep ] && [ "$top" -gt 0 ] && ! says "$holding"; then free=
  elif [ "$top" -eq 0 ] || { [ -n "$gone" ] && says "$gone"; } || [ "$expires" = 0 ]; then free=1
  elif [ -n "$expires" ] && says "$holding" && [ "$expires" -gt "$now" ]; then
    mine=$top
    rewrite $((now + seconds))
    highest
    if [ "$top" = "$mine" ]; then echo "taken $top"; exit 0; fi
    continue
  elif [ -n "$expires" ] && says "$holding"; then free=1
  elif [ -n "$expires" ] && [ $((expires + GRACE)) -le "$now" ]; then free=1
  else free=
  fi
  [ -n "$free" ] || held
  next=$((top + 1))
  write "$next" $((now + seconds))
  reason=$(ln -- "$temporary" "$folder/.runner-lock.$next" 2>&1) && reason=
  rm -f -- "$temporary"
  if [ -n "$reason" ]; then
    [ -e "$folder/.runner-lock.$next" ] || refuse "$reason"
    continue
  fi
  highest
  if [ "$top" != "$next" ]; then rm -f -- "$folder/.runner-lock.$next"; continue; fi
  each_token lower
  echo "taken $next"
  exit 0
done
refuse "too many take the lock in $folder at once"
"""
).replace("GRACE", str(GRACE))

POWERSHELL = (
    r"""
param([string]$Verb, [string]$Holding, [long]$Seconds, [string]$About, [string]$Gone, [string]$Folder)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Off
$language = $ExecutionContext.SessionState.LanguageMode
if ($language -ne 'FullLanguage') { throw "scripts run in $language there, and locks need FullLanguage" }
$windows = $PSVersionTable.PSVersion.Major -lt 6 -or $IsWindows
if (-not $Folder) {
  if ($windows) {
    $Folder = [IO.Path]::Combine([Environment]::GetFolderPath('CommonApplicationData'), 'runner-locks')
    $null = [IO.Directory]::CreateDirectory($Folder)
  } else {
    $Folder = '/tmp'
    if ([IO.Directory]::Exists('/run/lock') -and "$(& ls -ld /run/lock)" -cmatch '^d.{7}w') { $Folder = '/run/lock' }
  }
}
# By ticks of 100 ns since 1970: what Windows PowerShell 5.1 may run on, .NET 4.5.2, has no word for it.
$now = [long][Math]::Floor(([DateTime]::UtcNow.Ticks - 621355968000000000) / 10000000)
$name = [regex]'^\.runner-lock\.([1-9][0-9]{0,14})$'

function Get-Path($Token) { [IO.Path]::Combine($Folder, ".runner-lock.$Token") }

function Get-Token {
  foreach ($path in [IO.Directory]::GetFileSystemEntries($Folder, '.runner-lock.*')) {
    $match = $name.Match([IO.Path]::GetFileName($path))
    if ($match.Success) { [long]$match.Groups[1].Value }
  }
}

function Get-Highest {
  $top = [long]0
  foreach ($token in Get-Token) { if ($token -gt $top) { $top = $token } }
  $top
}

function Read-Lock($Token) {
  $text = ''
  try {
    $stream = [IO.File]::Open((Get-Path $Token), 'Open', 'Read', 'ReadWrite, Delete')
    try {
      $buffer = New-Object byte[] 4096
      $count = $stream.Read($buffer, 0, $buffer.Length)
      $text = [Text.Encoding]::UTF8.GetString($buffer, 0, $count)
    } finally { $stream.Dispose() }
  } catch { $text = '' }
  $expires = $null
  if ($text -cmatch '(?m)^"expires": ([0-9]{1,12}),\r?$') { $expires = [long]$Matches[1] }
  @{ Text = $text; Expires = $expires }
}

function Test-Says($Lock, $Word) { $Word -and $Lock.Text.Contains('"holding": "' + $Word + '",') }

# Whole before it has its name.
function New-Text($Token, $Expires) {
  $temporary = [IO.Path]::Combine($Folder, '.runner-' + [Guid]::NewGuid().ToString('N'))
  $numbers = "`"expires`": $Expires,", "`"token`": $Token,"
  $lines = @('{', '"version": 1,') + $numbers + @("`"holding`": `"$Holding`",", $About, '}')
  [IO.File]::WriteAllText($temporary, ($lines -join "`n") + "`n")
  $temporary
}

# Why it has not the name; nothing where it has. On Unix File.Move looks whether there is such a file and then renames
# over it, so two could take one name; in quotes, or the engine takes the path for a pattern.
function Add-Name($Temporary, $Path) {
  if ($windows) {
    try { [IO.File]::Move($Temporary, $Path) } catch { $_.Exception.GetBaseException().Message }
    return
  }
  $ErrorActionPreference = 'Continue'
  try { $said = & ln -- "$Temporary" "$Path" 2>&1 } catch { return $_.Exception.Message }
  if ($LASTEXITCODE -ne 0) { "$said" }
}

function Set-Lock($Token, $Expires) {
  $temporary = New-Text $Token $Expires
  try { [IO.File]::Replace($temporary, (Get-Path $Token), [NullString]::Value) }
  finally { [IO.File]::Delete($temporary) }
}

if ($Verb -ceq 'give') {
  $top = Get-Highest
  if ($top -gt 0 -and (Test-Says (Read-Lock $top) $Holding)) { Set-Lock $top 0; return 'given' }
  return 'other'
}
if ($Verb -ceq 'show') {
  $top = Get-Highest
  $lock = Read-Lock $top
  if ($top -eq 0 -or $lock.Expires -eq 0) { return 'free' }
  return "held $top $now $Folder`n" + $lock.Text
}
foreach ($try in 1..20) {
  $top = Get-Highest
  $lock = Read-Lock $top
  $mine = Test-Says $lock $Holding
  if ($mine -and $lock.Expires -gt $now) {
    Set-Lock $top ($now + $Seconds)
    if ((Get-Highest) -eq $top) { return "taken $top" }
    continue
  }
  $over = $null -ne $lock.Expires -and ($mine -or $lock.Expires + GRACE -le $now)
  $lost = $Verb -ceq 'keep' -and -not $mine
  if ($top -ne 0 -and ($lost -or (-not $over -and -not (Test-Says $lock $Gone)))) {
    return "held $top $now $Folder`n" + $lock.Text
  }
  $next = $top + 1
  $temporary = New-Text $next ($now + $Seconds)
  $reason = Add-Name $temporary (Get-Path $next)
  [IO.File]::Delete($temporary)
  if ($reason) {
    if (-not [IO.File]::Exists((Get-Path $next))) { throw $reason }
    continue
  }
  if ((Get-Highest) -ne $next) { [IO.File]::Delete((Get-Path $next)); continue }
  foreach ($token in Get-Token) {
    if ($token -lt $next) { try { [IO.File]::Delete((Get-Path $token)) } catch { } }
  }
  return "taken $next"
}
throw "too many take the lock in $Folder at once"
"""
).replace("GRACE", str(GRACE))

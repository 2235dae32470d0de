"""The fixed scripts that restart a host, for sh and for PowerShell, and those that tell one start from another."""

from __future__ import annotations

# What the kernel drew at its start, and since when the first process runs: in a container the kernel is another's,
# and only its first process is its own. A restart of user space alone changes neither and is counted by systemd 254 and
# newer; `systemctl reboot` does that where /run/nextroot is there (systemctl(1)). Where there is no /proc, the time of
# the start.
BOOT = r"""
export LC_ALL=C
if [ -r /proc/sys/kernel/random/boot_id ]; then
  IFS= read -r id </proc/sys/kernel/random/boot_id
  # The name of a process may hold blanks and parentheses; the start is the 20th word behind the last of those.
  first=$(sed -n '$s/.*) //p' /proc/1/stat 2>/dev/null | cut -d ' ' -f 20)
  printf '%s/%s+%s' "$id" "$first" \
    "$(systemctl show --property=SoftRebootsCount --value 2>/dev/null </dev/null)"
elif since=$(uptime -s 2>/dev/null) && [ -n "$since" ]; then printf %s "$since"
elif since=$(sysctl -n kern.boottime 2>/dev/null) && [ -n "$since" ]; then printf %s "$since"
else echo 'the host does not tell when it was started' >&2; exit 69
fi
"""

BOOT_POWERSHELL = r"""
$ErrorActionPreference = 'Stop'
Set-StrictMode -Off
if ($PSVersionTable.PSVersion.Major -lt 6 -or $IsWindows) {
  $system = Get-CimInstance -ClassName Win32_OperatingSystem
  [string]$system.LastBootUpTime.ToFileTimeUtc()
} elseif ($IsLinux) {
  $id = (Get-Content -LiteralPath /proc/sys/kernel/random/boot_id).Trim()
  # A host may hide the processes of others; the kernel's word is enough then, as it is for sh.
  $first = ((Get-Content -LiteralPath /proc/1/stat -Raw -ErrorAction Ignore) -replace '^.*\) ', '') -split ' '
  $soft = try { & systemctl show --property=SoftRebootsCount --value 2>$null } catch { }
  "$id/$($first[19])+$soft"
} else {
  [string](sysctl -n kern.boottime)
}
"""

# One way after the other, until the host takes one. Each returns when the restart is ordered, not when it is done; what
# it is done with is not sent to the background, so that a refusal is heard.
RESTART = r"""
# $1 what users are told
export LC_ALL=C
if [ -n "$1" ] && command -v wall >/dev/null 2>&1; then wall "$1" </dev/null >/dev/null 2>&1; fi
said=
order() {
  command -v "$1" >/dev/null 2>&1 || return 0
  answer=$("$@" 2>&1 </dev/null) && exit 0
  said="$said${said:+; }$1: $(printf '%s\n' "$answer" | tail -n 1)"
}
order systemctl reboot
order shutdown -r now
order reboot
printf '%s\n' "${said:-the host has none of systemctl, shutdown and reboot}" >&2
exit 1
"""

# Two seconds, in which the answer still comes. 1115 and 1190: a restart is under way already. Windows PowerShell passes
# a double quote on as it is, and a backslash before the one that it adds: the message would be cut into words.
RESTART_POWERSHELL = r"""
param([string]$Message)
$ErrorActionPreference = 'Continue'
Set-StrictMode -Off
if ($PSVersionTable.PSVersion.Major -lt 6 -or $IsWindows) {
  $words = @('/r', '/f', '/t', '2')
  $told = $Message.Replace('"', "'")
  $told = $told.Substring(0, [Math]::Min(512, $told.Length)).TrimEnd('\')
  if ($told) { $words += '/c', $told }
  $said = & shutdown.exe @words 2>&1 | ForEach-Object { "$_" }
  if ($LASTEXITCODE -notin 0, 1115, 1190) { throw "shutdown.exe: $($said -join ' ')" }
} else {
  if ($Message -and (Get-Command wall -CommandType Application -ErrorAction Ignore)) {
    $null = & wall "$Message" 2>&1
  }
  $reasons = foreach ($way in 'systemctl reboot', 'shutdown -r now', 'reboot') {
    $program, $rest = $way -split ' '
    if (-not (Get-Command $program -CommandType Application -ErrorAction Ignore)) { continue }
    $said = & $program @rest 2>&1 | ForEach-Object { "$_" }
    if ($LASTEXITCODE -eq 0) { return }
    "${program}: $($said -join ' ')"
  }
  if (-not $reasons) { $reasons = 'the host has none of systemctl, shutdown and reboot' }
  throw ($reasons -join '; ')
}
"""

"""The fixed scripts with which a host looks for itself: at a port, a path, a URL; each for sh and for PowerShell.

Arguments come by position. A script succeeds where what is looked for is there; else it says why not in a few words.
The PowerShell ones are for Windows PowerShell 5.1 and PowerShell 7, and for sessions in strict mode.
"""

from __future__ import annotations

PORT = r"""
# $1 address, $2 port, $3 seconds
export LC_ALL=C
if command -v python3 >/dev/null 2>&1; then
  exec python3 -c '
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()
except OSError as error:
    sys.exit(error.strerror or str(error) or "no answer")
' "$1" "$2" "$3"
fi
if command -v nc >/dev/null 2>&1; then exec nc -z -w "$3" "$1" "$2"; fi
if command -v bash >/dev/null 2>&1; then
  bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null || { echo 'it does not answer' >&2; exit 1; }
  exit 0
fi
echo 'the host has none of python3, nc and bash to look with' >&2; exit 69
"""

# .NET Framework gives a client for IPv4 alone unless it is asked for the other, which does both where IPv6 is on.
PORT_POWERSHELL = r"""
param([string]$Address, [int]$Port, [double]$Seconds)
$ErrorActionPreference = 'Stop'
if ($PSVersionTable.PSVersion.Major -lt 6 -and [Net.Sockets.Socket]::OSSupportsIPv6) {
  $client = New-Object Net.Sockets.TcpClient ([Net.Sockets.AddressFamily]::InterNetworkV6)
  $client.Client.DualMode = $true
} else { $client = New-Object Net.Sockets.TcpClient }
try {
  $opening = $client.ConnectAsync($Address, $Port)
  try { $open = $opening.Wait([int]($Seconds * 1000)) } catch { throw $_.Exception.GetBaseException().Message }
  if (-not $open) { throw 'no answer' }
} finally { $client.Close() }
"""

PATH = r"""
# $1 path
case $1 in '~') path=$HOME;; '~/'*) path=$HOME/${1#'~/'};; *) path=$1;; esac
[ -e "$path" ] || { echo 'it is not there' >&2; exit 1; }
"""

PATH_POWERSHELL = r"""
param([string]$Path)
if (-not (Test-Path -LiteralPath $Path)) { throw 'it is not there' }
"""

# The URL may hold what logs in: it is in no argv, where every user of the host could read it.
URL = r"""
# $1 URL, $2 seconds; prints the status
export LC_ALL=C
if command -v curl >/dev/null 2>&1; then
  url=$(printf %s "$1" | sed 's/[\\"]/\\&/g')
  printf 'url = "%s"\n' "$url" | exec curl -q -K - -sS -L --max-time "$2" -o /dev/null -w '%{http_code}'
elif command -v python3 >/dev/null 2>&1; then
  printf %s "$1" | python3 -c '
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.stdin.read(), timeout=float(sys.argv[1])).status)
except urllib.error.HTTPError as error:
    print(error.code)
except (OSError, ValueError) as error:
    sys.exit(str(getattr(error, "reason", error)))
' "$2"
elif command -v wget >/dev/null 2>&1; then
  answer=$(printf '%s\n' "$1" | wget -S -t 1 -T "$2" -O /dev/null -i - 2>&1)
  status=$(printf '%s\n' "$answer" | sed -n 's|^ *HTTP/[0-9.]* \([0-9]*\).*|\1|p' | tail -n 1)
  [ -n "$status" ] || { printf '%s\n' "$answer" | tail -n 1 >&2; exit 1; }
  printf %s "$status"
else
  echo 'the host has none of curl, python3 and wget to look with' >&2; exit 69
fi
"""

# Windows PowerShell speaks TLS 1.0 at most unless the machine is set otherwise; 0 is what the system has, and 3072 is
# TLS 1.2. What the session had is put back.
URL_POWERSHELL = r"""
param([string]$Url, [double]$Seconds)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Set-StrictMode -Off
$before = $null
if ($PSVersionTable.PSVersion.Major -lt 6 -and [int][Net.ServicePointManager]::SecurityProtocol -ne 0) {
  $before = [Net.ServicePointManager]::SecurityProtocol
  [Net.ServicePointManager]::SecurityProtocol = [int]$before -bor 3072
}
try {
  $answer = Invoke-WebRequest -Uri $Url -UseBasicParsing -TimeoutSec ([Math]::Max(1, [int]$Seconds))
  [int]$answer.StatusCode
} catch {
  if (-not $_.Exception.Response) { throw $_.Exception.GetBaseException().Message }
  [int]$_.Exception.Response.StatusCode
} finally {
  if ($null -ne $before) { [Net.ServicePointManager]::SecurityProtocol = $before }
}
"""

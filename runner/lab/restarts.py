"""Restarts on a lab host, which is the machine that the lab runs on: what would restart that machine must not be met.

Each host has stand-ins of the programs that restart or power off a machine, first in its PATH. On a Linux host a
restart is simulated: the stand-in leaves an order in the host's home, the server finds it, takes the host down with all
that runs there, and lets it come back. Windows-like hosts refuse. Only programs that are called by name are stood in
for: who writes ``/sbin/reboot`` means the machine.
"""

from __future__ import annotations

ORDER = "etc/restart"
"""File of a home that orders a restart, as long as it is there."""

COUNT = "etc/restarts"
"""File of a home that says what ``SoftRebootsCount`` of systemd is: how often the host was restarted."""

_REBOOT = f"""#!/bin/sh
# takes this host of the lab down, and lets it come back; the machine that the lab runs on stays up
programs=${{0%/*}}
: > "$programs/../../hosts/${{programs##*/}}/{ORDER}"
"""

_SHUTDOWN = """#!/bin/sh
# a restart comes at once, whatever time is said, and nothing is powered off
case " $* " in
  *" -c "*) exit 0 ;;
  *" -r "*|*" --reboot "*) exec "${0%/*}/reboot" ;;
esac
echo "shutdown: a host of a lab can be restarted, by shutdown -r now, and not be powered off" >&2
exit 1
"""

_INIT = """#!/bin/sh
case "$1" in 6) exec "${0%/*}/reboot" ;; esac
echo "${0##*/}: a host of a lab can be restarted, by ${0##*/} 6, and not be powered off" >&2
exit 1
"""

_POWER_OFF = """#!/bin/sh
echo "${0##*/}: a host of a lab can be restarted and not be powered off: nobody could turn it on again" >&2
exit 1
"""

_REFUSED = """#!/bin/sh
echo "${0##*/}: a Windows-like host of a lab does not restart: it would be the machine that the lab runs on" >&2
exit 1
"""

_WALL = """#!/bin/sh
# nobody is on a host of a lab to be told
"""

_AS_ANOTHER = """#!/bin/sh
# a host of a lab has one login: what is to run as another user runs as this one, with the programs of this host
while :; do
  case "$1" in
    -u|-g|-h|-p|-C|-D|-R|-T|-U|--user|--group|--host|--prompt|--chdir) shift 2 ;;
    --) shift; break ;;
    -*) shift ;;
    *=*) export "$1"; shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || exit 0
exec "$@"
"""

_ALL = dict.fromkeys(("sudo", "doas", "pkexec"), _AS_ANOTHER) | {"wall": _WALL}

ON_LINUX = _ALL | {
    "reboot": _REBOOT,
    "shutdown": _SHUTDOWN,
    "init": _INIT,
    "telinit": _INIT,
    "halt": _POWER_OFF,
    "poweroff": _POWER_OFF,
    "kexec": _POWER_OFF,
}
"""Programs of a Linux host, name -> text; its ``systemctl`` knows the same (``fleet.py``)."""

ON_WINDOWS = _ALL | dict.fromkeys(
    (
        *("systemctl", "shutdown", "shutdown.exe", "reboot"),
        *("halt", "poweroff", "init", "telinit", "kexec"),
    ),
    _REFUSED,
)
"""Programs of a Windows-like host, whose engine is a PowerShell on Linux where there is one."""

"""The fixed sh scripts that look at, put and take files on a host. POSIX sh; values come as arguments, never as text.

Each prints its answer on standard output and, where it refuses, one word and a reason on standard error; exit code 64
means such a refusal. What a host answers is data that may lie: ``runner.execute.bodies.host_files`` checks it.
"""

from __future__ import annotations

REFUSED = 64

_COMMON = r"""
export LC_ALL=C
refuse() { printf '%s %s\n' "$1" "$2" >&2; exit 64; }
digest() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum
  elif command -v sha256 >/dev/null 2>&1; then sha256 -q
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256
  elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r
  else refuse digest-missing 'none of sha256sum, sha256, shasum and openssl is there'
  fi | cut -c 1-64
}
facts() { stat -L -c '%u %g %a %U:%G' -- "$1" 2>/dev/null || stat -L -f '%u %g %Mp%Lp %Su:%Sg' -- "$1"; }
at_home() {
  case $1 in '~') printf %s "$HOME";; '~/'*) printf %s "$HOME/${1#'~/'}";; *) printf %s "$1";; esac
  printf x
}
"""

LOOK = (
    _COMMON
    + r"""
# $1 the destination, $2 the file's own name where the destination may be a directory
path=$(at_home "$1"); path=${path%x}
case $path in */) directory=1;; *) directory=; [ -d "$path" ] && directory=1;; esac
if [ -n "$directory" ]; then
  [ -n "$2" ] || refuse destination-directory 'it is a directory, and the content has no name of its own'
  path=${path%/}/$2
fi
if [ -L "$path" ]; then
  real=$(readlink -f -- "$path" && printf x) || refuse destination-link 'it is a link that leads nowhere'
  path=${real%??}
fi
parent=${path%/*}; [ "$parent" = "$path" ] && parent=.; [ -n "$parent" ] || parent=/
[ -d "$parent" ] || refuse destination-parent "there is no directory $parent"
if [ -d "$path" ]; then refuse destination-directory "$path is a directory"
elif [ -f "$path" ]; then
  [ -r "$path" ] || refuse destination-unreadable "$path cannot be read to compare it"
  sum=$(digest <"$path") || exit 64
  printf 'file %s %s\n%s' "$sum" "$(facts "$path")" "$path"
elif [ -e "$path" ]; then refuse destination-special "$path is no regular file"
else printf 'absent\n%s' "$path"
fi
"""
)

PUT = (
    _COMMON
    + r"""
# the file on standard input; $1 path, $2 digest, $3 owner, $4 group, $5 mode, $6 backup's path, $7 validating command
path=$1
mask=$(umask); umask 077
parent=${path%/*}; [ "$parent" = "$path" ] && parent=.; [ -n "$parent" ] || parent=/
# Before the file is made: a stop that comes while it is made is answered when its name is known.
temporary=
trap '[ -z "$temporary" ] || rm -f -- "$temporary"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
trap 'exit 141' PIPE  # to say that the line was cut, when it was: the file is taken away all the same
temporary=$(trap '' TERM INT HUP; mktemp "${parent%/}/.runner-XXXXXXXXXX" 2>&1) || {
  reason=$temporary temporary=
  refuse destination-write "$reason"
}
reason=$( { cat >"$temporary"; } 2>&1) || refuse destination-write "$reason"
[ "$(digest <"$temporary")" = "$2" ] || refuse digest-differs 'what arrived is not what was sent'
mine=$(facts "$temporary"); rest=${mine#* }; mine="${mine%% *} ${rest%% *}"
if [ -f "$path" ]; then
  keep=$(facts "$path"); rest=${keep#* }; more=${rest#* }
  owner=${3:-${keep%% *}} group=${4:-${rest%% *}} mode=${more%% *}
else
  owner=$3 group=$4 mode=$(printf %o $((0666 & ~$mask)))
fi
if [ -n "$owner$group" ] && [ "$owner $group" != "$mine" ]; then
  reason=$(chown -- "$owner${group:+:$group}" "$temporary" 2>&1) || refuse owner-refused "$reason"
fi
reason=$(chmod -- "$mode" "$temporary" 2>&1) || refuse mode-refused "$reason"
if [ -n "$5" ]; then reason=$(chmod -- "$5" "$temporary" 2>&1) || refuse mode-refused "$reason"; fi
if [ -n "$7" ]; then
  reason=$(sh -c "$7" sh "$temporary" 2>&1 </dev/null) || refuse validation-failed "$reason"
fi
if [ -n "$6" ] && [ -f "$path" ]; then
  reason=$(cp -p -- "$path" "$6" 2>&1) || refuse backup-failed "$reason"
fi
reason=$(mv -f -- "$temporary" "$path" 2>&1) || refuse destination-write "$reason"
trap - EXIT
printf 'done %s\n' "$(facts "$path")"
"""
)

SETTLE = (
    _COMMON
    + r"""
# $1 path, $2 owner, $3 group, $4 mode: what a file that has the right content already is still to become
if [ -n "$2$3" ]; then reason=$(chown -- "$2${3:+:$3}" "$1" 2>&1) || refuse owner-refused "$reason"; fi
if [ -n "$4" ]; then reason=$(chmod -- "$4" "$1" 2>&1) || refuse mode-refused "$reason"; fi
printf 'done %s\n' "$(facts "$1")"
"""
)

FIND = (
    _COMMON
    + r"""
# $@ paths and patterns; for each file: kind, size, digest, path, ended by a NUL
IFS=
one() {
  if [ -d "$1" ]; then printf 'directory 0 - %s\0' "$1"
  elif [ ! -e "$1" ]; then printf 'missing 0 - %s\0' "$1"
  elif [ ! -f "$1" ]; then printf 'special 0 - %s\0' "$1"
  elif [ ! -r "$1" ]; then printf 'unreadable 0 - %s\0' "$1"
  else
    size=$(wc -c <"$1" | tr -dc 0-9)
    if [ "$size" -gt 0 ]; then sum=$(head -c "$size" <"$1" | digest); else sum=$(digest </dev/null); fi || exit 64
    printf 'file %s %s %s\0' "$size" "$sum" "$1"
  fi
}
for wanted in "$@"; do
  pattern=$(at_home "$wanted"); pattern=${pattern%x}
  if [ -e "$pattern" ]; then one "$pattern"; continue; fi
  for path in $pattern; do one "$path"; done
done
"""
)

TAKE = 'exec head -c "$2" <"$1"'
"""$1 path, $2 size: no more than was announced, so a log that grows meanwhile is taken as it was looked at."""

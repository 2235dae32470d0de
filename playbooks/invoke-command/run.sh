#!/bin/sh
# Runs the examples over the hosts of a lab: all of them, or those whose numbers are given.
#
#   sh playbooks/invoke-command/run.sh          # what `make examples` calls
#   sh playbooks/invoke-command/run.sh 04 16
#
# The lab is that of RUNNER_LAB_DIR (.runner/examples); where none is up there, one is started and ended.
set -eu
: "${RUNNER:=runner}" "${RUNNER_LAB_DIR:=$PWD/.runner/examples}"
export RUNNER_LAB_DIR
here=$(dirname "$0")
names=$here/lab.py

if ! "$RUNNER" lab status >/dev/null 2>&1; then
  trap '"$RUNNER" lab down 2>/dev/null' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  "$RUNNER" lab up 5 --windows 4 >/dev/null
fi
. "$RUNNER_LAB_DIR/environment.sh"        # the authority and the password of the Windows-like hosts
export WINDOWS_PASSWORD="$RUNNER_LAB_PASSWORD"

# A copy of an example with a host of the lab in place of Exchange's address.
at_the_lab() {
  copy=$RUNNER_LAB_DIR/${1##*/}
  sed "s#https://ps.exchangelabs.com#$("$names" uri "$2")#" "$1" >"$copy"
  echo "$copy"
}

status=0
for number in "${@:-}"; do
  for example in "$here/$number"*.yml; do
    [ -e "$example" ] || { echo "there is no example $number" >&2; exit 2; }
    set -- "$example" -i "$names"
    case ${example##*/} in
      14-*) set -- "$(at_the_lab "$example" win-01)" -i "$names" ;;
      16-*)
        set -- "$(at_the_lab "$example" win-03)" -i "$names"
        "$RUNNER" lab trouble win-03 redirect "location=$("$names" uri win-01)/PowerShell" ;;
      2[012]-*) set -- "$@" -e "key_file=$RUNNER_LAB_DIR/id_ed25519" ;;
    esac
    printf '\n== %s\n' "$example"
    sed -n "s/^#   /PS>  /p" "$example"       # the reference's own command
    "$RUNNER" run "$@" || status=$?
  done
done
exit "$status"

#!/bin/sh
# The demo of the README: a lab fleet on loopback, the fleet inventory over it, a JSON file of everything, then a run
# that is killed in the middle and gone on with, and the examples of Invoke-Command's reference over WinRM and SSH.
# `make demo` calls it with RUNNER set; everything it makes is below .runner/ of the folder it is called in.
set -eu
: "${RUNNER:=runner}" "${HOSTS:=20}"
export RUNNER
lab=.runner/demo
report=.runner/fleet-inventory.json

inventory=$("$RUNNER" lab up "$HOSTS" --windows 4 --dir "$lab")
trap '"$RUNNER" lab down --dir "$lab"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

status=0
"$RUNNER" run playbooks/fleet-inventory.yml -i "$inventory" -l 'all:!windows' -o rich -o "json=$report" || status=$?
echo "every host's typed results: $report"

LAB=$lab LIMIT='all:!windows' sh playbooks/control/kill-and-resume.sh || status=$?

RUNNER_LAB_DIR=$PWD/$lab sh playbooks/invoke-command/run.sh || status=$?
[ "$status" = 0 ] || printf '\n%s\n' 'not all of it went well: the first error above says what' >&2
printf '\n%s\n' 'that was the demo; now by hand, in ten minutes: docs/tutorial/first-run.md'
exit "$status"

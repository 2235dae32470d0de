#!/bin/sh
# The demo of the README: a lab fleet on loopback, the fleet inventory over it, a JSON file of everything, then a run
# that is killed in the middle and gone on with, and the examples of Invoke-Command's reference over WinRM and SSH.
# `make demo` calls it with RUNNER set; everything it makes is below .runner/ of the folder it is called in.
set -eu
: "${RUNNER:=runner}" "${HOSTS:=20}"
lab=.runner/demo
report=.runner/fleet-inventory.json

inventory=$("$RUNNER" lab up "$HOSTS" --windows 4 --dir "$lab")
trap '"$RUNNER" lab down --dir "$lab"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

status=0
"$RUNNER" run playbooks/fleet-inventory.yml -i "$inventory" -l 'all:!windows' -o rich -o "json=$report" || status=$?
echo "every host's typed results: $report"

# What the hosts wrote down themselves: each step adds a line to `did` each time that it runs.
did() { cat "$lab"/hosts/*/did 2>/dev/null | grep -cx "$1"; }

# The runner is killed as soon as enough hosts have begun the upgrade, however slow this machine is.
kill_and_resume() {
  book=playbooks/control/resume-after-a-crash.yml
  rm -f "$lab"/hosts/*/did
  printf '\n$ runner run %s    # and kill -9 in the middle\n' "$book"
  "$RUNNER" run "$book" -i "$inventory" -l 'all:!windows' -o quiet &
  run=$!
  while kill -0 "$run" 2>/dev/null && [ "$(did upgrade)" -lt $((HOSTS * 2 / 5)) ]; do sleep 0.1; done
  kill -9 "$run" 2>/dev/null || true
  { wait "$run"; } 2>/dev/null || true
  echo 'killed; it could neither tidy up nor say anything'

  printf '\n$ runner runs list --limit 1\n'
  "$RUNNER" runs list --limit 1
  printf '\n$ runner runs show last\n'
  "$RUNNER" runs show last
  printf '\n$ runner resume last\n'
  "$RUNNER" resume last -o rich

  echo
  echo "how often each step ran on the $HOSTS hosts, by what they wrote down themselves:"
  for step in drain upgrade check; do printf '  %-8s %3d times\n' "$step" "$(did "$step")"; done
  anew=$(($(did upgrade) - HOSTS))
  if [ "$(did drain)" != "$HOSTS" ] || [ "$(did check)" != "$HOSTS" ] || [ "$anew" -lt 0 ] || [ "$anew" -gt 4 ]; then
    echo 'that is wrong: something ran twice, or is missing' >&2
    return 1
  fi
  echo "what was done stayed done; the $anew upgrades that the kill cut off began anew, as their \`rerun: safe\` allows"
}
RUNNER_RECORD=$PWD/.runner/demo-runs
export RUNNER_RECORD
kill_and_resume || status=$?
unset RUNNER_RECORD

RUNNER_LAB_DIR=$PWD/$lab sh playbooks/invoke-command/run.sh || status=$?
exit "$status"

#!/bin/sh
# Kills a run over a lab in the middle and goes on with it; then asks the hosts how often each step ran on them.
#
#   runner lab up 20
#   sh playbooks/control/kill-and-resume.sh
#
# LAB is the lab's folder, LIMIT the hosts, RUNNER the program. The run is recorded in .runner/killed of this folder.
set -eu
: "${RUNNER:=runner}" "${LAB:=.runner/lab}" "${LIMIT:=all}"
book=$(dirname "$0")/resume-after-a-crash.yml
RUNNER_RECORD=$PWD/.runner/killed
export RUNNER_RECORD
hosts=$("$RUNNER" inventory list "$LIMIT" -i "$LAB/inventory.yml" | grep -c .)
at_once=4                       # the step that is cut off says `throttle: 4`

# What the hosts wrote down themselves: each step adds a line to `did` each time that it runs.
did() { cat "$LAB"/hosts/*/did 2>/dev/null | grep -cx "$1" || true; }
say() { printf '\n$ %s\n' "$*"; }

rm -f "$LAB"/hosts/*/did
say "runner run $book &"
"$RUNNER" run "$book" -i "$LAB/inventory.yml" -l "$LIMIT" -o quiet &
run=$!
trap 'kill -9 "$run" 2>/dev/null || true' EXIT

# Not after so many seconds but after so many hosts, so that a slow machine is killed in the middle too.
while kill -0 "$run" 2>/dev/null && [ "$(did upgrade)" -lt $((hosts * 2 / 5)) ]; do sleep 0.1; done
say "kill -9 $run"
kill -9 "$run" 2>/dev/null || true
wait "$run" 2>/dev/null || true
trap - EXIT

say 'runner runs list --limit 1'
"$RUNNER" runs list --limit 1
say 'runner runs show last'
"$RUNNER" runs show last
say 'runner resume last'
"$RUNNER" resume last -o rich

echo
echo "how often each step ran on the $hosts hosts, by what they wrote down:"
for step in drain upgrade check; do printf '  %-8s %3d times\n' "$step" "$(did "$step")"; done
anew=$(($(did upgrade) - hosts))
if [ "$(did drain)" != "$hosts" ] || [ "$(did check)" != "$hosts" ] || [ "$anew" -lt 0 ] || [ "$anew" -gt $at_once ]; then
  echo 'that is wrong: something ran twice, or is missing' >&2
  exit 1
fi
echo "what was done stayed done; $anew upgrades that the kill cut off began anew,"
echo "as their \`rerun: safe\` allows"

# deploy
set -eu
echo "$Using:biuld"

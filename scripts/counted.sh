#!/usr/bin/env bash
# Runs a command and shows how far it is: on a terminal a line that changes, elsewhere
# a line every 15 seconds. The end of what the command says is shown when it fails.
#
# usage: scripts/counted.sh STEP WHAT TOTAL PATTERN COMMAND [ARGUMENT...]
#   STEP WHAT  "cargo" "crates of the remuxer": how the step and its parts are called
#   TOTAL      how many parts there are at most
#   PATTERN    extended regular expression of the lines that the command writes for each
set -uo pipefail

step=$1 what=$2 total=$3 pattern=$4
shift 4
log=$(mktemp)
trap 'rm -f "$log"' EXIT
every_s=15
if [ -t 2 ]; then every_s=1; fi

show() {
  local text
  text=$(printf '  %-10s %s: %s of %s, %s s' "$step" "$what" "$count" "$total" "$SECONDS")
  if [ -t 2 ]; then printf '\r%s\033[K' "$text" >&2; else printf '%s\n' "$text" >&2; fi
}

count=0 shown=0 line='' part=''
exec 3< <("$@" 2>&1 </dev/null; printf '\n%s' "exit $?")
while true; do
  if IFS= read -r -t 1 part <&3; then
    line+=$part
    printf '%s\n' "$line" >>"$log"
    if [[ $line =~ $pattern ]] && [ "$count" -lt "$total" ]; then count=$((count + 1)); fi
    line=''
  elif [ $? -gt 128 ]; then
    line+=$part # cut off by the time, not by its end
  else
    line+=$part
    break
  fi
  if [ $((SECONDS - shown)) -ge "$every_s" ]; then
    shown=$SECONDS
    show
  fi
done
if [ -t 2 ]; then printf '\r\033[K' >&2; fi
code=${line#exit }
if [ "$code" != 0 ]; then
  tail -n 60 "$log" >&2
  exit "${code:-1}"
fi
printf '  %-10s %s: %s, %s s\n' "$step" "$what" "$count" "$SECONDS" >&2

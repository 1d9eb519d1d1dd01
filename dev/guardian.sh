#!/bin/sh
# Ends the supervisor's children when the supervisor is gone, however it went: its standard input is a pipe that only
# the supervisor holds, so end of input means "gone". The kernel's parent-death signal (where `setpriv` exists) does the
# same sooner; this one works on every system and also reaches children of children that stayed in their group.
#
# Lines: `hard PID` (a group to kill at once), `gentle PID` (a group to ask first, 3 s), `end PID` (forget it).
trap '' HUP INT TERM
hard=' '
gentle=' '

without() { # LIST PID
  kept=' '
  for member in $1; do
    [ "$member" = "$2" ] || kept="$kept$member "
  done
  printf '%s' "$kept"
}

while read -r verb pid; do
  case $verb in
    hard) hard="$hard$pid " ;;
    gentle) gentle="$gentle$pid " ;;
    end)
      hard=$(without "$hard" "$pid")
      gentle=$(without "$gentle" "$pid")
      ;;
  esac
done

for pid in $hard; do kill -s KILL -- "-$pid"; done 2>/dev/null
for pid in $gentle; do kill -s TERM -- "-$pid"; done 2>/dev/null
for pid in $gentle; do
  tries=0
  while [ "$tries" -lt 30 ] && kill -s 0 -- "-$pid" 2>/dev/null; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -s KILL -- "-$pid" 2>/dev/null
done
exit 0

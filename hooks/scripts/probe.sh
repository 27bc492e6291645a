#!/bin/sh
# probe.sh live|ready: compares the text of the answer to PING, because the client exits with 0 on an error reply as well.
# live: any answer, also LOADING and NOAUTH. ready: PONG, or NOAUTH, which a node answers that has taken a changed password
# before the file has.
. /etc/kvrocks/auth.sh
answer=$("$cli" -h 127.0.0.1 -p "$PORT" PING 2>/dev/null)
case "$1:$answer" in
live:?*) exit 0 ;;
ready:PONG | ready:*NOAUTH*) exit 0 ;;
esac
echo "PING: ${answer:-no answer}"
exit 1

#!/bin/sh
# Starts redis-sentinel, or valkey-sentinel in an image that has no other, in its pod. POD_IP, PORT: from the pod spec. /etc/kvrocks-auth/password holds the password, if
# there is one. What it monitors is given to it live by the sidecar, and it writes that into its configuration file.
set -eu
umask 077
conf=/data/sentinel.conf
. /etc/kvrocks/auth.sh
unset REDISCLI_AUTH VALKEYCLI_AUTH # the file below is where sentinel finds it

# The message is where kubectl describe and the instance's status find why the container ended.
refuse() {
  echo "$1; change spec.image" | tee /dev/termination-log
  exit 1
}

sentinel=redis-sentinel
command -v redis-sentinel >/dev/null 2>&1 || sentinel=valkey-sentinel
command -v "$sentinel" >/dev/null 2>&1 || refuse "the image has neither redis-sentinel nor valkey-sentinel"

# redis-sentinel before 6.2 does not know resolve-hostnames and would end with a syntax error. Of Valkey every release does.
version=$("$sentinel" --version 2>/dev/null | sed -n 's/.* v=\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')
case "$version" in
[0-5].* | 6.0 | 6.1) refuse "$sentinel $version is too old: it must be 6.2 or later" ;;
esac

# A sentinel writes passwords into its file as they are, and does not start with one that holds a quote, a backslash or a
# space. Then it keeps its id alone, and the sidecar gives it the rest again.
myid=
if [ -f "$conf" ] && grep -E '^sentinel (auth-pass [^ ]+|sentinel-pass) ' "$conf" | grep -Eqv "^sentinel (auth-pass [^ ]+|sentinel-pass) [^ \"'\\\\]+\$"; then
  myid=$(sed -n 's/^sentinel myid \([0-9a-f]*\)$/\1/p' "$conf")
  rm -f "$conf"
fi

# Only if absent: a restarted container keeps its id, its monitors, what it knows of its peers, and the password that it was
# given live, which may be newer than the one that is mounted.
if [ ! -f "$conf" ]; then
  {
    echo "port $PORT"
    echo "dir /data"
    echo "protected-mode no"
    echo "sentinel announce-ip $POD_IP"
    echo "sentinel announce-port $PORT"
    echo "sentinel resolve-hostnames no"
    if [ -n "$myid" ]; then echo "sentinel myid $myid"; fi
    # It also authenticates with this password to its peers.
    quoted=$(password | sed -e 's/[\\"]/\\&/g')
    if [ -n "$quoted" ]; then printf 'requirepass "%s"\n' "$quoted"; fi
  } >"$conf.new"
  mv -f "$conf.new" "$conf"
fi

exec "$sentinel" "$conf"

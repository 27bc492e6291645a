#!/bin/sh
# Starts kvrocks in its pod. POD_NAME, PORT: from the pod spec. /etc/kvrocks holds kvrocks.conf (what all pods share) and
# one file per pod with the address that the pod announces. /etc/kvrocks-auth/password holds the password, if there is one.
set -eu
umask 077
dir=/var/lib/kvrocks
conf=$dir/kvrocks.conf
. /etc/kvrocks/auth.sh
unset REDISCLI_AUTH VALKEYCLI_AUTH # the file below is where kvrocks finds it

# The address of this pod's Service. The file is there before the pod is made; wait in case the mount is older.
until address=$(cat "/etc/kvrocks/$POD_NAME" 2>/dev/null) && [ -n "$address" ]; do
  echo "waiting for /etc/kvrocks/$POD_NAME"
  sleep 1
done

# A saved cluster topology would win over slaveof and boot a writable master.
if [ -f "$dir/nodes.conf" ]; then mv -f "$dir/nodes.conf" "$dir/nodes.conf.last"; fi

# A fresh file at each start: CONFIG REWRITE may have written into the last one, and needs a writable directory.
{
  cat /etc/kvrocks/kvrocks.conf
  echo "replica-announce-ip $address"
  echo "replica-announce-port $PORT"
  # Boots as a read-only replica of itself, until the sidecar has proved where it belongs.
  echo "slaveof 127.0.0.1 $PORT"
  quoted=$(password | sed -e 's/[\\"]/\\&/g')
  if [ -n "$quoted" ]; then
    printf 'requirepass "%s"\nmasterauth "%s"\n' "$quoted" "$quoted"
  fi
} >"$conf.new"
mv -f "$conf.new" "$conf"

exec kvrocks -c "$conf"

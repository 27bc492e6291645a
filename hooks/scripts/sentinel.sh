#!/bin/sh
# Starts redis-sentinel in its pod. POD_IP, PORT: from the pod spec. /etc/kvrocks-auth/password holds the password, if
# there is one. What it monitors is given to it live by the sidecar, and it writes that into its configuration file.
set -eu
umask 077
conf=/data/sentinel.conf

# Only if absent: a restarted container keeps its id, its monitors and what it knows of its peers.
if [ ! -f "$conf" ]; then
  {
    echo "port $PORT"
    echo "dir /data"
    echo "protected-mode no"
    echo "sentinel announce-ip $POD_IP"
    echo "sentinel announce-port $PORT"
    echo "sentinel resolve-hostnames no"
    if [ -f /etc/kvrocks-auth/password ]; then
      password=$(sed -e 's/[\\"]/\\&/g' /etc/kvrocks-auth/password)
      # It also authenticates with this password to its peers.
      if [ -n "$password" ]; then printf 'requirepass "%s"\n' "$password"; fi
    fi
  } >"$conf.new"
  mv -f "$conf.new" "$conf"
fi

exec redis-sentinel "$conf"

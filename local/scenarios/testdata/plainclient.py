"""Writes one key after another with redis-py and its default options, and prints a line for each write.

plainclient.py service HOST PORT PASSWORD          through a Service
plainclient.py sentinel HOST PORT PASSWORD NAME    to the master that the sentinels name
plainclient.py cluster HOST PORT PASSWORD KEY...   to the shards of a cluster, each by a thread of its own

A line is "ack N" or "error N TEXT"; N is the number of the key, from 0. A write that fails is tried again.
"""

import logging
import sys
import threading
import time

import redis
import redis.cluster
import redis.sentinel


def connect(kind, host, port, password, name):
    if kind == "service":
        return redis.Redis(host=host, port=port, password=password)
    if kind == "sentinel":
        return redis.sentinel.Sentinel([(host, port)], password=password).master_for(name)
    return redis.cluster.RedisCluster(host=host, port=port, password=password)


def say(*words):
    """Prints a line at once, whole: print writes the words of several threads in between each other."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write(connection, number, key):
    n = 0
    while True:
        try:
            connection.set(key, n)
            n += 1
            say("ack", number)
        except Exception as e:  # whatever it is, an application sees it and goes on
            say("error", number, type(e).__name__, str(e).replace("\n", " "))
        time.sleep(0.02)


def main():
    logging.disable()  # what the library says of each error
    kind, host, port, password, *names = sys.argv[1:]
    connection = connect(kind, host, int(port), password, names[0] if names else None)
    keys = names if kind == "cluster" else ["plain"]
    for number, key in enumerate(keys[1:], 1):
        threading.Thread(target=write, args=(connection, number, key), daemon=True).start()
    write(connection, 0, keys[0])


main()

"""The load generator: one thread, keep-alive sockets, one request prepared once and sent again and again.

Reads a JSON object from standard input: ``port``, ``path``, ``headers``, ``body``, ``connections``, ``requests``,
``warm_up``. Prints ``seconds``, ``latencies`` (seconds each, in order of arrival), ``statuses`` and its own ``cpu``.
"""

import json
import os
import selectors
import socket
import sys
import time
from collections import Counter

from pirunner.up.lifeline import die_with
from tests.bench.wire import connect, prepared_request, read_message, status_of


def main() -> None:
    """Warm the server up, load it, and print the figures."""
    die_with(os.getppid())
    order = json.load(sys.stdin)
    request = prepared_request(order["port"], order["path"], order["headers"], order["body"])
    connections = [connect(order["port"]) for _ in range(order["connections"])]
    _drive(connections, request, order["warm_up"])
    cpu, began = time.process_time(), time.perf_counter()
    latencies, statuses = _drive(connections, request, order["requests"])
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "latencies": latencies, "statuses": statuses, "cpu": cpu}))


def _drive(connections: list[socket.socket], request: bytes, count: int) -> tuple[list[float], dict[int, int]]:
    """Keep one request under way on each connection until ``count`` are answered."""
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    sent: dict[int, float] = {}
    asked = 0
    with selectors.EpollSelector() as selector:
        for connection in connections[:count]:
            selector.register(connection, selectors.EVENT_READ, connection)
            sent[connection.fileno()] = time.perf_counter()
            connection.sendall(request)
            asked += 1
        while len(latencies) < count:
            for key, _ in selector.select(60):
                head, _body = read_message(key.data)
                now = time.perf_counter()
                latencies.append(now - sent[key.fd])
                statuses[status_of(head)] += 1
                if asked < count:
                    asked += 1
                    sent[key.fd] = now
                    key.data.sendall(request)
    return latencies, dict(statuses)


if __name__ == "__main__":
    main()

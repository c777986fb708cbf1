"""provider.py [CONFIG]: an OAuth 2.0 authorization server for tests, over TLS on loopback, as good or as bad as it is told to be.

The config is JSON: a file, or one line on standard input; then it ends when that input does. Members: `folder` (certificates,
log and control socket lie there), `port` (0: any), `hosts` (more names for the certificate), and `providers`: by mount ("" or
"/slack", the beginning of every path) what settings.py lists; misbehavior.py says what a script may hold. When it listens it
prints a line of JSON: port, origin, ca, log, control. control.py lists what a test may ask of it meanwhile.

The log has a line of JSON for each request, written before its answer: n, time, provider, endpoint, status, error,
misbehavior, and for token requests client, grant_type, grant, slot, generation, token (the SHA-256 of the refresh token), state
(what that token was: live, grace, spent, expired, revoked, unknown), rotated, next (the hash of its successor).

It costs 0.17 ms of CPU for a refresh on a connection that is kept, 0.9 ms with a new connection, its TLS resumed or not.
"""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
import time

import certificates
import settings
from connection import Connection
from control import Control
from front import Front
from grants import Clock
from mount import Mount


def serving_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 1
    context.load_cert_chain(certificate, key)
    return context


async def accept(listener, front, context):
    """Here and not in asyncio's own server: a connection may have to be closed before TLS."""
    loop = asyncio.get_running_loop()
    while True:
        connection, _ = await loop.sock_accept(listener)
        if front.refuses_connection():
            connection.close()
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = loop.create_task(loop.connect_accepted_socket(lambda: Connection(front), connection, ssl=context))
        task.add_done_callback(lambda done: done.cancelled() or done.exception()) # a client that gives up on TLS is its own affair


async def serve(config, ended):
    folder = config["folder"]
    ca, certificate, key = certificates.make(folder, config.get("hosts", ()))
    listener = socket.create_server(("127.0.0.1", config.get("port", 0)), backlog=1024)
    listener.setblocking(False)
    port = listener.getsockname()[1]
    origin, clock = f"https://127.0.0.1:{port}", Clock(time.time)
    front = Front(os.path.join(folder, "log.jsonl"), clock)
    for mount, given in config.get("providers", {"": {}}).items():
        front.mounts[mount] = Mount(mount, settings.read(given), clock, origin)
    control = Control(front, clock, origin)
    path = os.path.join(folder, "control.sock")
    if os.path.exists(path):
        os.unlink(path)
    loop = asyncio.get_running_loop()
    await loop.create_unix_server(lambda: Connection(control), path)
    accepting = loop.create_task(accept(listener, front, serving_context(certificate, key)))
    print(json.dumps({"port": port, "origin": origin, "ca": ca, "log": front.log_path, "control": path}), flush=True)
    await ended.wait()
    accepting.cancel()


async def until_ended(config, ends_with_input):
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if ends_with_input:
        loop.add_reader(sys.stdin, ended.set) # nothing more comes but the end
    await serve(config, ended)


if __name__ == "__main__":
    from_input = len(sys.argv) < 2
    with sys.stdin if from_input else open(sys.argv[1]) as source:
        asyncio.run(until_ended(json.loads(source.readline() if from_input else source.read()), from_input))

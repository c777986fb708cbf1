"""A provider of tokens that behaves as it is asked to, over TLS with certificates of its own.

provider.py FOLDER makes the certificates in FOLDER, prints "NAME PORT" for each listener and then "ready", and lives
until its standard input ends. What a request's path asks for:

/raw         the request's body is sent back as the whole answer, as it is, and the connection ended in good order
/slices      … in pieces of a few bytes
/dropped     … and then the connection is dropped, without TLS's own end
/held        … and then nothing more comes
/echo        an answer whose body is the request, head and body
/session     an answer that says whether the connection resumed a TLS session: "resumed" or "new"
/large/N     an answer of N bytes; /large-chunked/N in chunks

The listeners "kept" and "kept_tls_1_2" go on with the connection after an answer, whatever the request and the answer say
of it. The answer's body is three numbers: whose connection it was of those that this listener has taken, whose request on
it, and whose of all that it has read. A path may ask for something else:

/closed      in good order, behind the answer
/dropped     without TLS's own end, behind the answer
/lost        where it is not the first on its connection: it is read, and the connection closed without an answer
/said        the request's body is sent back as the whole answer; /cut … and then the connection is closed
/echo        as above
/ended/N     the answer comes once the connection of that number has ended
/read/N      the answer comes once N requests have been read
"""

import os
import socket
import ssl
import subprocess
import sys
import threading
import time

folder = sys.argv[1]


def run(*words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_key(name):
    run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")


def make_authority(name):
    make_key(name)
    run("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", "2", "-out", f"{name}.pem")


def make_certificate(name, names, authority="ca", days="2"):
    make_key(name)
    with open(os.path.join(folder, f"{name}.ext"), "w", encoding="ascii") as file:
        file.write(f"subjectAltName={names}\n")
    run("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-days", days,
        "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def context_of(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key"))
    return context


def old_context():
    context = context_of("good")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def tls_1_2_context():
    context = context_of("good")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
    return context


def read_request(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            return None, b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    wanted = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            wanted = int(value)
    while len(body) < wanted:
        body += connection.recv(65536)
    return head, body


def wait_for_end(connection):
    try:
        connection.settimeout(None)
        while connection.recv(65536):
            pass
    except OSError:
        pass


def drop(connection):
    """The operating system's end of a connection alone; TLS says nothing."""
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def end(connection):
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(5)
        connection = connection.unwrap()
    drop(connection)


def whole(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def chunked(size):
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * (size // 4096) + b"0\r\n\r\n"


def answer(connection):
    head, body = read_request(connection)
    if head is None:
        return connection.close()
    path = head.split(b" ")[1].decode().split("?")[0]
    if path == "/echo":
        connection.sendall(whole(head + b"\r\n\r\n" + body))
    elif path == "/session":
        connection.sendall(whole(b"resumed" if connection.session_reused else b"new"))
    elif path.startswith("/large/"):
        connection.sendall(whole(b"x" * int(path.split("/")[2])))
    elif path.startswith("/large-chunked/"):
        connection.sendall(chunked(int(path.split("/")[2])))
    elif path == "/slices":
        for at in range(0, len(body), 3):
            connection.sendall(body[at:at + 3])
            time.sleep(0.0005)
    else:
        connection.sendall(body)
    if path == "/held":
        wait_for_end(connection)
    return drop(connection) if path == "/dropped" else end(connection)


class Kept:
    """A listener's connections, and what is counted of them."""

    def __init__(self, context):
        self.context, self.begun, self.ended, self.read = context, 0, set(), 0
        self.counting = threading.Condition()

    def serve(self, connection):
        with self.counting:
            self.begun += 1
            number = self.begun
        try:
            self.go_on(self.context.wrap_socket(connection, server_side=True), number)
        finally:
            with self.counting:
                self.ended.add(number)
                self.counting.notify_all()

    def go_on(self, connection, number):
        asked = 0
        while True:
            head, body = read_request(connection)
            if head is None:
                return connection.close()
            asked += 1
            path = head.split(b" ")[1].decode()
            counts = self.count(number, asked, path)
            if path == "/lost" and asked > 1:
                return end(connection)
            connection.sendall(body if path in ("/said", "/cut") else whole(head + body if path == "/echo" else counts))
            if path in ("/closed", "/cut"):
                return end(connection)
            if path == "/dropped":
                return drop(connection)

    def count(self, number, asked, path):
        with self.counting:
            self.read += 1
            counts = b"%d %d %d" % (number, asked, self.read)
            self.counting.notify_all()
            if path.startswith("/ended/"):
                self.counting.wait_for(lambda: int(path.split("/")[2]) in self.ended)
            if path.startswith("/read/"):
                self.counting.wait_for(lambda: self.read >= int(path.split("/")[2]))
            return counts


def over_tls(context):
    def serve(connection):
        answer(context.wrap_socket(connection, server_side=True))
    return serve


def close_after_handshake(connection):
    drop(context_of("good").wrap_socket(connection, server_side=True))


def make_narrow(listener):
    """A connection takes a few kilobytes that nobody reads, no more."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def say_something_else(connection):
    connection.recv(1)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    wait_for_end(connection)


def listen(name, serve, prepare=lambda listener: None):
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    prepare(listener)
    print(name, listener.getsockname()[1])

    def serve_one(connection):
        try:
            serve(connection)
        except OSError:  # a client that ends early is what some tests are about
            connection.close()

    def accept():
        while True:
            connection = listener.accept()[0]
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


make_authority("ca")
make_authority("stranger")
names = "DNS:provider.test,DNS:localhost,IP:127.0.0.1"
make_certificate("good", names)
make_certificate("expired", names, days="-1")
make_certificate("other_name", "DNS:other.test,DNS:*.provider.test,IP:127.0.0.2")
make_certificate("untrusted", names, authority="stranger")
for each in ("good", "expired", "other_name", "untrusted"):
    listen(each, over_tls(context_of(each)))
listen("old", over_tls(old_context()))
listen("tls_1_2", over_tls(tls_1_2_context()))
listen("kept", Kept(context_of("good")).serve)
listen("kept_tls_1_2", Kept(tls_1_2_context()).serve)
listen("plain", answer)
listen("mute", wait_for_end)
listen("deaf_plain", lambda connection: threading.Event().wait(), make_narrow)
listen("drops_handshake", lambda connection: connection.close())
listen("drops_after_handshake", close_after_handshake)
listen("not_tls", say_something_else)
print("ready", flush=True)
sys.stdin.read()

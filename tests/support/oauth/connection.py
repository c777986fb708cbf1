"""HTTP/1.1 as far as these tests need it, with keep-alive, and with every way to answer badly."""

import asyncio
import dataclasses
import socket
import struct
import urllib.parse

REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 405: "Method Not Allowed", 411: "Length Required", 429: "Too Many Requests",
           500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
BYTES_OF_A_HEAD = 65536


class Malformed(Exception):
    """Bytes that are no request of ours."""


@dataclasses.dataclass
class Request:
    method: str
    path: str # as sent, percent-encoded
    query: str
    headers: dict # names in lower case
    body: bytes = b""
    mount: object = None # whose endpoint it is for
    grant_type: str | None = None
    is_token_request: bool = False

    def text(self):
        return self.body.decode("utf-8", "replace")

    def query_parameters(self):
        return dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True))


@dataclasses.dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict = dataclasses.field(default_factory=dict)

    def to_bytes(self):
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Other')}", f"Content-Length: {len(self.body)}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def read_head(head):
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            if name.lower() in headers:
                raise Malformed(f"{name} twice")
            headers[name.lower()] = value.strip()
    except ValueError as error:
        raise Malformed("no request line, or a header without a colon") from error
    if version != "HTTP/1.1" or "transfer-encoding" in headers:
        raise Malformed("only HTTP/1.1 with a Content-Length is read")
    path, _, query = target.partition("?")
    return Request(method, path, query, headers)


class Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request. `door` has `plan(request)` and `answer(request, plan)`."""

    def __init__(self, door):
        self.door = door
        self.read = bytearray()
        self.is_answering = False

    def connection_made(self, transport):
        self.transport = transport
        self.door.connected(transport)

    def connection_lost(self, error):
        self.door.disconnected()

    def data_received(self, data):
        self.read += data
        self.go_on()

    def go_on(self):
        while not self.is_answering and not self.transport.is_closing():
            try:
                request = self.next_request()
            except (Malformed, ValueError) as error:
                self.transport.write(Answer(400, f"{error}\n".encode(), "text/plain").to_bytes())
                self.transport.close()
                return
            if request is None:
                return
            self.begin(request)

    def next_request(self):
        end = self.read.find(b"\r\n\r\n", 0, BYTES_OF_A_HEAD)
        if end < 0:
            if len(self.read) >= BYTES_OF_A_HEAD:
                raise Malformed("a head without an end")
            return None
        request = read_head(bytes(self.read[:end]))
        size = int(request.headers.get("content-length", 0))
        if len(self.read) < end + 4 + size:
            return None
        request.body = bytes(self.read[end + 4:end + 4 + size])
        del self.read[:end + 4 + size]
        return request

    def begin(self, request):
        """A slow provider works on, whether or not the client still waits."""
        self.is_answering = True
        plan = self.door.plan(request)
        if plan.before:
            asyncio.get_running_loop().call_later(plan.before, self.handle, request, plan)
        else:
            self.handle(request, plan)

    def handle(self, request, plan):
        answer = self.door.answer(request, plan)
        if plan.after:
            asyncio.get_running_loop().call_later(plan.after, self.deliver, request, answer, plan)
        else:
            self.deliver(request, answer, plan)

    def deliver(self, request, answer, plan):
        self.door.ended(request)
        if self.transport.is_closing():
            return
        if plan.drop:
            self.drop(answer, plan)
            return
        self.transport.write(answer.to_bytes())
        if "close" in (request.headers.get("connection", "").lower(), answer.headers.get("Connection", "").lower()):
            self.transport.close()
        else:
            self.is_answering = False
            if self.read:
                asyncio.get_running_loop().call_soon(self.go_on)

    def drop(self, answer, plan):
        """Ends without TLS's goodbye; `reset` sends RST."""
        if plan.drop == "middle":
            text = answer.to_bytes()
            self.transport.write(text[:text.index(b"\r\n\r\n") + 4 + len(answer.body) // 2])
        if plan.reset:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

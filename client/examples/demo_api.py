"""demo_api.py CERTIFICATE KEY: an HTTPS service on loopback that checks who asks.

Standard input is the token that it expects; it keeps only the token's hash. Prints its port, then serves until it is ended.
"""

import hashlib
import hmac
import http.server
import json
import ssl
import sys


def hash_of(token):
    return hashlib.sha256(token).digest()


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    expected = hash_of(sys.stdin.buffer.read())
    served = 0

    def do_GET(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and hmac.compare_digest(hash_of(token.encode("latin-1")), self.expected):
            Api.served += 1
            self.answer(200, {"welcome": "your token is the right one", "requests": Api.served})
        else:
            self.answer(401, {"error": "no token, or a wrong one"})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()

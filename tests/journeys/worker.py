"""A worker with nothing but Python's standard library: leases a credential over lease.sock and prints the lease as JSON.

usage: worker.py SOCKET CREDENTIAL   (a grant is read from CREDLEASE_GRANT_FILE)
"""

import http.client
import json
import os
import socket
import sys


class Broker(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("credlease")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        grant = os.environ.get("CREDLEASE_GRANT_FILE")
        if grant:
            with open(grant) as file:
                headers["Authorization"] = "Bearer " + file.read().strip()
        self.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self.getresponse()
        return response.status, json.loads(response.read() or b"null")


def main():
    broker = Broker(sys.argv[1])
    status, lease = broker.ask("POST", "/v1/leases", {"credential": sys.argv[2], "purpose": {"node": "python"}})
    if status != 201:
        sys.exit(lease["code"])
    status, renewed = broker.ask("POST", "/v1/leases/" + lease["lease"] + "/renew", {"ttl": "90s"})
    assert status == 200 and renewed["lease"] == lease["lease"] and "secret" not in renewed
    if len(sys.argv) > 3:
        query_postgres(lease)
    print(json.dumps(lease))
    assert broker.ask("DELETE", "/v1/leases/" + lease["lease"])[0] == 204


def query_postgres(lease):
    """Uses the leased fields for a real connection; the password goes by the environment of psql, never its arguments."""
    fields = lease["fields"]
    os.environ.update(PGHOST=fields["host"], PGPORT=str(fields["port"]), PGDATABASE=fields["database"], PGUSER=fields["user"],
                      PGPASSWORD=lease["secret"]["password"])
    answer = os.popen("psql -XAtc 'select 6 * 7'").read().strip()
    assert answer == "42", answer


main()

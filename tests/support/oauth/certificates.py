"""certificates.py FOLDER: a certificate authority and a certificate for this machine's loopback, made with openssl.

FOLDER then has ca.pem, server.pem and server.key; what is there already is kept.
"""

import os
import subprocess
import sys

AUTHORITY = """[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
O = Credlease tests
CN = Credlease tests' authority
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
"""

SERVER = """[req]
distinguished_name = name
x509_extensions = server
prompt = no
[name]
O = Credlease tests
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def names_of(hosts):
    return ", ".join(["IP:127.0.0.1", "IP:::1", "DNS:localhost", *(f"DNS:{host}" for host in hosts)])


def issue(folder, name, config, *signed_by):
    with open(os.path.join(folder, f"{name}.cnf"), "w") as file:
        file.write(config)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-config", f"{name}.cnf", "-keyout", f"{name}.key", "-out", f"{name}.pem", *signed_by],
                   cwd=folder, check=True, capture_output=True)


def make(folder, hosts=()):
    """The paths of the authority's certificate, the server's certificate and the server's key."""
    if not os.path.exists(os.path.join(folder, "ca.pem")):
        issue(folder, "ca", AUTHORITY)
    if not os.path.exists(os.path.join(folder, "server.pem")):
        issue(folder, "server", SERVER.format(names=names_of(hosts)), "-CA", "ca.pem", "-CAkey", "ca.key")
    return tuple(os.path.join(folder, name) for name in ("ca.pem", "server.pem", "server.key"))


if __name__ == "__main__":
    make(sys.argv[1])

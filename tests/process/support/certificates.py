"""Certificates for tests, made by the openssl command line: an authority of one's own, and what it
signs, revokes and vouches for. Also openssl's TLS client, as a process."""

import atexit
import contextlib
import datetime
import pathlib
import re
import shutil
import ssl
import subprocess
import tempfile
import types

from . import wire
from .broker import WAIT_S, Log

CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
serial = {folder}/serial
crlnumber = {folder}/crlnumber
new_certs_dir = {folder}
certificate = {folder}/ca.crt
private_key = {folder}/ca.key
default_md = sha256
default_days = 100
default_crl_days = 100
unique_subject = no
policy = anything
[anything]
countryName = optional
organizationName = optional
commonName = optional
[req]
distinguished_name = none
[none]
[v3_authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""

KEY_KINDS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
             "rsa": ["-newkey", "rsa:2048"]}
LOCAL_NAMES = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


def openssl(*arguments, **options):
    if not shutil.which("openssl"):
        raise RuntimeError("the openssl command is missing: install Debian's package openssl")
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=WAIT_S, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout


def moment(days):
    """The time `days` from now, as openssl writes it."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return then.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """Who signs. Its files are in a folder of its own, which goes when the tests end."""

    def __init__(self, name="Test authority"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-authority-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.name = name
        self.file("openssl.cnf", CONFIGURATION.format(folder=self.folder))
        self.file("index.txt", "")
        self.file("crlnumber", "01\n")
        openssl("req", "-x509", *KEY_KINDS["ec"], "-nodes", "-days", 1000, "-subj", f"/CN={name}",
                "-config", self.folder / "openssl.cnf", "-extensions", "v3_authority",
                "-keyout", self.folder / "ca.key", "-out", self.folder / "ca.crt")
        self.certificate = str(self.folder / "ca.crt")

    def file(self, name, text):
        """A file beside the certificates; its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def _make(self, name, subject, kind, days, extensions):
        base = self.folder / name
        self.file(f"{name}.ext", "basicConstraints = CA:FALSE\n" + "\n".join(extensions) + "\n")
        openssl("req", "-new", *KEY_KINDS[kind], "-nodes", "-subj", subject, "-config",
                self.folder / "openssl.cnf", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        openssl("ca", "-batch", "-notext", "-rand_serial", "-config", self.folder / "openssl.cnf",
                "-in", f"{base}.csr", "-out", f"{base}.crt", "-extfile", f"{base}.ext",
                "-startdate", moment(days[0]), "-enddate", moment(days[1]))
        return types.SimpleNamespace(cert=f"{base}.crt", key=f"{base}.key", subject=subject)

    def server(self, name, names=LOCAL_NAMES, kind="ec", days=(-1, 100)):
        """A server's certificate for `names`; its validity is in days from now."""
        return self._make(name, f"/CN={name}", kind, days, [
            "extendedKeyUsage = serverAuth", f"subjectAltName = {','.join(names)}"])

    def client(self, name, names=(), days=(-1, 100), subject=None):
        return self._make(name, subject or f"/CN={name}", "ec", days, [
            "extendedKeyUsage = clientAuth",
            *([f"subjectAltName = {','.join(names)}"] if names else [])])

    def revoke(self, *certificates, name="ca.crl"):
        """A list of all that were ever revoked here; its path."""
        configuration = ["-config", self.folder / "openssl.cnf"]
        for certificate in certificates:
            openssl("ca", *configuration, "-revoke", certificate.cert)
        # Written whole and put in place, as an authority's tools do it.
        openssl("ca", *configuration, "-gencrl", "-out", self.folder / f"{name}.new")
        (self.folder / f"{name}.new").rename(self.folder / name)
        return str(self.folder / name)

    def staple(self, certificate):
        """An OCSP response that says that the certificate is good; its path."""
        ca, base = self.certificate, certificate.cert
        openssl("ocsp", "-issuer", ca, "-cert", certificate.cert, "-no_nonce",
                "-reqout", f"{base}.request")
        openssl("ocsp", "-index", self.folder / "index.txt", "-CA", ca, "-rsigner", ca, "-rkey",
                self.folder / "ca.key", "-ndays", 7, "-reqin", f"{base}.request",
                "-respout", f"{base}.ocsp")
        return f"{base}.ocsp"

    def trust(self, identity=None, version=None, alpn=None):
        """What a client in Python needs in order to trust this authority."""
        context = ssl.create_default_context(cafile=self.certificate)
        if identity:
            context.load_cert_chain(identity.cert, identity.key)
        if version:
            context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(alpn)
        return context


def put(certificate, name, folder):
    """Puts a certificate and its key in the place of others, as a renewal does; their paths."""
    paths = []
    for source, ending in ((certificate.key, "key"), (certificate.cert, "crt")):
        path = pathlib.Path(folder, f"{name}.{ending}")
        shutil.copy(source, f"{path}.new")
        pathlib.Path(f"{path}.new").rename(path)
        paths.append(str(path))
    return types.SimpleNamespace(cert=paths[1], key=paths[0])


def listener(url, certificate, **keys):
    """The keys of a TLS listener: listener("mqtts://…", certificate, client_ca=…)"""
    result = {"url": url}
    if certificate:
        result.update({"tls.cert": certificate.cert, "tls.key": certificate.key})
    result.update({f"tls.{key}": value for key, value in keys.items()})
    return result


# openssl's client --------------------------------------------------------------------------------


class SClient:
    """openssl s_client. `log` is all that it says, and `end()` what it said until it ended."""

    def __init__(self, door, *arguments, authority=None):
        if not shutil.which("openssl"):
            raise RuntimeError("the openssl command is missing: install Debian's package openssl")
        trust = ["-CAfile", authority.certificate, "-verify_return_error"] if authority else []
        self._process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{door.host}:{door.port}", *trust,
             *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log = Log(self._process.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self.log.wait_for_end()

    def send(self, data):
        with contextlib.suppress(BrokenPipeError):  # it ended early: its output says why
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def end(self):
        self._process.wait(WAIT_S)
        self.log.wait_for_end()
        return self.log.text()


def s_client(door, *arguments, authority=None, data=None):
    """What openssl's client says of a connection that it ends after `data` (a CONNECT and a
    DISCONNECT by default, so that the broker closes, and session tickets have come)."""
    with SClient(door, "-ign_eof", *arguments, authority=authority) as client:
        client.send(wire.connect("s-client") + wire.disconnect() if data is None else data)
        return client.end()


def field(text, name):
    """The value of "name: value" in what s_client says."""
    found = re.search(rf"^\s*{re.escape(name)}\s*: *(.*?)\s*$", text, re.MULTILINE)
    return found and found[1]


def shake_hands_byte_by_byte(raw, trust):
    """A TLS handshake on a raw client, one byte a segment: the object that encrypts, and what it
    reads from and writes to."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
            return tls, incoming, outgoing
        except ssl.SSLWantReadError:
            for byte in outgoing.read():
                raw.send(bytes([byte]))
            incoming.write(raw.socket.recv(65536))


class RawTls(wire.RawClient):
    """A client of packets by hand, over TLS."""

    def __init__(self, door, context, name="localhost", session=None):
        super().__init__(door.port)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)
        except BaseException:
            self.socket.close()
            raise

"""HAProxy in a process of its own, in front of a broker.

    with HAProxy({"v1": Route(door, "send-proxy")}) as proxy:
        connect_to(proxy.ports["v1"])
"""

import collections
import contextlib
import pathlib
import shutil
import socket
import subprocess
import tempfile

from .broker import Log

# `send` is what the server line says of the PROXY protocol; `bind` is for TLS of HAProxy's own,
# `checks` are the lines of a health check.
Route = collections.namedtuple("Route", "door send bind checks host",
                               defaults=("", (), "127.0.0.1"))

PROGRAM = shutil.which("haproxy") or "/usr/sbin/haproxy"

HEAD = """
global
    maxconn 500
defaults
    mode tcp
    timeout connect 20s
    timeout client 120s
    timeout server 120s
"""


def one_file(certificate):
    """HAProxy wants a certificate and its key in one file; its path."""
    path = pathlib.Path(certificate.cert + ".haproxy")
    path.write_text(pathlib.Path(certificate.cert).read_text() +
                    pathlib.Path(certificate.key).read_text())
    return str(path)


class HAProxy:
    """The sockets are open before HAProxy is, so that nobody has to wait for it to start."""

    def __init__(self, routes):
        self.routes, self.ports = routes, {}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        if not pathlib.Path(PROGRAM).exists():
            raise RuntimeError("haproxy is missing: install Debian's package haproxy")
        with contextlib.ExitStack() as stack:
            text, sockets = HEAD, {}
            for name, route in self.routes.items():
                family = socket.AF_INET6 if ":" in route.host else socket.AF_INET
                sockets[name] = stack.enter_context(socket.socket(family))
                sockets[name].bind((route.host, 0))
                sockets[name].listen(128)
                self.ports[name] = sockets[name].getsockname()[1]
                text += self._section(name, route, sockets[name].fileno())
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="linnet-haproxy-"))
            file = pathlib.Path(folder, "haproxy.cfg")
            file.write_text(text)
            process = subprocess.Popen(
                [PROGRAM, "-db", "-f", str(file)], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=[each.fileno() for each in sockets.values()])
            self.log = Log(process.stdout)
            stack.callback(self._end, process)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _end(self, process):
        ended = process.poll()
        process.kill()
        process.wait()
        self.log.wait_for_end()
        if ended is not None:
            raise AssertionError(f"HAProxy ended by itself ({ended}):\n{self.log.text()}")

    @staticmethod
    def _section(name, route, descriptor):
        door = route.door
        target = f"{door.host}:{door.port}" if door.port else f"unix@{door.path}"
        check = " check inter 200ms" if route.checks else ""
        lines = [f"listen {name}", f"bind fd@{descriptor} {route.bind}", *route.checks,
                 f"server broker {target} {route.send}{check}"]
        return "\n    ".join(lines) + "\n"

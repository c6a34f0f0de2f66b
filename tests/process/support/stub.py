"""A broker that does what a test wants of it, wrong things above all. It speaks MQTT 3.1.1 and 5.

    with StubBroker(on_publish=lambda broker, source, message: None) as stub:   # loses everything
        connect_to(stub.port)
"""

import contextlib
import socket
import threading

from . import wire


class Peer:
    """One client of it."""

    def __init__(self, connection):
        self.connection = connection
        self.filters = []
        self.version = 4
        self._lock = threading.Lock()

    def send(self, data):
        with self._lock, contextlib.suppress(OSError):
            self.connection.sendall(data)

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class StubBroker:
    """Filters match exactly, QoS is that of the message, and no acknowledgement of a receiver is
    looked at. `on_publish(broker, source, message)` says what becomes of a message: deliver() and
    acknowledge() are the right things. `connack` and `suback` are bytes to answer instead, of
    which b"" is silence."""

    def __init__(self, on_publish=None, connack=None, suback=None):
        self._on_publish = on_publish or StubBroker.serve
        self._connack = connack
        self._suback = suback
        self._peers = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._listener.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.messages = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self.peers():
            peer.close()

    def peers(self):
        with self._lock:
            return list(self._peers)

    # What can be done with a message -------------------------------------------------------------

    def serve(self, source, message):
        self.deliver(message)
        self.acknowledge(source, message)

    def deliver(self, message, payload=None):
        for peer in self.peers():
            if message.topic in peer.filters:
                peer.send(wire.publish(message.topic, message.payload if payload is None else payload,
                                       message.qos, 1, peer.version))

    def acknowledge(self, source, message, reason=None):
        if message.qos == 0:
            return
        packet_type = wire.PUBACK if message.qos == 1 else wire.PUBREC
        body = message.packet_id.to_bytes(2, "big") + (b"" if reason is None else bytes([reason]))
        source.send(wire.packet(packet_type << 4, body))

    # Connections ---------------------------------------------------------------------------------

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer = Peer(self._listener.accept()[0])
                with self._lock:
                    self._peers.append(peer)
                threading.Thread(target=self._serve_peer, args=(peer,), daemon=True).start()

    def _serve_peer(self, peer):
        buffer = bytearray()
        with contextlib.suppress(OSError), peer.connection:
            while data := peer.connection.recv(65536):
                buffer += data
                while found := wire.split(buffer):
                    if found.type == wire.DISCONNECT:
                        return
                    self._take(peer, found)

    def _take(self, peer, found):
        if found.type == wire.CONNECT:
            peer.version = found.body[6]
            right = wire.packet(wire.CONNACK << 4, b"\0\0" + wire.properties(peer.version))
            peer.send(right if self._connack is None else self._connack)
        elif found.type == wire.SUBSCRIBE:
            self._subscribe(peer, found)
        elif found.type == wire.PUBLISH:
            with self._lock:
                self.messages += 1
            self._on_publish(self, peer, wire.parse_publish(found, peer.version))
        elif found.type == wire.PUBREL:
            peer.send(wire.acknowledge(wire.PUBCOMP, int.from_bytes(found.body[:2], "big")))
        elif found.type == wire.PUBREC:
            peer.send(wire.acknowledge(wire.PUBREL, int.from_bytes(found.body[:2], "big")))
        elif found.type == wire.PINGREQ:
            peer.send(wire.packet(wire.PINGRESP << 4, b""))

    def _subscribe(self, peer, found):
        head = 2 if peer.version < 5 else 3
        size = int.from_bytes(found.body[head:head + 2], "big")
        peer.filters.append(found.body[head + 2:head + 2 + size].decode())
        right = wire.packet(wire.SUBACK << 4, found.body[:2] + wire.properties(peer.version) +
                            found.body[-1:])
        peer.send(right if self._suback is None else self._suback)

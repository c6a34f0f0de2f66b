"""MQTT 3.1.1 clients by the thousand, for `./dev bench scale`: they connect, subscribe, ping and
fill a store. Blocking sockets, one after the other: what is measured is the broker.

    crowd = Crowd(port)
    crowd.grow(10_000)
    crowd.subscribe(lambda number: [f"fleet/{number}/state"])
    crowd.close()"""

import itertools
import socket

TIMEOUT_S = 60
WINDOW = 100  # messages of one publisher that are not acknowledged yet
CONNECT_AT_ONCE = 200
FILTERS_PER_PACKET = 100


def text(words):
    raw = words.encode()
    return len(raw).to_bytes(2, "big") + raw


def packet(first_byte, body):
    head = bytearray([first_byte])
    size = len(body)
    while True:
        head.append((size & 127) | (128 if size > 127 else 0))
        size >>= 7
        if not size:
            return bytes(head) + body


def connect(client_id, kept=False):
    return packet(0x10, text("MQTT") + bytes([4, 0 if kept else 2, 0, 0]) + text(client_id))


def subscribe(filters, qos=0):
    return packet(0x82, b"\0\1" + b"".join(text(one) + bytes([qos]) for one in filters))


def publish(topic, payload, number, retain=False):
    """QoS 1; the identifier follows from the number."""
    identifier = (number % 65535 + 1).to_bytes(2, "big")
    return packet(0x33 if retain else 0x32, text(topic) + identifier + payload)


PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"


def receive(client, size):
    """Exactly so many bytes."""
    parts = bytearray()
    while len(parts) < size:
        got = client.recv(size - len(parts))
        if not got:
            raise RuntimeError("the broker has closed a connection")
        parts += got
    return bytes(parts)


def open_client(port, client_id, kept=False):
    client = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(connect(client_id, kept))
    return client


def enter(client):
    answer = receive(client, 4)
    if answer[0] != 0x20 or answer[3] != 0:
        raise RuntimeError(f"the broker refuses a client: {answer.hex()}")


def sleeper(port, client_id, topic_filter):
    """Leaves a kept session with a subscription of QoS 1 behind."""
    with open_client(port, client_id, kept=True) as client:
        enter(client)
        client.sendall(subscribe([topic_filter], qos=1))
        receive(client, 5)
        client.sendall(DISCONNECT)
        client.recv(1)


def publish_all(port, messages):
    """Sends (topic, payload, retain) with QoS 1 and waits for every PUBACK."""
    with open_client(port, "filler") as client:
        enter(client)
        waiting = 0
        for batch in batches(enumerate(messages), WINDOW // 2):
            client.sendall(b"".join(publish(topic, payload, number, retain)
                                    for number, (topic, payload, retain) in batch))
            if waiting:
                receive(client, 4 * waiting)  # of the batch before: the window is never empty
            waiting = len(batch)
        if waiting:
            receive(client, 4 * waiting)
        client.sendall(DISCONNECT)


def batches(items, size):
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


class Crowd:
    """Connections that stay open. Not many answers may wait in their sockets."""

    def __init__(self, port):
        self.port = port
        self.clients = []

    def grow(self, count):
        """Until there are so many."""
        while len(self.clients) < count:
            first = len(self.clients)
            fresh = [open_client(self.port, f"crowd-{number}")
                     for number in range(first, min(first + CONNECT_AT_ONCE, count))]
            self.clients += fresh
            for client in fresh:
                enter(client)

    def subscribe(self, filters_of, begin=0):
        """filters_of(number) are those of a client; from the client `begin` on."""
        for number in range(begin, len(self.clients)):
            client = self.clients[number]
            for some in batches(filters_of(number), FILTERS_PER_PACKET):
                client.sendall(subscribe(some))
                answer = receive(client, 4 + len(some) + (1 if len(some) + 2 > 127 else 0))
                if answer[0] != 0x90 or 0x80 in answer[-len(some):]:
                    raise RuntimeError("the broker refuses a subscription")

    def ping(self):
        """Each once, one after the other."""
        for client in self.clients:
            client.sendall(PINGREQ)
            receive(client, 2)

    def close(self):
        for client in self.clients:
            client.close()
        self.clients = []

"""Real clients for tests: Mosquitto's tools and MQTT.js as processes, and paho with events to wait
for."""

import os
import pathlib
import queue
import subprocess
import threading
import uuid

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from .broker import WAIT_S, Log

VERSIONS = (3, 4, 5)  # protocol levels of MQTT 3.1, 3.1.1 and 5.0
TOOL_VERSIONS = {3: "mqttv31", 4: "mqttv311", 5: "mqttv5"}
PAHO_VERSIONS = {3: paho.MQTTv31, 4: paho.MQTTv311, 5: paho.MQTTv5}


def unique(prefix="t"):
    """A name that no other test uses. MQTT 3.1 allows identifiers of 23 bytes."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def make_properties(packet_name, **values):
    """make_properties("PUBLISH", ContentType="text/plain")"""
    result = Properties(getattr(PacketTypes, packet_name))
    for name, value in values.items():
        setattr(result, name, value)
    return result


# Mosquitto's tools -------------------------------------------------------------------------------


def tool_arguments(program, broker, version):
    """A broker without a port is a Unix socket at its path."""
    where = ["-h", broker.host, "-p", str(broker.port)] if broker.port else ["--unix", broker.path]
    return [program, *where, "-V", TOOL_VERSIONS[version]]


def mosquitto_pub(broker, topic, payload, *more, version=4, qos=0, retain=False):
    command = tool_arguments("mosquitto_pub", broker, version)
    command += ["-t", topic, "-m", payload, "-q", str(qos), *(["-r"] if retain else []), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def mosquitto_rr(broker, topic, response_topic, payload, *more, version=5):
    """Sends a request; returns the answer's payload."""
    command = tool_arguments("mosquitto_rr", broker, version)
    command += ["-t", topic, "-e", response_topic, "-m", payload, "-W", str(WAIT_S), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S + 5)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.rstrip("\n")


class MosquittoSub:
    """mosquitto_sub, entered when its SUBACK has come. Its output is read until it has `count`
    messages: one line each, "qos retain topic payload"."""

    def __init__(self, broker, topic_filter, *more, version=4, qos=0, count=1):
        self._command = tool_arguments("mosquitto_sub", broker, version)
        self._command += ["-t", topic_filter, "-q", str(qos), "-C", str(count), "-W", str(WAIT_S),
                          "-d", "-F", "MESSAGE %q %r %t %p", *more]

    def __enter__(self):
        # The tool holds its output back unless it writes to a terminal.
        self._process = subprocess.Popen(["stdbuf", "-oL", *self._command],
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._log = Log(self._process.stdout)
        if not self._log.wait_for("received SUBACK"):
            self.__exit__()
            raise AssertionError(f"{' '.join(self._command)}: no SUBACK\n{self._log.text()}")
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.wait_for_end()

    def messages(self):
        """All messages, as (qos, retain, topic, payload), when the tool has ended."""
        self._process.wait(WAIT_S + 5)
        self._log.wait_for_end()
        parts = [line.split(" ", 4)[1:] for line in self._log.lines("MESSAGE ")]
        return [(int(qos), retain == "1", topic, payload) for qos, retain, topic, payload in parts]


# MQTT.js -----------------------------------------------------------------------------------------


def run_mqttjs(script, url, version, authority=None, more=()):
    """Runs a script of mqttjs/ against a port or URL; `authority` is the file of who is trusted,
    `more` are the script's own arguments."""
    folder = pathlib.Path(__file__).resolve().parents[1]
    if not (folder / "node_modules" / "mqtt").is_dir():
        raise RuntimeError("MQTT.js is missing: run ./dev test, which fetches it "
                           f"(or `npm ci` in {folder})")
    environment = {**os.environ, **({"NODE_EXTRA_CA_CERTS": authority} if authority else {})}
    done = subprocess.run(["node", str(folder / "mqttjs" / script), str(url), str(version), *more],
                          capture_output=True, text=True, timeout=WAIT_S + 10, env=environment)
    if done.returncode != 0:
        raise AssertionError(f"{script} {url} {version}:\n{done.stdout}{done.stderr}")


# paho --------------------------------------------------------------------------------------------


class Client:
    """A paho client that waits. Used as a context manager it connects and disconnects.

    What comes is in `inbox` (a queue of paho's messages), in the order of its arrival.
    `tls` is an ssl.SSLContext; `websocket` a path, for MQTT over WebSocket; `login` a pair of user
    name and password."""

    def __init__(self, broker, client_id=None, version=4, clean=True, **connect_options):
        self.broker, self.version, self.clean = broker, version, clean
        self.client_id = unique() if client_id is None else client_id
        self.inbox = queue.Queue()
        self.connack = self.disconnect_code = self.disconnect_properties = None
        websocket, tls, login = (connect_options.pop(name, None)
                                 for name in ("websocket", "tls", "login"))
        self._connect_options = connect_options
        self._connected, self._disconnected = threading.Event(), threading.Event()
        self._acknowledged, self._changed = {}, threading.Condition()
        more = {} if version == 5 else {"clean_session": clean}
        more["transport"] = "websockets" if websocket else "tcp"
        self.paho = paho.Client(self.client_id, protocol=PAHO_VERSIONS[version],
                                reconnect_on_failure=False, **more)
        if websocket:
            self.paho.ws_set_options(websocket)
        if login:
            self.paho.username_pw_set(*login)
        if tls:
            self.paho.tls_set_context(tls)
        self.paho.max_inflight_messages_set(connect_options.pop("inflight", 20))
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_subscribe = self.paho.on_unsubscribe = self._on_acknowledged
        self.paho.on_message = lambda _client, _data, message: self.inbox.put(message)

    def _on_connect(self, _client, _data, flags, code, connack_properties=None):
        self.connack = (flags, code, connack_properties)
        self._connected.set()

    def _on_disconnect(self, _client, _data, code, disconnect_properties=None):
        self.disconnect_code = code
        self.disconnect_properties = disconnect_properties
        self._connected.set()
        self._disconnected.set()

    def _on_acknowledged(self, _client, _data, identifier, *details):
        with self._changed:
            self._acknowledged[identifier] = details
            self._changed.notify_all()

    def __enter__(self):
        return self.connect()

    def __exit__(self, *_):
        self.disconnect()

    def connect(self):
        """Returns when CONNACK has come with success."""
        self.start()
        if self.connack is None or self.reason() != 0:
            self.disconnect()
            raise AssertionError(f"CONNECT failed: {self.connack}, {self.disconnect_code}")
        return self

    def start(self):
        """Returns when CONNACK, whatever it says, or the connection's end has come."""
        self.begin()
        return self.wait_for_connack()

    def begin(self):
        """Sends CONNECT."""
        options = dict(self._connect_options)
        if self.version == 5:
            options["clean_start"] = self.clean
        self.paho.connect(self.broker.host, self.broker.port, options.pop("keep_alive_s", 60),
                          **options)
        self.paho.loop_start()

    def wait_for_connack(self):
        if not self._connected.wait(WAIT_S):
            raise AssertionError("no CONNACK")
        return self

    def reason(self):
        code = self.connack[1]
        return getattr(code, "value", code)

    def session_present(self):
        return bool(self.connack[0]["session present"])

    def disconnect(self, disconnect_properties=None, reason=None):
        if not self._disconnected.is_set():
            self.paho.disconnect(reason, disconnect_properties)
        self.paho.loop_stop()
        self._disconnected.set()

    def drop(self):
        """Ends the connection without DISCONNECT."""
        self.paho.socket().shutdown(2)
        self.wait_for_disconnect()

    def wait_for_disconnect(self):
        """Waits until the connection has ended; returns the reason code (MQTT 5) or paho's."""
        if not self._disconnected.wait(WAIT_S):
            raise AssertionError("the connection has not ended")
        self.paho.loop_stop()
        return getattr(self.disconnect_code, "value", self.disconnect_code)

    def subscribe(self, topic_filter, qos=0, identifier=None, **options):
        """One filter, or a list of (filter, qos). Returns the granted codes of SUBACK."""
        if self.version == 5 and isinstance(topic_filter, str):
            details = make_properties("SUBSCRIBE", SubscriptionIdentifier=identifier) \
                if identifier else None
            code, packet_id = self.paho.subscribe(
                topic_filter, options=SubscribeOptions(qos=qos, **options), properties=details)
        elif self.version == 5:
            code, packet_id = self.paho.subscribe(
                [(name, SubscribeOptions(qos=level)) for name, level in topic_filter])
        else:
            code, packet_id = self.paho.subscribe(topic_filter, qos)
        return [getattr(granted, "value", granted)
                for granted in self._wait_for_acknowledgement(code, packet_id)[0]]

    def unsubscribe(self, topic_filter):
        self._wait_for_acknowledgement(*self.paho.unsubscribe(topic_filter))

    def _wait_for_acknowledgement(self, code, packet_id):
        if code != 0:
            raise AssertionError(f"the packet was not sent: {code}")
        with self._changed:
            if not self._changed.wait_for(lambda: packet_id in self._acknowledged, WAIT_S):
                raise AssertionError("no acknowledgement")
            return self._acknowledged.pop(packet_id)

    def publish(self, topic, payload, qos=0, retain=False, **values):
        """Returns when the message is sent (QoS 0) or acknowledged. Other arguments are the
        properties of MQTT 5."""
        self.wait_for_publish(self.publish_later(topic, payload, qos, retain, **values))

    def publish_later(self, topic, payload, qos=0, retain=False, **values):
        details = make_properties("PUBLISH", **values) if values else None
        return self.paho.publish(topic, payload, qos, retain, properties=details)

    @staticmethod
    def wait_for_publish(sent):
        sent.wait_for_publish(WAIT_S)
        if not sent.is_published():
            raise AssertionError("the message was not acknowledged")

    def receive(self, timeout_s=WAIT_S):
        """The next message."""
        try:
            return self.inbox.get(timeout=timeout_s)
        except queue.Empty:
            raise AssertionError(f"no message within {timeout_s} s") from None

    def receive_payloads(self, count):
        return [self.receive().payload.decode() for _ in range(count)]

    def assert_order(self, test, sender, topic):
        """What another client publishes at once comes here whole, and in its order."""
        self.subscribe(topic, 1)
        payloads = [str(number) for number in range(900)]  # a backlog holds 1,000
        sent = [sender.publish_later(topic, text, 1) for text in payloads]
        for message in sent:
            sender.wait_for_publish(message)
        test.assertEqual(self.receive_payloads(len(payloads)), payloads)

    def receive_until(self, payload):
        """The messages before the one with this payload: a fence behind which nothing is late."""
        messages = []
        while (message := self.receive()).payload != payload:
            messages.append(message)
        return messages

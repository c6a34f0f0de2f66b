"""What MQTT 5 adds, with paho, mosquitto_rr and packets by hand."""

import unittest

from support import wire
from support.broker import IS_LINNET, BrokerCase, linnet_only
from support.clients import (Client, make_properties, mosquitto_pub, mosquitto_rr, unique)

TOPIC_ALIAS_INVALID = 0x94


class Mqtt5Case(BrokerCase):
    def setUp(self):
        self.topic = unique()

    def client(self, client_id=None, clean=True, **connect_properties):
        properties = make_properties("CONNECT", **connect_properties)
        client = Client(self.broker, client_id, 5, clean, properties=properties)
        self.addCleanup(client.disconnect)
        return client.connect()

    def pair(self, qos=1):
        """A publisher, and a subscriber to the test's topic."""
        subscriber = self.client()
        subscriber.subscribe(self.topic, qos)
        return self.client(), subscriber


class Properties(Mqtt5Case):
    def test_user_properties_unchanged_and_in_order(self):
        # Names may come twice, and be empty.
        pairs = [("b", "1"), ("a", "2"), ("b", "1"), ("", ""), ("ключ", "значение"), ("a", "0")]
        for qos in (0, 1, 2):
            publisher, subscriber = self.pair(qos)
            publisher.publish(self.topic, b"x", qos, UserProperty=pairs)
            self.assertEqual(subscriber.receive().properties.UserProperty, pairs)

    def test_content_type_and_request_properties(self):
        publisher, subscriber = self.pair()
        correlation = bytes(range(256))
        publisher.publish(self.topic, "täxt", 1, ContentType="text/plain; charset=utf-8",
                          ResponseTopic=f"{self.topic}/answer", CorrelationData=correlation,
                          PayloadFormatIndicator=1)
        found = subscriber.receive().properties
        self.assertEqual(found.ContentType, "text/plain; charset=utf-8")
        self.assertEqual(found.ResponseTopic, f"{self.topic}/answer")
        self.assertEqual(found.CorrelationData, correlation)
        self.assertEqual(found.PayloadFormatIndicator, 1)

    def test_properties_of_retained_messages(self):
        publisher = self.client()
        publisher.publish(self.topic, b"x", 1, retain=True, ContentType="a/b",
                          UserProperty=[("k", "v"), ("k", "w")])
        subscriber = self.client()
        subscriber.subscribe(self.topic, 1)
        message = subscriber.receive()
        self.assertTrue(message.retain)
        self.assertEqual(message.properties.ContentType, "a/b")
        self.assertEqual(message.properties.UserProperty, [("k", "v"), ("k", "w")])

    def test_properties_of_messages_that_waited(self):
        client_id, publisher = unique(), self.client()
        away = self.client(client_id, SessionExpiryInterval=600)
        away.subscribe(self.topic, 2)
        away.disconnect()
        publisher.publish(self.topic, b"x", 2, CorrelationData=b"\x00\xff", UserProperty=("k", "v"))
        back = self.client(client_id, clean=False, SessionExpiryInterval=600)
        message = back.receive()
        self.assertEqual(message.properties.CorrelationData, b"\x00\xff")
        self.assertEqual(message.properties.UserProperty, [("k", "v")])

    def test_mqtt_3_gets_the_message_without_them(self):
        subscriber, publisher = Client(self.broker, version=4), self.client()
        with subscriber:
            subscriber.subscribe(self.topic, 1)
            publisher.publish(self.topic, b"x", 1, UserProperty=("k", "v"), ContentType="a/b")
            self.assertEqual(subscriber.receive().payload, b"x")

    def test_mosquitto_pub_properties(self):
        _, subscriber = self.pair()
        mosquitto_pub(self.broker, self.topic, "x", "-D", "publish", "user-property", "k", "v",
                      "-D", "publish", "content-type", "a/b", version=5, qos=1)
        found = subscriber.receive().properties
        self.assertEqual((found.UserProperty, found.ContentType), ([("k", "v")], "a/b"))


class Expiry(Mqtt5Case):
    def test_interval_is_passed_on(self):
        publisher, subscriber = self.pair()
        publisher.publish(self.topic, b"x", 1, MessageExpiryInterval=1000)
        self.assertIn(subscriber.receive().properties.MessageExpiryInterval, range(900, 1001))

    def test_expired_messages_are_not_sent(self):
        client_id, publisher, watcher = unique(), self.client(), self.client()
        away = self.client(client_id, SessionExpiryInterval=600)
        away.subscribe(f"{self.topic}/#", 1)
        away.disconnect()
        watcher.subscribe(f"{self.topic}/will", 1)
        publisher.publish(f"{self.topic}/a", b"short", 1, MessageExpiryInterval=1)
        publisher.publish(f"{self.topic}/b", b"long", 1, MessageExpiryInterval=600)
        publisher.publish(f"{self.topic}/c", b"kept", 1, retain=True, MessageExpiryInterval=1)
        self._let_seconds_pass(watcher)
        back = self.client(client_id, clean=False, SessionExpiryInterval=600)
        message = back.receive()
        self.assertEqual(message.payload, b"long")
        self.assertLess(message.properties.MessageExpiryInterval, 600)
        self.assertEqual(back.receive().payload, b"time is up")
        back.unsubscribe(f"{self.topic}/#")
        back.subscribe(f"{self.topic}/#", 1)
        publisher.publish(self.topic, b"fence", 1)
        self.assertEqual(back.receive_until(b"fence"), [], "the retained message is expired too")

    def _let_seconds_pass(self, watcher):
        """The broker's own clock says when: by a will that it delays."""
        properties = make_properties("CONNECT", SessionExpiryInterval=600)
        mortal = Client(self.broker, version=5, properties=properties)
        mortal.paho.will_set(f"{self.topic}/will", b"time is up", 1,
                             properties=make_properties("WILLMESSAGE", WillDelayInterval=3))
        mortal.connect().drop()
        watcher.receive()


class TopicAliases(Mqtt5Case):
    def test_from_the_client(self):
        publisher, subscriber = self.pair()
        self.assertGreaterEqual(publisher.connack[2].TopicAliasMaximum, 2)
        other = f"{self.topic}/other"
        subscriber.subscribe(other, 1)
        publisher.publish(self.topic, b"1", 1, TopicAlias=1)
        publisher.publish(other, b"2", 1, TopicAlias=2)
        publisher.publish("", b"3", 1, TopicAlias=1)
        publisher.publish("", b"4", 1, TopicAlias=2)
        publisher.publish(other, b"5", 1, TopicAlias=1)
        publisher.publish("", b"6", 1, TopicAlias=1)
        found = [subscriber.receive() for _ in range(6)]
        self.assertEqual([(m.topic, m.payload) for m in found],
                         [(self.topic, b"1"), (other, b"2"), (self.topic, b"3"), (other, b"4"),
                          (other, b"5"), (other, b"6")])

    def test_beyond_what_the_broker_allows(self):
        maximum = self.client().connack[2].TopicAliasMaximum
        for alias in (0, maximum + 1):
            with self.subTest(alias=alias), wire.RawClient(self.broker.port) as raw:
                raw.connect(unique(), 5)
                alias_property = b"\x23" + alias.to_bytes(2, "big")
                raw.send(wire.publish(self.topic, b"x", version=5, data=alias_property))
                farewell = raw.drain_until_closed()
                if IS_LINNET:
                    self.assertEqual([p.body[0] for p in farewell], [TOPIC_ALIAS_INVALID])

    def test_to_the_client(self):
        subscriber, publisher = self.client(TopicAliasMaximum=2), self.client()
        names = [f"{self.topic}/{i % 5}" for i in range(50)] + [f"{self.topic}/0"] * 10
        subscriber.subscribe(f"{self.topic}/#", 1)
        for name in names:
            publisher.publish_later(name, name.encode(), 1)
        topics, aliased = {}, 0
        for name in names:
            message = subscriber.receive()
            alias = getattr(message.properties, "TopicAlias", 0)
            self.assertIn(alias, (0, 1, 2))
            if message.topic:
                topics[alias] = message.topic
            else:
                aliased += 1
            self.assertEqual(message.topic or topics[alias], name)
            self.assertEqual(message.payload, name.encode())
        if IS_LINNET:
            self.assertGreater(aliased, 0, "no alias was ever used")

    def test_none_to_a_client_that_allows_none(self):
        publisher, subscriber = self.pair()
        for _ in range(10):
            publisher.publish(self.topic, b"x", 1)
            message = subscriber.receive()
            self.assertEqual(message.topic, self.topic)
            self.assertFalse(hasattr(message.properties, "TopicAlias"))


class Subscriptions(Mqtt5Case):
    def test_identifiers_of_overlapping_subscriptions(self):
        subscriber, publisher = self.client(), self.client()
        filters = {1: f"{self.topic}/#", 268_435_455: f"{self.topic}/+", 7: f"{self.topic}/a/b"}
        for identifier, topic_filter in filters.items():
            subscriber.subscribe(topic_filter, 1, identifier=identifier)
        subscriber.subscribe(f"{self.topic}-fence", 1)
        for name, expected in {"a": [1, 268_435_455], "a/b": [1, 7], "a/c": [1]}.items():
            publisher.publish(f"{self.topic}/{name}", b"x", 1)
            publisher.publish(f"{self.topic}-fence", b"fence", 1)
            # One message for all, or one for each: the standard allows both.
            found = [identifier for message in subscriber.receive_until(b"fence")
                     for identifier in message.properties.SubscriptionIdentifier]
            self.assertEqual(sorted(found), expected)

    def test_no_local(self):
        one, two = self.client(), self.client()
        for client in (one, two):
            client.subscribe(self.topic, 1, noLocal=True)
            client.subscribe(f"{self.topic}/{client.client_id}", 1)
        for sender, receiver in ((one, two), (two, one)):
            sender.publish(self.topic, b"from the other", 1)
            self.assertEqual(receiver.receive().payload, b"from the other")
            sender.publish(f"{self.topic}/{sender.client_id}", b"fence", 1)
            self.assertEqual(sender.receive_until(b"fence"), [])

    def test_a_filter_that_is_refused_leaves_the_others(self):
        subscriber, publisher = self.client(), self.client()
        with wire.RawClient(self.broker.port) as raw:
            raw.connect(unique(), 5)
            body = b"\x00\x01\x00" + b"".join(
                wire.string(name) + b"\x01" for name in (self.topic, "a/b#", "+/"))
            raw.send(wire.packet(wire.SUBSCRIBE << 4 | 2, body))
            if IS_LINNET:
                answer = raw.expect(wire.SUBACK)
                self.assertEqual(answer.body[-3:], b"\x01\x8f\x01")
        subscriber.subscribe(self.topic, 1)
        publisher.publish(self.topic, b"x", 1)
        self.assertEqual(subscriber.receive().payload, b"x")


class Flow(Mqtt5Case):
    @linnet_only  # Mosquitto 2.0.11 sends two messages for one acknowledgement
    def test_receive_maximum(self):
        publisher = self.client()
        with wire.RawClient(self.broker.port) as raw:
            maximum = 2
            raw.send(connect_with_receive_maximum(maximum))
            raw.expect(wire.CONNACK)
            raw.subscribe(self.topic, 1, version=5)
            for i in range(6):
                publisher.publish(self.topic, str(i), 1)
            waiting = [receive_publish(raw) for _ in range(maximum)]
            found = list(waiting)
            while waiting:
                # Nothing but the answer comes while the window is full.
                raw.send(wire.packet(wire.PINGREQ << 4, b""))
                raw.expect(wire.PINGRESP)
                raw.send(wire.acknowledge(wire.PUBACK, waiting.pop(0).packet_id))
                if len(found) < 6:
                    waiting.append(receive_publish(raw))
                    found.append(waiting[-1])
            self.assertEqual([m.payload for m in found], [b"%d" % i for i in range(6)])

    def test_the_brokers_limits_are_told(self):
        properties = self.client().connack[2]
        self.assertGreaterEqual(getattr(properties, "ReceiveMaximum", 65535), 1)
        if IS_LINNET:
            self.assertEqual(properties.ReceiveMaximum, 100)
            self.assertEqual(properties.MaximumPacketSize, 1 << 20)

    def test_maximum_packet_size_of_the_client(self):
        subscriber, publisher = self.client(MaximumPacketSize=200), self.client()
        subscriber.subscribe(self.topic, 1)
        publisher.publish(self.topic, b"x" * 300, 1)
        publisher.publish(self.topic, b"fence", 1)
        self.assertEqual(subscriber.receive_until(b"fence"), [])


class Requests(Mqtt5Case):
    def test_request_and_response_by_mosquitto_rr(self):
        responder = self.client()
        responder.subscribe(f"{self.topic}/request", 1)

        def answer(_client, _data, message):
            responder.publish_later(message.properties.ResponseTopic,
                                    message.payload.upper(), 1,
                                    CorrelationData=message.properties.CorrelationData)

        responder.paho.on_message = answer
        found = mosquitto_rr(self.broker, f"{self.topic}/request", f"{self.topic}/response",
                             "question", "-q", "1", "-D", "publish", "correlation-data", "42")
        self.assertEqual(found, "QUESTION")

    @linnet_only
    def test_session_expiry_is_told_where_it_is_less_than_asked_for(self):
        client = self.client(SessionExpiryInterval=0xFFFFFFFF)
        self.assertEqual(client.connack[2].SessionExpiryInterval, 30 * 24 * 3600)


def connect_with_receive_maximum(maximum):
    properties = wire.properties(5, b"\x21" + maximum.to_bytes(2, "big"))
    return wire.packet(wire.CONNECT << 4, wire.string("MQTT") + b"\x05\x02\x00\x3c" + properties +
                       wire.string(unique()))


def receive_publish(raw):
    return wire.parse_publish(raw.expect(wire.PUBLISH), 5)


if __name__ == "__main__":
    unittest.main()

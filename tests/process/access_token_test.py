"""Tokens (JWT) as passwords: of every algorithm, their claims, groups and rules, and their end."""

import pathlib
import time
import unittest

from support import wire
from support.broker import Broker, BrokerCase, linnet_only
from support.certificates import openssl
from support.clients import Client, unique
from support.users import (LET_IN, NOT_AUTHORIZED, WRONG_LOGIN, Folder, TokenKey, answers,
                           base64url, in_an_hour, publish_as, token_by_secret, unsigned_token)

CONFIG = """
[[auth.rule]]
groups = ["staff"]
publish = ["staff/#"]

[[auth.rule]]
users = ["*"]
topics = ["own/${username}/#"]
"""
MAXIMUM_CONNECT_TIME = 0xA0


@linnet_only
class Tokens(BrokerCase):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls.addClassCleanup)
        cls.keys = {algorithm: TokenKey(cls.folder, algorithm) for algorithm in TokenKey.KINDS}
        secret = openssl("rand", "-base64", 48)
        # One line break at its end is none of the secret's bytes.
        cls.secret = secret.removesuffix(b"\n")
        files = [cls.folder.file("token.secret", secret.decode()),
                 *(key.public for key in cls.keys.values())]
        cls.settings = {"auth.jwt.keys": ",".join(files), "auth.jwt.issuer": "https://id.example",
                        "auth.jwt.audience": "broker", "auth.jwt.leeway": "0s",
                        "auth.password_file": cls.folder.users(bob="secret")}
        super().setUpClass()

    def claims(self, **more):
        claims = {"sub": "anna", "iss": "https://id.example", "aud": ["web", "broker"],
                  "exp": in_an_hour(), **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **more):
        return token_by_secret(self.secret, self.claims(**more))

    def test_every_algorithm(self):
        tokens = {name: key.token(self.claims()) for name, key in self.keys.items()}
        tokens["HS256"] = self.token()
        for algorithm, token in tokens.items():
            with self.subTest(algorithm):
                self.assertEqual(answers(self.broker, "anna", token), LET_IN)
                self.assertEqual(answers(self.broker, "bob", token), WRONG_LOGIN)
                head, claims, signature = token.split(".")
                other = signature[:-6] + ("A" if signature[-6] != "A" else "B") + signature[-5:]
                self.assertEqual(answers(self.broker, "anna", f"{head}.{claims}.{other}"),
                                 WRONG_LOGIN)

    def test_a_public_key_is_no_secret(self):
        for key in self.keys.values():
            public = pathlib.Path(key.public).read_bytes()
            for secret in (public, public.rstrip()):
                self.assertEqual(answers(self.broker, "anna",
                                         token_by_secret(secret, self.claims())), WRONG_LOGIN)
        self.assertEqual(answers(self.broker, "anna", unsigned_token(self.claims(), "none") + "."),
                         WRONG_LOGIN)

    def test_claims(self):
        now = int(time.time())
        for claims in ({"exp": now - 1}, {"nbf": now + 600}, {"iss": "https://evil.example"},
                       {"iss": None}, {"aud": "web"}, {"aud": None}, {"sub": None}, {"sub": ""},
                       {"acl": [{"permission": "perhaps"}]}, {"groups": 7}):
            with self.subTest(claims):
                self.assertEqual(answers(self.broker, "anna", self.token(**claims)), WRONG_LOGIN)
        self.assertEqual(answers(self.broker, "anna", self.token(aud="broker", nbf=now)), LET_IN)
        self.assertEqual(self.broker.log.lines("eyJ"), [], "a token is in the log")

    def test_the_token_says_the_name(self):
        """MQTT 5 may send a password without a user name; no library here does."""
        packet = wire.packet(wire.CONNECT << 4, wire.string("MQTT") + b"\x05\x42\0\x3c\0" +
                             wire.string(unique()) + wire.string(self.token()))
        for topic, expected in (("own/anna/x", (0, 0x10)), ("own/bob/x", (0x87,))):
            with wire.RawClient(self.broker.port) as raw:
                raw.send(packet)
                self.assertEqual(raw.expect(wire.CONNACK).body[1], 0)
                raw.send(wire.publish(topic, b"x", 1, version=5))
                self.assertIn((raw.expect(wire.PUBACK).body + b"\0")[2], expected)

    def test_beside_passwords(self):
        self.assertEqual(answers(self.broker, "bob", "secret"), LET_IN)
        self.assertEqual(answers(self.broker, "bob", "a.b.c"), WRONG_LOGIN)
        self.assertEqual(answers(self.broker), NOT_AUTHORIZED)

    def may(self, token, topic, user="anna"):
        done = publish_as(self.broker, user, token, version=5, topic=topic)
        self.assertEqual(done.returncode, 0, done.stderr)
        return "Not authorized" not in done.stderr

    def test_groups_and_rules(self):
        plain, staff = self.token(), self.token(groups=["staff"])
        self.assertTrue(self.may(plain, "own/anna/x"))
        self.assertFalse(self.may(plain, "staff/x"))
        self.assertTrue(self.may(staff, "staff/x"))
        own = self.token(groups="staff guests", acl=[
            {"permission": "deny", "action": "publish", "topic": "staff/secret/#"},
            {"permission": "allow", "action": "all", "topics": ["extra/${username}/#"]}])
        for topic, allowed in (("staff/x", True), ("staff/secret/x", False), ("extra/anna/x", True),
                               ("extra/bob/x", False), ("own/anna/x", True), ("else", False)):
            self.assertEqual(self.may(own, topic), allowed, topic)

    def test_a_session_ends_with_its_token(self):
        for version in (4, 5):
            with self.subTest(version=version):
                token = self.token(exp=int(time.time()) + 2)
                with Client(self.broker, unique(), version, login=("anna", token)) as client:
                    client.publish("own/anna/x", "x", 1)
                    code = client.wait_for_disconnect()
                    if version == 5:
                        self.assertEqual(code, MAXIMUM_CONNECT_TIME)
                self.assertEqual(answers(self.broker, "anna", token), WRONG_LOGIN)


@linnet_only
class KeySets(unittest.TestCase):
    def test_a_set_of_keys_by_name(self):
        folder = Folder(self.addCleanup)

        def key(name, secret):
            return f'{{"kty": "oct", "kid": "{name}", "alg": "HS256", "k": "{base64url(secret)}"}}'
        one, two = b"1" * 32, b"2" * 32
        keys = folder.file("keys.json", f'{{"keys": [{key("one", one)}, {key("two", two)}]}}')
        with Broker(1, {"auth.jwt.keys": keys}) as broker:
            for kid, secret, expected in (("one", one, LET_IN), ("two", two, LET_IN),
                                          ("two", one, WRONG_LOGIN), ("three", one, WRONG_LOGIN)):
                token = token_by_secret(secret, {"sub": "anna"}, kid=kid)
                self.assertEqual(answers(broker, "anna", token), expected, kid)
            self.assertEqual(answers(broker, "anna", token_by_secret(two, {"sub": "anna"})), LET_IN)


if __name__ == "__main__":
    unittest.main()

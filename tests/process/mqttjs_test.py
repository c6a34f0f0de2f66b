"""MQTT.js, each script in mqttjs/ with the protocol versions that it is for."""

import unittest

from support.broker import BrokerCase
from support.clients import run_mqttjs


class MqttJs(BrokerCase):
    def run_script(self, name, version):
        with self.subTest(version=version):
            run_mqttjs(name, self.broker.port, version)

    def test_messages(self):
        for version in (3, 4, 5):
            self.run_script("messages.mjs", version)

    def test_sizes(self):
        for version in (4, 5):
            self.run_script("sizes.mjs", version)

    def test_sessions(self):
        for version in (3, 4, 5):
            self.run_script("sessions.mjs", version)

    def test_properties(self):
        self.run_script("properties.mjs", 5)


if __name__ == "__main__":
    unittest.main()

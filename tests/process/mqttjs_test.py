"""MQTT.js, each script in mqttjs/ with the protocol versions that it is for."""

import pathlib
import subprocess
import unittest

from support.broker import WAIT_S, BrokerCase

FOLDER = pathlib.Path(__file__).resolve().parent


class MqttJs(BrokerCase):
    @classmethod
    def setUpClass(cls):
        if not (FOLDER / "node_modules" / "mqtt").is_dir():
            raise RuntimeError("MQTT.js is missing: run ./dev test, which fetches it "
                               f"(or `npm ci` in {FOLDER})")
        super().setUpClass()

    def run_script(self, name, version):
        with self.subTest(version=version):
            done = subprocess.run(
                ["node", str(FOLDER / "mqttjs" / name), str(self.broker.port), str(version)],
                capture_output=True, text=True, timeout=WAIT_S + 10)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_messages(self):
        for version in (3, 4, 5):
            self.run_script("messages.mjs", version)

    def test_sessions(self):
        for version in (3, 4, 5):
            self.run_script("sessions.mjs", version)

    def test_properties(self):
        self.run_script("properties.mjs", 5)


if __name__ == "__main__":
    unittest.main()

"""MQTT.js in Debian's Chromium: what a web page can do, and what a stranger's page cannot."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import certificates
from support.broker import WAIT_S, Broker, BrokerCase, Log, free_port, linnet_only
from support.certificates import listener
from support.clients import mosquitto_pub

FOLDER = pathlib.Path(__file__).resolve().parent
BROWSER_WAIT_S = WAIT_S * 3
WS = "ws://127.0.0.1:0/mqtt"
AUTHORITY = certificates.Authority()


def require(command, package):
    if not shutil.which(command):
        raise RuntimeError(f"{command} is missing: install Debian's package {package}")


class Browser:
    """One run of a script of browser/, in a home folder of its own."""

    def __init__(self, script, authority=None, **options):
        require("chromium", "chromium")
        if not (FOLDER / "node_modules" / "playwright-core").is_dir():
            raise RuntimeError("playwright-core is missing: run ./dev test, which fetches it "
                               f"(or `npm ci` in {FOLDER})")
        self._home = tempfile.TemporaryDirectory(prefix="linnet-home-", ignore_cleanup_errors=True)
        if authority:
            self._trust(authority)
        self._command = ["node", str(FOLDER / "browser" / script), json.dumps(options)]

    def _trust(self, authority):
        """The browser trusts the authority as a user would make it: by its certificate store."""
        require("certutil", "libnss3-tools")
        store = pathlib.Path(self._home.name, ".pki", "nssdb")
        store.mkdir(parents=True)
        for arguments in (["-N", "--empty-password"],
                          ["-A", "-t", "C,,", "-n", authority.name, "-i", authority.certificate]):
            subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True,
                           capture_output=True, timeout=WAIT_S)

    def __enter__(self):
        home = self._home.name
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config",
                       "XDG_CACHE_HOME": f"{home}/.cache", "XDG_DATA_HOME": f"{home}/.local/share"}
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, env=environment,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log = Log(self._process.stdout)
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()  # so that it can end its browser
        self._process.wait()
        self.log.wait_for_end()
        self._home.cleanup()

    def finish(self):
        """Waits for the end, which has to be a good one."""
        code = self._process.wait(BROWSER_WAIT_S)
        self.log.wait_for_end()
        if code != 0:
            raise AssertionError(f"{' '.join(self._command)}: {code}\n{self.log.text()}")


def run_browser(script, authority=None, **options):
    with Browser(script, authority, **options) as browser:
        browser.finish()


@linnet_only
class Pages(BrokerCase):
    threads = 2
    listeners = {"ws": {"url": WS},
                 "wss": listener("wss://127.0.0.1:0/mqtt", AUTHORITY.server("server")),
                 "any": listener("any://127.0.0.1:0", AUTHORITY.server("any")),
                 "listed": {"url": WS, "origins": ["http://app.test"]},
                 "open": {"url": WS, "origins": ["*"]}}

    def url(self, name, scheme="ws"):
        return f"{scheme}://localhost:{self.broker.at(name).port}/mqtt"

    def test_messages(self):
        for version in (4, 5):
            with self.subTest(version=version):
                run_browser("messages.mjs", url=self.url("ws"), version=version)

    def test_messages_over_tls_with_a_private_authority(self):
        run_browser("messages.mjs", AUTHORITY, url=self.url("wss", "wss"), version=5)

    def test_one_port_for_all(self):
        run_browser("messages.mjs", AUTHORITY, url=self.url("any", "wss"))
        run_browser("messages.mjs", url=self.url("any"))

    def test_an_authority_that_is_not_trusted(self):
        run_browser("refused.mjs", url=self.url("wss", "wss"))

    def test_a_strangers_page_is_refused(self):
        for name in ("ws", "listed"):
            with self.subTest(name):
                run_browser("refused.mjs", url=self.url(name), page_host="evil.test")

    def test_a_page_that_origins_allows(self):
        run_browser("messages.mjs", url=self.url("open"), page_host="evil.test")


@linnet_only
class Named(unittest.TestCase):
    def test_an_origin_by_its_name(self):
        """Two pages, of which one is named with its port."""
        port = free_port()
        doors = {"ws": {"url": WS, "origins": [f"http://app.test:{port}"]}}
        with Broker(listeners=doors) as broker:
            url = f"ws://localhost:{broker.at('ws').port}/mqtt"
            run_browser("messages.mjs", url=url, page_host="app.test", page_port=port)
            run_browser("refused.mjs", url=url, page_host="evil.test", page_port=port)


@linnet_only
class Restart(unittest.TestCase):
    def test_a_page_finds_back(self):
        port = free_port()
        doors = {"ws": {"url": f"ws://127.0.0.1:{port}/mqtt"}}
        for version in (4, 5):
            with self.subTest(version=version), tempfile.TemporaryDirectory() as folder:
                first = Broker(2, data_dir=folder, listeners=doors).start()
                with Browser("reconnect.mjs", url=f"ws://localhost:{port}/mqtt",
                             version=version) as browser:
                    connected = browser.log.wait_for("connected", timeout_s=BROWSER_WAIT_S)
                    first.stop()
                    self.assertTrue(connected, browser.log.text())
                    # With another door meanwhile, so that there is something to be kept.
                    with Broker(2, data_dir=folder) as between:
                        mosquitto_pub(between, "browser/again", "kept", qos=1)
                    with Broker(2, data_dir=folder, listeners=doors):
                        browser.finish()


if __name__ == "__main__":
    unittest.main()

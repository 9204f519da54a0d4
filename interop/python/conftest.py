"""The world around an SDK under test: a simulator of WeChat in its own process, a payer with a
phone, and the merchant's address that WeChat notifies.

Nothing here signs, verifies, encrypts or decrypts: that is the SDK's part.
"""

import itertools
import json
import os
import queue
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

# What is hard to carry: Chinese, and every character that XML or JSON escapes.
DESCRIPTION = "算盘 <1> & \"2\" '3'"
ATTACH = "附加数据 a=b&c=d <x> \\ /"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A simulator in a directory of its own, ready, until the tests of a file are done."""
    binary = os.environ.get("SUANPAN_BIN")
    assert binary, "set SUANPAN_BIN to the suanpan binary (scripts/check interop does)"
    data = tmp_path_factory.mktemp("simulator")
    with open(data / "talk.log", "wb") as talk:
        simulator = subprocess.Popen(
            [binary, "simulator", "--listen", "127.0.0.1:0", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=talk,
        )
    try:
        line = simulator.stdout.readline()
        assert line, f"the simulator did not start:\n{(data / 'talk.log').read_text()}"
        ready = json.loads(line)
        assert ready["ready"] is True
        with Receiver() as receiver:
            yield World(ready["url"], json.loads((data / "credentials.json").read_text()), receiver)
    finally:
        simulator.terminate()
        simulator.wait(timeout=20)


class World:
    """What the mini program and the payer do, and what only a simulator can tell."""

    def __init__(self, url, credentials, receiver):
        assert credentials["base_url"] == url
        self.url = url
        # The direct ones: a partner's calls name a sub-merchant, which these SDKs' direct calls do not.
        direct = [each for each in credentials["merchants"] if not each.get("sub_merchants")]
        self.merchants = [Merchant(each, credentials["apps"]) for each in direct]
        self.notify_url = receiver.url
        self.notification = receiver.next
        self._numbers = itertools.count(1)

    def order_number(self):
        return f"interop{time.time_ns() // 1_000_000}{os.getpid()}{next(self._numbers):03}"

    def openid(self, merchant, user="alice"):
        """`wx.login`, then jscode2session as the merchant's backend does it."""
        code = self._control("login", {"appid": merchant.appid, "user": user})["code"]
        session = requests.get(
            f"{self.url}/sns/jscode2session",
            params={
                "appid": merchant.appid,
                "secret": merchant.app_secret,
                "js_code": code,
                "grant_type": "authorization_code",
            },
        ).json()
        return session["openid"]

    def pays(self, app_id, params, user="alice"):
        """`wx.requestPayment` with the parameters that the SDK signed; the payer pays."""
        names = ("timeStamp", "nonceStr", "package", "signType", "paySign")
        signed = {name: params[name] for name in names}
        return self._control("request-payment", {"user": user, "appId": app_id, "outcome": "pay", **signed})

    def requests(self):
        return self._control("requests")["requests"]

    def acknowledged(self, out_trade_no):
        """Waits until WeChat holds the order's notification as acknowledged.

        The simulator is another process with the clock of the wall: it reads our answer a moment
        after we wrote it.
        """
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            notifications = self._control("ledger")["notifications"]
            found = [each for each in notifications if each["out_trade_no"] == out_trade_no]
            if any(each["acknowledged"] for each in found):
                return
            time.sleep(0.01)
        pytest.fail(f"not acknowledged: {found}")

    def _control(self, path, body=None):
        url = f"{self.url}/_sim/{path}"
        answer = requests.get(url) if body is None else requests.post(url, json=body)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()


class Merchant:
    """A merchant of credentials.json with its files read and its first app looked up."""

    def __init__(self, given, apps):
        self.mchid = given["mchid"]
        self.api_v2_key = given["api_v2_key"]
        self.api_v3_key = given["api_v3_key"]
        self.serial = given["merchant_serial"]
        self.private_key = Path(given["merchant_private_key"]).read_text()
        self.platform_certificates = {
            each["serial"]: Path(each["path"]).read_text() for each in given["platform_certificates"]
        }
        self.public_key_id = given["wechatpay_public_key_id"]
        self.public_key = Path(given["wechatpay_public_key"]).read_text()
        self.mode = given["mode"]
        self.appid = given["apps"][0]
        self.app_secret = next(app["secret"] for app in apps if app["appid"] == self.appid)


class Notification:
    """One POST of WeChat, held open until the test answers it."""

    def __init__(self, headers, body):
        self.headers = headers
        self.body = body
        self._answer = queue.Queue(1)

    def answer(self, status, content_type, body):
        self._answer.put((status, content_type, body.encode()))

    def wait(self):
        return self._answer.get(timeout=20)


class Receiver:
    """The merchant's HTTP server."""

    def __init__(self):
        arrived = queue.Queue()
        # A notification that never comes fails its test, and does not hang it.
        self.next = lambda: arrived.get(timeout=20)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                notification = Notification(self.headers, body)
                arrived.put(notification)
                status, content_type, answer = notification.wait()
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

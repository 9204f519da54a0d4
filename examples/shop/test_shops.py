"""Each shop, in its own language, is run against `suanpan dev`: a tea is bought, paid, told of, and told of falsely."""

import json
import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from standardwebhooks import Webhook

SHOPS = Path(__file__).parent
LANGUAGES = {
    "python": ["python3", "shop.py"],
    "node": ["node", "shop.mjs"],
    "java": ["java", "-Dfile.encoding=UTF-8", "Shop.java"],
    "php": ["php", "-S", "127.0.0.1:{port}", "shop.php"],
    "go": ["go", "run", "shop.go"],
}


@pytest.fixture(scope="session")
def suanpan(tmp_path_factory):
    """Backend and simulator, as on a developer's machine."""
    binary = os.environ.get("SUANPAN_BIN")
    assert binary, "set SUANPAN_BIN to the suanpan binary (scripts/check snippets does)"
    command = [binary, "dev", "--listen", "127.0.0.1:0", "--simulator-listen", "127.0.0.1:0", "--data"]
    with Program([*command, tmp_path_factory.mktemp("dev")]) as program:
        yield Suanpan(json.loads(program.line()))


@pytest.fixture(params=LANGUAGES)
def shop(request, suanpan, tmp_path):
    """One of the shops, open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    endpoint = suanpan.call("/v1/webhook-endpoints", {"url": f"{url}/webhook"})
    command = [word.format(port=port) for word in LANGUAGES[request.param]]
    # What it writes, it writes into a folder of its own.
    command = [str(SHOPS / word) if (SHOPS / word).is_file() else word for word in command]
    keys = {"SUANPAN_URL": suanpan.url, "SUANPAN_API_KEY": suanpan.key, "WEBHOOK_SECRET": endpoint["secret"]}
    environment = {**os.environ, **keys, "PORT": str(port), "TMPDIR": str(tmp_path), "GO111MODULE": "off"}
    merged = {"stderr": subprocess.STDOUT} if request.param == "php" else {}
    with Program(command, env=environment, cwd=tmp_path, **merged) as program:
        # PHP's server says so in words of its own.
        while not re.search("listening|started", program.line()):
            pass
        yield Shop(url, program, endpoint)
    suanpan.call(f"/v1/webhook-endpoints/{endpoint['id']}", method="DELETE")


def test_a_tea_is_bought_paid_and_told_of_once(shop, suanpan):
    first = shop.sells()
    order = suanpan.call(f"/v1/orders/{first}")
    assert (order["amount"], order["description"], order["status"]) == (990, "龙井一杯", "unpaid")
    suanpan.pays(first)
    assert shop.says() == f"paid {first} 990"

    # The same event again, the same to the byte: it is answered as the first time, and nothing is done.
    event = next(each for each in suanpan.call("/v1/events")["data"] if each["data"]["id"] == first)["id"]
    assert suanpan.delivered(event, shop.endpoint["id"], times=1) == {200}
    suanpan.call(f"/v1/events/{event}/replay", {})
    assert suanpan.delivered(event, shop.endpoint["id"], times=2) == {200}
    second = shop.sells()
    suanpan.pays(second)
    assert shop.says() == f"paid {second} 990"


def test_what_is_not_signed_is_not_believed(shop):
    order = {"id": "ord_forged", "reference": "tea-1", "amount": 1}
    paid = json.dumps({"type": "order.paid", "timestamp": "2026-11-26T12:00:00Z", "data": order})
    now = datetime.now(timezone.utc)
    signed = lambda at=now, secret=shop.endpoint["secret"]: headers(secret, at, paid)
    other = "whsec_" + "A" * 32

    for flipped in range(0, len(paid), 7):
        forged = paid.encode()
        forged = forged[:flipped] + bytes([forged[flipped] ^ 1]) + forged[flipped + 1 :]
        assert shop.hears(signed(), forged) in (400, 401), flipped
    assert shop.hears(signed(secret=other), paid) in (400, 401)
    assert shop.hears(signed(now - timedelta(seconds=400)), paid) in (400, 401)
    assert shop.hears(signed(now + timedelta(seconds=400)), paid) in (400, 401)
    assert shop.hears({**signed(), "webhook-id": "evt_other"}, paid) in (400, 401)
    assert shop.hears({**signed(), "webhook-timestamp": "yesterday"}, paid) in (400, 401)
    for name in signed():
        assert shop.hears({key: text for key, text in signed().items() if key != name}, paid) in (400, 401), name

    # On the day after a rotation the old signature stands beside the new one. The first line that it says is this one's.
    both = {**signed(), "webhook-signature": f"{signed(secret=other)['webhook-signature']} {signed()['webhook-signature']}"}
    assert shop.hears(both, paid) == 200
    assert shop.says() == "paid ord_forged 1"


def headers(secret, at, body):
    """By the library of Standard Webhooks, and not by ours."""
    signature = Webhook(secret).sign("evt_tea", at, body)
    return {"webhook-id": "evt_tea", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


class Program:
    """Something that stays up, and what it says."""

    def __init__(self, command, **how):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, **how)
        self._lines = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def line(self):
        """The next line that it says, and soon."""
        return self._lines.get(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # `go run` is two processes.
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(timeout=30)


class Suanpan:
    def __init__(self, ready):
        self.url, self.key, self._simulator = ready["url"], ready["api_key"], ready["simulator"]
        credentials = json.loads(Path(ready["credentials"]).read_text())
        self._app = credentials["merchants"][0]["apps"][0]

    def call(self, path, body=None, method=None):
        key = {"Authorization": f"Bearer {self.key}"}
        return call(f"{self.url}{path}", body, key, method)[1]

    def delivered(self, event, endpoint, times):
        """The statuses by which an event was answered, once it was delivered so often."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            deliveries = self.call(f"/v1/events/{event}")["deliveries"]
            tries = [each for one in deliveries if one["endpoint_id"] == endpoint for each in one["attempts"]]
            if len(tries) == times:
                return {each["status"] for each in tries}
        raise AssertionError(f"{event} was not delivered {times} times: {deliveries}")

    def pays(self, order):
        """The phone: `wx.login`, then `wx.requestPayment`."""
        code = call(f"{self._simulator}/_sim/login", {"appid": self._app, "user": "alice"})[1]["code"]
        signed = call(f"{self.url}/miniprogram/pay", {"code": code, "orderId": order})[1]
        payer = {"user": "alice", "appId": self._app, "outcome": "pay"}
        said = call(f"{self._simulator}/_sim/request-payment", {**payer, **signed})[1]
        assert said == {"errMsg": "requestPayment:ok"}


class Shop:
    def __init__(self, url, program, endpoint):
        self._url, self._program, self.endpoint = url, program, endpoint

    def sells(self):
        return call(f"{self._url}/buy", {"tea": "longjing"})[1]["orderId"]

    def says(self):
        """The next line that is not PHP's talk of its connections."""
        while not (line := self._program.line()).startswith("paid "):
            assert "] 127.0.0.1:" in line, line
        return line

    def hears(self, headers, body):
        return call(f"{self._url}/webhook", body, headers)[0]


def call(url, body=None, headers=None, method=None):
    """The status, and the JSON where it was done."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
    data = json.dumps(body).encode() if isinstance(body, dict) else data
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refused:
        assert isinstance(body, (bytes, str)), refused.read().decode()
        return refused.code, None

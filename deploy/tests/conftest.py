"""What is packaged is tried as its owner would: installed, started, paid with, removed."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from machine import Machine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary():
    """The release binary that is packaged."""
    binary = os.environ.get("SUANPAN_BIN")
    assert binary, "set SUANPAN_BIN to the suanpan binary (scripts/check packaging does)"
    return binary


@pytest.fixture(scope="session")
def simulator(binary, tmp_path_factory):
    """A WeChat on this machine, and in `config` a backend that talks to it."""
    data = tmp_path_factory.mktemp("simulator")
    with Program([binary, "simulator", "--listen", "127.0.0.1:0", "--data", str(data)]) as program:
        yield Simulator(program.ready["url"], data)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A machine of its own that has booted systemd, over a copy of this one's files that is thrown away."""
    with Machine(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


class Program:
    """A program of ours that says on its first line that it is ready."""

    def __init__(self, command, **how):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, **how)

    def __enter__(self):
        line = self._process.stdout.readline()
        assert line, f"it ended with {self._process.wait(timeout=20)} before it was ready"
        self.ready = json.loads(line)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self.exit = self._process.wait(timeout=30)


class Simulator:
    """The payer's side, and what the merchant has from WeChat."""

    def __init__(self, url, data):
        self.url, self.data = url, data
        self.config = (data / "suanpan.toml").read_text()
        self._app = json.loads((data / "credentials.json").read_text())["merchants"][0]["apps"][0]

    def pays(self, backend, api_key, reference):
        """One payment from the order to its end; the order as it is then."""
        key = {"Authorization": f"Bearer {api_key}"}
        bought = {"reference": reference, "amount": 990, "description": "龙井一杯"}
        order = call(f"{backend}/v1/orders", bought, key)["id"]
        code = call(f"{self.url}/_sim/login", {"appid": self._app, "user": "alice"})["code"]
        signed = call(f"{backend}/miniprogram/pay", {"code": code, "orderId": order})
        payer = {"user": "alice", "appId": self._app, "outcome": "pay"}
        said = call(f"{self.url}/_sim/request-payment", {**payer, **signed})
        assert said == {"errMsg": "requestPayment:ok"}, said
        return call(f"{backend}/miniprogram/orders/{order}/confirm", {})


def is_read(binary, configuration):
    """Every name and value of it is known; the keys that it names need not be there."""
    database = f"sqlite:{configuration.with_name('read.db')}"
    command = [binary, "migrate", "--config", str(configuration), "--database", database]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def call(url, body=None, headers=None):
    """The JSON of an answer, which is not an error."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)

"""算盘的商户后端，只用标准库 / a merchant's backend beside Suanpan, with nothing but the standard library.

POST /buy      小程序来下单：价格和订单是我们的 / the mini program buys: price and order are ours
POST /webhook  算盘来说付款了：验签，只做一次 / Suanpan tells of the payment: verify, act once
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

SUANPAN, API_KEY = os.environ["SUANPAN_URL"], os.environ["SUANPAN_API_KEY"]
SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
PRICES = {"longjing": (990, "龙井一杯")}  # 分 / fen
TOLERANCE = 300  # 秒 / seconds

db = sqlite3.connect("shop.db")
db.execute("CREATE TABLE IF NOT EXISTS orders (reference TEXT PRIMARY KEY, tea TEXT, paid INTEGER DEFAULT 0)")
db.execute("CREATE TABLE IF NOT EXISTS handled (webhook_id TEXT PRIMARY KEY)")


def buy(tea: str) -> dict:
    """先记自己的订单，再向算盘下单 / our own order first, then Suanpan's."""
    amount, description = PRICES[tea]
    reference = uuid.uuid4().hex
    with db:
        db.execute("INSERT INTO orders (reference, tea) VALUES (?, ?)", (reference, tea))
    request = urllib.request.Request(
        f"{SUANPAN}/v1/orders",
        json.dumps({"reference": reference, "amount": amount, "description": description}).encode(),
        # 没有回答就用同一个 key 再发，不会下两单 / no answer: send it again with the same key, and there is still one order
        {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": reference, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {"orderId": json.load(answer)["id"]}


def verified(headers, body: bytes) -> bool:
    """Standard Webhooks：签的是原始字节 / what is signed is the bytes as they came."""
    identity, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    signed = f"{identity}.{timestamp}.".encode() + body
    ours = b"v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest())
    # 换密钥的那一天有两个签名 / on the day after a rotation there are two
    theirs = headers.get("webhook-signature", "").encode().split()
    return any([hmac.compare_digest(ours, each) for each in theirs])


def handle(webhook_id: str, event: dict) -> None:
    """记下编号和发货是同一个事务 / to remember the id and to act are one transaction."""
    with db:
        if db.execute("INSERT OR IGNORE INTO handled VALUES (?)", (webhook_id,)).rowcount == 0:
            return
        if event["type"] == "order.paid":
            order = event["data"]
            db.execute("UPDATE orders SET paid = 1 WHERE reference = ?", (order["reference"],))
            print(f"paid {order['id']} {order['amount']}", flush=True)


class Shop(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/buy":
            self.answer(200, buy(json.loads(body)["tea"]))
        elif self.path == "/webhook" and verified(self.headers, body):
            handle(self.headers["webhook-id"], json.loads(body))
            self.answer(200, {})
        else:
            self.answer(401 if self.path == "/webhook" else 404, {})

    def answer(self, status: int, value: dict):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Shop)
print("listening", flush=True)
server.serve_forever()

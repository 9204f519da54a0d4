#!/usr/bin/env python3
"""Makes mistakes.json: signatures that are wrong on purpose, each with the name of its mistake.

Made with Python's hashlib and hmac and with `cryptography` (OpenSSL), from the words of WeChat's documentation;
none of the code that searches for mistakes is used here. The keys are the public, worthless ones of this folder.

    python3 mistakes.py > mistakes.json
"""

import base64
import hashlib
import hmac
import html
import itertools
import json
import pathlib
import sys
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

HERE = pathlib.Path(__file__).parent
V2 = "8934e7d15453e97507Ef794cf7b0519d"
OTHER_V2 = "192006250b4c09247ec02edce69f6a2d"
V3 = "ThrowawayApiV3Key0123456789abcde"
APP_SECRET = "8f5e1c0a2b3d4f60718293a4b5c6d7e8"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_WHSEC = "whsec_dGhpcyBpcyBhbm90aGVyIHNlY3JldCBvZiAzMiBieXQ="
APP, OTHER_APP = "wx8888888888888888", "wx2421b1c4370ec43b"
MCHID = "1900000109"


def key(name):
    return load_pem_private_key((HERE / f"{name}.key.pem").read_bytes(), None)


MERCHANT, OTHER_MERCHANT, PLATFORM, OTHER_PLATFORM = map(
    key, ["merchant-1", "merchant-2", "platform-1", "platform-2"]
)
STRANGER = key("openssl")
cases = []


def case(want, message, given):
    """`want`: the ids, in any order; none where nothing can be known."""
    want = want.split()
    number = sum(one["want"] == want for one in cases)
    name = "+".join(want) or "nothing"
    cases.append({"id": f"{message['kind']}:{name}:{number}", "message": message, "given": given, "want": want})


# --- APIv2 -----------------------------------------------------------------

ORDER = [
    ("appid", APP), ("mch_id", MCHID), ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
    ("body", "龙井茶 & <礼盒> 'A'"), ("attach", "shop=1 floor/2 "), ("detail", ""), ("device_info", "WEB"),
    ("out_trade_no", "order_20261124_0001"), ("total_fee", "990"), ("spbill_create_ip", "203.0.113.7"),
    ("notify_url", "https://pay.example.com/wechat/notify/1900000109"), ("trade_type", "JSAPI"),
    ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), ("mcha", "x"),
]


def v2(fields=ORDER, sign_type="MD5"):
    return {"kind": "fields", "fields": [list(pair) for pair in fields], "sign_type": sign_type}


def joined(fields, sort=lambda pair: pair[0].encode(), keep_empty=False, eq="=", amp="&"):
    fields = [pair for pair in fields if keep_empty or pair[1] != ""]
    fields = sorted(fields, key=sort) if sort else fields
    return amp.join(f"{name}{eq}{value}" for name, value in fields)


def md5(text):
    return hashlib.md5(text if isinstance(text, bytes) else text.encode()).hexdigest().upper()


def mac(text, secret=V2):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def with_key(text, secret=V2):
    return f"{text}&key={secret}"


def changed(edit, only=None):
    return [(name, edit(value) if only in (None, name) else value) for name, value in ORDER]


def camel(name):
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


RIGHT = with_key(joined(ORDER))
V2_CASES = [
    ("pairs.key-missing", joined(ORDER)),
    ("pairs.key-bare", joined(ORDER) + V2),
    ("pairs.key-word", joined(ORDER) + "&KEY=" + V2),
    ("pairs.key-word", joined(ORDER) + "&apikey=" + V2),
    ("pairs.key-among", joined(ORDER + [("key", V2)])),
    ("pairs.key-before", f"key={V2}&{joined(ORDER)}"),
    ("key.api-v3", with_key(joined(ORDER), V3)),
    ("key.other", with_key(joined(ORDER), OTHER_V2)),
    ("key.app-secret", with_key(joined(ORDER), APP_SECRET)),
    ("key.newline", with_key(joined(ORDER), V2 + "\n")),
    ("key.crlf", with_key(joined(ORDER), V2 + "\r\n")),
    ("key.quotes", with_key(joined(ORDER), f'"{V2}"')),
    ("key.bom", with_key(joined(ORDER), "\ufeff" + V2)),
    ("key.upper", with_key(joined(ORDER), V2.upper())),
    ("key.lower", with_key(joined(ORDER), V2.lower())),
    ("key.empty", with_key(joined(ORDER), "")),
    ("key.null", with_key(joined(ORDER), "undefined")),
    ("pairs.unsigned", with_key(joined([pair for pair in ORDER if pair[0] != "device_info"]))),
    ("pairs.unsigned", with_key(joined([pair for pair in ORDER if pair[0] != "openid"]))),
    ("pairs.empty", with_key(joined(ORDER, keep_empty=True))),
    ("pairs.null", with_key(joined([(n, v or "null") for n, v in ORDER]))),
    ("pairs.sign-in", with_key(joined([pair for pair in ORDER if pair[1]] + [("sign", "")], keep_empty=True))),
    ("pairs.added", with_key(joined(ORDER + [("sign_type", "MD5")]))),
    ("pairs.renamed", with_key(joined([("appId" if n == "appid" else n, v) for n, v in ORDER]))),
    ("pairs.order-sent", with_key(joined(ORDER, sort=None))),
    ("pairs.order-locale", with_key(joined(ORDER, sort=lambda pair: pair[0].replace("_", "")))),
    ("pairs.order-backwards", with_key("&".join(sorted((f"{n}={v}" for n, v in ORDER if v), reverse=True)))),
    ("pairs.url", with_key(joined(changed(lambda value: urllib.parse.quote(value, safe=""))))),
    ("pairs.url", with_key(joined(changed(urllib.parse.quote_plus)))),
    ("pairs.url-one", with_key(joined(changed(lambda value: urllib.parse.quote(value, safe=""), "notify_url")))),
    ("pairs.xml", with_key(joined(changed(lambda value: html.escape(value, quote=False))))),
    ("pairs.html", with_key(joined(changed(lambda value: html.escape(value).replace("&#x27;", "&#39;"))))),
    ("pairs.cdata", with_key(joined([(n, f"<![CDATA[{v}]]>") for n, v in ORDER if v]))),
    ("pairs.trimmed", with_key(joined(changed(str.strip)))),
    ("pairs.float", with_key(joined(changed(lambda value: value + ".0", "total_fee")))),
    ("pairs.yuan", with_key(joined(changed(lambda value: "9.9", "total_fee")))),
    ("pairs.escaped", with_key(joined(changed(lambda value: json.dumps(value)[1:-1])))),
    ("pairs.slashes", with_key(joined(changed(lambda value: value.replace("/", "\\/"))))),
    ("pairs.no-and", joined(ORDER, amp="") + "&key=" + V2),
    ("pairs.no-equals", with_key(joined(ORDER, eq=""))),
    ("pairs.quoted", with_key(joined([(n, f'"{v}"') for n, v in ORDER if v]))),
    ("text.gbk", RIGHT.encode("gbk")),
    ("text.mojibake", RIGHT.encode().decode("latin-1")),
    ("text.ascii", RIGHT.encode("ascii", "replace")),
    ("text.lower", RIGHT.lower()),
    ("text.bom", "\ufeff" + RIGHT),
    ("text.and", joined(ORDER) + "&&key=" + V2),
    ("key.blank", with_key(joined(ORDER), V2 + " ")),
    ("key.blank-before", with_key(joined(ORDER), " " + V2)),
    ("key.base64", with_key(joined(ORDER), base64.b64encode(V2.encode()).decode())),
    ("pairs.names-camel", with_key(joined([(camel(n), v) for n, v in ORDER]))),
    ("pairs.no-blanks", with_key(joined(changed(lambda value: value.replace(" ", ""))))),
    ("pairs.values", "&".join(v for _, v in sorted(ORDER) if v) + "&key=" + V2),
    ("pairs.comma", joined(ORDER, amp=",") + "&key=" + V2),
    ("text.utf16", RIGHT.encode("utf-16-le")),
    ("text.upper", RIGHT.upper()),
    ("text.url", urllib.parse.quote(RIGHT, safe="")),
    ("text.base64", base64.b64encode(RIGHT.encode())),
    ("digest.twice", hashlib.md5(RIGHT.encode()).hexdigest()),
]
for want, text in V2_CASES:
    case(want, v2(), md5(text))
case("form.case", v2(), md5(RIGHT).lower())
case("form.blanks", v2(), f' "{md5(RIGHT)}"')
ESCAPED = [(n, v.replace("&", "%26") if n == "body" else v) for n, v in ORDER]
case("pairs.url-decoded", v2(ESCAPED), md5(RIGHT))
case("form.half", v2(), md5(RIGHT)[8:24])
case("form.base64", v2(), base64.b64encode(hashlib.md5(RIGHT.encode()).digest()).decode())
case("form.case pairs.order-sent", v2(), md5(with_key(joined(ORDER, sort=None))).lower())
case("digest.hmac", v2(), mac(RIGHT))
case("digest.sha256 form.case", v2(), hashlib.sha256(RIGHT.encode()).hexdigest())
case("digest.sha1 form.case", v2(), hashlib.sha1(RIGHT.encode()).hexdigest())
HMAC = ORDER + [("sign_type", "HMAC-SHA256")]
HMAC_RIGHT = with_key(joined(HMAC))
case("digest.md5", v2(HMAC, "HMAC-SHA256"), md5(HMAC_RIGHT))
case("pairs.key-missing", v2(HMAC, "HMAC-SHA256"), mac(joined(HMAC)))
case("text.feed", v2(HMAC, "HMAC-SHA256"), mac(HMAC_RIGHT + "\n"))
case("key.mac-empty", v2(HMAC, "HMAC-SHA256"), mac(HMAC_RIGHT, ""))
case("digest.sha256", v2(HMAC, "HMAC-SHA256"), hashlib.sha256(HMAC_RIGHT.encode()).hexdigest().upper())
case("pairs.unsigned", v2(HMAC, "HMAC-SHA256"), mac(RIGHT))
case("key.mac-hashed", v2(HMAC, "HMAC-SHA256"), mac(HMAC_RIGHT, md5(V2)))
case("text.blank", v2(HMAC, "HMAC-SHA256"), mac(HMAC_RIGHT + " "))
# Two at once.
case("pairs.empty pairs.order-sent", v2(), md5(with_key(joined(ORDER, sort=None, keep_empty=True))))
case("key.newline pairs.trimmed", v2(), md5(with_key(joined(changed(str.strip)), V2 + "\n")))
case("pairs.unsigned pairs.unsigned", v2(), md5(with_key(joined(
    [pair for pair in ORDER if pair[0] not in ("openid", "attach")]))))
case("digest.hmac pairs.key-missing", v2(), mac(joined(ORDER)))
case("key.api-v3 pairs.empty", v2(), md5(with_key(joined(ORDER, keep_empty=True), V3)))
case("pairs.url pairs.empty", v2(), md5(with_key(joined(
    [(n, urllib.parse.quote(v, safe="")) for n, v in ORDER], keep_empty=True))))
# What nobody can know.
case("", v2(), md5(with_key(joined(ORDER), "0" * 32)))
case("", v2(), md5(with_key(joined(changed(lambda value: "another nonce", "nonce_str")))))
case("", v2(), "not a signature")


# --- RSA -------------------------------------------------------------------

def rsa(text, private=MERCHANT, digest=hashes.SHA256(), pad=None):
    text = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(private.sign(text, pad or padding.PKCS1v15(), digest)).decode()


def raw_rsa(inner, private=MERCHANT):
    """The private key on a padded text, without DigestInfo."""
    numbers = private.private_numbers()
    size = private.key_size // 8
    block = b"\x00\x01" + b"\xff" * (size - 3 - len(inner)) + b"\x00" + inner
    made = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return base64.b64encode(made.to_bytes(size, "big")).decode()


case("rsa.for-v2", v2(), rsa(joined(ORDER)))

BODY = json.dumps(
    {"appid": APP, "mchid": MCHID, "description": "龙井茶 & 礼盒", "out_trade_no": "order_20261124_0001",
     "notify_url": "https://pay.example.com/wechat/notify/1900000109", "attach": "", "amount": {"total": 990, "currency": "CNY"},
     "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}},
    ensure_ascii=False, separators=(",", ":"))
TIME, NONCE = "1764000010", "593BEC0C930BF1AFEB40B4A08C8FB242"


def compact(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


JSAPI = "/v3/pay/transactions/jsapi"
QUERY = "/v3/pay/transactions/out-trade-no/order%2F0001?mchid=1900000109&a=1"


def request(method="POST", url=JSAPI, body=BODY, time=TIME):
    return {"kind": "request", "method": method, "url": url, "host": "pay-proxy.example.com", "timestamp": time,
            "nonce": NONCE, "body": body}


def lines(*parts, end="\n", last=True):
    return end.join(parts) + (end if last else "")


def post(method="POST", url=JSAPI, time=TIME, nonce=NONCE, body=BODY):
    return lines(method, url, time, nonce, body)


def get(method="GET", url=QUERY, time=TIME, nonce=NONCE, body=""):
    return lines(method, url, time, nonce, body)


members = json.loads(BODY)
SPACED, ESCAPED_BODY = json.dumps(members, ensure_ascii=False), json.dumps(members, separators=(",", ":"))
FORM = "&".join(f"{n}={compact(members[n])}" for n in sorted(members))
REQUEST_CASES = [
    ("lines.last-feed", post()[:-1]),
    ("lines.crlf", post().replace("\n", "\r\n")),
    ("lines.literal", post().replace("\n", "\\n")),
    ("lines.joined", lines("POST", JSAPI, TIME, NONCE, BODY, end="&", last=False)),
    ("lines.order", lines("POST", JSAPI, NONCE, TIME, BODY)),
    ("lines.order", lines(TIME, NONCE, "POST", JSAPI, BODY)),
    ("lines.blank", post(body="")),
    ("lines.left-out", lines("POST", JSAPI, TIME, NONCE)),
    ("lines.cr", post().replace("\n", "\r")),
    ("lines.run-on", lines("POST", JSAPI, TIME, NONCE, BODY, end="", last=False)),
    ("lines.names", f"method=POST\nurl={JSAPI}\ntimestamp={TIME}\nnonce_str={NONCE}\nbody={BODY}\n"),
    ("lines.trailing", post().replace("\n", " \n")),
    ("request.no-slash", post(url=JSAPI[1:])),
    ("time.float", post(time=TIME + ".0")),
    ("body.form", post(body=FORM)),
    ("body.no-null", post(body=json.dumps(
        {n: v for n, v in members.items() if v != ""}, ensure_ascii=False, separators=(",", ":"), sort_keys=True))),
    ("lines.scheme", "WECHATPAY2-SHA256-RSA2048\n" + post()),
    ("request.method-lower", post("post")),
    ("request.host", post(url="https://pay-proxy.example.com" + JSAPI)),
    ("request.wechat-host", post(url="https://api.mch.weixin.qq.com" + JSAPI)),
    ("request.no-prefix", post(url=JSAPI[3:])),
    ("request.slash", post(url=JSAPI + "/")),
    ("request.as-answer", lines(TIME, NONCE, BODY)),
    ("request.nonce-case", post(nonce=NONCE.lower())),
    ("time.milliseconds", post(time=TIME + "417")),
    ("time.twice", post(time=str(int(TIME) - 3))),
    ("body.spaced", post(body=json.dumps(members, ensure_ascii=False))),
    ("body.escaped", post(body=json.dumps(members))),
    ("body.escaped", post(body=json.dumps(members, separators=(",", ":")))),
    ("body.slashes", post(body=json.dumps(members, separators=(",", ":")).replace("/", "\\/"))),
    ("body.html", post(body=BODY.replace("&", "\\u0026"))),
    ("body.sorted", post(body=json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True))),
    ("body.pretty", post(body=json.dumps(members, ensure_ascii=False, indent=2))),
    ("body.feed", post(body=BODY + "\n")),
    ("body.hash", post(body=hashlib.sha256(BODY.encode()).hexdigest())),
    ("text.gbk", post().encode("gbk")),
]
for want, text in REQUEST_CASES:
    case(want, request(), rsa(text))
GET_CASES = [
    ("request.query", get(url=QUERY.split("?")[0])),
    ("request.query-order", get(url=QUERY.split("?")[0] + "?a=1&mchid=1900000109")),
    ("request.query-body", get(url=QUERY.split("?")[0], body=QUERY.split("?")[1])),
    ("request.decoded", get(url=urllib.parse.unquote(QUERY))),
    ("request.escape-case", get(url=QUERY.replace("%2F", "%2f"))),
    ("request.method", get("POST")),
    ("body.other", get(body="{}")),
    ("lines.left-out", lines("GET", QUERY, TIME, NONCE)),
    # The empty line of the body is gone, or the feed that ends it: the same bytes.
    ("lines.left-out request.query", get(url=QUERY.split("?")[0])[:-1]),
]
for want, text in GET_CASES:
    case(want, request("GET", QUERY, ""), rsa(text))
case("request.query-mark", request("GET", "/v3/certificates", ""), rsa(get(url="/v3/certificates?")))
case("request.encoded", request("GET", QUERY, ""), rsa(get(url=urllib.parse.quote(QUERY, safe="/?=&"))))
case("body.compact", request(body=SPACED), rsa(post()))
case("body.unescaped", request(body=ESCAPED_BODY), rsa(post()))
case("body.trimmed", request(body=BODY + "\n"), rsa(post()))
case("body.crlf", request(body=json.dumps(members, indent=1)), rsa(post(body=json.dumps(members, indent=1).replace("\n", "\r\n"))))
case("form.base64-of-hex", request(), base64.b64encode(base64.b64decode(rsa(post())).hex().encode()).decode())
case("time.seconds", request(time=TIME + "417"), rsa(post()))
case("rsa.sha1", request(), rsa(post(), digest=hashes.SHA1()))
case("rsa.md5", request(), rsa(post(), digest=hashes.MD5()))
case("rsa.pss", request(), rsa(post(), pad=padding.PSS(padding.MGF1(hashes.SHA256()), 32)))
case("rsa.bare", request(), raw_rsa(hashlib.sha256(post().encode()).digest()))
case("rsa.only-hash", request(), hashlib.sha256(post().encode()).hexdigest())
case("digest.twice", request(), rsa(hashlib.sha256(post().encode()).hexdigest()))
case("rsa.other-merchant", request(), rsa(post(), OTHER_MERCHANT))
case("rsa.platform-for-merchant", request(), rsa(post(), PLATFORM))
case("rsa.unknown-key", request(), rsa(post(), STRANGER))
case("rsa.other-merchant lines.last-feed", request(), rsa(post()[:-1], OTHER_MERCHANT))
case("form.url", request(), urllib.parse.quote(rsa(post()), safe=""))
case("form.plus", request(), rsa(post()).replace("+", " "))
case("form.lines", request(), base64.encodebytes(base64.b64decode(rsa(post()))).decode())
case("form.base64url", request(), rsa(post()).replace("+", "-").replace("/", "_"))
case("form.padding", request(), rsa(post()).rstrip("="))
case("form.twice", request(), base64.b64encode(rsa(post()).encode()).decode())
case("form.hex", request(), base64.b64decode(rsa(post())).hex())
case("body.spaced lines.last-feed", request(), rsa(post(body=json.dumps(members, ensure_ascii=False))[:-1]))
case("body.escaped request.wechat-host", request(), rsa(post(
    url="https://api.mch.weixin.qq.com" + JSAPI, body=json.dumps(members))))
case("", request(), rsa(post(nonce="another")))
case("", request(), rsa(post(body=BODY.replace("990", "991"))))


# --- answers and notifications ---------------------------------------------

def answer(body):
    return {"kind": "answer", "timestamp": TIME, "nonce": NONCE, "body": body}


TOLD = json.dumps(
    {"id": "EV-1", "create_time": "2026-11-24T10:00:00+08:00", "resource_type": "encrypt-resource",
     "summary": "支付成功", "resource": {"algorithm": "AEAD_AES_256_GCM", "ciphertext": "AA/BB+=="}},
    ensure_ascii=False, separators=(",", ":"))
TOLD_TEXT = lines(TIME, NONCE, TOLD)
told = json.loads(TOLD)
case("kept.rewritten", answer(json.dumps(told, ensure_ascii=False)), rsa(TOLD_TEXT, PLATFORM))
case("kept.rewritten", answer(json.dumps(told)), rsa(TOLD_TEXT, PLATFORM))
case("kept.feed", answer(TOLD + "\n"), rsa(TOLD_TEXT, PLATFORM))
case("kept.trimmed", answer(TOLD), rsa(lines(TIME, NONCE, TOLD + "\n"), PLATFORM))
PRETTY = json.dumps(told, ensure_ascii=False, indent=1)
case("kept.crlf", answer(PRETTY), rsa(lines(TIME, NONCE, PRETTY.replace("\n", "\r\n")), PLATFORM))
case("lines.blank", answer('{"code":"X"}'), rsa(lines(TIME, NONCE, ""), PLATFORM))
case("rsa.other-platform", answer(TOLD), rsa(TOLD_TEXT, OTHER_PLATFORM))
case("rsa.unknown-platform", answer(TOLD), rsa(TOLD_TEXT, STRANGER))
case("rsa.merchant-for-platform", answer(TOLD), rsa(TOLD_TEXT, MERCHANT))
case("", answer(TOLD.replace("EV-1", "EV-2")), rsa(TOLD_TEXT, PLATFORM))


# --- the second sign -------------------------------------------------------

PREPAY = "wx201410272009395522657a690389285100"


def payment(sign_type, package="prepay_id=" + PREPAY, time=TIME):
    return {"kind": "payment", "app_id": APP, "time_stamp": time, "nonce_str": NONCE, "package": package,
            "sign_type": sign_type}


def five(**other):
    fields = {"appId": APP, "timeStamp": TIME, "nonceStr": NONCE, "package": "prepay_id=" + PREPAY, "signType": "MD5"}
    return {**fields, **other}


def renamed(fields, old, new):
    return {new if name == old else name: value for name, value in fields.items()}


def second(fields, secret=V2):
    return md5(with_key(joined(list(fields.items())), secret))


case("payment.bare", payment("MD5"), second(five(package=PREPAY)))
case("payment.prefix-twice", payment("MD5"), second(five(package="prepay_id=prepay_id=" + PREPAY)))
case("payment.package-app", payment("MD5"), second(five(package="Sign=WXPay")))
case("pairs.order-case", v2(ORDER + [("Zone", "8")]), md5(with_key(joined(ORDER + [("Zone", "8")], sort=lambda pair: pair[0].lower()))))
case("pairs.renamed", payment("MD5"), second(renamed(five(), "appId", "appid")))
case("pairs.renamed", payment("MD5"), second(renamed(five(), "timeStamp", "timestamp")))
case("pairs.renamed", payment("MD5"), second(renamed(five(), "package", "prepay_id")))
case("pairs.names-lower", payment("MD5"), second({n.lower(): v for n, v in five().items()}))
case("pairs.unsigned", payment("MD5"), second({n: v for n, v in five().items() if n != "signType"}))
case("pairs.unsigned", payment("MD5"), second({n: v for n, v in five().items() if n != "appId"}))
case("payment.app", payment("MD5"), second(five(appId=OTHER_APP)))
case("payment.sign-type", payment("MD5"), second(five(signType="RSA")))
case("time.milliseconds", payment("MD5"), second(five(timeStamp=TIME + "088")))
case("time.twice", payment("MD5"), second(five(timeStamp=str(int(TIME) + 1))))
case("payment.app-form", payment("MD5"), second(
    {"appid": APP, "partnerid": MCHID, "prepayid": PREPAY, "package": "Sign=WXPay", "noncestr": NONCE, "timestamp": TIME}))
case("key.api-v3", payment("MD5"), second(five(), V3))
case("form.case", payment("MD5"), second(five()).lower())
case("digest.hmac", payment("MD5"), mac(with_key(joined(list(five().items())))))
case("pairs.key-missing", payment("MD5"), md5(joined(list(five().items()))))
case("rsa.for-v2", payment("MD5"), rsa(joined(list(five().items()))))
case("payment.bare pairs.renamed", payment("MD5"), second(renamed(five(package=PREPAY), "nonceStr", "noncestr")))
FOUR = lines(APP, TIME, NONCE, "prepay_id=" + PREPAY)
case("payment.bare", payment("RSA"), rsa(lines(APP, TIME, NONCE, PREPAY)))
case("lines.last-feed", payment("RSA"), rsa(FOUR[:-1]))
case("payment.app", payment("RSA"), rsa(FOUR.replace(APP, OTHER_APP)))
case("lines.more-feed", payment("RSA"), rsa(FOUR + "\n"))
case("payment.sign-type-line", payment("RSA"), rsa(FOUR + "RSA\n"))
case("payment.app-empty", payment("RSA"), rsa(lines("", TIME, NONCE, "prepay_id=" + PREPAY)))
case("payment.v2-way", payment("RSA"), rsa(joined(list(five(signType="RSA").items()))))
case("v2.for-rsa", payment("RSA"), second(five(signType="RSA")))
case("v2.for-rsa payment.sign-type", payment("RSA"), second(five()))
case("lines.order", payment("RSA"), rsa(lines(APP, NONCE, TIME, "prepay_id=" + PREPAY)))
case("rsa.other-merchant", payment("RSA"), rsa(FOUR, OTHER_MERCHANT))


# --- webhooks --------------------------------------------------------------

HOOK = '{"type":"order.paid","timestamp":"2026-11-24T10:00:00Z","data":{"id":"ord_1","description":"龙井茶"}}'


def webhook(body=HOOK):
    return {"kind": "webhook", "id": "evt_1", "timestamp": TIME, "body": body}


def hook(text=f"evt_1.{TIME}.{HOOK}", secret=None):
    secret = secret or base64.b64decode(WHSEC[6:])
    return "v1," + base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()


case("hook.secret-text", webhook(), hook(secret=WHSEC[6:].encode()))
case("hook.secret-whole", webhook(), hook(secret=WHSEC.encode()))
case("hook.other", webhook(), hook(secret=base64.b64decode(OTHER_WHSEC[6:])))
case("kept.rewritten", webhook(json.dumps(json.loads(HOOK))), hook())
case("lines.left-out", webhook(), hook(f"{TIME}.{HOOK}"))
case("form.version", webhook(), hook()[3:])
case("form.version form.hex", webhook(), base64.b64decode(hook()[3:]).hex())
case("", webhook(), hook(f"evt_2.{TIME}.{HOOK}"))

seen = [one["id"] for one in cases]
assert len(seen) == len(set(seen)), "an id stands there twice"
right = {
    "fields": (v2(), md5(RIGHT)),
    "fields-hmac": (v2(HMAC, "HMAC-SHA256"), mac(HMAC_RIGHT)),
    "request": (request(), rsa(post())),
    "request-get": (request("GET", QUERY, ""), rsa(get())),
    "answer": (answer(TOLD), rsa(TOLD_TEXT, PLATFORM)),
    "payment": (payment("MD5"), second(five())),
    "payment-rsa": (payment("RSA"), rsa(FOUR)),
    "webhook": (webhook(), hook()),
}
for one in cases:
    if (one["message"], one["given"]) in right.values():
        sys.exit(f"{one['id']} is right")
for one, other in itertools.combinations(cases, 2):
    if one["given"] == other["given"] and one["message"] == other["message"]:
        sys.exit(f"{one['id']} and {other['id']} are the same bytes")
json.dump(
    {
        "about": "Wrong signatures and their mistakes. Made by mistakes.py beside it, with hashlib, hmac and cryptography.",
        "keys": {"api_v2": V2, "other_api_v2": OTHER_V2, "api_v3": V3, "app_secret": APP_SECRET, "webhook": WHSEC,
                 "other_webhook": OTHER_WHSEC, "app": APP, "other_app": OTHER_APP},
        "right": [{"id": name, "message": message, "given": given} for name, (message, given) in right.items()],
        "cases": cases,
    },
    sys.stdout, ensure_ascii=False, indent=1)
print()

"""PyPI wechatpayv3 against the simulator: APIv3. It verifies each answer by itself."""

import json
import time
import uuid

import pytest
import wechatpayv3.core
from wechatpayv3 import WeChatPay, WeChatPayType

from conftest import ATTACH, DESCRIPTION


@pytest.fixture(autouse=True)
def gateway(world, monkeypatch):
    """Leads the SDK to the simulator: its constructor writes the gateway's URL and calls it at once."""
    url = property(lambda _: world.url, lambda *_: None)
    monkeypatch.setattr(wechatpayv3.core.Core, "_gate_way", url, raising=False)


def with_platform_certificates(world, merchant, **other):
    """The SDK of a merchant with platform certificates, which it downloads and opens by itself."""
    return WeChatPay(**common(world, merchant) | other)


def with_public_key(world, merchant, **other):
    """The SDK of a merchant with a WeChat Pay public key."""
    keys = {"public_key": merchant.public_key, "public_key_id": merchant.public_key_id}
    return WeChatPay(**common(world, merchant) | keys | other)


def merchant_for(world, sdk):
    """A merchant whose keys the SDK's mode can verify: notifications follow the merchant's mode."""
    if sdk is with_public_key:
        return next(each for each in world.merchants if each.public_key_id)
    return next(each for each in world.merchants if not each.mode.startswith("pub"))


def common(world, merchant):
    return {
        "wechatpay_type": WeChatPayType.MINIPROG,
        "mchid": merchant.mchid,
        "private_key": merchant.private_key,
        "cert_serial_no": merchant.serial,
        "appid": merchant.appid,
        "apiv3_key": merchant.api_v3_key,
        "notify_url": world.notify_url,
    }


@pytest.mark.parametrize("sdk", [with_platform_certificates, with_public_key])
def test_walks_a_payment(world, sdk):
    merchant = merchant_for(world, sdk)
    pay = sdk(world, merchant)
    out_trade_no = world.order_number()

    status, answer = pay.pay(
        description=DESCRIPTION,
        out_trade_no=out_trade_no,
        attach=ATTACH,
        amount={"total": 990, "currency": "CNY"},
        payer={"openid": world.openid(merchant)},
    )
    assert status == 200, answer
    params = {
        "timeStamp": str(int(time.time())),
        "nonceStr": uuid.uuid4().hex,
        "package": f"prepay_id={json.loads(answer)['prepay_id']}",
        "signType": "RSA",
    }
    params["paySign"] = pay.sign([merchant.appid, params["timeStamp"], params["nonceStr"], params["package"]])
    assert world.pays(merchant.appid, params)["errMsg"] == "requestPayment:ok"

    notification = world.notification()
    # One changed byte, and the SDK refuses it.
    forged = notification.body.replace(b"encrypt-resource", b"encrypt-resourcE")
    assert pay.callback(notification.headers, forged) is None
    heard = pay.callback(notification.headers, notification.body)
    assert heard["event_type"] == "TRANSACTION.SUCCESS"
    transaction = heard["resource"]
    assert transaction["out_trade_no"] == out_trade_no
    assert transaction["trade_state"] == "SUCCESS"
    assert transaction["amount"]["total"] == 990
    assert transaction["attach"] == ATTACH
    notification.answer(200, "application/json", json.dumps({"code": "SUCCESS", "message": "成功"}))
    world.acknowledged(out_trade_no)

    status, answer = pay.query(out_trade_no=out_trade_no)
    assert status == 200, answer
    assert json.loads(answer) == transaction
    status, answer = pay.query(transaction_id=transaction["transaction_id"])
    assert status == 200, answer

    out_refund_no = world.order_number()
    status, answer = pay.refund(
        out_refund_no,
        {"refund": 490, "total": 990, "currency": "CNY"},
        out_trade_no=out_trade_no,
        reason=DESCRIPTION,
        notify_url=world.notify_url,
    )
    assert status == 200, answer
    assert json.loads(answer)["status"] == "PROCESSING"
    notification = world.notification()
    heard = pay.callback(notification.headers, notification.body)
    assert heard["event_type"] == "REFUND.SUCCESS"
    refund = heard["resource"]
    assert refund["out_refund_no"] == out_refund_no
    assert refund["amount"]["refund"] == 490
    notification.answer(200, "application/json", json.dumps({"code": "SUCCESS", "message": "成功"}))

    status, answer = pay.query_refund(out_refund_no)
    assert status == 200, answer
    stands = json.loads(answer)
    assert (stands["status"], stands["refund_id"]) == ("SUCCESS", refund["refund_id"])


@pytest.mark.parametrize("sdk", [with_platform_certificates, with_public_key])
def test_closes_an_order(world, sdk):
    merchant = merchant_for(world, sdk)
    pay = sdk(world, merchant)
    out_trade_no = world.order_number()
    payer = {"openid": world.openid(merchant)}
    status, answer = pay.pay(DESCRIPTION, out_trade_no, {"total": 1}, payer=payer)
    assert status == 200, answer

    # The empty answer has a signature too, and the SDK verifies it.
    status, answer = pay.close(out_trade_no)
    assert status == 204, answer
    status, answer = pay.query(out_trade_no=out_trade_no)
    assert json.loads(answer)["trade_state"] == "CLOSED"


def test_is_refused_with_another_key(world):
    merchant, other, *_ = world.merchants
    pay = with_public_key(world, merchant, private_key=other.private_key)
    out_trade_no = world.order_number()
    payer = {"openid": world.openid(merchant)}

    status, answer = pay.pay(DESCRIPTION, out_trade_no, {"total": 990}, payer=payer)

    assert status == 401, answer
    assert json.loads(answer)["code"] == "SIGN_ERROR"

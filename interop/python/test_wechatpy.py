"""PyPI wechatpy against the simulator: APIv2."""

import pytest
from wechatpy.exceptions import InvalidSignatureException, WeChatPayException
from wechatpy.pay import WeChatPay
from wechatpy.pay.utils import calculate_signature_hmac

from conftest import ATTACH, DESCRIPTION


@pytest.fixture
def merchant(world):
    return world.merchants[-1]


def sdk(world, merchant, api_key=None):
    pay = WeChatPay(merchant.appid, api_key or merchant.api_v2_key, merchant.mchid)
    pay.API_BASE_URL = f"{world.url}/"
    return pay


def create(world, merchant, pay, out_trade_no, **other):
    return pay.order.create(
        trade_type="JSAPI",
        body=DESCRIPTION,
        attach=ATTACH,
        total_fee=990,
        notify_url=world.notify_url,
        client_ip="127.0.0.1",
        user_id=world.openid(merchant),
        out_trade_no=out_trade_no,
        **other,
    )


def test_walks_a_payment(world, merchant):
    pay = sdk(world, merchant)
    out_trade_no = world.order_number()

    placed = create(world, merchant, pay, out_trade_no)
    assert pay.check_signature(placed)
    params = pay.jsapi.get_jsapi_params(placed["prepay_id"])
    assert world.pays(merchant.appid, params)["errMsg"] == "requestPayment:ok"

    notification = world.notification()
    with pytest.raises(InvalidSignatureException):
        pay.parse_payment_result(notification.body.replace(b"990", b"099"))
    notice = pay.parse_payment_result(notification.body)
    assert notice["out_trade_no"] == out_trade_no
    assert notice["total_fee"] == 990
    assert notice["attach"] == ATTACH
    notification.answer(
        200, "text/xml", "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
    )
    world.acknowledged(out_trade_no)

    queried = pay.order.query(out_trade_no=out_trade_no)
    assert pay.check_signature(queried)
    assert queried["trade_state"] == "SUCCESS"
    assert queried["transaction_id"] == notice["transaction_id"]

    out_refund_no = world.order_number()
    asked = pay.refund.apply(
        990, 490, out_refund_no, out_trade_no=out_trade_no, refund_desc=DESCRIPTION, notify_url=world.notify_url
    )
    assert pay.check_signature(asked)
    notification = world.notification()
    told = pay.parse_refund_notify_result(notification.body)
    assert (told["out_refund_no"], told["refund_status"], told["refund_fee"]) == (out_refund_no, "SUCCESS", 490)
    notification.answer(
        200, "text/xml", "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
    )

    stands = pay.refund.query(out_refund_no=out_refund_no)
    assert pay.check_signature(stands)
    assert (stands["refund_status_0"], stands["refund_id_0"]) == ("SUCCESS", told["refund_id"])


def test_places_an_order_signed_with_hmac(world, merchant):
    placed = create(world, merchant, sdk(world, merchant), world.order_number(), sign_type="HMAC-SHA256")

    sign = placed.pop("sign")
    assert sign == calculate_signature_hmac(placed, merchant.api_v2_key)


def test_closes_an_order(world, merchant):
    pay = sdk(world, merchant)
    out_trade_no = world.order_number()
    create(world, merchant, pay, out_trade_no)

    assert pay.check_signature(pay.order.close(out_trade_no))
    assert pay.order.query(out_trade_no=out_trade_no)["trade_state"] == "CLOSED"


def test_is_refused_with_another_key(world, merchant):
    with pytest.raises(WeChatPayException, match="签名错误"):
        create(world, merchant, sdk(world, merchant, api_key="x" * 32), world.order_number())

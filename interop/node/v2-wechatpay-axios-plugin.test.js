// npm wechatpay-axios-plugin against the simulator: APIv2. It verifies each answer by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import wechatpay from 'wechatpay-axios-plugin';

import { ATTACH, DESCRIPTION, openWorld, orderNumber } from './world.js';

const { Wechatpay, Formatter, Hash, Transformer } = wechatpay;

let world;
before(async () => { world = await openWorld(); });
after(async () => { await world?.close(); });

function sdk(merchant, secret = merchant.api_v2_key) {
  return new Wechatpay({
    baseURL: `${world.url}/`,
    mchid: merchant.mchid,
    secret,
    // The constructor makes its APIv3 half too and wants these.
    serial: merchant.merchant_serial,
    privateKey: merchant.privateKey,
    certs: merchant.platformCertificates,
  });
}

async function order(merchant, outTradeNo, signType) {
  return {
    appid: merchant.appid,
    mch_id: merchant.mchid,
    body: DESCRIPTION,
    attach: ATTACH,
    out_trade_no: outTradeNo,
    total_fee: 990,
    spbill_create_ip: '127.0.0.1',
    notify_url: world.notifyUrl,
    trade_type: 'JSAPI',
    openid: await world.openid(merchant),
    ...(signType && { sign_type: signType }),
  };
}

/** One payment from order to query, signed with `signType`; `undefined` leaves it to WeChat: MD5. */
async function walk(signType) {
  const merchant = world.merchants.at(-1);
  const wxpay = sdk(merchant);
  const algorithm = signType ?? Hash.ALGO_MD5;
  const outTradeNo = orderNumber();
  const { data: placed } = await wxpay.v2.pay.unifiedorder.post(await order(merchant, outTradeNo, signType));
  assert.equal(placed.trade_type, 'JSAPI');

  const params = {
    appId: merchant.appid,
    timeStamp: `${Formatter.timestamp()}`,
    nonceStr: Formatter.nonce(),
    package: `prepay_id=${placed.prepay_id}`,
    signType: algorithm,
  };
  params.paySign = Hash.sign(algorithm, params, merchant.api_v2_key);
  const paid = await world.pays(merchant.appid, params);
  assert.equal(paid.errMsg, 'requestPayment:ok', JSON.stringify(paid));

  const notification = await world.notification();
  const notice = Transformer.toObject(notification.body);
  assert.ok(Hash.equals(Hash.sign(algorithm, notice, merchant.api_v2_key), notice.sign), notification.body);
  assert.equal(notice.result_code, 'SUCCESS');
  assert.equal(notice.out_trade_no, outTradeNo);
  assert.equal(notice.total_fee, '990');
  assert.equal(notice.attach, ATTACH);
  notification.answer(200, 'text/xml', Transformer.toXml({ return_code: 'SUCCESS', return_msg: 'OK' }));
  await world.acknowledged(outTradeNo);

  const { data: queried } = await wxpay.v2.pay.orderquery.post({
    appid: merchant.appid,
    mch_id: merchant.mchid,
    out_trade_no: outTradeNo,
    ...(signType && { sign_type: signType }),
  });
  assert.equal(queried.trade_state, 'SUCCESS');
  assert.equal(queried.transaction_id, notice.transaction_id);
  assert.equal(queried.attach, ATTACH);
}

test('walks a payment signed with MD5', () => walk());

test('walks a payment signed with HMAC-SHA256', () => walk(Hash.ALGO_HMAC_SHA256));

test('is refused with another key, and the log shows what was to be signed', async () => {
  const merchant = world.merchants.at(-1);
  const outTradeNo = orderNumber();

  await assert.rejects(
    sdk(merchant, 'x'.repeat(32)).v2.pay.unifiedorder.post(await order(merchant, outTradeNo)),
    ({ response }) => /return_code>.*FAIL[^]*签名错误/.test(response.data)
      || (response.data.return_code === 'FAIL' && /签名错误/.test(response.data.return_msg)),
  );
});

// npm wechatpay-node-v3 against the simulator: APIv3.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import WxPay from 'wechatpay-node-v3';

import { ATTACH, DESCRIPTION, openWorld, orderNumber } from './world.js';

let world;
before(async () => { world = await openWorld(); });
after(async () => { await world?.close(); });

/** The SDK as its README sets it up, with its requests led to the simulator. */
function sdk(merchant, privateKey = merchant.privateKey) {
  const pay = new WxPay({
    appid: merchant.appid,
    mchid: merchant.mchid,
    publicKey: Buffer.from(merchant.certificate),
    privateKey: Buffer.from(privateKey),
    key: merchant.api_v3_key,
  });
  // The host stands in each method; the SDK lets its HTTP service be replaced, so wrap its own.
  const inner = pay.httpService;
  const led = (url) => url.replace('https://api.mch.weixin.qq.com', world.url);
  pay.createHttp({
    get: (url, headers) => inner.get(led(url), headers),
    post: (url, params, headers) => inner.post(led(url), params, headers),
    upload: (url, params, headers) => inner.upload(led(url), params, headers),
  });
  return pay;
}

/** What the SDK verifies a notification by. */
function signed({ headers, body }, merchant) {
  const serial = headers['wechatpay-serial'];
  if (serial === merchant.wechatpay_public_key_id) {
    // As its README has it for merchants with a WeChat Pay public key.
    WxPay.certificates = { ...WxPay.certificates, [serial]: merchant.publicKey };
  }
  return {
    timestamp: headers['wechatpay-timestamp'],
    nonce: headers['wechatpay-nonce'],
    serial,
    signature: headers['wechatpay-signature'],
    body,
  };
}

test('places, signs, hears, queries and refunds a JSAPI order', async () => {
  const [merchant] = world.merchants;
  const pay = sdk(merchant);
  const outTradeNo = orderNumber();

  const placed = await pay.transactions_jsapi({
    description: DESCRIPTION,
    out_trade_no: outTradeNo,
    attach: ATTACH,
    notify_url: world.notifyUrl,
    amount: { total: 990, currency: 'CNY' },
    payer: { openid: await world.openid(merchant) },
  });
  assert.equal(placed.status, 200, JSON.stringify(placed));

  const paid = await world.pays(merchant.appid, placed.data);
  assert.equal(paid.errMsg, 'requestPayment:ok', JSON.stringify(paid));

  const notification = await world.notification();
  const message = signed(notification, merchant);
  assert.equal(await pay.verifySign(message), true);
  assert.equal(await pay.verifySign({ ...message, body: message.body.replace('TRANSACTION', 'TRANSACTIOM') }), false);

  const { resource, event_type: eventType } = JSON.parse(notification.body);
  assert.equal(eventType, 'TRANSACTION.SUCCESS');
  const transaction = pay.decipher_gcm(resource.ciphertext, resource.associated_data, resource.nonce);
  assert.equal(transaction.out_trade_no, outTradeNo);
  assert.equal(transaction.trade_state, 'SUCCESS');
  assert.equal(transaction.amount.total, 990);
  assert.equal(transaction.attach, ATTACH);
  notification.answer(200, 'application/json', JSON.stringify({ code: 'SUCCESS', message: '成功' }));
  await world.acknowledged(outTradeNo);

  const queried = await pay.query({ out_trade_no: outTradeNo });
  assert.equal(queried.status, 200, JSON.stringify(queried));
  assert.equal(queried.data.trade_state, 'SUCCESS');
  assert.equal(queried.data.transaction_id, transaction.transaction_id);
  assert.equal((await pay.query({ transaction_id: transaction.transaction_id })).data.out_trade_no, outTradeNo);

  const outRefundNo = orderNumber();
  const asked = await pay.refunds({
    out_trade_no: outTradeNo,
    out_refund_no: outRefundNo,
    reason: DESCRIPTION,
    notify_url: world.notifyUrl,
    amount: { refund: 490, total: 990, currency: 'CNY' },
  });
  assert.equal(asked.status, 200, JSON.stringify(asked));
  assert.equal(asked.data.status, 'PROCESSING');

  const told = await world.notification();
  assert.equal(await pay.verifySign(signed(told, merchant)), true);
  const { resource: sealed, event_type: refundType } = JSON.parse(told.body);
  assert.equal(refundType, 'REFUND.SUCCESS');
  const refund = pay.decipher_gcm(sealed.ciphertext, sealed.associated_data, sealed.nonce);
  assert.equal(refund.out_refund_no, outRefundNo);
  assert.equal(refund.refund_status, 'SUCCESS');
  assert.equal(refund.amount.refund, 490);
  told.answer(200, 'application/json', JSON.stringify({ code: 'SUCCESS', message: '成功' }));

  const stands = await pay.find_refunds(outRefundNo);
  assert.equal(stands.status, 200, JSON.stringify(stands));
  assert.equal(stands.data.status, 'SUCCESS');
  assert.equal(stands.data.refund_id, refund.refund_id);
});

test('fetches the platform certificates and opens them', async () => {
  const merchant = world.merchants.find((each) => !each.mode.startsWith('pub'));
  const certificates = await sdk(merchant).get_certificates(merchant.api_v3_key);

  assert.deepEqual(
    certificates.map((each) => each.serial_no).sort(),
    Object.keys(merchant.platformCertificates).sort(),
  );
  for (const certificate of certificates) assert.match(certificate.publicKey, /BEGIN PUBLIC KEY/);
});

test('closes an order', async () => {
  const [merchant] = world.merchants;
  const pay = sdk(merchant);
  const outTradeNo = orderNumber();
  const placed = await pay.transactions_jsapi({
    description: DESCRIPTION,
    out_trade_no: outTradeNo,
    notify_url: world.notifyUrl,
    amount: { total: 1 },
    payer: { openid: await world.openid(merchant) },
  });
  assert.equal(placed.status, 200, JSON.stringify(placed));

  assert.equal((await pay.close(outTradeNo)).status, 204);
  assert.equal((await pay.query({ out_trade_no: outTradeNo })).data.trade_state, 'CLOSED');
});

test('is refused with another key, and the log shows what was to be signed', async () => {
  const [merchant, other] = world.merchants;
  const outTradeNo = orderNumber();
  const placed = await sdk(merchant, other.privateKey).transactions_jsapi({
    description: DESCRIPTION,
    out_trade_no: outTradeNo,
    notify_url: world.notifyUrl,
    amount: { total: 990 },
    payer: { openid: await world.openid(merchant) },
  });

  assert.equal(placed.status, 401);
  assert.equal(JSON.parse(placed.error).code, 'SIGN_ERROR');
  const { requests } = await world.requests();
  const refused = requests.find((each) => JSON.stringify(each).includes(outTradeNo));
  assert.match(JSON.stringify(refused), /POST\\\\?n\/v3\/pay\/transactions\/jsapi/);
});

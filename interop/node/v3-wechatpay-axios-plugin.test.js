// npm wechatpay-axios-plugin against the simulator: APIv3. It verifies each answer by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import wechatpay from 'wechatpay-axios-plugin';

import { ATTACH, DESCRIPTION, openWorld, orderNumber } from './world.js';

const { Wechatpay, Aes, Formatter, Rsa } = wechatpay;

let world;
before(async () => { world = await openWorld(); });
after(async () => { await world?.close(); });

/** The SDK with the keys `certs`; `serial` is what Wechatpay-Serial asks WeChat to sign with. */
function sdk(merchant, { certs, serial, privateKey = merchant.privateKey }) {
  return new Wechatpay({
    baseURL: `${world.url}/`,
    mchid: merchant.mchid,
    serial: merchant.merchant_serial,
    privateKey,
    certs,
    ...(serial && { headers: { 'Wechatpay-Serial': serial } }),
  });
}

/** Everything that may sign for WeChat towards this merchant. */
const ring = (merchant) => ({
  ...merchant.platformCertificates,
  [merchant.wechatpay_public_key_id]: merchant.publicKey,
});

async function order(merchant, outTradeNo) {
  return {
    appid: merchant.appid,
    mchid: merchant.mchid,
    description: DESCRIPTION,
    out_trade_no: outTradeNo,
    attach: ATTACH,
    notify_url: world.notifyUrl,
    amount: { total: 990, currency: 'CNY' },
    payer: { openid: await world.openid(merchant) },
  };
}

/** One payment from order to query, with the answers signed by a key of `certs`. */
async function walk(merchant, options) {
  const wxpay = sdk(merchant, options);
  const outTradeNo = orderNumber();
  const { data: { prepay_id: prepayId } } = await wxpay.v3.pay.transactions.jsapi.post(await order(merchant, outTradeNo));

  const params = {
    timeStamp: `${Formatter.timestamp()}`,
    nonceStr: Formatter.nonce(),
    package: `prepay_id=${prepayId}`,
    signType: 'RSA',
  };
  params.paySign = Rsa.sign(
    Formatter.joinedByLineFeed(merchant.appid, params.timeStamp, params.nonceStr, params.package),
    Rsa.from(merchant.privateKey, Rsa.KEY_TYPE_PRIVATE),
  );
  const paid = await world.pays(merchant.appid, params);
  assert.equal(paid.errMsg, 'requestPayment:ok', JSON.stringify(paid));

  const notification = await world.notification();
  const { headers } = notification;
  const key = ring(merchant)[headers['wechatpay-serial']];
  assert.ok(key, `an unknown serial ${headers['wechatpay-serial']}`);
  assert.ok(Rsa.verify(
    Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], notification.body),
    headers['wechatpay-signature'],
    Rsa.from(key, Rsa.KEY_TYPE_PUBLIC),
  ));
  const { resource: { ciphertext, nonce, associated_data: aad } } = JSON.parse(notification.body);
  const transaction = JSON.parse(Aes.AesGcm.decrypt(ciphertext, merchant.api_v3_key, nonce, aad));
  assert.equal(transaction.out_trade_no, outTradeNo);
  assert.equal(transaction.trade_state, 'SUCCESS');
  assert.equal(transaction.attach, ATTACH);
  notification.answer(204, 'application/json', undefined);
  await world.acknowledged(outTradeNo);

  const { data: queried } = await wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.get({
    params: { mchid: merchant.mchid }, out_trade_no: outTradeNo,
  });
  assert.equal(queried.trade_state, 'SUCCESS');
  assert.deepEqual(queried, transaction);
}

test('walks a payment with answers that the platform certificate signs', async () => {
  const merchant = world.merchants.find((each) => !each.mode.startsWith('pub'));
  await walk(merchant, { certs: merchant.platformCertificates, serial: Object.keys(merchant.platformCertificates)[0] });
});

test('walks a payment with answers that the WeChat Pay public key signs', async () => {
  const merchant = world.merchants.find((each) => each.wechatpay_public_key_id);
  const serial = merchant.wechatpay_public_key_id;
  await walk(merchant, { certs: { [serial]: merchant.publicKey }, serial });
});

test('closes an order, and verifies the empty answer', async () => {
  const [merchant] = world.merchants;
  const wxpay = sdk(merchant, { certs: ring(merchant) });
  const outTradeNo = orderNumber();
  await wxpay.v3.pay.transactions.jsapi.post(await order(merchant, outTradeNo));

  const closed = await wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.close.post(
    { mchid: merchant.mchid }, { out_trade_no: outTradeNo },
  );
  assert.equal(closed.status, 204);
});

test('is refused with another key, and the log shows what was to be signed', async () => {
  const [merchant, other] = world.merchants;
  const wxpay = sdk(merchant, { certs: ring(merchant), privateKey: other.privateKey });
  const outTradeNo = orderNumber();

  await assert.rejects(
    wxpay.v3.pay.transactions.jsapi.post(await order(merchant, outTradeNo)),
    ({ response }) => response.status === 401 && response.data.code === 'SIGN_ERROR',
  );
});

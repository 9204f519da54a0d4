// npm tenpay against the simulator: APIv2. It verifies each answer and each notification by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import Tenpay from 'tenpay';

import { ATTACH, DESCRIPTION, openWorld, orderNumber } from './world.js';

let world;
before(async () => { world = await openWorld(); });
after(async () => { await world?.close(); });

function sdk(merchant, partnerKey = merchant.api_v2_key) {
  const api = new Tenpay({
    appid: merchant.appid,
    mchid: merchant.mchid,
    partnerKey,
    notify_url: world.notifyUrl,
    pfx: merchant.p12,
  });
  for (const [name, url] of Object.entries(api.urls)) {
    api.urls[name] = url.replace('https://api.mch.weixin.qq.com', world.url);
  }
  return api;
}

async function order(merchant, outTradeNo, signType) {
  return {
    out_trade_no: outTradeNo,
    body: DESCRIPTION,
    attach: ATTACH,
    total_fee: 990,
    openid: await world.openid(merchant),
    ...(signType && { sign_type: signType }),
  };
}

async function walk(signType) {
  const merchant = world.merchants.at(-1);
  const api = sdk(merchant);
  const outTradeNo = orderNumber();
  const params = await api.getPayParams(await order(merchant, outTradeNo, signType));
  const paid = await world.pays(merchant.appid, params);
  assert.equal(paid.errMsg, 'requestPayment:ok', JSON.stringify(paid));

  const notification = await world.notification();
  const context = { request: { body: notification.body } };
  let heard = false;
  await api.middleware('pay')(context, async () => { heard = true; context.reply(); });
  assert.ok(heard, context.body);
  assert.equal(context.request.weixin.out_trade_no, outTradeNo);
  assert.equal(context.request.weixin.total_fee, '990');
  assert.equal(context.request.weixin.attach, ATTACH);
  notification.answer(200, context.type, context.body);
  await world.acknowledged(outTradeNo);

  const queried = await api.orderQuery({ out_trade_no: outTradeNo, ...(signType && { sign_type: signType }) });
  assert.equal(queried.trade_state, 'SUCCESS');
  assert.equal(queried.transaction_id, context.request.weixin.transaction_id);

  await refunds(api, outTradeNo, signType);
}

/** A part goes back: asked for, heard of under the API key alone, and asked about. */
async function refunds(api, outTradeNo, signType) {
  const outRefundNo = orderNumber();
  const asked = await api.refund({
    out_trade_no: outTradeNo,
    out_refund_no: outRefundNo,
    total_fee: 990,
    refund_fee: 490,
    refund_desc: DESCRIPTION,
    notify_url: world.notifyUrl,
    ...(signType && { sign_type: signType }),
  });
  assert.equal(asked.refund_fee, '490');

  const notification = await world.notification();
  const context = { request: { body: notification.body } };
  let heard = false;
  await api.middleware('refund')(context, async () => { heard = true; context.reply(); });
  assert.ok(heard, context.body);
  const told = context.request.weixin.req_info;
  assert.equal(told.out_refund_no, outRefundNo);
  assert.equal(told.refund_status, 'SUCCESS');
  assert.equal(told.settlement_refund_fee, '490');
  notification.answer(200, context.type, context.body);

  const queried = await api.refundQuery({ out_refund_no: outRefundNo, ...(signType && { sign_type: signType }) });
  assert.equal(queried.refund_status_0, 'SUCCESS');
  assert.equal(queried.refund_id_0, told.refund_id);
}

test('walks a payment signed with MD5', () => walk());

test('walks a payment signed with HMAC-SHA256', () => walk('HMAC-SHA256'));

test('closes an order', async () => {
  const merchant = world.merchants.at(-1);
  const api = sdk(merchant);
  const outTradeNo = orderNumber();
  await api.getPayParams(await order(merchant, outTradeNo));
  const closed = await api.closeOrder({ out_trade_no: outTradeNo });
  assert.equal(closed.result_code, 'SUCCESS');
});

test('is refused with another key', async () => {
  const merchant = world.merchants.at(-1);
  await assert.rejects(
    sdk(merchant, 'x'.repeat(32)).getPayParams(await order(merchant, orderNumber())),
    /签名错误/,
  );
});

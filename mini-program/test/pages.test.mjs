// A payer in the tea shop: what he taps, and what he reads, against a real `suanpan dev`.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Phone } from '../../sdk-js/test/phone.mjs';
import { openWorld } from '../../sdk-js/test/world.mjs';
import { configure, open } from './stage.mjs';

const LIMIT = { timeout: 60_000 };
let world, phone, page;

before(async () => {
  world = await openWorld();
  configure({ simulator: world.simulator });
}, LIMIT);
after(() => world?.close(), LIMIT);
afterEach(() => page?.close());

/** Another payer with another phone, on this page. */
async function visit(path, query) {
  page?.close();
  phone ??= new Phone(world, 'wx0000000000000000');
  page = await open(phone, path, query);
  return page;
}

/** Opens the shop, taps 买, and follows to the order's page. */
async function buy(name) {
  phone = new Phone(world, 'wx0000000000000000');
  await visit('pages/shop/shop');
  await page.tap(`.buy-${world.items.find((item) => item.name === name).id}`);
  await page.settled();
  const [, id] = /^\/pages\/order\/order\?id=(ord_\w+)$/.exec(page.opened[0]);
  await visit('pages/order/order', { id });
  return id;
}

const merchant = async (id) => (await world.merchant(`/orders/${id}`)).status;

test('the shop shows what the merchant sells, in yuan', LIMIT, async () => {
  phone = new Phone(world, 'wx0000000000000000');
  await visit('pages/shop/shop');
  assert.deepEqual(page.texts('.name'), world.items.map(({ name }) => name));
  assert.ok(page.texts('.amount').includes('¥9.90') && page.texts('.amount').includes('¥88.00'));
  assert.equal(page.text('.trouble'), undefined);
});

for (const [name, price, api] of [['龙井一杯', '¥9.90', 'v3'], ['《茶经》一册', '¥19.80', 'v2']]) {
  test(`${name}: chosen, paid by API${api}, and the merchant knows`, LIMIT, async () => {
    const id = await buy(name);
    assert.equal(page.text('.order .amount'), price);
    assert.equal(page.text('.state'), '等待付款');
    assert.equal(page.text('.pay'), `付款 ${price}`);
    await page.tap('.pay');
    await page.settled();
    assert.equal(page.text('.state'), '已支付');
    assert.equal(page.text('.pay'), undefined, 'nothing is left to pay');
    assert.equal(await merchant(id), 'paid');
  });
}

test('who cancels is left in peace, and pays later', LIMIT, async () => {
  await buy('龙井一杯');
  phone.outcome = 'cancel';
  await page.tap('.pay');
  await page.settled();
  assert.equal(page.text('.notice'), '还没有付款。');
  assert.equal(page.text('.trouble'), undefined);
  phone.outcome = 'pay';
  await page.tap('.pay');
  await page.settled();
  assert.equal(page.text('.state'), '已支付');
  assert.equal(page.text('.notice'), undefined);
});

test('who has no money reads why', LIMIT, async () => {
  await buy('龙井一杯');
  phone.outcome = 'insufficient';
  await page.tap('.pay');
  await page.settled();
  assert.equal(page.text('.notice'), '没有付成。');
  assert.match(page.text('.trouble'), /余额不足/);
  assert.equal(page.text('.state'), '等待付款');
});

test('two taps are one order and one payment', LIMIT, async () => {
  const orders = async () => (await world.merchant('/orders?limit=100')).data.length;
  phone = new Phone(world, 'wx0000000000000000');
  await visit('pages/shop/shop');
  const before = await orders();
  await Promise.all([page.tap('.buy-jasmine'), page.tap('.buy-jasmine')]);
  await page.settled();
  assert.equal(page.opened.length, 1);
  assert.equal(await orders(), before + 1);

  await visit('pages/order/order', { id: page.opened[0].split('=')[1] });
  await Promise.all([page.tap('.pay'), page.tap('.pay')]);
  await page.settled();
  assert.equal(page.text('.state'), '已支付');
  assert.equal(phone.tells.length, 1, 'one sheet');
});

test('without a network nothing is called a failure, and who comes back pays', LIMIT, async () => {
  const id = await buy('龙井一杯');
  phone.line = (path) => (path.startsWith('/miniprogram/') ? 'lost' : undefined);
  await page.tap('.pay');
  await page.settled();
  assert.match(page.text('.notice'), /正在确认付款结果/);
  assert.equal(page.text('.trouble'), undefined);
  assert.equal(page.text('.state'), '等待付款');

  phone.line = () => undefined;
  await page.instance.onPullDownRefresh();
  assert.equal(page.text('.notice'), undefined, 'what was said before is not true any more');
  await page.tap('.pay');
  await page.settled();
  assert.equal(page.text('.state'), '已支付');
  assert.equal(await world.payments({ id }), 1);
});

test('an order that was closed meanwhile says what to do', LIMIT, async () => {
  const id = await buy('龙井一杯');
  await world.merchant(`/orders/${id}/close`, {});
  await page.tap('.pay');
  await page.settled();
  assert.equal(page.text('.state'), '已关闭');
  assert.equal(page.text('.notice'), '没有付成。');
  assert.ok(page.text('.trouble .quiet'), 'the remedy of the problem');
  assert.equal(page.text('.pay'), undefined);
});

test('without a simulator the shop says what to start, and opens when it is there', LIMIT, async () => {
  phone = new Phone(world, 'wx0000000000000000');
  configure({ simulator: 'http://127.0.0.1:1' });
  await visit('pages/shop/shop');
  assert.match(page.text('.trouble'), /suanpan dev 开着吗/);
  configure({ simulator: world.simulator });
  await page.tap('.again');
  await page.settled();
  assert.equal(page.text('.trouble'), undefined);
  assert.equal(page.texts('.name').length, world.items.length);
});

test('an order that nobody knows', LIMIT, async () => {
  phone = new Phone(world, 'wx0000000000000000');
  await visit('pages/order/order', { id: 'ord_nobody' });
  assert.ok(page.text('.trouble'));
  assert.equal(page.text('.pay'), undefined);
});

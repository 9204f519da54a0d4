// What a payer does on the phone, and what the merchant's backend then knows.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { browser, suanpan, watchedPage } from './world.mjs';

const LIMIT = { timeout: 90000 };
let chrome, dev, page;

before(async () => {
  [chrome, dev] = await Promise.all([browser(), suanpan('dev', '--listen', '127.0.0.1:0', '--simulator-listen', '127.0.0.1:0')]);
}, LIMIT);

after(async () => {
  await chrome?.close();
  await dev?.stop();
}, LIMIT);

afterEach(async () => {
  await page?.context().close();
  page = null;
});

async function phone(options, query = '') {
  page = await watchedPage(chrome, options);
  const reply = await page.goto(`${dev.simulator}/phone${query}`);
  assert.match(reply.headers()['content-security-policy'], /default-src 'none'/);
  await page.locator('[data-testid^="buy-"]').first().waitFor();
  return page;
}

/** Buys the first item that the merchant account of this API sells; the order page is open then. */
async function buy(api) {
  await page.locator('[data-testid^="item-"]', { hasText: `API${api}` }).first().locator('[data-testid^="buy-"]').click();
  return page.getByTestId('order-page').getAttribute('data-order-id');
}

async function openSheet() {
  await page.getByTestId('pay').click();
  await page.getByTestId('sheet').waitFor();
}

const shows = (id, status) => page.locator(`[data-testid="order-status-${id}"][data-status="${status}"]`).waitFor();

async function api(path) {
  const reply = await fetch(`${dev.url}${path}`, { headers: { authorization: `Bearer ${dev.api_key}` } });
  assert.equal(reply.status, 200, `GET ${path}`);
  return reply.json();
}

for (const version of ['v3', 'v2']) {
  test(`a payer buys at the merchant who speaks API${version}, and both sides know`, LIMIT, async () => {
    await phone();
    const id = await buy(version);
    await shows(id, 'unpaid');
    await openSheet();
    const amount = await page.getByTestId('sheet-amount').innerText();
    await page.photo(`sheet-${version}`);
    await page.getByTestId('confirm').click();
    await shows(id, 'paid');
    assert.equal(await page.getByTestId(`order-status-${id}`).innerText(), '已支付');
    assert.equal(await page.getByTestId('errmsg').innerText(), 'requestPayment:ok');

    const order = await api(`/v1/orders/${id}`);
    assert.equal(order.status, 'paid');
    assert.equal(amount.replace(/\D/g, ''), String(order.amount));
    assert.match(await page.getByTestId('wire').innerText(), /wx\.login[\s\S]*POST \/miniprogram\/pay[\s\S]*prepay_id=[\s\S]*wx\.requestPayment/);
    await page.photo(`paid-${version}`);
    page.wellBehaved();
  });
}

test('a payer who cancels owes the order as before, and can pay it later', LIMIT, async () => {
  await phone();
  const id = await buy('v3');
  await openSheet();
  await page.getByTestId('cancel').click();
  await page.getByText('requestPayment:fail cancel').first().waitFor();
  await shows(id, 'unpaid');
  assert.notEqual((await api(`/v1/orders/${id}`)).status, 'paid');

  await openSheet();
  await page.getByTestId('confirm').click();
  await shows(id, 'paid');
  assert.equal((await api(`/v1/orders/${id}`)).status, 'paid');
  page.wellBehaved();
});

test('a payer without money stays on the sheet, and nothing is paid', LIMIT, async () => {
  await phone();
  const id = await buy('v3');
  await openSheet();
  await page.getByTestId('insufficient').click();
  const message = page.getByTestId('sheet').getByRole('alert');
  await message.waitFor();
  assert.match(await message.innerText(), /余额不足[\s\S]*requestPayment:fail/);
  await page.photo('insufficient');
  await page.getByTestId('cancel').click();
  await page.getByTestId('sheet').waitFor({ state: 'hidden' });
  await shows(id, 'unpaid');
  assert.notEqual((await api(`/v1/orders/${id}`)).status, 'paid');
  page.wellBehaved();
});

test('the keyboard alone buys, is kept inside the sheet, and cancels with Escape', LIMIT, async () => {
  await phone();
  await page.locator('[data-testid^="buy-"]').first().focus();
  await page.keyboard.press('Enter');
  const id = await page.getByTestId('order-page').getAttribute('data-order-id');
  await page.getByTestId('pay').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('sheet').waitFor();
  const inside = () => page.evaluate(() => document.getElementById('sheet').contains(document.activeElement));
  for (const key of ['Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab', 'Shift+Tab']) {
    assert.ok(await inside());
    await page.keyboard.press(key);
  }
  await page.keyboard.press('Escape');
  await page.getByTestId('sheet').waitFor({ state: 'hidden' });
  await shows(id, 'unpaid');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'pay');
  page.wellBehaved();
});

describe('the page', () => {
  for (const [name, options] of Object.entries({
    'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
    'phone-narrow': { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true },
  })) {
    test(`fills the screen of a phone: ${name}`, LIMIT, async () => {
      await phone(options);
      await page.photo(`${name}-shop`);
      const id = await buy('v3');
      await openSheet();
      await page.photo(`${name}-sheet`);
      const { width } = await page.getByTestId('sheet').boundingBox();
      assert.equal(width, options.viewport.width);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), options.viewport.width);
      await page.getByTestId('confirm').click();
      await shows(id, 'paid');
      await page.photo(`${name}-paid`);
      await page.getByTestId('wire-toggle').click();
      await page.getByText('wx.requestPayment').first().waitFor();
      await page.photo(`${name}-wire`);
      page.wellBehaved();
    });
  }

  test('stands as a phone on a dark desktop', LIMIT, async () => {
    await phone({ colorScheme: 'dark' });
    await page.photo('desktop-dark');
    page.wellBehaved();
  });

  for (const [why, options, query] of [['?lang=en', {}, '?lang=en'], ['the browser’s languages', { locale: 'en-GB' }, '']]) {
    test(`speaks English because of ${why}, and Chinese at a click`, LIMIT, async () => {
      await phone(options, query);
      assert.equal(await page.locator('[data-testid^="buy-"]').first().innerText(), 'Buy');
      assert.equal(await page.locator('html').getAttribute('lang'), 'en');
      await page.photo('desktop-en');
      await page.getByTestId('lang').click();
      assert.equal(await page.locator('[data-testid^="buy-"]').first().innerText(), '购买');
      assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
      page.wellBehaved();
    });
  }

  test('says what to do when an order is not there', LIMIT, async () => {
    await phone();
    await page.goto(`${dev.simulator}/phone#/order/ord_nowhere`);
    assert.match(await page.getByTestId('trouble').innerText(), /不在列表里/);
    await page.getByTestId('back-home').click();
    await page.locator('[data-testid^="buy-"]').first().waitFor();
    page.wellBehaved();
  });
});

test('a simulator without a shop offers a form, and names a backend that does not answer', LIMIT, async (context) => {
  const alone = await suanpan('simulator', '--listen', '127.0.0.1:0');
  context.after(alone.stop);
  page = await watchedPage(chrome);
  await page.goto(`${alone.url}/phone`);
  await page.getByTestId('direct-pay').click();
  assert.match(await page.getByTestId('trouble').innerText(), /还缺/);
  await page.photo('direct');
  page.wellBehaved();

  await page.getByTestId('direct-backend').fill('http://127.0.0.1:9');
  await page.getByTestId('direct-order').fill('ord_1');
  await page.getByTestId('direct-pay').click();
  await page.getByTestId('trouble').getByText('连不上 127.0.0.1:9').waitFor();

  await page.getByTestId('back').click();
  await page.getByTestId('paste-params').fill('{"timeStamp":1414561699,"nonceStr":"n","package":"prepay_id=wx1","signType":"RSA","paySign":"s"}');
  await page.getByTestId('paste-pay').click();
  await page.getByTestId('errmsg').waitFor();
  assert.match(await page.getByTestId('errmsg').innerText(), /parameter\.timeStamp should be String instead of Number/);
});

test('the console’s one-time link opens and tells the story of a paid order', LIMIT, async () => {
  await phone();
  const id = await buy('v3');
  await openSheet();
  await page.getByTestId('confirm').click();
  await shows(id, 'paid');
  await page.context().close();

  page = await watchedPage(chrome);
  await page.goto(dev.console);
  await page.getByRole('navigation').getByRole('link', { name: /^(订单|Orders)$/ }).first().click();
  const link = page.locator(`a[href*="${id}"]`).first();
  await link.waitFor();
  await page.photo('console-orders');
  await link.click();
  await page.getByText(/时间线|Timeline/).first().waitFor();
  const story = await page.locator('body').innerText();
  assert.ok(story.includes(id));
  assert.match(story, /已支付|paid/);
  assert.match(story, /notify|通知/);
  await page.photo('console-order');

  // Part of it goes back, for a reason; the page keeps itself up to date and shows how that ends.
  await page.getByRole('link', { name: /^退款…$/ }).click();
  await page.getByLabel(/退多少/).fill('1.00');
  await page.getByLabel(/原因/).fill('少放了糖');
  await page.getByRole('button', { name: /核对/ }).click();
  await page.getByTestId('sure').waitFor();
  await page.photo('console-refund');
  await page.getByRole('button', { name: /确认退款/ }).click();
  await page.getByTestId('refunds').getByText('已退回').first().waitFor();
  assert.equal((await api(`/v1/orders/${id}`)).amount_refunded, 100);

  // Found by its number, and its event delivered once more.
  await page.getByRole('searchbox').fill(id);
  await page.getByRole('button', { name: /^搜索$/ }).click();
  await page.waitForURL(`**/console/orders/${id}`);
  await page.locator('a[href^="/console/events/"]').first().click();
  await page.getByRole('button', { name: '重新投递' }).click();
  await page.getByTestId('done').waitFor();
  await page.getByTestId('deliveries').locator('.badge.good').first().waitFor();

  // Every page of the list, at the width of a phone: nothing sticks out.
  await page.setViewportSize({ width: 360, height: 800 });
  for (const path of ['', '/orders', '/refunds', '/shipping', '/webhooks', '/accounts', '/live', '/notifications']) {
    await page.goto(`${dev.url}/console${path}`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, path);
  }
  page.wellBehaved();
});

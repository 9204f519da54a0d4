// The console as the people of money use it: found by number, refunded with a reason, explained, replayed; and every page
// of it for everybody: on a phone, in the dark, in both languages, with a screen reader.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { browser, suanpan, watchedPage } from './world.mjs';

const LIMIT = { timeout: 180000 };
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 800 };
const NAME = '小算', PASSWORD = 'beads on a rod, one two three';

let chrome, simulator, server, hook, session;

before(async () => {
  [chrome, simulator, hook] = await Promise.all([browser(), suanpan('simulator', '--listen', '127.0.0.1:0'), receiver()]);
  server = await suanpan('serve', '--config', join(simulator.data, 'suanpan.toml'), '--listen', '127.0.0.1:0', '--database', 'sqlite:console.db');
}, LIMIT);

after(async () => {
  await chrome?.close();
  await server?.stop();
  await simulator?.stop();
  hook?.close();
}, LIMIT);

/** The merchant's own system: takes every webhook, and remembers it. */
async function receiver() {
  const taken = [];
  const http = createServer((request, reply) => {
    request.resume().on('end', () => {
      taken.push(request.headers['webhook-id']);
      reply.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  return { url: `http://127.0.0.1:${http.address().port}/suanpan`, taken, close: () => http.close() };
}

async function ask(method, url, body, headers = {}) {
  const reply = await fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body) });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${url}: ${reply.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
const api = (method, path, body) => ask(method, server.url + path, body, { authorization: `Bearer ${server.api_key}` });
const sim = (method, path, body) => ask(method, `${simulator.url}/_sim/${path}`, body);

/** Waits for the program to have done what it does by itself. */
async function until(what, look) {
  for (const deadline = Date.now() + 30000; Date.now() < deadline;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never came: ${what}`);
}

/** An order that alice has paid. */
async function paidOrder(reference, amount = 990) {
  const order = await api('POST', '/v1/orders', { reference, amount, description: '龙井 Longjing' });
  const { code } = await sim('POST', 'login', { appid: order.app, user: 'alice' });
  const payment = await ask('POST', `${server.url}/miniprogram/pay`, { code, orderId: order.id });
  await sim('POST', 'request-payment', { user: 'alice', appId: order.app, ...payment, outcome: 'pay' });
  return until('paid', async () => {
    const now = await api('GET', `/v1/orders/${order.id}`);
    return now.status === 'paid' && now;
  });
}

/** The newest day whose bill WeChat has: from ten o'clock of the next day on, in Beijing. */
function yesterday() {
  return new Date(Date.now() + (8 - 10 - 24) * 3600000).toISOString().slice(0, 10);
}

/** Looks at the page again until it shows this. */
const shown = (page, locator) => until(locator.toString(), async () => {
  if (await locator.count()) return true;
  await page.reload();
  return false;
});

test('a person of money sets up, signs in, refunds, explains a difference and repeats a webhook', LIMIT, async () => {
  const page = await watchedPage(chrome);
  const at = (path) => page.goto(`${server.url}/console${path}`);

  // Set-up: the link of the first start, once.
  await page.goto(server.console);
  const setUp = page.getByTestId('set-up');
  await page.photo('console-set-up');
  await setUp.locator('[name=name]').fill(NAME);
  await setUp.locator('[name=password]').fill(PASSWORD);
  await setUp.locator('[name=again]').fill(PASSWORD);
  await setUp.getByRole('button').click();
  await page.getByTestId('done').waitFor();
  await page.getByRole('button', { name: '退出登录' }).click();

  // Sign-in: the password lets him in, another does not.
  const door = page.getByTestId('sign-in');
  for (const password of ['beads on a rod, one two four', PASSWORD]) {
    await at('/sign-in');
    await door.locator('[name=name]').fill(NAME);
    await door.locator('[name=password]').fill(password);
    if (password !== PASSWORD) {
      const reply = page.waitForResponse((answer) => answer.request().method() === 'POST');
      await door.getByRole('button').click();
      assert.equal((await reply).status(), 401);
      await page.getByRole('alert').waitFor();
      await page.photo('console-sign-in-refused');
      // What the browser says of a 401 is as it should be.
      page.faults.length = 0;
    }
  }
  await door.getByRole('button').click();
  await page.getByRole('heading', { level: 1, name: /今天/ }).waitFor();
  session = await page.context().storageState();

  // An order is found by WeChat's number of its payment.
  const endpoint = await api('POST', '/v1/webhook-endpoints', { url: hook.url });
  const order = await paidOrder('tea-for-the-console');
  await page.getByRole('searchbox').first().fill(order.transaction_id);
  await page.getByRole('searchbox').first().press('Enter');
  await page.waitForURL(`**/console/orders/${order.id}`);

  // Part of it goes back, with a reason.
  await page.getByRole('link', { name: /^退款/ }).last().click();
  const form = page.getByTestId('refund');
  await form.locator('[name=amount]').fill('3.30');
  await form.locator('[name=reason]').fill('少了一两');
  await form.getByRole('button').click();
  // A picture of a page that is on its way fails.
  const sure = page.getByTestId('sure').getByRole('button', { name: /3\.30/ });
  await sure.waitFor();
  await page.photo('console-refund-sure');
  await sure.click();
  await page.getByTestId('done').waitFor();
  await shown(page, page.getByTestId('refunds').getByText('已退回'));
  const refunded = await api('GET', `/v1/orders/${order.id}`);
  assert.equal(refunded.amount_refunded, 330);
  await page.photo('console-refunded');

  // Yesterday's bill has a payment that nobody here knows.
  const { merchants } = JSON.parse(await readFile(join(simulator.data, 'credentials.json'), 'utf8'));
  const { mchid } = merchants[0];
  await sim('POST', 'bills', { mchid, bill_date: yesterday(), plant: 'unknown_payment', out_trade_no: 'nobodys-order-1', amount: 1234 });
  await at(`/reconciliation/${yesterday()}`);
  const day = page.getByTestId(`day-${mchid}`);
  await day.getByRole('button', { name: /对账|再对/ }).click();
  await shown(page, page.getByTestId('differences'));
  await page.photo('console-differences');
  await page.getByTestId('differences').getByRole('link').first().click();
  assert.match(await page.locator('main').innerText(), /12\.34[\s\S]*nobodys-order-1/);
  const explain = page.getByTestId('explain');
  await explain.locator('[value=explained]').check();
  await explain.locator('[name=note]').fill('收银台手工收款，见工单 88');
  await explain.getByRole('button').click();
  await page.getByTestId('done').waitFor();
  assert.match(await page.locator('main').innerText(), /工单 88/);
  await page.photo('console-explained');

  // The merchant's system is told once more, the same.
  const events = (await api('GET', '/v1/events?limit=20')).data;
  const { id } = events.find((event) => event.type === 'order.paid');
  await until('told', () => hook.taken.includes(id));
  await at(`/events/${id}`);
  await page.getByRole('button', { name: '重新投递' }).click();
  await until('told twice', () => hook.taken.filter((one) => one === id).length === 2);
  await at(`/webhooks/${endpoint.id}`);
  await page.photo('console-replayed');

  // Who did what, and why, can be read afterwards.
  await at('/audit');
  const log = await page.locator('main').innerText();
  for (const trace of [NAME, '少了一两', '工单 88', order.id, id]) assert.ok(log.includes(trace), `not in the audit log: ${trace}`);
  page.wellBehaved();
  await page.context().close();
});

async function operator(viewport = DESKTOP, more = {}) {
  return watchedPage(chrome, { storageState: session, viewport, ...more });
}

/** Every page, each with something on it. */
async function pages() {
  const order = await paidOrder(`look-${Date.now()}`);
  const dead = await api('POST', '/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/nobody-listens' });
  const refund = await api('POST', `/v1/orders/${order.id}/refunds`, { amount: 100, reason: '少一片 / one less' });
  await until('refunded', async () => (await api('GET', `/v1/refunds/${refund.id}`)).status === 'succeeded');
  const events = (await api('GET', '/v1/events?limit=1')).data;
  return {
    today: '', orders: '/orders', 'orders-none': '/orders?q=nothing-like-it', order: `/orders/${order.id}`,
    refunds: '/refunds', reconciliation: '/reconciliation', day: `/reconciliation/${yesterday()}`,
    webhooks: '/webhooks', endpoint: `/webhooks/${dead.id}`, event: `/events/${events[0].id}`, live: '/live',
    accounts: '/accounts', shipping: '/shipping', settings: '/settings', audit: '/audit', me: '/me',
    notifications: '/notifications', refund: `/orders/${order.id}/refund`, difference: await aDifference(), door: '/sign-in',
    'new-endpoint': '/webhooks/new', 'orders-of-a-day': '/orders?from=2026-01-01&to=2026-01-01',
  };
}

/** The page of the difference that the walk has found. */
async function aDifference() {
  const page = await operator();
  await page.goto(`${server.url}/console/reconciliation/${yesterday()}`);
  const href = await page.getByTestId('differences').getByRole('link').first().getAttribute('href');
  await page.context().close();
  return href.replace('/console', '');
}

/** What the checker says of a page that is open. */
async function barriers(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`);
}

test('every page is good on a phone and on a desk, by day and by night, in both languages, for everybody', { timeout: 600000 }, async () => {
  const all = await pages();
  const wrong = [];
  for (const [width, viewport] of Object.entries({ desk: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      for (const lang of ['zh-CN', 'en']) {
        const page = await operator(viewport, { colorScheme });
        for (const [name, path] of Object.entries(all)) {
          const where = `${name} ${width} ${colorScheme} ${lang}`;
          const reply = await page.goto(`${server.url}/console${path}${path.includes('?') ? '&' : '?'}lang=${lang}`);
          if (reply.status() !== 200) wrong.push(`${where}: ${reply.status()}`);
          const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
          if (client < scroll) wrong.push(`${where}: ${scroll} wide on a screen of ${client}`);
          for (const barrier of await barriers(page)) wrong.push(`${where}: ${barrier}`);
          if (lang === 'zh-CN' || width === 'desk') await page.photo(`console-${name}-${width}-${colorScheme}-${lang}`);
        }
        wrong.push(...page.faults.map((fault) => `${width} ${colorScheme} ${lang}: ${fault}`));
        await page.context().close();
      }
    }
  }
  assert.deepEqual(wrong, []);
});

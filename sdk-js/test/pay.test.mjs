// One payment, and all that may come between: against a real `suanpan dev`.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { createPay } from '../dist/index.js';
import { Phone } from './phone.mjs';
import { openWorld, quickTime } from './world.mjs';

const LIMIT = { timeout: 60_000 };
let world;
before(async () => { world = await openWorld(); }, LIMIT);
after(() => world?.close(), LIMIT);
afterEach(() => faultless());

const faultless = () => world.sim('faults', undefined, 'DELETE');

/** An order, a phone, and the `pay` of the mini program on it. */
async function shop(api = 'v3', options = {}) {
  const order = await world.order(api);
  const phone = new Phone(world, order.app);
  const time = quickTime();
  const pay = createPay({ baseUrl: `${world.url}/`, platform: phone.wx, outside: time, ...options });
  return { order, phone, time, pay, id: order.id, status: async () => (await world.merchant(`/orders/${order.id}`)).status };
}

const PAY = '/miniprogram/pay';
const confirm = (id) => `/miniprogram/orders/${id}/confirm`;

/** The first `times` requests to this path meet this fate. */
function fates(path, fate, times = Infinity) {
  let left = times;
  return (asked) => (asked === path && (left -= 1) >= 0 ? fate : undefined);
}

describe('a payer pays', LIMIT, () => {
  for (const [api, signType] of [['v3', 'RSA'], ['v2', 'MD5']]) {
    test(`by API${api}: login, sheet, confirmed`, async () => {
      const { pay, phone, id, status } = await shop(api);
      const { order, ...result } = await pay(id);
      assert.deepEqual(result, { status: 'paid' });
      assert.equal(order.id, id);
      assert.equal(order.status, 'paid');
      assert.equal(await status(), 'paid');
      assert.deepEqual(phone.calls, ['login', PAY, 'sheet', confirm(id)]);
      const { success, fail, provider, ...five } = phone.sheets[0];
      assert.deepEqual(Object.keys(five).sort(), ['nonceStr', 'package', 'paySign', 'signType', 'timeStamp']);
      assert.equal(five.signType, signType);
      assert.equal(phone.listeners, 0, 'nobody listens any more');
    });
  }

  test('an order that is paid opens no sheet', async () => {
    const { pay, phone, id } = await shop();
    await pay(id);
    phone.calls.length = 0;
    assert.deepEqual(await pay(id), { status: 'paid' });
    assert.deepEqual(phone.calls, ['login', PAY]);
  });

  test('two taps are one payment', async () => {
    const visit = await shop();
    const { pay, phone, id } = visit;
    const [one, other] = await Promise.all([pay(id), pay(id)]);
    assert.equal(one, other);
    assert.equal(one.status, 'paid');
    assert.deepEqual(phone.calls, ['login', PAY, 'sheet', confirm(id)]);
    assert.equal(await world.payments(visit.order), 1);
  });

  test('two orders are two payments', async () => {
    const [one, other] = [await shop('v3'), await shop('v2')];
    other.phone.appid = one.phone.appid;
    const pay = createPay({ baseUrl: world.url, platform: one.phone.wx, outside: quickTime() });
    const second = await world.order('v3');
    const results = await Promise.all([pay(one.id), pay(second.id)]);
    assert.deepEqual(results.map(({ status }) => status), ['paid', 'paid']);
    assert.equal(new Set(one.phone.codes).size, 2);
  });
});

describe('nobody pays', LIMIT, () => {
  test('who cancels can pay later, and one order is placed at WeChat', async () => {
    const visit = await shop();
    const { pay, phone, id } = visit;
    phone.outcome = 'cancel';
    const { order, ...result } = await pay(id);
    assert.deepEqual(result, { status: 'cancelled' });
    assert.equal(order.status, 'paying');
    assert.deepEqual(phone.calls, ['login', PAY, 'sheet', confirm(id), confirm(id)], 'WeChat is asked twice');
    phone.outcome = 'pay';
    phone.decided = () => world.notified(visit.order);
    assert.equal((await pay(id)).status, 'paid');
    assert.equal(phone.sheets[0].package, phone.sheets[1].package);
    assert.equal(await world.payments(visit.order), 1);
  });

  test('who has no money is told the words of WeChat', async () => {
    const { pay, phone, id, status } = await shop();
    phone.outcome = 'insufficient';
    const { status: said, problem } = await pay(id);
    assert.equal(said, 'failed');
    assert.equal(problem.code, 'MP-PAYMENT');
    assert.equal(problem.detail, 'requestPayment:fail (余额不足)');
    assert.equal(await status(), 'paying');
  });

  test('a problem of Suanpan comes as it was', async () => {
    const { pay, phone } = await shop();
    const { status, problem, ...rest } = await pay('ord_nobody');
    assert.deepEqual([status, rest], ['failed', {}]);
    assert.equal(problem.code, 'SP-NOT-FOUND');
    assert.equal(problem.status, 404);
    assert.ok(problem.remedy && problem.request_id && problem.detail);
    assert.deepEqual(phone.calls, ['login', PAY, confirm('ord_nobody')], 'a "no" is not asked twice');
  });

  test('a closed order', async () => {
    const { pay, id } = await shop();
    await world.merchant(`/orders/${id}/close`, {});
    const { status, problem, order } = await pay(id);
    assert.deepEqual([status, problem.code, order.status], ['failed', 'SP-ORDER-CLOSED', 'closed']);
  });

  test('what WeChat refuses is not asked again', async () => {
    const { pay, phone, id } = await shop();
    const wechat = { code: 'APPID_MCHID_NOT_MATCH', message: 'appid 和 mch_id 不匹配' };
    phone.line = fates(PAY, { statusCode: 502, data: { code: 'SP-WECHAT-REFUSED', detail: 'WeChat refused', wechat } });
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.wechat], ['failed', wechat]);
    assert.equal(phone.calls.filter((path) => path === PAY).length, 1);
  });

  test('who cannot log in has sent nothing', async () => {
    const { pay, phone, id } = await shop();
    phone.loginFails = () => 'login:fail system permission denied';
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.code, problem.detail], ['failed', 'MP-LOGIN', 'login:fail system permission denied']);
    assert.ok(!phone.calls.includes(PAY));
  });
});

describe('what the phone says is only a hint', LIMIT, () => {
  test('"cancel" of somebody who has paid', async () => {
    const { pay, phone, id } = await shop();
    phone.told = 'requestPayment:fail cancel';
    assert.equal((await pay(id)).status, 'paid');
  });

  test('"paid" of somebody who has not', async () => {
    const { pay, phone, id } = await shop();
    phone.outcome = 'cancel';
    phone.told = 'requestPayment:ok';
    const { status, problem, order } = await pay(id);
    assert.deepEqual([status, problem.code, order.status], ['pending', 'MP-UNCONFIRMED', 'paying']);
  });

  test('a sheet that says nothing, and a payer who comes back having paid', async () => {
    const { pay, phone, id } = await shop();
    phone.told = null;
    phone.decided = async () => phone.comeBack();
    assert.equal((await pay(id)).status, 'paid');
    assert.equal(phone.listeners, 0);
  });

  test('a sheet that says nothing, and a payer who comes back without', async () => {
    const { pay, phone, id, time } = await shop();
    phone.outcome = 'leave';
    phone.decided = async () => phone.comeBack();
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.code], ['pending', 'MP-UNCONFIRMED']);
    assert.ok(time.now() <= 33_000, `${time.now()}`);
  });

  test('the sheet of an order that is paid elsewhere is no failure', async () => {
    const { pay, phone, id } = await shop();
    phone.told = 'requestPayment:fail 该订单已支付';
    phone.outcome = 'leave';
    assert.equal((await pay(id)).status, 'pending');
  });
});

describe('a weak network', LIMIT, () => {
  for (const fate of ['down', 'lost']) {
    test(`three requests are ${fate}: asked again, each time with a new code`, async () => {
      const visit = await shop();
      const { pay, phone, id, time } = visit;
      phone.line = fates(PAY, fate, 3);
      assert.equal((await pay(id)).status, 'paid');
      assert.equal(new Set(phone.codes).size, 4);
      assert.deepEqual(time.waits, [750, 1500, 3000], 'and each time later');
      assert.equal(await world.payments(visit.order), 1);
    });

    test(`every request is ${fate}: not known, never failed`, async () => {
      const { pay, phone, id } = await shop();
      phone.line = () => fate;
      const { status, problem } = await pay(id);
      assert.deepEqual([status, problem.code], ['pending', 'MP-NETWORK']);
      assert.equal(phone.sheets.length, 0);
      phone.line = () => undefined;
      assert.equal((await pay(id)).status, 'paid', 'when the network is back');
    });

    test(`what confirms the payment is ${fate} five times`, async () => {
      const { pay, phone, id } = await shop();
      phone.line = fates(confirm(id), fate, 5);
      assert.equal((await pay(id)).status, 'paid');
    });

    test(`the network is ${fate} from the sheet on: not known, and paid when it is back`, async () => {
      const visit = await shop();
      const { pay, phone, id, time } = visit;
      phone.line = fates(confirm(id), fate);
      const { status, problem } = await pay(id);
      assert.deepEqual([status, problem.code], ['pending', 'MP-NETWORK']);
      assert.ok(25_000 < time.now() && time.now() <= 30_000, `${time.now()}`);
      phone.line = () => undefined;
      assert.equal((await pay(id)).status, 'paid');
      assert.equal(phone.sheets.length, 1);
      assert.equal(await world.payments(visit.order), 1);
    });
  }

  test('a server that never answers keeps nobody for minutes', async () => {
    const { pay, phone, id, time } = await shop();
    // Each request takes all the time that it is given.
    const { request } = phone.wx;
    phone.wx.request = ({ timeout, ...options }) => time.wait(timeout).then(() => request(options));
    phone.line = () => 'down';
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.code], ['pending', 'MP-NETWORK']);
    assert.ok(time.now() <= 60_000, `${time.now()}`);
  });

  test('who cancels without a network is not told that nothing was paid', async () => {
    const { pay, phone, id } = await shop();
    phone.outcome = 'cancel';
    phone.line = fates(confirm(id), 'down');
    assert.equal((await pay(id)).status, 'pending');
  });

  test('a lost answer, and then no login: not known', async () => {
    const { pay, phone, id } = await shop();
    phone.line = () => 'lost';
    phone.loginFails = () => (phone.codes.length ? 'login:fail timeout' : undefined);
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.code], ['pending', 'MP-LOGIN']);
  });

  test('a page of the hotel instead of an answer', async () => {
    const { pay, phone, id } = await shop();
    phone.line = fates(PAY, { statusCode: 200, data: '<html>请先登录 Wi-Fi</html>' }, 1);
    assert.equal((await pay(id)).status, 'paid');
    phone.line = () => ({ statusCode: 200, data: '<html>请先登录 Wi-Fi</html>' });
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.code], ['pending', 'MP-ANSWER']);
  });
});

describe('a login', LIMIT, () => {
  test('that fails three times is tried a fourth time', async () => {
    const { pay, phone, id } = await shop();
    phone.loginFails = () => (phone.calls.filter((call) => call === 'login').length < 4 ? 'login:fail timeout' : undefined);
    assert.equal((await pay(id)).status, 'paid');
  });

  test('whose code WeChat does not take is repeated with another code', async () => {
    const { pay, phone, id } = await shop();
    const { login } = phone.wx;
    phone.wx.login = ({ success }) => {
      phone.wx.login = login;
      success({ code: '0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p' });
    };
    assert.equal((await pay(id)).status, 'paid');
    assert.deepEqual(phone.calls.slice(0, 4), [PAY, 'login', PAY, 'sheet']);
  });
});

describe('too much to do', LIMIT, () => {
  const busy = (statusCode, code, after) => ({
    statusCode, data: { code, detail: 'later' }, header: after ? { 'RETRY-after': after } : {},
  });

  test('waits as long as Retry-After says, and a little longer', async () => {
    const { pay, phone, id, time } = await shop();
    phone.line = fates(PAY, busy(503, 'SP-BUSY', '2'), 1);
    assert.equal((await pay(id)).status, 'paid');
    assert.deepEqual(time.waits, [2750]);
  });

  test('does not wait for minutes: the payer may come again', async () => {
    const { pay, phone, id, time } = await shop();
    phone.line = fates(PAY, busy(429, 'SP-TOO-OFTEN', '60'));
    const { status, problem } = await pay(id);
    assert.deepEqual([status, problem.code, time.waits], ['failed', 'SP-TOO-OFTEN', []]);
  });

  test('confirm, too', async () => {
    const { pay, phone, id, time } = await shop();
    phone.line = fates(confirm(id), busy(429, 'SP-TOO-OFTEN', '4'), 2);
    assert.equal((await pay(id)).status, 'paid');
    assert.deepEqual(time.waits, [4000, 4000]);
  });

  test('as Suanpan itself says it', async () => {
    const { pay, phone, id, time } = await shop();
    // On this machine only who is asked for by a proxy is limited: 120 times a minute.
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.7' };
    const crowd = Array.from({ length: 300 }, () => fetch(`${world.url}${PAY}`, { method: 'POST', headers, body: '{}' }));
    const refused = (await Promise.all(crowd)).find((answer) => answer.status === 429);
    const header = Object.fromEntries(refused.headers);
    phone.line = fates(PAY, { statusCode: 429, data: await refused.text(), header }, 1);
    assert.equal((await pay(id)).status, 'paid');
    assert.deepEqual(time.waits, [1000 * header['retry-after'] + 750]);
  });
});

describe('WeChat has a bad day', LIMIT, () => {
  const fault = (on, name, times, more) => world.sim('faults', { on, fault: name, ...(times && { times }), ...more });
  const JSAPI = 'POST /v3/pay/transactions/jsapi';
  const QUERY = 'GET /v3/pay/transactions/out-trade-no/{out_trade_no}';

  for (const [on, name, more] of [
    ['GET /sns/jscode2session', 'system_error'],
    ['GET /sns/jscode2session', 'http_500'],
    ['GET /sns/jscode2session', 'cut'],
    ['GET /sns/jscode2session', 'frequency_limited'],
    [JSAPI, 'system_error'],
    [JSAPI, 'http_500'],
    [JSAPI, 'cut'],
    [JSAPI, 'bad_signature'],
    [JSAPI, 'frequency_limited'],
    [QUERY, 'system_error'],
    [QUERY, 'cut'],
    ['notify', 'lose'],
    ['notify', 'late', { seconds: 3 }],
    ['notify', 'twice'],
    ['notify', 'forge'],
  ]) {
    test(`${on}: ${name}`, async () => {
      const visit = await shop();
      // Where the notification does its work, nobody has to ask.
      if (on === QUERY) await fault('notify', 'lose', 1);
      await fault(on, name, 1, more);
      assert.equal((await visit.pay(visit.id)).status, 'paid');
      assert.equal(await visit.status(), 'paid');
      assert.equal(await world.payments(visit.order), 1);
    });
  }

  test('no notification, no answer to any question: not known, and paid later', async () => {
    const visit = await shop();
    const { pay, id, phone } = visit;
    await fault('notify', 'lose');
    await fault(QUERY, 'system_error');
    const { status, order } = await pay(id);
    assert.deepEqual([status, order.status], ['pending', 'paying']);
    await faultless();
    // In the time of the wall: Suanpan asks WeChat about one order once a second.
    const later = createPay({ baseUrl: world.url, platform: phone.wx });
    assert.equal((await later(id)).status, 'paid');
    assert.equal(await world.payments(visit.order), 1, 'and no money is taken twice');
  });
});

test('whatever happens, nobody is told a lie about money', { timeout: 120_000 }, async () => {
  const dice = seeded(20_261_126);
  const pick = (...choices) => choices[Math.floor(dice() * choices.length)];
  const seen = {};
  for (let round = 0; round < 60; round += 1) {
    const visit = await shop(pick('v3', 'v2'));
    const { pay, phone, id } = visit;
    const story = [];
    phone.decided = () => world.notified(visit.order);
    phone.line = () => {
      const fate = pick(undefined, undefined, 'down', 'lost', { statusCode: 502, data: 'Bad Gateway' });
      story.push(fate?.statusCode ?? fate ?? 'up');
      return fate;
    };
    for (let taps = 0; taps < 3; taps += 1) {
      phone.outcome = pick('pay', 'cancel', 'insufficient');
      phone.told = pick(undefined, undefined, 'requestPayment:fail cancel');
      const { status } = await pay(id);
      const paid = await world.payments(visit.order);
      const told = `round ${round}: ${status} after ${phone.outcome}/${phone.told} and ${story}`;
      if (status === 'paid') assert.equal(paid, 1, told);
      if (status === 'failed' || status === 'cancelled') assert.equal(paid, 0, told);
      assert.ok(paid <= 1, told);
      seen[status] = (seen[status] ?? 0) + 1;
    }
  }
  assert.deepEqual(Object.keys(seen).sort(), ['cancelled', 'failed', 'paid', 'pending'], JSON.stringify(seen));
});

test('options that cannot work are refused where they are written', () => {
  for (const baseUrl of ['', 'pay.example.com', '/pay', 'https://', undefined]) {
    assert.throws(() => createPay({ baseUrl, platform: {} }), /baseUrl/);
  }
  assert.throws(() => createPay({ baseUrl: 'https://pay.example.com' }), /wx/);
});

/** Mulberry32: the same dice in every run. */
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

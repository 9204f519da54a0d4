// The same `pay` on uni-app and on Taro: their own runtimes, over our phone.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import ts from 'typescript';
import { createPay } from '../dist/index.js';
import { simulated } from '../dist/simulator.js';
import { Phone } from './phone.mjs';
import { openWorld, quickTime } from './world.mjs';

const require = createRequire(import.meta.url);
const LIMIT = { timeout: 60_000 };
let world;
before(async () => { world = await openWorld(); }, LIMIT);
after(() => world?.close(), LIMIT);

/** `uni` of a mini program, made of this `wx` by uni-app's own code, which is a module that Node takes for none. */
function uniOf(wx) {
  const source = readFileSync(require.resolve('@dcloudio/uni-mp-weixin/dist/uni.api.esm.js'), 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const exports = {};
  new Function('require', 'exports', 'wx', outputText)(require, exports, wx);
  return exports.default;
}

/** `Taro` of a mini program, whose promises are made by Taro's own code. */
function taroOf(wx) {
  const { processApis } = require('@tarojs/shared');
  const { login, requestPayment, ...rest } = wx;
  const Taro = { ...rest };
  processApis(Taro, wx, { isOnlyPromisify: true, needPromiseApis: ['login', 'request', 'requestPayment'] });
  return Taro;
}

for (const [name, platformOf] of [['uni-app', uniOf], ['Taro', taroOf]]) {
  test(`${name}: pays, cancels, and survives a lost answer`, LIMIT, async () => {
    const order = await world.order('v3');
    const phone = new Phone(world, order.app);
    phone.decided = () => world.notified(order);
    const platform = platformOf(phone.wx);
    assert.notEqual(platform.requestPayment, phone.wx.requestPayment);
    const pay = createPay({ baseUrl: world.url, platform, outside: quickTime() });

    phone.outcome = 'cancel';
    assert.equal((await pay(order.id)).status, 'cancelled');
    const fates = ['lost', 'down'];
    phone.line = () => fates.shift();
    phone.outcome = 'pay';
    assert.equal((await pay(order.id)).status, 'paid');
    assert.equal(new Set(phone.codes).size, 4);
    // A rejected promise that nobody caught would have ended this process.
  });
}

test('without platform it is the wx that is there', LIMIT, async () => {
  const { app, id } = await world.order('v2');
  globalThis.wx = new Phone(world, app).wx;
  try {
    assert.equal((await createPay({ baseUrl: world.url })(id)).status, 'paid');
  } finally {
    delete globalThis.wx;
  }
});

for (const [outcome, ends] of [['pay', 'paid'], ['cancel', 'cancelled'], ['insufficient', 'failed']]) {
  test(`in the developer tools the simulator plays login and sheet, and asks: ${outcome}`, LIMIT, async () => {
    const { app, id } = await world.order('v3');
    // A phone of another app, which the simulator has never heard of, as in the developer tools.
    const phone = new Phone(world, 'wx0000000000000000');
    phone.outcome = outcome;
    const platform = simulated(phone.wx, { url: `${world.simulator}/`, appid: app });
    const { status, problem } = await createPay({ baseUrl: world.url, platform, outside: quickTime() })(id);
    assert.equal(status, ends);
    if (ends === 'failed') assert.equal(problem.detail, 'requestPayment:fail (余额不足)');
    assert.ok(!phone.calls.includes('login') && !phone.calls.includes('sheet'), 'WeChat itself is not asked');
    assert.deepEqual(phone.tells, [['确认支付（模拟）', '余额不足（模拟）']]);
  });
}

test('the simulator says what is wrong with the sheet', LIMIT, async () => {
  const { app, id } = await world.order('v3');
  const platform = simulated(new Phone(world, app).wx, { url: world.simulator, appid: app, decide: async () => 'pay' });
  const meddling = { ...platform, requestPayment: (options) => platform.requestPayment({ ...options, timeStamp: '1' }) };
  const { status, problem } = await createPay({ baseUrl: world.url, platform: meddling, outside: quickTime() })(id);
  assert.equal(status, 'failed');
  assert.match(problem.detail, /timeStamp/);
});

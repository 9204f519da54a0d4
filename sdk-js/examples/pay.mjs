// 一台在 Node 里的手机：在 `suanpan dev` 的茶铺买一杯茶。/ A phone in Node, which buys a cup of tea in the shop of `suanpan dev`.
//
//   . .suanpan/env && node sdk-js/examples/pay.mjs

import { createPay } from 'suanpan-mp';
import { simulated } from 'suanpan-mp/simulator';

const { SUANPAN_URL, SUANPAN_SIMULATOR, SUANPAN_SHOP, SUANPAN_API_KEY } = process.env;
if (!SUANPAN_URL) throw new Error('先运行 . .suanpan/env / run `. .suanpan/env` first');

// 商户自己的后端下单，金额由它定；手机只知道订单号。/ The merchant's own backend makes the order and sets the amount.
const [tea] = await json(`${SUANPAN_SHOP}/items`);
const { id, amount, description } = await json(`${SUANPAN_SHOP}/orders`, { item: tea.id });
console.log(`下单 order    ${id}  ${description}  ${amount} 分`);

// 小程序里就是 createPay({ baseUrl })；这里没有 wx，登录和付款单由模拟器扮演。/ On a phone this is createPay({ baseUrl }).
const platform = simulated({ request }, { url: SUANPAN_SIMULATOR, appid: tea.app, decide: async () => 'pay' });
const pay = createPay({ baseUrl: SUANPAN_URL, platform });
const { status, problem } = await pay(id);
console.log(`付款 pay      ${status}`);
if (status !== 'paid') throw new Error(JSON.stringify(problem));

// 商户的后端收到了签名的回调。/ The merchant's backend was told by a signed webhook.
console.log(`回调 webhook  ${await delivered(id)}`);

/** `wx.request` */
function request({ url, method, data, header, success, fail }) {
  fetch(url, { method, headers: header, body: JSON.stringify(data) })
    .then(async (answer) => success({ statusCode: answer.status, data: await answer.json(), header: Object.fromEntries(answer.headers) }))
    .catch((cause) => fail({ errMsg: `request:fail ${cause}` }));
}

async function delivered(order) {
  for (let asked = 0; asked < 100; asked += 1) {
    const { data: events } = await json(`${SUANPAN_URL}/v1/events`);
    const event = events.find(({ type, data }) => type === 'order.paid' && data.id === order);
    const { deliveries } = event ? await json(`${SUANPAN_URL}/v1/events/${event.id}`) : { deliveries: [] };
    const done = deliveries.find((each) => each.status === 'delivered');
    if (done) return `${event.type} → ${done.status}`;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error('十秒内没有送达 / not delivered within 10 s');
}

async function json(url, body) {
  const headers = { 'content-type': 'application/json' };
  // 密钥只给算盘，也只在商户的后端里；小程序里没有密钥。/ The key is Suanpan's and the merchant's backend's; there is none on a phone.
  if (url.startsWith(SUANPAN_URL)) headers.authorization = `Bearer ${SUANPAN_API_KEY}`;
  const answer = await fetch(url, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

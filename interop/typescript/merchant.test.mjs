// The typed merchant against a real `suanpan dev`: order → pay → refund → events, and a webhook that somebody else verifies.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Phone } from '../../sdk-js/test/phone.mjs';
import { openWorld } from '../../sdk-js/test/world.mjs';
import * as merchant from './.build/merchant.js';

const LIMIT = { timeout: 60_000 };
let world, suanpan;

before(async () => {
  world = await openWorld();
  suanpan = merchant.connect(world.url, world.key);
}, LIMIT);
after(() => world?.close(), LIMIT);

/** The merchant's own server: what came, by the kind of the event that it says it is. */
async function openReceiver() {
  const came = new Map();
  const waiting = new Map();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const { type } = JSON.parse(body);
    const delivery = { headers: request.headers, body };
    came.set(type, delivery);
    waiting.get(type)?.(delivery);
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/hooks`,
    get: (type) => (came.has(type) ? Promise.resolve(came.get(type)) : new Promise((resolve) => { waiting.set(type, resolve); })),
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

for (const api of ['v3', 'v2']) {
  test(`API${api}: sold, paid, refunded, told`, LIMIT, async (t) => {
    const receiver = await openReceiver();
    t.after(receiver.close);
    const endpoint = await merchant.listen(suanpan, receiver.url);
    const { app } = world.items.find((item) => item.api === api);

    const sold = await merchant.sell(suanpan, `typed-${api}`, app);
    assert.deepEqual([sold.status, sold.amount, sold.metadata], ['unpaid', 990, { table: 7 }]);
    assert.equal((await merchant.sell(suanpan, `typed-${api}`, app)).id, sold.id, 'the same request is done once');

    const phone = new Phone(world, app);
    const { code } = await phone.wx.login();
    const five = await merchant.sheet(suanpan, sold.id, code);
    await phone.wx.requestPayment(five);
    assert.equal((await merchant.confirmed(suanpan, sold.id)).status, 'paid');
    assert.equal(await merchant.sheet(suanpan, sold.id, (await phone.wx.login()).code), null, 'nothing is left to pay');

    const { headers, body } = await receiver.get('order.paid');
    const event = new Webhook(endpoint.secret).verify(body, headers);
    assert.deepEqual([event.type, event.data.id, event.data.status], ['order.paid', sold.id, 'paid']);

    const asked = await merchant.refund(suanpan, sold.id, 300);
    const back = await receiver.get('refund.succeeded');
    const told = new Webhook(endpoint.secret).verify(back.body, back.headers);
    assert.deepEqual([told.data.id, told.data.amount], [asked.id, 300]);
    assert.equal((await merchant.refunded(suanpan, asked.id)).status, 'succeeded');
    assert.equal((await merchant.order(suanpan, sold.id)).amount_refunded, 300);

    const events = await merchant.told(suanpan, sold.id);
    assert.deepEqual([...events.keys()].sort(), ['order.paid', 'refund.succeeded']);
    assert.equal(events.get('order.paid').id, headers['webhook-id']);
    for (const { deliveries } of events.values()) {
      assert.ok(deliveries.some(({ endpoint_id: id }) => id === endpoint.id));
    }

    const all = [];
    for await (const { id } of merchant.paid(suanpan)) all.push(id);
    assert.ok(all.includes(sold.id));
    await merchant.forget(suanpan, endpoint.id);
  });
}

test('what Suanpan refuses is a typed problem', LIMIT, async () => {
  const refused = (code) => (error) => {
    assert.ok(error instanceof merchant.Refused);
    assert.equal(error.problem.code, code);
    assert.ok(error.problem.remedy && error.problem.request_id);
    return true;
  };
  await assert.rejects(merchant.order(suanpan, 'ord_nobody'), refused('SP-NOT-FOUND'));
  await assert.rejects(merchant.order(merchant.connect(world.url, 'sk_wrong'), 'ord_nobody'), refused('SP-UNAUTHORIZED'));
  const { id } = await merchant.sell(suanpan, 'typed-unpaid', world.items[0].app);
  await assert.rejects(merchant.refund(suanpan, id, 1), refused('SP-ORDER-NOT-PAID'));
});

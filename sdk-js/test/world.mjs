// A real `suanpan dev`: the shop, the backend and WeChat, each as a phone sees it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts `suanpan dev` in a folder of its own and waits for its ready line. */
export async function openWorld() {
  const binary = process.env.SUANPAN_BIN;
  assert.ok(binary, 'set SUANPAN_BIN to the suanpan binary (scripts/check frontend does)');
  const data = mkdtempSync(join(tmpdir(), 'suanpan-front-'));
  const child = spawn(binary, ['dev', '--data', data, '--listen', '127.0.0.1:0', '--simulator-listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let talk = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { talk = (talk + text).slice(-20_000); });
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => text),
    exited.then(([code]) => { throw new Error(`suanpan dev ended with ${code}:\n${talk}`); }),
  ]);
  const { url, simulator, api_key: key } = JSON.parse(line);
  const { shop } = await json(`${simulator}/phone/config.json`);

  return {
    url,
    simulator,
    key,
    shop: shop.url,
    items: await json(`${shop.url}/items`),

    /** The merchant's backend makes an order for this item; who speaks `v3` or `v2` sells it. */
    async order(api) {
      const item = (await json(`${shop.url}/items`)).find((each) => each.api === api);
      return json(`${shop.url}/orders`, { item: item.id });
    },
    /** The orders that were placed at WeChat for this order. */
    async numbers({ id }) {
      const { entries } = await this.merchant(`/orders/${id}/timeline`);
      return new Set(entries.map(({ detail }) => detail.out_trade_no).filter(Boolean));
    },

    /** How often the payer's money moved for this order. */
    async payments(order) {
      const numbers = await this.numbers(order);
      return (await this.sim('ledger')).payments.filter(({ out_trade_no: number }) => numbers.has(number)).length;
    },

    /**
     * Waits until Suanpan has acknowledged the notification of every payment of this order.
     *
     * Suanpan asks WeChat about an order at most once a second of the wall's time, and most of our tests take less.
     */
    async notified(order) {
      const numbers = await this.numbers(order);
      const deadline = Date.now() + 10_000;
      for (;;) {
        const { notifications } = await this.sim('ledger');
        if (notifications.every((each) => each.acknowledged || !numbers.has(each.out_trade_no))) return;
        assert.ok(Date.now() < deadline, 'WeChat has notified nobody for 10 s');
        await new Promise((resolve) => { setTimeout(resolve, 10); });
      }
    },

    /** What the merchant's system asks. */
    merchant: (path, body) => json(`${url}/v1${path}`, body, { authorization: `Bearer ${key}` }),
    /** What only a simulator can tell or do. */
    sim: (path, body, method) => json(`${simulator}/_sim/${path}`, body, {}, method),

    async close() {
      child.kill('SIGTERM');
      await exited;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function json(url, body, headers = {}, method = body ? 'POST' : 'GET') {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

/** Time that runs only where somebody waits, and dice that always fall in the middle. */
export function quickTime() {
  const waits = [];
  let now = 0;
  return {
    waits,
    now: () => now,
    random: () => 0.5,
    wait(duration) {
      waits.push(duration);
      now += duration;
      return Promise.resolve();
    },
  };
}

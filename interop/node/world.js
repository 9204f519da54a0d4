// The world around an SDK under test: a simulator of WeChat in its own process,
// a payer with a phone, and the merchant's address that WeChat notifies.
//
// Nothing here signs, verifies, encrypts or decrypts: that is the SDK's part.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts `suanpan simulator` in a directory of its own and waits for its ready line. */
export async function openWorld() {
  const binary = process.env.SUANPAN_BIN;
  assert.ok(binary, 'set SUANPAN_BIN to the suanpan binary (scripts/check interop does)');

  const data = mkdtempSync(join(tmpdir(), 'suanpan-interop-'));
  const simulator = spawn(binary, ['simulator', '--listen', '127.0.0.1:0', '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let talk = '';
  simulator.stderr.setEncoding('utf8').on('data', (text) => { talk += text; });
  const exited = once(simulator, 'exit');
  const line = await Promise.race([
    once(createInterface(simulator.stdout), 'line').then(([text]) => text),
    exited.then(([code]) => { throw new Error(`the simulator ended with ${code}:\n${talk}`); }),
  ]);
  const ready = JSON.parse(line);
  assert.equal(ready.ready, true);

  const credentials = JSON.parse(readFileSync(join(data, 'credentials.json'), 'utf8'));
  assert.equal(credentials.base_url, ready.url);
  const receiver = await openReceiver();

  return {
    url: ready.url,
    // The direct ones: a partner's calls name a sub-merchant, which these SDKs' direct calls do not.
    merchants: credentials.merchants
      .filter((merchant) => !merchant.sub_merchants?.length)
      .map((merchant) => readable(merchant, credentials.apps)),
    notifyUrl: receiver.url,
    notification: receiver.next,
    ...payer(ready.url),
    async close() {
      simulator.kill('SIGTERM');
      await exited;
      await receiver.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A merchant of credentials.json with its files read and its first app looked up. */
function readable(merchant, apps) {
  const read = (path) => readFileSync(path, 'utf8');
  const appid = merchant.apps[0];

  return {
    ...merchant,
    appid,
    appSecret: apps.find((app) => app.appid === appid).secret,
    certificate: read(merchant.merchant_certificate),
    p12: readFileSync(merchant.merchant_p12),
    privateKey: read(merchant.merchant_private_key),
    platformCertificates: Object.fromEntries(
      merchant.platform_certificates.map(({ serial, path }) => [serial, read(path)]),
    ),
    publicKey: read(merchant.wechatpay_public_key),
  };
}

/** What the mini program and the payer do, and what only a simulator can tell. */
function payer(url) {
  const control = async (path, body) => {
    const answer = await fetch(`${url}/_sim/${path}`, body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, `POST /_sim/${path}`);
    return answer.json();
  };

  return {
    /** `wx.login`, then jscode2session as the merchant's backend does it: answers the openid. */
    async openid({ appid, appSecret }, user = 'alice') {
      const { code } = await control('login', { appid, user });
      const query = new URLSearchParams({
        appid, secret: appSecret, js_code: code, grant_type: 'authorization_code',
      });
      const session = await (await fetch(`${url}/sns/jscode2session?${query}`)).json();
      assert.ok(session.openid, JSON.stringify(session));
      return session.openid;
    },

    /** `wx.requestPayment` with the object that the SDK signed; the payer pays. */
    async pays(appId, { timeStamp, nonceStr, package: prepay, signType, paySign }, user = 'alice') {
      return control('request-payment', {
        user, appId, timeStamp, nonceStr, package: prepay, signType, paySign, outcome: 'pay',
      });
    },

    requests: () => control('requests'),

    /**
     * Waits until WeChat holds the order's notification as acknowledged.
     *
     * The simulator is another process with the clock of the wall: it reads our
     * answer a moment after we wrote it.
     */
    async acknowledged(outTradeNo) {
      const deadline = Date.now() + 5_000;
      let notification;
      do {
        const { notifications } = await control('ledger');
        notification = notifications.find((each) => each.out_trade_no === outTradeNo);
        if (notification?.acknowledged) return notification;
        await new Promise((resolve) => { setTimeout(resolve, 10); });
      } while (Date.now() < deadline);
      return assert.fail(`not acknowledged: ${JSON.stringify(notification)}`);
    },
  };
}

/** The merchant's HTTP server: keeps each notification until the test answers it. */
async function openReceiver() {
  const waiting = [];
  const arrived = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const notification = {
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      answer: (status, contentType, body) => response.writeHead(status, { 'content-type': contentType }).end(body),
    };
    const resolve = waiting.shift();
    if (resolve) resolve(notification);
    else arrived.push(notification);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${server.address().port}/notify`,
    next: () => (arrived.length
      ? Promise.resolve(arrived.shift())
      : new Promise((resolve, reject) => {
        waiting.push(resolve);
        // A notification that never comes fails its test, and does not hang it.
        setTimeout(reject, 20_000, new Error('no notification came')).unref();
      })),
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections?.(); }),
  };
}

let orders = 0;

/** A new order number. */
export function orderNumber() {
  orders += 1;
  return `interop${Date.now()}${process.pid}${String(orders).padStart(3, '0')}`;
}

/** What is hard to carry: Chinese, and every character that XML or JSON escapes. */
export const DESCRIPTION = '算盘 <1> & "2" \'3\'';
export const ATTACH = '附加数据 a=b&c=d <x> \\ /';

// 算盘的商户后端，Node 18+，没有依赖 / a merchant's backend beside Suanpan: Node 18 or newer, no dependency.
//
// POST /buy      小程序来下单：价格和订单是我们的 / the mini program buys: price and order are ours
// POST /webhook  算盘来说付款了：验签，只做一次 / Suanpan tells of the payment: verify, act once

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { SUANPAN_URL, SUANPAN_API_KEY, WEBHOOK_SECRET, PORT = "3000" } = process.env;
const secret = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const prices = { longjing: [990, "龙井一杯"] }; // 分 / fen
const TOLERANCE = 300; // 秒 / seconds

// 真的商店里这是一张表：编号唯一，和发货在同一个事务里
// In earnest this is a table with a unique id, written in the transaction that ships the goods.
const handled = new Set();

async function buy(tea) {
  const [amount, description] = prices[tea];
  // 先记自己的订单，再向算盘下单 / your own order first, then Suanpan's
  const reference = randomUUID();
  const answer = await fetch(`${SUANPAN_URL}/v1/orders`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${SUANPAN_API_KEY}`,
      // 没有回答就用同一个 key 再发，不会下两单 / no answer: send it again with the same key, and there is still one order
      "Idempotency-Key": reference,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ reference, amount, description }),
    signal: AbortSignal.timeout(10_000),
  });
  const order = await answer.json();
  if (!answer.ok) throw new Error(`${order.code}: ${order.detail}`);
  return { orderId: order.id };
}

// Standard Webhooks：签的是原始字节 / what is signed is the bytes as they came.
function verified(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;
  const hmac = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body);
  const ours = Buffer.from(`v1,${hmac.digest("base64")}`);
  // 换密钥的那一天有两个签名 / on the day after a rotation there are two
  const theirs = (headers["webhook-signature"] ?? "").split(" ").map((each) => Buffer.from(each));
  return theirs.some((each) => each.length === ours.length && timingSafeEqual(each, ours));
}

function handle(webhookId, event) {
  if (handled.has(webhookId)) return;
  if (event.type === "order.paid") console.log(`paid ${event.data.id} ${event.data.amount}`);
  handled.add(webhookId);
}

async function answer(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  if (request.url === "/buy") return [200, await buy(JSON.parse(body).tea)];
  if (request.url !== "/webhook") return [404, {}];
  if (!verified(request.headers, body)) return [401, {}];
  handle(request.headers["webhook-id"], JSON.parse(body));
  return [200, {}];
}

createServer(async (request, response) => {
  // 500：算盘过一会儿再送 / Suanpan delivers it again later
  const [status, value] = await answer(request).catch((error) => [500, { error: error.message }]);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}).listen(Number(PORT), "127.0.0.1", () => console.log("listening"));

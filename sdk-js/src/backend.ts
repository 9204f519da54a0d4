import type { Outside } from './outside.js';
import { type Answer, type PaymentSheet, type Platform, PlatformError, login, request } from './platform.js';
import { type Problem, problems } from './problem.js';

/** 订单，时间是 RFC 3339，金额是分 / an order: times are RFC 3339, amounts in fen. */
export interface Order {
  id: string;
  reference: string;
  status: 'unpaid' | 'paying' | 'paid' | 'closed';
  amount: number;
  amount_refunded: number;
  currency: string;
  description: string;
  app: string;
  created_at: string;
  paid_at: string | null;
  expires_at: string | null;
  /** 微信的支付单号 / WeChat's number of the payment. */
  transaction_id: string | null;
  /** 商户的数据不给手机，总是 null / the merchant's data is not for the phone: always null. */
  metadata: unknown;
}

/** What came of `POST /miniprogram/pay`. */
export type Prepared =
  | { kind: 'sheet'; sheet: PaymentSheet }
  | { kind: 'paid' }
  /** Nothing was done, and nothing will be. */
  | { kind: 'refused'; problem: Problem }
  /** It may have been done. */
  | { kind: 'unknown'; problem: Problem };

/** Suanpan, as a mini program knows it. */
export interface Backend {
  baseUrl: string;
  platform: Platform;
  outside: Outside;
}

/** Logs in and asks for the sheet; as often as it makes sense, each time with a code of its own. */
export async function prepare(backend: Backend, orderId: string): Promise<Prepared> {
  // Once an answer was lost, only Suanpan's own "no" is a "no".
  let lost = false;
  const end = backend.outside.now() + PAY_TIMEOUT;
  for (let tries = 1; ; tries += 1) {
    const tried = await prepareOnce(backend, orderId);
    if (tried.kind === 'sheet' || tried.kind === 'paid') return tried;
    const { kind, problem, again } = tried;
    if (again === undefined) return { kind, problem };
    lost ||= kind === 'unknown';
    const wait = again + backOff(backend.outside, tries);
    // Longer than a payer looks at a turning wheel: he may press the button again.
    const late = LONGEST_WAIT < again || end < backend.outside.now() + wait;
    if (late || tries === TRIES) return { kind: lost ? 'unknown' : 'refused', problem };
    await backend.outside.wait(wait);
  }
}

/** `again`: after at least so many milliseconds it makes sense to try once more. */
type Tried = Exclude<Prepared, Refusal> | Refusal & { again?: number };
type Refusal = Extract<Prepared, { problem: Problem }>;

async function prepareOnce({ baseUrl, platform }: Backend, orderId: string): Promise<Tried> {
  let code;
  try {
    code = await login(platform);
  } catch (error) {
    return { kind: 'refused', problem: problems.login(words(error)), again: 0 };
  }
  let answer;
  try {
    answer = await request(platform, post(`${baseUrl}/miniprogram/pay`, { code, orderId }, PAY_TIMEOUT));
  } catch (error) {
    return { kind: 'unknown', problem: problems.network(words(error)), again: 0 };
  }
  if (answer.status === 200) {
    if (isSheet(answer.data)) return { kind: 'sheet', sheet: answer.data };
    if (has(answer.data, 'alreadyPaid') && answer.data.alreadyPaid === true) return { kind: 'paid' };
  }
  return refusal(answer);
}

/** `POST …/confirm`: the order, and whether that is what WeChat says now; or why we do not know. */
export async function confirm({ baseUrl, platform }: Backend, orderId: string): Promise<{ order: Order; asked: boolean } | { problem: Problem; again?: number }> {
  try {
    const answer = await request(platform, post(`${baseUrl}/miniprogram/orders/${encodeURIComponent(orderId)}/confirm`, {}, CONFIRM_TIMEOUT));
    if (answer.status === 200 && has(answer.data, 'status')) {
      return { order: answer.data as unknown as Order, asked: answer.header('wechat-asked') === 'true' };
    }
    return refusal(answer);
  } catch (error) {
    return { problem: problems.network(words(error)), again: 0 };
  }
}

/** What an answer means that is none of those that were hoped for. */
function refusal({ status, data, header }: Answer): Refusal & { again?: number } {
  // A login page, a proxy's error: whether Suanpan has heard of us, nobody knows.
  if (!isProblem(data)) return { kind: 'unknown', problem: problems.answer(status), again: 0 };
  const problem = data;
  // The next try comes with a new code.
  if (STALE_CODE.includes(problem.code)) return { kind: 'refused', problem, again: 0 };
  const again = 1000 * (Number(header('retry-after')) || 0);
  if (status === 429 || NOTHING_DONE.includes(problem.code) && status === 503) return { kind: 'refused', problem, again };
  // 502 is WeChat's own "no".
  if (status < 500 || status === 502) return { kind: 'refused', problem };
  return { kind: 'unknown', problem, again };
}

/** Half of it by chance, so that phones that lost the network together do not come back together. */
export function backOff({ random }: Outside, tries: number): number {
  const whole = Math.min(500 * 2 ** tries, LONGEST_BACK_OFF);
  return Math.round(whole / 2 + random() * whole / 2);
}

function post(url: string, data: Record<string, string>, timeout: number) {
  return { url, method: 'POST', data, header: { 'content-type': 'application/json' }, timeout } as const;
}

function isSheet(data: unknown): data is PaymentSheet {
  const texts = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'];
  return typeof data === 'object' && data !== null && texts.every((name) => has(data, name) && typeof data[name] === 'string');
}

function isProblem(data: unknown): data is Problem {
  return has(data, 'code') && typeof data.code === 'string' && has(data, 'detail') && typeof data.detail === 'string';
}

function has<Name extends string>(data: unknown, name: Name): data is Record<Name, unknown> {
  return typeof data === 'object' && data !== null && name in data;
}

function words(error: unknown): string {
  return error instanceof PlatformError ? error.errMsg : String(error);
}

/** So often in all. */
const TRIES = 4;
/** Longer than Suanpan gives a request (30 s by default): its answer says more than our impatience. Later than that nothing is begun. In milliseconds. */
const PAY_TIMEOUT = 35_000;
const CONFIRM_TIMEOUT = 15_000;
const LONGEST_WAIT = 5_000;
const LONGEST_BACK_OFF = 4_000;
/** Of the answers 503. */
const NOTHING_DONE = ['SP-BUSY', 'SP-LOGIN-TOO-OFTEN', 'SP-WECHAT-REFUSED'];
const STALE_CODE = ['SP-LOGIN-CODE-INVALID', 'SP-LOGIN-CODE-USED'];

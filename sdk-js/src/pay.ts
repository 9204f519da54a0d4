import { type Backend, type Order, backOff, confirm, prepare } from './backend.js';
import { type PaymentSheet, PlatformError, requestPayment } from './platform.js';
import { type Problem, problems } from './problem.js';

/** 一次付款的结果 / what came of a payment. */
export interface PayResult {
  /**
   * - `paid`：算盘确认已付 / Suanpan has confirmed it
   * - `pending`：还不知道，钱可能已经付了 / not known yet, and money may have moved
   * - `cancelled`：付款人取消了，订单还能再付 / the payer closed the sheet; the order can still be paid
   * - `failed`：没有付，`problem` 说为什么 / not paid; `problem` says why
   */
  status: 'paid' | 'pending' | 'cancelled' | 'failed';
  /** `failed` 和 `pending` 的原因 / why it is `failed` or `pending`. */
  problem?: Problem;
  /** 最后看到的订单 / the order as it was last seen. */
  order?: Order;
}

/** One payment, from `wx.login` to the confirmed result. `patience`: how long the result is asked for, in milliseconds. */
export async function payOnce(backend: Backend, patience: number, orderId: string): Promise<PayResult> {
  const prepared = await prepare(backend, orderId);
  if (prepared.kind === 'paid') return { status: 'paid' };
  if (prepared.kind === 'sheet') return settle(backend, patience, orderId, await show(backend, prepared.sheet));

  // Nobody who has paid is told that it failed: it may have been on another phone, or an answer ago.
  const { kind, problem } = prepared;
  const asked = await confirm(backend, orderId);
  const order = 'order' in asked ? asked.order : undefined;
  if (order?.status === 'paid') return { status: 'paid', order };
  return { status: kind === 'unknown' ? 'pending' : 'failed', problem, ...(order && { order }) };
}

/** The phone says that nobody has paid. */
type Unpaid = { status: 'cancelled' } | { status: 'failed'; problem: Problem };

/** Opens the sheet and waits for its end. `undefined`: it may have been paid. */
function show({ platform, outside }: Backend, sheet: PaymentSheet): Promise<Unpaid | undefined> {
  return new Promise((resolve) => {
    const end = (unpaid?: Unpaid) => {
      platform.offAppShow?.(back);
      resolve(unpaid);
    };
    // Some phones never say how the sheet ended when the payer left WeChat meanwhile and came back.
    const back = () => { outside.wait(GRACE).then(() => end()); };
    platform.onAppShow?.(back);
    requestPayment(platform, sheet).then(() => end(), (error: unknown) => end(unpaid(error)));
  });
}

function unpaid(error: unknown): Unpaid | undefined {
  const errMsg = error instanceof PlatformError ? error.errMsg : String(error);
  if (errMsg.includes('cancel')) return { status: 'cancelled' };
  // The sheet does not take money for an order that is paid.
  if (errMsg.includes('已支付')) return undefined;
  return { status: 'failed', problem: problems.payment(errMsg) };
}

/** What the phone says is a hint; what counts is what WeChat tells Suanpan. */
async function settle(backend: Backend, patience: number, orderId: string, unpaid: Unpaid | undefined): Promise<PayResult> {
  const { outside } = backend;
  const end = outside.now() + patience;
  let order: Order | undefined;
  let problem: Problem | undefined;
  for (let tries = 1, answers = 0; ; tries += 1) {
    const asked = await confirm(backend, orderId);
    if ('order' in asked) {
      ({ order, problem } = { order: asked.order, problem: undefined });
      // Else Suanpan only says what it knew: who has paid must not hear that he has not.
      if (asked.asked) answers += 1;
      if (order.status === 'paid') return { status: 'paid', order };
      // Twice: the first may have been faster than WeChat.
      if (unpaid && answers === 2) return { ...unpaid, order };
    } else {
      problem = asked.problem;
    }
    const wait = Math.max('again' in asked && asked.again || 0, backOff(outside, tries));
    if (end < outside.now() + wait) return { status: 'pending', problem: problem ?? problems.late(), ...(order && { order }) };
    await outside.wait(wait);
  }
}

/** How long a phone may take to say how the sheet ended, once the mini program is in front again. In milliseconds. */
const GRACE = 3_000;

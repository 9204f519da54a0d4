/**
 * 小程序里的一行支付 / a payment in one line:
 *
 * ```ts
 * const pay = createPay({ baseUrl: 'https://pay.example.com' });
 * const { status, problem } = await pay(orderId);
 * ```
 *
 * The order is made by the merchant's own backend; the phone only knows its id.
 */

import type { Backend } from './backend.js';
import { type Outside, phone } from './outside.js';
import { type PayResult, payOnce } from './pay.js';
import type { Platform } from './platform.js';

export type { Order } from './backend.js';
export type { Outside } from './outside.js';
export type { PayResult } from './pay.js';
export type { PaymentSheet, Platform } from './platform.js';
export type { Problem } from './problem.js';

export interface PayOptions {
  /** 算盘的地址，例如 `https://pay.example.com`；要在小程序后台的 request 合法域名里 / where Suanpan is; one of the mini program's request domains. */
  baseUrl: string;
  /** `wx`（默认）、`uni` 或 `Taro` / `wx`, which is the default, `uni` or `Taro`. */
  platform?: Platform;
  /** 付款后最多等多久结果，毫秒，默认 30 000 / how long to wait for the result after the sheet, in milliseconds. */
  confirmTimeout?: number;
  /** 测试用：时间和随机数 / for tests: time and dice. */
  outside?: Outside;
}

/** 付一个订单；从不抛出 / pays an order; never throws. */
export type Pay = (orderId: string) => Promise<PayResult>;

declare const wx: Platform | undefined;

/** @throws 配置不对的时候 / where the options are wrong. */
export function createPay({ baseUrl, platform, confirmTimeout = 30_000, outside = phone }: PayOptions): Pay {
  if (!/^https?:\/\/[^/?#]+/.test(baseUrl)) {
    throw new Error(`suanpan-mp: baseUrl 要写成 https://…，现在是 ${baseUrl} / baseUrl must be https://…`);
  }
  const found = platform ?? (typeof wx === 'undefined' ? undefined : wx);
  if (!found) throw new Error('suanpan-mp: 没有 wx，请给 platform: uni 或 Taro / there is no wx: pass platform');
  const backend: Backend = { baseUrl: baseUrl.replace(/\/+$/, ''), platform: found, outside };

  // Who taps twice pays once: both taps get the same answer.
  const running = new Map<string, Promise<PayResult>>();
  return (orderId) => {
    const known = running.get(orderId);
    if (known) return known;
    const done = () => { running.delete(orderId); };
    const started = payOnce(backend, confirmTimeout, orderId);
    running.set(orderId, started);
    started.then(done, done);
    return started;
  };
}

// Checked by tsc, never run: our types beside those of WeChat, uni-app and Taro.

import Taro from '@tarojs/taro';
import { type Order, type Pay, type PaymentSheet, type PayResult, type Platform, createPay } from 'suanpan-mp';
import { simulated } from 'suanpan-mp/simulator';

const baseUrl = 'https://pay.example.com';

// Each platform is one.
const platforms: Platform[] = [wx, uni, Taro];
export const pays: Pay[] = platforms.map((platform) => createPay({ baseUrl, platform }));
export const simulators = [wx, uni, Taro].map((platform) => simulated(platform, { url: 'http://127.0.0.1:9090', appid: 'wx' }));

// What Suanpan signs is what `wx.requestPayment` takes, and the other way round.
declare const sheet: PaymentSheet;
export const option: WechatMiniprogram.RequestPaymentOption = sheet;
export const back: PaymentSheet = option as Required<Pick<typeof option, keyof PaymentSheet>>;
// @ts-expect-error `timeStamp` is a text: a number fails on the phone
export const number: PaymentSheet = { ...sheet, timeStamp: 1_767_225_603 };
// @ts-expect-error WeChat knows no such algorithm
export const algorithm: PaymentSheet = { ...sheet, signType: 'SHA256' };

// All four ends are there to be told apart, and no fifth.
export function told({ status, problem, order }: PayResult): string {
  switch (status) {
    case 'paid': return order?.paid_at ?? '';
    case 'pending': return '';
    case 'cancelled': return '';
    case 'failed': return problem?.remedy ?? '';
    default: return status satisfies never;
  }
}

// @ts-expect-error it takes an order's id, and no amount
createPay({ baseUrl })({ amount: 990 });
// @ts-expect-error without an address there is nobody to ask
createPay({ platform: wx });
declare const order: Order;
// @ts-expect-error an order has no such state
export const refunded: boolean = order.status === 'refunded';

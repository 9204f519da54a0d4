/**
 * What we need of `wx`; `uni` and `Taro` have the same.
 *
 * All of it is called with callbacks: so much is the same everywhere. Promises are not: `wx` answers one only where no
 * callback is given, and Taro's is rejected also where `fail` was called.
 */
export interface Platform {
  /** 得到登录用的 code / gets a login code. */
  login(options: Callbacks<{ code: string }>): unknown;
  /** 发 HTTPS 请求 / sends an HTTPS request. */
  request(options: RequestOptions & Callbacks<{ statusCode: number; data: unknown; header?: unknown }>): unknown;
  /** 弹出付款单 / opens the payment sheet. */
  requestPayment(options: PaymentSheet & { provider: 'wxpay' } & Callbacks<unknown>): unknown;
  /** 小程序回到前台 / the mini program is in front again. */
  onAppShow?(listener: () => void): unknown;
  offAppShow?(listener: () => void): unknown;
}

/** `wx.requestPayment` 要的五个字段，算盘原样给的 / the five texts that Suanpan signed for `wx.requestPayment`. */
export interface PaymentSheet {
  timeStamp: string;
  nonceStr: string;
  package: string;
  signType: 'RSA' | 'MD5' | 'HMAC-SHA256';
  paySign: string;
}

export interface RequestOptions {
  url: string;
  method: 'GET' | 'POST';
  data: Record<string, string>;
  header: Record<string, string>;
  /** In milliseconds. */
  timeout: number;
}

export interface Callbacks<Success> {
  success: (result: Success) => void;
  fail: (error: { errMsg: string }) => void;
}

/** An answer, whatever its status. */
export interface Answer {
  status: number;
  data: unknown;
  header: (name: string) => string | undefined;
}

/** What `fail` was called with. */
export class PlatformError extends Error {
  readonly errMsg: string;

  constructor(error: { errMsg?: unknown } | undefined) {
    const errMsg = String(error?.errMsg ?? error);
    super(errMsg);
    this.errMsg = errMsg;
    // A class of ES5, which phones may be given, loses its name on the way.
    Object.setPrototypeOf(this, PlatformError.prototype);
  }
}

/** A new code of `wx.login`: it lives five minutes and works once, so none is kept. */
export async function login(platform: Platform): Promise<string> {
  const { code } = await call<{ code: string }>((callbacks) => platform.login(callbacks));
  if (!code) throw new PlatformError({ errMsg: 'login:fail no code' });
  return code;
}

/** Throws where no answer came. */
export async function request(platform: Platform, options: RequestOptions): Promise<Answer> {
  const { statusCode, data, header } = await call<{ statusCode: number; data: unknown; header?: unknown }>(
    (callbacks) => platform.request({ ...options, ...callbacks }),
  );
  return { status: statusCode, data: parsed(data), header: (name) => lookUp(header, name) };
}

/** Opens the sheet; throws what the platform says, where it says something else than "paid". */
export function requestPayment(platform: Platform, { timeStamp, nonceStr, package: prepay, signType, paySign }: PaymentSheet): Promise<unknown> {
  // Of these, uni-app wants the provider; WeChat does not look at it.
  const sheet = { provider: 'wxpay', timeStamp, nonceStr, package: prepay, signType, paySign } as const;
  return call((callbacks) => platform.requestPayment({ ...sheet, ...callbacks }));
}

function call<Success>(start: (callbacks: Callbacks<Success>) => unknown): Promise<Success> {
  return new Promise((resolve, reject) => {
    const promise = start({ success: resolve, fail: (error) => reject(new PlatformError(error)) });
    // We have heard of it by `fail`.
    (promise as Promise<unknown> | undefined)?.catch?.(() => undefined);
  });
}

/** JSON that the platform did not take for JSON. */
function parsed(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** Phones differ in how they write the names of headers. */
function lookUp(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return entry && String(entry[1]);
}

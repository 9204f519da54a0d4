/**
 * 只在开发时用：没有商户号，也能在微信开发者工具里付款。登录和付款单由 `suanpan simulator` 扮演。
 * For development only: payments in the developer tools without a merchant account. `suanpan simulator` plays login and sheet.
 */

import { type Platform, PlatformError, request } from './platform.js';

export interface SimulatorOptions {
  /** 模拟器的地址，例如 `http://127.0.0.1:9090` / where the simulator is. */
  url: string;
  /** 小程序的 appid：模拟器的 `credentials.json` 里有 / one of the appids of the simulator. */
  appid: string;
  /** `alice`（默认）或 `bob` / who pays. */
  user?: string;
  /** 付款人怎么选；默认弹出三个选择 / what the payer decides; by default he is asked. */
  decide?: () => Promise<Outcome>;
}

export type Outcome = 'pay' | 'cancel' | 'insufficient' | 'leave';

/** What is asked with, beside a {@link Platform}. */
interface Sheet {
  showActionSheet(options: { itemList: string[]; success: (result: { tapIndex: number }) => void; fail: () => void }): unknown;
}

/** `wx`、`uni` 或 `Taro`，但钱是假的 / the same platform, with play money. */
export function simulated(platform: Platform & Sheet, options: SimulatorOptions): Platform {
  const { url, appid, user = 'alice', decide = () => ask(platform) } = options;

  const play = async (path: string, data: Record<string, string>): Promise<Record<string, string>> => {
    const header = { 'content-type': 'application/json' };
    const answer = await request(platform, { url: `${url.replace(/\/+$/, '')}/_sim/${path}`, method: 'POST', data, header, timeout: 10_000 });
    if (answer.status !== 200) throw new PlatformError({ errMsg: `_sim/${path}: HTTP ${answer.status} ${JSON.stringify(answer.data)}` });
    return answer.data as Record<string, string>;
  };

  return {
    request: (asked) => platform.request(asked),
    login({ success, fail }) {
      play('login', { appid, user }).then(({ code = '' }) => success({ code }), fail);
    },
    requestPayment({ success, fail, provider, ...sheet }) {
      const paid = async () => play('request-payment', { ...sheet, user, appId: appid, outcome: await decide() });
      const heard = ({ errMsg = '', why }: Record<string, string>) => {
        // The payer has put the phone away: nothing is ever heard.
        if (!errMsg) return;
        if (errMsg.endsWith(':ok')) success({ errMsg });
        else fail({ errMsg: why ? `${errMsg} (${why})` : errMsg });
      };
      paid().then(heard, (error: PlatformError) => fail({ errMsg: `requestPayment:fail ${error.errMsg}` }));
    },
  };
}

function ask(platform: Sheet): Promise<Outcome> {
  const itemList = ['确认支付（模拟）', '余额不足（模拟）'];
  return new Promise((resolve) => {
    platform.showActionSheet({
      itemList,
      success: ({ tapIndex }) => resolve(tapIndex === 0 ? 'pay' : 'insufficient'),
      fail: () => resolve('cancel'),
    });
  });
}

import { type Order, type Pay, type PayResult, createPay } from 'suanpan-mp';
import { simulated } from 'suanpan-mp/simulator';
import { config } from '../config';
import { where } from './shop';

/** One for each app: it is what knows of a payment that is under way. */
const pays = new Map<string, Pay>();

/** 上线的小程序只需要一行 createPay({ baseUrl })；模拟器里有好几个小程序，所以按订单的 app 来。 */
export async function pay({ id, app }: Order): Promise<PayResult> {
  const { suanpan: baseUrl } = await where();
  const known = pays.get(app) ?? createPay({
    baseUrl,
    platform: config.simulator ? simulated(wx, { url: config.simulator, appid: app }) : wx,
  });
  pays.set(app, known);
  return known(id);
}

// A merchant's system, typed by nothing but docs/openapi.json: one order, from its creation to the money that went back.

import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema';

export type Suanpan = Client<paths>;
export type Order = components['schemas']['Order'];
export type Refund = components['schemas']['Refund'];
export type Problem = components['schemas']['Problem'];

export function connect(baseUrl: string, key: string): Suanpan {
  return createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });
}

/** Suanpan said no. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.detail}; ${problem.remedy}`);
  }
}

function good<Data>({ data, error }: { data?: Data; error?: Problem }): Data {
  if (data === undefined) throw error ? new Refused(error) : new Error('neither an answer nor a problem');
  return data;
}

/** Where events go, and the secret that they are signed with. */
export async function listen(suanpan: Suanpan, url: string): Promise<{ id: string; secret: string }> {
  const { id, secret } = good(await suanpan.POST('/v1/webhook-endpoints', { body: { url, events: ['order.paid', 'refund.succeeded'] } }));
  return { id, secret };
}

/** The reference is the key, too: the same order is made once. */
export async function sell(suanpan: Suanpan, reference: string, app: string): Promise<Order> {
  return good(await suanpan.POST('/v1/orders', {
    params: { header: { 'Idempotency-Key': reference } },
    body: { reference, app, amount: 990, description: '龙井一杯', metadata: { table: 7 } },
  }));
}

/** What the mini program does: the five fields for `wx.requestPayment`, or nothing where there is nothing to pay. */
export async function sheet(suanpan: Suanpan, orderId: string, code: string) {
  const answer = good(await suanpan.POST('/miniprogram/pay', { body: { orderId, code } }));
  return 'alreadyPaid' in answer ? null : answer;
}

export async function confirmed(suanpan: Suanpan, id: string): Promise<Order> {
  return good(await suanpan.POST('/miniprogram/orders/{id}/confirm', { params: { path: { id } } }));
}

export async function refund(suanpan: Suanpan, id: string, amount: number): Promise<Refund> {
  return good(await suanpan.POST('/v1/orders/{id}/refunds', { params: { path: { id } }, body: { amount, reason: '少放了糖' } }));
}

export async function refunded(suanpan: Suanpan, id: string): Promise<Refund> {
  return good(await suanpan.GET('/v1/refunds/{id}', { params: { path: { id } } }));
}

export async function order(suanpan: Suanpan, id: string): Promise<Order> {
  return good(await suanpan.GET('/v1/orders/{id}', { params: { path: { id } } }));
}

/** Every paid order, page by page. */
export async function* paid(suanpan: Suanpan): AsyncGenerator<Order> {
  let cursor: string | null = null;
  do {
    const page: components['schemas']['OrderList'] = good(await suanpan.GET('/v1/orders', {
      params: { query: { status: 'paid', limit: 2, ...(cursor !== null && { cursor }) } },
    }));
    yield* page.data;
    cursor = page.next_cursor;
  } while (cursor !== null);
}

/** What happened to this order, by kind, with how often it was delivered where. */
export async function told(suanpan: Suanpan, orderId: string): Promise<Map<string, components['schemas']['EventWithDeliveries']>> {
  const { data: events } = good(await suanpan.GET('/v1/events'));
  const ours = events.filter(({ data }) => data.id === orderId || data.order_id === orderId);
  const full = ours.map(async ({ id }) => good(await suanpan.GET('/v1/events/{id}', { params: { path: { id } } })));
  return new Map((await Promise.all(full)).map((event) => [event.type, event]));
}

export async function forget(suanpan: Suanpan, id: string): Promise<void> {
  const { error } = await suanpan.DELETE('/v1/webhook-endpoints/{id}', { params: { path: { id } } });
  if (error) throw new Refused(error);
}

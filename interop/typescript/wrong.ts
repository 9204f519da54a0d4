// Checked by tsc, never run: what is wrong is a type error before it is an HTTP status. An error that does not come is one.

import { type Order, type Suanpan, order } from './merchant';
import type { components } from './schema';

// openapi-fetch itself lets a field through that is one too many: whoever names the body's type is told.
type NewOrder = components['schemas']['NewOrder'];
type PayRequest = components['schemas']['PayRequest'];

export async function wrong(suanpan: Suanpan, made: Order): Promise<void> {
  // @ts-expect-error money is a number of fen, not a text
  await suanpan.POST('/v1/orders', { body: { reference: 'tea-1', amount: '9.90', description: '龙井一杯' } });
  // @ts-expect-error there is no such field
  await suanpan.POST('/v1/orders', { body: { reference: 'tea-1', amount: 990, description: '龙井一杯', amout: 990 } satisfies NewOrder });
  // @ts-expect-error an order has a reference
  await suanpan.POST('/v1/orders', { body: { amount: 990, description: '龙井一杯' } });
  // @ts-expect-error the phone says who pays which order, and never how much
  await suanpan.POST('/miniprogram/pay', { body: { code: '', orderId: made.id, amount: 1 } satisfies PayRequest });
  // @ts-expect-error there is no such endpoint
  await suanpan.POST('/v1/order', {});
  // @ts-expect-error orders are never deleted
  await suanpan.DELETE('/v1/orders/{id}', { params: { path: { id: made.id } } });
  // @ts-expect-error which order?
  await suanpan.GET('/v1/orders/{id}');
  // @ts-expect-error a page is asked for by number
  await suanpan.GET('/v1/orders', { params: { query: { limit: 'all' } } });
  // @ts-expect-error what comes back has no such field
  (await order(suanpan, made.id)).total;
  // @ts-expect-error an order is never refunded: amount_refunded says how much went back
  if (made.status === 'refunded') return;
  // @ts-expect-error it may not be paid yet
  made.paid_at.slice(0, 10);
  // @ts-expect-error a problem has a code, and no error number
  const { error } = await suanpan.GET('/v1/orders/{id}', { params: { path: { id: made.id } } }); error?.errno;
}

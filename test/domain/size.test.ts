import { expect, it } from 'vitest';
import { LIMITS } from '../../domain/limits.ts';
import { deadlineOf } from '../../domain/time.ts';
import { view } from '../../domain/view.ts';
import * as s from './support.ts';

/**
 * An order of 1,000 items stays cheap: no command looks at every item for every item. The limits are generous, for slow
 * machines; such a slip costs a hundred times more.
 */
const items = Array.from({ length: LIMITS.items }, (_, index) => ({
  quantity: 3,
  amount: 1000 + index,
  deliveryTimeoutSeconds: 600,
  onFailure: 'refund' as const,
}));
const order = s.paid({ items, discount: 777, deliveryFee: 999 });
const ids = order.order.items.map(({ id }) => id);
const oneOfEach = s.units(...ids.map((id): [typeof id, number] => [id, 1]));

it('takes each of 1,000 items reported twice', () => {
  const begin = performance.now();
  const told = ids.flatMap((id) => [s.report(id, 'delivering'), s.report(id, 'delivered')]);
  const delivered = told.reduce((now, report) => s.tell(now, report, order.now).order, order.order);
  expect(delivered.items.every(({ status }) => status === 'delivered')).toBe(true);
  expect(performance.now() - begin).toBeLessThan(6000); // 0.2 ms each here.
});

it('refunds 1,000 items by one application, again and again', () => {
  const begin = performance.now();
  let now = order.order;
  for (const name of ['a', 'b', 'c']) {
    for (const step of [s.apply(name, oneOfEach), s.approve(name), s.refunded(name)])
      now = s.tell(now, step, order.now).order;
    view(now);
  }
  expect(now).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
  expect(performance.now() - begin).toBeLessThan(1500); // 2 ms each here.
});

it('times out 1,000 items together, and gives their money back by one refund', () => {
  const begin = performance.now();
  const due = deadlineOf(order.order)!;
  const late = s.tell(order.order, s.time, due);
  expect(late.types).toEqual(['item.delivery_updated', 'order.processing', 'refund.requested']);
  expect(s.lastRefund(late.order).amount).toBe(order.order.total);
  expect(s.tell(late.order, s.refunded(s.DELIVERY_REFUND), due).order.status).toBe('cancelled');
  expect(performance.now() - begin).toBeLessThan(500);
});

import { expect, it } from 'vitest';
import type { Command } from '../../domain/commands.ts';
import { dutiesOf } from '../../domain/duties.ts';
import { deliveryRefundId } from '../../domain/ids.ts';
import type { Order } from '../../domain/order.ts';
import { LIMITS } from '../../domain/limits.ts';
import { deadlineOf } from '../../domain/time.ts';
import { view } from '../../domain/view.ts';
import * as s from './support.ts';

/**
 * An order of 1,000 items stays cheap: no command looks at every item for every item. Counted in time of the CPU, since
 * others may be using it; the limits are generous, for slow machines: such a slip costs a hundred times more.
 */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
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
  const begin = cpuMs();
  const told = ids.flatMap((id) => [s.report(id, 'delivering'), s.report(id, 'delivered')]);
  const delivered = told.reduce((now, report) => s.tell(now, report, order.now).order, order.order);
  expect(delivered.items.every(({ status }) => status === 'delivered')).toBe(true);
  expect(cpuMs() - begin).toBeLessThan(6000); // 0.2 ms each here.
});

it('refunds 1,000 items by one application, again and again', () => {
  const begin = cpuMs();
  let now = order.order;
  for (const name of ['a', 'b', 'c']) {
    for (const step of [s.apply(name, oneOfEach), s.approve(name), s.refunded(name)])
      now = s.tell(now, step, order.now).order;
    view(now);
  }
  expect(now).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
  expect(cpuMs() - begin).toBeLessThan(1500); // 2 ms each here.
});

it('times out 1,000 items together, and gives their money back by one refund', () => {
  const begin = cpuMs();
  const due = deadlineOf(order.order)!;
  const late = s.tell(order.order, s.time, due);
  expect(late.types).toEqual(['item.delivery_updated', 'order.processing', 'refund.requested']);
  expect(s.lastRefund(late.order).amount).toBe(order.order.total);
  expect(s.tell(late.order, s.refunded(s.DELIVERY_REFUND), due).order.status).toBe('cancelled');
  expect(cpuMs() - begin).toBeLessThan(500);
});

const machines = s.paid({ items: items.map((item) => ({ ...item, fulfilment: 'machine' as const })) });

it('dispatches 1,000 items, each told of twice by its machine', () => {
  const begin = cpuMs();
  expect(dutiesOf(machines.order)).toHaveLength(LIMITS.items);
  const told = ids.flatMap((id) => [s.dispatched(id), s.machineReport(id, 1, 'delivered', 3)]);
  const { status } = [...told, ...told].reduce((now, fact) => s.tell(now, fact, machines.now).order, machines.order);
  expect(status).toBe('completed');
  expect(cpuMs() - begin).toBeLessThan(15_000); // 0.3 ms each here.
});

/** Temporal takes no payload above 2 MB; a run that opens a stored order again loads all of it, and its timeline. */
const PAYLOAD_BYTES = 2_000_000 - 300_000;

it('fits into one payload, whatever is applied for, and however many deliveries fail one by one', () => {
  const text = '\u8336'.repeat(LIMITS.reasonLength);
  const steps = Array.from({ length: LIMITS.refundApplications }, (_, index) => {
    const ask = index < LIMITS.namedItems / LIMITS.items ? oneOfEach : s.amount(1);
    return [
      { ...s.apply(`a${index}`, ask), reason: text },
      { ...s.reject(`a${index}`), note: text },
    ] as Command[];
  });
  const applied = steps.flat().reduce((now, step) => s.tell(now, step, order.now).order, order.order);
  expect(applied.refunds).toHaveLength(LIMITS.refundApplications);
  const tracking = { carrier: 'SF Express', number: 'SF1234567890123' };
  const some = ids.slice(0, 50); // All of them take a minute; each costs the same room.
  const failed = some.reduce((before, id, index) => {
    const now = s.tell(before, s.report(id, 'failed', null, tracking), order.now).order;
    return s.tell(now, s.refunded(deliveryRefundId(s.ID, index)), order.now).order;
  }, applied);
  expect(failed.refunds).toHaveLength(LIMITS.refundApplications + some.length);
  const bytes = (now: Order) => Buffer.byteLength(JSON.stringify(now));
  const each = (bytes(failed) - bytes(applied)) / some.length;
  expect(bytes(applied) + each * LIMITS.items).toBeLessThan(PAYLOAD_BYTES);
});

it('refuses applications that would name more items than that', () => {
  const named = s.units(...ids.slice(0, 900).map((id): [typeof id, number] => [id, 1]));
  const rejected = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => [s.apply(name, named), s.reject(name)]);
  const now = rejected.reduce((told, step) => s.tell(told, step, order.now).order, order.order);
  expect(s.tell(now, s.apply('f', named), order.now).refused).toBe('limit_reached');
  expect(s.tell(now, s.apply('f', s.units([ids[0]!, 1])), order.now).refused).toBeNull();
  expect(s.tell(now, s.apply('f', s.all), order.now).refused).toBeNull();
});

import { describe, expect, it } from 'vitest';
import type { Order } from '../../domain/order.ts';
import { codeIsLive, hasCode } from '../../domain/pickup.ts';
import { deadlineOf } from '../../domain/time.ts';
import * as s from './support.ts';

const { all, amount, apply, approve, FIRST, given, paid, redeem, reject, report, SECOND, units } = s;

const WEEK = 7 * s.DAY;
const pickup = { fulfilment: 'pickup' as const, amount: 50, deliveryTimeoutSeconds: WEEK / 1000 };
const two: s.Terms = { items: [{ ...pickup, quantity: 2 }, pickup] };
const statuses = (order: Order) => order.items.map(({ status }) => status);
const INVALID = { refused: 'pickup_code_invalid', events: [] };

describe('a pick-up code', () => {
  it('hands out all that waits for it, once', () => {
    const { order, types } = paid(two).when(redeem('one'));
    expect(types).toEqual(['item.delivery_updated', 'code_redeemed', 'order.processing', 'order.completed']);
    expect(statuses(order)).toEqual(['picked_up', 'picked_up']);
    expect(order.items.map(({ arrived, sends }) => [arrived, sends])).toEqual([
      [2, 1],
      [1, 1],
    ]);
    expect(order.redemption).toEqual({
      id: 'one',
      items: [
        { item: FIRST, quantity: 2 },
        { item: SECOND, quantity: 1 },
      ],
    });
    expect(s.tell(order, redeem('two'), s.T0)).toMatchObject(INVALID);
    expect(s.tell(order, redeem('one'), s.T0)).toMatchObject({ events: [], refused: null });
  });
  it('hands out nothing else', () => {
    const { order } = paid({ items: [pickup, { amount: 50 }] }).when(redeem('one'));
    expect(statuses(order)).toEqual(['picked_up', 'waiting']);
    expect(paid({ items: [{ amount: 50 }] }).when(redeem('one'))).toMatchObject(INVALID);
  });
  it('hands out what is left of what arrived and what was withdrawn', () => {
    const part: s.Terms = { items: [{ ...pickup, quantity: 3, amount: 90 }] };
    const story = paid(part, apply('a', units([FIRST, 1])), approve('a'), report(FIRST, 'picked_up', 1));
    const { order } = story.when(redeem('one'));
    expect(order.redemption?.items).toEqual([{ item: FIRST, quantity: 1 }]);
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'picked_up', arrived: 2, withdrawn: 1 });
  });
  it('is refused alike while unpaid, when used, for a test order, and when all went back', () => {
    expect(given(two).when(redeem('one'))).toMatchObject(INVALID);
    expect(paid(two, redeem('one')).when(redeem('two'))).toMatchObject(INVALID);
    expect(paid(two, report(FIRST, 'picked_up'), report(SECOND, 'delivered')).when(redeem('one'))).toMatchObject(
      INVALID,
    );
    expect(given({ ...two, test: true }).when(redeem('one'))).toMatchObject(INVALID);
    const failed = paid(two, report(FIRST, 'failed'), report(SECOND, 'failed'));
    expect(failed.when(redeem('one'))).toMatchObject(INVALID);
    expect(paid(two, apply('a', all), approve('a')).when(redeem('one'))).toMatchObject(INVALID);
    expect(paid(two, apply('a', all), approve('a'), s.refunded('a')).when(redeem('one'))).toMatchObject(INVALID);
  });
  it('is refused while a refund of the order is under review, whoever applied, and opens after a rejection', () => {
    for (const asking of [apply('a', amount(1)), apply('a', units([SECOND, 1]), 'shop'), s.cancel()]) {
      const asked = paid(two, asking);
      expect(asked.when(redeem('one'))).toMatchObject(INVALID);
      expect(asked.when(reject(s.lastRefund(asked.order).id, 'other')).order.status).toBe('paid');
      expect(paid(two, asking, reject(s.lastRefund(asked.order).id, 'other')).when(redeem('one')).refused).toBeNull();
    }
    expect(paid(two, apply('a', amount(1)), approve('a')).when(redeem('one')).refused).toBeNull();
  });
  it('expires with its timer, to the millisecond, and opens again by redelivery', () => {
    const story = paid(two);
    const due = story.order.paidAt! + WEEK;
    expect(deadlineOf(story.order)).toBe(due);
    expect(s.tell(story.order, redeem('one'), due - 1).refused).toBeNull();
    expect(s.tell(story.order, redeem('one'), due)).toMatchObject(INVALID);
    const expired = s.tell(story.order, s.time, due).order;
    expect(statuses(expired)).toEqual(['timed_out', 'timed_out']);
    expect(s.tell(expired, redeem('one'), due)).toMatchObject(INVALID);
    const again = s.tell(expired, s.redeliver(SECOND), due).order;
    expect(deadlineOf(again)).toBe(due + WEEK);
    expect(statuses(s.tell(again, redeem('one'), due + 1).order)).toEqual(['timed_out', 'picked_up']);
  });
});

describe('the timer of a pick-up item', () => {
  it('stands still while a refund is under review, and what was reviewed at the same time counts once', () => {
    const story = paid(two);
    const { paidAt } = story.order;
    const asked = [s.at(paidAt! + s.HOUR, apply('a', amount(1))), s.at(paidAt! + 2 * s.HOUR, apply('b', amount(1)))];
    const under = given(two, s.pay(), s.opened(s.PAY_1), s.money(s.PAY_1, 100), ...asked);
    expect(s.tell(under.order, s.time, paidAt! + 2 * WEEK).types).toEqual(['refund.overdue', 'refund.overdue']);
    const one = s.tell(under.order, reject('a', 'other'), paidAt! + 4 * s.HOUR).order;
    expect(s.tell(one, s.time, paidAt! + 2 * WEEK).types).not.toContain('item.delivery_updated');
    const none = s.tell(one, approve('b', 'other'), paidAt! + 5 * s.HOUR).order;
    expect(s.tell(none, s.time, paidAt! + WEEK + 4 * s.HOUR - 1).types).not.toContain('item.delivery_updated');
    expect(s.tell(none, s.time, paidAt! + WEEK + 4 * s.HOUR).types).toContain('item.delivery_updated');
  });
  it('runs from payment whatever is reported, and anew only once it was late', () => {
    const tracked = report(FIRST, 'delivering', null, { carrier: 'SF', number: '1' });
    const story = paid(two, s.at(s.T0 + s.DAY, report(FIRST, 'delivering')), s.at(s.T0 + 2 * s.DAY, tracked));
    const due = story.order.paidAt! + WEEK;
    expect(deadlineOf(story.order)).toBe(due);
    const partly = s.tell(story.order, report(FIRST, 'picked_up', 1), due - 1).order;
    const late = s.tell(partly, s.time, due).order;
    expect(statuses(late)).toEqual(['timed_out', 'timed_out']);
    const again = s.tell(late, s.redeliver(FIRST), due + s.DAY).order;
    expect(deadlineOf(s.tell(again, tracked, due + 2 * s.DAY).order)).toBe(due + s.DAY + WEEK);
  });
  it('of other items does not stand still for a refund of the order', () => {
    const shipment: s.Terms = { items: [{ ...pickup, fulfilment: 'shipment', deliveryTimeoutSeconds: 60 }] };
    const asked = paid(shipment, apply('a', amount(1)));
    expect(asked.when(s.at(asked.order.paidAt! + s.MINUTE)).types).toContain('item.delivery_updated');
  });
});

describe('a code is kept for its order', () => {
  it('as long as it may open something one day', () => {
    expect(hasCode(paid({}).order)).toBe(false);
    const story = paid(two);
    expect(hasCode(story.order)).toBe(true);
    for (const { order } of [given(two), story, paid(two, apply('a', all))]) expect(codeIsLive(order)).toBe(true);
    const expired = s.tell(story.order, s.time, story.order.paidAt! + WEEK).order;
    expect(codeIsLive(expired)).toBe(true);
    for (const { order } of [
      paid(two, redeem('one')),
      paid(two, apply('a', all), approve('a'), s.refunded('a')),
      given({ ...two, test: true }),
      given(two).when(s.at(s.EXPIRY)),
    ])
      expect(codeIsLive(order)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { dutiesOf, isSettled } from '../../domain/duties.ts';
import { openOrder } from '../../domain/decide.ts';
import { openedWith } from '../../domain/new-order.ts';
import { deadlineOf } from '../../domain/time.ts';
import { refundStatus, statusOf, view } from '../../domain/view.ts';
import * as s from './support.ts';

const {
  all,
  apply,
  approve,
  CANCELLATION,
  CANCELLATION_2,
  FIRST,
  given,
  money,
  paid,
  PAY_1,
  reject,
  report,
  SECOND,
  units,
} = s;
const started = [s.pay(), s.opened(PAY_1)];
const two: s.Terms = { items: [{ amount: 60 }, { amount: 40 }] };

describe('cancelling an unpaid order', () => {
  it.each(['customer', 'merchant'] as const)('ends it at once if nothing is open, for the %s', (who) => {
    const { order, events } = given({}).when(s.cancel(who));
    expect(events.map(({ type }) => type)).toEqual(['closing_began', 'order.cancelled']);
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: who });
    expect(events[1]).toMatchObject({ detail: 'changed my mind', by: { type: who } });
    expect(isSettled(order)).toBe(true);
  });
  it('closes at the provider first, and answers the same when asked again', () => {
    const closing = given({}, ...started, s.cancel());
    expect(statusOf(closing.order)).toBe('pending_payment');
    expect(dutiesOf(closing.order)).toMatchObject([{ type: 'close_attempt' }]);
    expect(closing.when(s.cancel())).toMatchObject({ types: [], refused: null });
    expect(closing.when(s.at(s.EXPIRY + 1, s.cancel()))).toMatchObject({ types: [], refused: null });
    const { order, types } = closing.when(s.closed(PAY_1));
    expect(types).toEqual(['payment.closed', 'order.cancelled']);
    expect(s.tell(order, s.cancel('merchant'), s.T0)).toMatchObject({ types: [], refused: null });
    expect(order.cancelReason).toBe('customer');
  });
  it('takes no payment and no confirmation meanwhile', () => {
    expect(given({}, ...started, s.cancel()).when(s.pay()).refused).toBe('invalid_state');
    expect(given({ confirm: false }, s.confirm, ...started, s.cancel()).when(s.confirm).refused).toBe('invalid_state');
  });
  it('does not expire as well', () => {
    const closing = given({}, ...started, s.cancel());
    expect(closing.when(s.at(s.EXPIRY)).types).toEqual([]);
    expect(deadlineOf(closing.order)).toBe(closing.now + 15 * s.MINUTE);
  });
  it('works before the final yes', () => {
    expect(given({ confirm: false }).when(s.cancel()).order.status).toBe('cancelled');
  });
  it('becomes an application for a full refund if it was paid, and nothing is dispatched', () => {
    const digital: s.Terms = { items: [{ fulfilment: 'digital' }, {}] };
    const { order, types } = given(digital, ...started, s.cancel()).when(money(PAY_1, 200));
    expect(types).toEqual(['money_captured', 'order.paid', 'refund.requested']);
    expect(order).toMatchObject({ status: 'paid', ending: null });
    expect(order.refunds).toMatchObject([
      { id: CANCELLATION, origin: 'cancellation', amount: 200, status: 'requested', applicant: 'customer' },
    ]);
    expect(order.items.map(({ status }) => status)).toEqual(['waiting', 'waiting']);
  });
});

describe('cancelling a paid order', () => {
  const cancelled = paid(two, s.cancel());
  it('applies for all that is left, and answers the same when asked again', () => {
    expect(cancelled.order.refunds).toMatchObject([{ origin: 'cancellation', amount: 100, status: 'requested' }]);
    expect(cancelled.when(s.cancel())).toMatchObject({ types: [], refused: null });
    expect(paid(two, s.cancel(), approve(CANCELLATION)).when(s.cancel())).toMatchObject({ types: [], refused: null });
    const ended = paid(two, s.cancel(), approve(CANCELLATION), s.refunded(CANCELLATION));
    expect(ended.order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
    expect(ended.when(s.cancel())).toMatchObject({ types: [], refused: null });
  });
  it('is refused once an item is past `waiting`, or another application is undecided', () => {
    expect(paid(two, report(FIRST, 'delivering')).when(s.cancel()).refused).toBe('invalid_state');
    expect(paid(two, apply('a', units([SECOND, 1]))).when(s.cancel()).refused).toBe('invalid_state');
    expect(paid({ items: [{ fulfilment: 'digital' }] }).when(s.cancel()).refused).toBe('invalid_state');
    expect(paid(two, apply('a', all), approve('a')).when(s.cancel()).refused).toBe('invalid_state');
  });
  it('asks for the rest if a part is on its way back', () => {
    const { order } = paid(two, apply('a', s.amount(30)), approve('a')).when(s.cancel());
    expect(s.lastRefund(order)).toMatchObject({ origin: 'cancellation', amount: 70 });
  });
  it('is decided by someone else than whoever cancelled', () => {
    expect(cancelled.when(approve(CANCELLATION, 'customer')).refused).toBe('forbidden');
  });
  it('withdraws everything when approved, even if an earlier refund failed meanwhile', () => {
    const story = paid(two, apply('a', s.amount(30)), approve('a'), s.cancel(), s.refundFails('a'));
    expect(story.when(approve(CANCELLATION)).order.items.map(({ withdrawn }) => withdrawn)).toEqual([1, 1]);
  });
  it('lets the order go on when rejected: digital goods are granted then', () => {
    const digital: s.Terms = { items: [{ fulfilment: 'digital', amount: 100 }] };
    const held = given(digital, ...started, s.cancel(), money(PAY_1));
    const { order, types } = held.when(reject(CANCELLATION));
    expect(types).toEqual(['refund.reviewed', 'item.delivery_updated', 'order.processing', 'order.completed']);
    expect(order.status).toBe('completed');
  });
  it('can be tried again after a rejection or a failure', () => {
    for (const decided of [[reject(CANCELLATION)], [approve(CANCELLATION), s.refundFails(CANCELLATION)]]) {
      const { order } = paid(two, s.cancel(), ...decided).when(s.cancel());
      expect(s.lastRefund(order)).toMatchObject({ id: CANCELLATION_2, amount: 100 });
    }
  });
  it('after which the goods can be delivered, if the refund failed and the next one is rejected', () => {
    const failed = [s.cancel(), approve(CANCELLATION), s.refundFails(CANCELLATION)];
    const stuck = paid(two, ...failed);
    expect(stuck.order.items.map(({ withdrawn }) => withdrawn)).toEqual([1, 1]);
    const { order } = paid(two, ...failed, s.cancel()).when(reject(CANCELLATION_2));
    expect(order.items.map(({ withdrawn }) => withdrawn)).toEqual([0, 0]);
  });
  it('dispatches nothing anew while it is undecided', () => {
    const failed = paid(two, s.cancel(), report(FIRST, 'failed'));
    expect(failed.when(s.redeliver(FIRST)).refused).toBe('invalid_state');
  });
  it('is not to be had for an order that was refunded otherwise, or has expired', () => {
    expect(paid(two, apply('a', all), approve('a'), s.refunded('a')).when(s.cancel()).refused).toBe('invalid_state');
    expect(given({}, s.at(s.EXPIRY)).when(s.cancel()).refused).toBe('order_expired');
  });
});

describe('free orders', () => {
  const free: s.Terms = { items: [{ amount: 100 }, { amount: 0, fulfilment: 'digital' }], discount: 100 };
  it('are paid at once, or on confirmation, without a provider', () => {
    const { order } = given(free);
    expect(order).toMatchObject({ status: 'processing', paidAt: s.T0, paidBy: null, payments: [] });
    const asked = given({ ...free, confirm: false });
    expect(asked.order.status).toBe('awaiting_confirmation');
    expect(asked.when(s.confirm).types.slice(0, 2)).toEqual(['order.confirmed', 'order.paid']);
    expect(asked.when(s.at(s.EXPIRY)).types).toContain('order.expired');
  });
  it('are cancelled at once before anything left `waiting`; what was not delivered is not delivered then', () => {
    const gift: s.Terms = { items: [{ amount: 0 }] };
    const { order, types } = given(gift).when(s.cancel());
    expect(types).toEqual(['order.cancelled']);
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'customer' });
    expect(s.tell(order, s.cancel(), s.T0)).toMatchObject({ types: [], refused: null });
    expect(s.tell(order, report(FIRST, 'delivering'), s.T0).types).toEqual([]);
    expect(s.tell(order, report(FIRST, 'delivered'), s.T0).types).toEqual(['delivered_after_refund']);
    expect(isSettled(order)).toBe(true);
    expect(given(free).when(s.cancel()).refused).toBe('invalid_state');
  });
  it('have nothing to refund but items, which settle at once; all of them end it', () => {
    const gifts: s.Terms = { items: [{ amount: 0 }, { amount: 0 }] };
    expect(given(gifts).when(apply('a', all)).refused).toBe('refund_exceeds_paid');
    expect(given(gifts).when(apply('a', s.amount(1))).refused).toBe('refund_exceeds_paid');
    const one = given(gifts, apply('a', units([FIRST, 1])), approve('a'));
    expect(one.order.items.map(({ status }) => status)).toEqual(['refunded', 'waiting']);
    expect(refundStatus(one.order)).toBe('none');
    const { order } = given(gifts, apply('a', units([FIRST, 1], [SECOND, 1]))).when(approve('a'));
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
    expect(isSettled(order)).toBe(true);
  });
  it('refund a failed delivery without a provider', () => {
    const { order } = given({ items: [{ amount: 0, onFailure: 'refund' }] }).when(report(FIRST, 'failed'));
    expect(order.items[0]!.status).toBe('refunded');
    expect(order.status).toBe('cancelled');
  });
});

describe('test orders', () => {
  const test: s.Terms = { test: true, items: [{ amount: 60 }, { amount: 40, fulfilment: 'digital' }], deliveryFee: 5 };
  it('are paid and delivered at once, without a provider', () => {
    const { order } = given(test);
    expect(view(order).amounts).toMatchObject({ total: 105, paid: 105, refunded: 0 });
    expect(order.items.map(({ status }) => status)).toEqual(['delivered', 'delivered']);
    expect(order.status).toBe('processing');
    expect(dutiesOf(order)).toEqual([]);
    expect(given(test).when(s.receipt).order.status).toBe('completed');
    expect(given(test).when(s.pay()).refused).toBe('already_paid');
  });
  it('settle refunds at once', () => {
    const { order, types } = given(test, apply('a', s.amount(40))).when(approve('a'));
    expect(types).toEqual(['refund.reviewed', 'refund.succeeded']);
    expect(view(order).amounts.refunded).toBe(40);
    expect(view(order).refunds[0]!.out_refund_no).toBeNull();
    expect(refundStatus(given(test, apply('a', all), approve('a')).order)).toBe('full');
  });
});

describe('an order', () => {
  it.each([{}, two, { confirm: false }, { test: true }, { items: [{ amount: 0 }] }])(
    'is opened again as it was opened: %j',
    (wanted: s.Terms) => {
      const { order, events } = openOrder(s.terms(wanted));
      expect(openOrder(openedWith(order, wanted.confirm ?? true))).toEqual({ order, events });
      expect(events[0]).toMatchObject({ type: 'order.created', by: { type: 'merchant' } });
      expect(JSON.parse(JSON.stringify(order))).toEqual(order);
    },
  );
});

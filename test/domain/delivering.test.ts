import { describe, expect, it } from 'vitest';
import { isSettled } from '../../domain/duties.ts';
import { attentionOf } from '../../domain/attention.ts';
import { leftAmount } from '../../domain/sums.ts';
import { deadlineOf } from '../../domain/time.ts';
import { isTimelineEvent } from '../../domain/events.ts';
import { refundStatus, viewAfter } from '../../domain/view.ts';
import * as s from './support.ts';

const {
  all,
  amount,
  apply,
  approve,
  DELIVERY_REFUND,
  DELIVERY_REFUND_2,
  FIRST,
  given,
  paid,
  reject,
  report,
  SECOND,
  THIRD,
  units,
} = s;
const codes = (order: Parameters<typeof attentionOf>[0]) => attentionOf(order).map(({ code }) => code);
const statuses = (order: Parameters<typeof attentionOf>[0]) => order.items.map(({ status }) => status);
const two: s.Terms = { items: [{ amount: 60 }, { amount: 40 }] };
const failing = (onFailure: 'refund' | 'ask') => ({ onFailure, amount: 50 }) as const;

describe('reports', () => {
  it('move an item on, and begin `processing` with the first', () => {
    const { order, types } = paid(two).when(report(FIRST, 'delivering'));
    expect(types).toEqual(['item.delivery_updated', 'order.processing']);
    expect(order.status).toBe('processing');
    expect(statuses(order)).toEqual(['delivering', 'waiting']);
  });
  it('are taken in any order, and change nothing where they would go back', () => {
    const delivered = paid(two, report(FIRST, 'delivered'));
    for (const late of ['delivering', 'failed', 'delivered'] as const)
      expect(delivered.when(report(FIRST, late))).toMatchObject({ types: [], refused: null });
    expect(paid(two, report(FIRST, 'failed')).when(report(FIRST, 'failed')).types).toEqual([]);
  });
  it('are refused where they make no sense', () => {
    expect(given(two).when(report(FIRST, 'delivered')).refused).toBe('invalid_state');
    expect(paid(two).when(report(THIRD, 'delivered')).refused).toBe('not_found');
    expect(paid(two).when(report(FIRST, 'delivered', 2)).refused).toBe('invalid_request');
  });
  it('tell of a parcel, also when only that is new', () => {
    const tracking = { carrier: 'SF', number: '1' };
    const sent = paid(two, report(FIRST, 'delivering', null, tracking));
    expect(s.itemAt(sent.order, 0).tracking).toEqual(tracking);
    expect(sent.when(report(FIRST, 'delivering', null, tracking)).types).toEqual([]);
    expect(sent.when(report(FIRST, 'delivering')).types).toEqual([]);
    const renewed = sent.when(report(FIRST, 'delivering', null, { carrier: 'SF', number: '2' }));
    expect(renewed.types).toEqual(['item.delivery_updated']);
    expect(s.itemAt(renewed.order, 0).tracking?.number).toBe('2');
  });
  it('take a failed or timed-out item up again, or tell that it arrived late', () => {
    for (const status of ['delivering', 'delivered', 'picked_up'] as const) {
      const { order } = paid(two, report(FIRST, 'failed')).when(report(FIRST, status));
      expect(s.itemAt(order, 0).status).toBe(status);
    }
  });
});

describe('what a notification holds', () => {
  it('is the whole order, but of a delivery only the items that changed', () => {
    const { order, events } = paid(two).when(report(SECOND, 'delivering'));
    const held = events.filter(isTimelineEvent).map((event) => viewAfter(order, event).items.map(({ id }) => id));
    expect(held).toEqual([[SECOND], [FIRST, SECOND]]);
  });
});

describe('quantities', () => {
  const three: s.Terms = { items: [{ quantity: 3, amount: 90 }] };
  it('are how many have arrived in all; none means all that can', () => {
    const some = paid(three, report(FIRST, 'delivered', 1));
    expect(s.itemAt(some.order, 0)).toMatchObject({ status: 'delivering', arrived: 1 });
    expect(some.when(report(FIRST, 'delivered', 1)).types).toEqual([]);
    expect(s.itemAt(some.when(report(FIRST, 'delivered')).order, 0)).toMatchObject({ status: 'delivered', arrived: 3 });
  });
  it('never go back', () => {
    expect(paid(three, report(FIRST, 'delivered', 2)).when(report(FIRST, 'delivered', 1)).types).toEqual([]);
  });
  it('count what arrived before the rest failed', () => {
    const { order } = paid(three).when(report(FIRST, 'failed', 2));
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'failed', arrived: 2 });
  });
  it('make an item delivered when arrived and refunded are the whole', () => {
    const part = paid(three, apply('a', units([FIRST, 1])), approve('a'));
    expect(s.itemAt(part.order, 0)).toMatchObject({ status: 'waiting', withdrawn: 1 });
    const { order } = part.when(report(FIRST, 'delivered'));
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'delivered', arrived: 2 });
    const other = paid(three, report(FIRST, 'delivered', 2), apply('a', units([FIRST, 1])), approve('a'));
    expect(s.itemAt(other.order, 0).status).toBe('delivering');
    expect(s.itemAt(other.when(s.refunded('a')).order, 0)).toMatchObject({ status: 'delivered', arrived: 2 });
  });
  it('that failed are refunded by themselves, and the item is delivered with the rest', () => {
    const story = paid({ items: [{ quantity: 3, amount: 90, onFailure: 'refund' }] }, report(FIRST, 'failed', 2));
    expect(story.order.refunds).toMatchObject([{ origin: 'delivery_failure', amount: 30, status: 'approved' }]);
    const { order } = story.when(s.refunded(DELIVERY_REFUND));
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'delivered', arrived: 2, withdrawn: 1 });
  });
});

describe('completion', () => {
  it('of digital goods is at once: they are granted when paid', () => {
    const { order, types } = given({ items: [{ fulfilment: 'digital', quantity: 2 }] }, s.pay()).when(s.money(s.PAY_1));
    expect(types.slice(1)).toEqual(['order.paid', 'item.delivery_updated', 'order.processing', 'order.completed']);
    expect(order).toMatchObject({ status: 'completed', receivedAt: null });
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'delivered', arrived: 2 });
    expect(isSettled(order)).toBe(true);
    expect(s.tell(order, s.receipt, s.T0)).toMatchObject({ types: [], refused: null });
  });
  it('of shipments needs the receipt, which needs all of them', () => {
    const one = paid(two, report(FIRST, 'delivered'));
    expect(one.when(s.receipt).refused).toBe('invalid_state');
    const both = paid(two, report(FIRST, 'delivered'), report(SECOND, 'delivered'));
    expect(both.order.status).toBe('processing');
    const { order, types } = both.when(s.receipt);
    expect(types).toEqual(['order.received', 'order.completed']);
    expect(order.completedAt).toBe(both.now + s.SECOND_MS);
    expect(s.tell(order, s.receipt, s.T0)).toMatchObject({ types: [], refused: null });
    expect(given(two).when(s.receipt).refused).toBe('invalid_state');
  });
  it('comes by itself some time after the last delivery', () => {
    const both = paid({ ...two, autoReceiptAfterSeconds: 60 }, report(FIRST, 'delivered'), report(SECOND, 'delivered'));
    expect(deadlineOf(both.order)).toBe(both.now + s.MINUTE);
    expect(both.when(s.at(both.now + s.MINUTE - 1)).types).toEqual([]);
    expect(both.when(s.at(both.now + s.MINUTE)).types).toEqual(['order.received', 'order.completed']);
  });
  it('counts from the last delivery, not from a refund of something else', () => {
    const story = paid(two, report(FIRST, 'delivered'));
    const delivered = story.now;
    const { order } = s.tell(
      given(
        two,
        s.pay(),
        s.money(s.PAY_1),
        s.at(delivered, report(FIRST, 'delivered')),
        apply('a', units([SECOND, 1])),
        approve('a'),
      ).order,
      s.refunded('a'),
      delivered + s.DAY,
    );
    expect(deadlineOf(order)).toBe(delivered + 14 * s.DAY);
  });
  it('counts from the last arrival, not from what was told or refunded of the same goods later', () => {
    const more: s.Terms = { items: [{ quantity: 2, amount: 100 }], autoReceiptAfterSeconds: 60 };
    const story = paid(more, report(FIRST, 'delivered', 1), apply('a', units([FIRST, 1])), approve('a'));
    const arrived = s.itemAt(story.order, 0).updatedAt!;
    const tracked = s.tell(story.order, report(FIRST, 'delivering', null, { carrier: 'SF', number: '1' }), arrived + 9);
    expect(tracked.types).toContain('item.delivery_updated');
    expect(deadlineOf(s.tell(tracked.order, s.refunded('a'), arrived + s.SECOND_MS).order)).toBe(arrived + s.MINUTE);
  });
  it('of a mixed order needs both', () => {
    const mixed = { items: [{ fulfilment: 'digital' as const }, {}] };
    const { order } = paid(mixed);
    expect(order.status).toBe('processing');
    expect(paid(mixed, report(SECOND, 'delivered')).when(s.receipt).order.status).toBe('completed');
  });
  it('does not wait for items whose money went back', () => {
    const story = paid(two, report(FIRST, 'delivered'), apply('a', units([SECOND, 1])), approve('a'));
    expect(story.when(s.receipt).refused).toBe('invalid_state');
    const { order } = story.when(s.refunded('a'));
    expect(statuses(order)).toEqual(['delivered', 'refunded']);
    expect(s.tell(order, s.receipt, s.T0).order.status).toBe('completed');
  });
  it('stays, whatever is refunded later', () => {
    const { order } = paid({ items: [{ fulfilment: 'digital' }] }, apply('a', all), approve('a')).when(s.refunded('a'));
    expect(order).toMatchObject({ status: 'completed', cancelReason: null });
    expect(statuses(order)).toEqual(['refunded']);
    expect(refundStatus(order)).toBe('full');
  });
  it('is reviewed once', () => {
    const done = paid(two, report(FIRST, 'delivered'), report(SECOND, 'delivered'), s.receipt, s.rate(5));
    expect(done.order.review).toEqual({ rating: 5, comment: null });
    expect(done.when(s.rate(5))).toMatchObject({ types: [], refused: null });
    expect(done.when(s.rate(4)).refused).toBe('invalid_state');
    expect(paid(two).when(s.rate(5)).refused).toBe('invalid_state');
  });
});

describe('refunds and deliveries', () => {
  it('do not stop each other before the decision', () => {
    const asked = paid(two, apply('a', all));
    expect(asked.when(report(FIRST, 'delivered')).types).toContain('item.delivery_updated');
    expect(s.itemAt(asked.order, 0).withdrawn).toBe(0);
  });
  it('withdraw on approval what still waits: what is named', () => {
    const { order } = paid(two, apply('a', units([SECOND, 1]))).when(approve('a'));
    expect(order.items.map(({ withdrawn }) => withdrawn)).toEqual([0, 1]);
    expect(s.tell(order, report(SECOND, 'delivering'), s.T0).types).toEqual([]);
  });
  it('withdraw all where this brings the refunds to all that was paid', () => {
    const part = paid(two, apply('a', amount(30)), approve('a'), apply('b', amount(70)));
    expect(part.order.items.map(({ withdrawn }) => withdrawn)).toEqual([0, 0]);
    expect(part.when(approve('b')).order.items.map(({ withdrawn }) => withdrawn)).toEqual([1, 1]);
    const onlyPart = paid(two, apply('a', amount(30)), apply('b', all)).when(approve('b'));
    expect(onlyPart.order.items.map(({ withdrawn }) => withdrawn)).toEqual([0, 0]);
  });
  it('let go on what is under way, until the money is back', () => {
    const story = paid(two, report(FIRST, 'delivering'), apply('a', all), approve('a'));
    expect(story.order.items.map(({ withdrawn }) => withdrawn)).toEqual([0, 1]);
    const arrived = story.when(report(FIRST, 'delivered'));
    expect(statuses(arrived.order)).toEqual(['delivered', 'waiting']);
    const { order } = s.tell(arrived.order, s.refunded('a'), s.T0);
    expect(statuses(order)).toEqual(['refunded', 'refunded']);
    expect(order.status).toBe('processing');
    expect(s.tell(order, s.receipt, s.T0).order.status).toBe('completed');
  });
  it('cancel the order when all goes back before anything arrived', () => {
    const { order, types } = paid(two, report(FIRST, 'delivering'), apply('a', all), approve('a')).when(
      s.refunded('a'),
    );
    expect(types).toEqual(['refund.succeeded', 'order.cancelled']);
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
    expect(isSettled(order)).toBe(true);
  });
  it('flag goods that arrive after their money went back, once, and change nothing else', () => {
    const gone = paid(two, apply('a', units([FIRST, 1])), approve('a'), s.refunded('a'));
    const late = gone.when(report(FIRST, 'delivered'));
    expect(late.types).toEqual(['delivered_after_refund']);
    expect(s.itemAt(late.order, 0)).toEqual(s.itemAt(gone.order, 0));
    expect(codes(late.order)).toEqual(['delivered_after_refund']);
    expect(s.tell(late.order, report(FIRST, 'delivered'), s.T0).types).toEqual([]);
    expect(gone.when(report(FIRST, 'delivering')).types).toEqual([]);
    expect(gone.when(report(FIRST, 'failed')).types).toEqual([]);
    expect(codes(s.tell(late.order, s.retry, s.T0).order)).toEqual([]);
  });
  it('do not flag what had arrived before its money went back', () => {
    const story = paid(two, report(FIRST, 'delivered'), apply('a', units([FIRST, 1])), approve('a'), s.refunded('a'));
    expect(story.when(report(FIRST, 'delivered')).types).toEqual([]);
    expect(story.when(report(FIRST, 'delivered', 1)).types).toEqual([]);
  });
  it('flag units beyond those that are still owed, and goods of a withdrawn item', () => {
    const three: s.Terms = { items: [{ quantity: 3, amount: 90 }, {}] };
    const { order } = paid(three, apply('a', units([FIRST, 1])), approve('a')).when(report(FIRST, 'delivered', 3));
    expect(s.itemAt(order, 0)).toMatchObject({ arrived: 2, status: 'delivered' });
    expect(codes(order)).toEqual(['delivered_after_refund']);
    const withdrawn = paid(two, apply('a', units([FIRST, 1])), approve('a')).when(report(FIRST, 'delivered'));
    expect(withdrawn.types).toEqual(['delivered_after_refund']);
  });
  it('withdraw the same units only once, when a refund that failed is replaced', () => {
    const three: s.Terms = { items: [{ quantity: 3, amount: 90 }] };
    const failed = [apply('a', units([FIRST, 2])), approve('a'), s.refundFails('a')];
    const story = paid(three, ...failed, apply('b', units([FIRST, 2])), approve('b'), s.refunded('b'));
    expect(s.itemAt(story.order, 0).withdrawn).toBe(2);
    expect(s.itemAt(story.when(report(FIRST, 'delivered')).order, 0)).toMatchObject({
      status: 'delivered',
      arrived: 1,
    });
  });
  it('deliver after all what was withdrawn for a refund that failed, once its replacement is rejected', () => {
    const failed = [apply('a', units([FIRST, 1])), approve('a'), s.refundFails('a'), apply('b', units([FIRST, 1]))];
    expect(s.itemAt(paid(two, ...failed).order, 0).withdrawn).toBe(1);
    const { order } = paid(two, ...failed).when(reject('b'));
    expect(s.itemAt(order, 0).withdrawn).toBe(0);
    expect(s.tell(order, report(FIRST, 'delivered'), s.T0).types).toContain('item.delivery_updated');
  });
  it('complete although a withdrawn item was paid back by amount', () => {
    const failed = [apply('a', units([FIRST, 1])), approve('a'), s.refundFails('a')];
    const byAmount = [apply('b', amount(60)), approve('b')];
    const story = paid(two, ...failed, ...byAmount, report(SECOND, 'delivered'));
    expect(story.when(s.receipt).refused).toBe('invalid_state');
    const back = story.when(s.refunded('b')).order;
    expect(s.tell(back, s.receipt, s.T0).order.status).toBe('completed');
  });
});

describe('an order of which nothing arrived and not everything went back', () => {
  const partly = [apply('a', amount(10)), approve('a'), s.refunded('a'), s.cancel(), approve(s.CANCELLATION)];
  const reversed = [...partly, s.refundFails('a'), s.refunded(s.CANCELLATION)];
  it('stays open while the rest can be applied for', () => {
    const story = paid({}, ...reversed);
    expect(story.order.status).toBe('paid');
    const { order } = given({}, s.pay(), s.money(s.PAY_1), ...reversed, apply('b', amount(10)), approve('b')).when(
      s.refunded('b'),
    );
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
  });
  it('stays open while the rest is under way', () => {
    const one: s.Terms = { items: [{ onFailure: 'refund' }] };
    const story = paid(one, apply('a', amount(40)), approve('a'), report(FIRST, 'failed'), s.refunded(DELIVERY_REFUND));
    expect(statuses(story.order)).toEqual(['refunded']);
    expect(story.order.status).toBe('processing');
    expect(story.when(s.refunded('a')).order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
  });
  it('is completed when a person decides that it stays so', () => {
    expect(paid({}, ...reversed, apply('b', amount(10))).when(reject('b')).order.status).toBe('completed');
  });
});

describe('failed deliveries, where the merchant refunds by itself', () => {
  const terms: s.Terms = { items: [failing('refund'), failing('refund'), { amount: 50 }] };
  it('lead to an approved refund of what is left of their share', () => {
    const { order, types } = paid(terms).when(report(FIRST, 'failed'));
    expect(types).toEqual(['item.delivery_updated', 'order.processing', 'refund.requested']);
    expect(order.refunds).toMatchObject([
      { id: DELIVERY_REFUND, amount: 50, origin: 'delivery_failure', status: 'approved', reviewer: null },
    ]);
    expect(statuses(s.tell(order, s.refunded(DELIVERY_REFUND), s.T0).order)).toEqual([
      'refunded',
      'waiting',
      'waiting',
    ]);
  });
  it('are gathered: one at a time, the next takes all that failed meanwhile', () => {
    const five: s.Terms = { items: Array.from({ length: 3 }, () => failing('refund')) };
    const story = paid(five, report(FIRST, 'failed'), report(SECOND, 'failed'), report(THIRD, 'failed'));
    expect(story.order.refunds).toHaveLength(1);
    const { order } = story.when(s.refunded(DELIVERY_REFUND));
    expect(s.refundNamed(order, DELIVERY_REFUND_2)).toMatchObject({ amount: 100, status: 'approved' });
    expect(s.tell(order, s.refunded(DELIVERY_REFUND_2), s.T0).order.status).toBe('cancelled');
  });
  it('wait for an application that names the item, or asks for all, and take what it leaves', () => {
    for (const ask of [units([FIRST, 1]), all]) {
      const asked = paid(terms, apply('a', ask), report(FIRST, 'failed'));
      expect(asked.order.refunds).toHaveLength(1);
      expect(asked.when(approve('a')).order.refunds).toHaveLength(1);
    }
    const three: s.Terms = { items: [{ quantity: 3, amount: 90, onFailure: 'refund' }] };
    const part = paid(three, apply('a', units([FIRST, 1])), report(FIRST, 'failed'));
    expect(part.order.refunds).toHaveLength(1);
    expect(s.lastRefund(part.when(approve('a')).order)).toMatchObject({ id: DELIVERY_REFUND, amount: 60 });
  });
  it('wait for an application for all, also where their share is 0', () => {
    const gift: s.Terms = { items: [{ amount: 100 }, { amount: 0, onFailure: 'refund' }] };
    const asked = paid(gift, apply('a', all), report(SECOND, 'failed'));
    expect(asked.order.refunds).toHaveLength(1);
    expect(statuses(asked.when(reject('a')).order)).toEqual(['waiting', 'failed']);
  });
  it('wait for an application that holds the money they need, and take what it leaves', () => {
    const asked = paid(terms, apply('a', amount(120)), report(FIRST, 'failed'));
    expect(asked.order.refunds).toHaveLength(1);
    expect(s.lastRefund(asked.when(approve('a')).order)).toMatchObject({ id: DELIVERY_REFUND, amount: 30 });
    expect(s.lastRefund(asked.when(reject('a')).order)).toMatchObject({ id: DELIVERY_REFUND, amount: 50 });
    const small = paid(terms, apply('a', amount(100)), report(FIRST, 'failed'));
    expect(s.lastRefund(small.order)).toMatchObject({ id: DELIVERY_REFUND, amount: 50 });
  });
  it('are decided by a rejection that names them: nothing goes back, and the order can complete', () => {
    const one: s.Terms = { items: [failing('refund')] };
    const { order } = paid(one, apply('a', units([FIRST, 1])), report(FIRST, 'failed')).when(reject('a'));
    expect(order.refunds).toHaveLength(1);
    expect(order.status).toBe('completed');
    const byAmount = paid(one, apply('a', amount(10)), report(FIRST, 'failed')).when(reject('a'));
    expect(s.lastRefund(byAmount.order)).toMatchObject({ origin: 'delivery_failure', amount: 50 });
  });
  it('are tried again by themselves when their refund fails; meanwhile nothing is redelivered', () => {
    const failed = paid(terms, report(FIRST, 'failed'), s.refundFails(DELIVERY_REFUND));
    expect(s.lastRefund(failed.order).retryAt).not.toBeNull();
    expect(leftAmount(failed.order)).toBe(100);
    expect(failed.when(s.redeliver(FIRST)).refused).toBe('invalid_state');
    expect(failed.when(report(SECOND, 'failed')).order.refunds).toHaveLength(1);
  });
  it('withdraw what waits, if all that was paid goes back by that', () => {
    const { order } = paid({ items: [failing('refund'), { amount: 0 }] }).when(report(FIRST, 'failed'));
    expect(order.items.map(({ withdrawn }) => withdrawn)).toEqual([0, 1]);
    expect(s.tell(order, s.refunded(DELIVERY_REFUND), s.T0).order.status).toBe('cancelled');
  });
  it('settle at once where the share is 0', () => {
    const { order } = paid({ items: [{ amount: 100 }, { amount: 0, onFailure: 'refund' }] }).when(
      report(SECOND, 'failed'),
    );
    expect(s.lastRefund(order)).toMatchObject({ amount: 0, status: 'succeeded' });
    expect(statuses(order)).toEqual(['waiting', 'refunded']);
  });
});

describe('failed deliveries, where a person decides', () => {
  const terms: s.Terms = { items: [failing('ask'), { amount: 50 }] };
  it('are shown until somebody applies, redelivers, or a refund settles it', () => {
    const failed = paid(terms, report(FIRST, 'failed'));
    expect(failed.order.refunds).toEqual([]);
    expect(codes(failed.order)).toEqual(['delivery_failed']);
    expect(codes(failed.when(s.redeliver(FIRST)).order)).toEqual([]);
    expect(codes(failed.when(apply('a', units([FIRST, 1]))).order)).toEqual([]);
    expect(codes(failed.when(report(FIRST, 'delivered')).order)).toEqual([]);
  });
  it('keep the order open until they are decided', () => {
    const rest = paid(terms, report(FIRST, 'failed'), report(SECOND, 'delivered'));
    expect(rest.when(s.receipt).refused).toBe('invalid_state');
    const decided = paid(
      terms,
      report(FIRST, 'failed'),
      report(SECOND, 'delivered'),
      apply('a', units([FIRST, 1])),
      reject('a'),
    );
    expect(decided.when(s.receipt).types).toEqual(['order.received', 'order.completed']);
  });
  it('are not decided by a rejection from before they failed, nor by one of other items or of an amount', () => {
    for (const story of [
      [apply('a', units([FIRST, 1])), reject('a'), report(FIRST, 'failed')],
      [report(FIRST, 'failed'), apply('a', units([SECOND, 1])), reject('a')],
      [report(FIRST, 'failed'), apply('a', amount(10)), reject('a')],
    ])
      expect(s.itemAt(paid(terms, ...story).order, 0).failureDecided).toBe(false);
  });
  it('are open again when they are delivered again and fail again', () => {
    const decided = [report(FIRST, 'failed'), apply('a', all), reject('a')];
    const { order } = paid(terms, ...decided, s.redeliver(FIRST)).when(report(FIRST, 'failed'));
    expect(codes(order)).toEqual(['delivery_failed']);
  });
});

describe('redelivery', () => {
  const terms: s.Terms = { items: [failing('ask'), { amount: 50 }] };
  it('is of what failed or timed out, once at a time', () => {
    const again = paid(terms, report(FIRST, 'failed')).when(s.redeliver(FIRST));
    expect(again.types).toEqual(['item.delivery_updated']);
    expect(s.itemAt(again.order, 0).status).toBe('delivering');
    expect(s.tell(again.order, s.redeliver(FIRST), s.T0)).toMatchObject({ types: [], refused: null });
    expect(paid(terms).when(s.redeliver(FIRST)).refused).toBe('invalid_state');
    expect(paid(terms, report(FIRST, 'delivered')).when(s.redeliver(FIRST)).refused).toBe('invalid_state');
    expect(paid(terms).when(s.redeliver(THIRD)).refused).toBe('not_found');
  });
  it('is not of what is being refunded, by name, as all, or because all that was paid goes back', () => {
    for (const steps of [
      [apply('a', units([FIRST, 1])), approve('a')],
      [apply('a', units([FIRST, 1])), approve('a'), s.refundProcessing('a')],
      [apply('a', all), approve('a')],
      [apply('a', amount(60)), approve('a'), apply('b', amount(40)), approve('b')],
    ])
      expect(paid(terms, report(FIRST, 'failed'), ...steps).when(s.redeliver(FIRST)).refused).toBe('invalid_state');
    for (const steps of [
      [apply('a', units([FIRST, 1]))],
      [apply('a', units([SECOND, 1])), approve('a')],
      [apply('a', units([FIRST, 1])), reject('a')],
      [apply('a', units([FIRST, 1])), approve('a'), s.refundFails('a')],
    ])
      expect(paid(terms, report(FIRST, 'failed'), ...steps).when(s.redeliver(FIRST)).refused).toBeNull();
  });
  it('of digital goods grants them', () => {
    const digital: s.Terms = { items: [{ fulfilment: 'digital', amount: 50 }, { amount: 50 }] };
    const held = given(digital, s.pay(), s.opened(s.PAY_1), s.cancel(), s.money(s.PAY_1), report(FIRST, 'failed'));
    const failed = s.tell(held.order, reject(s.CANCELLATION), held.now);
    expect(statuses(failed.order)).toEqual(['failed', 'waiting']);
    expect(statuses(s.tell(failed.order, s.redeliver(FIRST), held.now).order)).toEqual(['delivered', 'waiting']);
  });
});

describe('delivery timers', () => {
  const timed: s.Terms = { items: [{ amount: 50, deliveryTimeoutSeconds: 60, onFailure: 'refund' }, { amount: 50 }] };
  it('run from payment, and lead to `timed_out` and what follows', () => {
    const waiting = paid(timed);
    const due = waiting.order.paidAt! + s.MINUTE;
    expect(deadlineOf(waiting.order)).toBe(due);
    expect(waiting.when(s.at(due - 1)).types).toEqual([]);
    const { order, types } = waiting.when(s.at(due));
    expect(types).toEqual(['item.delivery_updated', 'order.processing', 'refund.requested']);
    expect(statuses(order)).toEqual(['timed_out', 'waiting']);
    expect(s.tell(order, report(FIRST, 'delivered'), due).order.items[0]!.status).toBe('delivered');
  });
  it('run anew from dispatch and redelivery', () => {
    const sent = paid(timed, report(FIRST, 'delivering'));
    expect(deadlineOf(sent.order)).toBe(sent.now + s.MINUTE);
    const ask: s.Terms = { items: [{ deliveryTimeoutSeconds: 60 }] };
    const again = paid(ask, report(FIRST, 'failed'), s.redeliver(FIRST));
    expect(deadlineOf(again.order)).toBe(again.now + s.MINUTE);
  });
  it('do not run for what has come to its end, or was withdrawn', () => {
    for (const steps of [
      [report(FIRST, 'delivered')],
      [report(FIRST, 'failed')],
      [apply('a', units([FIRST, 1])), approve('a'), s.refunded('a')],
    ]) {
      const { order } = paid({ items: [{ deliveryTimeoutSeconds: 60 }, {}] }, ...steps);
      expect(deadlineOf(order)).toBeNull();
    }
    const withdrawn = paid(
      { items: [{ deliveryTimeoutSeconds: 60 }, {}] },
      apply('a', units([FIRST, 1])),
      approve('a'),
    );
    expect(withdrawn.when(s.at(s.T0 + s.HOUR)).types).toEqual(['duty_delayed']);
  });
  it('of many items that are late together are one event', () => {
    const many: s.Terms = { items: Array.from({ length: 5 }, () => ({ deliveryTimeoutSeconds: 60 })) };
    const { events } = paid(many).when(s.at(s.T0 + s.HOUR));
    expect(events.map(({ type }) => type)).toEqual(['item.delivery_updated', 'order.processing']);
    expect(events[0]).toMatchObject({ items: { length: 5 } });
  });
  it('stand still while a cancellation is undecided', () => {
    const cancelled = paid(timed, s.cancel());
    expect(cancelled.when(s.at(s.T0 + s.HOUR)).types).toEqual([]);
    const decided = s.tell(cancelled.order, reject(s.CANCELLATION), cancelled.now + s.HOUR).order;
    const due = decided.paidAt! + s.MINUTE + s.HOUR;
    expect(deadlineOf(decided)).toBe(due);
    expect(s.tell(decided, s.time, due).order.items[0]!.status).toBe('timed_out');
  });
  it('keep a completed order open while something is delivered again', () => {
    const ask: s.Terms = { items: [{ deliveryTimeoutSeconds: 60 }] };
    const decided = [report(FIRST, 'failed'), apply('a', units([FIRST, 1])), reject('a')];
    const again = paid(ask, ...decided, s.redeliver(FIRST));
    expect(again.order.status).toBe('completed');
    expect(isSettled(again.order)).toBe(false);
    const { order } = again.when(s.at(again.now + s.MINUTE));
    expect(statuses(order)).toEqual(['timed_out']);
    expect(order.status).toBe('completed');
  });
});

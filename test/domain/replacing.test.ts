import { describe, expect, it } from 'vitest';
import { attentionOf } from '../../domain/attention.ts';
import { dutiesOf } from '../../domain/duties.ts';
import type { Order } from '../../domain/order.ts';
import { view } from '../../domain/view.ts';
import * as s from './support.ts';

const {
  amount,
  apply,
  approve,
  FIRST,
  given,
  money,
  paid,
  PAY_1,
  refunded,
  refundFails,
  reject,
  report,
  SECOND,
  units,
} = s;
const codes = (order: Order) => attentionOf(order).map(({ code }) => code);
const withdrawn = (order: Order) => order.items.map((item) => item.withdrawn);
const failedFirst = [apply('a', units([FIRST, 1])), approve('a'), refundFails('a')];

describe('a failed refund that a person decided', () => {
  const failed = paid({ refundWindowSeconds: 3600 }, apply('a', amount(60)), approve('a'), s.refundFails('a'));
  const later = failed.now + s.DAY;
  it('is shown, keeps its number, and is not tried again by itself', () => {
    expect(codes(failed.order)).toEqual(['refund_failed']);
    expect(dutiesOf(failed.order)).toEqual([]);
    expect(s.lastRefund(failed.order).retryAt).toBeNull();
    expect(view(failed.order).refunds[0]).toMatchObject({ out_refund_no: 'a', failure: 'account closed' });
    expect(failed.when(s.retry).types).toEqual([]);
  });
  it('is replaced by a new application up to its amount, outside the window too', () => {
    expect(failed.when(s.at(later, apply('b', amount(61)))).refused).toBe('refund_window_closed');
    const { order } = failed.when(s.at(later, apply('b', amount(60))));
    expect(codes(order)).toEqual([]);
    expect(s.tell(order, apply('c', amount(1)), later).refused).toBe('refund_window_closed');
  });
  it('is replaced in parts, each part once', () => {
    const { order } = failed.when(s.at(later, apply('b', amount(40))));
    expect(codes(order)).toEqual(['refund_failed']);
    expect(s.tell(order, apply('c', amount(21)), later).refused).toBe('refund_window_closed');
    expect(codes(s.tell(order, apply('c', amount(20)), later).order)).toEqual([]);
  });
  it('is replaced by one amount once, where several have failed', () => {
    const more = [apply('b', amount(40)), approve('b'), s.refundFails('b')];
    const both = [s.pay(), money(PAY_1), apply('a', amount(60)), approve('a'), ...more, s.refundFails('a')];
    const story = given({ refundWindowSeconds: 3600 }, ...both);
    const { order } = story.when(s.at(later, apply('c', amount(70))));
    expect(order.refunds.map(({ replacedAmount }) => replacedAmount)).toEqual([60, 10, 0]);
    expect(s.tell(order, apply('d', amount(30)), later).refused).toBeNull();
  });
  it('is replaced again when the replacement fails', () => {
    const again = [apply('b', amount(60)), approve('b'), s.refundFails('b')];
    const { order } = given(
      { refundWindowSeconds: 3600 },
      s.pay(),
      money(PAY_1),
      apply('a', amount(60)),
      approve('a'),
      s.refundFails('a'),
      ...again,
    );
    expect(s.tell(order, apply('c', amount(60)), later).refused).toBeNull();
    expect(s.tell(order, apply('c', amount(61)), later).refused).toBe('refund_window_closed');
  });
});

describe('a failed refund of some goods', () => {
  const two: s.Terms = { items: [{ amount: 50 }, { amount: 50 }] };
  const other = [apply('b', units([SECOND, 1])), approve('b')];
  it('by amount is not replaced by what goes back by itself for goods that failed', () => {
    const items: s.Terms['items'] = [{ amount: 50, onFailure: 'refund' }, { amount: 50 }];
    const { order } = paid({ items }, apply('a', amount(30)), approve('a'), refundFails('a'), report(FIRST, 'failed'));
    expect(order.refunds.map(({ origin, replacedAmount }) => [origin, replacedAmount])).toEqual([
      ['customer', 0],
      ['delivery_failure', 0],
    ]);
  });
  it('may be delivered after all where an amount had been approved before it failed', () => {
    const early = [apply('a', units([FIRST, 1])), approve('a'), apply('b', amount(50)), approve('b')];
    const failed = paid({ items: [{ amount: 50 }, { amount: 100 }] }, ...early);
    const later = [refundFails('a'), apply('c', units([FIRST, 1])), reject('c')];
    const order = later.reduce((now, command) => s.tell(now, command, failed.now + s.DAY).order, failed.order);
    expect(withdrawn(order)).toEqual([0, 0]);
  });
  it('is not replaced by one of other goods: these stay to be given back', () => {
    const { order } = paid(two, ...failedFirst, ...other, refunded('b'));
    expect(order.status).toBe('processing');
    expect(codes(order)).toEqual(['refund_failed']);
    expect(s.tell(order, s.receipt, s.T0 + s.DAY).refused).toBe('invalid_state');
    const again = paid(two, ...failedFirst, ...other, refunded('b'), apply('c', units([FIRST, 1])), approve('c'));
    expect(again.when(refunded('c')).order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
  });
  it('keeps its goods withdrawn when one of other goods is rejected', () => {
    const { order } = paid(two, ...failedFirst, apply('b', units([SECOND, 1])), reject('b'));
    expect(withdrawn(order)).toEqual([1, 0]);
    expect(codes(order)).toEqual(['refund_failed']);
  });
  it('is replaced by one that names them too, as far as that goes', () => {
    const more: s.Terms = { items: [{ quantity: 2, amount: 100 }, { amount: 50 }] };
    const { order } = paid(more, apply('a', units([FIRST, 2])), approve('a'), refundFails('a')).when(
      apply('b', units([FIRST, 1], [SECOND, 1])),
    );
    expect(order.refunds.map(({ replacedAmount }) => replacedAmount)).toEqual([50, 0]);
  });
  it('is replaced by each part once, where several have failed', () => {
    const one = (name: string) => [apply(name, units([FIRST, 1])), approve(name)];
    const both = [...one('a'), ...one('b'), refundFails('a'), refundFails('b')];
    const terms: s.Terms = { items: [{ quantity: 2, amount: 100 }, { amount: 50 }] };
    const { order } = paid(terms, ...both).when(apply('c', units([FIRST, 1], [SECOND, 1])));
    expect(order.refunds.map(({ replacedAmount }) => replacedAmount)).toEqual([50, 0, 0]);
  });
  it('is replaced by an amount, and one of an amount by goods', () => {
    expect(paid(two, ...failedFirst).when(apply('b', amount(50))).order.refunds[0]).toMatchObject({
      replacedAmount: 50,
    });
    const byAmount = paid(two, apply('a', amount(60)), approve('a'), refundFails('a'));
    expect(byAmount.when(apply('b', units([SECOND, 1]))).order.refunds[0]).toMatchObject({ replacedAmount: 50 });
  });
  it('opens the closed window only for the same goods', () => {
    const story = paid({ ...two, refundWindowSeconds: 3600 }, ...failedFirst);
    const later = story.now + s.DAY;
    expect(story.when(s.at(later, apply('b', units([SECOND, 1])))).refused).toBe('refund_window_closed');
    expect(story.when(s.at(later, apply('b', units([FIRST, 1])))).refused).toBeNull();
    expect(story.when(s.at(later, apply('b', units([FIRST, 1], [SECOND, 1])))).refused).toBe('refund_window_closed');
  });
});

describe('goods withdrawn for a refund that failed', () => {
  const two: s.Terms = { items: [{ amount: 60 }, { amount: 40 }] };
  const unrelated = [apply('c', units([SECOND, 1])), reject('c')];
  it('may be delivered after all once its replacement is rejected', () => {
    for (const ask of [units([FIRST, 1]), amount(60)])
      expect(withdrawn(paid(two, ...failedFirst, apply('b', ask), reject('b')).order)).toEqual([0, 0]);
  });
  it('may not where an amount replaced it: their money went back', () => {
    const byAmount = [...failedFirst, apply('b', amount(60)), approve('b')];
    expect(withdrawn(paid(two, ...byAmount, ...unrelated).order)).toEqual([1, 0]);
    expect(withdrawn(paid(two, ...byAmount, refunded('b'), ...unrelated).order)).toEqual([1, 0]);
  });
  it('may where less than their money went back', () => {
    const part = [...failedFirst, apply('b', amount(20)), approve('b'), refunded('b')];
    expect(withdrawn(paid(two, ...part, apply('c', units([FIRST, 1])), reject('c')).order)).toEqual([0, 0]);
    const before = [apply('b', amount(40)), approve('b'), ...failedFirst];
    expect(withdrawn(paid(two, ...before, apply('c', amount(60)), reject('c')).order)).toEqual([0, 0]);
  });
  it('may not while that is undecided', () => {
    for (const ask of [units([FIRST, 1]), amount(60)]) {
      const undecided = [...failedFirst, apply('b', ask), ...unrelated];
      expect(withdrawn(paid(two, ...undecided).order)).toEqual([1, 0]);
      expect(withdrawn(paid(two, ...undecided, reject('b')).order)).toEqual([0, 0]);
    }
  });
  it('may once the last part is decided, be it by an approval', () => {
    const parts = [apply('b', amount(40)), reject('b'), apply('c', amount(20))];
    expect(withdrawn(paid(two, ...failedFirst, ...parts).order)).toEqual([1, 0]);
    expect(withdrawn(paid(two, ...failedFirst, ...parts, approve('c')).order)).toEqual([0, 0]);
  });
  it('may not where all that was paid goes back, whatever is rejected', () => {
    const free: s.Terms = { items: [{ amount: 100 }, { amount: 0 }] };
    const everything = [apply('g', units([SECOND, 1])), apply('x', amount(100)), approve('x'), reject('g')];
    expect(withdrawn(paid(free, ...everything).order)).toEqual([1, 1]);
  });
  it('may as well where the rest is on its way, or failed', () => {
    const three: s.Terms = { items: [{ quantity: 3, amount: 90 }] };
    const failing = [apply('a', units([FIRST, 2])), approve('a')];
    const again = [refundFails('a'), apply('b', units([FIRST, 2])), reject('b')];
    for (const status of ['delivering', 'failed'] as const) {
      const story = paid(three, ...failing, report(FIRST, status), ...again);
      expect(withdrawn(story.order)).toEqual([0]);
      const { order } = story.when(report(FIRST, 'delivered', 3));
      expect(s.itemAt(order, 0)).toMatchObject({ status: 'delivered', arrived: 3 });
      expect(codes(order)).toEqual([]);
    }
  });
  it('are not added to what a machine was told to dispense', () => {
    const machine: s.Terms = { items: [{ quantity: 3, amount: 90, fulfilment: 'machine' }] };
    const failing = [apply('a', units([FIRST, 2])), approve('a'), s.dispatched(FIRST), refundFails('a')];
    const story = paid(machine, ...failing, apply('b', units([FIRST, 2])), reject('b'));
    expect(s.itemAt(story.when(s.machineReport(FIRST, 1, 'delivered')).order, 0)).toMatchObject({ arrived: 1 });
  });
});

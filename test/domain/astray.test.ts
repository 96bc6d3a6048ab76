import { describe, expect, it } from 'vitest';
import { attentionOf } from '../../domain/attention.ts';
import type { Command } from '../../domain/commands.ts';
import { dutiesOf } from '../../domain/duties.ts';
import { outRefundNoOf } from '../../domain/ids.ts';
import type { Order } from '../../domain/order.ts';
import { payoutsOf } from '../../domain/refund.ts';
import { refundView } from '../../domain/view.ts';
import { leftAmount } from '../../domain/sums.ts';
import * as s from './support.ts';

/** A provider calls a refund failed, and it goes through all the same, after it was tried again or given anew. */

const codes = (order: Order) => attentionOf(order).map(({ code }) => code);
const paidOut = (order: Order) =>
  order.refunds.flatMap((refund) => payoutsOf(refund).map(({ tries }) => outRefundNoOf(refund.id, tries)));
const REFUND = s.returnOf(s.PAY_1);
/** What its provider says about one of its tries; the first is number 0. */
const of = (tries: number, found: Command): Command => ({ ...found, tries }) as Command;
const number = (tries: number) => (tries === 0 ? REFUND.slice(4) : `${REFUND.slice(4)}t${tries + 1}`);
/** A second payment that goes back by itself: the first try failed, the second is about to be made. */
const second = s.money(s.PAY_1, 100, { tradeNo: 'SECOND' });
const triedAgain = (...more: Command[]) => s.paid({}, second, s.refundFails(REFUND), s.retry, ...more);
const owed = (order: Order) => dutiesOf(order).map(({ type }) => type);

describe('an earlier try that went through after all', () => {
  it('stops the next one from being made; whether it was made is asked', () => {
    const late = triedAgain(of(0, s.refunded(REFUND)));
    expect(owed(triedAgain().order)).toEqual(['make_refund']);
    expect(owed(late.order)).toEqual(['watch_refund']);
    expect(paidOut(late.order)).toEqual([number(0)]);
  });
  it('is the refund, where the next one was never made or failed as well', () => {
    const { order } = triedAgain(of(0, s.refunded(REFUND))).when(of(1, s.refundFails(REFUND)));
    expect(s.lastRefund(order)).toMatchObject({ status: 'succeeded', retryAt: null });
    expect(refundView(s.lastRefund(order)!).out_refund_no).toBe(number(0));
    expect([paidOut(order), codes(order), owed(order)]).toEqual([[number(0)], [], []]);
  });
  it('is the refund, where the next one had failed before', () => {
    const { order } = triedAgain(of(1, s.refundFails(REFUND))).when(of(0, s.refunded(REFUND)));
    expect(s.lastRefund(order)).toMatchObject({ status: 'succeeded', retryAt: null });
    expect([paidOut(order), codes(order), owed(order)]).toEqual([[number(0)], [], []]);
  });
  it.each([
    ['before', [of(0, s.refunded(REFUND)), of(1, s.refunded(REFUND))]],
    ['after', [of(1, s.refunded(REFUND)), of(0, s.refunded(REFUND))]],
  ])('is money that went out twice when both did, told %s: booked, and shown until a person has seen it', (_, told) => {
    const { order } = triedAgain(...told);
    expect(paidOut(order).toSorted()).toEqual([number(0), number(1)]);
    expect(codes(order)).toEqual(['refunded_twice']);
    const seen = s.paid({}, second, s.refundFails(REFUND), s.retry, ...told, s.retry).order;
    expect(codes(seen)).toEqual([]);
    expect(paidOut(seen)).toHaveLength(2);
  });
  it('is told once, however often it is', () => {
    const twice = triedAgain(of(0, s.refunded(REFUND)), of(1, s.refunded(REFUND)));
    for (const tries of [0, 1]) expect(twice.when(of(tries, s.refunded(REFUND))).types).toEqual([]);
    const settled = triedAgain(of(1, s.refundFails(REFUND)), of(0, s.refunded(REFUND)));
    expect(settled.when(of(0, s.refunded(REFUND))).types).toEqual([]);
  });
  it('counts when the one that counted is taken back', () => {
    const { order } = triedAgain(of(1, s.refunded(REFUND)), of(0, s.refunded(REFUND))).when(
      of(1, s.refundFails(REFUND)),
    );
    expect(s.lastRefund(order)).toMatchObject({ status: 'succeeded' });
    expect([paidOut(order), codes(order)]).toEqual([[number(0)], []]);
  });
  it('may be taken back itself: then it is tried again under a number that was never used', () => {
    const settled = triedAgain(of(1, s.refundFails(REFUND)), of(0, s.refunded(REFUND)));
    const { order } = settled.when(of(0, s.refundFails(REFUND)));
    expect(s.lastRefund(order)).toMatchObject({ status: 'failed', tries: 1 });
    expect(order.refunds.at(-1)?.retryAt).not.toBeNull();
    expect(paidOut(order)).toEqual([]);
  });
});

it('a success that was taken back is old news, also after the next try began', () => {
  const back = s.paid({}, second, s.refunded(REFUND), s.refundFails(REFUND), s.retry);
  expect(owed(back.order)).toEqual(['make_refund']);
  expect(back.when(of(0, s.refunded(REFUND))).types).toEqual([]);
});

it('what earlier tries say beside success means nothing', () => {
  for (const found of [s.refundProcessing(REFUND), s.refundFails(REFUND)])
    expect(triedAgain().when(of(0, found)).types).toEqual([]);
});

describe('a refund that a person decided, failed, and was given anew', () => {
  const replaced = s.paid(
    {},
    s.apply('a', s.all),
    s.approve('a'),
    s.refundFails('a'),
    s.apply('b', s.all),
    s.approve('b'),
    s.refunded('b'),
  );
  it('went out twice if it goes through after all; what was paid is refunded once', () => {
    const { order } = replaced.when(s.refunded('a'));
    expect([leftAmount(order), codes(order)]).toEqual([0, ['refunded_twice']]);
    expect(paidOut(order).toSorted()).toEqual(['a', 'b']);
  });
});

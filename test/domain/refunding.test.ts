import { describe, expect, it } from 'vitest';
import type { Command } from '../../domain/commands.ts';
import { dutiesOf, isSettled } from '../../domain/duties.ts';
import { LIMITS } from '../../domain/limits.ts';
import { attentionOf } from '../../domain/attention.ts';
import { heldAmount, itemShares, leftAmount } from '../../domain/sums.ts';
import { deadlineOf } from '../../domain/time.ts';
import { refundStatus, view } from '../../domain/view.ts';
import * as s from './support.ts';

const { all, amount, apply, approve, FIRST, given, money, paid, PAY_1, PAY_2, reject, SECOND, units } = s;
const codes = (order: Parameters<typeof attentionOf>[0]) => attentionOf(order).map(({ code }) => code);
/** Two items: 3 units for 100, 1 unit for 50; 20 off, 10 for delivery: 140 in all. */
const mixed: s.Terms = { items: [{ quantity: 3, amount: 100 }, { amount: 50 }], discount: 20, deliveryFee: 10 };
const returned = (refund: string) => [approve(refund), s.refunded(refund)];

describe('refunds never exceed what was paid (rule 3)', () => {
  it('hold their amount from the application on', () => {
    const first = paid({}, apply('a', amount(60)));
    expect(leftAmount(first.order)).toBe(40);
    expect(first.when(apply('b', amount(60))).refused).toBe('refund_exceeds_paid');
    expect(first.when(apply('b', amount(40))).types).toEqual(['refund.requested']);
  });
  it('are the same application when told twice', () => {
    const twice = paid({}, apply('a', amount(60))).when(apply('a', amount(60)));
    expect(twice).toMatchObject({ types: [], refused: null });
  });
  it('free their amount when rejected or failed', () => {
    for (const freed of [[reject('a')], [approve('a'), s.refundFails('a')]]) {
      const { order } = paid({}, apply('a', all), ...freed);
      expect(leftAmount(order)).toBe(100);
    }
  });
  it('still hold it while approved, processing or succeeded', () => {
    for (const taken of [[approve('a')], [approve('a'), s.refundProcessing('a')], returned('a')]) {
      const story = paid({}, apply('a', amount(60)), ...taken);
      expect(leftAmount(story.order)).toBe(40);
      expect(story.when(apply('b', amount(41))).refused).toBe('refund_exceeds_paid');
    }
  });
  it('mean all that is left when nothing is named', () => {
    const { order } = paid({}, apply('a', amount(30))).when(apply('b', all));
    expect(s.lastRefund(order)).toMatchObject({ amount: 70, items: null });
    expect(paid({}, apply('a', all)).when(apply('b', all)).refused).toBe('refund_exceeds_paid');
  });
  it.each([0, -1, 1.5, Number.NaN])('are never of %d', (minor) => {
    expect(paid().when(apply('a', amount(minor))).refused).toBe('invalid_request');
  });
  it('need a paid order', () => {
    expect(given({}).when(apply('a', all)).refused).toBe('invalid_state');
    expect(given({}, s.cancel()).when(apply('a', all)).refused).toBe('invalid_state');
    expect(given({}, s.at(s.EXPIRY)).when(apply('a', all)).refused).toBe('invalid_state');
  });
  it('are limited in number; money that goes back by itself is not, and a failed one counts', () => {
    const many = Array.from({ length: LIMITS.refundApplications }, (_, n) => [
      apply(`a${n}`, amount(1)),
      reject(`a${n}`),
    ]);
    expect(paid({}, ...many.flat()).when(apply('b', amount(1))).refused).toBe('limit_reached');
    expect(paid({}, ...many.flat()).when(s.cancel()).refused).toBe('limit_reached');
    const duplicates = Array.from({ length: 60 }, (_, n) => money(PAY_1, 100, { tradeNo: `D${n}` }));
    expect(paid({}, ...duplicates).when(apply('b', amount(1))).refused).toBeNull();
  });
  it('do not concern money that rules 1 and 2 send back', () => {
    const { order } = paid({}, money(PAY_1, 100, { tradeNo: 'T-2' }), s.refunded(s.returnOf(PAY_1)));
    expect(heldAmount(order)).toBe(0);
    expect(view(order).amounts).toMatchObject({ paid: 100, refunded: 0 });
    expect(refundStatus(order)).toBe('none');
  });
});

describe("items' shares of discount and delivery fee", () => {
  it('go by largest remainder and add up to the total', () => {
    const { order } = given(mixed);
    expect(order.total).toBe(140);
    expect(itemShares(order)).toEqual([94, 46]); // 100 − 13 + 7 and 50 − 7 + 3
  });
  it('are paid out in parts that add up exactly, in whatever order', () => {
    const one = paid(
      mixed,
      apply('a', units([FIRST, 1])),
      apply('b', units([FIRST, 1])),
      apply('c', units([FIRST, 1])),
    );
    expect(one.order.refunds.map((refund) => refund.amount)).toEqual([31, 31, 32]);
    const rest = one.when(apply('d', units([SECOND, 1])));
    expect(s.lastRefund(rest.order).amount).toBe(46);
    expect(leftAmount(rest.order)).toBe(0);
  });
  it('add up to the share after a rejection in between', () => {
    const shares = { items: [{ quantity: 3, amount: 100 }] };
    const { order } = paid(shares, apply('a', units([FIRST, 1])), apply('b', units([FIRST, 1])), reject('a')).when(
      apply('c', units([FIRST, 2])),
    );
    expect(s.lastRefund(order).amount).toBe(67);
  });
  it('are 0 for what is worth nothing: that settles at once, without a provider', () => {
    const gift = { items: [{ amount: 100 }, { amount: 0 }] };
    const { order, types } = paid(gift, apply('a', units([SECOND, 1]))).when(approve('a'));
    expect(types.slice(0, 2)).toEqual(['refund.reviewed', 'refund.succeeded']);
    expect(s.itemAt(order, 1).status).toBe('refunded');
    expect(dutiesOf(order)).toEqual([]);
  });
  it('are not to be had once everything went back', () => {
    const gift = { items: [{ amount: 100 }, { amount: 0 }] };
    expect(paid(gift, apply('a', all), ...returned('a')).when(apply('b', units([SECOND, 1]))).refused).toBe(
      'refund_exceeds_paid',
    );
  });
  it('may be eaten up by the discount, which may be more than the items', () => {
    const { order } = given({ items: [{ amount: 100 }, { amount: 50 }], discount: 155, deliveryFee: 10 });
    expect(order.total).toBe(5);
    expect(itemShares(order)).toEqual([3, 2]);
    const unequal = given({ items: [{ amount: 10 }, { amount: 90 }], discount: 7, deliveryFee: 7 }).order;
    expect(itemShares(unequal)).toEqual([10, 90]);
  });
});

describe('refunds by items', () => {
  const story = paid(mixed);
  it('name items of the order, once, with units that are left', () => {
    expect(story.when(apply('a', units(['itm_x' as typeof FIRST, 1]))).refused).toBe('invalid_request');
    expect(story.when(apply('a', units([FIRST, 1], [FIRST, 1]))).refused).toBe('invalid_request');
    expect(story.when(apply('a', units([FIRST, 0]))).refused).toBe('invalid_request');
    expect(story.when(apply('a', units())).refused).toBe('invalid_request');
    expect(story.when(apply('a', units([FIRST, 4]))).refused).toBe('refund_exceeds_paid');
    expect(paid(mixed, apply('a', units([FIRST, 2]))).when(apply('b', units([FIRST, 2]))).refused).toBe(
      'refund_exceeds_paid',
    );
  });
  it('do not go beyond what refunds by amount left over', () => {
    const little = paid(mixed, apply('a', amount(100)));
    expect(little.when(apply('b', units([SECOND, 1]))).refused).toBe('refund_exceeds_paid');
    expect(paid(mixed, apply('a', amount(93))).when(apply('b', units([SECOND, 1]))).refused).toBeNull();
  });
  it('are shown at their items; in full, each item shows its share', () => {
    const part = paid(mixed, apply('a', units([FIRST, 2])), ...returned('a')).order;
    expect(view(part).items.map(({ refunded }) => refunded)).toEqual([
      { quantity: 2, amount: 62 },
      { quantity: 0, amount: 0 },
    ]);
    expect(refundStatus(part)).toBe('partial');
    const full = paid(mixed, apply('a', amount(15)), ...returned('a'), apply('b', all), ...returned('b')).order;
    expect(view(full).items.map(({ refunded }) => refunded)).toEqual([
      { quantity: 3, amount: 94 },
      { quantity: 1, amount: 46 },
    ]);
    expect(refundStatus(full)).toBe('full');
  });
  it('can name an item again whose refund failed, although everything else went back', () => {
    const story = paid(mixed, apply('a', units([SECOND, 1])), approve('a'), apply('b', all), ...returned('b'));
    const { order, refused } = s.tell(story.when(s.refundFails('a')).order, apply('c', units([SECOND, 1])), s.T0);
    expect(refused).toBeNull();
    expect(s.lastRefund(order).amount).toBe(46);
  });
});

describe('the decision', () => {
  const asked = paid({}, apply('a', amount(60)));
  it('is made once: again the same is the same, the other one is refused', () => {
    for (const [one, other] of [
      [approve('a'), reject('a')],
      [reject('a'), approve('a')],
    ] as const) {
      const decided = paid({}, apply('a', amount(60)), one);
      expect(decided.when(one)).toMatchObject({ types: [], refused: null });
      expect(decided.when(other).refused).toBe('invalid_state');
    }
    expect(asked.when(approve('b')).refused).toBe('not_found');
  });
  it('says who, when and why', () => {
    const { order } = asked.when(approve('a'));
    const { reviewer, note, reviewedAt } = s.lastRefund(order);
    expect({ reviewer, note, reviewedAt }).toEqual({
      reviewer: 'Demo Operator',
      note: 'seen',
      reviewedAt: asked.now + s.SECOND_MS,
    });
  });
  it('is not made by whoever applied, unless the merchant wants it so', () => {
    expect(asked.when(approve('a', 'customer')).refused).toBe('forbidden');
    expect(asked.when(reject('a', 'customer')).refused).toBe('forbidden');
    expect(paid({ fourEyes: false }, apply('a', all)).when(approve('a', 'customer')).refused).toBeNull();
  });
  it('is that of another person, by whichever key, and of the merchant who wants it so at that moment', () => {
    const by = (person: string, fourEyes?: boolean) =>
      ({
        ...approve('a', 'key:2'),
        reviewer: { key: 'key:2', person, name: 'Wang' },
        ...(fourEyes !== undefined && { fourEyes }),
      }) as Command;
    const applied = (terms: s.Terms = {}, applicant = 'operator:Wang') => paid(terms, apply('a', all, applicant));
    expect(applied().when(by('operator:Wang')).refused).toBe('forbidden');
    expect(applied({}, 'key:2').when(by('operator:Wang')).refused).toBe('forbidden');
    expect(applied().when(by('operator:Li')).refused).toBeNull();
    expect(applied().when(by('operator:Wang', false)).refused).toBeNull();
    expect(applied({ fourEyes: false }).when(by('operator:Wang', true)).refused).toBe('forbidden');
  });
  it('of someone who may not decide stands in the timeline and changes nothing', () => {
    const refund = s.refundId('a');
    const by = { type: 'operator', name: 'Nobody' } as const;
    const ignored = {
      type: 'review_ignored',
      refund,
      decision: 'approve',
      reviewer: 'Nobody',
      note: null,
      why: 'x',
      by,
    };
    const { order, events } = asked.when({ ...ignored, type: 'review_ignored', decision: 'approve' });
    expect(events).toMatchObject([{ type: 'refund.reviewed', ignored: 'x' }]);
    expect({ ...order, version: 0, seq: 0 }).toEqual({ ...asked.order, version: 0, seq: 0 });
  });
  it('is overdue after 24 hours, once, and the order stays open for it', () => {
    const since = asked.now;
    const late = asked.when(s.at(since + s.DAY));
    expect(asked.when(s.at(since + s.DAY - 1)).types).toEqual([]);
    expect(late.types).toEqual(['refund.overdue']);
    expect(codes(late.order)).toEqual(['refund_overdue']);
    expect(s.tell(late.order, s.time, since + 2 * s.DAY).types).toEqual([]);
    expect(codes(s.tell(late.order, approve('a'), since + 2 * s.DAY).order)).toEqual([]);
    const ended = paid({ items: [{ fulfilment: 'digital' }] }, apply('a', all));
    expect(ended.order.status).toBe('completed');
    expect(isSettled(ended.order)).toBe(false);
    expect(isSettled(ended.when(reject('a')).order)).toBe(true);
  });
  it('owes the money to the provider: one refund, one number', () => {
    const { order } = asked.when(approve('a'));
    expect(dutiesOf(order)).toMatchObject([{ type: 'make_refund', refund: s.refundId('a'), key: 'refund/ref_a/0' }]);
    const processing = s.tell(order, s.refundProcessing('a'), s.T0).order;
    expect(dutiesOf(processing)).toMatchObject([{ type: 'watch_refund', key: 'settle/ref_a/0' }]);
    expect(view(processing).refunds[0]).toMatchObject({ status: 'processing', out_refund_no: 'a' });
  });
});

describe('what a provider tells of a refund', () => {
  const decided = paid({}, apply('a', all), approve('a'));
  it('counts once, in whatever order it comes', () => {
    expect(decided.when(s.refunded('a')).types).toContain('refund.succeeded');
    const done = paid({}, apply('a', all), ...returned('a'));
    expect(done.when(s.refunded('a')).types).toEqual([]);
    expect(done.when(s.refundProcessing('a')).types).toEqual([]);
    expect(paid({}, apply('a', all)).when(s.refunded('a')).types).toEqual([]);
    expect(paid({}, apply('a', all), reject('a')).when(s.refunded('a')).types).toEqual([]);
  });
  it('may correct a failure, as long as nobody else has the money', () => {
    const failed = paid({}, apply('a', all), approve('a'), s.refundFails('a'));
    expect(failed.when(s.refunded('a')).types).toContain('refund.succeeded');
    const replaced = paid({}, apply('a', all), approve('a'), s.refundFails('a'), apply('b', amount(1)));
    expect(replaced.when(s.refunded('a')).types).toEqual(['refund_astray']);
    expect(leftAmount(replaced.when(s.refunded('a')).order)).toBe(99);
  });
});

describe('refund_status, the first that fits', () => {
  it.each([
    ['none', []],
    ['requested', [apply('a', amount(10))]],
    ['pending', [apply('a', amount(10)), approve('a')]],
    ['pending', [apply('a', amount(10)), approve('a'), apply('b', amount(5))]],
    ['pending', [apply('a', amount(10)), approve('a'), s.refundFails('a')]],
    ['requested', [apply('a', amount(10)), approve('a'), s.refundFails('a'), apply('b', amount(10))]],
    ['none', [apply('a', amount(10)), approve('a'), s.refundFails('a'), apply('b', amount(10)), reject('b')]],
    ['partial', [apply('a', amount(10)), ...returned('a')]],
    ['requested', [apply('a', amount(10)), ...returned('a'), apply('b', amount(10))]],
    ['full', [apply('a', all), ...returned('a')]],
  ])('%s', (status, steps) => {
    expect(refundStatus(paid({}, ...steps).order)).toBe(status);
  });
});

describe('the refund window', () => {
  const windowed = { refundWindowSeconds: 3600 };
  const over = s.T0 + s.SECOND_MS + s.HOUR;
  it('runs from payment and ends at its moment', () => {
    expect(paid(windowed).when(s.at(over - 1, apply('a', all))).refused).toBeNull();
    expect(paid(windowed).when(s.at(over, apply('a', all))).refused).toBe('refund_window_closed');
  });
  it('of 0 is none', () => {
    expect(paid({ refundWindowSeconds: 0 }).when(apply('a', all)).refused).toBe('refund_window_closed');
  });
  it('does not concern decisions, cancellations and money that goes back by itself', () => {
    expect(paid(windowed, apply('a', all)).when(s.at(over, approve('a'))).refused).toBeNull();
    expect(paid(windowed).when(s.at(over, s.cancel())).refused).toBeNull();
    expect(paid(windowed).when(s.at(over, money(PAY_1, 100, { tradeNo: 'T-2' }))).order.refunds).toHaveLength(1);
  });
});

describe('money that goes back by itself', () => {
  const duplicate = [s.pay(), s.opened(PAY_1), s.pay('wechatpay.mini'), money(PAY_1), money(PAY_2)];
  const id = s.returnOf(PAY_2);
  const failed = given({}, ...duplicate, s.refundFails(id));
  it('is tried again under a new number, with growing pauses, and shown until it worked', () => {
    const first = s.lastRefund(failed.order).retryAt!;
    expect(first - failed.now).toBe(30 * s.SECOND_MS);
    expect(deadlineOf(failed.order)).toBe(first);
    expect(codes(failed.order)).toEqual(['refund_failed']);
    const again = failed.when(s.at(first));
    expect(again.types).toEqual(['refund_tried_again']);
    expect(dutiesOf(again.order).find(({ type }) => type === 'make_refund')).toMatchObject({ key: `refund/${id}/1` });
    expect(view(again.order).refunds[0]!.out_refund_no).toBe(`${id.slice(4)}t2`);
    expect(codes(again.order)).toEqual(['refund_failed']);
    const second = s.tell(again.order, s.refundFails(id), first).order;
    expect(s.lastRefund(second).retryAt! - first).toBe(60 * s.SECOND_MS);
    expect(codes(s.tell(again.order, s.refunded(id), first).order)).toEqual([]);
  });
  it('is tried again now when a person wants it', () => {
    const { order, types } = failed.when(s.retry);
    expect(types).toEqual(['refund_tried_again']);
    expect(s.lastRefund(order)).toMatchObject({ status: 'approved', retryAt: null });
    expect(s.tell(order, s.retry, s.T0).types).toEqual([]);
  });
  it('can not be decided by a person', () => {
    expect(failed.when(reject(id)).refused).toBe('invalid_state');
    expect(failed.when(approve(id)).refused).toBe('invalid_state');
  });
});

describe('a success that the provider takes back', () => {
  const back = [apply('a', all), ...returned('a')];
  it('makes it a failed refund, which can be replaced although the order is cancelled', () => {
    const { order, types } = paid({ refundWindowSeconds: 3600 }, ...back).when(s.refundFails('a'));
    expect(types).toEqual(['refund.failed']);
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'refunded' });
    expect(s.paymentAt(order, 0).status).toBe('succeeded');
    expect(view(order).amounts.refunded).toBe(0);
    expect(refundStatus(order)).toBe('pending');
    const replaced = s.tell(order, apply('b', all), s.T0 + s.DAY);
    expect(replaced.refused).toBeNull();
    const done = [approve('b'), s.refunded('b')].reduce(
      (now, step) => s.tell(now, step, s.T0 + s.DAY).order,
      replaced.order,
    );
    expect(refundStatus(done)).toBe('full');
    expect(s.paymentAt(done, 0).status).toBe('refunded');
    expect(isSettled(done)).toBe(true);
  });
  it('is not undone by the old success told again', () => {
    expect(paid({}, ...back, s.refundFails('a')).when(s.refunded('a')).types).toEqual([]);
  });
  it('is tried again by itself where no person had decided it', () => {
    const story = paid({}, money(PAY_1, 100, { tradeNo: 'T-2' }), s.refunded(s.returnOf(PAY_1)));
    const { order } = story.when(s.refundFails(s.returnOf(PAY_1)));
    expect(s.lastRefund(order)).toMatchObject({ status: 'failed', settledAt: null });
    expect(s.lastRefund(order).retryAt).not.toBeNull();
    const again = s.tell(order, s.retry, s.T0 + s.DAY).order;
    const { since } = dutiesOf(again).find(({ type }) => type === 'make_refund')!;
    expect(since).toBe(story.now + s.SECOND_MS);
  });
});

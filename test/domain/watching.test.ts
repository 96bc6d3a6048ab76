import { describe, expect, it } from 'vitest';
import { attentionOf } from '../../domain/attention.ts';
import { dutiesOf, isSettled } from '../../domain/duties.ts';
import { PAUSES } from '../../domain/limits.ts';
import type { Order } from '../../domain/order.ts';
import { statusOf, view } from '../../domain/view.ts';
import * as s from './support.ts';

/** Attempts that their provider can't close, that may be paid after they failed, or whose money has to be taken. */

const { given, money, PAY_1, PAY_2 } = s;
const duties = (order: Order) => dutiesOf(order).map(({ type, dueAt }) => [type, dueAt]);
const types = (order: Order) => dutiesOf(order).map(({ type }) => type);
const LAST_ASKING = s.EXPIRY + PAUSES.lastAsking;

describe('an attempt that can not be closed', () => {
  const started = [s.pay('unionpay.qr'), s.opened(PAY_1)];
  const second = given({}, ...started, s.pay('alipay.qr'), s.closedOnlyHere(PAY_1), s.opened(PAY_2));

  it('counts as closed, lets the next one be opened, and is asked about as before (rule 1)', () => {
    expect(s.paymentAt(second.order, 0)).toMatchObject({ status: 'closed', watched: { until: LAST_ASKING } });
    expect(types(second.order)).toEqual(['watch_attempt', 'watch_attempt']);
    expect(view(second.order).payments[0]!.action).toBeNull();
  });
  it('pays all the same, and then the other one is closed', () => {
    const paid = second.when(money(PAY_1));
    expect(paid.types).toEqual(['money_captured', 'order.paid', 'attempt_closing']);
    expect(paid.order).toMatchObject({ status: 'paid', paidBy: PAY_1 });
    expect(types(paid.order)).toEqual(['close_attempt']);
  });
  it('is asked before the order ends, and only then the order ends (rule 5)', () => {
    const ending = second.when(s.cancel());
    expect(ending.types).toEqual(['closing_began', 'attempt_closing', 'attempt_closing']);
    const asked = s.tell(ending.order, s.closedOnlyHere(PAY_1), s.T0 + s.MINUTE);
    expect(asked.types).toEqual(['attempt_asked']);
    const ended = s.tell(asked.order, s.closed(PAY_2), s.T0 + s.MINUTE + 1);
    expect(ended.types).toEqual(['payment.closed', 'order.cancelled']);
  });
  it('is found paid before the order ends: it is paid', () => {
    const asked = given({}, ...started, s.at(s.EXPIRY)).when(money(PAY_1));
    expect(asked.order).toMatchObject({ status: 'paid', ending: null });
    expect(isSettled(asked.order)).toBe(false);
  });
  describe('after the order has ended', () => {
    const ended = given({}, ...started, s.at(s.EXPIRY), s.at(s.EXPIRY + 1, s.closedOnlyHere(PAY_1)));

    it('is asked about once more, after its own expiry', () => {
      expect(ended.order).toMatchObject({ status: 'cancelled', cancelReason: 'expired' });
      expect(duties(ended.order)).toEqual([['watch_attempt', LAST_ASKING]]);
      expect(isSettled(ended.order)).toBe(false);
      const asked = ended.when(s.at(LAST_ASKING, s.closed(PAY_1)));
      expect(asked.types).toEqual(['attempt_asked']);
      expect(isSettled(asked.order)).toBe(true);
    });
    it('and its money goes back by itself', () => {
      const { order, types: told } = ended.when(money(PAY_1));
      expect(told).toEqual(['money_captured', 'refund.requested']);
      expect(order.refunds).toMatchObject([{ origin: 'late_payment', amount: 100 }]);
      expect(types(order)).toEqual(['make_refund']);
    });
    it('also when it is the second that was paid', () => {
      const paid = second.when(money(PAY_2));
      expect(duties(paid.order)).toEqual([['watch_attempt', LAST_ASKING]]);
      const twice = s.tell(paid.order, money(PAY_1), LAST_ASKING);
      expect(twice.order.refunds).toMatchObject([{ origin: 'duplicate_payment', source: { payment: PAY_1 } }]);
    });
  });
  it('is not watched any more once its provider was asked late enough', () => {
    const away = given({}, ...started, s.at(s.EXPIRY)).when(s.at(LAST_ASKING, s.closedOnlyHere(PAY_1)));
    expect(away.types).toEqual(['payment.closed', 'order.expired']);
    expect(isSettled(away.order)).toBe(true);
  });
  it('nothing of that costs one that can be closed anything', () => {
    const ended = given({}, s.pay(), s.opened(PAY_1), s.at(s.EXPIRY), s.closed(PAY_1));
    expect(isSettled(ended.order)).toBe(true);
    expect(s.paymentAt(ended.order, 0)).not.toHaveProperty('watched');
  });
});

describe('an attempt that failed and may yet be paid', () => {
  const failed = given({}, s.pay('card.stripe'), s.opened(PAY_1), s.failingForNow(PAY_1));

  it('has failed, and is asked about', () => {
    expect(failed.order.payments).toMatchObject([{ status: 'failed', failure: 'card declined' }]);
    expect(statusOf(failed.order)).toBe('pending_payment');
    expect(types(failed.order)).toEqual(['watch_attempt']);
    expect(failed.when(s.failingForNow(PAY_1)).types).toEqual([]);
  });
  it('is paid by the next card', () => {
    const buying = failed.when(s.processing(PAY_1));
    expect(buying.types).toEqual(['payment.processing']);
    expect(statusOf(buying.order)).toBe('paying');
    expect(buying.order.payments).toMatchObject([{ failure: null, watched: null }]);
    expect(failed.when(money(PAY_1)).order.status).toBe('paid');
  });
  it.each([
    ['another is opened', s.pay('card.stripe')],
    ['the order is cancelled', s.cancel()],
    ['the order expires', s.at(s.EXPIRY)],
  ])('is closed when %s', (_, step) => {
    const { order } = failed.when(step);
    expect(dutiesOf(order)).toMatchObject(
      order.ending ? [{ type: 'close_attempt' }] : [{ type: 'close_attempt' }, { type: 'open_attempt' }],
    );
  });
  it('is closed when another one pays, and only its closing ends that', () => {
    const paid = given({}, s.pay(), s.opened(PAY_1), s.pay('card.stripe'), s.closed(PAY_1), s.opened(PAY_2)).when(
      s.failingForNow(PAY_2),
    );
    const other = s.tell(paid.order, money(PAY_1), s.T0 + s.MINUTE);
    expect(types(other.order)).toEqual(['close_attempt']);
    expect(s.tell(other.order, s.failingForNow(PAY_2), s.T0 + s.MINUTE + 1).types).toEqual([]);
    const closed = s.tell(other.order, s.closed(PAY_2), s.T0 + s.MINUTE + 2);
    expect(closed.types).toEqual(['payment.closed']);
    expect(types(closed.order)).toEqual([]);
  });
  it('a failure that comes while it is being closed does not end the closing', () => {
    const ending = given({}, s.pay('card.stripe'), s.opened(PAY_1), s.cancel()).when(s.failingForNow(PAY_1));
    expect(ending.types).toEqual(['payment.failed']);
    expect(types(ending.order)).toEqual(['close_attempt']);
    expect(s.tell(ending.order, s.closed(PAY_1), s.T0 + s.MINUTE).order.status).toBe('cancelled');
  });
  it('a last word ends it', () => {
    const over = failed.when(s.failing(PAY_1));
    expect(over.types).toEqual(['attempt_asked']);
    expect(types(over.order)).toEqual([]);
  });
});

describe('money that the buyer approved', () => {
  const approved = given({}, s.pay('paypal.checkout'), s.opened(PAY_1), s.approved(PAY_1));

  it('is taken', () => {
    expect(statusOf(approved.order)).toBe('paying');
    expect(types(approved.order)).toEqual(['capture_attempt']);
    expect(approved.when(s.approved(PAY_1)).types).toEqual([]);
    expect(approved.when(money(PAY_1)).order).toMatchObject({ status: 'paid', payments: [{ approvedAt: null }] });
  });
  it.each([
    ['the order is cancelled', s.cancel()],
    ['the order expires', s.at(s.EXPIRY)],
    ['another attempt is wanted', s.pay()],
  ])('is not taken once %s', (_, step) => {
    const { order } = approved.when(step);
    expect(types(order)).not.toContain('capture_attempt');
    expect(types(order)).toContain('close_attempt');
    expect(s.tell(order, s.approved(PAY_1), s.EXPIRY).types).toEqual([]);
  });
  it('is not taken once another attempt paid', () => {
    const two = given({}, s.pay(), s.opened(PAY_1), s.pay('paypal.checkout'), s.closed(PAY_1), s.opened(PAY_2));
    const { order } = s.tell(two.when(s.approved(PAY_2)).order, money(PAY_1), s.T0 + s.MINUTE);
    expect(types(order)).toEqual(['close_attempt']);
    const closed = s.tell(order, s.closedOnlyHere(PAY_2), s.T0 + s.MINUTE + 1).order;
    expect(types(closed)).toEqual(['watch_attempt']);
    expect(s.tell(closed, s.approved(PAY_2), s.T0 + s.MINUTE + 2).types).toEqual([]);
  });
  it('on its way: it is asked about', () => {
    const taken = approved.when(s.processing(PAY_1));
    expect(taken.types).toEqual(['attempt_approval_ended']);
    expect(types(taken.order)).toEqual(['watch_attempt']);
    expect(statusOf(taken.order)).toBe('paying');
  });
  it('the approval is taken back: the buyer has to say yes again', () => {
    const back = approved.when(s.found(PAY_1, { state: 'pending' }));
    expect(types(back.order)).toEqual(['watch_attempt']);
    expect(statusOf(back.order)).toBe('pending_payment');
    expect(types(s.tell(back.order, s.approved(PAY_1), s.T0 + s.MINUTE).order)).toEqual(['capture_attempt']);
  });
  it('refused: another card may do it', () => {
    const refused = approved.when(s.failingForNow(PAY_1));
    expect(types(refused.order)).toEqual(['watch_attempt']);
    expect(types(s.tell(refused.order, s.approved(PAY_1), s.T0 + s.MINUTE).order)).toEqual(['capture_attempt']);
  });
  it('that can not be taken is shown (rule 9)', () => {
    const { order } = given(
      { expiresAt: s.T0 + s.HOUR },
      s.pay('paypal.checkout'),
      s.opened(PAY_1),
      s.approved(PAY_1),
    ).when(s.at(s.T0 + 20 * s.MINUTE));
    expect(attentionOf(order)).toMatchObject([{ code: 'capture_delayed' }]);
  });
});

describe('a bar code', () => {
  const code = s.pay('alipay.barcode');
  const paidAtOnce = { state: 'paid', tradeNo: 'T', amount: 100, currency: 'CNY', paidAt: s.T0 } as const;

  it('pays at once', () => {
    const { order, types: told } = given({}, code).when(s.openedAtOnce(PAY_1, paidAtOnce));
    expect(told).toEqual(['payment.opened', 'money_captured', 'order.paid']);
    expect(order).toMatchObject({ status: 'paid', payments: [{ status: 'succeeded', action: null }] });
  });
  it('waits for the person', () => {
    const { order } = given({}, code).when(s.openedAtOnce(PAY_1, { state: 'processing' }));
    expect(statusOf(order)).toBe('paying');
    expect(types(order)).toEqual(['watch_attempt']);
    expect(s.tell(order, code, s.T0 + s.MINUTE).types).toEqual([]);
  });
  it('fails at once, and the next one is another attempt', () => {
    const failed = given({}, code).when(s.openedAtOnce(PAY_1, { state: 'failed', reason: 'no such code' }));
    expect(failed.types).toEqual(['payment.opened', 'payment.failed']);
    expect(types(failed.order)).toEqual([]);
    expect(s.tell(failed.order, code, s.T0 + s.MINUTE).types).toEqual(['attempt_started']);
  });

  describe('being revoked', () => {
    const waiting = [code, s.openedAtOnce(PAY_1, { state: 'processing' })];
    const ending = given({}, ...waiting, s.cancel());

    it('that met a payment is booked as money that came and went back (rule 5)', () => {
      const { order, types: told } = ending.when(s.revoked(PAY_1));
      expect(told).toEqual(['money_captured', 'refund.requested', 'refund.succeeded', 'order.cancelled']);
      expect(order).toMatchObject({
        status: 'cancelled',
        cancelReason: 'revoked',
        paidAt: null,
        payments: [{ status: 'refunded' }],
        refunds: [{ origin: 'late_payment', amount: 100, status: 'succeeded', settledAt: s.T0 + 2000 }],
      });
      expect(isSettled(order)).toBe(true);
      expect(s.tell(order, money(PAY_1), s.T0 + s.HOUR).types).toEqual([]);
      expect(s.tell(order, s.revoked(PAY_1), s.T0 + s.HOUR).types).toEqual([]);
    });
    it('only its own answer counts: what a notice calls paid may be on its way back', () => {
      expect(ending.when(money(PAY_1)).types).toEqual([]);
      expect(ending.when(s.closed(PAY_1)).types).toEqual([]);
      const found = ending.when(s.foundClosing(PAY_1, paidAtOnce));
      expect(found.order).toMatchObject({ status: 'paid', refunds: [{ origin: 'cancellation' }] });
    });
    it('without any money says so, too', () => {
      const { order } = ending.when(s.foundClosing(PAY_1, { state: 'closed' }));
      expect(order).toMatchObject({ cancelReason: 'revoked', refunds: [] });
    });
    it('for another attempt leaves the order as it was', () => {
      const next = given({}, ...waiting, s.pay()).when(s.revoked(PAY_1));
      expect(next.order).toMatchObject({ status: 'pending_payment', refunds: [{ origin: 'late_payment' }] });
      const late = given({}, ...waiting, s.pay(), s.revoked(PAY_1), s.opened(PAY_2), s.cancel(), s.closed(PAY_2));
      expect(late.order.cancelReason).toBe('customer');
    });
    it('of a wrong amount is told apart', () => {
      expect(ending.when(s.revoked(PAY_1, 90)).order.refunds).toMatchObject([
        { origin: 'disputed_payment', amount: 90 },
      ]);
    });
  });
});

describe("a refund's tries", () => {
  it('each has a time of its own', () => {
    const ended = given({}, s.pay(), s.opened(PAY_1), s.at(s.EXPIRY), s.closed(PAY_1), money(PAY_1));
    const id = s.returnOf(PAY_1);
    expect(s.refundNamed(ended.order, id)).not.toHaveProperty('triedAt');
    const failed = ended.when(s.refundFails(id)).order;
    const again = s.tell(failed, s.time, s.EXPIRY + s.HOUR).order;
    expect(s.refundNamed(again, id)).toMatchObject({ tries: 1, triedAt: s.EXPIRY + s.HOUR });
  });
});

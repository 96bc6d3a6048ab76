import { describe, expect, it } from 'vitest';
import { attentionOf } from '../../domain/attention.ts';
import { openOrder } from '../../domain/decide.ts';
import { dutiesOf, isSettled } from '../../domain/duties.ts';
import { openedWith } from '../../domain/new-order.ts';
import { given, money, PAY_1, PAY_2, PAY_3, PAYABLE_AS } from './support.ts';
import * as s from './support.ts';

/** An order that is payable under one number at WeChat Pay (PAY_1) and Alipay (PAY_2) from the start: seed 003. */
const waiting = { payableAs: PAYABLE_AS, items: [{ fulfilment: 'digital' as const }] };
const statuses = (told: { order: ReturnType<typeof given>['order'] }) =>
  told.order.payments.map(({ status }) => status);
const duties = (told: { order: ReturnType<typeof given>['order'] }) =>
  dutiesOf(told.order).map((duty) => ['payment' in duty && duty.payment, duty.type]);

describe('attempts that wait', () => {
  it('are asked about from the start, each at its provider, under the same number', () => {
    const { order } = given(waiting);
    expect(order.payments.map(({ outTradeNo, method }) => [outTradeNo, method])).toEqual([
      ['5-9996-6d2d', 'wechatpay.native'],
      ['5-9996-6d2d', 'alipay.page'],
    ]);
    expect(dutiesOf(order)).toMatchObject([
      { type: 'watch_attempt', payment: PAY_1, dueAt: s.T0 + 25 * s.SECOND_MS },
      { type: 'watch_attempt', payment: PAY_2, dueAt: s.T0 + 25 * s.SECOND_MS },
    ]);
  });
  it('are there again when the order is opened from its input', () => {
    const { order } = given(waiting);
    expect(openOrder(openedWith(order, true)).order).toEqual(order);
  });
  it('are none where nothing is to be paid', () => {
    expect(given({ ...waiting, items: [{ amount: 0 }] }).order.payments).toEqual([]);
    expect(given({ ...waiting, test: true }).order.payments).toEqual([]);
  });
  it.each([PAY_1, PAY_2])('count when they are paid: %s', (payment) => {
    const other = payment === PAY_1 ? PAY_2 : PAY_1;
    const told = given(waiting).when(money(payment));
    expect(told.order).toMatchObject({ paidBy: payment });
    expect(duties(told)).toEqual([[other, 'close_attempt']]);
  });
  it('give back what is paid a second time (rule 1)', () => {
    const { order } = given(waiting, money(PAY_1)).when(money(PAY_2));
    expect(order.refunds).toMatchObject([{ origin: 'duplicate_payment', source: { payment: PAY_2 }, amount: 100 }]);
  });
  it('are opened by a method of their provider, and stay open beside each other', () => {
    const told = given(waiting, s.pay('wechatpay.h5')).when(s.pay('alipay.wap'));
    expect(told.order.payments.map(({ method }) => method)).toEqual(['wechatpay.h5', 'alipay.wap']);
    expect(duties(told)).toEqual([
      [PAY_1, 'open_attempt'],
      [PAY_2, 'open_attempt'],
    ]);
    expect(given(waiting, s.pay('alipay.wap')).when(s.pay('alipay.wap')).types).toEqual([]);
  });
  it('make room for another method of the same provider, under a number of its own', () => {
    const told = given(waiting, s.pay('wechatpay.native'), s.opened(PAY_1)).when(s.pay('wechatpay.mini'));
    expect(told.types).toEqual(['attempt_closing', 'attempt_started']);
    expect(told.order.payments.map(({ outTradeNo }) => outTradeNo === '5-9996-6d2d')).toEqual([true, true, false]);
    expect(duties(told)).toEqual([
      [PAY_1, 'close_attempt'],
      [PAY_2, 'watch_attempt'],
      [PAY_3, 'open_attempt'],
    ]);
  });
  it('are closed before the order expires, and asked about once more, as their buyer may hold them open elsewhere', () => {
    const expiring = given(waiting, s.at(s.EXPIRY), s.closedOnlyHere(PAY_1));
    expect(duties(expiring)).toEqual([
      [PAY_1, 'watch_attempt'],
      [PAY_2, 'close_attempt'],
    ]);
    const { order, types } = expiring.when(s.closedOnlyHere(PAY_2));
    expect(types).toEqual(['payment.closed', 'order.expired']);
    const late = s.tell(order, money(PAY_1), s.EXPIRY + s.MINUTE).order;
    expect(late.refunds).toMatchObject([{ origin: 'late_payment', amount: 100 }]);
  });
});

describe('money of which only the merchant has told', () => {
  const told = given(waiting, s.toldMoney(PAY_1, 100, 'M-1'));
  const codes = ({ order }: { order: ReturnType<typeof given>['order'] }) => attentionOf(order).map(({ code }) => code);

  it('pays, and its provider is asked until it confirms; people look at it after 15 minutes', () => {
    expect(told.order).toMatchObject({ paidBy: PAY_1, status: 'completed' });
    expect(duties(told)).toEqual([
      [PAY_1, 'confirm_payment'],
      [PAY_2, 'close_attempt'],
    ]);
    expect(isSettled(told.order)).toBe(false);
    const later = told.when(s.at(s.T0 + 15 * s.MINUTE + s.SECOND_MS));
    expect(codes(later)).toContain('payment_unconfirmed');
    expect(codes(s.tell(later.order, money(PAY_1), s.T0 + s.HOUR))).not.toContain('payment_unconfirmed');
  });
  it("is confirmed under its provider's number, for refunds too", () => {
    const { order } = given(waiting, s.toldMoney(PAY_1, 100, 'M-1'), s.apply('r', s.all), money(PAY_1)).when(
      s.approve('r'),
    );
    expect(order.payments[0]!.captures).toEqual([
      { tradeNo: `T-${PAY_1}`, amount: 100, currency: 'CNY', at: s.T0 + s.SECOND_MS, use: 'order' },
    ]);
    expect(s.refundNamed(order, 'r').source).toEqual({ payment: PAY_1, tradeNo: `T-${PAY_1}` });
    expect(order.refunds).toHaveLength(1);
  });
  it('is one payment, told of by both in either order', () => {
    expect(given(waiting, money(PAY_1)).when(s.toldMoney(PAY_1, 100, 'M-1')).types).toEqual([]);
    expect(told.when(s.toldMoney(PAY_1, 100, 'M-2')).types).toEqual([]);
    expect(told.when(money(PAY_1)).types).toEqual(['capture_confirmed']);
    expect(given(waiting, s.toldMoney(PAY_1), money(PAY_1)).when(money(PAY_1)).types).toEqual([]);
  });
  it('stays in sight where its provider confirms less, and gives back what is more', () => {
    expect(codes(told.when(money(PAY_1, 99, { tradeNo: 'M-1' })))).toEqual(['payment_unconfirmed']);
    const more = told.when(money(PAY_1, 130, { tradeNo: 'M-1' })).order;
    expect(more.refunds).toMatchObject([{ amount: 30, status: 'approved' }]);
  });
  it('is not confirmed by other money under another number, which goes back', () => {
    const other = told.when(money(PAY_1, 99));
    expect(other.order.refunds).toMatchObject([{ amount: 99, origin: 'disputed_payment' }]);
    expect(duties(other)).toContainEqual([PAY_1, 'confirm_payment']);
  });
  it('of another amount is told in the timeline, and presumed by nobody', () => {
    const wrong = given(waiting).when(s.toldMoney(PAY_1, 99));
    expect(wrong.types).toEqual(['payment.disputed']);
    expect(statuses(wrong)).toEqual(['pending', 'pending']);
    expect(s.tell(wrong.order, money(PAY_1), s.T0 + s.MINUTE).order.paidBy).toBe(PAY_1);
  });
  it('of another amount is told in the timeline also of what has money, and changes nothing', () => {
    for (const { order } of [told, given(waiting, money(PAY_1))]) {
      const wrong = s.tell(order, s.toldMoney(PAY_1, 99, 'M-2'), s.T0 + s.MINUTE);
      expect(wrong.types).toEqual(['payment.disputed']);
      expect(wrong.order.payments).toEqual(order.payments);
    }
  });
  describe('under the wrong attempt', () => {
    const truth = money(PAY_2, 100, { tradeNo: 'M-1' });

    it('is one payment, of the attempt that it came by; the other goes on without money', () => {
      const found = told.when(truth);
      expect(found.types).toEqual(['capture_confirmed', 'attempt_closing']);
      const [named, real] = found.order.payments;
      expect(found.order).toMatchObject({ paidBy: PAY_2, refunds: [] });
      expect(named).toMatchObject({ captures: [], status: 'pending', paidAt: null });
      expect(real).toMatchObject({
        captures: [{ tradeNo: 'M-1', amount: 100, use: 'order', at: s.T0 + s.SECOND_MS }],
        status: 'succeeded',
        closingSince: null,
      });
      expect(real!.captures[0]).not.toHaveProperty('unconfirmed');
      expect(duties(found)).toEqual([[PAY_1, 'close_attempt']]);
      expect(s.tell(found.order, truth, s.T0 + s.MINUTE).types).toEqual([]);
      const again = s.toldMoney(PAY_1, 100, 'M-1');
      expect(s.tell(found.order, again, s.T0 + s.MINUTE).types).toEqual([]);
    });
    it('takes its refunds along, asked for or made by then', () => {
      const refund = [s.apply('r', s.all), s.approve('r'), s.refunded('r')];
      const { order } = given(waiting, s.toldMoney(PAY_1, 100, 'M-1'), ...refund).when(truth);
      expect(s.refundNamed(order, 'r').source).toEqual({ payment: PAY_2, tradeNo: 'M-1' });
      expect(statuses({ order })).toEqual(['pending', 'refunded']);
      expect(order.refunds).toHaveLength(1);
    });
    it('is kept once where both were really paid, whichever is known first', () => {
      for (const steps of [
        [truth, money(PAY_1)],
        [money(PAY_1), truth],
      ] as const) {
        const { order } = given(waiting, s.toldMoney(PAY_1, 100, 'M-1'), steps[0]).when(steps[1]);
        expect(order.refunds).toMatchObject([{ origin: 'duplicate_payment', amount: 100 }]);
        expect(order.refunds[0]!.source!.payment).not.toBe(order.paidBy);
        expect(order.payments.map(({ captures }) => captures.length)).toEqual([1, 1]);
      }
    });
    it('leaves to that attempt what else came by it', () => {
      const other = money(PAY_1, 99, { tradeNo: 'T-odd' });
      const { order } = given(waiting, s.toldMoney(PAY_1, 100, 'M-1'), other).when(truth);
      expect(order).toMatchObject({ paidBy: PAY_2, refunds: [{ amount: 99, source: { tradeNo: 'T-odd' } }] });
      expect(statuses({ order })).toEqual(['disputed', 'succeeded']);
      expect(s.paymentAt(order, 0)).toMatchObject({ captures: [{ tradeNo: 'T-odd' }], paidAt: null });
    });
    it('stays in sight where less came by the other, and gives back what is more', () => {
      expect(codes(told.when(money(PAY_2, 99, { tradeNo: 'M-1' })))).toEqual(['payment_unconfirmed']);
      const more = told.when(money(PAY_2, 130, { tradeNo: 'M-1' })).order;
      expect(more.refunds).toMatchObject([{ amount: 30, source: { payment: PAY_2 } }]);
    });
    it('adds nothing to what its provider had said', () => {
      const less = given(waiting, money(PAY_2, 99, { tradeNo: 'M-1' }));
      expect(less.when(s.toldMoney(PAY_1, 100, 'M-1')).types).toEqual([]);
      expect(given(waiting, truth).when(s.toldMoney(PAY_1, 100, 'M-1')).types).toEqual([]);
    });
    it('is other money where the number is another one: that goes back', () => {
      const { order } = told.when(money(PAY_2));
      expect(order).toMatchObject({ paidBy: PAY_1, refunds: [{ origin: 'duplicate_payment' }] });
    });
  });
  it('gives nothing back before its provider was asked, where the order has ended', () => {
    const ended = given(waiting, s.cancel(), s.closed(PAY_1), s.closed(PAY_2));
    const hint = ended.when(s.toldMoney(PAY_1));
    expect(hint.types).toEqual(['attempt_asked']);
    expect(duties(hint)).toEqual([[PAY_1, 'watch_attempt']]);
    expect(s.tell(hint.order, money(PAY_1), ended.now + s.MINUTE).order.refunds).toMatchObject([
      { origin: 'late_payment' },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { dutiesOf } from '../../domain/duties.ts';
import { LIMITS } from '../../domain/limits.ts';
import { attentionOf } from '../../domain/attention.ts';
import { deadlineOf } from '../../domain/time.ts';
import { refundStatus, statusOf, view } from '../../domain/view.ts';
import * as s from './support.ts';

const { given, paid, money, PAY_1, PAY_2, PAY_3 } = s;
const started = [s.pay(), s.opened(PAY_1)];
const dutyTypes = (order: Parameters<typeof dutiesOf>[0]) => dutiesOf(order).map(({ type }) => type);

describe('paying', () => {
  it('opens an attempt that its provider has to be told of', () => {
    const { order } = given({}, s.pay());
    expect(order.payments).toMatchObject([{ id: PAY_1, status: 'pending', amount: 100, action: null }]);
    expect(dutyTypes(order)).toEqual(['open_attempt']);
  });
  it('asks about an open attempt by itself', () => {
    const { order } = given({}, ...started);
    expect(dutiesOf(order)).toMatchObject([{ type: 'watch_attempt', payment: PAY_1 }]);
    expect(view(order).payments[0]!.action).toEqual({ type: 'qr', content: `weixin://${PAY_1}` });
    expect(statusOf(order)).toBe('pending_payment');
  });
  it('is `paying` while the buyer is at it, and `pending_payment` again when that failed', () => {
    const buying = given({}, ...started, s.processing(PAY_1));
    expect(statusOf(buying.order)).toBe('paying');
    const failed = buying.when(s.failing(PAY_1));
    expect(failed.types).toEqual(['payment.failed']);
    expect(statusOf(failed.order)).toBe('pending_payment');
    expect(s.paymentAt(failed.order, 0)).toMatchObject({ status: 'failed', failure: 'no funds' });
  });
  it('is the same attempt when the same method is asked for while it is open', () => {
    const again = given({}, ...started).when(s.pay());
    expect(again).toMatchObject({ types: [], refused: null });
    expect(given({}, ...started, s.failing(PAY_1), s.pay()).order.payments).toHaveLength(2);
  });
  it('is the same attempt to its provider, whenever the wish is heard', () => {
    const heard = (at: number, askedAt: number) => {
      const wish = { ...s.pay(), askedAt } as ReturnType<typeof s.pay>;
      const { startedAt, expiresAt } = s.paymentAt(given({ expiresAt: s.T0 + s.DAY }, s.at(at, wish)).order, 0);
      return [startedAt, expiresAt - startedAt];
    };
    const life = 2 * s.HOUR;
    const at = s.T0 + 10 * s.HOUR;
    expect(heard(at, at - 3_000)).toEqual([at - 3_000, life]);
    expect(heard(at + 30_000, at - 3_000)).toEqual([at - 3_000, life]);
    expect(heard(at, at + 5_000)).toEqual([at, life]);
    expect(heard(at, 0)).toEqual([at - 60_000, life]);
  });
  it('takes at most fifty attempts', () => {
    const failing = Array.from({ length: LIMITS.attempts }, (_, n) => [
      s.pay(),
      s.failing(
        s
          .given({})
          .order.id.replace('ord_', 'pay_')
          .concat(String(n + 1).padStart(2, '0')) as typeof PAY_1,
      ),
    ]).flat();
    const many = given({}, ...failing);
    expect(many.order.payments).toHaveLength(LIMITS.attempts);
    expect(many.when(s.pay()).refused).toBe('limit_reached');
  });
  it('gives an attempt two hours at most, and closes it then without ending the order', () => {
    const expiresAt = s.T0 + s.DAY;
    const open = given({ expiresAt }, ...started);
    const { expiresAt: end } = s.paymentAt(open.order, 0);
    expect(end).toBe(s.T0 + s.SECOND_MS + 2 * s.HOUR);
    expect(open.when(s.at(end - 1)).types).toEqual([]);
    const closing = open.when(s.at(end));
    expect(closing.types).toEqual(['attempt_closing']);
    expect(dutyTypes(closing.order)).toEqual(['close_attempt']);
    expect(statusOf(closing.order)).toBe('pending_payment');
  });
});

describe('an order is paid at most once (rule 1)', () => {
  it('is paid by the first right money, whatever closes then', () => {
    const { order, types } = given({}, ...started).when(money(PAY_1));
    expect(types).toEqual(['money_captured', 'order.paid']);
    expect(order).toMatchObject({ status: 'paid', paidBy: PAY_1, paidAt: s.T0 + s.SECOND_MS });
    expect(s.paymentAt(order, 0)).toMatchObject({ status: 'succeeded', paidAt: s.T0 + s.SECOND_MS });
  });
  it('ignores the same money told twice', () => {
    expect(paid().when(money(PAY_1))).toMatchObject({ types: [], refused: null });
  });
  it('closes the earlier attempt before it opens the next one, but waits five seconds at most', () => {
    const { order, types } = given({}, ...started).when(s.pay('wechatpay.mini'));
    expect(types).toEqual(['attempt_closing', 'attempt_started']);
    const [close, open] = dutiesOf(order);
    expect(close).toMatchObject({ type: 'close_attempt', payment: PAY_1 });
    expect(open).toMatchObject({ type: 'open_attempt', payment: PAY_2 });
    expect(open!.dueAt - s.paymentAt(order, 1).startedAt).toBe(5 * s.SECOND_MS);
    const closed = given({}, ...started, s.pay('wechatpay.mini'), s.closed(PAY_1)).order;
    expect(dutiesOf(closed)).toMatchObject([{ type: 'open_attempt', dueAt: s.paymentAt(closed, 1).startedAt }]);
  });
  it('is paid by the earlier attempt if closing it comes too late, and closes the new one', () => {
    const { order, types } = given({}, ...started, s.pay('wechatpay.mini'), s.opened(PAY_2)).when(money(PAY_1));
    expect(types).toEqual(['money_captured', 'order.paid', 'attempt_closing']);
    expect(order.paidBy).toBe(PAY_1);
    expect(dutiesOf(order)).toMatchObject([{ type: 'close_attempt', payment: PAY_2 }]);
  });
  it('returns the money of a second attempt in full', () => {
    const { order, types } = given({}, ...started, s.pay('wechatpay.mini'), money(PAY_1)).when(money(PAY_2));
    expect(types).toEqual(['money_captured', 'refund.requested']);
    expect(order.refunds).toMatchObject([
      { id: s.returnOf(PAY_2), origin: 'duplicate_payment', amount: 100, status: 'approved' },
    ]);
    expect(s.lastRefund(order).source).toEqual({ payment: PAY_2, tradeNo: `T-${PAY_2}` });
    expect(order.paidBy).toBe(PAY_1);
  });
  it('returns a second capture of the same attempt', () => {
    const { order } = paid().when(money(PAY_1, 100, { tradeNo: 'T-other' }));
    expect(order.refunds).toMatchObject([{ origin: 'duplicate_payment', source: { tradeNo: 'T-other' } }]);
    expect(s.paymentAt(order, 0).status).toBe('succeeded');
    expect(view(order).payments[0]!.provider_trade_no).toBe(`T-${PAY_1}`);
  });
  it('is `refunded` only as a payment, never as an order, when a duplicate is back', () => {
    const { order } = given({}, ...started, s.pay('wechatpay.mini'), money(PAY_1), money(PAY_2)).when(
      s.refunded(s.returnOf(PAY_2)),
    );
    expect(order.payments.map(({ status }) => status)).toEqual(['succeeded', 'refunded']);
    expect(refundStatus(order)).toBe('none');
    expect(view(order).amounts).toMatchObject({ paid: 100, refunded: 0 });
  });
  it('stays paid when a failed or closed notice comes after success', () => {
    for (const late of [s.failing(PAY_1), s.closed(PAY_1), s.processing(PAY_1)])
      expect(paid().when(late).types).toEqual([]);
  });
  it('is paid by an attempt that had failed, or was closed', () => {
    for (const before of [s.failing(PAY_1), s.closed(PAY_1)]) {
      const { order } = given({}, ...started, before).when(money(PAY_1));
      expect(order).toMatchObject({ status: 'paid', paidBy: PAY_1 });
    }
  });
});

describe('paid exactly the total (rule 2)', () => {
  it.each([
    ['less', money(PAY_1, 99)],
    ['more', money(PAY_1, 101)],
    ['another currency', money(PAY_1, 100, { currency: 'USD' })],
  ])('is not paid by %s: it is disputed, and shown', (_, wrong) => {
    const { order, types } = given({}, ...started).when(wrong);
    expect(types).toEqual(['payment.disputed']);
    expect(statusOf(order)).toBe('pending_payment');
    expect(s.paymentAt(order, 0)).toMatchObject({ status: 'disputed', paidAt: null });
    expect(attentionOf(order).map(({ code }) => code)).toEqual(['payment_disputed']);
    expect(order.refunds).toEqual([]);
  });
  it('is paid by right money of the same attempt that comes later, and returns the disputed money', () => {
    const { order } = given({}, ...started, money(PAY_1, 99)).when(money(PAY_1, 100, { tradeNo: 'T-2' }));
    expect(order).toMatchObject({ status: 'paid', paidBy: PAY_1 });
    expect(order.refunds).toMatchObject([
      { origin: 'disputed_payment', amount: 99, source: { tradeNo: `T-${PAY_1}` }, status: 'approved' },
    ]);
    expect(s.paymentAt(order, 0).status).toBe('succeeded');
  });
  it('is paid when what was told wrong under a number is told right', () => {
    const { order } = given({}, ...started, money(PAY_1, 99)).when(money(PAY_1, 100));
    expect(order).toMatchObject({ status: 'paid', refunds: [] });
    expect(s.paymentAt(order, 0).captures).toHaveLength(1);
  });
  it('returns disputed money when another attempt pays', () => {
    const { order } = given({}, ...started, money(PAY_1, 99), s.pay()).when(money(PAY_2));
    expect(order.refunds).toMatchObject([{ origin: 'disputed_payment', amount: 99, source: { payment: PAY_1 } }]);
  });
  it('returns disputed money, in its own currency, when the order ends unpaid', () => {
    const disputed = money(PAY_1, 99, { currency: 'USD' });
    const { order, types } = given({}, ...started, disputed).when(s.at(s.EXPIRY));
    expect(types).toEqual(['closing_began', 'order.expired', 'refund.requested']);
    expect(order.refunds).toMatchObject([{ origin: 'disputed_payment', amount: 99, currency: 'USD' }]);
    expect(attentionOf(order)).toEqual([]);
  });
  it('returns disputed money that comes after the order was paid', () => {
    const { order } = paid().when(money(PAY_1, 7, { tradeNo: 'T-odd' }));
    expect(order.refunds).toMatchObject([{ origin: 'disputed_payment', amount: 7 }]);
    expect(s.paymentAt(order, 0).status).toBe('succeeded');
  });
  it('keeps a notice for another merchant or app in view, without any other effect, until somebody has seen it', () => {
    const flagged = given({}, ...started).when(s.foreignNotice(PAY_1));
    expect(attentionOf(flagged.order).map(({ code }) => code)).toEqual(['foreign_notice']);
    expect(s.paymentAt(flagged.order, 0)).toMatchObject({ status: 'pending', captures: [] });
    const twice = given({}, ...started, s.foreignNotice(PAY_1)).when(s.foreignNotice(PAY_1));
    expect(twice.types).toEqual([]);
    expect(attentionOf(s.tell(twice.order, s.retry, s.T0).order)).toEqual([]);
  });
});

describe('disputed money', () => {
  const short = given({}, ...started, money(PAY_1, 99));
  const over = given({}, ...started, money(PAY_1, 130));

  it('goes back when a person says so, and the order can still be paid', () => {
    const { order, events } = short.when(s.resolve(PAY_1, 'return'));
    expect(events.at(-1)).toMatchObject({ type: 'refund.requested', by: { type: 'operator', name: 'Demo Operator' } });
    expect(order.refunds).toMatchObject([
      { origin: 'disputed_payment', amount: 99, status: 'approved', note: 'talked to the buyer' },
    ]);
    expect(s.paymentAt(order, 0).status).toBe('disputed');
    expect(attentionOf(order)).toEqual([]);
    const back = s.tell(order, s.refunded(s.returnOf(PAY_1)), s.T0);
    expect(s.paymentAt(back.order, 0).status).toBe('refunded');
    expect(s.tell(back.order, s.pay(), s.T0).types).toEqual(['attempt_started']);
  });
  it('pays when a person accepts it; what is over goes back', () => {
    const { order, events } = over.when(s.resolve(PAY_1, 'accept'));
    expect(events.find(({ type }) => type === 'order.paid')).toMatchObject({ note: 'talked to the buyer' });
    expect(order).toMatchObject({ status: 'paid', paidBy: PAY_1 });
    expect(order.refunds).toMatchObject([{ origin: 'disputed_payment', amount: 30, status: 'approved' }]);
    expect(view(order).amounts).toMatchObject({ paid: 100, refunded: 0 });
  });
  it('is not accepted if it is too little, or in another currency', () => {
    expect(short.when(s.resolve(PAY_1, 'accept')).refused).toBe('invalid_state');
    const dollars = given({}, ...started, money(PAY_1, 100, { currency: 'USD' }));
    expect(dollars.when(s.resolve(PAY_1, 'accept')).refused).toBe('invalid_state');
  });
  it('is resolved once: again the same is the same, and nothing once the order is paid or ended', () => {
    const returned = given({}, ...started, money(PAY_1, 130), s.resolve(PAY_1, 'return'));
    expect(returned.when(s.resolve(PAY_1, 'return'))).toMatchObject({ types: [], refused: null });
    expect(returned.when(s.resolve(PAY_1, 'accept')).refused).toBe('invalid_state');
    const accepted = given({}, ...started, money(PAY_1, 130), s.resolve(PAY_1, 'accept'));
    for (const order of [paid(), accepted])
      for (const decision of ['return', 'accept'] as const)
        expect(order.when(s.resolve(PAY_1, decision)).refused).toBe('invalid_state');
    const ended = given({}, ...started, money(PAY_1, 130), s.at(s.EXPIRY));
    expect(ended.when(s.resolve(PAY_1, 'accept')).refused).toBe('invalid_state');
    expect(given({}, ...started).when(s.resolve(PAY_1, 'return')).refused).toBe('invalid_state');
    expect(given({}, ...started).when(s.resolve(PAY_2, 'return')).refused).toBe('not_found');
  });
});

describe('asking and closing before the end (rule 5)', () => {
  it('expires at once if nothing is open, at its moment and not before', () => {
    const fresh = given({});
    expect(deadlineOf(fresh.order)).toBe(s.EXPIRY);
    expect(fresh.when(s.at(s.EXPIRY - 1)).types).toEqual([]);
    const { order, types } = fresh.when(s.at(s.EXPIRY));
    expect(types).toEqual(['closing_began', 'order.expired']);
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'expired' });
  });
  it('closes what is open first, and only then expires', () => {
    const expiring = given({}, ...started).when(s.at(s.EXPIRY));
    expect(expiring.types).toEqual(['closing_began', 'attempt_closing']);
    expect(statusOf(expiring.order)).toBe('pending_payment');
    const closed = s.tell(expiring.order, s.closed(PAY_1), s.EXPIRY + s.HOUR);
    expect(closed.types).toEqual(['payment.closed', 'order.expired']);
  });
  it('is paid, not expired, if it is found paid while closing', () => {
    const { order } = given({}, ...started, s.at(s.EXPIRY)).when(money(PAY_1));
    expect(order).toMatchObject({ status: 'paid', ending: null });
    expect(order.refunds).toEqual([]);
  });
  it('is paid by right money as long as it is not cancelled, even by an attempt that was closed', () => {
    const { order } = given({}, ...started, s.pay('wechatpay.mini'), s.closed(PAY_1), s.at(s.EXPIRY)).when(
      money(PAY_1),
    );
    expect(order).toMatchObject({ status: 'paid', paidBy: PAY_1 });
  });
  it('returns money that comes after the end', () => {
    const ended = given({}, ...started, s.at(s.EXPIRY), s.closed(PAY_1));
    const { order, types } = ended.when(money(PAY_1));
    expect(types).toEqual(['money_captured', 'refund.requested']);
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'expired', paidAt: null });
    expect(order.refunds).toMatchObject([{ origin: 'late_payment', amount: 100, status: 'approved' }]);
  });
  it('waits for as long as the provider is away, then shows it (rule 9)', () => {
    const waiting = given({}, ...started, s.at(s.EXPIRY));
    expect(waiting.when(s.at(s.EXPIRY + 15 * s.MINUTE - 1)).types).toEqual([]);
    const { order, types } = waiting.when(s.at(s.EXPIRY + 15 * s.MINUTE));
    expect(types).toEqual(['duty_delayed']);
    expect(attentionOf(order)).toEqual([{ code: 'closing_delayed', since: s.EXPIRY }]);
    expect(statusOf(order)).toBe('pending_payment');
  });
  it('waits for each of several attempts', () => {
    const two = given({}, ...started, s.pay('wechatpay.mini'), s.opened(PAY_2), s.at(s.EXPIRY));
    expect(dutyTypes(two.order)).toEqual(['close_attempt', 'close_attempt']);
    const one = two.when(s.closed(PAY_2));
    expect(one.types).toEqual(['payment.closed']);
    expect(s.tell(one.order, s.failing(PAY_1), s.EXPIRY + 1).types).toEqual(['payment.failed', 'order.expired']);
  });
  it('does not end while an attempt that failed to open could still be open', () => {
    const { order } = given({}, s.pay(), s.at(s.EXPIRY));
    expect(dutyTypes(order)).toEqual(['close_attempt']);
  });
});

describe('unpaid orders whose time is over (rule 8)', () => {
  const wishes = [s.pay(), s.confirm, s.cancel()];
  it.each(wishes)('refuses $type from the very moment of expiry', (wish) => {
    expect(given({ confirm: true }).when(s.at(s.EXPIRY, wish)).refused).toBe('order_expired');
    expect(given({ confirm: false }).when(s.at(s.EXPIRY, wish)).refused).toBe('order_expired');
    expect(given({}, s.at(s.EXPIRY)).when(wish).refused).toBe('order_expired');
    expect(given({}, ...started, s.at(s.EXPIRY)).when(wish).refused).toBe('order_expired');
  });
  it('grants them a millisecond earlier', () => {
    expect(given({}).when(s.at(s.EXPIRY - 1, s.pay())).types).toEqual(['attempt_started']);
    expect(given({ confirm: false }).when(s.at(s.EXPIRY - 1, s.confirm)).types).toEqual(['order.confirmed']);
    expect(given({}).when(s.at(s.EXPIRY - 1, s.cancel())).types).toEqual(['closing_began', 'order.cancelled']);
  });
  it('says `already_paid` to a paid order, whenever', () => {
    expect(paid().when(s.pay()).refused).toBe('already_paid');
    expect(paid().when(s.at(s.EXPIRY, s.pay())).refused).toBe('already_paid');
  });
  it('says `invalid_state` to one that was cancelled', () => {
    const cancelled = given({}, s.cancel());
    expect(cancelled.when(s.pay()).refused).toBe('invalid_state');
    expect(cancelled.when(s.confirm).refused).toBe('invalid_state');
    expect(given({}, ...started, s.cancel()).when(s.pay()).refused).toBe('invalid_state');
  });
});

describe('the final yes (`confirm: false`)', () => {
  const asked = given({ confirm: false });
  it('is waited for before anything is paid, from creation to expiry', () => {
    expect(statusOf(asked.order)).toBe('awaiting_confirmation');
    expect(asked.when(s.pay()).refused).toBe('invalid_state');
    expect(deadlineOf(asked.order)).toBe(s.EXPIRY);
    expect(asked.when(s.at(s.EXPIRY)).types).toEqual(['closing_began', 'order.expired']);
  });
  it('is given once', () => {
    const yes = asked.when(s.confirm);
    expect(yes.types).toEqual(['order.confirmed']);
    expect(statusOf(yes.order)).toBe('pending_payment');
    expect(s.tell(yes.order, s.confirm, s.T0)).toMatchObject({ types: [], refused: null });
    expect(paid({ confirm: true }).when(s.confirm).refused).toBe('invalid_state');
    const confirmedAndPaid = given({ confirm: false }, s.confirm, ...started, money(PAY_1));
    expect(confirmedAndPaid.when(s.confirm)).toMatchObject({ types: [], refused: null });
  });
  it('is not asked of other orders', () => {
    expect(given({}).when(s.confirm).refused).toBe('invalid_state');
  });
});

it('keeps three attempts apart: one pays, one is returned, one is disputed and returned', () => {
  const three = given(
    {},
    ...started,
    s.pay('wechatpay.mini'),
    s.opened(PAY_2),
    s.pay('wechatpay.jsapi'),
    s.opened(PAY_3),
  );
  const { order } = s.tell(
    s.tell(three.when(money(PAY_2, 55)).order, money(PAY_3), s.T0).order,
    money(PAY_1, 100),
    s.T0,
  );
  expect(order.refunds.map(({ origin, amount, source }) => [origin, amount, source?.payment])).toEqual([
    ['disputed_payment', 55, PAY_2],
    ['duplicate_payment', 100, PAY_1],
  ]);
  expect(order.paidBy).toBe(PAY_3);
});

import type { Command, PaymentFinding, RefundFinding } from '../../domain/commands.ts';
import { dutiesOf, isSettled, type Duty } from '../../domain/duties.ts';
import type { PaymentId, RefundId } from '../../domain/ids.ts';
import { dispatchId, outRefundNoOf, readDispatchId } from '../../domain/ids.ts';
import { PAUSES } from '../../domain/limits.ts';
import { methodTerms, type PaymentMethod } from '../../domain/method.ts';
import type { Order } from '../../domain/order.ts';
import { isPaid, paymentOf, refundOf } from '../../domain/order.ts';
import { hasFailed, isOnItsWay, moreMayArrive } from '../../domain/item.ts';
import { unreplacedAmount } from '../../domain/replacement.ts';
import { leftAmount, refundedAmount } from '../../domain/sums.ts';
import { deadlineOf } from '../../domain/time.ts';
import { view } from '../../domain/view.ts';
import { letTimePass, soundly } from './invariants.ts';
import * as s from './support.ts';

/** `processing`: the buyer is at it; `approved`: they said yes, and nobody has taken the money. */
type Trade = { state: 'unknown' | 'open' | 'processing' | 'approved' | 'closed'; captures: Capture[] };
type Capture = { tradeNo: string; amount: number; currency: string };
type RefundEntry = { trade: PaymentId; tradeNo: string; amount: number; state: 'processing' | 'succeeded' | 'failed' };

type Outcome = 'succeeded' | 'processing' | 'failed';

/**
 * The world around one order: the provider's books, which are the truth about money, and what was said to the order
 * about them. Providers obey: they never give back more than they took.
 */
export class World {
  order: Order;
  now: number;
  readonly trades = new Map<PaymentId, Trade>();
  /** By our number of the refund. */
  readonly refunds = new Map<string, RefundEntry>();
  /** What machines took, by dispatch: how many to dispense. */
  readonly trays = new Map<string, number>();
  /** Everything that was ever said: it may be said again, late and in any order. */
  readonly said: Command[] = [];

  constructor(order: Order, now: number) {
    this.order = order;
    this.now = now;
  }

  tell(command: Command): void {
    this.now += 1;
    this.said.push(command);
    this.order = soundly(this.order, command, this.now);
    view(this.order);
  }

  tradeOf(payment: PaymentId): Trade {
    let trade = this.trades.get(payment);
    if (!trade) this.trades.set(payment, (trade = { state: 'unknown', captures: [] }));
    return trade;
  }

  /** The buyer pays, if the provider lets them. `force`: through a close that lost the race. */
  buyerPays(payment: PaymentId, amount: number, currency: string, force: boolean): void {
    const trade = this.tradeOf(payment);
    const isPayable = trade.state === 'open' || trade.state === 'processing' || (force && trade.state !== 'unknown');
    if (!isPayable || (trade.captures.length > 0 && !force) || (this.#isLapsed(payment) && !force)) return;
    if (this.#methodOf(payment) === 'paypal.checkout' && trade.state === 'open' && !force) trade.state = 'approved';
    else this.#capture(payment, amount, currency);
  }

  #capture(payment: PaymentId, amount: number, currency: string): void {
    const trade = this.tradeOf(payment);
    const tradeNo = `T-${payment}-${trade.captures.length}`;
    trade.captures.push({ tradeNo, amount, currency });
    trade.state = 'closed';
  }

  /** A client opens what waits, at the provider itself. */
  opensElsewhere(payment: PaymentId): void {
    const trade = this.tradeOf(payment);
    if (paymentOf(this.order, payment)?.waiting && trade.state === 'unknown') trade.state = 'open';
  }

  /** The merchant tells of money that came, by a proof of its own. @param named the attempt, rightly or not */
  merchantTells(payment: PaymentId, named: PaymentId): void {
    const capture = this.tradeOf(payment).captures.find((one) => one.amount === this.order.total);
    if (capture?.currency === 'CNY') this.tell(s.toldMoney(named, capture.amount, capture.tradeNo));
  }

  /** A notice, or an answer: how a payment stands now. Each capture is told of on its own. */
  tellOfPayment(payment: PaymentId, unpaid?: PaymentFinding, closing = false): void {
    const { state, captures } = this.tradeOf(payment);
    const kept = captures.filter(({ tradeNo }) => !this.refunds.has(`revoked ${tradeNo}`));
    for (const { tradeNo, amount, currency } of kept)
      this.#found(payment, { state: 'paid', tradeNo, amount, currency, paidAt: this.now }, closing);
    if (captures.length > 0) return;
    this.#found(payment, unpaid ?? { state: state === 'unknown' || state === 'open' ? 'pending' : state }, closing);
  }

  #found(payment: PaymentId, finding: PaymentFinding, closing: boolean): void {
    const by = { type: 'provider', name: null } as const;
    this.tell({ type: 'payment_found', payment, finding, ...(closing && { closing: true }), by });
  }

  #methodOf = (payment: PaymentId): PaymentMethod => paymentOf(this.order, payment)?.method ?? 'wechatpay.native';
  /** Its time is over, and that of whoever had begun by then. */
  #isLapsed = (payment: PaymentId): boolean =>
    this.now >= (paymentOf(this.order, payment)?.expiresAt ?? Infinity) + PAUSES.lastAsking;

  /** It is asked once more: whatever else the answer is, that was the last time. */
  #isAskedLast = (payment: PaymentId): boolean =>
    this.#isLapsed(payment) || this.now >= (paymentOf(this.order, payment)?.watched?.until ?? Infinity);

  tellOfRefund(refund: RefundId): void {
    const known = refundOf(this.order, refund);
    const entry = known && this.refunds.get(outRefundNoOf(refund, known.tries));
    if (!entry) return;
    const finding: RefundFinding =
      entry.state === 'succeeded'
        ? { state: 'succeeded', settledAt: this.now }
        : entry.state === 'failed'
          ? { state: 'failed', reason: 'account closed' }
          : { state: 'processing' };
    this.tell({ type: 'refund_found', refund, finding, by: { type: 'provider', name: null } });
  }

  /** Carries out a duty, as far as the provider lets it. */
  perform(duty: Duty, outcome: Outcome = 'succeeded'): void {
    switch (duty.type) {
      case 'open_attempt':
        return this.#open(duty.payment, outcome);
      case 'confirm_payment':
        return this.tellOfPayment(duty.payment);
      case 'watch_attempt':
        return this.tellOfPayment(duty.payment, this.#isAskedLast(duty.payment) ? { state: 'closed' } : undefined);
      case 'capture_attempt':
        return this.#take(duty.payment, outcome);
      case 'close_attempt':
        return this.#close(duty.payment, outcome);
      case 'make_refund':
      case 'watch_refund':
        this.#refund(duty.refund, outcome);
        return this.tellOfRefund(duty.refund);
      case 'dispatch_item':
        return this.#dispatch(duty, outcome);
    }
  }

  /** A machine takes what it is told under each number once; `processing`: its answer is lost. */
  #dispatch(
    { item, dispatch, quantity }: Extract<Duty, { type: 'dispatch_item' }>,
    outcome: 'succeeded' | 'processing' | 'failed',
  ): void {
    const id = dispatchId(item, dispatch);
    if (outcome === 'failed' && !this.trays.has(id)) return this.tell(s.dispatchRefused(item, dispatch));
    if (!this.trays.has(id)) this.trays.set(id, quantity);
    this.tell(outcome === 'processing' ? s.dispatchLost(item, dispatch) : s.dispatched(item, dispatch));
  }

  /** A machine tells of a dispatch that it took: all of it came out, a part, or nothing. */
  machineTells(index: number, status: 'delivering' | 'delivered' | 'failed'): void {
    const [id, quantity] = [...this.trays][index % Math.max(1, this.trays.size)] ?? [];
    const named = id && readDispatchId(id);
    if (!named || !quantity) return;
    const dispensed = status === 'delivered' ? quantity : status === 'failed' ? quantity - 1 : 0;
    this.tell(s.machineReport(named.item, named.dispatch, status, dispensed || null));
  }

  #open(payment: PaymentId, outcome: Outcome): void {
    const trade = this.tradeOf(payment);
    if (this.#methodOf(payment) === 'alipay.barcode') return this.#charge(payment, outcome);
    if (outcome === 'failed' && trade.state === 'unknown') return this.tell(s.failing(payment));
    if (trade.state === 'unknown') trade.state = 'open';
    this.tell(s.opened(payment));
  }

  /** A bar code is opened and paid, or refused, at once; or waits for a person. */
  #charge(payment: PaymentId, outcome: Outcome): void {
    const trade = this.tradeOf(payment);
    if (trade.state === 'unknown') {
      trade.state = outcome === 'failed' ? 'closed' : 'processing';
      if (outcome === 'succeeded') this.#capture(payment, this.order.total, 'CNY');
    }
    const [paid] = trade.captures;
    if (paid) return this.tell(s.openedAtOnce(payment, { state: 'paid', ...paid, paidAt: this.now }));
    const failed = { state: 'failed', reason: 'no such code' } as const;
    this.tell(s.openedAtOnce(payment, trade.state === 'closed' ? failed : { state: 'processing' }));
  }

  #take(payment: PaymentId, outcome: Outcome): void {
    const trade = this.tradeOf(payment);
    if (trade.state !== 'approved') return this.tellOfPayment(payment);
    trade.state = outcome === 'failed' ? 'open' : 'processing';
    if (outcome === 'succeeded') this.#capture(payment, this.order.total, 'CNY');
    this.tellOfPayment(payment, outcome === 'failed' ? s.NOT_THIS_CARD : undefined);
  }

  /** As each provider can: see METHODS. `failed` is a bar code that is paid in the very moment. */
  #close(payment: PaymentId, outcome: Outcome): void {
    const trade = this.tradeOf(payment);
    const onlyHere = { state: 'closed', mayYetBePaid: true } as const;
    switch (methodTerms(this.#methodOf(payment)).closing) {
      case 'never':
        // What is under way is waited for: the buyer gives up in the end.
        if (trade.state === 'processing') trade.state = 'open';
        return this.tellOfPayment(payment, onlyHere, true);
      case 'once_known':
        if (trade.state === 'open') return this.tellOfPayment(payment, onlyHere, true);
        break;
      case 'revoke':
        if (outcome === 'failed' && trade.state === 'processing') return this.#revoke(payment);
        break;
      case 'at_once':
        if (trade.state === 'unknown' && paymentOf(this.order, payment)?.waiting)
          return this.tellOfPayment(payment, onlyHere, true);
    }
    trade.state = 'closed';
    this.tellOfPayment(payment, undefined, true);
  }

  #revoke(payment: PaymentId): void {
    this.#capture(payment, this.order.total, 'CNY');
    const capture = this.tradeOf(payment).captures.at(-1)!;
    const { tradeNo, amount } = capture;
    this.refunds.set(`revoked ${tradeNo}`, { trade: payment, tradeNo, amount, state: 'succeeded' });
    this.#found(payment, { state: 'revoked', ...capture, paidAt: this.now, settledAt: this.now }, true);
  }

  #refund(id: RefundId, outcome: RefundEntry['state']): void {
    const { source, amount, currency, tries } = refundOf(this.order, id)!;
    const number = outRefundNoOf(id, tries);
    const capture = this.tradeOf(source!.payment).captures.find(({ tradeNo }) => tradeNo === source!.tradeNo);
    const entry = this.refunds.get(number);
    if (entry) {
      if (entry.state === 'processing') entry.state = outcome;
      return;
    }
    if (!capture && this.#isOnlyTold(source!))
      return void this.refunds.set(number, { ...source!, trade: source!.payment, amount, state: 'failed' });
    if (!capture) throw new Error(`a refund of money that never came: ${source!.tradeNo}`);
    if (currency !== capture.currency) throw new Error('a refund in another currency');
    const others = [...this.refunds.values()].filter((r) => r.tradeNo === capture.tradeNo && r.state !== 'failed');
    const sum = others.reduce((a, other) => a + other.amount, 0);
    if (sum + amount > capture.amount) throw new Error(`more was asked back than came: ${sum} + ${amount}`);
    this.refunds.set(number, { trade: source!.payment, tradeNo: capture.tradeNo, amount, state: outcome });
  }

  #isOnlyTold = ({ payment, tradeNo }: { payment: PaymentId; tradeNo: string }): boolean =>
    paymentOf(this.order, payment)!.captures.some((one) => one.tradeNo === tradeNo && one.unconfirmed);

  /** A refund that had succeeded is taken back. */
  reverse(refund: RefundId): void {
    const known = refundOf(this.order, refund);
    const entry = known && this.refunds.get(outRefundNoOf(refund, known.tries));
    if (entry?.state !== 'succeeded') return;
    entry.state = 'failed';
    this.tellOfRefund(refund);
  }

  passUntil(moment: number): void {
    this.now = Math.max(this.now, moment);
    this.order = letTimePass(this.order, this.now);
  }

  /**
   * From now on everything works: providers answer, people decide, the merchant delivers, time passes.
   * @param tells whether providers also send notices
   * @throws if the order does not come to its end
   */
  becomeFriendly(approves = true, tells = true): void {
    for (let rounds = 0; rounds < 150; rounds++) {
      this.passUntil(this.now);
      if (tells) for (const payment of this.trades.keys()) this.tellOfPayment(payment);
      for (const duty of dutiesOf(this.order))
        if (dutiesOf(this.order).some(({ key }) => key === duty.key)) this.perform(duty);
      this.#peopleAct(approves);
      if (isSettled(this.order)) return;
      const later = dutiesOf(this.order).flatMap(({ dueAt }) => (dueAt > this.now ? [dueAt] : []));
      const next = Math.min(deadlineOf(this.order) ?? Infinity, ...later);
      if (next < Infinity) this.passUntil(next);
    }
    throw new Error(`the order does not come to its end: ${JSON.stringify(this.order)}`);
  }

  #peopleAct(approves: boolean): void {
    const { order } = this;
    for (const { id, status } of order.refunds)
      if (status === 'requested') this.tell(approves ? s.approve(id, 'friend') : s.reject(id, 'friend'));
    if (!isPaid(order)) return;
    for (const item of this.order.items)
      if (hasFailed(item) && item.onFailure === 'ask' && !item.failureDecided) this.tell(s.redeliver(item.id));
    for (const item of this.order.items)
      if (isOnItsWay(item) && moreMayArrive(item)) this.tell(s.report(item.id, 'delivered'));
    const failed = this.order.refunds.reduce((sum, refund) => sum + unreplacedAmount(refund), 0);
    const wanted = Math.min(failed, leftAmount(this.order));
    if (wanted > 0) this.tell(s.apply(`f${this.order.refunds.length}`, s.amount(wanted), 'friend of the customer'));
    this.tell(s.receipt);
  }

  /** The provider's books against what the order is owed; for an order that owes nothing more. */
  checkBooks(): void {
    const { order } = this;
    const captures = [...this.trades.values()].flatMap((trade) => trade.captures);
    for (const currency of new Set([order.currency, ...captures.map((one) => one.currency)])) {
      const came = captures.filter((one) => one.currency === currency).reduce((a, { amount }) => a + amount, 0);
      const tradeNos = new Set(captures.filter((one) => one.currency === currency).map(({ tradeNo }) => tradeNo));
      const back = [...this.refunds.values()].filter((r) => r.state === 'succeeded' && tradeNos.has(r.tradeNo));
      const net = came - back.reduce((a, { amount }) => a + amount, 0);
      const owed = order.paidBy !== null && currency === order.currency ? order.total - refundedAmount(order) : 0;
      if (net !== owed) throw new Error(`the provider holds ${net} ${currency}, the order is owed ${owed}`);
    }
  }
}

import { expect, it } from 'vitest';
import type { Command } from '../../domain/commands.ts';
import type { Order } from '../../domain/order.ts';
import { deadlineOf } from '../../domain/time.ts';
import { checkOrder, letTimePass, soundly } from './invariants.ts';
import * as s from './support.ts';

/**
 * Not a sample of the stories: every one that can be told with these words, up to a length. A word that changes nothing
 * is looked at (is it refused properly?) and not continued: the story without it is told anyway. What must hold at each
 * step is in invariants.ts.
 */

type Word = Command | 'until something is due';
const LATER: Word = 'until something is due';

function tellAll(order: Order, now: number, words: readonly Word[], length: number): number {
  let told = 0;
  for (const word of words) {
    const [next, moment] = after(order, word, now + 1);
    told++;
    if (next !== order && length > 1) told += tellAll(next, moment, words, length - 1);
  }
  return told;
}

function after(order: Order, word: Word, now: number): [Order, number] {
  if (word !== LATER) return [soundly(order, word as Command, now), now];
  const due = deadlineOf(order);
  const moment = Math.max(now, due ?? 0);
  return [due === null ? order : letTimePass(order, moment), moment];
}

function tellsAll(story: s.Given, words: readonly Word[], length: number): number {
  checkOrder(story.order);
  return tellAll(story.order, story.now, words, length);
}

it('pays at most once, exactly the total, and returns the rest', () => {
  const [one, two] = [s.PAY_1, s.PAY_2];
  const story = s.given({}, s.pay(), s.opened(one), s.pay('wechatpay.mini'), s.opened(two));
  const words: Word[] = [
    s.money(one),
    s.money(two),
    s.money(two, 99, { tradeNo: 'T-odd' }),
    s.money(one, 130),
    s.money(one, 100, { currency: 'USD', tradeNo: 'T-usd' }),
    s.closed(one),
    s.closed(two),
    s.failing(two),
    s.processing(one),
    s.cancel(),
    s.resolve(one, 'accept'),
    s.resolve(two, 'return'),
    s.refunded(s.returnOf(two)),
    s.refundFails(s.returnOf(one)),
    s.approve(s.CANCELLATION),
    LATER,
  ];
  expect(tellsAll(story, words, 5)).toBeGreaterThan(60_000);
});

it('ends at most once, however payment, closing and expiry meet', () => {
  const story = s.given({ confirm: false }, s.confirm, s.pay(), s.opened(s.PAY_1));
  const words: Word[] = [
    s.money(s.PAY_1),
    s.closed(s.PAY_1),
    s.failing(s.PAY_1),
    s.pay(),
    s.money(s.PAY_2),
    s.cancel(),
    s.approve(s.CANCELLATION),
    s.refunded(s.CANCELLATION),
    s.reject(s.CANCELLATION),
    LATER,
  ];
  expect(tellsAll(story, words, 8)).toBeGreaterThan(5_000);
});

it('keeps one payment and returns the others, also where nothing can be closed for good', () => {
  const [one, two, three] = [s.PAY_1, s.PAY_2, s.PAY_3];
  const story = s.given({}, s.pay('unionpay.qr'), s.opened(one), s.pay('paypal.checkout'), s.opened(two));
  const words: Word[] = [
    s.closedOnlyHere(one),
    s.money(one),
    s.failingForNow(one),
    s.processing(one),
    s.approved(two),
    s.found(two, { state: 'pending' }),
    s.money(two),
    s.closedOnlyHere(two),
    s.closed(two),
    s.pay('card.stripe'),
    s.failingForNow(three),
    s.money(three),
    s.cancel(),
    LATER,
  ];
  expect(tellsAll(story, words, 6)).toBeGreaterThan(60_000);
});

it('keeps one payment of what the merchant tells of, under the right attempt or another, and what really came', () => {
  const [one, two] = [s.PAY_1, s.PAY_2];
  const story = s.given({ payableAs: s.PAYABLE_AS });
  const words: Word[] = [
    s.toldMoney(one, 100, 'T'),
    s.toldMoney(two, 100, 'T'),
    s.money(one),
    s.money(two, 100, { tradeNo: 'T' }),
    s.money(one, 99, { tradeNo: 'T-odd' }),
    s.money(two, 130, { tradeNo: 'T-more' }),
    s.closedOnlyHere(one),
    s.closedOnlyHere(two),
    s.apply('a', s.amount(40)),
    s.approve('a'),
    s.refunded('a'),
    s.refundFails('a'),
    s.cancel(),
    LATER,
  ];
  expect(tellsAll(story, words, 5)).toBeGreaterThan(20_000);
});

it('revokes a bar code at most once, and keeps no money of it', () => {
  const story = s.given({}, s.pay('alipay.barcode'));
  const words: Word[] = [
    s.openedAtOnce(s.PAY_1, { state: 'processing' }),
    s.openedAtOnce(s.PAY_1, { state: 'failed', reason: 'no such code' }),
    s.money(s.PAY_1),
    s.revoked(s.PAY_1),
    s.foundClosing(s.PAY_1, { state: 'closed' }),
    s.closedOnlyHere(s.PAY_1),
    s.failing(s.PAY_1),
    s.pay('alipay.qr'),
    s.opened(s.PAY_2),
    s.money(s.PAY_2),
    s.cancel(),
    s.approve(s.CANCELLATION),
    LATER,
  ];
  expect(tellsAll(story, words, 6)).toBeGreaterThan(5_000);
});

it('never gives back more than was paid, in total and per item', () => {
  const story = s.paid({ items: [{ quantity: 2, amount: 61 }, { amount: 40 }], discount: 1, refundWindowSeconds: 600 });
  const words: Word[] = [
    s.apply('a', s.units([s.FIRST, 1])),
    s.apply('b', s.units([s.FIRST, 1], [s.SECOND, 1])),
    s.apply('c', s.amount(35)),
    s.apply('d', s.all),
    s.cancel(),
    s.approve('a'),
    s.approve('b'),
    s.approve('c'),
    s.reject('b'),
    s.reject('c'),
    s.approve('d'),
    s.approve(s.CANCELLATION),
    s.refunded('a'),
    s.refunded('c'),
    s.refundFails('a'),
    s.refundFails('b'),
    s.refundFails('c'),
    s.refunded('d'),
    s.report(s.FIRST, 'delivered', 1),
    LATER,
  ];
  expect(tellsAll(story, words, 6)).toBeGreaterThan(30_000);
});

it('delivers or gives back, also where refunds fail', () => {
  const story = s.paid({ items: [{ amount: 40 }, { amount: 60 }] });
  const words: Word[] = [
    s.apply('a', s.units([s.FIRST, 1])),
    s.apply('b', s.units([s.SECOND, 1])),
    s.apply('c', s.amount(40)),
    s.approve('a'),
    s.approve('b'),
    s.approve('c'),
    s.reject('b'),
    s.reject('c'),
    s.refundFails('a'),
    s.refundFails('b'),
    s.refunded('a'),
    s.refunded('b'),
    s.refunded('c'),
    s.report(s.FIRST, 'delivered'),
    s.report(s.SECOND, 'delivered'),
    s.receipt,
  ];
  expect(tellsAll(story, words, 7)).toBeGreaterThan(20_000);
});

it('delivers or gives back, and comes to one end', () => {
  const story = s.paid({
    items: [
      { quantity: 2, amount: 60, onFailure: 'refund', deliveryTimeoutSeconds: 60 },
      { amount: 40, onFailure: 'ask' },
    ],
    autoReceiptAfterSeconds: 600,
  });
  const words: Word[] = [
    s.report(s.FIRST, 'delivering'),
    s.report(s.FIRST, 'delivered', 1),
    s.report(s.FIRST, 'delivered'),
    s.report(s.FIRST, 'failed'),
    s.report(s.SECOND, 'failed'),
    s.report(s.SECOND, 'picked_up'),
    s.redeliver(s.FIRST),
    s.redeliver(s.SECOND),
    s.apply('a', s.units([s.FIRST, 1])),
    s.apply('b', s.all),
    s.approve('a'),
    s.reject('a'),
    s.approve('b'),
    s.refunded('a'),
    s.refunded(s.DELIVERY_REFUND),
    s.refundFails(s.DELIVERY_REFUND),
    s.refunded('b'),
    s.receipt,
    LATER,
  ];
  expect(tellsAll(story, words, 5)).toBeGreaterThan(60_000);
});

it('dispenses for each intent at most once, or gives the money back', () => {
  const story = s.paid({
    items: [
      { quantity: 2, amount: 60, fulfilment: 'machine', onFailure: 'refund', deliveryTimeoutSeconds: 300 },
      { amount: 40, fulfilment: 'machine', onFailure: 'ask', deliveryTimeoutSeconds: 300 },
    ],
  });
  const words: Word[] = [
    s.dispatched(s.FIRST),
    s.dispatchLost(s.FIRST),
    s.dispatchRefused(s.SECOND),
    s.dispatched(s.SECOND),
    s.dispatched(s.SECOND, 2),
    s.machineReport(s.FIRST, 1, 'delivered', 2),
    s.machineReport(s.FIRST, 1, 'failed', 1),
    s.machineReport(s.SECOND, 1, 'failed'),
    s.machineReport(s.SECOND, 2, 'delivered', 1),
    s.redeliver(s.SECOND),
    s.cancel(),
    s.apply('a', s.units([s.FIRST, 1])),
    s.approve('a'),
    s.approve(s.CANCELLATION),
    s.reject(s.CANCELLATION),
    s.refunded('a'),
    s.refunded(s.DELIVERY_REFUND),
    LATER,
  ];
  expect(tellsAll(story, words, 5)).toBeGreaterThan(60_000);
});

it('hands out for a code once, or gives the money back', () => {
  const story = s.paid({
    items: [
      { quantity: 2, amount: 60, fulfilment: 'pickup', onFailure: 'refund', deliveryTimeoutSeconds: 600 },
      { amount: 40, fulfilment: 'pickup', onFailure: 'ask', deliveryTimeoutSeconds: 300 },
    ],
  });
  const words: Word[] = [
    s.redeem('one'),
    s.redeem('two'),
    s.report(s.FIRST, 'picked_up', 1),
    s.report(s.SECOND, 'failed'),
    s.redeliver(s.SECOND),
    s.cancel(),
    s.apply('a', s.units([s.FIRST, 1])),
    s.apply('b', s.amount(50)),
    s.approve('a'),
    s.reject('b'),
    s.approve('b'),
    s.approve(s.CANCELLATION),
    s.reject(s.CANCELLATION),
    s.refunded('a'),
    s.refunded('b'),
    s.refunded(s.CANCELLATION),
    s.refunded(s.DELIVERY_REFUND),
    LATER,
  ];
  expect(tellsAll(story, words, 6)).toBeGreaterThan(60_000);
});

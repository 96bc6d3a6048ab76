import { dutiesOf, type Duty } from './duties.ts';
import { unreachable } from './brand.ts';
import type { Item, Order, Refund } from './order.ts';
import { isPaid, isUnpaid } from './order.ts';
import { hasFailed } from './item.ts';
import { strayRefunds } from './refund.ts';
import { awaitsReplacement } from './replacement.ts';
import { isOnItsWayBack, isOwnRefund } from './sums.ts';
import { fallsShort } from './unconfirmed.ts';

/** What a person should look at: contract, "attention". */
export const ATTENTION_CODES = {
  payment_disputed: 'Money of a wrong amount or currency came. Resolve the payment: return it, or accept it.',
  payment_unconfirmed:
    'The merchant told of a payment that its provider does not confirm, or confirms with less money. Compare the books; ' +
    'it goes on being asked about.',
  foreign_notice: 'A verified notice named another merchant or app. Compare the account with the provider, then retry.',
  closing_delayed:
    'A payment attempt could not be closed at its provider yet. It goes on being tried; retry tries now.',
  capture_delayed:
    'Money that a buyer approved could not be taken at its provider yet. It goes on being tried; retry tries now.',
  refund_delayed: 'A refund could not be made at its provider yet. It goes on being tried; retry tries now.',
  dispatch_delayed:
    'A machine could not be told to dispense yet. It goes on being tried; retry tries now, a delivery report ends it.',
  refund_failed: 'A refund failed at its provider. Apply for a new one, or retry where it goes back by itself.',
  refunded_twice:
    'Money of a refund went out twice: its provider had called it failed, and it was given back anew. Claim one back, then retry.',
  refund_overdue: 'A refund application has been undecided for 24 hours. Approve or reject it.',
  delivery_failed: 'The delivery of an item failed or timed out. Deliver it again, or apply for a refund of it.',
  delivered_after_refund: 'Goods arrived although their money had gone back. Settle it with the customer, then retry.',
} as const;
export type AttentionCode = keyof typeof ATTENTION_CODES;
/** `since`: epoch milliseconds. */
export type Attention = { code: AttentionCode; since: number };

/** Each thing at most once, with the time since when it has been so. */
export function attentionOf(order: Order): Attention[] {
  const all = [...paymentTroubles(order), ...dutyTroubles(order), ...refundTroubles(order), ...deliveryTroubles(order)];
  if (order.deliveredAfterRefund) all.push({ code: 'delivered_after_refund', since: order.deliveredAfterRefund.since });
  const codes = [...new Set(all.map(({ code }) => code))];
  return codes.map((code) => ({
    code,
    since: Math.min(...all.filter((a) => a.code === code).map(({ since }) => since)),
  }));
}

function paymentTroubles(order: Order): Attention[] {
  const disputed = order.payments.flatMap(({ captures }) => captures.filter(({ use }) => use === 'disputed'));
  const foreign = order.payments.flatMap(({ foreignNoticeAt }) => (foreignNoticeAt === null ? [] : [foreignNoticeAt]));
  const short = order.payments.filter((payment) => fallsShort(order, payment));
  return [
    ...short.map(({ paidAt }): Attention => ({ code: 'payment_unconfirmed', since: paidAt ?? order.createdAt })),
    ...(isUnpaid(order) ? disputed.map(({ at }): Attention => ({ code: 'payment_disputed', since: at })) : []),
    ...foreign.map((since): Attention => ({ code: 'foreign_notice', since })),
  ];
}

function dutyTroubles(order: Order): Attention[] {
  return dutiesOf(order)
    .filter(({ key }) => order.delayed.includes(key))
    .map(({ type, since }) => ({ code: codeOf(type), since }));
}

function codeOf(type: Duty['type']): AttentionCode {
  switch (type) {
    case 'open_attempt':
    case 'watch_attempt':
    case 'close_attempt':
      return 'closing_delayed';
    case 'capture_attempt':
      return 'capture_delayed';
    case 'confirm_payment':
      return 'payment_unconfirmed';
    case 'make_refund':
    case 'watch_refund':
      return 'refund_delayed';
    case 'dispatch_item':
      return 'dispatch_delayed';
    default:
      return unreachable(type);
  }
}

function refundTroubles(order: Order): Attention[] {
  const twice = order.refunds
    .flatMap(strayRefunds)
    .map(({ settledAt }): Attention => ({ code: 'refunded_twice', since: settledAt }));
  return [...twice, ...order.refunds.flatMap((refund) => failureOf(order, refund))];
}

function failureOf(order: Order, refund: Refund): Attention[] {
  const keepsFailing = refund.retryAt !== null || (refund.tries > 0 && refund.failedAt !== null);
  if (keepsFailing || awaitsReplacement(order, refund))
    return [{ code: 'refund_failed', since: refund.failedAt ?? refund.createdAt }];
  if (refund.status === 'requested' && refund.overdue) return [{ code: 'refund_overdue', since: refund.createdAt }];
  return [];
}

/** Failed items about which a person has to decide, and no refund is asked for or under way. */
function deliveryTroubles(order: Order): Attention[] {
  if (!isPaid(order)) return [];
  const open = order.refunds.filter(
    (r) => isOwnRefund(r) && (r.status === 'requested' || (isOnItsWayBack(r) && r.status !== 'succeeded')),
  );
  const named = new Set(open.flatMap(({ items }) => items?.map(({ item }) => item) ?? []));
  const isAsked = (item: Item) => named.has(item.id) || open.some(({ all }) => all);
  return order.items
    .filter((item) => hasFailed(item) && item.onFailure === 'ask' && !item.failureDecided && !isAsked(item))
    .map((item) => ({ code: 'delivery_failed', since: item.updatedAt ?? order.createdAt }));
}

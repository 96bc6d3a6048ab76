import { patched, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { attentionOf, ATTENTION_CODES } from '../domain/attention.ts';
import { decimalAmount } from '../domain/money.ts';
import type { Order } from '../domain/order.ts';
import { isUnpaid, UNPAID } from '../domain/order.ts';
import { instant, refundStatus, statusOf, view } from '../domain/view.ts';
import type { OrderToReopen } from '../activities/calls.ts';
import { SEARCH_ATTRIBUTES } from './messages.ts';

/** What operators see of an order in the Temporal UI. No personal datum. */

/** A run that opens a stored order again begins without labels. */
export function showLabels({ order, merchantOrderNo, channel }: OrderToReopen): void {
  const { merchantId, merchantOrderNo: no, channel: way, orderStatus, refundStatus: refunds } = SEARCH_ATTRIBUTES;
  upsertSearchAttributes([
    { key: merchantId, value: order.merchant },
    { key: no, value: merchantOrderNo },
    { key: way, value: channel },
    { key: orderStatus, value: statusOf(order) },
    { key: refunds, value: refundStatus(order) },
  ]);
}

/** Search attributes only when they matter to an operator: each change costs an event. */
export function showInUi(order: Order): void {
  const shown = workflowInfo().typedSearchAttributes;
  const status = isBetween(order) ? shown.get(SEARCH_ATTRIBUTES.orderStatus) : statusOf(order);
  const refunds = refundStatus(order);
  if (status !== shown.get(SEARCH_ATTRIBUTES.orderStatus) || refunds !== shown.get(SEARCH_ATTRIBUTES.refundStatus)) {
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.orderStatus, value: status ?? statusOf(order) },
      { key: SEARCH_ATTRIBUTES.refundStatus, value: refunds },
    ]);
  }
  setCurrentDetails(detailsOf(order));
}

/** Not worth an event: the buyer is at it, or what is shown as paid is on its way. */
function isBetween(order: Order): boolean {
  if (statusOf(order) === 'paying') return true;
  if (statusOf(order) !== 'processing') return false;
  const shown = workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTES.orderStatus) ?? '';
  // What is granted at once takes an order past `paid` in the same moment.
  return !UNPAID.includes(shown) || !patched('shows-what-is-granted-at-once');
}

/** Markdown: how it stands, what it waits for, which signal to send. */
export function detailsOf(order: Order): string {
  const { amounts } = view(order);
  const money = (amount: number) => `${order.currency} ${decimalAmount({ amount, currency: order.currency })}`;
  return [
    `**${statusOf(order)}** · ${order.title}`,
    `Total ${money(amounts.total)} · paid ${money(amounts.paid)} · refunded ${money(amounts.refunded)}`,
    `Waits for: ${waitsFor(order)}`,
    ...undecided(order),
    ...attentionOf(order).map(({ code, since }) => `⚠ **${code}** since ${instant(since)}: ${ATTENTION_CODES[code]}`),
  ].join('\n\n');
}

function waitsFor(order: Order): string {
  if (order.ending) return 'its attempts to be closed at their providers, then it ends';
  if (order.status === 'awaiting_confirmation') return `the customer's confirmation, until ${instant(order.expiresAt)}`;
  if (isUnpaid(order))
    return `a payment, until ${instant(order.expiresAt)} (signal \`paymentNotification\`, sent by the API)`;
  if (order.status === 'completed' || order.status === 'cancelled') return 'nothing but what is listed below';
  return 'the delivery of its items (signal `deliveryReport` `{itemId, status}`), or the receipt';
}

const undecided = (order: Order): string[] =>
  order.refunds
    .filter(({ status }) => status === 'requested')
    .map(
      ({ id, amount, currency }) =>
        `Refund ${id} of ${currency} ${decimalAmount({ amount, currency })} waits for a decision: signal \`refundDecision\` ` +
        `\`{"refundId": "${id}", "decision": "approve" | "reject", "reviewer": "<operator's name>", "note": "…"}\``,
    );

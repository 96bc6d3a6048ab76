import type { Finding } from './compare.ts';
import type { OrderEvidence } from './evidence.ts';
import { restOf } from './rest.ts';
import type { Chaos, Verdict } from './run.ts';

/** What a run was, in a few lines. */
export function summaryOf({ blows, shop, system, receiver, plans }: Chaos, { evidence }: Verdict): string {
  const { orders } = evidence;
  const money = orders.flatMap(({ books }) => books);
  const methods = orders.flatMap(({ order, books }) =>
    order.payments.filter(({ out_trade_no }) => books.some((one) => one.out_trade_no === out_trade_no)),
  );
  const ended = Object.values(system.parts).reduce((sum, { endedByItself }) => sum + endedByItself, 0);
  const { turnedAway, slowestTurnedAwayMs, slowestTurnedAway, refusals } = shop.calls;
  return [
    `${plans.length} orders: ${counted(orders.map(({ order }) => restOf(order) ?? 'not at rest'))}`,
    `as ${counted(orders.map(({ order }) => order.cancel_reason ?? order.status))}`,
    `${new Set(methods.map(({ method }) => method)).size} methods took money: ${counted(money.map(({ type }) => `${type}s`))}`,
    `${receiver.count()} notifications, ${blows.length} things went wrong, parts ended by themselves ${ended} times`,
    `turned away with 503: ${turnedAway}, after ${slowestTurnedAwayMs} ms at most (${slowestTurnedAway}); refused: ${counted(Object.entries(refusals).flatMap(([code, count]) => Array<string>(count).fill(code)))}`,
  ].join('\n');
}

function counted(words: readonly string[]): string {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ');
}

const MOST_TIMELINES = 10;

/** The findings, and of the first orders concerned what happened to them. */
export function reportOf(findings: readonly Finding[], { evidence }: Verdict): string {
  const lines = findings.map(({ kind, order, what }) => `  ${kind}: ${order ? `${order}: ` : ''}${what}`);
  const concerned = [...new Set(findings.map(({ order }) => order))].slice(0, MOST_TIMELINES);
  const timelines = evidence.orders.filter(({ order }) => concerned.includes(order.id)).map(timelineOf);
  return [`${findings.length} findings:`, ...lines, ...timelines].join('\n');
}

function timelineOf({ order, events, ledger, books }: OrderEvidence): string {
  const payments = order.payments.map(({ method, out_trade_no, status }) => `${method} ${out_trade_no} ${status}`);
  const refunds = order.refunds.map(
    ({ origin, amount, status, failure }) => `${origin} ${amount} ${status} ${failure ?? ''}`,
  );
  const attention = order.attention.map(({ code }) => code);
  return [
    `\n${order.merchant_order_no} ${order.id}: ${order.status}, total ${order.amounts.total}, ${order.currency}`,
    ...events.map(({ seq, at, type, actor, data }) => `  ${seq} ${at} ${type} ${actor.type} ${JSON.stringify(data)}`),
    `  payments: ${payments.join('; ')}`,
    `  refunds: ${refunds.join('; ')}`,
    `  attention: ${attention.join(', ')}`,
    `  our ledger: ${JSON.stringify(ledger)}`,
    `  the providers' books: ${JSON.stringify(books)}`,
  ].join('\n');
}

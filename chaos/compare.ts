/** Whether all who know of the orders know the same: each rule names what does not agree. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Booked, Evidence, Money, OrderEvidence } from './evidence.ts';
import { restOf } from './rest.ts';
import type { Dispensed, PaymentThere } from './simulator.ts';

export type Finding = {
  kind:
    | 'not at rest'
    | 'ledger and books differ'
    | 'ledger and statements'
    | 'money astray'
    | 'more than one effect'
    | 'dispensed wrongly'
    | 'events do not fit'
    | 'merchant not told right'
    | 'queries differ'
    | 'order lost or doubled'
    | 'improper answer'
    | 'something leaked';
  /** Null: of none alone. */
  order: string | null;
  what: string;
};

type Rule = (evidence: OrderEvidence) => Omit<Finding, 'order'>[];

/** @param created merchant_order_no of each order that was created, as its merchant knows it */
export function compare({ orders, strayMoney }: Evidence, created: readonly string[]): Finding[] {
  return [
    ...orders.flatMap((evidence) =>
      RULES.flatMap((rule) => rule(evidence)).map((found) => ({ ...found, order: evidence.order.id })),
    ),
    ...strayMoney.map((money) => ({
      kind: 'ledger and books differ' as const,
      order: null,
      what: `a provider has ${moneyInWords(money)}, which is no order's`,
    })),
    ...lostOrDoubled(
      orders.map(({ order }) => order.merchant_order_no),
      created,
    ),
  ];
}

/** It may wait for a person only where people were told to leave it alone. */
const isAtRest: Rule = ({ order, isLookedAfter }) => {
  const rest = restOf(order);
  const is = `it is ${order.status}, refunds ${order.refund_status}`;
  if (rest === null) return [{ kind: 'not at rest', what: `${is}, and nobody is to do anything` }];
  if (rest === 'ended' || !isLookedAfter) return [];
  return [{ kind: 'not at rest', what: `${is}, and ${rest}, although people saw to it` }];
};

const moneyInWords = ({ provider, out_trade_no, type, amount, currency }: Money): string =>
  `${type} ${currency} ${amount} of ${out_trade_no} at ${provider}`;

const ledgerIsTheirs: Rule = ({ ledger, books }) => [
  ...without(ledger.map(moneyInWords), books.map(moneyInWords)).map((money) => ({
    kind: 'ledger and books differ' as const,
    what: `only we have ${money}`,
  })),
  ...without(books.map(moneyInWords), ledger.map(moneyInWords)).map((money) => ({
    kind: 'ledger and books differ' as const,
    what: `only the provider has ${money}`,
  })),
];

/** What remains of a list once each of the others was taken from it, once. */
function without(list: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return list.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

const sumOf = (books: readonly Money[]): number =>
  books.reduce((sum, { type, amount }) => sum + (type === 'capture' ? amount : -amount), 0);

/** A test order pays no provider; any other keeps exactly what it says that it does. */
const keepsWhatItSays: Rule = ({ order: { amounts, test }, books }) => {
  const kept = test ? 0 : amounts.paid - amounts.refunded;
  if (sumOf(books) === kept) return [];
  return [{ kind: 'money astray', what: `it keeps ${kept}, and the providers have ${sumOf(books)} of it` }];
};

/** An attempt is captured once, and each refund that succeeded is one at its provider, by its number. */
const oneEffectEach: Rule = ({ order, ledger, books, paymentsThere }) => {
  const captures = books.filter(({ type }) => type === 'capture').map(({ out_trade_no }) => out_trade_no);
  const doubled = captures.filter((number, index) => captures.indexOf(number) !== index);
  const wanted = order.refunds.filter(({ status, amount }) => status === 'succeeded' && amount > 0);
  const ours = order.test ? 0 : wanted.length;
  const theirs = paymentsThere.flatMap(({ refunds }) => refunds.filter(hasSucceeded)).length;
  return [
    ...doubled.map((number) => `${number} was captured twice`),
    ...(ours === theirs ? [] : [`${ours} refunds succeeded, and ${theirs} at the provider`]),
    ...paymentsThere.flatMap((payment) => refundsApart(payment, ledger)),
  ].map((what) => ({ kind: 'more than one effect', what }));
};

const hasSucceeded = ({ status }: { status: string }): boolean => status === 'succeeded';

/** Alipay gives a refund of its own number to what goes back because a payment is revoked: only their count is known. */
const REVOKED = 'cancel-';

/** What of a payment went back under a number that the other side doesn't have. */
function refundsApart({ out_trade_no: number, refunds }: PaymentThere, ledger: readonly Booked[]): string[] {
  const booked = ledger.filter(({ type, out_trade_no }) => type === 'refund' && out_trade_no === number);
  const ours = booked.map(({ reference }) => reference);
  const theirs = refunds.filter(hasSucceeded).map(({ out_refund_no }) => out_refund_no);
  const onlyTheirs = without(theirs, ours);
  const nameless = onlyTheirs.filter((one) => one.startsWith(REVOKED));
  const named = onlyTheirs.filter((one) => !one.startsWith(REVOKED));
  const onlyOurs = without(ours, theirs);
  return [
    ...named.map((one) => `only the provider knows of refund ${one} of ${number}`),
    ...(onlyOurs.length === nameless.length
      ? []
      : [`only we know of refunds ${onlyOurs.join(', ')} of ${number}, and ${nameless.length} were revoked`]),
  ];
}

/**
 * What came out of machines is what was bought and paid for, never more, and each report of it has arrived; but for those
 * that a machine gave up after many tries, the last of which met an outage.
 */
const dispensedOnce: Rule = ({ order, dispensed }) =>
  order.items.flatMap(({ id, quantity, delivery, fulfilment }) => {
    if (fulfilment !== 'machine') return [];
    const ofItem = dispensed.filter(({ item }) => item === id);
    const came = sumOfDispensed(ofItem);
    const heardOf = sumOfDispensed(ofItem.filter((one) => !gaveUpInAnOutage(one)));
    const known = delivery.quantity_delivered;
    const isKnown =
      (heardOf <= known && known <= came) || order.attention.some(({ code }) => code === 'delivered_after_refund');
    if (order.test || order.paid_at === null ? came === 0 : came <= quantity && isKnown) return [];
    const sold = order.test ? 'a test' : order.paid_at === null ? 'not paid for' : 'paid for';
    return [
      { kind: 'dispensed wrongly', what: `${came} of ${quantity} of ${id}, ${sold}, came out; ${known} are known of` },
    ];
  });

const gaveUpInAnOutage = ({ report, last_error }: Dispensed): boolean =>
  report === 'given_up' &&
  last_error !== null &&
  (last_error === 'answered 503' || !last_error.startsWith('answered '));

const sumOfDispensed = (dispensed: readonly Dispensed[]): number =>
  dispensed.reduce((sum, one) => sum + one.dispensed, 0);

const ONCE = ['order.created', 'order.confirmed', 'order.paid', 'order.received', 'order.reviewed'];

/** Every change has exactly one event, and the order is as its events say. */
const eventsFit: Rule = ({ order, events }) => {
  const count = (...types: string[]) => events.filter(({ type }) => types.includes(type)).length;
  const seqs = events.map(({ seq }) => seq);
  const rules: [string, boolean][] = [
    ['their numbers grow', seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]!)],
    ['it was created', count('order.created') === 1],
    ['it was paid', count('order.paid') === (order.paid_at === null ? 0 : 1)],
    ['it was completed', count('order.completed') > 0 === (order.completed_at !== null)],
    ['it was cancelled', count('order.cancelled', 'order.expired') === (order.status === 'cancelled' ? 1 : 0)],
    ['refunds were asked for', count('refund.requested') === order.refunds.length],
    ...ONCE.map((type): [string, boolean] => [`${type} once`, count(type) <= 1]),
    ...order.refunds.map(({ id, status }): [string, boolean] => [`${id} is ${status}`, settles(events, id, status)]),
  ];
  const broken = rules.filter(([, holds]) => !holds);
  return broken.map(([rule]) => ({ kind: 'events do not fit', what: `not so: ${rule}` }));
};

/** The last that was told of a refund's outcome is its outcome. */
function settles(events: OrderEvidence['events'], refund: string, status: string): boolean {
  const told = events.filter(({ type, data }) => type.startsWith('refund.') && data['refund_id'] === refund);
  const outcome = told.findLast(({ type }) => type === 'refund.succeeded' || type === 'refund.failed');
  return status === 'succeeded' || status === 'failed' ? outcome?.type === `refund.${status}` : true;
}

/** The merchant was told each event, once, in order. */
const merchantWasTold: Rule = ({ events, messages }) => {
  const happened = events.map(({ type, at }) => `${type} ${at}`);
  const told = messages.map(({ type, timestamp }) => `${type} ${timestamp}`);
  if (isDeepStrictEqual(happened, told)) return [];
  const [missing, extra] = [without(happened, told), without(told, happened)];
  const what =
    missing.length + extra.length > 0
      ? `missing: ${missing.join(', ')}; extra: ${extra.join(', ')}`
      : 'in another order';
  return [{ kind: 'merchant not told right', what }];
};

/**
 * What the running (or closed) workflow answers is what the database has. The workflow of a closed order is replayed to
 * answer, by the times of the tasks as the server wrote them down: where a worker was too slow and the task was given
 * out again, these may be a few seconds later than those that were saved.
 */
const queriesAgree: Rule = ({ order, live, events, queried }) => {
  const differ = (what: string) => ({ kind: 'queries differ' as const, what });
  const found = alike(live, order) ? [] : [differ(`?live=true: ${differences(live, order)}`)];
  if (!queried) return [...found, differ('its workflow does not answer')];
  const shown = {
    ...order,
    items: order.items.map(stateOf),
    payments: queried.order.payments.map((payment, index) => ({ ...order.payments[index], action: payment.action })),
  };
  const own = Object.fromEntries(
    Object.keys(queried.order).map((field) => [field, shown[field as keyof typeof shown]]),
  );
  if (!alike(queried.order, own)) found.push(differ(`query order: ${differences(queried.order, own)}`));
  const timeline = queried.timeline.map(({ type }) => type);
  const types = events.map(({ type }) => type).slice(-timeline.length);
  if (!isDeepStrictEqual(timeline, types)) found.push(differ(`query timeline: ${timeline.join(' ')}`));
  return found;
};

/** Without what only the database knows of it. */
function stateOf({
  sku: _,
  name: __,
  unit_amount: ___,
  machine_no: ____,
  ...state
}: OrderEvidence['order']['items'][number]) {
  return state;
}

const SLOW_TASK_MS = 15_000;
const INSTANT = /^\d{4}-\d\d-\d\dT/;

function alike(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string' && INSTANT.test(a) && INSTANT.test(b))
    return Math.abs(Date.parse(a) - Date.parse(b)) <= SLOW_TASK_MS;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  const [one, other] = [a, b] as Record<string, unknown>[] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) => alike(one[key], other[key]));
}

/** The fields that are not alike. */
const differences = (a: object, b: object): string =>
  Object.entries(a)
    .map(([field, value]) => ({ field, value, other: (b as Record<string, unknown>)[field] }))
    .filter(({ value, other }) => !alike(value, other))
    .map(({ field, value, other }) => `${field} ${JSON.stringify(value)}, not ${JSON.stringify(other)}`)
    .join('; ');

const RULES: readonly Rule[] = [
  isAtRest,
  ledgerIsTheirs,
  keepsWhatItSays,
  oneEffectEach,
  dispensedOnce,
  eventsFit,
  merchantWasTold,
  queriesAgree,
];

function lostOrDoubled(known: readonly string[], created: readonly string[]): Finding[] {
  return [
    ...without(created, known).map((number) => ({ number, what: 'was created, and is not there' })),
    ...without(known, created).map((number) => ({ number, what: 'is there, and nobody knows of it' })),
  ].map(({ number, what }) => ({ kind: 'order lost or doubled', order: null, what: `${number} ${what}` }));
}

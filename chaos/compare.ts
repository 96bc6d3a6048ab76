/** Whether all who know of the orders know the same: each rule names what does not agree. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Money, OrderEvidence } from './evidence.ts';
import { restOf } from './rest.ts';

export type Finding = {
  kind:
    | 'not at rest'
    | 'ledger and books differ'
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
      what: `a provider has ${inWords(money)}, which is no order's`,
    })),
    ...lostOrDoubled(
      orders.map(({ order }) => order.merchant_order_no),
      created,
    ),
  ];
}

const isAtRest: Rule = ({ order }) =>
  restOf(order) === null
    ? [
        {
          kind: 'not at rest',
          what: `it is ${order.status}, refunds ${order.refund_status}, and nobody is to do anything`,
        },
      ]
    : [];

const inWords = ({ provider, out_trade_no, type, amount, currency }: Money): string =>
  `${type} ${currency} ${amount} of ${out_trade_no} at ${provider}`;

const ledgerIsTheirs: Rule = ({ ledger, books }) => [
  ...without(ledger.map(inWords), books.map(inWords)).map((money) => ({
    kind: 'ledger and books differ' as const,
    what: `only we have ${money}`,
  })),
  ...without(books.map(inWords), ledger.map(inWords)).map((money) => ({
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

/** An attempt is captured once, and each refund that succeeded is one at its provider. */
const oneEffectEach: Rule = ({ order, books, paymentsThere }) => {
  const captures = books.filter(({ type }) => type === 'capture').map(({ out_trade_no }) => out_trade_no);
  const doubled = captures.filter((number, index) => captures.indexOf(number) !== index);
  const wanted = order.refunds.filter(({ status, amount }) => status === 'succeeded' && amount > 0);
  const there = paymentsThere.flatMap(({ refunds }) => refunds.filter(({ status }) => status === 'succeeded'));
  const [ours, theirs] = [order.test ? 0 : wanted.length, there.length];
  return [
    ...doubled.map((number) => ({ kind: 'more than one effect' as const, what: `${number} was captured twice` })),
    ...(ours === theirs
      ? []
      : [{ kind: 'more than one effect' as const, what: `${ours} refunds succeeded, and ${theirs} at the provider` }]),
  ];
};

/** What came out of machines is what was bought, never more, and each report of it has arrived. */
const dispensedOnce: Rule = ({ order, dispensed }) =>
  order.items.flatMap(({ id, quantity, delivery }) => {
    const came = dispensed.filter(({ item }) => item === id).reduce((sum, one) => sum + one.dispensed, 0);
    const known = delivery.quantity_delivered;
    const isKnown = came === known || order.attention.some(({ code }) => code === 'delivered_after_refund');
    if (came <= quantity && (dispensed.length === 0 || isKnown)) return [];
    return [{ kind: 'dispensed wrongly', what: `${came} of ${quantity} of ${id} came out, and ${known} are known of` }];
  });

const ONCE = ['order.created', 'order.confirmed', 'order.paid', 'order.received', 'order.reviewed'];

/** Every change has exactly one event, and the order is as its events say. */
const eventsFit: Rule = ({ order, events }) => {
  const types = events.map(({ type }) => type);
  const count = (...wanted: string[]) => types.filter((type) => wanted.includes(type)).length;
  const expected: [string, number, number][] = [
    ['order.created', count('order.created'), 1],
    ['order.paid', count('order.paid'), order.paid_at === null ? 0 : 1],
    ['order.completed', Math.min(1, count('order.completed')), order.completed_at === null ? 0 : 1],
    ['the end unpaid or refunded', count('order.cancelled', 'order.expired'), order.status === 'cancelled' ? 1 : 0],
    ['order.received', Math.min(1, count('order.received')), Math.min(1, count('order.received'))],
    ['refund.requested', count('refund.requested'), order.refunds.length],
    ['payment.opened', Math.min(order.payments.length, count('payment.opened')), count('payment.opened')],
  ];
  const seqs = events.map(({ seq }) => seq);
  const isInOrder = seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]!);
  return [
    ...(isInOrder ? [] : [{ kind: 'events do not fit' as const, what: `their numbers are ${seqs.join(' ')}` }]),
    ...ONCE.filter((type) => count(type) > 1).map((type) => ({
      kind: 'events do not fit' as const,
      what: `${type} ${count(type)} times`,
    })),
    ...expected
      .filter(([, seen, wanted]) => seen !== wanted)
      .map(([type, seen, wanted]) => ({ kind: 'events do not fit' as const, what: `${type}: ${seen}, not ${wanted}` })),
  ];
};

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

/** What the running (or closed) workflow answers is what the database has. */
const queriesAgree: Rule = ({ order, live, events, queried }) => {
  const differ = (what: string) => ({ kind: 'queries differ' as const, what });
  const found = isDeepStrictEqual(live, order) ? [] : [differ(`?live=true: ${differences(live, order)}`)];
  if (!queried) return [...found, differ('it has no workflow')];
  const shown = {
    ...order,
    items: order.items.map(({ sku: _, name: __, unit_amount: ___, machine_no: ____, ...item }) => item),
  };
  const fields = Object.keys(queried.order) as (keyof typeof queried.order)[];
  const own = Object.fromEntries(fields.map((field) => [field, shown[field]]));
  if (!isDeepStrictEqual(queried.order, own)) found.push(differ(`query order: ${differences(queried.order, own)}`));
  const timeline = queried.timeline.map(({ type }) => type);
  const types = events.map(({ type }) => type).slice(-timeline.length);
  if (!isDeepStrictEqual(timeline, types)) found.push(differ(`query timeline: ${timeline.join(' ')}`));
  return found;
};

/** The fields that are not alike. */
const differences = (a: object, b: object): string =>
  Object.entries(a)
    .filter(([field, value]) => !isDeepStrictEqual(value, (b as Record<string, unknown>)[field]))
    .map(
      ([field, value]) =>
        `${field} ${JSON.stringify(value)}, not ${JSON.stringify((b as Record<string, unknown>)[field])}`,
    )
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

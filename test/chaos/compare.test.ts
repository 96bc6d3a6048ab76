import { describe, expect, it } from 'vitest';
import { EVENT, NOTIFICATION, ORDER, PAYMENT, REFUND_IN_ORDER } from '../../api/examples.ts';
import type { OrderBody } from '../../api/schemas.ts';
import type { OrderView } from '../../domain/view.ts';
import { compare, type Finding } from '../../chaos/compare.ts';
import type { Booked, Event, Money, OrderEvidence } from '../../chaos/evidence.ts';

const [ITEM] = ORDER.items;
const NUMBER = PAYMENT.out_trade_no;
const REFUND_NO = REFUND_IN_ORDER.out_refund_no;

/** Two of a machine's goods, paid, dispensed; half of the money went back. */
const PAID = structuredClone({
  ...ORDER,
  status: 'completed',
  items: [
    {
      ...ITEM,
      fulfilment: 'machine',
      machine_no: 'm-1',
      delivery: { ...ITEM.delivery, tracking: null, quantity_delivered: 2 },
    },
  ],
  completed_at: REFUND_IN_ORDER.reviewed_at,
}) as unknown as OrderBody;

/** Nobody paid, so it expired. */
const EXPIRED: OrderBody = {
  ...structuredClone(PAID),
  status: 'cancelled',
  cancel_reason: 'expired',
  refund_status: 'none',
  items: PAID.items.map((item) => ({
    ...item,
    delivery: { status: 'waiting', quantity_delivered: 0, tracking: null, updated_at: null },
    refunded: { quantity: 0, amount: 0 },
  })),
  amounts: { ...PAID.amounts, paid: 0, refunded: 0 },
  payments: [],
  refunds: [],
  paid_at: null,
  completed_at: null,
};

/** What a test order says it was paid and given back was never real; nor is what came out. */
const TEST: OrderBody = { ...structuredClone(PAID), test: true, payments: [] };

const PAID_EVENTS = [
  ['order.created'],
  ['order.paid'],
  ['item.delivery_updated'],
  ['refund.requested', { refund_id: REFUND_IN_ORDER.id }],
  ['refund.approved', { refund_id: REFUND_IN_ORDER.id }],
  ['refund.succeeded', { refund_id: REFUND_IN_ORDER.id }],
  ['order.completed'],
] as const;

const money = (type: Money['type'], amount: number): Money => ({
  provider: 'wechatpay',
  out_trade_no: NUMBER,
  type,
  amount,
  currency: 'CNY',
});
const CAPTURE: Booked = { ...money('capture', 3300), reference: PAYMENT.provider_trade_no };
const REFUND: Booked = { ...money('refund', 1650), reference: REFUND_NO };
const REFUNDED = { out_refund_no: REFUND_NO, amount: 1650, status: 'succeeded' };

function paid(): OrderEvidence {
  const evidence = bare(PAID, PAID_EVENTS);
  evidence.ledger = [{ ...CAPTURE }, { ...REFUND }];
  evidence.books = [money('capture', 3300), money('refund', 1650)];
  evidence.paymentsThere = [
    { provider: 'wechatpay', out_trade_no: NUMBER, order: PAID.id, status: 'paid', refunds: [REFUNDED], notices: [] },
  ];
  evidence.dispensed = [dispensed(1), dispensed(1)];
  return evidence;
}
/** Of the two that came out, one machine gave up telling. */
function unheardOf(lastError: string): OrderEvidence {
  const evidence = paid();
  evidence.dispensed = [dispensed(1), { ...dispensed(1), report: 'given_up', last_error: lastError }];
  const [item] = evidence.order.items;
  becomes(evidence, { items: [{ ...item!, delivery: { ...item!.delivery, quantity_delivered: 1 } }] });
  return evidence;
}
const inAnOutage = () => unheardOf('answered 503');
const expired = () => bare(EXPIRED, [['order.created'], ['order.expired']]);
const test = () => bare(TEST, PAID_EVENTS);

const dispensed = (count: number) => ({
  dispatch_id: `d-${count}`,
  order: PAID.id,
  item: ITEM.id,
  dispensed: count,
  report: 'accepted',
  last_error: null,
});

type Told = readonly (readonly [type: string, data?: Event['data']])[];

function bare(order: OrderBody, events: Told): OrderEvidence {
  const evidence = {
    isLookedAfter: true,
    ledger: [],
    books: [],
    paymentsThere: [],
    dispensed: [],
  } as unknown as OrderEvidence;
  becomes(evidence, order);
  happens(evidence, events);
  return structuredClone(evidence);
}

/** However it is asked, the order is so. */
function becomes(evidence: OrderEvidence, order: Partial<OrderBody>): void {
  evidence.order = { ...evidence.order, ...order };
  evidence.live = structuredClone(evidence.order);
  evidence.queried = { timeline: evidence.queried?.timeline ?? [], order: viewOf(evidence.order) };
}

/** What the workflow knows of it. */
function viewOf({ id, status, amounts, attention, items, payments, refunds, paid_at }: OrderBody): OrderView {
  const states = items.map(({ sku: _, name: __, unit_amount: ___, machine_no: ____, ...state }) => state);
  return structuredClone({ id, status, amounts, attention, items: states, payments, refunds, paid_at }) as OrderView;
}

/** All who tell of events tell of these. */
function happens(evidence: OrderEvidence, told: Told): void {
  const at = (index: number) => new Date(Date.parse(EVENT.at) + index * 1000).toISOString();
  evidence.events = told.map(([type, data = {}], index) => ({ ...EVENT, type, data, seq: index + 1, at: at(index) }));
  evidence.messages = evidence.events.map(({ type, at: timestamp }) => ({ id: NOTIFICATION.id, type, timestamp }));
  evidence.queried!.timeline = evidence.events.map(({ seq, type }) => ({ seq, type }));
}

const without = (...types: string[]): Told => PAID_EVENTS.filter(([type]) => !types.includes(type));

const found = (...orders: OrderEvidence[]): Finding[] =>
  compare(
    { orders, strayMoney: [] },
    orders.map(({ order }) => order.merchant_order_no),
  );

it.each([
  ['paid, dispensed, given back in part', paid],
  ['dispensed, of which a machine gave up telling: 503', inAnOutage],
  ['dispensed, of which a machine gave up telling: no answer', () => unheardOf('TypeError: fetch failed')],
  ['expired', expired],
  ['a test', test],
])('what agrees is no finding: %s', (_, sound) => {
  expect(found(sound())).toEqual([]);
});

type Change = (one: OrderEvidence) => void;
const payment = (one: OrderEvidence) => one.paymentsThere[0]!;

const CHANGES: [kind: Finding['kind'], what: string, change: Change, sound?: () => OrderEvidence][] = [
  ['not at rest', 'nobody is to do anything', (one) => becomes(one, { payments: [{ ...PAYMENT, status: 'pending' }] })],
  [
    'not at rest',
    'waits for a new application, although people saw to it',
    (one) => becomes(one, { attention: [{ code: 'refund_failed', since: EVENT.at }] }),
  ],
  ['ledger and books differ', 'only we have capture CNY 3301', ({ ledger }) => void (ledger[0]!.amount += 1)],
  ['ledger and books differ', 'only the provider has capture CNY', ({ ledger }) => void (ledger[0]!.currency = 'USD')],
  [
    'money astray',
    'it keeps 1651, and the providers have 1650',
    (one) => becomes(one, { amounts: { ...PAID.amounts, paid: 3301 } }),
  ],
  [
    'money astray',
    'it keeps 0, and the providers have 1',
    (one) => {
      one.books = [money('capture', 1)];
      one.ledger = [{ ...CAPTURE, amount: 1 }];
    },
    test,
  ],
  [
    'more than one effect',
    'was captured twice',
    (one) => {
      one.ledger.push(CAPTURE);
      one.books.push(money('capture', 3300));
      becomes(one, { amounts: { ...PAID.amounts, paid: 6600 } });
    },
  ],
  [
    'more than one effect',
    '1 refunds succeeded, and 2 at the provider',
    (one) => {
      one.ledger.push({ ...REFUND, reference: 'again' });
      one.books.push(money('refund', 1650));
      payment(one).refunds.push({ ...REFUNDED, out_refund_no: 'again' });
      becomes(one, { amounts: { ...PAID.amounts, refunded: 3300 } });
    },
  ],
  [
    'more than one effect',
    'only the provider knows of refund other',
    (one) => (payment(one).refunds = [{ ...REFUNDED, out_refund_no: 'other' }]),
  ],
  [
    'more than one effect',
    `only we know of refunds ${REFUND_NO}`,
    (one) => (payment(one).refunds = [{ ...REFUNDED, out_refund_no: 'other' }]),
  ],
  ['dispensed wrongly', '3 of 2', ({ dispensed: tray }) => void tray.push(dispensed(1))],
  ['dispensed wrongly', '1 of 2', ({ dispensed: tray }) => void tray.pop()],
  ['dispensed wrongly', '2 of 2', ({ dispensed: tray }) => void (tray[1]!.report = 'accepted'), inAnOutage],
  ['dispensed wrongly', '2 of 2', ({ dispensed: tray }) => void (tray[1]!.last_error = 'answered 400'), inAnOutage],
  ['dispensed wrongly', 'not paid for, came out', ({ dispensed: tray }) => void tray.push(dispensed(1)), expired],
  ['dispensed wrongly', 'a test, came out', ({ dispensed: tray }) => void tray.push(dispensed(2)), test],
  ['events do not fit', 'their numbers grow', ({ events }) => void (events[2]!.seq = events[1]!.seq)],
  ['events do not fit', 'it was created', (one) => happens(one, without('order.created'))],
  ['events do not fit', 'it was paid', (one) => happens(one, without('order.paid'))],
  ['events do not fit', 'order.paid once', (one) => happens(one, [...PAID_EVENTS, ['order.paid']])],
  ['events do not fit', 'it was completed', (one) => happens(one, without('order.completed'))],
  ['events do not fit', 'it was cancelled', (one) => happens(one, [['order.created']]), expired],
  ['events do not fit', 'it was cancelled', (one) => happens(one, [...PAID_EVENTS, ['order.cancelled']])],
  ['events do not fit', 'refunds were asked for', (one) => happens(one, without('refund.requested'))],
  ['events do not fit', 'is succeeded', (one) => happens(one, without('refund.succeeded'))],
  [
    'events do not fit',
    'is succeeded',
    (one) => happens(one, [...PAID_EVENTS, ['refund.failed', { refund_id: REFUND_IN_ORDER.id }]]),
  ],
  ['merchant not told right', 'extra: order.paid', ({ messages }) => void messages.push(messages[1]!)],
  ['merchant not told right', 'in another order', ({ messages }) => void messages.reverse()],
  ['merchant not told right', 'missing: order.completed', ({ messages }) => void messages.pop()],
  ['queries differ', '?live=true: status', ({ live }) => void (live.status = 'processing')],
  ['queries differ', 'query order: paid_at', ({ queried }) => void (queried!.order.paid_at = null)],
  ['queries differ', 'query timeline', ({ queried }) => void queried!.timeline.splice(1, 1)],
  ['queries differ', 'does not answer', (one) => void (one.queried = null)],
];

it.each(CHANGES)('%s: %s', (kind, what, change, sound = paid) => {
  const evidence = sound();
  change(evidence);
  const findings = found(evidence);
  expect(new Set(findings.map((one) => `${one.kind}, ${one.order}`))).toEqual(new Set([`${kind}, ${PAID.id}`]));
  expect(findings.map((one) => one.what).join('; ')).toContain(what);
});

it('an order that people left alone may wait for them', () => {
  const left = paid();
  becomes(left, { attention: [{ code: 'refund_failed', since: EVENT.at }] });
  expect(found({ ...left, isLookedAfter: false })).toEqual([]);
});

describe('a payment that was revoked', () => {
  const revoked = (...numbers: string[]) => {
    const evidence = paid();
    payment(evidence).refunds = numbers.map((out_refund_no) => ({ ...REFUNDED, out_refund_no }));
    return found(evidence).map(({ kind }) => kind);
  };

  it("went back under the provider's own number", () => {
    expect(revoked(`cancel-${NUMBER}`)).toEqual([]);
  });

  it('and back under ours, too, went back twice', () => {
    expect(new Set(revoked(REFUND_NO, `cancel-${NUMBER}`))).toEqual(new Set(['more than one effect']));
  });
});

describe('orders as a whole', () => {
  const number = PAID.merchant_order_no;

  it.each([
    ['lost', [], [number], `${number} was created, and is not there`],
    ['doubled', [paid(), paid()], [number], `${number} is there, and nobody knows of it`],
    ['of nobody', [paid()], [], `${number} is there, and nobody knows of it`],
  ])('%s', (_, orders, created, what) => {
    expect(compare({ orders, strayMoney: [] }, created)).toEqual([
      { kind: 'order lost or doubled', order: null, what },
    ]);
  });

  it('leave no money over', () => {
    const stray = { ...money('capture', 1), out_trade_no: 'elsewhere' };
    const what = "a provider has capture CNY 1 of elsewhere at wechatpay, which is no order's";
    expect(compare({ orders: [], strayMoney: [stray] }, [])).toEqual([
      { kind: 'ledger and books differ', order: null, what },
    ]);
  });
});

/** What a seed makes of an order: what is bought, how it is paid for, and what people do about it. */
import { METHODS, takesCurrency, type PaymentMethod } from '../domain/method.ts';
import type { Fulfilment } from '../domain/order.ts';
import { personOf, type Person } from './person.ts';
import { randomOf, type Random } from './random.ts';

/** What the buyer does with an attempt. `pays_wrongly`: another amount. */
export type Buyer = 'pays' | 'fails_then_pays' | 'starts_then_pays' | 'fails' | 'starts' | 'leaves' | 'pays_wrongly';

export type AttemptPlan = {
  method: PaymentMethod;
  buyer: Buyer;
  /** Its money comes through in the end, although nobody expects it any more. */
  late: boolean;
  /** Of a bar code: 0–7 pays at once, 8 waits, 9 fails. */
  authCode: string;
};

export type RefundPlan = {
  of: 'all' | 'part' | 'item';
  /** Of what was paid, where it is a part. */
  share: number;
  by: 'merchant' | 'customer';
  verdict: Verdict;
};
export type Verdict = 'approve' | 'reject';

export type Plan = {
  index: number;
  person: Person;
  /** The body of POST /v1/orders. */
  order: { merchant_order_no: string; currency: string; items: { fulfilment: Fulfilment }[] } & Record<string, unknown>;
  machineNo: string;
  /** Of an order that waits for its customer's yes. */
  confirms: boolean;
  attempts: AttemptPlan[];
  cancels: 'never' | 'unpaid' | 'paid';
  /** The first item doesn't arrive. */
  failsToDeliver: boolean;
  delivers: boolean;
  refunds: RefundPlan[];
  /** In the end people see to what waits for them; of some orders they don't. */
  isLookedAfter: boolean;
  /** How they decide then. */
  verdict: Verdict;
  /** Says what they think of it, after its delivery. */
  reviews: boolean;
};

const ALL = Object.keys(METHODS) as PaymentMethod[];

/** @param seed of the run @param index of the order, from 0: every 13 orders each method comes first once */
export function planOf(seed: number, index: number): Plan {
  const random = randomOf(seed, 'order', index);
  const methods = randomOf(seed, 'methods', Math.floor(index / ALL.length)).shuffled(ALL);
  const first = methods[index % ALL.length]!;
  const currency = currencyOf(first, random);
  const machineNo = `${16_000_000 + index}`;
  const kind = random.weighted({ usual: 82, free: 4, test: 5, unconfirmed: 9 });
  const person = personOf(seed, index);
  return {
    index,
    person,
    machineNo,
    order: orderOf(random, { merchantOrderNo: `C-${seed}-${index}`, currency, kind, machineNo, person }),
    confirms: random.chance(0.8),
    attempts: attemptsOf(random, first, currency),
    cancels: random.weighted({ never: 84, unpaid: 8, paid: 8 }),
    failsToDeliver: random.chance(0.15),
    delivers: random.chance(0.7),
    refunds: refundsOf(random),
    isLookedAfter: random.chance(0.9),
    verdict: verdictOf(random),
    reviews: random.chance(0.33),
  };
}

const verdictOf = (random: Random): Verdict => (random.chance(0.75) ? 'approve' : 'reject');

function currencyOf(method: PaymentMethod, random: Random): string {
  if (!takesCurrency(method, 'CNY')) return 'USD';
  return takesCurrency(method, 'USD') && random.chance(0.5) ? 'USD' : 'CNY';
}

function attemptsOf(random: Random, first: PaymentMethod, currency: string): AttemptPlan[] {
  const others = random.shuffled(ALL.filter((method) => method !== first && takesCurrency(method, currency)));
  const count = random.weighted({ one: 7, two: 2, three: 1 });
  return [first, ...others].slice(0, { one: 1, two: 2, three: 3 }[count]).map((method, index, all) => ({
    method,
    buyer: index < all.length - 1 ? random.weighted(EARLIER_BUYERS) : random.weighted(LAST_BUYERS),
    late: random.chance(0.2),
    authCode: `28${String(random.int(0, 10 ** 15 - 1)).padStart(15, '0')}${random.int(0, 9)}`,
  }));
}

const EARLIER_BUYERS = { leaves: 4, fails: 3, starts: 2, pays: 1 } as const satisfies Partial<Record<Buyer, number>>;
const LAST_BUYERS = {
  pays: 66,
  fails_then_pays: 7,
  starts_then_pays: 5,
  pays_wrongly: 7,
  leaves: 9,
  fails: 3,
  starts: 3,
} as const satisfies Record<Buyer, number>;

function refundsOf(random: Random): RefundPlan[] {
  const count = random.weighted({ none: 60, one: 28, several: 12 });
  return Array.from({ length: { none: 0, one: 1, several: random.int(2, 3) }[count] }, () => ({
    of: random.weighted({ all: 3, part: 4, item: 3 }),
    share: random.int(1, 60) / 100,
    by: random.pick(['merchant', 'customer'] as const),
    verdict: verdictOf(random),
  }));
}

type Wanted = {
  merchantOrderNo: string;
  currency: string;
  kind: 'usual' | 'free' | 'test' | 'unconfirmed';
  machineNo: string;
  person: Person;
};

function orderOf(random: Random, { merchantOrderNo, currency, kind, machineNo, person }: Wanted): Plan['order'] {
  const items = itemsOf(random, machineNo);
  const goods = items.reduce((sum, { quantity, unit_amount }) => sum + quantity * unit_amount, 0);
  const delivery_fee = items.some(({ fulfilment }) => fulfilment === 'shipment') ? random.int(0, 1200) : 0;
  const discount = kind === 'free' ? goods + delivery_fee : random.int(0, Math.floor(goods / 3));
  const isTimed = items.every(({ fulfilment }) => fulfilment === 'machine' || fulfilment === 'digital');
  return {
    merchant_order_no: merchantOrderNo,
    currency,
    items,
    discount,
    delivery_fee,
    delivery: person.delivery,
    customer: person.customer,
    expires_in: random.int(15, 40),
    ...(isTimed && { delivery_timeout: random.int(8, 20) }),
    ...(kind === 'test' && { test: true }),
    ...(kind === 'unconfirmed' && { confirm: false }),
    metadata: { basket: `b-${random.int(1, 999)}` },
  };
}

function itemsOf(random: Random, machineNo: string) {
  const main = random.weighted({ shipment: 4, machine: 3, pickup: 2, digital: 2 } satisfies Record<Fulfilment, number>);
  const isMixed = random.chance(0.15);
  return Array.from({ length: random.int(1, 3) }, (_, index) => {
    const fulfilment = isMixed && index > 0 ? random.pick(['shipment', 'digital', 'machine'] as const) : main;
    return {
      sku: `sku-${random.int(1, 99)}`,
      name: random.pick(['Green tea', '乌龙茶', 'Water', 'Course 7', 'Pot']),
      quantity: random.int(1, 3),
      unit_amount: random.int(50, 9_000),
      fulfilment,
      ...((fulfilment === 'machine' || fulfilment === 'pickup') && { machine_no: machineNo }),
    };
  });
}

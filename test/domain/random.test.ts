import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openOrder } from '../../domain/decide.ts';
import { dutiesOf } from '../../domain/duties.ts';
import { sum } from '../../domain/money.ts';
import type { Fulfilment, Order } from '../../domain/order.ts';
import { deadlineOf } from '../../domain/time.ts';
import { checkOrder } from './invariants.ts';
import * as s from './support.ts';
import { World } from './world.ts';

/** Long stories of everything that can happen, told by chance. A failure prints its seed and the shortest such story. */

type Chance = { move: number; a: number; b: number };
type Move = (world: World, chance: Chance) => void;

const pick = <T>(from: readonly T[], index: number): T | undefined => from[index % Math.max(1, from.length)];
const paymentOfChance = ({ order }: World, { a }: Chance) => pick(order.payments, a)?.id ?? s.PAY_1;
const refundOfChance = ({ order }: World, { a }: Chance) => pick(order.refunds, a)?.id ?? s.refundId('none');
const itemOfChance = ({ order }: World, { a }: Chance) => pick(order.items, a)!.id;

const performs =
  (outcome: 'succeeded' | 'processing' | 'failed'): Move =>
  (world, { a }) => {
    const due = dutiesOf(world.order).filter(({ dueAt }) => dueAt <= world.now);
    const duty = pick(due, a);
    if (duty) world.perform(duty, outcome);
  };
const pays =
  (change: number, currency = 'CNY', force = false): Move =>
  (world, chance) => {
    const amount = Math.max(1, world.order.total + change);
    world.buyerPays(paymentOfChance(world, chance), amount, currency, force);
  };
const asks = (world: World, { a, b }: Chance) => {
  const item = pick(world.order.items, b)!;
  const other = pick(world.order.items, b + 1)!;
  const each = s.units([item.id, 1 + (a % item.quantity)]);
  const more = item === other ? each : s.units([item.id, 1 + (a % item.quantity)], [other.id, other.quantity]);
  return pick([s.all, s.amount(1 + (a % Math.max(1, world.order.total))), each, more], b)!;
};

/** One method of each kind. */
const KINDS = [
  'wechatpay.native',
  'wechatpay.mini',
  'alipay.qr',
  'alipay.barcode',
  'unionpay.qr',
  'card.stripe',
  'paypal.checkout',
] as const;

const MOVES: [string, number, Move][] = [
  ['duty done', 8, performs('succeeded')],
  ['duty slow', 3, performs('processing')],
  ['duty fails', 3, performs('failed')],
  ['attempt', 4, (w, { a }) => w.tell(s.pay(pick(KINDS, a)!))],
  [
    'buyer at it',
    1,
    (w, c) => {
      const trade = w.tradeOf(paymentOfChance(w, c));
      if (trade.state === 'open') trade.state = 'processing';
    },
  ],
  ['opened elsewhere', 3, (w, c) => w.opensElsewhere(paymentOfChance(w, c))],
  ['merchant tells', 3, (w, c) => w.merchantTells(paymentOfChance(w, c), paymentOfChance(w, c))],
  ['merchant tells, of any', 2, (w, c) => w.merchantTells(paymentOfChance(w, c), paymentOfChance(w, { ...c, a: c.b }))],
  ['buyer pays', 5, pays(0)],
  ['buyer pays less', 1, pays(-1)],
  ['buyer pays more', 1, pays(5)],
  ['buyer pays dollars', 1, pays(0, 'USD')],
  ['buyer pays through a close', 1, pays(0, 'CNY', true)],
  ['notice', 4, (w, c) => w.tellOfPayment(paymentOfChance(w, c))],
  [
    'attempt fails',
    1,
    (w, c) => {
      if (w.tradeOf(paymentOfChance(w, c)).captures.length === 0) w.tell(s.failing(paymentOfChance(w, c)));
    },
  ],
  [
    'attempt fails for now',
    2,
    (w, c) => {
      const { captures, state } = w.tradeOf(paymentOfChance(w, c));
      if (captures.length === 0 && state === 'open') w.tell(s.failingForNow(paymentOfChance(w, c)));
    },
  ],
  ['foreign notice', 1, (w, c) => w.tell(s.foreignNotice(paymentOfChance(w, c)))],
  ['refund notice', 2, (w, c) => w.tellOfRefund(refundOfChance(w, c))],
  ['refund reversed', 2, (w, c) => w.reverse(refundOfChance(w, c))],
  [
    'said again',
    3,
    (w, { a }) => {
      const again = pick(w.said, a);
      // Providers don't take back what they had said before; only the same message may come again.
      if (again && again.type !== 'time_passed' && !isOldNews(w, again)) w.tell(again);
    },
  ],
  ['confirm', 1, (w) => w.tell(s.confirm)],
  ['cancel', 1, (w, { a }) => w.tell(s.cancel(a % 2 ? 'customer' : 'merchant'))],
  ['resolve', 2, (w, c) => w.tell(s.resolve(paymentOfChance(w, c), c.b % 2 ? 'return' : 'accept'))],
  ['apply', 5, (w, c) => w.tell(s.apply(`r${w.order.refunds.length}`, asks(w, c)))],
  ['approve', 6, (w, c) => w.tell(s.approve(refundOfChance(w, c)))],
  ['reject', 2, (w, c) => w.tell(s.reject(refundOfChance(w, c)))],
  [
    'report',
    6,
    (w, c) => {
      const status = pick(['delivering', 'delivered', 'picked_up', 'failed'] as const, c.b)!;
      const quantity = c.b % 3 === 0 ? 1 + (c.b % 3) : null;
      w.tell(
        s.report(itemOfChance(w, c), status, quantity, c.b % 5 === 0 ? { carrier: 'SF', number: String(c.b) } : null),
      );
    },
  ],
  [
    'machine tells',
    5,
    (w, { a, b }) => w.machineTells(a, pick(['delivering', 'delivered', 'delivered', 'failed'] as const, b)!),
  ],
  ['code redeemed', 2, (w, { a }) => w.tell(s.redeem(`red-${a % 3}`))],
  ['redeliver', 2, (w, c) => w.tell(s.redeliver(itemOfChance(w, c)))],
  ['receipt', 1, (w) => w.tell(s.receipt)],
  ['review', 1, (w) => w.tell(s.rate(5))],
  ['retry', 1, (w) => w.tell(s.retry)],
  ['a while', 2, (w, { a }) => w.passUntil(w.now + (a % 100) * s.SECOND_MS)],
  [
    'until something is due',
    2,
    (w) => {
      const deadline = deadlineOf(w.order);
      if (deadline !== null) w.passUntil(deadline);
    },
  ],
];
const WEIGHTED = MOVES.flatMap(([name, weight, move]) => Array.from({ length: weight }, () => ({ name, move })));

/** What happens where no notice ever comes, buyers pay what they should, and providers keep their word. */
const HONEST = WEIGHTED.filter(
  ({ name }) =>
    !['buyer pays less', 'buyer pays more', 'buyer pays dollars', 'buyer pays through a close'].includes(name) &&
    !['notice', 'attempt fails', 'said again'].includes(name),
);

/** A refund's success or failure said once more after its provider has said something else. */
function isOldNews(world: World, command: (typeof world.said)[number]): boolean {
  if (command.type !== 'refund_found') return false;
  const current = world.said.findLast((c) => c.type === 'refund_found' && c.refund === command.refund);
  return current !== command;
}

const chances = (most: number) => {
  const chance = fc.record({ move: fc.nat(WEIGHTED.length - 1), a: fc.nat(1000), b: fc.nat(1000) });
  return fc.noBias(fc.array(chance, { maxLength: most, size: 'max' }));
};
const item = fc.record({
  quantity: fc.integer({ min: 1, max: 3 }),
  amount: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 })),
  fulfilment: fc.constantFrom<Fulfilment[]>('shipment', 'shipment', 'machine', 'machine', 'pickup', 'digital'),
  deliveryTimeoutSeconds: fc.constantFrom(null, null, 60),
  onFailure: fc.constantFrom('refund' as const, 'ask' as const),
});
const wanted = fc
  .record({
    items: fc.array(item, { minLength: 1, maxLength: 3 }),
    deliveryFee: fc.constantFrom(0, 0, 7, 100),
    discountPart: fc.constantFrom(0, 0, 0.3, 1),
    confirm: fc.constantFrom(true, true, true, false),
    test: fc.constantFrom(false, false, false, false, true),
    fourEyes: fc.boolean(),
    refundWindowSeconds: fc.constantFrom(15_552_000, 15_552_000, 600),
    autoReceiptAfterSeconds: fc.constantFrom(1_209_600, 60),
    isPayableFromStart: fc.constantFrom(false, false, true),
  })
  .map(({ discountPart, isPayableFromStart, ...given }) => {
    const most = given.deliveryFee + sum(given.items.map(({ amount }) => amount));
    const payable = isPayableFromStart && given.confirm ? { payableAs: s.PAYABLE_AS } : {};
    return s.terms({ ...given, ...payable, discount: Math.floor(most * discountPart) });
  });

/** Where the story begins: before anything is paid, or with a paid order. */
type Beginning = 'new' | 'opened' | 'paid';
const beginnings = fc.constantFrom<Beginning[]>('new', 'opened', 'paid', 'paid', 'paid');

function live(given: ReturnType<typeof s.terms>, beginning: Beginning, story: Chance[], moves = WEIGHTED): World {
  const world = new World(openOrder(given).order, s.T0);
  if (beginning !== 'new') begin(world, beginning);
  for (const chance of story) moves[chance.move % moves.length]!.move(world, chance);
  return world;
}

function begin(world: World, beginning: Beginning): void {
  world.tell(s.confirm);
  world.tell(s.pay());
  for (const duty of dutiesOf(world.order)) world.perform(duty);
  if (beginning !== 'paid') return;
  world.buyerPays(s.PAY_1, world.order.total, 'CNY', false);
  world.tellOfPayment(s.PAY_1);
}

describe('whatever happens, in whatever order', () => {
  it('an order keeps no money that it is not owed, and comes to its end once the world is kind', () => {
    fc.assert(
      fc.property(wanted, beginnings, chances(150), fc.boolean(), (given, beginning, story, approves) => {
        const world = live(given, beginning, story);
        world.becomeFriendly(approves);
        world.checkBooks();
        checkOrder(world.order);
      }),
      { numRuns: 1500 },
    );
  });
  it('finds all money by asking, where no notice ever comes', () => {
    fc.assert(
      fc.property(wanted, fc.constantFrom<Beginning[]>('new', 'opened'), chances(60), (given, beginning, story) => {
        const world = live(given, beginning, story, HONEST);
        world.becomeFriendly(true, false);
        world.checkBooks();
      }),
      { numRuns: 1500 },
    );
  });
  it('an order is what its events say, and survives being written down', () => {
    fc.assert(
      fc.property(wanted, beginnings, chances(40), (given, beginning, story) => {
        const { order } = live(given, beginning, story);
        expect(JSON.parse(JSON.stringify(order))).toEqual(order satisfies Order);
      }),
      { numRuns: 200 },
    );
  });
});

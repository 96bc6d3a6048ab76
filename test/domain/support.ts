import type {
  Command,
  CommandOf,
  DispatchFinding,
  PaymentFinding,
  RefundAsk,
  RefusalCode,
} from '../../domain/commands.ts';
import { decide, openOrder } from '../../domain/decide.ts';
import type { OrderEvent } from '../../domain/events.ts';
import { evolve } from '../../domain/evolve.ts';
import type { ItemId, MerchantId, OrderId, PaymentId, RefundId } from '../../domain/ids.ts';
import { cancellationId, deliveryRefundId, itemId, paymentId, returnId } from '../../domain/ids.ts';
import type { PaymentMethod } from '../../domain/method.ts';
import type { NewOrder } from '../../domain/new-order.ts';
import type { Actor, Order } from '../../domain/order.ts';
import { SYSTEM } from '../../domain/order.ts';

/** Stories of one order, told in the trade's words: `given(…what came before…).when(…what comes now…)`. */

export const ID = 'ord_aaaaaaaaaaaaaaaaaaaa' as OrderId;
export const [FIRST, SECOND, THIRD] = [0, 1, 2].map((n) => itemId(ID, n)) as [ItemId, ItemId, ItemId];
export const [PAY_1, PAY_2, PAY_3] = [0, 1, 2].map((n) => paymentId(ID, n)) as [PaymentId, PaymentId, PaymentId];
export const [CANCELLATION, CANCELLATION_2] = [0, 1].map((n) => cancellationId(ID, n)) as [RefundId, RefundId];
export const [DELIVERY_REFUND, DELIVERY_REFUND_2] = [0, 1].map((n) => deliveryRefundId(ID, n)) as [RefundId, RefundId];
export const returnOf = (payment: PaymentId, index = 0): RefundId => returnId(payment, index);
export const refundId = (name: string) => `ref_${name}` as RefundId;

export const SECOND_MS = 1000;
export const MINUTE = 60 * SECOND_MS;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** When every order of these stories is created; it expires 15 minutes later. */
export const T0 = 1_700_000_000_000;
export const EXPIRY = T0 + 15 * MINUTE;

/** Payable from the start under this number, at WeChat Pay (PAY_1) and Alipay (PAY_2). */
export const PAYABLE_AS = { outTradeNo: '5-9996-6d2d', methods: ['wechatpay.native', 'alipay.page'] } as const;

type ItemTerms = NewOrder['items'][number];
export type Terms = Partial<Omit<NewOrder, 'items'>> & { items?: Partial<ItemTerms>[] };

export const terms = ({ items = [{}], ...given }: Terms = {}): NewOrder => ({
  id: ID,
  merchant: 'mer_1' as MerchantId,
  title: 'Green tea',
  currency: 'CNY',
  discount: 0,
  deliveryFee: 0,
  confirm: true,
  test: false,
  fourEyes: true,
  createdAt: T0,
  createdBy: { type: 'merchant', name: null },
  expiresAt: EXPIRY,
  refundWindowSeconds: (180 * DAY) / 1000,
  autoReceiptAfterSeconds: (14 * DAY) / 1000,
  items: items.map((item) => ({
    quantity: 1,
    amount: 100,
    fulfilment: 'shipment',
    deliveryTimeoutSeconds: null,
    onFailure: 'ask',
    ...item,
  })),
  ...given,
});

const customer: Actor = { type: 'customer', name: null };
const merchant: Actor = { type: 'merchant', name: null };
const operator: Actor = { type: 'operator', name: 'Demo Operator' };
const provider: Actor = { type: 'provider', name: 'wechatpay' };
const machine: Actor = { type: 'machine', name: '16327129' };

// Wishes.
export const confirm: Command = { type: 'confirm', by: customer };
export const pay = (method: PaymentMethod = 'wechatpay.native'): Command => ({
  type: 'open_payment',
  method,
  by: customer,
});
export const cancel = (because: 'customer' | 'merchant' = 'customer'): Command => ({
  type: 'cancel',
  because,
  applicant: because,
  reason: 'changed my mind',
  by: because === 'customer' ? customer : merchant,
});
export const apply = (name: string, ask: RefundAsk, applicant = 'customer'): Command => ({
  type: 'apply_refund',
  refund: refundId(name),
  ask,
  reason: 'broken',
  origin: applicant === 'customer' ? 'customer' : 'merchant',
  applicant,
  by: applicant === 'customer' ? customer : merchant,
});
export const all: RefundAsk = { type: 'all' };
export const amount = (minor: number): RefundAsk => ({ type: 'amount', amount: minor });
export const units = (...items: [ItemId, number][]): RefundAsk => ({
  type: 'items',
  items: items.map(([item, quantity]) => ({ item, quantity })),
});
const decision =
  (decided: 'approve' | 'reject') =>
  (refund: RefundId | string, key = 'reviewer'): Command => ({
    type: 'review_refund',
    refund: refund.startsWith('ref_') ? (refund as RefundId) : refundId(refund),
    decision: decided,
    reviewer: { key, name: 'Demo Operator' },
    note: 'seen',
    by: operator,
  });
export const approve = decision('approve');
export const reject = decision('reject');
export const resolve = (payment: PaymentId, decided: 'return' | 'accept'): Command => ({
  type: 'resolve_dispute',
  payment,
  decision: decided,
  note: 'talked to the buyer',
  applicant: 'reviewer',
  by: operator,
});
export const redeliver = (item: ItemId): Command => ({ type: 'redeliver', item, by: operator });
export const redeem = (redemption: string): Command => ({ type: 'redeem_code', redemption, by: machine });
export const receipt: Command = { type: 'confirm_receipt', by: customer };
export const rate = (rating: number): Command => ({ type: 'review', rating, comment: null, by: customer });
export const retry: Command = { type: 'retry', by: operator };

// Facts.
export const opened = (payment: PaymentId): Command => ({
  type: 'payment_opened',
  payment,
  action: { type: 'qr', content: `weixin://${payment}` },
  by: provider,
});
/** Without anything to show: a bar code. */
export const openedAtOnce = (payment: PaymentId, finding: PaymentFinding): Command => ({
  type: 'payment_opened',
  payment,
  action: null,
  finding,
  by: provider,
});
export const found = (payment: PaymentId, finding: PaymentFinding): Command => ({
  type: 'payment_found',
  payment,
  finding,
  by: provider,
});
/** The trade number follows the attempt's, unless told otherwise. */
export const money = (
  payment: PaymentId,
  minor = 100,
  { currency = 'CNY', tradeNo = `T-${payment}`, paidAt = T0 + SECOND_MS } = {},
): Command => found(payment, { state: 'paid', tradeNo, amount: minor, currency, paidAt });
/** Only the merchant says so. */
export const toldMoney = (payment: PaymentId, minor = 100, tradeNo = `T-${payment}`): Command => ({
  ...found(payment, {
    state: 'paid',
    tradeNo,
    amount: minor,
    currency: 'CNY',
    paidAt: T0 + SECOND_MS,
    unconfirmed: true,
  }),
  by: merchant,
});
export const processing = (payment: PaymentId): Command => found(payment, { state: 'processing' });
export const failing = (payment: PaymentId): Command => found(payment, { state: 'failed', reason: 'no funds' });
export const closed = (payment: PaymentId): Command => found(payment, { state: 'closed' });
/** By being closed, where that is something of its own. */
export const foundClosing = (payment: PaymentId, finding: PaymentFinding): Command => ({
  ...(found(payment, finding) as CommandOf<'payment_found'>),
  closing: true,
});
export const approved = (payment: PaymentId): Command => found(payment, { state: 'approved' });
export const closedOnlyHere = (payment: PaymentId): Command =>
  foundClosing(payment, { state: 'closed', mayYetBePaid: true });
export const NOT_THIS_CARD: PaymentFinding = { state: 'failed', reason: 'card declined', mayYetBePaid: true };
export const failingForNow = (payment: PaymentId): Command => found(payment, NOT_THIS_CARD);
export const revoked = (payment: PaymentId, minor = 100): Command =>
  foundClosing(payment, {
    state: 'revoked',
    tradeNo: `T-${payment}`,
    amount: minor,
    currency: 'CNY',
    paidAt: T0 + SECOND_MS,
    settledAt: T0 + SECOND_MS * 2,
  });
export const foreignNotice = (payment: PaymentId): Command => ({ type: 'foreign_notice_found', payment, by: provider });

const ofRefund = (refund: RefundId | string): RefundId =>
  refund.startsWith('ref_') ? (refund as RefundId) : refundId(refund);
export const refundProcessing = (refund: RefundId | string): Command => ({
  type: 'refund_found',
  refund: ofRefund(refund),
  finding: { state: 'processing' },
  by: provider,
});
export const refunded = (refund: RefundId | string): Command => ({
  type: 'refund_found',
  refund: ofRefund(refund),
  finding: { state: 'succeeded', settledAt: T0 + HOUR },
  by: provider,
});
export const refundFails = (refund: RefundId | string): Command => ({
  type: 'refund_found',
  refund: ofRefund(refund),
  finding: { state: 'failed', reason: 'account closed' },
  by: provider,
});
export const report = (
  item: ItemId,
  status: CommandOf<'delivery_reported'>['status'],
  quantity: number | null = null,
  tracking: { carrier: string; number: string } | null = null,
): Command => ({
  type: 'delivery_reported',
  item,
  status,
  quantity,
  dispatch: null,
  tracking,
  detail: null,
  by: merchant,
});
/** A machine tells of one dispatch; `dispensed`: how many of it came out. */
export const machineReport = (
  item: ItemId,
  dispatch: number,
  status: 'delivering' | 'delivered' | 'failed',
  dispensed: number | null = null,
): Command => ({
  type: 'delivery_reported',
  item,
  status,
  quantity: dispensed,
  dispatch,
  tracking: null,
  detail: null,
  by: machine,
});
const dispatchFound = (item: ItemId, dispatch: number, finding: DispatchFinding): Command => ({
  type: 'dispatch_found',
  item,
  dispatch,
  finding,
  by: machine,
});
export const dispatched = (item: ItemId, dispatch = 1): Command => dispatchFound(item, dispatch, { state: 'taken' });
export const dispatchLost = (item: ItemId, dispatch = 1): Command =>
  dispatchFound(item, dispatch, { state: 'uncertain' });
export const dispatchRefused = (item: ItemId, dispatch = 1): Command =>
  dispatchFound(item, dispatch, { state: 'refused', reason: 'sold out' });
export const time: Command = { type: 'time_passed', by: SYSTEM };

/** A command, and when it comes if that matters; otherwise each comes a second after the one before. */
export type Step = Command | { at: number; command: Command };
export const at = (moment: number, command: Command = time): Step => ({ at: moment, command });

export type Told = {
  order: Order;
  /** What the last command led to. */
  events: readonly OrderEvent[];
  types: string[];
  refused: RefusalCode | null;
};

export type Given = { order: Order; now: number; when(step: Step): Told };

/** An order after a story in which nothing was refused. */
export function given(wanted: Terms, ...steps: Step[]): Given {
  return steps.reduce<Given>(
    (before, step) => {
      const { order, refused } = before.when(step);
      if (refused) throw new Error(`the story was refused at ${JSON.stringify(step)}: ${refused}`);
      return standing(order, momentOf(step, before.now));
    },
    standing(openOrder(terms(wanted)).order, T0),
  );
}

const momentOf = (step: Step, before: number): number => ('command' in step ? step.at : before + SECOND_MS);

const standing = (order: Order, now: number): Given => ({
  order,
  now,
  when: (step) => tell(order, 'command' in step ? step.command : step, momentOf(step, now)),
});

export function tell(order: Order, command: Command, moment: number): Told {
  const decided = decide(order, command, moment);
  if ('refused' in decided) return { order, events: [], types: [], refused: decided.refused.code };
  const { events } = decided;
  return { order: events.reduce(evolve, order), events, types: events.map(({ type }) => type), refused: null };
}

/** A paid order: one attempt, opened, paid. */
export const paid = (wanted: Terms = {}, ...steps: Step[]): Given =>
  given(wanted, pay(), opened(PAY_1), money(PAY_1, openOrder(terms(wanted)).order.total), ...steps);

export const itemAt = (order: Order, index: number) => order.items[index]!;
export const paymentAt = (order: Order, index: number) => order.payments[index]!;
export const refundNamed = (order: Order, refund: RefundId | string) =>
  order.refunds.find(({ id }) => id === ofRefund(refund))!;
export const lastRefund = (order: Order) => order.refunds.at(-1)!;

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Wish } from '../domain/commands.ts';
import type { OrderId, PaymentId } from '../domain/ids.ts';
import type { NewOrder } from '../domain/new-order.ts';
import type { Actor, Tracking } from '../domain/order.ts';
import type { OrderView } from '../domain/view.ts';

/** Everything that is said to an order's workflow, and by it: shared by the API and the workflow. */

export const TASK_QUEUE = 'orders';
export const orderWorkflowId = (id: OrderId) => `order/${id}`;
export const orderIdOf = (workflowId: string) => workflowId.slice('order/'.length) as OrderId;

/** Carries the trace (W3C `traceparent`) of whoever speaks; the name that Temporal's own interceptors use. */
export const TRACE_HEADER = '_tracer-data';

/** Where the activities that call merchants are carried out. */
export const notificationQueue = (taskQueue: string) => `${taskQueue}-notifications`;
export const notifierWorkflowId = (endpoint: string) => `notifier/${endpoint}`;
/** To the notifier of an endpoint: look again. */
export const somethingToTell = defineSignal('somethingToTell');

/** What the workflow starts from: a new order, or the stored one (it was closed, or a crash left it unstarted). */
export type OrderInput = { id: OrderId; opened: NewOrder | null };

/** Facts from outside. A signal is never refused. Operators may send these three from the Temporal UI. */
export const paymentNotification = defineSignal<[{ noticeId: string }]>('paymentNotification');
export const refundDecision =
  defineSignal<[{ refundId: string; decision: 'approve' | 'reject'; reviewer: string; note?: string | null }]>(
    'refundDecision',
  );
export type DeliveryReportSignal = {
  itemId: string;
  status: 'delivering' | 'delivered' | 'picked_up' | 'failed';
  /** How many have arrived in all; none: all that can. Of one dispatch: how many came out of it. */
  quantity?: number | null;
  /** Which dispatch to its machine it tells of, counted from 1; none: it tells of the item as a whole. */
  dispatch?: number | null;
  tracking?: Tracking | null;
  detail?: string | null;
  /** Who reports; none: an operator in the Temporal UI. */
  by?: Actor;
};
export const deliveryReport = defineSignal<[DeliveryReportSignal]>('deliveryReport');

/**
 * To an order whose new run still waits as long as its first one was to: go on. Sent by the relay, and by the API for a
 * report that waits.
 */
export const goOn = defineSignal('goOn');

/**
 * Somebody's wish had no answer, and what came of it may stand in the database alone: go on from what is stored, if that
 * is more. Sent by the relay.
 */
export const lookAgain = defineSignal('lookAgain');

/** A wish was granted and its change is saved in this version. `payment` is the attempt that was asked for. */
export type Granted = { version: number; payment?: PaymentId };
/** Wishes of people and programs. An update is answered: granted, or refused with a code and why. */
export const WISHES = {
  confirm: defineUpdate<Granted, [Wish]>('confirm'),
  open_payment: defineUpdate<Granted, [Wish]>('openPayment'),
  cancel: defineUpdate<Granted, [Wish]>('cancel'),
  apply_refund: defineUpdate<Granted, [Wish]>('applyRefund'),
  review_refund: defineUpdate<Granted, [Wish]>('reviewRefund'),
  resolve_dispute: defineUpdate<Granted, [Wish]>('resolveDispute'),
  redeliver: defineUpdate<Granted, [Wish]>('redeliver'),
  redeem_code: defineUpdate<Granted, [Wish]>('redeemCode'),
  confirm_receipt: defineUpdate<Granted, [Wish]>('confirmReceipt'),
  review: defineUpdate<Granted, [Wish]>('review'),
  retry: defineUpdate<Granted, [Wish]>('retry'),
} as const satisfies Record<Wish['type'], unknown>;

export type TimelineEntry = { seq: number; type: string; at: string; actor: Actor; data: Record<string, unknown> };
export const orderQuery = defineQuery<OrderView>('order');
export const timelineQuery = defineQuery<TimelineEntry[]>('timeline');

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
/** What operators find orders by in the Temporal UI. */
export const SEARCH_ATTRIBUTES = {
  orderStatus: keyword('OrderStatus'),
  refundStatus: keyword('RefundStatus'),
  merchantId: keyword('MerchantId'),
  merchantOrderNo: keyword('MerchantOrderNo'),
  channel: keyword('Channel'),
} as const;

import { setTimeout as sleep } from 'node:timers/promises';
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import {
  ApplicationFailure,
  TypedSearchAttributes,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/common';
import type { StoredOrder } from '../db/orders.ts';
import type { Refusal, Wish } from '../domain/commands.ts';
import { dutiesOf } from '../domain/duties.ts';
import type { OrderId } from '../domain/ids.ts';
import { decimalAmount } from '../domain/money.ts';
import { openedWith } from '../domain/new-order.ts';
import { isUnpaid, UNPAID, type Order } from '../domain/order.ts';
import { refundStatus, statusOf, type OrderView } from '../domain/view.ts';
import {
  deliveryReport,
  goOn,
  lookAgain,
  orderIdOf,
  orderQuery,
  orderWorkflowId,
  paymentNotification,
  SEARCH_ATTRIBUTES,
  TASK_QUEUE,
  WISHES,
  type DeliveryReportSignal,
  type Granted,
  type OrderInput,
} from '../workflows/messages.ts';
import { IsAtWork, isPassing, meetsATask, queryHasNoAnswer } from './errors.ts';
import { ProviderProblem, Refused } from './refused.ts';
import { holdsSave, type SaveMade } from './saves.ts';
import { Turns } from './turns.ts';

/** The orders' workflows, as the rest of the system speaks to them. */
export type OrderGateway = {
  /** Starts a new order's workflow; one that runs already is left alone. @returns its run id */
  start(stored: StoredOrder): Promise<string>;
  /**
   * Asks for something; wakes the order, or opens it again if it was closed. The same `key` is the same wish.
   * @throws Refused with the order's refusal, ProviderProblem, or what Temporal's client throws
   */
  ask(id: OrderId, wish: Wish, key?: string): Promise<Granted>;
  /** Tells that a verified notice is waiting in the database. */
  tellNotice(id: OrderId, noticeId: string): Promise<void>;
  tellDelivery(id: OrderId, report: DeliveryReportSignal): Promise<void>;
  /**
   * Paid orders whose workflow waits for its start. Servers (1.29, 1.31) count a new run's age from when the first one
   * was to start, which a message brought forward, and hold it back until then: to the order's expiry.
   */
  asleep(limit: number): Promise<OrderId[]>;
  wake(id: OrderId): Promise<void>;
  /** Has it go on from what is stored, should that be more than it knows. */
  lookAgain(id: OrderId): Promise<void>;
  /**
   * At work: a task of it is under way or to be repeated, and what that saved may be taken back until it is complete. At
   * rest: no task is known; but one may have been lost with the server before it was written down, or one that is repeated
   * may wait to save, as long as the database is away: see `knows`.
   */
  stateOf(id: OrderId): Promise<'at work' | 'at rest' | 'closed'>;
  /** Whether its running workflow knows of this save: see saves.ts. */
  knows(id: OrderId, save: SaveMade): Promise<boolean>;
  /** The running workflow's own answer; null if it isn't running (yet, or any more). */
  live(id: OrderId): Promise<OrderView | null>;
};

/** The server takes ten updates of one workflow at a time. */
const UPDATES_AT_ONCE = 8;
const ASKING_MS = 25_000;
const TELLING_MS = 5_000;
/** A server that says "not now" again and again for so long is not there for whoever waits. */
const PASSING_MS = 5_000;
const FIRST_PAUSE_MS = 100;
/** A worker that was killed in the midst of a workflow task is waited for so long. */
export const TASK_TIMEOUT_MS = 5_000;
const workflowTaskTimeout = TASK_TIMEOUT_MS;

/** @param taskQueue where the workers listen */
export function temporalGateway(client: Client, now: () => number, taskQueue = TASK_QUEUE): OrderGateway {
  const turns = new Turns(UPDATES_AT_ONCE);
  const within = <T>(ms: number, call: () => Promise<T>) => client.connection.withDeadline(Date.now() + ms, call);
  const stored = (id: OrderId) => ({
    workflowId: orderWorkflowId(id),
    taskQueue,
    workflowTaskTimeout,
    args: [{ id, opened: null }] as [OrderInput],
    staticSummary: `Order ${id}, opened again`,
  });

  const tell = async (id: OrderId, signal: { name: string }, ...signalArgs: unknown[]): Promise<void> => {
    await within(TELLING_MS, () =>
      client.workflow.signalWithStart('order', { ...stored(id), signal: signal.name, signalArgs }),
    );
  };

  return {
    start: (order) => within(TELLING_MS, () => start(client, taskQueue, order, now())),
    ask: (id, wish, key = crypto.randomUUID()) =>
      turns.take(id, async () => {
        let notNowSince: number | null = null;
        for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
          const startWorkflowOperation = new WithStartWorkflowOperation('order', {
            ...stored(id),
            workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          });
          try {
            return await within(ASKING_MS, () =>
              client.workflow.executeUpdateWithStart(WISHES[wish.type], {
                args: [wish],
                updateId: key,
                startWorkflowOperation,
              }),
            );
          } catch (error) {
            notNowSince ??= Date.now();
            if (!isPassing(error) || Date.now() + pause > notNowSince + PASSING_MS) throw meaningOf(error);
            await sleep(pause);
          }
        }
      }),
    tellNotice: (id, noticeId) => tell(id, paymentNotification, { noticeId }),
    tellDelivery: (id, report) => tell(id, deliveryReport, report),
    asleep: (limit) => within(TELLING_MS, () => asleep(client, taskQueue, now(), limit)),
    wake: (id) => tell(id, goOn),
    lookAgain: (id) => tell(id, lookAgain),
    stateOf: (id) => within(TELLING_MS, () => stateOf(client, id)),
    knows: (id, save) => within(TELLING_MS, () => holdsSave(client, orderWorkflowId(id), save)),
    live: (id) =>
      live(client, id).catch((error: unknown) => {
        if (queryHasNoAnswer(error)) return null;
        throw error;
      }),
  };
}

/**
 * Until somebody pays, an order costs one event and no task: the start delay is the timer of its expiry, or of the first
 * asking where an attempt waits at its provider already.
 */
async function start(client: Client, taskQueue: string, { order, row }: StoredOrder, now: number): Promise<string> {
  const workflowId = orderWorkflowId(order.id);
  try {
    const handle = await client.workflow.start('order', {
      workflowId,
      taskQueue,
      workflowTaskTimeout,
      args: [{ id: order.id, opened: openedWith(order, row.details.confirm) }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: summaryOf(order, row.number),
      typedSearchAttributes: labelsOf(order, row),
      ...(isUnpaid(order) && firstMoment(order) > now && { startDelay: firstMoment(order) - now }),
    });
    return handle.firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return (await client.workflow.getHandle(workflowId).describe()).runId;
  }
}

async function stateOf({ workflow }: Client, id: OrderId): Promise<'at work' | 'at rest' | 'closed'> {
  try {
    const { raw, status } = await workflow.getHandle(orderWorkflowId(id)).describe();
    if (raw.pendingWorkflowTask) return 'at work';
    return status.name === 'RUNNING' ? 'at rest' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'closed';
    throw error;
  }
}

/** Not while a task is under way: docs/adr/0025-queries.md. */
async function live(client: Client, id: OrderId): Promise<OrderView> {
  const end = Date.now() + TELLING_MS;
  const inTime = <A>(call: () => Promise<A>) =>
    client.connection.withDeadline(Math.max(end, Date.now() + FIRST_PAUSE_MS), call);
  for (;;) {
    try {
      if ((await inTime(() => stateOf(client, id))) === 'at work') throw new IsAtWork();
      return await inTime(() => client.workflow.getHandle(orderWorkflowId(id)).query(orderQuery));
    } catch (error) {
      if (!meetsATask(error) || Date.now() + FIRST_PAUSE_MS > end) throw error;
    }
    await sleep(FIRST_PAUSE_MS);
  }
}

async function asleep({ workflow }: Client, taskQueue: string, now: number, limit: number): Promise<OrderId[]> {
  const query =
    `WorkflowType = 'order' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running' ` +
    `AND ExecutionTime > '${new Date(now).toISOString()}' ` +
    `AND ${SEARCH_ATTRIBUTES.orderStatus.name} NOT IN (${UNPAID.map((status) => `'${status}'`).join(', ')})`;
  const ids: OrderId[] = [];
  for await (const { workflowId } of workflow.list({ query, pageSize: limit })) {
    ids.push(orderIdOf(workflowId));
    if (ids.length === limit) break;
  }
  return ids;
}

const firstMoment = (order: Order): number => Math.min(order.expiresAt, ...dutiesOf(order).map(({ dueAt }) => dueAt));

function summaryOf({ items, total, currency, title }: Order, number: number): string {
  const count = items.length === 1 ? '1 item' : `${items.length} items`;
  return `Order ${number} · ${count} · ${currency} ${decimalAmount({ amount: total, currency })} · ${title}`.slice(
    0,
    190,
  );
}

function labelsOf(order: Order, row: StoredOrder['row']): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.merchantId, value: order.merchant },
    { key: SEARCH_ATTRIBUTES.merchantOrderNo, value: row.merchant_order_no },
    { key: SEARCH_ATTRIBUTES.channel, value: row.channel },
    { key: SEARCH_ATTRIBUTES.orderStatus, value: statusOf(order) },
    { key: SEARCH_ATTRIBUTES.refundStatus, value: refundStatus(order) },
  ]);
}

/** What the order or the provider answered comes as a failed update. */
function meaningOf(error: unknown): unknown {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || !cause.type) return error;
  if (cause.type === 'provider_error' || cause.type === 'provider_unavailable')
    return new ProviderProblem(cause.type, cause.message);
  const refusal = cause.details?.[0] as Refusal | undefined;
  return refusal?.code ? new Refused(refusal) : error;
}

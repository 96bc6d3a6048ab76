import { WorkflowNotFoundError } from '@temporalio/client';
import { expect } from 'vitest';
import { checkoutToken } from '../../api/checkout-token.ts';
import type { ApiDeps } from '../../api/env.ts';
import type { OrderId } from '../../domain/ids.ts';
import { OPERATOR_KEY, startApi, tea, type Answer, type CallOptions, type TestApi } from '../api/support.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import { faults, noFaults, until } from '../support/orders.ts';
import type { SystemOptions } from '../support/system.ts';
import { expectBooksToAgree } from './books.ts';
import { openLetterbox, type Letterbox } from './letterbox.ts';

/** The answers are checked against the OpenAPI document; stories read what they need of them. */
type Body = any;

export const NATIVE = { method: 'wechatpay.native' };
export const IN_WECHAT = { method: 'wechatpay.jsapi', payer_id: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' };
export const MINI_PROGRAM = { method: 'wechatpay.mini', payer_id: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' };

/** One order as its merchant, its buyer and an operator deal with it, from outside. */
export class Sale {
  readonly #shop: Shop;
  readonly id: string;
  /** As it was created. */
  readonly created: Body;

  constructor(shop: Shop, created: Body) {
    this.#shop = shop;
    this.id = created.id;
    this.created = created;
  }

  call = (method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer> =>
    this.#shop.api.call(`${method} /v1/orders/${this.id}${path}`, body, options);

  read = async (): Promise<Body> => (await this.call('GET', '')).body;
  /** Waits until the order is so. */
  becomes = (isSo: (order: Body) => boolean, withinMs = 30_000): Promise<Body> => until(this.read, isSo, withinMs);
  isPaid = (withinMs?: number): Promise<Body> => this.becomes(({ paid_at }) => paid_at !== null, withinMs);
  isCancelled = (withinMs?: number): Promise<Body> => this.becomes(({ status }) => status === 'cancelled', withinMs);

  /** Waits until every notice that came for the order is taken in. */
  takesIn = (): Promise<unknown> =>
    until(
      () =>
        this.#shop.api.system.db
          .selectFrom('notices')
          .select('id')
          .where('order_id', '=', this.id)
          .where('processed_at', 'is', null)
          .execute(),
      (left) => left.length === 0,
    );

  /** Opens an attempt, successfully. */
  async opens(how: object = NATIVE): Promise<Body> {
    const { status, body } = await this.call('POST', '/payments', how);
    expect([status, body]).toEqual([201, body]);
    return body;
  }
  /** What the buyer does at the provider. */
  buyer = (payment: Body, action: string, more: object = {}): Promise<number> =>
    this.#shop.control(`payments/${payment.out_trade_no}`, { action, ...more });
  /** Opens an attempt and pays it. */
  async pays(how: object = NATIVE): Promise<Body> {
    const payment = await this.opens(how);
    expect(await this.buyer(payment, 'pay')).toBe(200);
    return payment;
  }

  applies = async (ask: object = {}, options?: CallOptions): Promise<Body> =>
    (await this.call('POST', '/refunds', { reason: 'broken', ...ask }, options)).body;
  decides = (refund: Body, decision: 'approve' | 'reject', options: CallOptions = {}): Promise<Answer> =>
    this.call('POST', `/refunds/${refund.id}/${decision}`, { note: 'seen' }, { key: OPERATOR_KEY, ...options });
  /** Applies for a refund, which an operator approves. */
  async refunds(ask: object = {}): Promise<Body> {
    const { status, body } = await this.decides(await this.applies(ask), 'approve');
    expect([status, body]).toEqual([200, body]);
    return body;
  }
  resolves = (payment: Body, decision: string): Promise<Answer> =>
    this.call('POST', `/payments/${payment.id}/resolve`, { decision, note: 'as agreed' }, { key: OPERATOR_KEY });
  refund = async (id: string): Promise<Body> => (await this.read()).refunds.find((one: Body) => one.id === id);
  refundBecomes = async (id: string, status: string, withinMs?: number): Promise<Body> =>
    (
      await this.becomes(({ refunds }) => refunds.some((r: Body) => r.id === id && r.status === status), withinMs)
    ).refunds.find((one: Body) => one.id === id);

  events = async (): Promise<Body[]> => (await this.call('GET', '/events?limit=100')).body.data;
  /** The kinds of what happened, oldest first. */
  story = async (): Promise<string[]> => (await this.events()).map(({ type }) => type);
  happened = async (type: string): Promise<number> => (await this.story()).filter((one) => one === type).length;
  attention = async (): Promise<string[]> => (await this.read()).attention.map(({ code }: Body) => code);
  retries = (): Promise<Answer> => this.call('POST', '/retry');

  /** What the provider has of this order's money. */
  atProvider = async (): Promise<{ type: string; amount: number; out_trade_no: string }[]> => {
    const numbers = new Set((await this.read()).payments.map((one: Body) => one.out_trade_no));
    return (await this.#shop.ledger()).filter(({ out_trade_no }) => numbers.has(out_trade_no));
  };
  /** What has gone back of it, at the provider. */
  paidBack = async (): Promise<{ type: string; amount: number }[]> =>
    (await this.atProvider()).filter(({ type }) => type === 'refund');
  /** Captures less refunds, at the provider. */
  net = async (): Promise<number> =>
    (await this.atProvider()).reduce((sum, { type, amount }) => sum + (type === 'capture' ? amount : -amount), 0);
  customer = (): string => checkoutToken(this.#shop.api.sealer, this.id as OrderId);
}

/** A shop with everything real around it: database, Temporal, worker, API, and the simulated providers. */
export class Shop {
  readonly api: TestApi;
  readonly letterbox: Letterbox;

  private constructor(api: TestApi, letterbox: Letterbox) {
    this.api = api;
    this.letterbox = letterbox;
  }

  static async open(change?: (deps: ApiDeps) => Partial<ApiDeps>, options: SystemOptions = {}): Promise<Shop> {
    const letterbox = await openLetterbox();
    const api = await startApi(change, { ...options, publicUrl: letterbox.url });
    letterbox.forwardTo(api.url);
    return new Shop(api, letterbox);
  }

  /** Ends every fault, waits until our ledger and the providers' books agree, and stops. */
  async close(): Promise<void> {
    try {
      await this.noFaults();
      await expectBooksToAgree(this.api.system);
    } finally {
      await this.stop();
    }
  }
  async stop(): Promise<void> {
    await this.api.stop();
    await this.letterbox.stop();
  }

  sells = async (more: object = {}): Promise<Sale> => {
    const { status, body } = await this.api.call('POST /v1/orders', tea(more as Record<string, unknown>));
    expect([status, body]).toEqual([201, body]);
    return new Sale(this, body);
  };
  /** An order that is paid. */
  async sold(more: object = {}): Promise<Sale> {
    const sale = await this.sells(more);
    await sale.pays();
    await sale.isPaid();
    return sale;
  }

  /** Waits until notices have come, and were answered so. */
  noticed = (statuses: number[]): Promise<unknown> =>
    until(
      async () => this.letterbox.letters.map(({ answered }) => answered),
      (answered) => JSON.stringify(answered) === JSON.stringify(statuses),
    );

  /** The order's runs are closed, and Temporal keeps nothing of them, as after its retention. */
  async temporalForgets({ id }: Sale): Promise<void> {
    const { client } = this.api.system;
    const workflowExecution = { workflowId: orderWorkflowId(id as OrderId) };
    const handle = client.workflow.getHandle(workflowExecution.workflowId);
    await handle.result();
    await client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
    await until(
      () =>
        handle.describe().then(
          () => 'there',
          (error: unknown) => (error instanceof WorkflowNotFoundError ? 'forgotten' : String(error)),
        ),
      (is) => is === 'forgotten',
      60_000,
    );
  }

  /** Money that only a test has made up is in no provider's books. */
  forgetMoneyOf = async ({ id }: Sale): Promise<void> =>
    void (await this.api.system.db.deleteFrom('ledger').where('order_id', '=', id).execute());

  faults = async (body: Record<string, unknown>): Promise<void> => void (await faults(this.api.system, body));
  noFaults = async (): Promise<void> => void (await noFaults(this.api.system));
  control = async (path: string, body: object): Promise<number> =>
    (
      await fetch(`${this.api.system.simulator.url}/_control/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).status;
  ledger = async (): Promise<{ type: string; amount: number; out_trade_no: string }[]> =>
    ((await (await fetch(`${this.api.system.simulator.url}/_control/ledger`)).json()) as { data: never[] }).data;
  /** A number of `/metrics`; 0 where it is not there. */
  async metric(name: string): Promise<number> {
    const { body } = await this.api.call('GET /metrics', undefined, { key: null });
    const line = (body as string).split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  }
}

/** Three lines for 100.00 in all. */
export const HUNDRED = {
  items: [
    { name: 'Green tea', quantity: 2, unit_amount: 1500, fulfilment: 'shipment' },
    { name: 'Pot', quantity: 1, unit_amount: 7000, fulfilment: 'shipment' },
  ],
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient, temporalAt } from '../../client/connection.ts';
import type { OrderId, RefundId } from '../../domain/ids.ts';
import { view } from '../../domain/view.ts';
import { freePort } from '../../start/ports.ts';
import { SEARCH_ATTRIBUTES } from '../../start/search-attributes.ts';
import { findTemporal } from '../../start/temporal-binary.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import { machine, OPERATOR_KEY, paidOrder, startApi, type TestApi } from '../api/support.ts';
import { faults, MERCHANT, noFaults, stored, until } from '../support/orders.ts';

/** A server that suggests to continue as new after a few events: large orders meet that after thousands. */

const SUGGESTED_AFTER = 120;
let server: ChildProcess;
let api: TestApi;

beforeAll(async () => {
  const port = await freePort();
  const flags = ['server', 'start-dev', '--headless', `--port=${port}`, '--log-level=never'];
  server = spawn(
    await findTemporal({ env: process.env, progress: () => {} }),
    [
      ...flags,
      `--dynamic-config-value=limit.historyCount.suggestContinueAsNew=${SUGGESTED_AFTER}`,
      ...SEARCH_ATTRIBUTES.map((name) => `--search-attribute=${name}=Keyword`),
    ],
    { stdio: 'ignore' },
  );
  const temporalAddress = `127.0.0.1:${port}`;
  const client = await until(
    () => connectClient(temporalAt(temporalAddress)).catch(() => null),
    (one) => one !== null,
    30_000,
  );
  await client!.connection.close();
  api = await startApi(() => ({}), { temporalAddress });
});
afterAll(async () => {
  await api?.stop();
  server?.kill('SIGKILL');
});

const ITEMS = 60;
const shipments = (count: number) => ({
  items: Array.from({ length: count }, () => ({
    name: 'Tea',
    quantity: 1,
    unit_amount: 1000,
    fulfilment: 'shipment',
  })),
});
let turn: Promise<unknown> = Promise.resolve();
/** One after the other: a busy machine answers that it is busy. */
const paid = (more: Record<string, unknown>): Promise<any> =>
  (turn = turn.then(
    () => paidOrder(api, more),
    () => paidOrder(api, more),
  ));
const seen = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;

/** The lengths of an order's runs, oldest first. */
async function runsOf(id: string): Promise<number[]> {
  const runs: { at: number; length: number }[] = [];
  const { workflow } = api.system.client;
  for await (const run of workflow.list({ query: `WorkflowId = '${orderWorkflowId(id as OrderId)}'` }))
    runs.push({ at: run.startTime.getTime(), length: run.historyLength });
  return runs.sort((a, b) => a.at - b.at).map(({ length }) => length);
}

const goneOnAnew = (id: string) =>
  until(
    () => runsOf(id),
    (runs) => runs.length > 1,
  );

describe.concurrent('an order whose history grows goes on in a new run', () => {
  it('and loses no message meanwhile', async () => {
    const { system } = api;
    const id = (await paid(shipments(ITEMS))).id as OrderId;
    const { items } = await stored(system, id);
    const told = items.map(async (item, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 100));
      await system.gateway.tellDelivery(id, { itemId: item.id, status: 'delivering', by: MERCHANT });
    });
    const asked = Array.from({ length: 20 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 290));
      return system.gateway.ask(id, {
        type: 'apply_refund',
        refund: `ref_${index}` as RefundId,
        ask: { type: 'amount', amount: 10 },
        reason: 'broken',
        origin: 'merchant',
        applicant: 'key:x',
        by: MERCHANT,
      });
    });
    await Promise.all([...told, ...asked]);
    const order = await until(
      () => stored(system, id),
      ({ items: now }) => now.every(({ status }) => status === 'delivering'),
    );
    expect(order.refunds).toHaveLength(20);
    await goneOnAnew(id);
    const live = await until(
      () => system.gateway.live(id),
      (answer) => answer !== null,
    );
    expect(live).toEqual(view(order));
    const events = await system.db.selectFrom('order_events').select('seq').where('order_id', '=', id).execute();
    expect(new Set(events.map(({ seq }) => seq)).size).toBe(order.seq);
    const { events: history } = await system.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
    expect(Number(history![0]!.workflowExecutionStartedEventAttributes?.workflowTaskTimeout?.seconds)).toBe(5);
  });

  it('before its expiry too: machines go on dispensing though nobody says another word (scenario 52)', async () => {
    await machine(api, '16327129', { mode: 'dispense', reports: 2 });
    const drink = { name: 'Water', quantity: 1, unit_amount: 300, fulfilment: 'machine', machine_no: '16327129' };
    const items = Array.from({ length: 60 }, () => drink);
    const { id } = await paid({ items, expires_in: 86_400, delivery_timeout: 86_400 });
    const statusOf = async () => (await seen(id)).status;
    await until(statusOf, (status) => status === 'completed', 120_000);
    expect(await seen(id)).toMatchObject({ refunds: [], attention: [] });
    expect((await machine(api, '16327129')).dispatches).toHaveLength(items.length);
    const runs = await runsOf(id);
    expect(runs.length).toBeGreaterThan(1);
    expect(Math.max(...runs)).toBeLessThan(4 * SUGGESTED_AFTER);
  });

  it('in the midst of a refund, which is then asked about, and made once', async () => {
    const { id, items, payments } = await paid(shipments(ITEMS));
    await faults(api.system, { provider: 'wechatpay', drop_notices: true, refund_delay_ms: 10_000 });
    const { body: refund } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'late', amount: 700 });
    await api.call(`POST /v1/orders/${id}/refunds/${refund.id}/approve`, {}, { key: OPERATOR_KEY });
    await until(
      () => seen(id),
      (order) => order.refunds[0].status === 'processing',
    );
    for (const item of items)
      await api.call(`POST /v1/orders/${id}/items/${item.id}/delivery`, { status: 'delivering' });
    await goneOnAnew(id);
    const refunded = await until(
      () => seen(id),
      (order) => order.refunds[0].status !== 'processing',
      90_000,
    );
    await noFaults(api.system);
    expect(refunded).toMatchObject({ refund_status: 'partial', amounts: { refunded: 700 } });
    const books = await fetch(`${api.system.simulator.url}/_control/ledger`);
    const { data } = (await books.json()) as { data: { out_trade_no: string; type: string; amount: number }[] };
    expect(data.filter(({ out_trade_no: no, type }) => no === payments[0].out_trade_no && type === 'refund')).toEqual([
      expect.objectContaining({ amount: 700 }),
    ]);
  });
});

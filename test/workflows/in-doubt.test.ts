import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doubtActivities } from '../../activities/doubts.ts';
import type { Deps } from '../../activities/index.ts';
import { findOrder } from '../../db/orders.ts';
import type { RefundId } from '../../domain/ids.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { replay } from '../support/histories.ts';
import { saveAndBeLost } from '../support/lost.ts';
import { MERCHANT, paid, until } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

/** What is stored has more than the order's workflow knows: docs/adr/0024-doubts.md. */

let system: System;
let worker: RunningWorker;
beforeAll(async () => {
  system = await startSystem();
  worker = await system.startWorker();
});
afterAll(() => system?.stop());

const applies = (refund: string) =>
  ({
    type: 'apply_refund',
    refund: refund as RefundId,
    ask: { type: 'all' },
    reason: 'broken',
    origin: 'merchant',
    applicant: 'key:x',
    by: MERCHANT,
  }) as const;

describe('where the stored order, which another run had gone on with, does not grant it', () => {
  it('a wish is refused to whoever asked', async () => {
    const { id } = await paid(system);
    await saveAndBeLost(system, id, applies('ref_of_another_run'), 'another run');
    const asked = system.gateway.ask(id, applies('ref_too_much'));
    await expect(asked).rejects.toMatchObject({ refusal: { code: 'refund_exceeds_paid' } });
    const live = await system.gateway.live(id);
    expect(live!.refunds.map((refund) => refund.id)).toEqual(['ref_of_another_run']);
    await replay(system, id, 'refused-by-stored');
  });

  it('so is one that another wish had done already', async () => {
    const { id } = await paid(system);
    await saveAndBeLost(system, id, applies('ref_of_another_run'), 'another run');
    const cancel = { type: 'cancel', because: 'merchant', applicant: 'key:x', reason: null, by: MERCHANT } as const;
    await worker.stop();
    const asked = Promise.allSettled([system.gateway.ask(id, cancel), system.gateway.ask(id, cancel)]);
    await new Promise((resolve) => setTimeout(resolve, 500)); // One task is to take both.
    worker = await system.startWorker();
    const refused = { status: 'rejected', reason: { refusal: { code: 'invalid_state' } } };
    expect(await asked).toMatchObject([refused, refused]);
    await replay(system, id, 'both-refused-by-stored');
  });
});

it('a wish that may be lost stays unproven until its workflow has looked', async () => {
  const { id } = await paid(system);
  await saveAndBeLost(system, id, applies('ref_lost'));
  const unproven = async () => (await findOrder(system.db, id, null))!.row.unproven_since;
  const gateway = { ...system.gateway, lookAgain: () => Promise.resolve() };
  const deps = { db: system.db, gateway, now: () => Date.now() + 6_000, log: pino({ level: 'silent' }) };
  expect(await doubtActivities(deps as unknown as Deps).proveWishes()).toBe(1);
  expect(await unproven()).not.toBeNull();
  await system.gateway.lookAgain(id);
  expect(await until(unproven, (since) => since === null)).toBeNull();
  expect(await system.gateway.live(id)).toMatchObject({ refunds: [{ id: 'ref_lost', status: 'requested' }] });
});

import type { Kysely } from 'kysely';
import { expect } from 'vitest';
import { findOrder } from '../../db/orders.ts';
import { saveOrder } from '../../db/save.ts';
import type { Database } from '../../db/schema.ts';
import type { Wish } from '../../domain/commands.ts';
import { decide } from '../../domain/decide.ts';
import type { OrderId } from '../../domain/ids.ts';

/** What is left where Temporal ends between the save of a task that granted a wish and the end of that task. */
export async function saveAndBeLost(db: Kysely<Database>, id: OrderId, wish: Wish): Promise<void> {
  const { order: before, row } = (await findOrder(db, id, null))!;
  const decision = decide(before, wish, Date.now());
  if ('refused' in decision) throw new Error(decision.refused.detail);
  const { outcome } = await saveOrder(db, {
    run: row.saved_run ?? row.run_id!,
    task: row.task + 1,
    before,
    events: decision.events,
    notices: [],
    hasWish: true,
  });
  expect(outcome).toBe('saved');
}

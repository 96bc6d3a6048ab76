import type { Kysely } from 'kysely';
import { expect } from 'vitest';
import { findOrder } from '../../db/orders.ts';
import { saveOrder } from '../../db/save.ts';
import type { Database } from '../../db/schema.ts';
import type { Command } from '../../domain/commands.ts';
import { decide } from '../../domain/decide.ts';
import type { OrderId } from '../../domain/ids.ts';
import { WISHES } from '../../workflows/messages.ts';

/** What is left of a task that saved a wish, or a fact, and was lost before its end. @param run none: the order's own */
export async function saveAndBeLost(db: Kysely<Database>, id: OrderId, command: Command, run?: string): Promise<void> {
  const { order: before, row } = (await findOrder(db, id, null))!;
  const decision = decide(before, command, Date.now());
  if ('refused' in decision) throw new Error(decision.refused.detail);
  const { outcome } = await saveOrder(db, {
    run: run ?? row.saved_run ?? row.run_id!,
    task: row.task + 1,
    before,
    events: decision.events,
    notices: [],
    wishes: command.type in WISHES ? ['lost'] : [],
  });
  expect(outcome).toBe('saved');
}

import { expect } from 'vitest';
import { findOrder } from '../../db/orders.ts';
import { saveOrder } from '../../db/save.ts';
import type { Command } from '../../domain/commands.ts';
import { decide } from '../../domain/decide.ts';
import type { OrderId } from '../../domain/ids.ts';
import { orderWorkflowId, WISHES } from '../../workflows/messages.ts';
import { until } from './orders.ts';
import type { System } from './system.ts';

/**
 * What is left of a task that saved a wish, or a fact, and was lost before its end. The next task is counted alike, as
 * the server wrote nothing down of this one. @param run none: the order's own
 */
export async function saveAndBeLost(
  { db, client }: Pick<System, 'db' | 'client'>,
  id: OrderId,
  command: Command,
  run?: string,
): Promise<void> {
  const { historyLength } = await until(
    () => client.workflow.getHandle(orderWorkflowId(id)).describe(),
    ({ raw }) => !raw.pendingWorkflowTask,
  );
  const { order: before, row } = (await findOrder(db, id, null))!;
  const decision = decide(before, command, Date.now());
  if ('refused' in decision) throw new Error(decision.refused.detail);
  const { outcome } = await saveOrder(db, {
    run: run ?? row.saved_run ?? row.run_id!,
    task: historyLength + 2, // Scheduled, and started.
    before,
    events: decision.events,
    notices: [],
    wishes: command.type in WISHES ? ['lost'] : [],
  });
  expect(outcome).toBe('saved');
}

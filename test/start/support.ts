import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'durable-orders-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Collects what a person would have been told. */
export function listener(): { told: string[]; progress: (text: string) => void } {
  const told: string[] = [];
  return { told, progress: (text) => void told.push(text) };
}

export async function until(holds: () => boolean, withinMs = 10_000): Promise<void> {
  for (const end = Date.now() + withinMs; !holds(); await sleep(20)) {
    if (Date.now() > end) throw new Error(`still not so after ${withinMs} ms: ${holds.toString()}`);
  }
}

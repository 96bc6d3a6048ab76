import type { Refusal, RefusalCode } from './commands.ts';
import type { OrderEvent } from './events.ts';

/** What a command leads to: events, perhaps none, or a refusal. */
export type Decision = { events: readonly OrderEvent[] } | { refused: Refusal };

export const nothing: Decision = { events: [] };
export const done = (...events: OrderEvent[]): Decision => ({ events });
export const refused = (code: RefusalCode, detail: string, path?: string): Decision => ({
  refused: { code, detail, ...(path !== undefined && { path }) },
});

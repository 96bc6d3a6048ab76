import { z } from 'zod';
import type { ProviderName } from './records.ts';

const LONGEST_WAIT_MS = 31 * 24 * 3600 * 1000;

const rate = z.number().min(0).max(1);
const wait = z.int().min(0).max(LONGEST_WAIT_MS);

/** What can go wrong, as `POST /_control/faults` names it (contract, section 6). */
export const FaultFields = z.strictObject({
  drop_notices: z.boolean().optional(),
  duplicate_notices: z.int().min(0).max(1000).optional(),
  delay_notices_ms: wait.optional(),
  reorder_notices: z.boolean().optional(),
  corrupt_signature: z.boolean().optional(),
  error_rate: rate.optional(),
  timeout_rate: rate.optional(),
  latency_ms: wait.optional(),
  refund_fails: z.boolean().optional(),
  refund_delay_ms: wait.optional(),
  refund_gap_ms: wait.optional(),
});

export type FaultSettings = z.infer<typeof FaultFields>;

/** The faults in force, per provider. They are not kept over a restart: a restart ends them. */
export class Faults {
  readonly #inForce: Map<ProviderName, FaultSettings>;

  constructor(providers: readonly ProviderName[]) {
    this.#inForce = new Map(providers.map((name) => [name, {}]));
  }

  /** Adds to what is in force; a field given again counts from now on. Without a provider it is for all of them. */
  set(provider: ProviderName | undefined, settings: FaultSettings): void {
    for (const [name, before] of this.#inForce) {
      if (provider === undefined || name === provider) this.#inForce.set(name, { ...before, ...settings });
    }
  }

  of(provider: ProviderName): FaultSettings {
    return this.#inForce.get(provider) ?? {};
  }

  end(): void {
    for (const name of this.#inForce.keys()) this.#inForce.set(name, {});
  }

  /** By provider; those without faults are left out. */
  all(): Record<string, FaultSettings> {
    return Object.fromEntries([...this.#inForce].filter(([, settings]) => Object.keys(settings).length > 0));
  }
}

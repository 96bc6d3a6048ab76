/**
 * What goes wrong, and after how many orders at least: all of it from the seed. One thing comes after the other, and a
 * server that is away is waited for while orders go on: what falls into a long outage comes after it, all at once.
 */
import { unreachable } from '../domain/brand.ts';
import { PROVIDERS, type ProviderName } from '../domain/method.ts';
import { randomOf, type Random } from './random.ts';
import { SERVERS, type ServerName } from './servers.ts';
import type { MachineMode, Simulator } from './simulator.ts';
import type { PartName, System } from './system.ts';

export type Blow = { afterOrders: number; what: string } & (
  | { type: 'faults'; provider: ProviderName | undefined; settings: Record<string, unknown> }
  | { type: 'calm' }
  | { type: 'machine'; machineNo: string; mode: MachineMode }
  | { type: 'kill'; part: PartName }
  | { type: 'away'; server: ServerName; ms: number }
  | { type: 'power cut'; ms: number }
);
type Blowing = Blow extends infer B ? (B extends Blow ? Omit<B, 'afterOrders' | 'what'> : never) : never;

/** So often something new goes wrong. */
const ORDERS_PER_BLOW = 4;
const ORDERS_PER_KILL = 40;
const ORDERS_PER_CUT = 100;
/** From so many orders on each server is once away for so long that every patience in the system is over. */
const LONG_FROM_ORDERS = 100;
const LONG_MS = 60_000;

/** In order. Worker and API are killed, both servers away and all cut off at least once in each run, however short. */
export function stormOf(seed: number, orders: number, machineOf: (index: number) => string): Blow[] {
  const random = randomOf(seed, 'storm');
  const somewhere = () => random.int(0, orders - 1);
  const blows: [number, Blowing][] = [
    ...times(orders / ORDERS_PER_BLOW, () => [somewhere(), weather(random)]),
    ...times(orders / ORDERS_PER_KILL, () => [somewhere(), { type: 'kill', part: 'worker' }]),
    ...times(orders / ORDERS_PER_KILL, () => [somewhere(), { type: 'kill', part: 'API' }]),
    ...times(orders / ORDERS_PER_KILL, () => [somewhere(), away(random, 'Temporal')]),
    ...times(orders / ORDERS_PER_KILL, () => [somewhere(), away(random, 'PostgreSQL')]),
    ...times(orders / ORDERS_PER_CUT, () => [somewhere(), { type: 'power cut', ms: random.int(500, 4_000) }]),
    ...(orders < LONG_FROM_ORDERS ? [] : SERVERS).map((server) => [somewhere(), { type: 'away', server, ms: LONG_MS }]),
  ] as [number, Blowing][];
  for (let index = 0; index < orders; index++) {
    const mode = machineMode(random);
    if (mode) blows.push([index, { type: 'machine', machineNo: machineOf(index), mode }]);
  }
  return blows
    .toSorted(([a], [b]) => a - b)
    .map(([afterOrders, blow]) => ({ ...blow, afterOrders, what: blowInWords(blow) }) as Blow);
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: Math.max(1, Math.round(count)) }, make);

const away = (random: Random, server: ServerName): Blowing => ({ type: 'away', server, ms: random.int(1_500, 8_000) });

function weather(random: Random): Blowing {
  if (random.chance(0.15)) return { type: 'calm' };
  const provider = random.chance(0.3) ? undefined : random.pick(PROVIDERS);
  return { type: 'faults', provider, settings: faultsOf(random) };
}

/**
 * A setting stays until it is set again or all are ended (see simulator/faults.ts). Of notices that get lost, and refunds
 * that are refused, nothing else could be seen: what is to befall them ends that first.
 */
function faultsOf(random: Random): Record<string, unknown> {
  const faults = {
    drop: { drop_notices: true },
    duplicate: { drop_notices: false, duplicate_notices: random.int(1, 5) },
    delay: { drop_notices: false, delay_notices_ms: random.int(500, 8_000) },
    reorder: { drop_notices: false, reorder_notices: true },
    corrupt: { drop_notices: false, corrupt_signature: true },
    error: { error_rate: random.int(1, 7) / 10 },
    timeout: { timeout_rate: random.int(1, 6) / 10 },
    latency: { latency_ms: random.int(200, 2_500) },
    refusal: { refund_fails: true },
    slowRefunds: { refund_fails: false, refund_delay_ms: random.int(500, 8_000) },
    gap: { refund_gap_ms: random.int(500, 3_000) },
  };
  return faults[random.weighted(OFTEN)];
}

const OFTEN = {
  drop: 3,
  duplicate: 3,
  delay: 2,
  reorder: 2,
  corrupt: 1,
  error: 3,
  timeout: 3,
  latency: 2,
  refusal: 2,
  slowRefunds: 2,
  gap: 1,
};

/** Null: it works as it should. */
function machineMode(random: Random): MachineMode | null {
  const delay_ms = random.int(0, 12_000);
  const modes: Record<string, MachineMode | null> = {
    well: null,
    jams: { mode: 'jam', item: 1 },
    jamsAlways: { mode: 'jam', delay_ms },
    silent: { mode: 'silent' },
    late: { mode: 'dispense', delay_ms },
    stutters: { mode: 'dispense', reports: random.int(2, 4) },
  };
  return modes[random.weighted({ well: 55, jams: 12, jamsAlways: 6, silent: 9, late: 12, stutters: 6 })] ?? null;
}

function blowInWords(blow: Blowing): string {
  switch (blow.type) {
    case 'faults':
      return `${blow.provider ?? 'all providers'}: ${JSON.stringify(blow.settings)}`;
    case 'calm':
      return 'the providers behave';
    case 'machine':
      return `machine ${blow.machineNo}: ${JSON.stringify(blow.mode)}`;
    case 'kill':
      return `the ${blow.part} is killed`;
    case 'power cut':
      return `the power fails for ${secondsOf(blow)}`;
    case 'away':
      return `${blow.server} is away for ${secondsOf(blow)}`;
    default:
      return unreachable(blow);
  }
}

const secondsOf = ({ ms }: { ms: number }): string => `${(ms / 1000).toFixed(1)} s`;

/** Done when it is over: a server that was away is back. */
export async function strike(
  blow: Blow,
  { system, simulator }: { system: System; simulator: Simulator },
): Promise<void> {
  switch (blow.type) {
    case 'faults':
      return simulator.faults({ ...(blow.provider && { provider: blow.provider }), ...blow.settings });
    case 'calm':
      return simulator.noFaults();
    case 'machine':
      return simulator.machine(blow.machineNo, blow.mode);
    case 'kill':
      return system.parts[blow.part].kill();
    case 'power cut':
      return system.losePower(blow.ms);
    case 'away':
      return system.servers.away(blow.server, blow.ms);
    default:
      return unreachable(blow);
  }
}

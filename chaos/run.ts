/** A run from its beginning to the comparison. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Kysely } from 'kysely';
import { connectClient, temporalAt } from '../client/connection.ts';
import { connect } from '../db/connect.ts';
import type { Database } from '../db/schema.ts';
import type { Progress } from '../start/failure.ts';
import { openRunFolder, type RunFolder } from '../start/run-folder.ts';
import { compare, type Finding } from './compare.ts';
import { gather, listOrders, type Evidence } from './evidence.ts';
import { inTurns } from './in-turns.ts';
import { crashesIn, historiesOf, leaksIn, logsIn, metricsAt, secretsOf, type Secret, type Text } from './leaks.ts';
import { planOf, type Plan } from './plan.ts';
import { untilQuiet } from './quiet.ts';
import { openReceiver, type Receiver } from './receiver.ts';
import { openShop, type Shop } from './shop.ts';
import { simulatorAt, type Simulator } from './simulator.ts';
import { statementFindings } from './statements.ts';
import { stormOf, strike } from './storm.ts';
import { live, withRedirect, type Lived } from './story.ts';
import { startSystem, type System } from './system.ts';

export type ChaosOptions = { orders: number; seed: number; progress: Progress; signal: AbortSignal };

/** Everything of a run, while it is open. */
export type Chaos = {
  system: System;
  shop: Shop;
  simulator: Simulator;
  receiver: Receiver;
  db: Kysely<Database>;
  temporal: Client;
  plans: Plan[];
  /** What went wrong, in words. */
  blows: string[];
  /** What was still under way when the run was over, in words; empty: it became quiet. */
  underWay: string[];
  startedAt: number;
  /** Drives all orders through the storm, lets the world answer, and waits until all is quiet. */
  run(): Promise<void>;
  /** What everybody knows now, and what of it does not agree. May be asked again. */
  judge(): Promise<Verdict>;
  /** All that others may read of a run: logs, metrics, histories; and what must not stand there. */
  published(): Promise<{ texts: Text[]; secrets: Secret[] }>;
  /** @param keep leaves the folder with its logs until the next run */
  stop(options?: { keep: boolean }): Promise<void>;
};
export type Verdict = { evidence: Evidence; findings: Finding[] };

/** Few enough that a run of any length is stormy all along. */
const inFlight = (orders: number): number => Math.min(16, Math.ceil(orders / 5));

/** Starts the system. @throws StartError, StoppedEarly; nothing is left running then */
export async function openChaos(options: ChaosOptions): Promise<Chaos> {
  const folder = await openRunFolder('durable-orders-chaos-', options.progress);
  try {
    const { progress, signal } = options;
    const system = await startSystem({ dataDir: folder.path, progress, signal });
    return await openIn(folder, system, options).catch(async (error: unknown) => {
      await system.stop();
      throw error;
    });
  } catch (error) {
    folder.remove();
    throw error;
  }
}

async function openIn(folder: RunFolder, system: System, options: ChaosOptions): Promise<Chaos> {
  const { seed, orders, signal } = options;
  setMaxListeners(0, signal); // As many as there are calls under way.
  const temporal = await connectClient(temporalAt(system.servers.temporalAddress));
  const receiver = await openReceiver(seed);
  const db = connect(system.servers.databaseUrl, { connections: 2 });
  const shop = openShop(system.apiUrl, signal, () => system.servers.outage());
  const secrets: Secret[] = [{ what: 'the encryption key', value: system.encryptionKey }];
  const chaos: Chaos = {
    system,
    shop,
    simulator: simulatorAt(system.simulatorUrl),
    receiver,
    db,
    temporal,
    plans: Array.from({ length: orders }, (_, index) => planOf(seed, index)),
    blows: [],
    underWay: ['everything'],
    startedAt: Date.now(),
    async run() {
      secrets.push({ what: "the endpoint's secret", value: await registerEndpoint(shop, receiver) });
      await runAll(chaos, options);
    },
    judge: () => judge(chaos),
    async published() {
      const texts = [
        logsIn(folder.path),
        await metricsAt([system.apiUrl, system.workerUrl]),
        await historiesOf(temporal),
      ];
      return { texts: texts.flat(), secrets: secretsOf(folder.path, chaos.plans, await listOrders(shop), secrets) };
    },
    async stop({ keep } = { keep: false }) {
      await temporal.connection.close();
      await db.destroy();
      await Promise.all([system.stop(), receiver.stop()]);
      if (keep) folder.release();
      else folder.remove();
    },
  };
  return chaos;
}

async function registerEndpoint(shop: Shop, receiver: Receiver): Promise<string> {
  const { body } = await shop.call<{ secret: string }>('POST /v1/webhook-endpoints', { url: receiver.url });
  receiver.trust(body.secret);
  return body.secret;
}

async function runAll(chaos: Chaos, options: ChaosOptions): Promise<void> {
  const { progress, signal } = options;
  const lived = await stormyOrders(chaos, options);
  await chaos.simulator.faults({ drop_notices: false, error_rate: 0, timeout_rate: 0, duplicate_notices: 2 });
  await lateMoney(chaos, lived, progress);
  progress('The faults end: the world answers');
  await chaos.simulator.noFaults();
  for (const { machineNo } of chaos.plans) await chaos.simulator.machine(machineNo, { mode: 'dispense' });
  await chaos.system.ready();
  const plans = new Map(lived.map(({ id, plan }) => [id, plan]));
  chaos.underWay = await untilQuiet(chaos, plans, { progress, signal });
}

/** Orders begin a few at a time; after at least so many of them something goes wrong. */
async function stormyOrders(chaos: Chaos, { seed, orders, progress, signal }: ChaosOptions): Promise<Lived[]> {
  const lived: Lived[] = [];
  let begun = 0;
  let isOver = false;
  const storm = async () => {
    for (const blow of stormOf(seed, orders, (index) => chaos.plans[index]!.machineNo)) {
      while (begun < blow.afterOrders && !isOver) await sleep(20, null, { signal });
      chaos.blows.push(blow.what);
      if (blow.type !== 'machine') progress(`Order ${begun} of ${orders}: ${blow.what}`);
      await strike(blow, chaos);
    }
  };
  const work = inTurns(chaos.plans, inFlight(orders), async (plan) => {
    begun += 1;
    const one = await live(chaos, plan);
    if (one) lived.push(one);
  }).finally(() => (isOver = true));
  await Promise.all([work, storm()]);
  return lived;
}

/** Attempts that nobody counts on any more are paid after all, while the worker is killed once more. */
async function lateMoney(chaos: Chaos, lived: readonly Lived[], progress: Progress): Promise<void> {
  const late = lived.flatMap((one) => one.late);
  progress(`Late money comes through for ${late.length} attempts, and the worker is killed`);
  chaos.system.parts.worker.kill();
  for (const payment of late)
    await chaos.simulator.buyer(payment.out_trade_no, withRedirect(payment, { action: 'pay', force: true }));
}

async function judge(chaos: Chaos): Promise<Verdict> {
  const evidence = await gather(chaos);
  const created = chaos.plans.map(({ order }) => order.merchant_order_no);
  const findings = [...compare(evidence, created), ...(await statementFindings(chaos)), ...improperIn(chaos)];
  if (chaos.underWay.length === 0) return { evidence, findings };
  const what = `it did not get quiet: ${chaos.underWay.join(', ')}`;
  return { evidence, findings: [{ kind: 'not at rest', order: null, what }, ...findings] };
}

function improperIn({ shop, receiver, system }: Chaos): Finding[] {
  const crashed = crashesIn(logsIn(system.dataDir)).map((where) => `a process crashed: see ${where}`);
  const ended = Object.values(system.parts).flatMap(({ endedWrongly }) => endedWrongly);
  return [...shop.calls.improper, ...receiver.improper, ...crashed, ...ended].map((what) => ({
    kind: 'improper answer',
    order: null,
    what,
  }));
}

/** As a finding of its own kind. */
export const leakFindings = ({ texts, secrets }: { texts: Text[]; secrets: Secret[] }): Finding[] =>
  leaksIn(texts, secrets).map((what) => ({ kind: 'something leaked', order: null, what }));

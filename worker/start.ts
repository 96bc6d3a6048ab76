import type { Client } from '@temporalio/client';
import type { WorkflowBundle } from '@temporalio/worker';
import { AccountMissing } from '../activities/failure.ts';
import { createActivities, type Deps } from '../activities/index.ts';
import { temporalGateway } from '../client/gateway.ts';
import { temporalNotifiers } from '../client/notifiers.ts';
import { connectNative, type TemporalTarget } from '../client/connection.ts';
import type { FindMachines } from '../devices/gateways.ts';
import type { FindProvider } from '../providers/accounts.ts';
import { bundleWorkflows } from './bundle.ts';
import { deploymentOf, makeCurrent } from './deployment.ts';
import { runWorker, type RunningWorker } from './run.ts';
import { ensureReconciliation, ensureRelay, ensureRollUp } from './schedule.ts';

export type WorkerDeps = Pick<Deps, 'db' | 'now' | 'log' | 'sealer' | 'allowLoopback'> & {
  client: Client;
  temporal: TemporalTarget;
  findProvider: FindProvider;
  findMachines: FindMachines;
  /** How providers and machines reach the API; without a slash at the end. */
  publicUrl: string;
  taskQueue?: string;
  bundle?: WorkflowBundle;
  cachedOrders?: number;
};

/** Connects and runs a worker for all orders, and sees to it that relay, roll-up and reconciliation are scheduled. */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { db, now, log, sealer, allowLoopback, client, temporal, taskQueue, cachedOrders } = deps;
  const { findProvider, findMachines, publicUrl } = deps;
  const connection = await connectNative(temporal);
  const activities = createActivities({
    db,
    sealer,
    now,
    log,
    allowLoopback,
    gateway: temporalGateway(client, now, taskQueue),
    notifiers: temporalNotifiers(client, taskQueue),
    notifyUrl: (from, merchant) => `${publicUrl}/webhooks/${from}/${merchant}`,
    formUrl: (provider, merchant) => `${publicUrl}/forms/${provider}/${merchant}`,
    landingUrl: (buyer) => `${publicUrl}/back/${buyer}`,
    returnUrl: (order) => `${publicUrl}/pay/${order}`,
    async provider(merchant, name) {
      const provider = await findProvider(merchant, name);
      if (!provider) throw new AccountMissing(`merchant ${merchant} has no account at ${name}`);
      return provider;
    },
    async machines(merchant) {
      const machines = await findMachines(merchant);
      if (!machines) throw new Error(`merchant ${merchant} has no machine gateway: see machine_gateways`);
      return machines;
    },
  });
  const bundle = deps.bundle ?? (await bundleWorkflows());
  const deployment = deploymentOf(bundle, taskQueue);
  const { namespace } = temporal;
  const worker = await runWorker({
    connection,
    namespace,
    activities,
    bundle,
    deployment,
    ...(taskQueue && { taskQueue }),
    ...(cachedOrders !== undefined && { cachedOrders }),
  });
  await makeCurrent(client, deployment);
  await ensureRelay(client, taskQueue);
  await ensureReconciliation(client, taskQueue);
  await ensureRollUp(client, taskQueue);
  let stopped: Promise<void> | undefined;
  return {
    failed: worker.failed,
    isRunning: () => worker.isRunning(),
    stop: () => (stopped ??= worker.stop().then(() => connection.close())),
  };
}

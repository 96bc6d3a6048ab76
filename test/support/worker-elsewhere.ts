import type { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { createActivities, type Deps } from '../../activities/index.ts';
import { runWorker, type RunningWorker } from '../../worker/run.ts';
import type { System } from './system.ts';

const NOWHERE = () => 'http://127.0.0.1:9/';

/** A worker of this system at another Temporal server, perhaps one whose clock is moved on. @param others what differs */
export const runWorkerAt = (
  connection: NativeConnection,
  system: System,
  taskQueue: string,
  others: Partial<Deps> = {},
): Promise<RunningWorker> =>
  runWorker({
    connection,
    namespace: 'default',
    taskQueue,
    bundle: system.bundle,
    deployment: null,
    activities: createActivities({
      db: system.db,
      sealer: system.sealer,
      gateway: system.gateway,
      notifiers: system.notifiers,
      allowLoopback: true,
      now: Date.now,
      log: pino({ level: 'silent' }),
      notifyUrl: NOWHERE,
      formUrl: NOWHERE,
      landingUrl: NOWHERE,
      returnUrl: NOWHERE,
      provider: async (merchant, name) => (await system.findProvider(merchant, name))!,
      machines: async (merchant) => (await system.findMachines(merchant))!,
      ...others,
    }),
  });

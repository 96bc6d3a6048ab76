/**
 * A worker that dies by kill -9 right after its n-th save is committed and before its workflow task ends.
 * Arguments: Temporal address, database URL, task queue, the bundled workflows' file, which save is its last (0: none), how long each save and each
 * reading of a notice takes (milliseconds; none: as long as it takes).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { createActivities } from '../../activities/index.ts';
import { connectClient, connectNative, temporalAt } from '../../client/connection.ts';
import { temporalGateway } from '../../client/gateway.ts';
import { temporalNotifiers } from '../../client/notifiers.ts';
import { connect } from '../../db/connect.ts';
import { findProviderAccount } from '../../db/merchants.ts';
import { findMachineGateway } from '../../db/machines.ts';
import type { Save } from '../../db/save.ts';
import { machineGateways } from '../../devices/gateways.ts';
import { providerAccounts } from '../../providers/accounts.ts';
import { deploymentOf, makeCurrent } from '../../worker/deployment.ts';
import { runWorker } from '../../worker/run.ts';
import { readBundle } from './bundle.ts';
import { SEALER } from './sealer.ts';

type Arguments = [address: string, database: string, taskQueue: string, bundle: string, last: string, slowMs?: string];
const [address, databaseUrl, taskQueue, bundleFile, last, slowMs = '0'] = process.argv.slice(2) as Arguments;
const slowly = () => sleep(Number(slowMs));
const db = connect(databaseUrl);
const temporal = temporalAt(address);
const findProvider = providerAccounts((merchant, name) => findProviderAccount(db, merchant, name), process.env);
const findMachines = machineGateways((merchant) => findMachineGateway(db, merchant), process.env);
const client = await connectClient(temporal);
const activities = createActivities({
  db,
  now: Date.now,
  log: pino({ level: 'silent' }),
  gateway: temporalGateway(client, Date.now, taskQueue),
  notifiers: temporalNotifiers(client, taskQueue),
  sealer: SEALER,
  allowLoopback: true,
  notifyUrl: () => 'http://127.0.0.1:9/',
  formUrl: () => 'http://127.0.0.1:9/',
  landingUrl: () => 'http://127.0.0.1:9/',
  returnUrl: () => 'http://127.0.0.1:9/',
  provider: async (merchant, name) => (await findProvider(merchant, name))!,
  machines: async (merchant) => (await findMachines(merchant))!,
});
const bundle = readBundle(bundleFile);
let saves = 0;
await runWorker({
  connection: await connectNative(temporal),
  namespace: temporal.namespace,
  taskQueue,
  bundle,
  deployment: deploymentOf(bundle, taskQueue),
  activities: {
    ...activities,
    async readNotice(named: Parameters<typeof activities.readNotice>[0]) {
      await slowly();
      return activities.readNotice(named);
    },
    async saveOrder(work: Save) {
      await slowly();
      const outcome = await activities.saveOrder(work);
      if (++saves === Number(last)) process.kill(process.pid, 'SIGKILL');
      return outcome;
    },
  },
});
await makeCurrent(client, deploymentOf(bundle, taskQueue));
console.log('ready');

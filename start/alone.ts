/** A part that is started alone, as in production: it brings nothing with it and seeds nothing. */
import { connect } from '../db/connect.ts';
import { isMigrated } from '../db/migrate.ts';
import { readPartConfig, type PartConfig } from './config.ts';
import { messageOf, StartError } from './failure.ts';
import { createLog } from './log.ts';
import { ProcessMetrics } from './metrics.ts';
import type { Running, Surroundings } from './parts.ts';
import { checkPorts, type PortUse } from './ports.ts';
import { checkTemporal, readTemporalTarget } from './temporal-target.ts';
import { startTracing } from './tracing.ts';

type Part = {
  start: (around: Surroundings) => Promise<Running>;
  /** Where it listens. */
  port: (config: PartConfig) => Omit<PortUse, 'host'>;
};

/** Runs the part until SIGINT or SIGTERM. What can't be used is said in one message, before anything is started. */
export async function runAlone({ start, port }: Part): Promise<void> {
  try {
    const config = readPartConfig(process.env);
    await checkPorts([{ ...port(config), host: config.host }]);
    const around = await surroundings(config);
    const endTracing = await startTracing(process.env, around.log);
    const part = await start(around);
    const running = { ...part, stop: () => part.stop().finally(endTracing) };
    around.log.info('started');
    running.failed?.catch((error: unknown) => {
      around.log.fatal({ err: error }, 'ended by itself');
      process.exitCode = 1;
      void running.stop().finally(() => process.exit());
    });
    stopOnSignal(running, around);
  } catch (error) {
    console.error(error instanceof StartError ? error.message : error);
    process.exitCode = 1;
  }
}

async function surroundings(config: PartConfig): Promise<Surroundings> {
  const temporal = readTemporalTarget(process.env);
  await checkTemporal(temporal);
  await checkDatabase(config.databaseUrl);
  return {
    config,
    databaseUrl: config.databaseUrl,
    ownsDatabase: false,
    temporal,
    temporalUiUrl: config.temporalUiUrl,
    keys: config.encryptionKeys,
    log: createLog(config.logLevel),
    metrics: new ProcessMetrics(),
    workerPort: config.workerPort,
  };
}

async function checkDatabase(url: string): Promise<void> {
  const db = connect(url, { connections: 1 });
  try {
    const migrated = await isMigrated(db).catch((error: unknown) => {
      throw new StartError(`The database in DATABASE_URL can't be used: ${messageOf(error)}`);
    });
    if (!migrated)
      throw new StartError('The database in DATABASE_URL is not up to date: run `npm run orders -- migrate`.');
  } finally {
    await db.destroy();
  }
}

function stopOnSignal(running: Running, { log }: Surroundings): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      void running.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'did not stop well');
          process.exit(1);
        },
      );
    });
  }
}

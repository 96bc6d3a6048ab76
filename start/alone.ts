/** A part that is started alone, as in production: it brings nothing with it and seeds nothing. */
import { connect } from '../db/connect.ts';
import { isMigrated } from '../db/migrate.ts';
import { readPartConfig } from './config.ts';
import { messageOf, StartError } from './failure.ts';
import { createLog } from './log.ts';
import type { Running, Surroundings } from './parts.ts';
import { checkTemporal, readTemporalTarget } from './temporal-target.ts';

/** Runs the part until SIGINT or SIGTERM. What can't be used is said in one message, before anything is started. */
export async function runAlone(start: (around: Surroundings) => Promise<Running>): Promise<void> {
  try {
    const around = await surroundings();
    const running = await start(around);
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

async function surroundings(): Promise<Surroundings> {
  const config = readPartConfig(process.env);
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

/** How `npm start` starts our own parts. The wiring is here and nowhere else. */
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import type { Config, EncryptionKeys } from './config.ts';
import type { Progress } from './failure.ts';
import type { Log } from './log.ts';
import type { TemporalTarget } from './temporal-target.ts';

/** What the parts find when they start. */
export type Surroundings = {
  config: Config;
  databaseUrl: string;
  /** Whether we made the database ourselves: only then it is seeded. */
  ownsDatabase: boolean;
  temporal: TemporalTarget;
  /** Where people see their orders in Temporal; null when nobody said. */
  temporalUiUrl: string | null;
  keys: EncryptionKeys;
  log: Log;
};

export type Running = { stop(): Promise<void> };

export type Parts = {
  /** Migrations; then the demo data, if the database is ours. May run again over what a start that was cut short did. */
  prepareDatabase: (around: Surroundings, progress: Progress) => Promise<void>;
  simulator: StartPart;
  worker: StartPart;
  api: StartPart;
};

/** Returns once the part answers. */
type StartPart = (around: Surroundings) => Promise<Running>;

export const parts: Parts = { prepareDatabase, simulator: notYet, worker: notYet, api: notYet };

async function prepareDatabase({ databaseUrl, ownsDatabase }: Surroundings, progress: Progress): Promise<void> {
  const db = connect(databaseUrl, { connections: 1 });
  try {
    progress('Migrating the database');
    await migrate(db);
    if (ownsDatabase) progress('Seeding the demo merchant'); // TODO(lead): await seed(db, config, keys)
  } finally {
    await db.destroy();
  }
}

/** TODO(lead): replace by startSimulator, runWorker, runApi. */
function notYet(): Promise<Running> {
  return Promise.resolve({ stop: () => Promise.resolve() });
}

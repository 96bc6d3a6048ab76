import { Migrator, type Kysely, type Migration } from 'kysely';
import * as initial from './migrations/0001-initial.ts';
import * as buyers from './migrations/0002-buyers.ts';
import * as notifications from './migrations/0003-notifications.ts';
import * as delivery from './migrations/0004-delivery.ts';
import * as pages from './migrations/0005-pages.ts';
import * as applications from './migrations/0006-applications.ts';
import * as reconciliation from './migrations/0008-reconciliation.ts';
import * as courses from './migrations/0009-courses.ts';
import * as doubts from './migrations/0010-doubts.ts';
import * as albumsCounted from './migrations/0011-albums-counted.ts';
import * as sharedAccounts from './migrations/0012-shared-accounts.ts';
import * as deliveryTimes from './migrations/0013-delivery-times.ts';
import * as settled from './migrations/0014-settled.ts';
import * as unproven from './migrations/0015-unproven.ts';
import * as unprovenWishes from './migrations/0016-unproven-wishes.ts';
import type { Database } from './schema.ts';

const MIGRATIONS: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-buyers': buyers,
  '0003-notifications': notifications,
  '0004-delivery': delivery,
  '0005-pages': pages,
  '0006-applications': applications,
  '0008-reconciliation': reconciliation,
  '0009-courses': courses,
  '0010-doubts': doubts,
  '0011-albums-counted': albumsCounted,
  '0012-shared-accounts': sharedAccounts,
  '0013-delivery-times': deliveryTimes,
  '0014-settled': settled,
  '0015-unproven': unproven,
  '0016-unproven-wishes': unprovenWishes,
};

/** Brings the database to the newest schema; several at once wait for each other. @throws what the database said */
export async function migrate(db: Kysely<Database>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** Whether every migration has run. */
export async function isMigrated(db: Kysely<Database>): Promise<boolean> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
  return (await migrator.getMigrations()).every(({ executedAt }) => executedAt !== undefined);
}

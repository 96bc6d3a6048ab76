import { Connection, type ConnectionOptions } from '@temporalio/client';
import type { Command } from 'commander';
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import { messageOf, StartError } from '../start/failure.ts';
import { howToRegister, missingSearchAttributes, registerSearchAttributes } from '../start/search-attributes.ts';
import { addressOf, readTemporalTarget } from '../start/temporal-target.ts';
import { databaseUrl } from './database.ts';
import type { Answer } from './output.ts';
import type { Answering } from './program.ts';

/** `migrate` and `temporal setup`: before the parts are started. */
export function setUpCommands(parent: Command, answering: Answering): void {
  parent
    .command('migrate')
    .description('brings the database in DATABASE_URL to the newest schema')
    .action(answering(migrateDatabase));
  parent
    .command('temporal')
    .description('what a Temporal namespace needs before it can be used')
    .command('setup')
    .description('registers the search attributes in the namespace that the TEMPORAL_… variables name')
    .action(answering(setUpTemporal));
}

async function migrateDatabase(): Promise<Answer> {
  const db = connect(databaseUrl(), { connections: 1 });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
  return { text: 'The database has the newest schema.', data: { migrated: true } };
}

async function setUpTemporal(): Promise<Answer> {
  const { connection: options, namespace } = readTemporalTarget(process.env);
  const connection = await Connection.connect(options as ConnectionOptions);
  try {
    const registered = await registerSearchAttributes(connection, namespace).catch(async (error: unknown) => {
      const missing = await missingSearchAttributes(connection, namespace);
      const lines = howToRegister(missing, namespace, addressOf(options)).map((line) => `  ${line}`);
      throw new StartError([`They can't be registered from here (${messageOf(error)}). Instead:`, ...lines].join('\n'));
    });
    const text = registered.length > 0 ? `Registered ${registered.join(', ')}.` : 'All search attributes are there.';
    return { text, data: { registered } };
  } finally {
    await connection.close();
  }
}

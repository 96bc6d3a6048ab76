/** `npm run orders -- …`: what people who operate it do by hand. */
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import { ConfigError, readConfig } from '../start/config.ts';
import { StartError } from '../start/failure.ts';
import { registerSearchAttributes } from '../start/search-attributes.ts';
import { readTemporalTarget } from '../start/temporal-target.ts';

const HELP = `Usage: npm run orders -- <command>

  migrate          brings the database in DATABASE_URL to the newest schema
  temporal setup   registers the search attributes in the namespace that the TEMPORAL_… variables name
`;

async function migrateDatabase(): Promise<string> {
  const { databaseUrl } = readConfig(process.env);
  if (databaseUrl === null) throw new ConfigError('DATABASE_URL is not set: it names the database to migrate.');
  const db = connect(databaseUrl, { connections: 1 });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
  return 'The database has the newest schema.';
}

async function setUpTemporal(): Promise<string> {
  const { connection: options, namespace } = readTemporalTarget(process.env);
  const connection = await Connection.connect(options as ConnectionOptions);
  try {
    const registered = await registerSearchAttributes(connection, namespace);
    return registered.length > 0 ? `Registered ${registered.join(', ')}.` : 'All search attributes are there.';
  } finally {
    await connection.close();
  }
}

const COMMANDS: Record<string, () => Promise<string>> = { migrate: migrateDatabase, 'temporal setup': setUpTemporal };

const wanted = process.argv.slice(2).join(' ');
const command = COMMANDS[wanted];
if (!command) {
  const isHelp = wanted === '' || wanted === 'help' || wanted === '--help';
  if (!isHelp) console.error(`There is no command "${wanted}".\n`);
  console.log(HELP);
  process.exitCode = isHelp ? 0 : 2;
} else {
  try {
    console.log(await command());
  } catch (error) {
    console.error(error instanceof StartError ? error.message : error);
    process.exitCode = 1;
  }
}

import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './schema.ts';

const INT8 = 20;
const DATE = 1082;
/** Our int8 columns hold amounts and counts below 2^53; a day is no moment, and stays the text that it is. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, Number],
  [DATE, (text) => text],
]);
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    PARSERS.get(oid) ?? pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

export type ConnectOptions = {
  /** Connections at most. */
  connections?: number;
  /**
   * A statement is given up after so long, here and in the database: one that was given up must not be carried out
   * later, over what came after it. If not given, never.
   */
  statementMs?: number;
  /** So long a connection is waited for: a new one, or until one is free. */
  connectionMs?: number;
  /** Told about each statement; for benchmarks and metrics. */
  onQuery?: (text: string, durationMs: number) => void;
};

/** For whoever has a client waiting: also with a database that is silent, the answer is there within two seconds. */
export const FOR_WAITING_CLIENTS = { statementMs: 1_000, connectionMs: 900 } as const satisfies ConnectOptions;

/** A pool of connections. A database that is away is noticed within two seconds. */
export function connect(
  url: string,
  { connections = 10, statementMs, connectionMs = 1_500, onQuery }: ConnectOptions = {},
): Kysely<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: connectionMs,
    types,
    keepAlive: true,
    ...(statementMs !== undefined && { query_timeout: statementMs, statement_timeout: statementMs }),
  });
  // An idle connection that breaks is replaced by the next query; without a listener it would end the process.
  pool.on('error', () => {});
  // So would one that breaks in somebody's hands, between two statements: the next statement tells them.
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    ...(onQuery && { log: (event) => onQuery(event.query.sql, event.queryDurationMillis) }),
  });
}

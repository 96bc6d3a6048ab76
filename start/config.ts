/** The environment, read once and checked; every complaint names its variable. Nothing else reads the environment. */
import { resolve } from 'node:path';
import { StartError } from './failure.ts';

/** A variable that can't be used. */
export class ConfigError extends StartError {
  override name = 'ConfigError';
}

/** AES-256: `key` has 32 bytes. `id` is stored with each value that the key encrypted. */
export type EncryptionKey = { id: string; key: Buffer };

export type LogLevel = (typeof LOG_LEVELS)[number];

export type Config = {
  /** The address that the API listens on. The simulator listens on 127.0.0.1, always. */
  host: string;
  port: number;
  /** How the outside sees the API; without a slash at the end. */
  publicUrl: string;
  simulatorPort: number;
  /** Of a worker that is started alone: its health and metrics. */
  workerPort: number;
  /** Of the embedded Temporal. */
  temporalPort: number;
  temporalUiPort: number;
  /** Whether Temporal's own environment configuration names a server; we start none then. */
  hasTemporal: boolean;
  /** How people reach the UI of that server; null when nobody said. */
  temporalUiUrl: string | null;
  /** Null: we start a PostgreSQL. A secret, as it may hold a password. */
  databaseUrl: string | null;
  /** Absolute. */
  dataDir: string;
  /** The first one encrypts. Null: the embedded mode makes one, see keys.ts. */
  encryptionKeys: EncryptionKeys | null;
  logLevel: LogLevel;
  /** What course clients sign a payment's result with. Null: no signature counts. */
  courseNotifySecret: string | null;
  /** What one caller may ask of an API that is started alone. */
  requestsPerMinute: number;
};

export type EncryptionKeys = readonly [EncryptionKey, ...EncryptionKey[]];

/** What the API and the worker need when they are started alone. */
export type PartConfig = Config & { databaseUrl: string; encryptionKeys: EncryptionKeys };

export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const KEY_BYTES = 32;

/**
 * The configuration of `npm start`, and of the simulator alone.
 * @throws ConfigError that names the variable, its value unless that is secret, and the rule.
 */
export function readConfig(env: Environment): Config {
  return read(env, '127.0.0.1');
}

/**
 * The configuration of an API or a worker that is started alone: it brings no database and makes no keys.
 * @throws ConfigError, as `readConfig`.
 */
export function readPartConfig(env: Environment): PartConfig {
  const { databaseUrl, encryptionKeys, ...rest } = read(env, '0.0.0.0');
  if (databaseUrl === null) throw missing('DATABASE_URL', 'the PostgreSQL that all parts share');
  if (encryptionKeys === null) throw missing('ENCRYPTION_KEYS', `the keys that all parts share, ${KEYS_RULE}`);
  return { ...rest, databaseUrl, encryptionKeys };
}

function read(env: Environment, defaultHost: string): Config {
  const port = readPort(env, 'PORT', 3000);
  const config: Config = {
    host: readHost(env, defaultHost),
    port,
    publicUrl: readUrl(env, 'PUBLIC_URL') ?? `http://localhost:${port}`,
    simulatorPort: readPort(env, 'SIMULATOR_PORT', 3100),
    workerPort: readPort(env, 'WORKER_PORT', 3001),
    temporalPort: readPort(env, 'TEMPORAL_PORT', 7233),
    temporalUiPort: readPort(env, 'TEMPORAL_UI_PORT', 8233),
    hasTemporal: namesTemporal(env),
    temporalUiUrl: readUrl(env, 'TEMPORAL_UI_URL'),
    databaseUrl: readDatabaseUrl(env),
    dataDir: resolve(valueOf(env, 'DATA_DIR') ?? '.data'),
    encryptionKeys: readKeys(env),
    logLevel: readLogLevel(env),
    courseNotifySecret: readCourseSecret(env),
    requestsPerMinute: readRate(env),
  };
  checkDistinct(portsOf(config));
  return config;
}

/** The ports that this configuration listens on when everything is started, by their variables. */
export function portsOf(config: Config): { variable: string; port: number }[] {
  const own = [
    { variable: 'PORT', port: config.port },
    { variable: 'SIMULATOR_PORT', port: config.simulatorPort },
  ];
  if (config.hasTemporal) return own;
  return [
    ...own,
    { variable: 'TEMPORAL_PORT', port: config.temporalPort },
    { variable: 'TEMPORAL_UI_PORT', port: config.temporalUiPort },
  ];
}

/**
 * `id:base64[,id:base64…]`, as in ENCRYPTION_KEYS.
 * @param source what to call it in a complaint: the variable, or the file.
 * @throws ConfigError; it shows ids, never keys.
 */
export function parseKeys(source: string, text: string): EncryptionKeys {
  const [first, ...others] = text.split(',').map((entry, index) => parseKey(source, entry.trim(), index + 1));
  if (!first) throw new ConfigError(`${source} is empty: it must be ${KEYS_RULE}.`);
  const ids = [first, ...others].map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new ConfigError(`${source} has two keys with the id "${twice}": ids must differ.`);
  return [first, ...others];
}

const KEYS_RULE = 'id:base64[,id:base64…], 32 bytes each, the first one encrypts';

function parseKey(source: string, entry: string, position: number): EncryptionKey {
  const [id = '', base64 = '', ...rest] = entry.split(':');
  const key = Buffer.from(base64, 'base64');
  const isWhole = /^[A-Za-z0-9_-]{1,32}$/.test(id) && rest.length === 0 && key.length === KEY_BYTES;
  if (isWhole && key.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')) return { id, key };
  throw new ConfigError(
    `${source}: key number ${position} can't be used (its value is secret and not shown): it must be ${KEYS_RULE}; ` +
      'an id has 1 to 32 of A-Z, a-z, 0-9, _ and -. A new one: echo "k1:$(openssl rand -base64 32)"',
  );
}

function readKeys(env: Environment): EncryptionKeys | null {
  const text = valueOf(env, 'ENCRYPTION_KEYS');
  return text === null ? null : parseKeys('ENCRYPTION_KEYS', text);
}

/** An empty variable is an unset one: compose files can't leave one out. */
function valueOf(env: Environment, variable: string): string | null {
  return env[variable]?.trim() || null;
}

function readPort(env: Environment, variable: string, standard: number): number {
  const text = valueOf(env, variable);
  if (text === null) return standard;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid(variable, text, 'a port is a whole number from 1 to 65535');
  return port;
}

const SHORTEST_SECRET = 16;

function readCourseSecret(env: Environment): string | null {
  const secret = valueOf(env, 'COURSE_NOTIFY_SECRET');
  if (secret !== null && secret.length < SHORTEST_SECRET)
    throw new ConfigError(
      `COURSE_NOTIFY_SECRET can't be used (its value is secret and not shown): it must have at least ${SHORTEST_SECRET} characters.`,
    );
  return secret;
}

function readRate(env: Environment): number {
  const text = valueOf(env, 'REQUESTS_PER_MINUTE') ?? '1200';
  const rate = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (rate < 1) throw invalid('REQUESTS_PER_MINUTE', text, 'it must be a whole number of at least 1');
  return rate;
}

function checkDistinct(ports: readonly { variable: string; port: number }[]): void {
  for (const [index, { variable, port }] of ports.entries()) {
    const other = ports.slice(0, index).find((one) => one.port === port);
    if (other) throw invalid(variable, String(port), `${other.variable} is ${port} too, and each needs its own port`);
  }
}

function readHost(env: Environment, standard: string): string {
  const host = valueOf(env, 'HOST') ?? standard;
  const rule = 'an address of this machine without a port, as 127.0.0.1 or 0.0.0.0';
  if (!/^[A-Za-z0-9._-]+$|^[0-9a-fA-F:.]+$/.test(host) || /^[^:]*:\d*$/.test(host)) throw invalid('HOST', host, rule);
  return host;
}

function readUrl(env: Environment, variable: string): string | null {
  const text = valueOf(env, variable);
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password;
  if (!isPlain) throw invalid(variable, text, 'an http or https address, as https://shop.example.com, without ? or #');
  return text.replace(/\/+$/, '');
}

function readDatabaseUrl(env: Environment): string | null {
  const text = valueOf(env, 'DATABASE_URL');
  if (text === null) return null;
  if (/^postgres(ql)?:/.test(text) && URL.canParse(text)) return text;
  throw new ConfigError(
    "DATABASE_URL can't be used (its value is secret and not shown): it must be postgres://user:password@host:port/database.",
  );
}

function readLogLevel(env: Environment): LogLevel {
  const text = valueOf(env, 'LOG_LEVEL') ?? 'info';
  const level = LOG_LEVELS.find((one) => one === text);
  if (!level) throw invalid('LOG_LEVEL', text, `one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

/** Credentials without a server would be ignored in silence, and an embedded server used instead. */
function namesTemporal(env: Environment): boolean {
  const names = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'];
  if (names.some((name) => valueOf(env, name) !== null)) return true;
  const stray = ['TEMPORAL_API_KEY', 'TEMPORAL_NAMESPACE'].find((name) => valueOf(env, name) !== null);
  if (stray) throw new ConfigError(`${stray} is set, but TEMPORAL_ADDRESS is not: set both, or neither.`);
  return false;
}

function invalid(variable: string, value: string, rule: string): ConfigError {
  return new ConfigError(`${variable} is "${value}": ${rule}.`);
}

function missing(variable: string, what: string): ConfigError {
  return new ConfigError(`${variable} is not set: a part that is started alone needs it (${what}).`);
}

/** Logs: JSON lines, without secrets. To a file in the embedded mode, to standard output elsewhere. */
import pino, { type DestinationStream, type LoggerOptions } from 'pino';
import type { LogLevel } from './config.ts';
import { openLogFile } from './log-file.ts';

export type Log = pino.Logger;

/** Logged objects may hold headers or configuration; these fields of theirs never appear, up to two levels down. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'token',
  'apiKey',
  'api_key',
  'x-api-key',
  'databaseUrl',
  'encryptionKeys',
  'privateKey',
  'private_key',
];

const REPEAT_AFTER_MS = 60_000;
const MAX_GISTS = 200;

/** For a part that is started alone: to standard output. */
export function createLog(level: LogLevel, destination: DestinationStream = pino.destination(1)): Log {
  return pino(optionsFor(level), destination);
}

/** For the embedded mode: to a file that only its owner reads; the gist of errors is told to the person as well. */
export function createFileLog(level: LogLevel, path: string, tell: (text: string) => void): Log {
  const file = pino.destination({ dest: openLogFile(path).fd, sync: true });
  const gist = { write: createGist(tell) };
  const streams = pino.multistream([
    { level: level === 'silent' ? 'fatal' : level, stream: file },
    { level: 'error', stream: gist },
  ]);
  return pino(optionsFor(level), streams);
}

function optionsFor(level: LogLevel): LoggerOptions {
  return {
    level,
    base: null, // One machine, one process: nothing worth repeating on each line.
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: unknown) => described(error, new Set()) },
    redact: { paths: SECRET_FIELDS.flatMap(everywhere), censor: '[redacted]' },
  };
}

/** A line tells of so many errors in full. */
const MOST_ERRORS = 20;

/**
 * What is told of an error, and of those behind it: a refused connection has one for each address. Nothing else: a
 * database's also carries the values of the row that it is about. Causes may go round in a circle, or on and on.
 * @param told in full before, on the same line: of these, and of those that are too many, only what they say
 */
function described(error: unknown, told: Set<Error>): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error };
  const { name: type, message, stack, cause } = error;
  if (told.has(error) || told.size >= MOST_ERRORS) return { type, message };
  told.add(error);
  const { code } = error as { code?: unknown };
  return {
    type,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(cause ? { cause: described(cause, told) } : {}),
    ...(error instanceof AggregateError && { errors: error.errors.map((each) => described(each, told)) }),
  };
}

function everywhere(field: string): string[] {
  return [`["${field}"]`, `*["${field}"]`, `*.*["${field}"]`];
}

/** One line for each error; the same again only after a minute, so that a storm leaves the terminal readable. */
function createGist(tell: (text: string) => void): (line: string) => void {
  const toldAt = new Map<string, number>();
  return (line) => {
    const { msg = '', err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    const text = [msg, err?.message].filter((part, index, all) => part && all.indexOf(part) === index).join(': ');
    if (Date.now() - (toldAt.get(text) ?? 0) < REPEAT_AFTER_MS) return;
    if (toldAt.size >= MAX_GISTS) toldAt.clear();
    toldAt.set(text, Date.now());
    tell(`Error: ${text}`);
  };
}

/** Whether anything that is nobody else's business got into logs, metrics or histories. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { OrderBody } from '../api/schemas.ts';
import { DEMO } from '../start/seed.ts';
import { inTurns } from './in-turns.ts';
import type { Plan } from './plan.ts';

/** `value` must be found nowhere; `what` says what it is, without saying it. */
export type Secret = { what: string; value: string };
/** Text that others may read, and where it is. */
export type Text = { where: string; text: string };

/** All personal data and keys of a run. */
export function secretsOf(
  dataDir: string,
  plans: readonly Plan[],
  orders: readonly OrderBody[],
  more: Secret[],
): Secret[] {
  return [
    { what: "the merchant's API key", value: DEMO.apiKey },
    { what: "the operator's key", value: DEMO.operatorKey },
    { what: "the database's password", value: readFileSync(join(dataDir, 'postgres.password'), 'utf8').trim() },
    ...more,
    ...plans.flatMap(personalIn),
    ...orders.flatMap(tokensIn),
    ...keysIn(join(dataDir, 'secrets')),
  ];
}

function personalIn({ person: { delivery, customer, payerId, clientIp }, attempts, index }: Plan): Secret[] {
  const named = { ...delivery, customer: customer.id, email: customer.email, payerId, clientIp };
  const codes = attempts.map(({ authCode }): [string, string] => ['bar code', authCode]);
  return [...Object.entries(named), ...codes].map(([what, value]) => ({ what: `${what} of buyer ${index}`, value }));
}

function tokensIn({ id, checkout_url: checkout, pickup_code: code }: OrderBody): Secret[] {
  const token = checkout === null ? null : new URL(checkout).searchParams.get('token');
  return [
    ...(token === null ? [] : [{ what: `checkout token of ${id}`, value: token }]),
    ...(code === null ? [] : [{ what: `pick-up code of ${id}`, value: code }]),
  ];
}

/** Of a private key any line gives it away; a certificate is public. */
function keysIn(folder: string): Secret[] {
  return readdirSync(folder)
    .filter((name) => !/certificate|simulator\.json/.test(name))
    .flatMap((name) => {
      const lines = readFileSync(join(folder, name), 'utf8').split('\n');
      return lines
        .filter((line) => line.length >= 24 && !line.startsWith('-----'))
        .map((value) => ({ what: name, value }));
    });
}

export function logsIn(dataDir: string): Text[] {
  const folder = join(dataDir, 'logs');
  return readdirSync(folder).map((name) => ({ where: `logs/${name}`, text: readFileSync(join(folder, name), 'utf8') }));
}

/** What Node says last of a process that something nobody caught has ended. */
const CRASH = /^Node\.js v\d/m;

/** @returns the logs of processes that crashed */
export const crashesIn = (logs: readonly Text[]): string[] =>
  logs.filter(({ text }) => CRASH.test(text)).map(({ where }) => where);

export async function metricsAt(urls: readonly string[]): Promise<Text[]> {
  return Promise.all(
    urls.map(async (url) => ({ where: `${url}/metrics`, text: await (await fetch(`${url}/metrics`)).text() })),
  );
}

const AT_ONCE = 8;

/** Every workflow's whole history, orders' and others', as anybody with Temporal's UI can read it. */
export async function historiesOf(temporal: Client): Promise<Text[]> {
  const runs: { workflowId: string; runId: string }[] = [];
  for await (const { workflowId, runId } of temporal.workflow.list()) runs.push({ workflowId, runId });
  return inTurns(runs, AT_ONCE, async ({ workflowId, runId }) => {
    const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    return { where: `history of ${workflowId}`, text: textsIn(history).join('\n') };
  });
}

/** All that anybody can read in a history; payloads are bytes. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}

const GRAM = 6;

/** @returns where a secret stands, as it is or as others write it, each once; its value is not repeated */
export function leaksIn(texts: readonly Text[], secrets: readonly Secret[]): string[] {
  const byGram = new Map<string, Secret[]>();
  for (const { what, value } of secrets) {
    if (value.length < GRAM) throw new Error(`${what} is too short to be searched for`);
    for (const written of writingsOf(value)) {
      const gram = written.slice(0, GRAM);
      byGram.set(gram, [...(byGram.get(gram) ?? []), { what, value: written }]);
    }
  }
  const found = texts.flatMap(({ where, text }) =>
    [...standIn(text, byGram)].map((what) => `${what} stands in ${where}`),
  );
  return [...new Set(found)];
}

/** As it is, as in a URL, and in base64 wherever it begins in what was encoded. */
const writingsOf = (value: string): Set<string> =>
  new Set([value, encodeURIComponent(value), ...[0, 1, 2].map((before) => insideBase64(value, before))]);

/** The digits that it alone decides, where so many bytes stand before it. */
function insideBase64(value: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  const digits = bytes.toString('base64');
  return digits.slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

function* standIn(text: string, byGram: ReadonlyMap<string, Secret[]>): Generator<string> {
  for (let at = 0; at <= text.length - GRAM; at++)
    for (const { what, value } of byGram.get(text.slice(at, at + GRAM)) ?? [])
      if (text.startsWith(value, at) && !isInsideNumber(text, at, value)) yield what;
}

/** Nine digits in a longer number are no pick-up code. */
const isInsideNumber = (text: string, at: number, value: string): boolean =>
  /^\d+$/.test(value) && /\d/.test((text[at - 1] ?? '') + (text[at + value.length] ?? ''));

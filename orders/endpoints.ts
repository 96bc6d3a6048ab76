import type { Command } from 'commander';
import type { Kysely } from 'kysely';
import { newEndpointId } from '../api/ids.ts';
import * as stored from '../db/endpoints.ts';
import type { Endpoint } from '../db/endpoints.ts';
import { disableEndpoint } from '../db/notifications.ts';
import type { Database } from '../db/schema.ts';
import { LIMITS } from '../domain/limits.ts';
import { NOTIFICATION_TYPES, type NotificationType } from '../domain/notification.ts';
import { flawOfUrl } from '../notifications/endpoint-url.ts';
import { addEndpoint, rotateSecret, type WithSecret } from '../notifications/endpoints.ts';
import { isEmbedded, sealerOf, withDatabase } from './database.ts';
import { merchantNamed } from './named.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

const DAY = 86_400;
const WEEK = 7 * DAY;

/** `endpoint …`: where merchants are told. A secret is shown once, when it is made. */
export function endpointCommands(parent: Command, answering: Answering): void {
  const endpoint = parent.command('endpoint').description('where merchants are told: docs/webhooks.md');
  endpoint
    .command('list <merchant>')
    .description("a merchant's endpoints; never their secrets")
    .action(answering(list));
  endpoint
    .command('add <merchant> <url>')
    .description('a new endpoint; shows its secret this once')
    .option('--types <types...>', 'what it is told; everything if not given')
    .action(answering(add));
  endpoint
    .command('rotate <id>')
    .description('makes a new secret, and shows it this once; for a while the one before signs as well')
    .option('--overlap <seconds>', 'for how long', overlapSeconds, DAY)
    .action(answering(rotate));
  endpoint
    .command('disable <id>')
    .description('switches it off; what waits for it waits')
    .action(answering((id: string) => change(id, disable)));
  endpoint
    .command('enable <id>')
    .description('switches it on; what waited for it is sent within seconds')
    .action(answering((id: string) => change(id, ({ db }) => stored.enableEndpoint(db, id, new Date()))));
  endpoint
    .command('remove <id>')
    .description('for good; what it was not told yet is given up')
    .action(answering((id: string) => change(id, remove)));
}

const list = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => {
    await merchantNamed(db, merchant);
    const found = await stored.listEndpoints(db, { merchant, before: undefined, limit: LIMITS.webhookEndpoints });
    return { rows: found.map(shown), none: `${merchant} has no endpoints.` };
  });

const add = (merchant: string, url: string, { types }: { types?: string[] }): Promise<Answer> =>
  withDatabase(async (db) => {
    const told = types?.map(typeNamed) ?? null;
    await merchantNamed(db, merchant);
    const flaw = await flawOfUrl(url, isEmbedded());
    if (flaw !== null) throw new UsageError(`${url}: ${flaw}`);
    const wanted = { id: newEndpointId(undefined, Date.now()), merchant, url, types: told };
    const made = await addEndpoint({ db, sealer: sealerOf() }, wanted);
    if (!made) throw new UsageError(`A merchant has at most ${LIMITS.webhookEndpoints} endpoints.`);
    return withSecret(made);
  });

const rotate = (id: string, { overlap }: { overlap: number }): Promise<Answer> =>
  withDatabase(async (db) =>
    withSecret(await rotateSecret({ db, sealer: sealerOf() }, await endpointNamed(db, id), Date.now(), overlap)),
  );

type Chosen = { db: Kysely<Database>; endpoint: Endpoint };

const change = (id: string, how: (chosen: Chosen) => Promise<Endpoint>): Promise<Answer> =>
  withDatabase(async (db) => {
    const { merchant_id: merchant, url, status } = await how({ db, endpoint: await endpointNamed(db, id) });
    return { text: `${id} of ${merchant} (${url}) is ${status}.`, data: { id, merchant, url, status } };
  });

async function disable({ db, endpoint }: Chosen): Promise<Endpoint> {
  await disableEndpoint(db, endpoint.id);
  return { ...endpoint, status: 'disabled' };
}

async function remove({ db, endpoint }: Chosen): Promise<Endpoint> {
  await stored.deleteEndpoint(db, endpoint.id, new Date());
  return { ...endpoint, status: 'disabled' };
}

const shown = ({ id, url, types, status, created_at }: Endpoint) => ({ id, url, types, status, created_at });

function withSecret({ endpoint, secret }: WithSecret): Answer {
  const text = `${secret}\nKeep it now: it is not shown again. It signs what ${endpoint.id} (${endpoint.url}) is sent.`;
  return { text, data: { ...shown(endpoint), secret } };
}

async function endpointNamed(db: Kysely<Database>, id: string): Promise<Endpoint> {
  const endpoint = await stored.findAnyEndpoint(db, id);
  if (!endpoint) throw new UsageError(`There is no endpoint ${id}; see \`endpoint list\`.`);
  return endpoint;
}

function typeNamed(name: string): NotificationType {
  const type = NOTIFICATION_TYPES.find((one) => one === name);
  if (type) return type;
  throw new UsageError(`There is no type ${name}. There are: ${NOTIFICATION_TYPES.join(', ')}.`);
}

function overlapSeconds(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) <= WEEK) return Number(text);
  throw new UsageError(`"${text}" is no overlap: seconds, at most ${WEEK} (seven days).`);
}

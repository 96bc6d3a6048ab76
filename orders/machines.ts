import type { Command } from 'commander';
import { findMachineGateway, putMachineGateway } from '../db/machines.ts';
import { machineGateways, readGateway, type GatewayConfig } from '../devices/gateways.ts';
import { newSecret } from '../wire/standard-webhooks.ts';
import { withDatabase } from './database.ts';
import { merchantNamed } from './named.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

/** `machine …`: how a merchant's machines are reached. Secrets are named (`file:`, `env:`), never stored. */
export function machineCommands(parent: Command, answering: Answering): void {
  const machine = parent
    .command('machine')
    .description("how merchants' vending machines are reached: docs/machines.md");
  machine
    .command('secret')
    .description('makes a secret to sign with, and shows it this once; put it where both sides read it')
    .action(answering(secret));
  machine
    .command('set <merchant> <url> <secret>')
    .description('the address of its machine backend; the secret as file:/path or env:NAME. Counts within 10 seconds')
    .action(answering(set));
  machine
    .command('rotate <merchant> <secret>')
    .description('a new secret, as file:/path or env:NAME; the one before stays good until `machine settle`')
    .action(answering(rotate));
  machine
    .command('settle <merchant>')
    .description('ends a rotation: only the newest secret is good from now on')
    .action(answering(settle));
  machine
    .command('show <merchant>')
    .description('the address, where its secrets are kept, and whether they can be used here')
    .action(answering(show));
}

const secret = (): Promise<Answer> => {
  const made = newSecret();
  return Promise.resolve({ text: made, data: { secret: made } });
};

const set = (merchant: string, url: string, name: string): Promise<Answer> =>
  put(merchant, () => ({ url, secrets: [name] }));

const rotate = (merchant: string, name: string): Promise<Answer> =>
  put(merchant, (now) => {
    const { url, secrets } = existing(merchant, now);
    if (secrets[0] === name) throw new UsageError(`${name} is its secret already. Name another place for the new one.`);
    return { url, secrets: [name, secrets[0]] };
  });

const settle = (merchant: string): Promise<Answer> =>
  put(merchant, (now) => {
    const { url, secrets } = existing(merchant, now);
    return { url, secrets: [secrets[0]] };
  });

const show = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => {
    const config = existing(merchant, await findMachineGateway(db, merchant));
    await usable(merchant, config);
    return answerOf(merchant, config);
  });

/** @param next what it becomes, of what is stored. */
const put = (merchant: string, next: (now: unknown) => GatewayConfig): Promise<Answer> =>
  withDatabase(async (db) => {
    await merchantNamed(db, merchant);
    const config = next(await findMachineGateway(db, merchant));
    for (const name of config.secrets)
      if (!/^(file|env):./.test(name))
        throw new UsageError('Name where the secret is kept, as "file:/path" or "env:NAME"; it is not stored here.');
    await usable(merchant, config);
    await putMachineGateway(db, merchant, config);
    return answerOf(merchant, config);
  });

function answerOf(merchant: string, { url, secrets }: GatewayConfig): Answer {
  const [newest, before] = secrets;
  const rotation = before === undefined ? '' : `; until \`machine settle\` also ${before}`;
  return { text: `${merchant}: ${url}, signed by ${newest}${rotation}.`, data: { merchant, url, secrets } };
}

function existing(merchant: string, stored: unknown): GatewayConfig {
  if (stored === null) throw new UsageError(`${merchant} has no machines; see \`machine set\`.`);
  return readGateway(stored);
}

/** @throws UsageError naming what is at fault */
async function usable(merchant: string, config: GatewayConfig): Promise<void> {
  const find = machineGateways(() => Promise.resolve(config), process.env);
  await find(merchant).catch((error: unknown) => {
    throw new UsageError(
      `The machines can't be reached like that: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
}

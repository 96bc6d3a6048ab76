import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { listAccounts } from '../db/administration.ts';
import { findProviderAccount, putProviderAccount } from '../db/merchants.ts';
import { PROVIDERS, type ProviderName } from '../domain/method.ts';
import { providerAccounts } from '../providers/accounts.ts';
import { withDatabase } from './database.ts';
import { merchantNamed } from './named.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

/** `account …`: a merchant's accounts at payment providers. Secrets are named (`file:`, `env:`), never stored or shown. */
export function accountCommands(parent: Command, answering: Answering): void {
  const account = parent.command('account').description("merchants' accounts at payment providers");
  account.command('list <merchant>').description('where it has accounts').action(answering(list));
  account
    .command('set <merchant> <provider> <file>')
    .description('takes the account from a JSON file; its secrets as file:/path or env:NAME. Counts within 10 seconds')
    .action(answering(set));
  account
    .command('check <merchant> <provider>')
    .description('whether the account can be used here: its form, its secrets, its keys')
    .action(answering(check));
}

/** What must never stand in the database in clear. */
const SECRET = /private.?key|secret|api.?v3.?key|password/i;

const list = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => ({
    rows: (await listAccounts(db, merchant)).map((provider) => ({ provider })),
    none: `${merchant} has no accounts.`,
  }));

const set = (merchant: string, provider: string, file: string): Promise<Answer> =>
  withDatabase(async (db) => {
    const name = providerNamed(provider);
    const config = configIn(file);
    await merchantNamed(db, merchant);
    await usable(merchant, name, config);
    await putProviderAccount(db, merchant, name, config);
    return { text: `${merchant} has an account at ${name}.`, data: { merchant, provider: name } };
  });

const check = (merchant: string, provider: string): Promise<Answer> =>
  withDatabase(async (db) => {
    const name = providerNamed(provider);
    const config = await findProviderAccount(db, merchant, name);
    if (config === null) throw new UsageError(`${merchant} has no account at ${name}; see \`account set\`.`);
    await usable(merchant, name, config);
    return { text: `The account of ${merchant} at ${name} can be used here.`, data: { merchant, provider: name } };
  });

/** @throws UsageError naming the field or variable that is at fault */
async function usable(merchant: string, provider: ProviderName, config: unknown): Promise<void> {
  const find = providerAccounts(() => Promise.resolve(config), process.env);
  await find(merchant, provider).catch((error: unknown) => {
    throw new UsageError(`The account can't be used: ${error instanceof Error ? error.message : String(error)}`);
  });
}

function configIn(file: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // The parser's own message would quote the file.
    throw new UsageError(`${file} ${error instanceof SyntaxError ? 'is not JSON' : 'can not be read'}.`);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new UsageError(`${file} must hold one JSON object.`);
  for (const [field, value] of Object.entries(config))
    if (SECRET.test(field) && !(typeof value === 'string' && /^(file|env):/.test(value)))
      throw new UsageError(`${field} is a secret: name where it is kept, as "file:/path" or "env:NAME".`);
  return config as Record<string, unknown>;
}

function providerNamed(name: string): ProviderName {
  const provider = PROVIDERS.find((one) => one === name);
  if (provider) return provider;
  throw new UsageError(`There is no provider ${name}. There are: ${PROVIDERS.join(', ')}.`);
}

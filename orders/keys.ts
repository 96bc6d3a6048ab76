import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { listKeys, revokeKey } from '../db/administration.ts';
import { putKey } from '../db/merchants.ts';
import { SCOPES, type Scope } from '../db/schema.ts';
import { LIMITS } from '../domain/limits.ts';
import { withDatabase } from './database.ts';
import { merchantNamed } from './named.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

const API_SCOPES: Scope[] = ['orders:read', 'orders:write', 'payments:write', 'refunds:write', 'deliveries:write'];
const OPERATOR_SCOPES: Scope[] = ['orders:read', 'refunds:review', 'payments:resolve', 'deliveries:write'];

type KeyTerms = { name: string; scopes?: string[] };

/** `key …` and `operator …`: who may call. A key is shown once, when it is made; only its hash is kept. */
export function keyCommands(parent: Command, answering: Answering): void {
  const key = parent.command('key').description('API keys of programs, and operator keys of people');
  key
    .command('list <merchant>')
    .description("a merchant's keys, also revoked ones; never the keys themselves")
    .action(answering(list));
  key
    .command('revoke <id>')
    .description('takes a key out of force, within three seconds and for good')
    .action(answering(revoke));
  withTerms(key.command('add <merchant>').description('makes an API key, and shows it this once'), API_SCOPES).action(
    answering((merchant: string, terms: KeyTerms) => add('api', merchant, terms, API_SCOPES)),
  );
  const operator = parent.command('operator').description('people who decide, each with a key of their own');
  operator
    .command('list <merchant>')
    .description("a merchant's operators, also those whose key is revoked (`key revoke`)")
    .action(answering(listOperators));
  withTerms(
    operator.command('add <merchant>').description("makes a person's operator key, and shows it this once"),
    OPERATOR_SCOPES,
  ).action(answering((merchant: string, terms: KeyTerms) => add('operator', merchant, terms, OPERATOR_SCOPES)));
}

const withTerms = (command: Command, scopes: readonly Scope[]): Command =>
  command
    .requiredOption('--name <name>', 'of the program, or of the person; shown as who did it')
    .option('--scopes <scopes...>', `what it may do; ${scopes.join(' ')} if not given. All: ${SCOPES.join(' ')}`);

const list = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => ({ rows: await listKeys(db, merchant), none: `${merchant} has no keys.` }));

const listOperators = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => ({
    rows: (await listKeys(db, merchant)).filter(({ kind }) => kind === 'operator'),
    none: `${merchant} has no operators.`,
  }));

const revoke = (id: string): Promise<Answer> =>
  withDatabase(async (db) => {
    const key = await revokeKey(db, id);
    if (!key) throw new UsageError(`There is no key ${id}; see \`key list\`.`);
    return { text: `${id} (${key.name}) is revoked since ${key.revoked_at!.toISOString()}.`, data: key };
  });

const add = (kind: 'api' | 'operator', merchant: string, terms: KeyTerms, standard: Scope[]): Promise<Answer> =>
  withDatabase(async (db) => {
    const { name } = terms;
    if (name.trim() === '' || name.length > LIMITS.textLength)
      throw new UsageError(`--name has 1 to ${LIMITS.textLength} characters.`);
    const scopes = terms.scopes?.map(scopeNamed) ?? standard;
    await merchantNamed(db, merchant);
    const id = `key_${randomBytes(9).toString('hex')}`;
    const key = `${kind === 'api' ? 'sk' : 'op'}_${randomBytes(24).toString('base64url')}`;
    await putKey(db, { id, merchant, key, kind, name, scopes });
    const text = `${key}\nKeep it now: it is not shown again. Its id, for \`key revoke\`: ${id}`;
    return { text, data: { id, key, kind, merchant, name, scopes } };
  });

function scopeNamed(name: string): Scope {
  const scope = SCOPES.find((one) => one === name);
  if (scope) return scope;
  throw new UsageError(`There is no scope ${name}. There are: ${SCOPES.join(', ')}.`);
}

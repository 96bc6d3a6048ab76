import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import {
  changeApplication,
  listApplications,
  putApplication,
  type ApplicationChange,
  type ListedApplication,
} from '../db/applications.ts';
import { LIMITS } from '../domain/limits.ts';
import { withDatabase } from './database.ts';
import { merchantNamed } from './named.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

/** `application …`: clients of the vending machines' API. A secret is shown once, when it is made. */
export function applicationCommands(parent: Command, answering: Answering): void {
  const application = parent
    .command('application')
    .description("clients of the vending machines' API, each with its machines");
  application
    .command('list <merchant>')
    .description("a merchant's applications, also revoked ones; never their secrets")
    .action(answering(list));
  application
    .command('add <merchant>')
    .description('makes an application, and shows its AppSecret this once')
    .requiredOption('--name <name>', 'shown as who did it')
    .requiredOption('--machines <numbers...>', 'where it sells: eight digits each')
    .action(answering(add));
  application
    .command('machines <appid> <numbers...>')
    .description('where it sells from now on: these machines and no others')
    .action(answering((appid: string, numbers: string[]) => machines(appid, numbers)));
  application
    .command('secret <appid>')
    .description('makes a new AppSecret, and shows it this once; the one before ends now')
    .action(answering((appid: string) => newSecret(appid)));
  application
    .command('revoke <appid>')
    .description('takes it out of force, at once and for good')
    .action(answering((appid: string) => revoke(appid)));
}

const list = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => ({
    rows: await listApplications(db, merchant),
    none: `${merchant} has no applications.`,
  }));

const add = (merchant: string, terms: { name: string; machines: string[] }): Promise<Answer> =>
  withDatabase(async (db) => {
    const { name } = terms;
    if (name.trim() === '' || name.length > LIMITS.textLength)
      throw new UsageError(`--name has 1 to ${LIMITS.textLength} characters.`);
    const numbers = machineNumbers(terms.machines);
    await merchantNamed(db, merchant);
    const id = `ds_${randomBytes(9).toString('hex')}`;
    const secret = freshSecret();
    await putApplication(db, { id, merchant, name, secret, machines: numbers });
    return { text: credentials(id, secret), data: { id, secret, merchant, name, machines: numbers } };
  });

const machines = async (appid: string, numbers: string[]): Promise<Answer> => {
  const changed = await change(appid, { machines: machineNumbers(numbers) });
  return { text: `${appid} (${changed.name}) sells at ${changed.machines.join(', ')}.`, data: changed };
};

const newSecret = async (appid: string): Promise<Answer> => {
  const secret = freshSecret();
  await change(appid, { secret });
  return { text: credentials(appid, secret), data: { id: appid, secret } };
};

const revoke = async (appid: string): Promise<Answer> => {
  const revoked = await change(appid, { revoked: true });
  return { text: `${appid} (${revoked.name}) is revoked since ${revoked.revoked_at!.toISOString()}.`, data: revoked };
};

const freshSecret = (): string => randomBytes(24).toString('base64url');
const credentials = (id: string, secret: string): string =>
  `Appid: ${id}\nAppSecret: ${secret}\nKeep the secret now: it is not shown again.`;

const change = (appid: string, what: ApplicationChange): Promise<ListedApplication> =>
  withDatabase(async (db) => {
    const changed = await changeApplication(db, appid, what);
    if (!changed) throw new UsageError(`There is no application ${appid}; see \`application list\`.`);
    return changed;
  });

function machineNumbers(given: string[]): string[] {
  const wrong = given.find((number) => !/^\d{8}$/.test(number));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no machine number: eight digits, as in 16327129.`);
  return [...new Set(given)];
}

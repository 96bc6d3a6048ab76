import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { listMerchants } from '../db/administration.ts';
import {
  addAlbum,
  addCourseUser,
  changeAlbum,
  changeCourseUser,
  listAlbums,
  listCourseUsers,
  type ListedCourseUser,
} from '../db/courses.ts';
import { LIMITS } from '../domain/limits.ts';
import { withDatabase } from './database.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

/** `course …`: who buys and sells by the course shop's API, and what. A token is shown once, when it is made. */
export function courseCommands(parent: Command, answering: Answering): void {
  const course = parent.command('course').description("the course shop's users and albums");
  const user = course.command('user').description('students and teachers, each with a token');
  user
    .command('list <merchant>')
    .description("a merchant's users, also revoked ones; never their tokens")
    .action(answering(listUsers));
  user
    .command('add <merchant>')
    .description('makes a user, and shows the token this once')
    .requiredOption('--name <name>', 'as orders show it')
    .requiredOption('--role <role>', 'student or teacher')
    .action(answering(addUser));
  user
    .command('token <number>')
    .description('makes a new token, and shows it this once; the one before ends now')
    .action(answering((number: string) => newToken(number)));
  user
    .command('revoke <number>')
    .description('the token ends now; `token` makes a new one')
    .action(answering((number: string) => revoke(number)));
  const album = course.command('album').description('what is sold');
  album.command('list <merchant>').description("a merchant's albums").action(answering(list));
  album
    .command('add <merchant>')
    .description('puts an album on sale')
    .requiredOption('--teacher <number>', 'whose it is')
    .requiredOption('--title <title>', 'as orders show it')
    .requiredOption('--price <fen>', 'in fen; 0: free')
    .action(answering(add));
  album
    .command('set <number>')
    .description('for orders to come; those that there are keep what they have')
    .option('--title <title>')
    .option('--price <fen>')
    .action(answering((number: string, terms: { title?: string; price?: string }) => set(number, terms)));
}

const listUsers = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => ({ rows: await listCourseUsers(db, merchant), none: `${merchant} has no users.` }));

const addUser = (merchant: string, terms: { name: string; role: string }): Promise<Answer> =>
  withDatabase(async (db) => {
    const name = textOf('--name', terms.name);
    const { role } = terms;
    if (role !== 'student' && role !== 'teacher') throw new UsageError('--role is student or teacher.');
    if (!(await listMerchants(db)).some(({ id }) => id === merchant))
      throw new UsageError(`There is no merchant ${merchant}; see \`merchant list\`.`);
    const token = freshToken();
    const id = await addCourseUser(db, { merchant, name, role, token });
    return {
      text: credentials({ id, name, role, revoked_at: null }, token),
      data: { id, merchant, name, role, token },
    };
  });

const newToken = (number: string): Promise<Answer> => {
  const token = freshToken();
  return change(number, { token }, (user) => ({
    text: credentials(user, token),
    data: { id: user.id, name: user.name, role: user.role, token },
  }));
};

const revoke = (number: string): Promise<Answer> =>
  change(number, { revoked: true }, (user) => ({ text: `The token of ${nameOf(user)} is revoked.`, data: user }));

const change = (
  number: string,
  what: Parameters<typeof changeCourseUser>[2],
  answer: (user: ListedCourseUser) => Answer,
): Promise<Answer> =>
  withDatabase(async (db) => {
    const user = await changeCourseUser(db, numberOf('number', number), what);
    if (!user) throw new UsageError(`There is no user ${number}; see \`course user list\`.`);
    return answer(user);
  });

const freshToken = (): string => `crs_${randomBytes(24).toString('base64url')}`;
const nameOf = ({ id, name, role }: ListedCourseUser): string => `${role} ${id} (${name})`;
const credentials = (user: ListedCourseUser, token: string): string =>
  `Token of ${nameOf(user)}: ${token}\nKeep it now: it is not shown again.`;

const list = (merchant: string): Promise<Answer> =>
  withDatabase(async (db) => ({ rows: await listAlbums(db, merchant), none: `${merchant} has no albums.` }));

const add = (merchant: string, terms: { teacher: string; title: string; price: string }): Promise<Answer> =>
  withDatabase(async (db) => {
    const title = textOf('--title', terms.title);
    const price = priceOf(terms.price);
    const teacher = numberOf('--teacher', terms.teacher);
    const id = await addAlbum(db, { merchant, teacher, title, price });
    if (id === null) throw new UsageError(`${merchant} has no teacher ${teacher}; see \`course user list\`.`);
    return {
      text: `Album ${id} (${title}) is on sale for ${price} fen.`,
      data: { id, merchant, teacher, title, price },
    };
  });

const set = (number: string, { title, price }: { title?: string; price?: string }): Promise<Answer> =>
  withDatabase(async (db) => {
    if (title === undefined && price === undefined) throw new UsageError('Give --title, --price, or both.');
    const album = await changeAlbum(db, numberOf('number', number), {
      ...(title !== undefined && { title: textOf('--title', title) }),
      ...(price !== undefined && { price: priceOf(price) }),
    });
    if (!album) throw new UsageError(`There is no album ${number}; see \`course album list\`.`);
    return { text: `Album ${album.id} (${album.title}) costs ${album.price} fen from now on.`, data: album };
  });

function textOf(option: string, given: string): string {
  if (given.trim() === '' || given.length > LIMITS.textLength)
    throw new UsageError(`${option} has 1 to ${LIMITS.textLength} characters.`);
  return given;
}

function numberOf(option: string, given: string): number {
  if (!/^[1-9]\d{0,14}$/.test(given)) throw new UsageError(`"${given}" is no ${option}: a whole number from 1.`);
  return Number(given);
}

function priceOf(given: string): number {
  const price = /^\d{1,11}$/.test(given) ? Number(given) : NaN;
  if (!(price <= LIMITS.amount)) throw new UsageError(`--price is a whole number of fen, 0 to ${LIMITS.amount}.`);
  return price;
}

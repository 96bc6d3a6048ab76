/** `npm run bench -- reads`: whether reading stays quick as orders add up. */
import type { Kysely } from 'kysely';
import pg from 'pg';
import { connect } from '../db/connect.ts';
import { countCourseOrders, findCourseOrder, listCourseOrders, type CourseFilter } from '../db/course-orders.ts';
import { migrate } from '../db/migrate.ts';
import { findOrder, listOrders } from '../db/orders.ts';
import { listSums } from '../db/rollup.ts';
import type { Database } from '../db/schema.ts';
import { countStatistics } from '../db/statistics.ts';
import type { Progress } from '../start/failure.ts';
import { fill, ORDERS_A_DAY, STUDENT, TEACHER } from './fill.ts';
import type { Options } from './options.ts';
import type { Outcome } from './scenario.ts';
import { startDatabase } from './servers.ts';
import { rounded, spreadOf } from './spread.ts';
import { MERCHANT } from './stories.ts';
import { columns } from './table.ts';

/** The client's aim: a read of many orders may take so many times as long as one of few. */
const MOST = 1.5;
const FEW = 10_000;
const ROUNDS = 300;
const PAGE = 20;
const DAY = 86_400_000;

/** A full database, and how many orders are in it. */
type Filled = { db: Kysely<Database>; orders: number };
type Read = (filled: Filled) => Promise<unknown>;

const someOrder = ({ orders }: Filled): number => Math.floor(Math.random() * orders);
const list = (db: Kysely<Database>, filter: Partial<Parameters<typeof listOrders>[1]>) =>
  listOrders(db, { merchant: MERCHANT, limit: PAGE, ...filter });
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY);

/** One page and the count, as the course shop's list answers. */
const courses = async (db: Kysely<Database>, filter: Partial<CourseFilter>): Promise<unknown> => {
  const whole = { whose: { teacher: TEACHER }, album: null, from: null, to: null, ...filter };
  const count = await countCourseOrders(db, whole);
  const page = await listCourseOrders(db, whole, { limit: PAGE, offset: 0 });
  return count === 0 ? [] : page;
};
const dayOf = (at: Date) => ({ at, day: at.toISOString().slice(0, 10) });
/** Odd ones are of the course shop, numbers begin with 1. */
const someCourse = (filled: Filled): number => 2 * Math.ceil(someOrder(filled) / 2) || 2;

const NONE = 'list: a status that none has';
/** The statements that the API and the pages use. */
const READS: Record<string, Read> = {
  'get an order': (f) => findOrder(f.db, `ord_${String(someOrder(f)).padStart(20, '0')}`, MERCHANT),
  'get it by its number': (f) => list(f.db, { number: someOrder(f) + 1, limit: 1 }),
  'get it by the merchant’s number': (f) => list(f.db, { merchantOrderNo: `A-${someOrder(f)}` }),
  'list: the newest': ({ db }) => list(db, {}),
  'list: a page in between': (f) => list(f.db, { before: someOrder(f) + PAGE + 1 }),
  'list: by status': ({ db }) => list(db, { status: 'processing' }),
  'list: by refund status': ({ db }) => list(db, { refundStatus: 'requested' }),
  [NONE]: ({ db }) => list(db, { status: 'awaiting_confirmation' }),
  'list: what needs attention': ({ db }) => list(db, { attention: true }),
  'list: one day': ({ db }) => list(db, { createdFrom: daysAgo(5), createdTo: daysAgo(4) }),
  'courses: get one': (f) => findCourseOrder(f.db, someCourse(f), MERCHANT),
  'courses: a teacher’s': ({ db }) => courses(db, {}),
  'courses: a teacher’s of an album': ({ db }) => courses(db, { album: 7 }),
  'courses: a teacher’s of one day': ({ db }) => courses(db, { from: dayOf(daysAgo(5)), to: dayOf(daysAgo(4)) }),
  'courses: a student’s': ({ db }) => courses(db, { whose: { student: STUDENT } }),
  'courses: sums': ({ db }) => listSums(db, { teacher: TEACHER }),
  'sum: one day': ({ db }) => countStatistics(db, { merchant: MERCHANT, from: daysAgo(5), to: daysAgo(4) }),
};

type Compared = { read: string; few: number; many: number; ratio: number };

export async function readsScenario(options: Options, progress: Progress, signal: AbortSignal): Promise<Outcome> {
  const server = await startDatabase({ progress, signal });
  const opened: Kysely<Database>[] = [];
  const filled = async (name: string, orders: number): Promise<Filled> => {
    progress(`Filling a database with ${orders} orders, ${ORDERS_A_DAY} a day`);
    const db = connect(await newDatabase(server.adminUrl, name), { connections: 1 });
    opened.push(db);
    await migrate(db);
    await fill(db, orders, { progress, signal });
    return { db, orders };
  };
  try {
    const [few, many] = [await filled('few', FEW), await filled('many', options.stored)];
    progress('Reading');
    const compared: Compared[] = [];
    for (const [name, read] of Object.entries(READS)) compared.push(await compare(name, read, few, many));
    return outcomeOf(many.orders, compared);
  } finally {
    await Promise.all(opened.map((db) => db.destroy()));
    await server.stop();
  }
}

async function newDatabase(adminUrl: string, name: string): Promise<string> {
  const client = new pg.Client(adminUrl);
  await client.connect();
  await client.query(`create database ${name}`).finally(() => client.end());
  return Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
}

/** By turns, so that what else the machine does troubles both; medians. Milliseconds. */
async function compare(read: string, run: Read, few: Filled, many: Filled): Promise<Compared> {
  const took: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, filled] of [few, many].entries()) {
      const began = performance.now();
      const found = await run(filled);
      took[index]!.push(performance.now() - began);
      if (found === null || (Array.isArray(found) && found.length === 0 && read !== NONE))
        throw new Error(`"${read}" found nothing among ${filled.orders} orders`);
    }
  const [first, second] = took.map((times) => spreadOf(times).median);
  return { read, few: first!, many: second!, ratio: second! / first! };
}

const outcomeOf = (orders: number, compared: readonly Compared[]): Outcome => ({
  json: { orders: [FEW, orders], reads: compared },
  table: columns([
    ['ms, median', `${FEW} orders`, `${orders} orders`, 'ratio'],
    ...compared.map(({ read, few, many, ratio }) => [
      read,
      rounded(few, 2),
      rounded(many, 2),
      `${rounded(ratio, 2)} (at most ${MOST})`,
    ]),
  ]),
  complaints: compared
    .filter(({ ratio }) => ratio > MOST)
    .map(
      ({ read, ratio }) => `"${read}" takes ${rounded(ratio, 2)} times as long with ${orders} orders, at most ${MOST}`,
    ),
});

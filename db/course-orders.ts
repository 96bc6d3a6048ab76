import { sql, type Kysely, type Transaction } from 'kysely';
import type { MerchantId } from '../domain/ids.ts';
import { findOrders, type StoredOrder } from './orders.ts';
import type { Database } from './schema.ts';

/** An order of the course shop: whose it is, and how it stands. */
export type CourseOrder = StoredOrder & {
  albumId: number;
  teacherId: number;
  student: { id: number; name: string };
  /** Sealed. */
  thirdBuyerId: string | null;
};

/** One student's orders are created one after the other: nobody buys an album twice. Until the transaction ends. */
export async function lockStudent(trx: Transaction<Database>, student: number): Promise<void> {
  await trx.selectFrom('course_users').select('id').where('id', '=', student).forNoKeyUpdate().execute();
}

type NewCourseOrder = {
  order: StoredOrder;
  album: { id: number; teacher: number };
  student: number;
  /** Of its creation, yyyy-mm-dd in Shanghai. */
  day: string;
};

/** With the order, in its transaction. */
export async function addCourseOrder(trx: Transaction<Database>, added: NewCourseOrder): Promise<void> {
  const { order, album, student, day } = added;
  await trx
    .insertInto('course_orders')
    .values({
      order_id: order.order.id,
      number: order.row.number,
      album_id: album.id,
      teacher_id: album.teacher,
      student_id: student,
      created_at: order.row.created_at,
      third_buyer_id: null,
    })
    .execute();
  await trx
    .insertInto('album_days')
    .values({ album_id: album.id, day, orders: 1 })
    .onConflict((conflict) => conflict.columns(['album_id', 'day']).doUpdateSet({ orders: sql`album_days.orders + 1` }))
    .execute();
  await trx
    .updateTable('albums')
    .set({ orders: sql`orders + 1` })
    .where('id', '=', album.id)
    .execute();
}

/** A student's orders of an album that may still be theirs, oldest first. */
export async function ordersOfAlbum(
  db: Kysely<Database>,
  { student, album }: { student: number; album: number },
): Promise<StoredOrder[]> {
  const rows = await db
    .selectFrom('course_orders as c')
    .innerJoin('orders as o', 'o.id', 'c.order_id')
    .select('o.id')
    .where('c.student_id', '=', student)
    .where('c.album_id', '=', album)
    .where('o.status', '<>', 'cancelled')
    .where('o.refund_status', '<>', 'full')
    .orderBy('o.number')
    .execute();
  return findOrders(
    db,
    rows.map(({ id }) => id),
  );
}

/** @param merchant null: any */
export async function findCourseOrder(
  db: Kysely<Database>,
  number: number,
  merchant: MerchantId | null,
): Promise<CourseOrder | null> {
  const row = await courseOrders(db).where('c.number', '=', number).executeTakeFirst();
  const [found] = row ? await withOrders(db, [row]) : [];
  return found && (merchant === null || found.row.merchant_id === merchant) ? found : null;
}

/** `from` inclusive, `to` exclusive: days in Shanghai, as yyyy-mm-dd and as moments; null: open. */
export type CourseFilter = {
  whose: { student: number } | { teacher: number };
  album: number | null;
  from: Moment | null;
  to: Moment | null;
};
type Moment = { day: string; at: Date };

/** One page, newest first. */
export async function listCourseOrders(
  db: Kysely<Database>,
  filter: CourseFilter,
  { limit, offset }: { limit: number; offset: number },
): Promise<CourseOrder[]> {
  const page = rowsOf(db)
    .where(isIn(filter))
    .orderBy('c.created_at', 'desc')
    .orderBy('c.number', 'desc')
    .limit(limit)
    .offset(offset);
  const rows = await courseOrders(db, page).orderBy('c.created_at', 'desc').orderBy('c.number', 'desc').execute();
  return withOrders(db, rows);
}

/** A teacher's have been counted by album, and by album and day; a student's are few. */
export async function countCourseOrders(db: Kysely<Database>, filter: CourseFilter): Promise<number> {
  const { whose, album, from, to } = filter;
  const ofAlbum = from === null ? sql`a.orders - ${to === null ? sql`0` : ofDays(to, null)}` : ofDays(from, to);
  const { count } = await (
    'student' in whose
      ? db.selectFrom('course_orders as c').where(isIn(filter)).select(db.fn.countAll<number>().as('count'))
      : db
          .selectFrom('albums as a')
          .where('a.teacher_id', '=', whose.teacher)
          .$if(album !== null, (query) => query.where('a.id', '=', album!))
          .select(sql<number>`coalesce(sum(${ofAlbum}), 0)::bigint`.as('count'))
  ).executeTakeFirstOrThrow();
  return count;
}

const ofDays = (from: Moment, to: Moment | null) => sql`coalesce((
  select sum(d.orders) from album_days d where d.album_id = a.id and d.day >= ${from.day}
    ${to === null ? sql`` : sql`and d.day < ${to.day}`}), 0)`;

const rowsOf = (db: Kysely<Database>) => db.selectFrom('course_orders as c').selectAll();

/** @param rows which of them; a page is cut before anything is joined to it */
const courseOrders = (db: Kysely<Database>, rows = rowsOf(db)) =>
  db
    .selectFrom(rows.as('c'))
    .innerJoin('course_users as u', 'u.id', 'c.student_id')
    .select(['c.order_id', 'c.album_id', 'c.teacher_id', 'c.student_id', 'c.third_buyer_id', 'u.name']);

type Row = {
  order_id: string;
  album_id: number;
  teacher_id: number;
  student_id: number;
  third_buyer_id: string | null;
  name: string;
};

async function withOrders(db: Kysely<Database>, rows: readonly Row[]): Promise<CourseOrder[]> {
  const found = await findOrders(
    db,
    rows.map(({ order_id }) => order_id),
  );
  const byId = new Map<string, StoredOrder>(found.map((stored) => [stored.order.id, stored]));
  return rows.map((row) => ({
    ...byId.get(row.order_id)!,
    albumId: row.album_id,
    teacherId: row.teacher_id,
    student: { id: row.student_id, name: row.name },
    thirdBuyerId: row.third_buyer_id,
  }));
}

function isIn({ whose, album, from, to }: CourseFilter) {
  const owner = 'student' in whose ? sql`c.student_id = ${whose.student}` : sql`c.teacher_id = ${whose.teacher}`;
  const terms = [
    owner,
    ...(album === null ? [] : [sql`c.album_id = ${album}`]),
    ...(from === null ? [] : [sql`c.created_at >= ${from.at}`]),
    ...(to === null ? [] : [sql`c.created_at < ${to.at}`]),
  ];
  return sql<boolean>`${sql.join(terms, sql` and `)}`;
}

/**
 * Who paid, as the shop's notice names them; no more once the order's personal data is erased.
 * @param replaces whether it counts for more than what was told before
 */
export async function keepThirdBuyer(
  db: Kysely<Database>,
  { order, sealed, replaces }: { order: string; sealed: string; replaces: boolean },
): Promise<void> {
  await db
    .with(
      'known',
      (query) =>
        query
          .selectFrom('orders')
          .select('id')
          .where('id', '=', order)
          .where(sql`details ->> 'erased_at'`, 'is', null)
          .forKeyShare(), // Whoever is erasing it is waited for.
    )
    .updateTable('course_orders')
    .from('known')
    .set({ third_buyer_id: sealed })
    .whereRef('order_id', '=', 'known.id')
    .$if(!replaces, (query) => query.where('third_buyer_id', 'is', null))
    .execute();
}

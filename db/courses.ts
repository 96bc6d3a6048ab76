import type { Kysely } from 'kysely';
import type { MerchantId } from '../domain/ids.ts';
import type { Merchant } from './keys.ts';
import { hashOfKey } from './merchants.ts';
import type { Database } from './schema.ts';

export type CourseUser = { id: number; name: string; role: 'student' | 'teacher'; merchant: Merchant };

/** @returns null if no user has this token, or it was revoked */
export async function findCourseUser(db: Kysely<Database>, token: string): Promise<CourseUser | null> {
  const row = await db
    .selectFrom('course_users as u')
    .innerJoin('merchants as m', 'm.id', 'u.merchant_id')
    .select(['u.id', 'u.name', 'u.role', 'm.id as merchant', 'm.name as merchant_name', 'm.settings'])
    .where('u.token_hash', '=', hashOfKey(token))
    .where('u.revoked_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  const { id, name, role, merchant, merchant_name, settings } = row;
  return { id, name, role, merchant: { id: merchant as MerchantId, name: merchant_name, settings } };
}

/** `price`: fen. */
export type Album = { id: number; title: string; price: number; teacher: number };

/** @returns null if the merchant has no such album */
export async function findAlbum(db: Kysely<Database>, merchant: MerchantId, id: number): Promise<Album | null> {
  const row = await db
    .selectFrom('albums')
    .select(['id', 'title', 'price', 'teacher_id as teacher'])
    .where('id', '=', id)
    .where('merchant_id', '=', merchant)
    .executeTakeFirst();
  return row ?? null;
}

type NewUser = { id: number; merchant: string; name: string; role: 'student' | 'teacher'; token: string };

/** One that is there already is left as it is. */
export async function putCourseUser(db: Kysely<Database>, { id, merchant, name, role, token }: NewUser): Promise<void> {
  await db
    .insertInto('course_users')
    .values({ id, merchant_id: merchant, name, role, token_hash: hashOfKey(token), revoked_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** One that is there already is left as it is. */
export async function putAlbum(
  db: Kysely<Database>,
  { id, merchant, teacher, title, price }: Album & { merchant: string },
): Promise<void> {
  await db
    .insertInto('albums')
    .values({ id, merchant_id: merchant, teacher_id: teacher, title, price })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

type Person = { merchant: string; name: string; role: 'student' | 'teacher'; token: string };

/** @returns their number */
export async function addCourseUser(db: Kysely<Database>, { merchant, name, role, token }: Person): Promise<number> {
  const { id } = await db
    .insertInto('course_users')
    .values({ merchant_id: merchant, name, role, token_hash: hashOfKey(token), revoked_at: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export type ListedCourseUser = Pick<CourseUser, 'id' | 'name' | 'role'> & { revoked_at: Date | null };

export const listCourseUsers = (db: Kysely<Database>, merchant: string): Promise<ListedCourseUser[]> =>
  db
    .selectFrom('course_users')
    .select(['id', 'name', 'role', 'revoked_at'])
    .where('merchant_id', '=', merchant)
    .orderBy('id')
    .execute();

/** @returns null if there is nobody with this number */
export async function changeCourseUser(
  db: Kysely<Database>,
  id: number,
  change: { token: string } | { revoked: true },
): Promise<ListedCourseUser | null> {
  const set =
    'token' in change ? { token_hash: hashOfKey(change.token), revoked_at: null } : { revoked_at: new Date() };
  const row = await db
    .updateTable('course_users')
    .set(set)
    .where('id', '=', id)
    .returning(['id', 'name', 'role', 'revoked_at'])
    .executeTakeFirst();
  return row ?? null;
}

/** @returns its number; null if the merchant has no such teacher */
export async function addAlbum(
  db: Kysely<Database>,
  { merchant, teacher, title, price }: Omit<Album, 'id'> & { merchant: string },
): Promise<number | null> {
  const row = await db
    .insertInto('albums')
    .columns(['merchant_id', 'teacher_id', 'title', 'price'])
    .expression(
      db
        .selectFrom('course_users')
        .select((eb) => [
          'merchant_id',
          'id',
          eb.val(title).as('title'),
          eb.cast<number>(eb.val(price), 'bigint').as('price'),
        ])
        .where('id', '=', teacher)
        .where('merchant_id', '=', merchant)
        .where('role', '=', 'teacher'),
    )
    .returning('id')
    .executeTakeFirst();
  return row?.id ?? null;
}

export const listAlbums = (db: Kysely<Database>, merchant: string): Promise<Album[]> =>
  db
    .selectFrom('albums')
    .select(['id', 'title', 'price', 'teacher_id as teacher'])
    .where('merchant_id', '=', merchant)
    .orderBy('id')
    .execute();

/** Orders that there are keep their title and price. @returns null if there is no such album */
export async function changeAlbum(
  db: Kysely<Database>,
  id: number,
  change: { title?: string; price?: number },
): Promise<Album | null> {
  const row = await db
    .updateTable('albums')
    .set(change)
    .where('id', '=', id)
    .returning(['id', 'title', 'price', 'teacher_id as teacher'])
    .executeTakeFirst();
  return row ?? null;
}

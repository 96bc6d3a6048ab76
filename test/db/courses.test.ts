import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../db/connect.ts';
import { findAlbum, findCourseUser } from '../../db/courses.ts';
import type { Database } from '../../db/schema.ts';
import type { MerchantId } from '../../domain/ids.ts';
import { seedMerchant } from '../../start/seed.ts';
import { freshDatabase } from '../support/database.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let db: Kysely<Database>;
beforeAll(async () => {
  database = await freshDatabase();
  db = connect(database.url);
  await seedMerchant(db);
  await seedMerchant(db); // At the next start.
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

it.each([
  ['teacher_demo', 'teacher'],
  ['student_demo', 'student'],
  ['student2_demo', 'student'],
])('%s is a %s of the demo merchant', async (token, role) => {
  expect(await findCourseUser(db, token)).toMatchObject({ role, merchant: { id: 'demo' } });
});

it('knows nobody by another token', async () => {
  expect(await findCourseUser(db, 'student3_demo')).toBeNull();
  expect(await findCourseUser(db, '')).toBeNull();
});

it('has the albums of the contract, all of that teacher, and of that merchant only', async () => {
  const demo = 'demo' as MerchantId;
  const teacher = (await findCourseUser(db, 'teacher_demo'))!.id;
  expect(await Promise.all([1, 2, 7].map((id) => findAlbum(db, demo, id)))).toMatchObject([
    { price: 0, teacher },
    { price: 1, teacher },
    { price: 9900, teacher },
  ]);
  expect(await findAlbum(db, demo, 3)).toBeNull();
  expect(await findAlbum(db, 'other' as MerchantId, 1)).toBeNull();
});

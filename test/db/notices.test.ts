import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../db/connect.ts';
import { recordNotice } from '../../db/notices.ts';
import type { Database } from '../../db/schema.ts';
import { outRefundNoOf, type OrderId, type RefundId } from '../../domain/ids.ts';
import { seedMerchant } from '../../start/seed.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { createUnstarted } from '../support/orders.ts';
import type { System } from '../support/system.ts';

let database: TestDatabase;
let db: Kysely<Database>;
let order: OrderId;
const refund = 'ref_1m7zs82h1acgdvnj6s6s' as RefundId;

beforeAll(async () => {
  database = await freshDatabase();
  db = connect(database.url);
  await seedMerchant(db);
  order = (await createUnstarted({ db } as System)).order.id;
  const common = { order_id: order, merchant_id: 'demo', amount: 3000 };
  const payment = { ...common, id: 'pay_1', provider: 'wechatpay', method: 'wechatpay.native' } as const;
  await db
    .insertInto('payments')
    .values({ ...payment, out_trade_no: 'n1', status: 'succeeded' })
    .execute();
  const asked = { ...common, id: refund, status: 'processing', origin: 'customer', body: '{}' } as const;
  await db
    .insertInto('refunds')
    .values({ ...asked, out_refund_no: outRefundNoOf(refund, 1) })
    .execute();
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

let notices = 0;
const told = (number: string, { provider = 'wechatpay' as 'wechatpay' | 'alipay', merchant = 'demo' } = {}) => {
  const id = `ntc_${++notices}`;
  return recordNotice(db, { id, provider, merchant, noticeId: id, number: { refund: number }, body: {} });
};

/** What names no payment, as a refund's notice may, finds its order by the number that the refund was asked for with. */
it('finds the order of a notice that names only the refund, by the number of whichever of its tries', async () => {
  for (const tries of [0, 1, 2]) expect(await told(outRefundNoOf(refund, tries))).toMatchObject({ order, isNew: true });
});

it('and of no other refund, nor of another provider or merchant', async () => {
  expect((await told('1m7zs82h1acgdvnj6s6x')).order).toBeNull();
  expect((await told(outRefundNoOf(refund, 0), { provider: 'alipay' })).order).toBeNull();
  expect((await told(outRefundNoOf(refund, 0), { merchant: 'other' })).order).toBeNull();
});

import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { addCourseOrder, lockStudent, ordersOfAlbum } from '../../db/course-orders.ts';
import { findAlbum, type Album, type CourseUser } from '../../db/courses.ts';
import { nextNumber, type StoredOrder } from '../../db/orders.ts';
import { providerOf, type PaymentMethod } from '../../domain/method.ts';
import { isUnpaid, type Order, type PayableAs } from '../../domain/order.ts';
import { refusalWhenUnpaidIsOver } from '../../domain/payment.ts';
import { begin, insertFrom, type Inserted } from '../create-order.ts';
import type { ApiEnv, Services } from '../env.ts';
import { newOrderId } from '../ids.ts';
import { NewOrderBody } from '../new-order.ts';
import { offeredMethods } from '../payment-methods.ts';
import { CourseFailure } from './failures.ts';
import { courseDay } from './time.ts';
import { callerOf } from './user.ts';
import { isBought } from './view.ts';

const CURRENCY = 'CNY';
/** Contract, section 4. */
const EXPIRES_IN = 7200;
/** How long an order that is ending is waited for, and how often it is looked at. Milliseconds. */
const PATIENCE = 10_000;
const LOOK = 500;

/**
 * An order of an album. Again while it is unpaid, or once the student has the album: the same one. One that is just
 * ending may yet turn out to be paid, so it is waited for.
 * @throws CourseFailure
 */
export async function order(
  services: Services,
  c: Context<ApiEnv>,
  user: CourseUser,
  albumId: number,
): Promise<StoredOrder> {
  if (user.role !== 'student') throw new CourseFailure('forbidden');
  const album = await findAlbum(services.db, user.merchant.id, albumId);
  if (!album) throw new CourseFailure('not_found', '课程不存在');
  const methods = await waitingMethods(services, user, album);
  for (const until = services.now() + PATIENCE; ;) {
    const outcome = await sameOrNew(services, { user, album, methods });
    if ('inserted' in outcome) begin(services, c, outcome.inserted);
    if ('stored' in outcome) return outcome.stored;
    if (services.now() > until || services.stopping.aborted) throw new CourseFailure('broken');
    await services.saved.waitFor(outcome.ending.id, LOOK, services.stopping);
  }
}

type Wanted = { user: CourseUser; album: Album; methods: readonly PaymentMethod[] };
type Outcome = { stored: StoredOrder; inserted?: Inserted } | { ending: Order };

/** One student after the other at the database; see ADR 0020. */
function sameOrNew(services: Services, { user, album, methods }: Wanted): Promise<Outcome> {
  return services.db.transaction().execute(async (trx): Promise<Outcome> => {
    await lockStudent(trx, user.id);
    const earlier = await ordersOfAlbum(trx, { student: user.id, album: album.id });
    const known =
      earlier.find(({ order: one }) => isBought(one)) ??
      earlier.find(({ order: one }) => refusalWhenUnpaidIsOver(one, services.now()) === null);
    if (known) return { stored: known };
    const ending = earlier.find(({ order: one }) => isUnpaid(one));
    if (ending) return { ending: ending.order };
    const number = await nextNumber(trx);
    const tradeNo = `${number}-${user.id}-${randomBytes(2).toString('hex')}`;
    const inserted = await insertFrom({ ...services, db: trx }, callerOf(user), bodyOf(tradeNo, user, album), {
      id: newOrderId(undefined, services.now()),
      channel: 'course',
      number,
      payableAs: methods.length === 0 ? null : ({ outTradeNo: tradeNo, methods } satisfies PayableAs),
    });
    if ('takenBy' in inserted) throw new Error(`the number ${tradeNo} is taken by ${inserted.takenBy}`);
    const { stored } = inserted;
    await addCourseOrder(trx, { order: stored, album, student: user.id, day: courseDay(stored.order.createdAt) });
    return { stored, inserted };
  });
}

const bodyOf = (tradeNo: string, user: CourseUser, { id, title, price }: Album) =>
  NewOrderBody.parse({
    merchant_order_no: tradeNo,
    currency: CURRENCY,
    items: [{ sku: String(id), name: title, quantity: 1, unit_amount: price, fulfilment: 'digital' }],
    customer: { id: String(user.id) },
    expires_in: EXPIRES_IN,
  });

/** The first method on offer at each of the two; whoever opens what waits there may choose another. */
async function waitingMethods(
  services: Services,
  { merchant }: CourseUser,
  { price }: Album,
): Promise<PaymentMethod[]> {
  const offered = await offeredMethods(services, merchant, { currency: CURRENCY, amount: price });
  return (['wechatpay', 'alipay'] as const).flatMap(
    (provider) => offered.find(({ available, method }) => available && providerOf(method) === provider)?.method ?? [],
  );
}

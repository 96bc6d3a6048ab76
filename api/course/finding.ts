import {
  countCourseOrders,
  findCourseOrder,
  listCourseOrders,
  type CourseFilter,
  type CourseOrder,
} from '../../db/course-orders.ts';
import type { CourseUser } from '../../db/courses.ts';
import { listSums, type AlbumSum } from '../../db/rollup.ts';
import type { MerchantId } from '../../domain/ids.ts';
import type { Services } from '../env.ts';
import { albumMissing, CourseFailure } from './failures.ts';
import { numberIn, readNumber, required } from './params.ts';
import { courseDay, periodOf } from './time.ts';

const PAGE_SIZE = 20;
const LARGEST_PAGE = 100;

/** By `id`, or else by `trade_no`; of the student who bought it, or of the teacher whose album it is. */
export async function findOne(services: Services, user: CourseUser, params: URLSearchParams): Promise<CourseOrder> {
  const id = numberIn(params, 'id');
  const found =
    id === null
      ? await findByTradeNo(services, required(params, 'trade_no'), user.merchant.id)
      : await findCourseOrder(services.db, id, user.merchant.id);
  if (!found) throw new CourseFailure('not_found');
  const owner = user.role === 'teacher' ? found.teacherId : found.student.id;
  if (owner !== user.id) throw new CourseFailure('forbidden');
  return found;
}

/** The order's number stands first in it. */
export async function findByTradeNo(
  { db }: Pick<Services, 'db'>,
  tradeNo: string,
  merchant: MerchantId | null,
): Promise<CourseOrder | null> {
  const [number = ''] = tradeNo.split('-');
  if (!/^[1-9]\d{0,14}$/.test(number)) return null;
  const found = await findCourseOrder(db, Number(number), merchant);
  return found?.row.merchant_order_no === tradeNo ? found : null;
}

/** One page of those of a student, or of a teacher's albums, and how many there are. */
export async function list(
  { db, now }: Services,
  user: CourseUser,
  params: URLSearchParams,
): Promise<{ orders: CourseOrder[]; count: number }> {
  const filter: CourseFilter = {
    whose: user.role === 'teacher' ? { teacher: user.id } : { student: user.id },
    album: numberIn(params, 'album_id'),
    ...periodIn(params, now()),
  };
  const page = numberIn(params, 'page') ?? 1;
  const limit = Math.min(numberIn(params, 'page_size') ?? PAGE_SIZE, LARGEST_PAGE);
  const offset = (page - 1) * limit;
  if (!Number.isSafeInteger(offset)) throw new CourseFailure('invalid');
  const [count, orders] = await Promise.all([
    countCourseOrders(db, filter),
    listCourseOrders(db, filter, { limit, offset }),
  ]);
  return { orders, count };
}

function periodIn(params: URLSearchParams, now: number): Pick<CourseFilter, 'from' | 'to'> {
  const asked = params.get('time_para')?.trim();
  const period = asked ? periodOf(asked, now) : { from: null, to: null };
  if (!period) throw new CourseFailure('invalid');
  const moment = (at: number | null) => (at === null ? null : { day: courseDay(at), at: new Date(at) });
  return { from: moment(period.from), to: moment(period.to) };
}

/** What a teacher's albums have earned. */
export async function sums({ db }: Services, user: CourseUser): Promise<AlbumSum[]> {
  if (user.role !== 'teacher') throw new CourseFailure('forbidden');
  return listSums(db, { teacher: user.id });
}

/** @throws CourseFailure missing, in the source's words */
export const albumIn = (params: URLSearchParams): number => readNumber(required(params, 'album_id', albumMissing()));

import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { keepThirdBuyer, type CourseOrder } from '../../db/course-orders.ts';
import { recordNotice } from '../../db/notices.ts';
import { LIMITS } from '../../domain/limits.ts';
import { providerOf } from '../../domain/method.ts';
import { isUnpaid, type Capture, type Payment } from '../../domain/order.ts';
import { isRightMoney } from '../../domain/returns.ts';
import type { KeptNotice, PaymentReport } from '../../providers/provider.ts';
import type { ApiEnv, Services } from '../env.ts';
import { newNoticeId } from '../ids.ts';
import { tell } from '../webhooks.ts';
import { fenOf } from '../yuan.ts';
import { CourseFailure } from './failures.ts';
import { findByTradeNo } from './finding.ts';
import { required } from './params.ts';
import { isSigned } from './signature.ts';
import { sealThirdBuyer } from './third-buyer.ts';

/** What a course client says that a payment came to. It counts with a proof only: contract, section 4. */

export type Servicer = 'wechatpay' | 'alipay';
/** `amount`: fen. */
type Told = {
  tradeNo: string;
  result: string;
  money: ToldMoney | null;
};
type ToldMoney = { tradeNo: string; amount: number; buyer: string | null };
/**
 * `isTold`: the client proved that it says so; otherwise its provider said it. `attempt`: whose result it is; null where
 * nothing was to be paid.
 */
type Proof = { report: PaymentReport; isTold: boolean; attempt: Payment | null };

/** How long the order may take to take it in; it is safe by then, and goes on by itself. Milliseconds. */
const PATIENCE = 5_000;
const LOOK = 200;
const CURRENCY = 'CNY';

/** `mayAsk` throws where a provider was asked too often about an order. */
type Notice = { servicer: Servicer; params: URLSearchParams; mayAsk: (order: string) => Promise<void> };

/** @throws CourseFailure if it is not proven, or tells of another amount than the order's */
export async function takeNotice(
  services: Services,
  c: Context<ApiEnv>,
  { servicer, params, mayAsk }: Notice,
): Promise<void> {
  const told = readTold(params);
  const stored = await findByTradeNo(services, told.tradeNo, null);
  if (!stored) throw new CourseFailure('not_found');
  const proof = await proofOf(services, c, { servicer, stored, told, params, mayAsk });
  if (!proof) throw new CourseFailure('unproven');
  if (proof.attempt) await takeIn(services, c, proof.attempt, { stored, told, proof });
  if (!told.money) return;
  const moneys = [{ amount: told.money.amount, currency: CURRENCY }, moneyIn(proof.report)].filter(
    (one) => one !== null,
  );
  if (!moneys.every((money) => isRightMoney(stored.order, money)))
    throw new CourseFailure('invalid', '支付金额与订单金额不符');
  await keepBuyer(services, stored, told.money, proof);
}

const moneyIn = (report: PaymentReport) => (report.state === 'paid' ? report.money : null);

function readTold(params: URLSearchParams): Told {
  const tradeNo = short(required(params, 'trade_no'));
  const result = short(required(params, 'result'));
  if (result !== '2' && result !== 'SUCCESS') return { tradeNo, result, money: null };
  const amount = fenOf(required(params, 'amount'));
  if (amount === null) throw new CourseFailure('invalid');
  const thirdTradeNo = short(required(params, 'third_trade_no'));
  const buyer = params.get('third_buyer_id')?.trim() || null;
  return { tradeNo, result, money: { tradeNo: thirdTradeNo, amount, buyer: buyer && short(buyer) } };
}

function short(value: string): string {
  if (value.length > LIMITS.textLength) throw new CourseFailure('invalid');
  return value;
}

type Claim = { stored: CourseOrder; told: Told } & Notice;

/** Null: nothing proves it. One that is signed counts also where the merchant has no such provider: it may be the other. */
async function proofOf(services: Services, c: Context<ApiEnv>, claim: Claim): Promise<Proof | null> {
  const { stored, told, servicer, params } = claim;
  const secret = services.courseNotifySecret;
  const attempts = stored.order.payments.filter(({ outTradeNo }) => outTradeNo === told.tradeNo);
  const own = attempts.find(({ method }) => providerOf(method) === servicer);
  if (secret === null || !isSigned(params, secret)) return own ? proofByProvider(services, c, own, claim) : null;
  const attempt = own ?? attempts[0] ?? null;
  if (!attempt && isUnpaid(stored.order)) return null;
  return { report: reportOf(told, services.now()), isTold: true, attempt };
}

async function proofByProvider(
  services: Services,
  c: Context<ApiEnv>,
  attempt: Payment,
  { stored, told, mayAsk }: Claim,
): Promise<Proof | null> {
  const known = attempt.captures.find(({ unconfirmed }) => !unconfirmed);
  if (!known) await mayAsk(stored.order.id);
  const report = known ? paidBy(known) : await asked(services, c, stored, attempt);
  const proof = { isTold: false, attempt };
  if (told.money) return report.state === 'paid' ? { report, ...proof } : null;
  if (report.state !== 'failed' && report.state !== 'closed') return null;
  const { mayYetBePaid } = report.state === 'failed' ? report : {};
  const failed = { state: 'failed', reason: `result ${told.result}`, ...(mayYetBePaid && { mayYetBePaid }) } as const;
  return { report: failed, ...proof };
}

/** A try that failed is not the end of it: the same number may yet be paid. */
const reportOf = ({ result, money }: Told, now: number): PaymentReport =>
  money
    ? { state: 'paid', tradeNo: money.tradeNo, money: { amount: money.amount, currency: CURRENCY }, paidAt: now }
    : { state: 'failed', reason: `result ${result}`, mayYetBePaid: true };

const paidBy = ({ tradeNo, amount, currency, at }: Capture): PaymentReport => ({
  state: 'paid',
  tradeNo,
  money: { amount, currency },
  paidAt: at,
});

/** A provider that does not answer confirms nothing. */
async function asked(
  { findProvider }: Services,
  c: Context<ApiEnv>,
  { order }: CourseOrder,
  attempt: Payment,
): Promise<PaymentReport> {
  const { method, outTradeNo, startedAt, expiresAt, amount } = attempt;
  const money = { amount, currency: order.currency };
  const reference = attempt.reference ?? null;
  try {
    const provider = await findProvider(order.merchant, providerOf(method));
    const ref = { method, orderId: order.id, outTradeNo, reference, startedAt, expiresAt, money };
    return (await provider?.query(ref)) ?? { state: 'unknown' };
  } catch (error) {
    c.var.log.warn({ order: order.id, err: error }, 'a provider did not confirm what a course client told');
    return { state: 'unknown' };
  }
}

/** Kept first, so that it can't be lost; then the order is told, and answers by being saved. */
async function takeIn(
  services: Services,
  c: Context<ApiEnv>,
  { method }: Payment,
  { stored: { order }, told, proof: { report, isTold } }: { stored: CourseOrder; told: Told; proof: Proof },
): Promise<void> {
  const { tradeNo } = told;
  const provider = providerOf(method);
  const notice: KeptNotice = {
    id: `course-${digest([provider, tradeNo, isTold, withoutTime(report)])}`,
    account: { merchantNo: order.merchant, appId: null },
    ours: true,
    about: 'payment',
    outTradeNo: tradeNo,
    payment: report,
    ...(isTold && { told: true }),
  };
  const recorded = await recordNotice(services.db, {
    id: newNoticeId(services.now()),
    provider,
    merchant: order.merchant,
    noticeId: notice.id,
    number: { payment: tradeNo },
    body: notice,
  });
  if (!(await tell(services, c, recorded))) return;
  for (const until = services.now() + PATIENCE; services.now() < until && !services.stopping.aborted;)
    if (await isTaken(services, recorded.id)) return;
    else await services.saved.waitFor(order.id, LOOK, services.stopping);
}

/** The same thing told again is the same notice. */
const digest = (what: unknown): string => createHash('sha256').update(JSON.stringify(what)).digest('hex');
const withoutTime = (report: PaymentReport) => ({ ...report, paidAt: null });

async function isTaken({ db }: Services, notice: string): Promise<boolean> {
  const row = await db.selectFrom('notices').select('processed_at').where('id', '=', notice).executeTakeFirst();
  return row?.processed_at !== null;
}

/** Whoever does not sign has to know at least the provider's number of the payment. */
async function keepBuyer(
  { db, sealer }: Services,
  { order }: CourseOrder,
  { buyer, tradeNo }: ToldMoney,
  { report, isTold }: Proof,
): Promise<void> {
  if (buyer === null || !(isTold || (report.state === 'paid' && report.tradeNo === tradeNo))) return;
  await keepThirdBuyer(db, { order: order.id, sealed: sealThirdBuyer(sealer, order.id, buyer), replaces: isTold });
}

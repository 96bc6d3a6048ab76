import { findOrder } from '../db/orders.ts';
import { ASKED_AFTER_MS } from '../db/outbox.ts';
import { saveOrder as save, type Save, type SaveOutcome } from '../db/save.ts';
import type { PaymentFinding } from '../domain/commands.ts';
import type { MerchantId, OrderId } from '../domain/ids.ts';
import { personNamed } from '../domain/review.ts';
import type { KeptNotice } from '../providers/provider.ts';
import type { FoundReviewer, NoticeFinding, OrderToReopen, StoredEvent } from './calls.ts';
import type { Deps } from './index.ts';
import { findingOf } from './payments.ts';

/** How much of the timeline a run that opens an order again begins with: the newest, with the order below 2 MB. */
const TIMELINE_LENGTH = 100;
const TIMELINE_CHARACTERS = 200_000;

export function recordActivities({ db, notifiers }: Deps) {
  return {
    saveOrder: (work: Save): Promise<SaveOutcome> => saveAndTell({ db, notifiers }, work),

    async loadOrder(id: OrderId): Promise<OrderToReopen> {
      const stored = await findOrder(db, id, null);
      if (!stored) throw new Error(`order ${id} is not in the database (yet)`);
      const events = await db
        .selectFrom('order_events')
        .select(['seq', 'type', 'at', 'actor', 'data'])
        .where('order_id', '=', id)
        .orderBy('seq', 'desc')
        .limit(TIMELINE_LENGTH)
        .execute();
      const timeline = newest(events.map((event) => ({ ...event, at: event.at.toISOString() }))).reverse();
      return {
        order: stored.order,
        timeline,
        merchantOrderNo: stored.row.merchant_order_no,
        channel: stored.row.channel,
      };
    },

    /** The verified row that a signal named; null if there is none for this order. */
    async readNotice({ noticeId, order }: { noticeId: string; order: OrderId }): Promise<NoticeFinding | null> {
      const row = await db
        .selectFrom('notices')
        .selectAll()
        .where('id', '=', noticeId)
        .where('order_id', '=', order)
        .executeTakeFirst();
      if (!row) return null;
      const notice = row.body as KeptNotice;
      const common = { ours: notice.ours, provider: row.provider };
      if (notice.about === 'payment')
        return {
          about: 'payment',
          outTradeNo: notice.outTradeNo,
          ...common,
          ...told(notice),
        };
      const finding = notice.refund.state === 'unknown' ? ({ state: 'processing' } as const) : notice.refund;
      return { about: 'refund', outRefundNo: notice.outRefundNo, ...common, finding };
    },

    /** The operator of that merchant by this name who may review refunds; null if there is none. */
    async findReviewer({ merchant, name }: { merchant: MerchantId; name: string }): Promise<FoundReviewer | null> {
      const operator = await db
        .selectFrom('api_keys as k')
        .innerJoin('merchants as m', 'm.id', 'k.merchant_id')
        .select(['k.id', 'k.scopes', 'm.settings'])
        .where('k.merchant_id', '=', merchant)
        .where('k.kind', '=', 'operator')
        .where('k.name', '=', name)
        .where('k.revoked_at', 'is', null)
        .execute();
      const able = operator.find(({ scopes }) => scopes.includes('refunds:review'));
      if (!able) return null;
      return { key: `key:${able.id}`, person: personNamed(name), name, fourEyes: able.settings.four_eyes };
    },
  };
}

/** What the merchant tells is money only once its provider confirms it. */
function told({ payment, told: isTold }: Extract<KeptNotice, { about: 'payment' }>) {
  const finding = findingOf(payment);
  if (!isTold) return { finding };
  const unconfirmed: PaymentFinding = finding.state === 'paid' ? { ...finding, unconfirmed: true } : finding;
  return { told: true as const, finding: unconfirmed };
}

/** The merchant is told as soon as the workflow task that saved is known to be complete. */
async function saveAndTell({ db, notifiers }: Pick<Deps, 'db' | 'notifiers'>, work: Save): Promise<SaveOutcome> {
  const { outcome, endpoints } = await save(db, work);
  notifiers.tellSoon(endpoints, ASKED_AFTER_MS);
  return outcome;
}

/** As many as fit. @param entries newest first */
function newest(entries: readonly StoredEvent[]): StoredEvent[] {
  let room = TIMELINE_CHARACTERS;
  const tooLong = entries.findIndex((entry) => (room -= JSON.stringify(entry).length) < 0);
  return entries.slice(0, tooLong === -1 ? entries.length : tooLong);
}

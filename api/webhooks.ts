import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { recordNotice, type NoticeToRecord, type RecordedNotice } from '../db/notices.ts';
import { LIMITS } from '../domain/limits.ts';
import type { ProviderName } from '../domain/method.ts';
import {
  NoticeRejected,
  ProviderError,
  type Acknowledgement,
  type KeptNotice,
  type PaymentProvider,
} from '../providers/provider.ts';
import { readBytes } from './body.ts';
import type { ApiEnv, Services } from './env.ts';
import { newNoticeId } from './ids.ts';
import { newRouter } from './operation.ts';
import { namedProvider } from './named-provider.ts';
import { problemResponses } from './problem.ts';

/** Providers wait a few seconds only; a notice is safe once its row is, and a relay repeats what was not told. */
const TELLING_MS = 1_500;
/** Until then whoever took it in first is telling the order. */
const YOUNG_MS = 5_000;

const noticeRoute = {
  method: 'post' as const,
  path: '/webhooks/{provider}/{merchant}',
  operationId: 'receiveNotice',
  tags: ['Notices of payment providers'],
  summary: "Take in a payment provider's notice",
  security: [],
  description:
    "For providers only, in each provider's own form: verified by its signature, kept, then answered in its own " +
    'words. A notice for an unknown order is kept and answered with failure, so that it is sent again.',
  request: { params: z.object({ provider: z.string(), merchant: z.string() }) },
  responses: {
    200: { description: 'Kept; it can not be lost any more' },
    204: { description: 'The same, where the provider wants it so' },
    401: { description: 'The signature does not hold, or the notice is too old' },
    ...problemResponses(['not_found', 'payload_too_large']),
    500: { description: 'Not kept, or for an unknown order: send it again' },
  },
};

export const webhookRoutes = (services: Services) =>
  newRouter().openapi(noticeRoute, async (c) => {
    const { provider: name, merchant } = c.req.valid('param');
    const provider = await namedProvider(services, merchant, name);
    c.set('merchant', merchant);
    const bytes = await readBytes(c, LIMITS.noticeBytes);
    return asSaid(provider, await takeIn(services, c, provider, merchant, bytes)) as never;
  });

type Outcome = Parameters<PaymentProvider['acknowledge']>[0];

const asSaid = (provider: PaymentProvider, outcome: Outcome): Response => {
  const { status, headers, body }: Acknowledgement = provider.acknowledge(outcome);
  return new Response(body === '' ? null : body, { status, headers });
};

/** Rule 4: success only once it can't be lost. */
async function takeIn(
  services: Services,
  c: Context<ApiEnv>,
  provider: PaymentProvider,
  merchant: string,
  bytes: Uint8Array,
): Promise<Outcome> {
  const count = (outcome: string) => services.metrics.notices.inc({ provider: provider.name, outcome });
  try {
    const notice = await provider.readNotice({ headers: c.req.raw.headers, body: bytes });
    const kept = { ...notice, ours: provider.isOurs(notice.account) };
    const recorded = await record(services, provider.name, merchant, kept);
    count(outcomeOf(recorded, kept));
    if (recorded.order === null) return 'failed';
    c.set('order', recorded.order);
    await tell(services, c, recorded);
    return 'accepted';
  } catch (error) {
    if (isOfNoInterest(error)) {
      count('unhandled');
      return 'accepted';
    }
    const isRejected = error instanceof NoticeRejected;
    count(isRejected ? 'rejected' : 'failed');
    c.var.log.warn({ provider: provider.name, merchant, err: error }, 'a notice was not taken in');
    return isRejected ? 'rejected' : 'failed';
  }
}

function outcomeOf({ order, isNew }: RecordedNotice, { ours }: KeptNotice): string {
  if (order === null) return 'unknown_order';
  if (!isNew) return 'repeated';
  return ours ? 'accepted' : 'foreign';
}

/** Genuine, but about something that no order waits for: sent again it would say no more. */
const isOfNoInterest = (error: unknown): boolean => error instanceof ProviderError && error.outcome === 'refused';

const record = ({ db, now }: Services, provider: ProviderName, merchant: string, notice: KeptNotice) =>
  recordNotice(db, {
    id: newNoticeId(now()),
    provider,
    merchant,
    noticeId: notice.id,
    number: numberIn(notice),
    body: notice,
  });

function numberIn(notice: KeptNotice): NoticeToRecord['number'] {
  if (notice.about === 'payment') return { payment: notice.outTradeNo };
  return notice.outTradeNo === null ? { refund: notice.outRefundNo } : { payment: notice.outTradeNo };
}

/**
 * The same notice a hundred times at once wakes its order once; one that nobody told of is told again.
 * @returns false if the order could not be told; a relay will
 */
export async function tell(
  { gateway }: Pick<Services, 'gateway'>,
  c: Context<ApiEnv>,
  recorded: RecordedNotice,
): Promise<boolean> {
  const { id, order, isNew, isProcessed, ageMs } = recorded;
  if (order === null || isProcessed || (!isNew && ageMs < YOUNG_MS)) return true;
  const { log } = c.var;
  const telling = gateway.tellNotice(order, id).then(
    () => true,
    (error: unknown) => {
      log.warn({ order, err: error }, 'an order was not told of its notice; a relay will');
      return false;
    },
  );
  return Promise.race([telling, new Promise<false>((resolve) => setTimeout(resolve, TELLING_MS, false).unref())]);
}

import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { findMachineOf } from '../db/machines.ts';
import { ReportMalformed, type MachineGateway, type MachineReport } from '../devices/gateway.ts';
import { readDispatchId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { NoticeRejected } from '../providers/provider.ts';
import { readBytes } from './body.ts';
import type { ApiEnv, Services } from './env.ts';
import { newRouter } from './operation.ts';
import { invalid, notFound, Problem, problemResponses } from './problem.ts';

const reportRoute = {
  method: 'post' as const,
  path: '/webhooks/machines/{merchant}',
  operationId: 'receiveMachineReport',
  tags: ['Reports of machines'],
  summary: 'Take in what a machine tells of a dispatch',
  security: [],
  description:
    "For the merchant's machine backend, signed as Standard Webhooks. `delivering`, `delivered` or `failed`, with how " +
    'many came out of this dispatch so far (none: all of it). May come twice, late and in any order: what would go ' +
    'back changes nothing. Anything but 204: send it again.',
  request: {
    params: z.object({ merchant: z.string() }),
    headers: z
      .object({ 'webhook-id': z.string(), 'webhook-timestamp': z.string(), 'webhook-signature': z.string() })
      .partial(),
  },
  responses: {
    204: { description: 'Taken in; it can not be lost any more' },
    ...problemResponses([
      'invalid_request',
      'unauthenticated',
      'not_found',
      'payload_too_large',
      'internal_error',
      'temporarily_unavailable',
    ]),
  },
};

export const machineReportRoutes = (services: Services) =>
  newRouter().openapi(reportRoute, async (c) => {
    const { merchant } = c.req.valid('param');
    const gateway = await services.findMachines(merchant);
    if (!gateway) throw notFound();
    c.set('merchant', merchant);
    const report = read(services, c, gateway, await readBytes(c, LIMITS.noticeBytes));
    await tell(services, merchant, report);
    count(services, 'accepted');
    return c.body(null, 204);
  });

const count = ({ metrics }: Services, outcome: string): void => metrics.notices.inc({ provider: 'machines', outcome });

function read(services: Services, c: Context<ApiEnv>, gateway: MachineGateway, body: Uint8Array): MachineReport {
  try {
    return gateway.readReport({ headers: c.req.raw.headers, body });
  } catch (error) {
    if (error instanceof ReportMalformed) throw invalid(...error.errors);
    if (!(error instanceof NoticeRejected)) throw error;
    count(services, 'rejected');
    c.var.log.warn({ err: error }, "a machine's report was not taken in");
    throw new Problem('unauthenticated', 'The signature does not hold, or the message is not of now.');
  }
}

/** Temporal keeps a signal that it took: then the report can't be lost. */
async function tell({ db, gateway }: Services, merchant: string, report: MachineReport): Promise<void> {
  const named = readDispatchId(report.dispatch);
  const machineNo = named && (await findMachineOf(db, merchant, named));
  if (!machineNo) throw notFound();
  const { status, dispensed: quantity, detail } = report;
  const { order, item: itemId, dispatch } = named;
  const by = { type: 'machine', name: machineNo } as const;
  await gateway.tellDelivery(order, { itemId, status, dispatch, quantity, detail, by });
}

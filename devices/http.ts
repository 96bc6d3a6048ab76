import { z } from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { call, parseJson, type Edge } from '../providers/http.ts';
import { ProviderError } from '../providers/provider.ts';
import { ReportMalformed, type Dispatch, type MachineGateway, type MachineReport } from './gateway.ts';
import { retryAfterMs } from '../wire/retry-after.ts';
import { signedHeaders, signerOf } from '../wire/standard-webhooks.ts';
import { verify } from './verify.ts';

const ReportBody = z
  .strictObject({
    dispatch_id: z.string().max(64),
    status: z.enum(['delivering', 'delivered', 'failed']),
    dispensed: z.int().min(0).max(LIMITS.quantity).nullish(),
    detail: z.string().max(LIMITS.reasonLength).nullish(),
  })
  .refine(({ status, dispensed }) => status !== 'delivered' || dispensed !== 0, {
    path: ['dispensed'],
    error: 'What is delivered is at least 1.',
  });

/**
 * Machines behind the merchant's own backend: a dispatch is a signed POST to its address, done once it answers 2xx;
 * signed reports come back. Both are Standard Webhooks with the same secrets.
 */
export function httpGateway(secrets: readonly string[], edge: Omit<Edge, 'nonce'>): MachineGateway {
  const signers = secrets.map(signerOf);
  return {
    async dispatch(dispatch) {
      const text = JSON.stringify(bodyOf(dispatch));
      const what = `dispatch ${dispatch.id}`;
      const headers = { 'content-type': 'application/json', ...signedHeaders(signers, dispatch.id, text, edge.now()) };
      const body = Buffer.from(text);
      const answer = await call(edge, what, { method: 'POST', url: new URL(edge.baseUrl), headers, body });
      check(what, answer.status, retryAfterMs(answer.headers.get('retry-after'), edge.now()));
    },
    readReport({ headers, body }) {
      verify(signers, headers, body);
      return reportFrom(body);
    },
  };
}

const bodyOf = ({ id, order, item, machineNo, record, sku, name, quantity, reportUrl }: Dispatch) => ({
  dispatch_id: id,
  order_id: order,
  item_id: item,
  machine_no: machineNo,
  record,
  sku,
  name,
  quantity,
  report_url: reportUrl,
});

/** What a repetition of the same can't mend. A wrong secret can be mended, so 401 and 403 are not among them. */
const REFUSALS = new Set([400, 404, 409, 410, 413, 422]);
const BUSY = new Set([429, 503]);

function check(what: string, status: number, retryAfterMs: number | undefined): void {
  if (status >= 200 && status < 300) return;
  const outcome = REFUSALS.has(status) ? 'refused' : BUSY.has(status) ? 'busy' : 'unknown';
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new ProviderError(outcome, `http_${status}`, `${what}: the machine backend answered ${status}`, options);
}

function reportFrom(body: Uint8Array): MachineReport {
  const read = ReportBody.safeParse(parseJson(body));
  if (!read.success)
    throw new ReportMalformed(read.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })));
  const { dispatch_id: dispatch, status, dispensed, detail } = read.data;
  return { dispatch, status, dispensed: dispensed || null, detail: detail ?? null };
}

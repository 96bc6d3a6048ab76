import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { faulty } from '../faulty.ts';
import type { Env } from '../provider.ts';
import { verifyRequest } from './authorization.ts';
import { certificates } from './certificates.ts';
import { signerNamed } from './keys.ts';
import { requestId } from './notices.ts';
import type { Answer, Call, Platform } from './platform.ts';
import { createRefund, queryRefund } from './refunds.ts';
import { Refusal, wrongField } from './refusal.ts';
import type { Signer } from './signature.ts';
import { platformHeaders, sealNow } from './signature.ts';
import { billFile, tradeBill } from './statements.ts';
import { closeTransaction, createTransaction, queryTransaction } from './transactions.ts';

const LARGEST_BODY = 64 * 1024;

type Operation = (platform: Platform, call: Call) => Answer;

const OPERATIONS: readonly [method: 'GET' | 'POST', path: string, operation: Operation][] = [
  ['POST', '/v3/pay/transactions/native', (platform, call) => createTransaction(platform, 'native', call)],
  ['POST', '/v3/pay/transactions/jsapi', (platform, call) => createTransaction(platform, 'jsapi', call)],
  ['POST', '/v3/pay/transactions/h5', (platform, call) => createTransaction(platform, 'h5', call)],
  ['GET', '/v3/pay/transactions/out-trade-no/:out_trade_no', queryTransaction],
  ['GET', '/v3/pay/transactions/id/:transaction_id', queryTransaction],
  ['POST', '/v3/pay/transactions/out-trade-no/:out_trade_no/close', closeTransaction],
  ['POST', '/v3/refund/domestic/refunds', createRefund],
  ['GET', '/v3/refund/domestic/refunds/:out_refund_no', queryRefund],
  ['GET', '/v3/certificates', certificates],
  ['GET', '/v3/bill/tradebill', tradeBill],
];

/** Everything under /v3. An unknown path is an empty 404, a wrong method an empty 405 (providers.md 2.9). */
export function wechatpayRoutes(platform: Platform): Hono<Env> {
  const routes = new Hono<Env>();
  routes.use('/v3/*', faulty(platform.desk, 'wechatpay', outage));
  routes.use('/v3/*', bodyLimit({ maxSize: LARGEST_BODY, onError: () => new Response(null, { status: 413 }) }));
  for (const [method, path, operation] of OPERATIONS) {
    routes.on(method, path, (c) => answerTo(platform, c, operation));
  }
  routes.get('/v3/billdownload/file', (c) => fileFor(platform, c));
  for (const [, path] of OPERATIONS) routes.all(path, () => new Response(null, { status: 405 }));
  routes.all('/v3/*', () => new Response(null, { status: 404 }));
  return routes;
}

async function answerTo(platform: Platform, c: Context<Env>, operation: Operation): Promise<Response> {
  try {
    const call = await readCall(platform, c);
    return signed(platform, operation(platform, call), call.signer);
  } catch (error) {
    if (error instanceof Refusal) return unsigned(error);
    throw error;
  }
}

/** A bill carries no signature: its hash stood in the answer that named the link. */
async function fileFor(platform: Platform, c: Context<Env>): Promise<Response> {
  try {
    const file = billFile(platform, await readCall(platform, c));
    return new Response(new Uint8Array(file), { headers: { 'Content-Type': 'application/octet-stream' } });
  } catch (error) {
    if (error instanceof Refusal) return unsigned(error);
    throw error;
  }
}

async function readCall(platform: Platform, c: Context<Env>): Promise<Call> {
  const { accept, 'user-agent': userAgent, authorization, 'wechatpay-serial': serial } = c.req.header();
  if (!accept || !userAgent) throw new Refusal(400, 'PARAM_ERROR', 'Http头缺少Accept或User-Agent');
  const target = c.env.incoming.url ?? '';
  const body = await c.req.text();
  const { desk, merchants, keys } = platform;
  const merchant = verifyRequest({ method: c.req.method, target, body }, authorization, merchants, desk.now());
  const signer = signerNamed(keys, serial);
  if (!signer) throw wrongField('header', 'Wechatpay-Serial', serial, '平台证书序列号Wechatpay-Serial错误');
  const query = new URL(c.req.url).searchParams;
  return { merchant, signer, path: c.req.param(), query, body: c.req.method === 'POST' ? parsed(c, body) : null };
}

function parsed(c: Context<Env>, body: string): unknown {
  const type = c.req.header('content-type');
  if (!/^application\/json\b/i.test(type ?? ''))
    throw wrongField('header', 'Content-Type', type ?? null, '须为application/json');
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, 'PARAM_ERROR', '请求体不是合法的JSON', { location: 'body', issue: 'invalid JSON' });
  }
}

function signed({ desk }: Platform, { status, body }: Answer, signer: Signer): Response {
  const text = body === null ? '' : JSON.stringify(body);
  const isCorrupt = desk.faults.of('wechatpay').corrupt_signature;
  const headers = platformHeaders(signer, sealNow(text, desk.now()), isCorrupt);
  return new Response(body === null ? null : text, { status, headers: { ...headers, ...plainHeaders(body !== null) } });
}

/** Refusals carry no signature: nobody may build on them. */
function unsigned({ status, code, message, detail }: Refusal): Response {
  const body = JSON.stringify({ code, message, ...(detail && { detail }) });
  return new Response(body, { status, headers: plainHeaders(true) });
}

function outage(): Response {
  return unsigned(new Refusal(500, 'SYSTEM_ERROR', '系统异常，请稍后重试'));
}

function plainHeaders(hasBody: boolean): Record<string, string> {
  return { 'Request-ID': requestId(), ...(hasBody && { 'Content-Type': 'application/json; charset=utf-8' }) };
}

import type { KeyObject } from 'node:crypto';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { faulty } from '../faulty.ts';
import type { Env } from '../provider.ts';
import { merchantOf, requireCommon, verifyRequest } from './authorization.ts';
import { cancelTrade, closeTrade, queryTrade } from './ending.ts';
import { linkTo, openCashier, payByBarcode, precreate } from './opening.ts';
import type { KnownMerchant } from './merchant.ts';
import type { Call, Platform } from './platform.ts';
import { queryRefund, refundTrade } from './refunds.ts';
import { Refusal } from './refusal.ts';
import { billLink } from './statements.ts';
import type { Params } from './signature.ts';
import { rsaSign } from './signature.ts';

const LARGEST_BODY = 64 * 1024;

type Operation = (platform: Platform, call: Call) => object;

/** What answers with a response node. */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['alipay.trade.precreate', precreate],
  ['alipay.trade.pay', payByBarcode],
  ['alipay.trade.query', queryTrade],
  ['alipay.trade.close', closeTrade],
  ['alipay.trade.cancel', cancelTrade],
  ['alipay.trade.refund', refundTrade],
  ['alipay.trade.fastpay.refund.query', queryRefund],
  ['alipay.data.dataservice.bill.downloadurl.query', billLink],
]);

/** What a browser brings. */
const PAGES: ReadonlyMap<string, 'page' | 'wap'> = new Map([
  ['alipay.trade.page.pay', 'page'],
  ['alipay.trade.wap.pay', 'wap'],
]);

/** The one path of the gateway: methods are a parameter, in the query or the body (providers.md 1.1). */
export function gatewayRoutes(platform: Platform): Hono<Env> {
  return new Hono<Env>()
    .use('/gateway.do', faulty(platform.desk, 'alipay', outage))
    .use('/gateway.do', bodyLimit({ maxSize: LARGEST_BODY, onError: () => new Response(null, { status: 413 }) }))
    .get('/alipay/bills/:token', (c) => {
      const zip = platform.bills.find(c.req.param('token'));
      return zip ? new Response(Buffer.from(zip), { headers: { 'Content-Type': 'application/zip' } }) : c.notFound();
    })
    .on(['GET', 'POST'], '/gateway.do', async (c) => {
      const params = await paramsOf(c);
      const product = PAGES.get(params['method'] ?? '');
      return product ? pageAnswer(platform, c, params, product) : nodeAnswer(platform, params);
    });
}

async function paramsOf(c: Context<Env>): Promise<Params> {
  const inBody = c.req.method === 'POST' ? new URLSearchParams(await c.req.text()) : [];
  return Object.fromEntries([...new URL(c.req.url).searchParams, ...inBody]);
}

function pageAnswer(platform: Platform, c: Context<Env>, params: Params, product: 'page' | 'wap'): Response {
  try {
    const merchant = merchantOf(platform, params);
    verifyRequest(platform, merchant, params);
    requireCommon(params, null);
    return c.redirect(linkTo(platform, openCashier(platform, callOf(platform, merchant, params), product)), 302);
  } catch (error) {
    if (error instanceof Refusal) return errorPage(error);
    throw error;
  }
}

/** The real page is in GBK too; all of this is ASCII. */
function errorPage({ subCode }: Refusal): Response {
  const page = `<!doctype html><title>Alipay</title><h1>Simulated Alipay: the request was refused</h1><p>${subCode.replace(/^isv\./, '')}</p>`;
  return new Response(page, { status: 200, headers: { 'Content-Type': 'text/html;charset=GBK' } });
}

function nodeAnswer(platform: Platform, params: Params): Response {
  let signer: Signer | undefined;
  try {
    const merchant = merchantOf(platform, params);
    signer = signerFor(platform, merchant);
    verifyRequest(platform, merchant, params);
    const operation = operationOf(params);
    requireCommon(params, platform.desk.now());
    return response(bodyOf(params, operation(platform, callOf(platform, merchant, params)), signer));
  } catch (error) {
    if (error instanceof Refusal) return response(bodyOf(params, error.node, signer));
    throw error;
  }
}

function operationOf({ method }: Params): Operation {
  if (!method) throw new Refusal('40001', 'isv.missing-method', '缺少方法名参数');
  const operation = OPERATIONS.get(method);
  if (!operation) throw new Refusal('40002', 'isv.invalid-method', '不存在的方法名');
  return operation;
}

function callOf(platform: Platform, merchant: KnownMerchant, params: Params): Call {
  const { notify_url: notifyUrl = null, return_url: returnUrl = null, biz_content: content = '' } = params;
  if (notifyUrl !== null && !isNotifyUrl(notifyUrl, platform.mayNotifyLocalHttp))
    throw new Refusal('40002', 'isv.invalid-parameter', '无效的notify_url');
  if (returnUrl !== null && !/^https?:\/\/.{1,250}$/.test(returnUrl))
    throw new Refusal('40002', 'isv.invalid-parameter', '无效的return_url');
  return { merchant, notifyUrl, returnUrl, content: parsed(content) };
}

/** http for this machine only, and only where that is allowed. */
function isNotifyUrl(url: string, mayBeLocalHttp: boolean): boolean {
  if (url.length > 256 || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && mayBeLocalHttp && isLoopback);
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    throw new Refusal('40002', 'isv.illegal-json', '非法的JSON参数');
  }
}

type Signer = { privateKey: KeyObject; certSn: string | null; isCorrupt: boolean };

function signerFor({ keys, desk }: Platform, merchant: KnownMerchant): Signer {
  const isCorrupt = desk.faults.of('alipay').corrupt_signature === true;
  return { privateKey: keys.privateKey, certSn: merchant.certSn === null ? null : keys.certSn, isCorrupt };
}

/**
 * The node first and `sign` last, as libraries that cut by position want it; slashes escaped, as the real one does.
 * @param signer none where nobody knows whom it is for: such errors go unsigned
 */
export function bodyOf({ method = '' }: Params, node: object, signer: Signer | undefined): string {
  const name = method === '' ? 'error_response' : `${method.replace(/\W/g, '_')}_response`;
  const text = JSON.stringify(node).replaceAll('/', '\\/');
  if (!signer) return `{"${name}":${text}}`;
  const { privateKey, certSn, isCorrupt } = signer;
  const certificate = certSn === null ? '' : `"alipay_cert_sn":"${certSn}",`;
  return `{"${name}":${text},${certificate}"sign":"${rsaSign(text, privateKey, isCorrupt)}"}`;
}

function response(body: string): Response {
  return new Response(body, { status: 200, headers: { 'Content-Type': 'text/html;charset=utf-8' } });
}

function outage(): Response {
  return new Response('502 Bad Gateway', { status: 502, headers: { 'Content-Type': 'text/html' } });
}

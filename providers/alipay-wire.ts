/**
 * How Alipay's v2 gateway is spoken, whatever is said: signed requests, verified answers and forms (providers.md
 * 1.1–1.4, 1.8). What it means is in alipay.ts.
 */
import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import {
  alipayPrivateKey,
  alipayPublicKey,
  certificateSn,
  noticeText,
  rawMembers,
  requestText,
  rootCertificateSn,
  type Params,
} from './alipay-signing.ts';
import { call, parseJson, type Edge, type HttpAnswer } from './http.ts';
import { ProviderError } from './provider.ts';
import { signRsaSha256, verifyRsaSha256 } from './signing.ts';
import { beijingTime, instantOf, maskedSentence } from './text.ts';

export type AlipayAccount = {
  appId: string;
  /** The merchant's own number at Alipay (PID): whom notices have to mean. */
  sellerId: string;
  /** The application's, as PEM or one line of base64. */
  privateKey: string;
  /** Alipay's, for applications that use public keys. Either this or `certificates`. */
  alipayPublicKey?: string | undefined;
  /** PEM each; for applications in certificate mode. */
  certificates?: { app: string; alipay: string; root: string } | undefined;
};

/** Where notices go, and the browser. */
export type Urls = { notifyUrl?: string; returnUrl?: string };

export type AlipayWire = {
  /** The verified node of an answer with 10000 or 10003. @param what for messages. @throws ProviderError */
  ask(what: string, method: string, content: object, urls?: Urls): Promise<unknown>;
  /** A signed URL for a browser. */
  link(method: string, content: object, urls: Urls): string;
  /** Why these fields can't be taken as Alipay's own; undefined if they can. */
  flawIn(fields: Params): string | undefined;
};

type Keys = { ours: KeyObject; theirs: KeyObject; theirSn: string | null; named: Params };

/** @throws Error if the account's keys can't be what they should be; names the field */
export function alipayWire(account: AlipayAccount, edge: Edge): AlipayWire {
  const keys = keysOf(account);
  const signed = (method: string, content: object, urls: Urls): Params => {
    const params = { ...requestParams(account, edge.now(), method, content, urls), ...keys.named };
    return { ...params, sign: signRsaSha256(keys.ours, requestText(params)) };
  };
  return {
    async ask(what, method, content, urls = {}) {
      const { biz_content: body = '', ...query } = signed(method, content, urls);
      const answer = await call(edge, `alipay ${what}`, {
        method: 'POST',
        url: new URL(`${edge.baseUrl}?${new URLSearchParams(query).toString()}`),
        headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8', 'user-agent': 'durable-orders' },
        body: Buffer.from(new URLSearchParams({ biz_content: body }).toString()),
      });
      return nodeOf(keys, what, method, answer);
    },
    link: (method, content, urls) => `${edge.baseUrl}?${new URLSearchParams(signed(method, content, urls)).toString()}`,
    flawIn: (fields) => flawIn(keys.theirs, fields),
  };
}

function keysOf({ privateKey, alipayPublicKey: publicKey, certificates }: AlipayAccount): Keys {
  const ours = alipayPrivateKey('alipay privateKey', privateKey);
  if ((publicKey === undefined) === (certificates === undefined))
    throw new Error('alipay alipayPublicKey: give either it or certificates');
  if (!certificates) {
    return { ours, theirs: alipayPublicKey('alipay alipayPublicKey', publicKey ?? ''), theirSn: null, named: {} };
  }
  return {
    ours,
    theirs: alipayPublicKey('alipay certificates.alipay', certificates.alipay),
    theirSn: certificateSn('alipay certificates.alipay', certificates.alipay),
    named: {
      app_cert_sn: certificateSn('alipay certificates.app', certificates.app),
      alipay_root_cert_sn: rootCertificateSn('alipay certificates.root', certificates.root),
    },
  };
}

/** `2026-11-21 10:30:00`, in China's time, whatever this process's. @param epochMs epoch milliseconds */
export const alipayTime = (epochMs: number): string => beijingTime(epochMs).slice(0, 19).replace('T', ' ');

/** Epoch milliseconds of such a time, with or without thousandths; undefined for anything else. */
export function alipayInstant(time: string | null | undefined): number | undefined {
  return time && /^\d{4}-\d\d-\d\d /.test(time) ? instantOf(`${time.replace(' ', 'T')}+08:00`) : undefined;
}

function requestParams(
  { appId }: AlipayAccount,
  nowMs: number,
  method: string,
  content: object,
  { notifyUrl, returnUrl }: Urls,
): Params {
  return {
    app_id: appId,
    method,
    format: 'JSON',
    charset: 'utf-8',
    sign_type: 'RSA2',
    timestamp: alipayTime(nowMs),
    version: '1.0',
    ...(notifyUrl !== undefined && { notify_url: notifyUrl }),
    ...(returnUrl !== undefined && { return_url: returnUrl }),
    biz_content: JSON.stringify(content),
  };
}

const Code = z.object({
  code: z.string(),
  sub_code: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional()
    .catch(undefined),
  sub_msg: z.string().catch(''),
});

/** Section 1.3: verified as it was sent, and only then read. */
function nodeOf(keys: Keys, what: string, method: string, { status, body }: HttpAnswer): unknown {
  if (status !== 200) throw lost(what, `HTTP_${status}`, `answered ${status}`);
  const members = rawMembers(body.toString('utf8')) ?? new Map<string, string>();
  const raw = members.get(`${method.replaceAll('.', '_')}_response`) ?? members.get('error_response');
  const node = raw === undefined ? undefined : parseJson(Buffer.from(raw));
  const { data } = Code.safeParse(node);
  if (raw === undefined || !data) throw lost(what, 'malformed_answer', 'malformed answer');
  const flaw = flawOf(keys, raw, text(members.get('sign')), text(members.get('alipay_cert_sn')));
  // What the gateway refuses before it knows for whom, it does not sign; nothing else counts unsigned.
  if (flaw !== undefined && (flaw !== UNSIGNED || !isGatewayRefusal(data.code)))
    throw lost(what, 'unverified_answer', flaw);
  if (flaw === undefined && (data.code === '10000' || data.code === '10003')) return node;
  const { code, sub_code: subCode = code, sub_msg } = data;
  const message = `alipay ${what}: ${code} ${subCode} ${maskedSentence(sub_msg)}`.trimEnd();
  throw new ProviderError(outcomeOf(code, subCode), subCode, message);
}

const UNSIGNED = 'the answer is not signed';

function flawOf({ theirs, theirSn }: Keys, raw: string, sign?: string, sn?: string): string | undefined {
  if (!sign) return UNSIGNED;
  if (theirSn !== null && sn !== undefined && sn !== theirSn)
    return `signed with another certificate${/^\w{1,64}$/.test(sn) ? ` ${sn}` : ''}`;
  return verifyRsaSha256(theirs, raw, sign) ? undefined : 'signature does not hold';
}

function text(raw: string | undefined): string | undefined {
  const value = raw === undefined ? undefined : parseJson(Buffer.from(raw));
  return typeof value === 'string' ? value : undefined;
}

/** Missing or invalid parameters, missing rights (section 1.4): refused before anything is done. */
const isGatewayRefusal = (code: string): boolean => /^(20001|4000[1236])$/.test(code);

/** Section 1.4. */
function outcomeOf(code: string, subCode: string): ProviderError['outcome'] {
  if (code === '40005') return 'busy';
  const isKnown = isGatewayRefusal(code) || code === '40004';
  return isKnown && !/SYSTEM_ERROR$|^isp\.|^aop\./i.test(subCode) ? 'refused' : 'unknown';
}

const lost = (what: string, code: string, flaw: string): ProviderError =>
  new ProviderError('unknown', code, `alipay ${what}: ${flaw}`);

/** Section 1.8. The message quotes nothing. */
function flawIn(key: KeyObject, fields: Params): string | undefined {
  const { sign, sign_type: kind = 'RSA2' } = fields;
  if (!sign) return 'not signed';
  if (kind !== 'RSA2') return 'signed otherwise than with RSA2';
  return verifyRsaSha256(key, noticeText(fields), sign) ? undefined : 'signature does not hold';
}

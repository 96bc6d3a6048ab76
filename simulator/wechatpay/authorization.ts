import type { KeyObject } from 'node:crypto';
import type { KnownMerchant } from './merchant.ts';
import { Refusal } from './refusal.ts';
import { requestText, rsaVerify, SIGNATURE_TYPE } from './signature.ts';

/** The platform refuses what was signed longer ago (providers.md 2.2). */
const LONGEST_SKEW_SECONDS = 300;

const PARTS = ['mchid', 'nonce_str', 'signature', 'timestamp', 'serial_no'] as const;

export type Authorization = Record<(typeof PARTS)[number], string>;

export type SignedRequest = { method: string; target: string; body: string };

/** `WECHATPAY2-SHA256-RSA2048 mchid="…",nonce_str="…",…`: any order, each part once, no spaces. */
export function parseAuthorization(header: string | undefined): Authorization {
  const [type, rest = ''] = (header ?? '').split(/ (.*)/s);
  if (type !== SIGNATURE_TYPE || !/^\w+="[^"]*"(,\w+="[^"]*")*$/.test(rest))
    throw badAuthorization(`认证类型须为${SIGNATURE_TYPE}`);
  const found = [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as const);
  const parts = Object.fromEntries(found) as Authorization;
  if (found.length !== PARTS.length || !PARTS.every((part) => parts[part]))
    throw badAuthorization('Authorization参数缺失');
  return parts;
}

/** Answers whose request it is. Throws SIGN_ERROR unless that merchant signed exactly this, just now. */
export function verifyRequest(
  request: SignedRequest,
  header: string | undefined,
  merchants: ReadonlyMap<string, KnownMerchant>,
  now: number,
): KnownMerchant {
  const authorization = parseAuthorization(header);
  const merchant = merchants.get(authorization.mchid);
  if (!merchant) throw badAuthorization('商户号不存在');
  if (merchant.serialNo !== authorization.serial_no) throw badAuthorization('商户证书序列号有误');
  if (!isRecent(authorization.timestamp, now))
    throw badAuthorization('Http头Authorization中的timestamp与发起请求的时间不得超过5分钟');
  if (!isSignedBy(merchant.publicKey, request, authorization)) throw signatureMismatch(request, authorization);
  return merchant;
}

/** Whether the signature covers this very request. */
export function isSignedBy(publicKey: KeyObject, request: SignedRequest, authorization: Authorization): boolean {
  return rsaVerify(textOf(request, authorization), authorization.signature, publicKey);
}

function textOf(request: SignedRequest, { timestamp, nonce_str: nonce }: Authorization): string {
  return requestText({ ...request, timestamp, nonce });
}

function isRecent(timestamp: string, now: number): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(now / 1000 - Number(timestamp)) <= LONGEST_SKEW_SECONDS;
}

function badAuthorization(message: string): Refusal {
  return new Refusal(401, 'SIGN_ERROR', message, { field: 'Authorization', location: 'header', issue: message });
}

/** The real platform shows what it verified, cut short; it is what people look for first. */
function signatureMismatch(request: SignedRequest, authorization: Authorization): Refusal {
  const text = textOf(request, authorization);
  return new Refusal(401, 'SIGN_ERROR', '错误的签名，验签失败', {
    detail: { issue: 'sign not match' },
    field: 'signature',
    location: 'authorization',
    sign_information: {
      method: request.method,
      url: request.target,
      truncated_sign_message: text.slice(0, 256),
      sign_message_length: Buffer.byteLength(text),
    },
  });
}

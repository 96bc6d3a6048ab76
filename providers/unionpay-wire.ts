/** How UnionPay ACP 5.1.0 is spoken, whatever is said (providers.md 3.1–3.4). What it means is in unionpay.ts. */
import { X509Certificate } from 'node:crypto';
import { isIssuedBy } from './certificate-chain.ts';
import { BILL_LIMITS, call, type Edge, type HttpRequest } from './http.ts';
import { ProviderError } from './provider.ts';
import { privateKeyFrom } from './signing.ts';
import { flawIn, formText, isSignedBy, readAnswer, signMessage, type Chain, type Message } from './unionpay-message.ts';

export type UnionPayAccount = {
  /** 15 characters. */
  merId: string;
  /** PEM of the merchant's signing certificate: out of the .pfx, which Node can't read. */
  certificate: string;
  /** PEM; belongs to that certificate. */
  privateKey: string;
  /** PEM of whoever vouches for UnionPay's own certificate. */
  rootCertificate: string;
  middleCertificate: string;
};

export type UnionPayWire = {
  /** A message of ours, whole and signed. */
  signed(fields: Message): Message;
  /** Whether a message is one that we signed. */
  isOurs(message: Message): boolean;
  /** Where it is posted to. @param page without `.do` */
  url(page: string): URL;
  /** The verified answer. @param what for messages. @throws ProviderError */
  ask(what: string, page: string, fields: Message): Promise<Message>;
  /** The verified answer of the file service, which has an address of its own. @throws ProviderError */
  askForFile(what: string, fields: Message): Promise<Message>;
  /** Why a message can't be taken as UnionPay's own; undefined if it can. */
  flawIn(message: Message): string | undefined;
};

/** @throws Error if the account's keys can't be what they should be; names the field */
export function unionPayWire(account: UnionPayAccount, edge: Edge): UnionPayWire {
  const key = privateKeyFrom('unionpay privateKey', account.privateKey);
  const certificate = certificateFrom('certificate', account.certificate);
  if (!certificate.checkPrivateKey(key)) throw new Error('unionpay privateKey: does not belong to the certificate');
  const chain = chainOf(account, edge);
  const common = { version: '5.1.0', encoding: 'UTF-8', signMethod: '01', accessType: '0', merId: account.merId };
  const certId = BigInt(`0x${certificate.serialNumber}`).toString();
  const signed = (fields: Message): Message => signMessage(key, { ...common, ...fields, certId });
  const url = (page: string) => new URL(`${edge.baseUrl.replace(/\/+$/, '')}/gateway/api/${page}.do`);
  const verified = async (what: string, request: HttpRequest): Promise<Message> => {
    const answer = await call(edge, `unionpay ${what}`, request);
    // Whatever else UnionPay says comes with a 200: something on the way answered, so who knows.
    if (answer.status !== 200)
      throw new ProviderError('unknown', `HTTP_${answer.status}`, `unionpay ${what}: ${answer.status}`);
    const message = readAnswer(answer.body.toString('utf8')) ?? {};
    const flaw = flawIn(chain, message, edge.now());
    if (flaw !== undefined) throw new ProviderError('unknown', 'unverified_answer', `unionpay ${what}: ${flaw}`);
    return message;
  };
  return {
    signed,
    isOurs: (message) => message['merId'] === account.merId && isSignedBy(certificate.publicKey, message),
    url,
    flawIn: (message) => flawIn(chain, message, edge.now()),
    ask: (what, page, fields) => verified(what, requestFor(url(page), signed(fields))),
    askForFile: (what, fields) => verified(what, { ...requestFor(fileUrl(edge), signed(fields)), limits: BILL_LIMITS }),
  };
}

/** `filedownload.95516.com` beside `gateway.95516.com`, in the test environment too (providers.md 3.1). */
function fileUrl({ baseUrl }: Edge): URL {
  const url = new URL('/', baseUrl);
  url.hostname = url.hostname.replace(/^gateway\.((?:test\.)?95516\.com)$/, 'filedownload.$1');
  return url;
}

function requestFor(url: URL, message: Message): HttpRequest {
  const headers = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', 'user-agent': 'durable-orders' };
  return { method: 'POST', url, headers, body: Buffer.from(formText(message)) };
}

function chainOf(account: UnionPayAccount, { baseUrl }: Edge): Chain {
  const root = certificateFrom('rootCertificate', account.rootCertificate);
  const middle = certificateFrom('middleCertificate', account.middleCertificate);
  if (!isIssuedBy(middle, root)) throw new Error('unionpay middleCertificate: not issued by the rootCertificate');
  return { root, middle, isTest: new URL(baseUrl).hostname === 'gateway.test.95516.com' };
}

function certificateFrom(field: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`unionpay ${field}: not a certificate in PEM form`);
  }
}

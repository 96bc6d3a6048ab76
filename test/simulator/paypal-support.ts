/** A merchant's app at the simulated PayPal: plain calls, and node:crypto to verify its events. */
import { verify, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { PaypalMerchant, Simulator, SimulatorOptions } from '../../simulator/server.ts';
import { freshNumber, simulator, type Json, type Received } from './support.ts';

type PaypalVector = {
  body: string;
  headers: Record<string, string>;
  webhook_id: string;
  crc32_decimal: string;
  canonical: string;
  key: string;
};
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
export const keys = read('keys') as Record<string, Record<string, string>>;
export const vector = (read('paypal') as { vectors: [PaypalVector] }).vectors[0];

export const app = {
  clientId: 'AcmeShopClientId0000000000000000000000000000000000000000000000000000000000000000',
  clientSecret: 'acme-shop-client-secret-000000000000000000000000000000000000000000000000000000',
  payeeId: 'ACMEPAYEEID23',
};
export const WEBHOOK_ID = '1JE4291016473214C';
export const stranger: PaypalMerchant = {
  clientId: 'AnotherClientId0000000000000000',
  clientSecret: 'another-client-secret-00000000',
  payeeId: 'OTHERPAYEE234',
  webhook: null,
};

export const paypalSimulator = (webhookUrl?: string, options: Partial<SimulatorOptions> = {}): Promise<Simulator> => {
  const webhook = webhookUrl === undefined ? null : { id: WEBHOOK_ID, url: webhookUrl };
  return simulator({ merchants: [{ ...app, webhook }, stranger], ...options });
};

type At = Pick<Simulator, 'url'>;
type Credentials = Pick<PaypalMerchant, 'clientId' | 'clientSecret'>;

export function askForToken(
  { url }: At,
  { clientId, clientSecret }: Credentials = app,
  body = 'grant_type=client_credentials',
) {
  return fetch(`${url}/v1/oauth2/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body,
  });
}
export const tokenOf = async (at: At, credentials: Credentials = app): Promise<string> =>
  ((await (await askForToken(at, credentials)).json()) as { access_token: string }).access_token;

export type Asked = { token?: string; requestId?: string; headers?: Record<string, string> };

export async function ask(at: At, method: 'GET' | 'POST', path: string, body?: unknown, asked: Asked = {}) {
  const token = asked.token ?? (await tokenOf(at));
  const answer = await fetch(`${at.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      prefer: 'return=representation',
      ...(asked.requestId !== undefined && { 'paypal-request-id': asked.requestId }),
      ...asked.headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Json };
}

export const orderBody = (changes: Json = {}, unit: Json = {}): Json => ({
  intent: 'CAPTURE',
  purchase_units: [
    {
      reference_id: 'ord_1',
      custom_id: freshNumber('PP'),
      description: 'Green tea',
      amount: { currency_code: 'USD', value: '19.99' },
      ...unit,
    },
  ],
  payment_source: {
    paypal: {
      experience_context: { return_url: 'https://shop.example.com/back', cancel_url: 'https://shop.example.com/no' },
    },
  },
  ...changes,
});

/** A new order: its id at PayPal, our number, and where the payer goes. */
export async function opened(at: At, unit: Json = {}): Promise<{ id: string; number: string; url: string }> {
  const body = orderBody({}, unit);
  const { status, json } = await ask(at, 'POST', '/v2/checkout/orders', body);
  if (status !== 201) throw new Error(`not opened: ${status} ${JSON.stringify(json)}`);
  const links = json['links'] as { rel: string; href: string }[];
  const number = String((body['purchase_units'] as Json[])[0]!['custom_id']);
  return { id: String(json['id']), number, url: links.find(({ rel }) => rel === 'payer-action')!.href };
}

export const orderOf = (at: At, id: string) => ask(at, 'GET', `/v2/checkout/orders/${id}`);
export const capture = (at: At, id: string, asked: Asked = {}) =>
  ask(at, 'POST', `/v2/checkout/orders/${id}/capture`, {}, asked);
export const issueIn = (json: Json): unknown => (json['details'] as Json[])[0]?.['issue'];

/** What an order's captures look like. */
export function captureIn(json: Json): Json {
  const [unit] = json['purchase_units'] as [{ payments: { captures: [Json] } }];
  return unit.payments.captures[0];
}

/** Whether the platform signed the event, with the certificate that it names. */
export async function isGenuine({ headers, body }: Received, webhookId = WEBHOOK_ID): Promise<boolean> {
  const part = (name: string) => String(headers[`paypal-${name}`]);
  const certificate = new X509Certificate(await (await fetch(part('cert-url'))).text());
  const text = `${part('transmission-id')}|${part('transmission-time')}|${webhookId}|${crc32(Buffer.from(body))}`;
  return verify('sha256', Buffer.from(text), certificate.publicKey, Buffer.from(part('transmission-sig'), 'base64'));
}

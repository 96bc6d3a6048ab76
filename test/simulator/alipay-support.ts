/** Alipay's tests share: merchants in both modes, the independent SDK as their client, a shop that takes its forms. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AlipaySdk } from 'alipay-sdk';
import type { AlipayMerchant, Simulator } from '../../simulator/server.ts';
import { freshNumber, keys, privateKey, publicKeyOf, type Json } from './support.ts';

export const APP_ID = '2021000000000001';
export const CERT_APP_ID = '2021000000000002';
export const SELLER_ID = '2088101568338364';

export const appCertificate = keys['alipay_app']?.['cert_pem'] ?? '';

/** The same key pair, known by its public key, and by its certificate. */
export const merchants: AlipayMerchant[] = [
  { alipayAppId: APP_ID, sellerId: SELLER_ID, publicKeyPem: publicKeyOf(privateKey('alipay_app')) },
  { alipayAppId: CERT_APP_ID, sellerId: SELLER_ID, publicKeyPem: appCertificate },
];

/** A clock in Beijing: the SDK would take the one of this process. */
export const timestamp = (offsetMs = 0): string =>
  new Date(Date.now() + 8 * 3600_000 + offsetMs).toISOString().slice(0, 19).replace('T', ' ');

export type Mode = 'public key' | 'certificate';

/** The independent client. */
export function alipayClient({ url, alipay }: Simulator, mode: Mode = 'public key', key = 'alipay_app'): AlipaySdk {
  const common = { gateway: `${url}/gateway.do`, privateKey: privateKey(key), keyType: 'PKCS8' as const };
  if (mode === 'public key') return new AlipaySdk({ ...common, appId: APP_ID, alipayPublicKey: alipay.publicKeyPem });
  return new AlipaySdk({
    ...common,
    appId: CERT_APP_ID,
    appCertContent: appCertificate,
    alipayPublicCertContent: alipay.certificatePem,
    alipayRootCertContent: alipay.certificatePem,
  });
}

/** A call whose answer's signature the SDK has verified; its names as Alipay sends them. */
export async function exec(
  sdk: AlipaySdk,
  method: string,
  bizContent: Json,
  more: Json = {},
): Promise<Json & { code: string }> {
  const answer = await sdk.exec(method, { timestamp: timestamp(), ...more, bizContent }, { validateSign: true });
  return answer as unknown as Json & { code: string };
}

export const trade = (changes: Json = {}) => ({
  out_trade_no: freshNumber(),
  total_amount: '88.88',
  subject: '测试 商品+%',
  ...changes,
});

/** Opens a QR code; answers its number and content. */
export async function qr(sim: Simulator, changes: Json = {}, more: Json = {}) {
  const content = trade({ product_code: 'QR_CODE_OFFLINE', ...changes });
  const answer = await exec(alipayClient(sim), 'alipay.trade.precreate', content, more);
  if (answer.code !== '10000') throw new Error(`not opened: ${JSON.stringify(answer)}`);
  return { outTradeNo: content.out_trade_no, qrCode: String(answer['qrCode']) };
}

/** The URL that a shop sends a browser to, by the SDK. */
export function pageUrl(sim: Simulator, method: string, content: Json, more: Json = {}): string {
  return alipayClient(sim).pageExecute(method, 'GET', { timestamp: timestamp(), ...more, bizContent: content });
}

/** A shop that keeps every form it gets, and answers what it is told to. */
export async function formShop() {
  const received: Record<string, string>[] = [];
  const shop = { received, url: '', answer: () => ({ status: 200, body: 'success' }), close: () => undefined as void };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push(Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString('utf8'))));
      const { status, body } = shop.answer();
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  shop.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
  shop.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return shop;
}

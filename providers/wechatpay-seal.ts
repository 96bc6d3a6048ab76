/** Whether bytes are WeChat Pay's own: answers and notices are signed alike (providers.md 2.3). */
import type { KeyObject } from 'node:crypto';
import { verifyRsaSha256 } from './signing.ts';

/** A signature is good for this long, either side of our clock. */
const MAX_AGE_SECONDS = 300;

/** The key of that name, if it may sign for WeChat Pay now. */
export type FindKey = (serial: string) => KeyObject | undefined | Promise<KeyObject | undefined>;

/**
 * Why these bytes can't be taken as WeChat Pay's own; undefined if they can. The key is looked for last, as that may
 * take a call. The flaws quote nothing but a well-formed serial.
 */
export async function findFlaw(
  keyOf: FindKey,
  nowMs: number,
  headers: Headers,
  body: Uint8Array,
): Promise<string | undefined> {
  const [timestamp, nonce, serial, signature] = ['timestamp', 'nonce', 'serial', 'signature'].map((name) =>
    headers.get(`wechatpay-${name}`),
  );
  if (!timestamp || !nonce || !serial || !signature) return 'not signed';
  if (!/^\d{1,12}$/.test(timestamp)) return 'malformed timestamp';
  if (Math.abs(Math.floor(nowMs / 1000) - Number(timestamp)) > MAX_AGE_SECONDS)
    return 'timestamp too far from our clock';
  const key = await keyOf(serial);
  if (!key) return `signed with an unknown key${/^\w{1,64}$/.test(serial) ? ` ${serial}` : ''}`;
  const text = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
  return verifyRsaSha256(key, text, signature) ? undefined : 'signature does not hold';
}

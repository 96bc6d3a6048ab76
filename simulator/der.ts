/** Just enough of DER (X.690) to write a certificate. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
};

function element(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** One byte below 128, else the number of length bytes and then those. */
function lengthOf(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes = Buffer.from(size.toString(16).padStart(size > 0xffff ? 6 : size > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export const sequence = (...content: Uint8Array[]): Buffer => element(TAG.sequence, ...content);
export const set = (...content: Uint8Array[]): Buffer => element(TAG.set, ...content);
export const nothing = (): Buffer => element(TAG.null);
export const yes = (): Buffer => element(TAG.boolean, Buffer.from([0xff]));
export const utf8 = (text: string): Buffer => element(TAG.utf8, Buffer.from(text, 'utf8'));
export const bitString = (bytes: Uint8Array): Buffer => element(TAG.bitString, Buffer.from([0]), bytes);

export const octetString = (bytes: Uint8Array): Buffer => element(TAG.octetString, bytes);

/** `[number]`, around what it tags. */
export const tagged = (number: number, content: Uint8Array): Buffer => element(0xa0 | number, content);

/** Of big-endian bytes, never negative: a first bit that is set gets a zero byte before it. */
export function integer(bytes: Uint8Array): Buffer {
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  return element(TAG.integer, Buffer.from(isNegative ? [0] : []), bytes);
}

/** Years 1950 to 2049 only, as RFC 5280 wants it. */
export function utcTime(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return element(TAG.utcTime, Buffer.from(`${digits}Z`, 'ascii'));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits a byte; all but the last have the high bit set. */
function base128(number: number): number[] {
  const bytes = [number & 0x7f];
  for (let left = number >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

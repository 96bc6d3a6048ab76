import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer, SealError } from '../../db/sealed.ts';

const old = { id: 'k1', key: Buffer.alloc(32, 1) };
const current = { id: 'k2', key: Buffer.alloc(32, 2) };
const place = 'orders.personal/ord_1';

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(SealError);
    return (error as SealError).message;
  }
  throw new Error('did not throw');
};

describe('seals and opens', () => {
  const sealer = createSealer([current]);

  it('gives back whatever JSON can hold, in its own place', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, context) => {
        expect(sealer.open(sealer.seal(value, context), context)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('shows neither the value nor whether two values are equal', () => {
    const value = { name: '王小明', phone: '13800000000' };
    const [one, two] = [sealer.seal(value, place), sealer.seal(value, place)];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^v1\.k2\.[\w-]+$/);
    expect(Buffer.from(one.split('.')[2]!, 'base64url').toString('utf8')).not.toContain('王小明');
  });

  it('never uses a nonce twice', () => {
    const nonces = Array.from({ length: 2000 }, () => sealer.seal(1, place).split('.')[2]!.slice(0, 16));
    expect(new Set(nonces).size).toBe(2000);
  });

  it('refuses what JSON cannot hold', () => {
    expect(messageOf(() => sealer.seal(undefined, place))).toContain(place);
    expect(messageOf(() => sealer.seal(() => 1, place))).toContain(place);
  });

  it('keeps its form: an implementation of its own opens it', () => {
    const sealed = sealer.seal({ a: 1 }, place);
    const bytes = Buffer.from(sealed.split('.')[2]!, 'base64url');
    const key = Buffer.from(hkdfSync('sha256', current.key, 'durable-orders', 'columns', 32));
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(`v1.k2.${place}`)).setAuthTag(bytes.subarray(-16));
    expect(decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')).toBe('{"a":1}');
  });

  it('still opens what was sealed when this test was written', () => {
    const sealed = 'v1.k2.cHsP28IlmCzWdDJM77r9jgULH_YHRD2-BwERTv7a4LSVDIb2ATok0H_0rhBHBQRzYW5Og5v8OQg';
    expect(sealer.open(sealed, place)).toEqual({ name: 'A', list: [1, null] });
  });
});

describe('refuses', () => {
  const sealer = createSealer([current, old]);
  const value = { name: 'A' };

  it('a value moved to another row or column', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (from, to) => {
        fc.pre(from !== to);
        const sealed = sealer.seal(value, from);
        expect(messageOf(() => sealer.open(sealed, to))).toContain('another place');
      }),
    );
  });

  it('a value with any one bit changed', () => {
    const bytes = Buffer.from(sealer.seal(value, place).split('.')[2]!, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(messageOf(() => sealer.open(`v1.k2.${changed.toString('base64url')}`, place))).toContain('tampered');
    }
  });

  it('a value cut short anywhere, or longer', () => {
    const bytes = Buffer.from(sealer.seal(value, place).split('.')[2]!, 'base64url');
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length).toString('base64url');
      expect(messageOf(() => sealer.open(`v1.k2.${cut}`, place))).toMatch(/tampered|malformed/);
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url');
    expect(messageOf(() => sealer.open(`v1.k2.${longer}`, place))).toContain('tampered');
  });

  it('any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => sealer.open(text, place)).toThrow(SealError);
        expect(() => sealer.open(`v1.k2.${text}`, place)).toThrow(SealError);
      }),
    );
  });

  it('a second spelling of the same bytes', () => {
    const sealed = sealer.seal(value, place);
    for (const other of [`${sealed}=`, `${sealed}\n`, ` ${sealed}`, sealed.replace('v1.k2.', 'v1.k2. ')]) {
      expect(() => sealer.open(other, place)).toThrow(SealError);
    }
  });

  it('a key id put in the place of another', () => {
    const sealed = sealer.seal(value, place);
    expect(messageOf(() => sealer.open(sealed.replace('v1.k2.', 'v1.k1.'), place))).toContain('tampered');
  });

  it('an id that lies about its key', () => {
    const sealed = createSealer([{ ...current, key: randomBytes(32) }]).seal(value, place);
    expect(messageOf(() => sealer.open(sealed, place))).toContain('tampered');
  });

  it('never says what the value was', () => {
    const sealed = sealer.seal({ name: 'SECRET' }, place);
    const message = messageOf(() => sealer.open(sealed, 'orders.personal/ord_2'));
    expect(message).not.toContain('SECRET');
    expect(message).not.toContain(sealed);
  });
});

describe('keys rotate', () => {
  const before = createSealer([old]);
  const after = createSealer([current, old]);

  it('opens what the old key sealed, and seals with the new one', () => {
    expect(after.open(before.seal('x', place), place)).toBe('x');
    expect(after.seal('x', place)).toMatch(/^v1\.k2\./);
  });

  it('names a key that it does not have, and those that it has', () => {
    const message = messageOf(() => before.open(after.seal('x', place), place));
    expect(message).toContain('k2');
    expect(message).toContain('k1');
  });

  it('opens every value of every generation, in any order of keys', () => {
    const ring = [1, 2, 3, 4].map((n) => ({ id: `k${n}`, key: Buffer.alloc(32, n) }));
    fc.assert(
      fc.property(fc.shuffledSubarray(ring, { minLength: 4 }), fc.nat(3), fc.jsonValue(), (keys, n, value) => {
        const sealed = createSealer([ring[n]!]).seal(value, place);
        expect(createSealer(keys).open(sealed, place)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is not disturbed by what becomes of the buffer it was given', () => {
    const key = Buffer.alloc(32, 9);
    const sealer = createSealer([{ id: 'k', key }]);
    const sealed = sealer.seal('x', place);
    key.fill(0);
    expect(sealer.open(sealed, place)).toBe('x');
    expect(sealer.derive('a')).toEqual(createSealer([{ id: 'k', key: Buffer.alloc(32, 9) }]).derive('a'));
  });
});

describe('derives keys', () => {
  const sealer = createSealer([current, old]);

  it("the first key's for making, every key's for recognising", () => {
    const [first, second, ...none] = sealer.deriveAll('checkout tokens');
    expect(sealer.derive('checkout tokens')).toEqual(first);
    expect(second).toEqual(createSealer([old]).derive('checkout tokens'));
    expect(none).toEqual([]);
    expect(first).not.toEqual(second);
  });

  it('by HKDF-SHA256, 32 bytes, another one for each purpose', () => {
    const expected = hkdfSync('sha256', current.key, 'durable-orders', 'purpose/a', 32);
    expect(sealer.derive('a')).toEqual(Buffer.from(expected));
    expect(sealer.derive('a')).toHaveLength(32);
    expect(sealer.derive('a')).not.toEqual(sealer.derive('b'));
  });
});

describe('wants proper keys', () => {
  it.each([
    ['none', [], 'no sealing key'],
    ['31 bytes', [{ id: 'k', key: Buffer.alloc(31) }], 'k: 31 bytes'],
    ['no id', [{ id: '', key: Buffer.alloc(32) }], 'no proper id'],
    ['a dot in its id', [{ id: 'a.b', key: Buffer.alloc(32) }], 'no proper id'],
    ['the same id twice', [old, { ...current, id: 'k1' }], 'same id'],
  ])('%s', (_name, keys, message) => {
    expect(messageOf(() => createSealer(keys))).toContain(message);
  });
});

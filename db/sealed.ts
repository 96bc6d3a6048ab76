/**
 * Columns that only we can read: AES-256-GCM, one text per value, bound to its place in the database.
 *
 *     const sealer = createSealer([{ id: 'k2', key: newKey }, { id: 'k1', key: oldKey }]);
 *     sealer.open(sealer.seal({ name: '…' }, 'orders.personal/ord_1'), 'orders.personal/ord_1');
 *
 * A sealed value is `v1.<key id>.<base64url of nonce, ciphertext and tag>`, so that SQL can find what an old key sealed.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** @see Sealer. `id`: 1–32 of A-Z a-z 0-9 _ -, never used again for another key; `key`: 32 bytes. */
export type SealingKey = { id: string; key: Uint8Array };

export type Sealer = {
  /**
   * With the first key. Equal values seal differently.
   * @param value what JSON can hold; anything else comes back as JSON leaves it
   * @param context where the value belongs, as `table.column/id`; it opens nowhere else
   * @throws SealError for undefined and functions, which JSON can't hold
   */
  seal(value: unknown, context: string): string;
  /** With whichever key sealed it. @throws SealError unknown form, unknown key, tampered with or another context */
  open(sealed: string, context: string): unknown;
  /** 32 bytes for another purpose, from the first key: to make something that we'll want to recognise. */
  derive(purpose: string): Buffer;
  /** The same from every key, first one first: to recognise what was made before a rotation. */
  deriveAll(purpose: string): Buffer[];
};

/** The message names keys and places, never values. */
export class SealError extends Error {}

const VERSION = 'v1';
const KEY_BYTES = 32;
/** Random, so one key should seal fewer than 2^32 values (NIST SP 800-38D, 8.3); rotate long before. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

type Key = { id: string; columns: Buffer; master: Buffer };

/** @param keys the first one seals, all of them open. @throws SealError if one can't be what it should be */
export function createSealer(keys: readonly SealingKey[]): Sealer {
  const known = keys.map(checked);
  const [first] = known;
  if (!first) throw new SealError('no sealing key given');
  const byId = new Map(known.map((key) => [key.id, key]));
  if (byId.size < known.length) throw new SealError('two sealing keys have the same id');
  return {
    seal: (value, context) => seal(first, value, context),
    open: (sealed, context) => open(byId, sealed, context),
    derive: (purpose) => derived(first.master, `purpose/${purpose}`),
    deriveAll: (purpose) => known.map(({ master }) => derived(master, `purpose/${purpose}`)),
  };
}

function checked({ id, key }: SealingKey): Key {
  if (!/^[\w-]{1,32}$/.test(id)) throw new SealError('a sealing key has no proper id');
  if (key.byteLength !== KEY_BYTES) throw new SealError(`sealing key ${id}: ${key.byteLength} bytes instead of 32`);
  const master = Buffer.from(key);
  return { id, columns: derived(master, 'columns'), master };
}

/** HKDF-SHA256, so that no key serves two purposes. */
function derived(master: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, 'durable-orders', info, KEY_BYTES));
}

function seal({ id, columns }: Key, value: unknown, context: string): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new SealError(`nothing to seal for ${context}`);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', columns, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(id, context));
  const bytes = Buffer.concat([nonce, cipher.update(json, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${VERSION}.${id}.${bytes.toString('base64url')}`;
}

/** Neither the version nor the key's id can contain a dot, so no two places share these bytes. */
const boundTo = (id: string, context: string): Buffer => Buffer.from(`${VERSION}.${id}.${context}`);

function open(keys: ReadonlyMap<string, Key>, sealed: string, context: string): unknown {
  const { id, bytes } = parsed(sealed, context);
  const key = keys.get(id);
  if (!key) throw new SealError(`${context}: sealed with key ${id}, but only ${[...keys.keys()].join(', ')} are known`);
  const json = decrypted(key, bytes, context);
  if (json === undefined) throw new SealError(`${context}: tampered with, or sealed for another place`);
  return JSON.parse(json) as unknown;
}

function parsed(sealed: string, context: string): { id: string; bytes: Buffer } {
  const [version, id, text, ...rest] = sealed.split('.');
  if (version !== VERSION) throw new SealError(`${context}: not sealed, or by a newer version`);
  if (!id || !text || rest.length > 0 || !/^[\w-]{1,32}$/.test(id)) throw new SealError(`${context}: malformed`);
  const bytes = Buffer.from(text, 'base64url');
  // Node skips what isn't base64url; a value has one form only.
  if (bytes.toString('base64url') !== text) throw new SealError(`${context}: malformed`);
  return { id, bytes };
}

function decrypted({ id, columns }: Key, bytes: Buffer, context: string): string | undefined {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', columns, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(id, context)).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    // final() is the check of the tag: without it anything would open.
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return text.toString('utf8');
  } catch {
    return undefined;
  }
}

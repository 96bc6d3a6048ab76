import { createMiddleware } from 'hono/factory';
import type { Context } from 'hono';
import { LIMITS } from '../domain/limits.ts';
import type { ApiEnv } from './env.ts';
import { invalid, Problem, type FieldError } from './problem.ts';

/** The body's bytes, read once; refused as soon as there are too many, whatever Content-Length says. */
export async function readBytes(c: Context<ApiEnv>, most: number = LIMITS.bodyBytes): Promise<Uint8Array> {
  const known = c.get('bytes');
  if (known) return known;
  if (Number(c.req.header('content-length') ?? 0) > most) throw tooLarge(most);
  const bytes = await collect(c.req.raw.body, most);
  c.set('bytes', bytes);
  return bytes;
}

const tooLarge = (most: number) => new Problem('payload_too_large', `At most ${most} bytes are taken.`);

async function collect(stream: ReadableStream<Uint8Array> | null, most: number): Promise<Uint8Array> {
  if (!stream) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    size += value.byteLength;
    if (size > most) {
      reader.cancel().catch(() => {});
      throw tooLarge(most);
    }
    parts.push(value);
  }
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json *(;|$)/i;

/** Takes nothing but JSON in UTF-8, and in it nothing that can't be stored. What is left of a request is valid text. */
export const readable = createMiddleware<ApiEnv>(async (c, next) => {
  const bytes = await readBytes(c);
  const type = c.req.header('content-type');
  if (bytes.length > 0) {
    if (!type || !JSON_TYPE.test(type)) throw new Problem('unsupported_media_type', 'Send application/json.');
    if (!/^(identity)?$/i.test(c.req.header('content-encoding') ?? ''))
      throw new Problem('unsupported_media_type', 'Send the body without Content-Encoding.');
    const wrong = unstorable(parse(bytes));
    if (wrong.length > 0) throw invalid(...wrong);
  } else if (type) c.req.raw.headers.delete('content-type'); // Many clients name one where they send nothing.
  const text = Buffer.from(bytes).toString('utf8');
  // Hono keeps promises there, whatever its type says.
  c.req.bodyCache.text = Promise.resolve(text.replace(/^\uFEFF/, '')) as unknown as string;
  await next();
});

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem('invalid_request', 'The request body is no valid JSON in UTF-8.', {
      errors: [{ path: '', message: 'No valid JSON in UTF-8.' }],
    });
  }
}

const DEEPEST = 20;
const SHOWN = 100;

/** PostgreSQL stores no U+0000, and a lone surrogate is no character. */
function unstorable(value: unknown, path: string[] = []): FieldError[] {
  const at = path.join('.');
  if (typeof value === 'string') return isStorable(value) ? [] : [{ path: at, message: 'Not valid Unicode text.' }];
  if (typeof value !== 'object' || value === null) return [];
  if (path.length > DEEPEST) return [{ path: path.slice(0, 3).join('.'), message: 'Nested too deeply.' }];
  const errors: FieldError[] = [];
  for (const [key, part] of Object.entries(value)) {
    if (!isStorable(key) || key === '__proto__') errors.push({ path: at, message: 'A field has no valid name.' });
    else errors.push(...unstorable(part, [...path, key]));
    if (errors.length >= SHOWN) break;
  }
  return errors;
}

export const isStorable = (text: string): boolean => !text.includes('\u0000') && !/\p{Surrogate}/u.test(text);

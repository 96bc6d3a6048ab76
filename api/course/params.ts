import type { Context } from 'hono';
import { LIMITS } from '../../domain/limits.ts';
import { isStorable, readBytes } from '../body.ts';
import type { ApiEnv } from '../env.ts';
import { CourseFailure } from './failures.ts';

/** What course clients send: by query and by form, both taken together. */
export async function readParams(c: Context<ApiEnv>): Promise<URLSearchParams> {
  const params = new URL(c.req.url).searchParams;
  for (const [name, value] of await formOf(c)) params.append(name, value);
  if (![...params].flat().every(isStorable)) throw new CourseFailure('invalid');
  return params;
}

async function formOf(c: Context<ApiEnv>): Promise<[string, string][]> {
  const bytes = await readBytes(c, LIMITS.noticeBytes);
  if (bytes.length === 0) return [];
  const type = c.req.header('content-type') ?? '';
  if (!/^multipart\/form-data/i.test(type)) return [...new URLSearchParams(Buffer.from(bytes).toString('utf8'))];
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData().catch(() => {
    throw new CourseFailure('invalid');
  });
  return [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
}

/** @throws CourseFailure missing, or whatever is given for that */
export function required(params: URLSearchParams, name: string, missing = new CourseFailure('missing')): string {
  const value = params.get(name)?.trim();
  if (!value) throw missing;
  return value;
}

/** A whole number from 1; null if there is none. @throws CourseFailure invalid */
export function numberIn(params: URLSearchParams, name: string): number | null {
  const value = params.get(name)?.trim();
  return value ? readNumber(value) : null;
}

/** @throws CourseFailure invalid */
export function readNumber(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new CourseFailure('invalid');
  return Number(value);
}

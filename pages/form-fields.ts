import type { Context } from 'hono';
import type { ApiEnv } from '../api/env.ts';

/** What was typed into a form, by field; files are left out. */
export async function formFields(c: Context<ApiEnv>): Promise<Record<string, string>> {
  const fields = Object.entries(await c.req.parseBody());
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
}

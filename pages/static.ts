import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import type { ApiEnv } from '../api/env.ts';
import { notFound } from '../api/problem.ts';

const FOLDER = join(import.meta.dirname, 'static');
const TYPES = {
  'style.css': 'text/css; charset=utf-8',
  'checkout.js': 'text/javascript; charset=utf-8',
  'console.js': 'text/javascript; charset=utf-8',
  'shared.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;
type Name = keyof typeof TYPES;
const NAMES = Object.keys(TYPES) as Name[];

const CONTENTS = Object.fromEntries(NAMES.map((name) => [name, readFileSync(join(FOLDER, name))])) as Record<
  Name,
  Buffer<ArrayBuffer>
>;
/** Of all of them, since they name each other: a changed file has a new address, so browsers may keep it for ever. */
const VERSION = NAMES.reduce((hash, name) => hash.update(CONTENTS[name]), createHash('sha256'))
  .digest('hex')
  .slice(0, 12);

/** Where each file is found. */
export const STATIC = Object.fromEntries(NAMES.map((name) => [name, `/static/${VERSION}/${name}`])) as Record<
  Name,
  string
>;

export const staticFiles = (): Hono<ApiEnv> =>
  new Hono<ApiEnv>().get('/static/:version/:name', (c) => {
    const name = NAMES.find((one) => one === c.req.param('name'));
    // Of another version there is nothing here; whoever asks has a page of it, and reloads that.
    if (!name || c.req.param('version') !== VERSION) throw notFound();
    return c.body(CONTENTS[name], 200, {
      'content-type': TYPES[name],
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

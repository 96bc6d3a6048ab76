import type { Command } from 'commander';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../db/connect.ts';
import { findAnyEndpoint, openSecrets } from '../../db/endpoints.ts';
import type { Database } from '../../db/schema.ts';
import { leavesOf } from '../../orders/examples.ts';
import { programOf, run } from '../../orders/program.ts';
import { seedMerchant } from '../../start/seed.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { SEALER } from '../support/sealer.ts';

let database: TestDatabase;
let db: Kysely<Database>;
beforeAll(async () => {
  database = await freshDatabase();
  db = connect(database.url);
  await seedMerchant(db);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await db.destroy();
  await database.drop();
});
beforeEach(() => {
  vi.stubEnv('DATABASE_URL', database.url);
  vi.stubEnv('ENCRYPTION_KEYS', `k1:${Buffer.alloc(32, 7).toString('base64')}`);
});

async function orders(line: string) {
  let [out, err] = ['', ''];
  const code = await run(line.split(' '), { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}
const data = async (line: string) => JSON.parse((await orders(`--json ${line}`)).out);
const URL_OF_IT = 'https://93.184.216.34/hooks';

describe('endpoints', () => {
  it('are added, rotated, switched off and on, and removed; a secret is shown once', async () => {
    const made = await data(`endpoint add demo ${URL_OF_IT} --types order.paid refund.failed`);
    expect(made).toMatchObject({ url: URL_OF_IT, types: ['order.paid', 'refund.failed'], status: 'enabled' });
    const secrets = async () =>
      openSecrets(SEALER, (await findAnyEndpoint(db, made.id))!, Date.now()).map(({ secret }) => secret);
    expect(await secrets()).toEqual([made.secret]);
    const renewed = await data(`endpoint rotate ${made.id} --overlap 3600`);
    expect(await secrets()).toEqual([renewed.secret, made.secret]);
    const last = await data(`endpoint rotate ${made.id} --overlap 0`);
    expect(await secrets()).toEqual([last.secret]);
    const listed = await orders('endpoint list demo');
    expect(listed.out).toContain(`${made.id}  ${URL_OF_IT}  order.paid refund.failed  enabled`);
    expect(listed.out).not.toContain('whsec_');
    expect(await data(`endpoint disable ${made.id}`)).toMatchObject({ merchant: 'demo', status: 'disabled' });
    expect(await data(`endpoint enable ${made.id}`)).toMatchObject({ status: 'enabled' });
    expect((await orders(`endpoint remove ${made.id}`)).code).toBe(0);
    expect((await orders('endpoint list demo')).out).toBe('demo has no endpoints.\n');
  });

  it.each([
    ['endpoint add nobody https://93.184.216.34/', 'There is no merchant nobody'],
    ['endpoint add demo http://93.184.216.34/', 'Must be https.'],
    ['endpoint add demo https://127.0.0.1/', 'Must be on the public internet'],
    ['endpoint add demo hooks', 'Must be a URL.'],
    ['endpoint add demo https://93.184.216.34/ --types order.lost', 'There is no type order.lost. There are: order.cr'],
    ['endpoint rotate whe_none', 'There is no endpoint whe_none; see `endpoint list`.'],
    ['endpoint rotate whe_none --overlap 9999999', '"9999999" is no overlap: seconds, at most 604800'],
    ['endpoint enable whe_none', 'There is no endpoint whe_none'],
  ])('%s: says what is wrong', async (line, wrong) => {
    const { code, out, err } = await orders(line);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(wrong);
  });

  it('need the keys that API and worker have: none are made here', async () => {
    vi.stubEnv('ENCRYPTION_KEYS', '');
    vi.stubEnv('DATA_DIR', '/nowhere');
    expect(await orders(`endpoint add demo ${URL_OF_IT}`)).toMatchObject({ code: 1, out: '' });
    expect((await orders(`endpoint add demo ${URL_OF_IT}`)).err).toContain('ENCRYPTION_KEYS is not set');
    expect(await data('endpoint list demo')).toEqual([]);
  });
});

it('operators are listed apart from programs', async () => {
  expect(await data('operator list demo')).toMatchObject([{ kind: 'operator', name: 'Demo Operator' }]);
});

describe('every command', () => {
  const silent = { out: () => {}, err: () => {} };
  const names = leavesOf(programOf(silent)).map(({ name }) => name);
  const wordsOf = (line: string) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

  it('is held to its example', () => expect(names.length).toBeGreaterThan(30));
  it.each(names)('%s: has help with an example that it takes', async (name) => {
    const help = await orders(`${name} --help`);
    expect(help).toMatchObject({ code: 0, err: '' });
    const example = /\nExample:\n {2}npm run orders -- (.+)\n/.exec(help.out)?.[1] ?? '';
    const program = programOf(silent);
    let done: string | undefined;
    const pretend = (command: Command, leaf: string) => command.action(() => void (done = leaf));
    for (const leaf of leavesOf(program)) pretend(leaf.command, leaf.name);
    await program.parseAsync(wordsOf(example), { from: 'user' });
    expect(done).toBe(name);
  });
});

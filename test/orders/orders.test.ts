import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findApplication } from '../../db/applications.ts';
import { connect } from '../../db/connect.ts';
import { findCourseUser } from '../../db/courses.ts';
import { findKey } from '../../db/keys.ts';
import { findProviderAccount, hashOfKey } from '../../db/merchants.ts';
import type { Database } from '../../db/schema.ts';
import { run } from '../../orders/program.ts';
import { demoAccounts } from '../../start/demo-accounts.ts';
import { seedMerchant } from '../../start/seed.ts';
import { freshDatabase } from '../support/database.ts';
import { createUnstarted } from '../support/orders.ts';
import type { System } from '../support/system.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let db: Kysely<Database>;
const folder = mkdtempSync(join(tmpdir(), 'durable-orders-command-'));
beforeAll(async () => {
  database = await freshDatabase();
  db = connect(database.url);
  process.env['DATABASE_URL'] = database.url;
});
afterAll(async () => {
  delete process.env['DATABASE_URL'];
  rmSync(folder, { recursive: true });
  await db.destroy();
  await database.drop();
});

async function orders(line: string) {
  let [out, err] = ['', ''];
  const code = await run(line.split(' '), { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}
const data = async (line: string) => JSON.parse((await orders(`--json ${line}`)).out);

describe('merchants', () => {
  it('are added, changed and shown, without a restart of anything', async () => {
    expect(await orders('merchant add acme --name Acme')).toMatchObject({ code: 0, err: '' });
    await orders('merchant set acme --four-eyes off --on-delivery-failure ask');
    await orders('merchant offer acme card.stripe --currency CNY USD --min 100 --max 5000');
    const shown = await orders('merchant offer acme wechatpay.h5 --currency CNY');
    expect(shown.out).toContain('card.stripe: CNY USD, 100 to 5000 in minor units');
    await orders('merchant withdraw acme wechatpay.h5');
    expect(await data('merchant show acme')).toEqual({
      id: 'acme',
      name: 'Acme',
      four_eyes: false,
      on_delivery_failure: 'ask',
      methods: [{ method: 'card.stripe', currencies: ['CNY', 'USD'], min_amount: 100, max_amount: 5000 }],
    });
    expect((await orders('merchant list')).out).toMatch(/^id +name .*\nacme +Acme +false +ask +card.stripe\n$/);
  });

  it.each([
    ['merchant add acme', 'There is a merchant acme already.'],
    ['merchant add UPPER', 'no merchant id'],
    ['merchant show nobody', 'There is no merchant nobody'],
    ['merchant set acme --four-eyes maybe', 'Allowed choices are on, off'],
    ['merchant offer acme cash --currency CNY', 'There is no method cash. There are: alipay.page'],
    ['merchant offer acme wechatpay.native', "required option '--currency"],
    ['merchant offer acme wechatpay.native --currency yuan', 'yuan is no ISO 4217 currency'],
    ['merchant offer acme wechatpay.native --currency USD', 'wechatpay.native can not be paid in USD; it takes CNY.'],
    ['merchant offer acme paypal.checkout --currency CNY', 'paypal.checkout can not be paid in CNY; it takes AUD, '],
    ['merchant offer acme wechatpay.native --currency CNY --min 1.5', '"1.5" is no amount'],
    ['merchant offer acme wechatpay.native --currency CNY --min 9 --max 8', '--min is more than --max'],
    ['merchnt list', "unknown command 'merchnt'"],
    ['order show 99999', 'There is no order 99999'],
    ['key revoke key_none', 'There is no key key_none'],
    ['key add nobody --name x', 'There is no merchant nobody'],
    ['key add acme --name x --scopes everything', 'There is no scope everything. There are: orders:read'],
    ['application add acme --name x', "required option '--machines"],
    ['application add acme --name x --machines 16327129 1632', '"1632" is no machine number: eight digits'],
    ['application add nobody --name x --machines 16327129', 'There is no merchant nobody'],
    ['application machines ds_none 16327129', 'There is no application ds_none'],
    ['application secret ds_none', 'There is no application ds_none'],
    ['application revoke ds_none', 'There is no application ds_none'],
    ['account check acme wechatpay', 'acme has no account at wechatpay'],
    ['account check acme bank', 'There is no provider bank'],
  ])('%s: says what is wrong, changes nothing', async (line, message) => {
    const before = await data('merchant list');
    const { code, out, err } = await orders(line);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(await data('merchant list')).toEqual(before);
  });
});

describe('keys', () => {
  it('are shown once, work with their scopes, and are revoked for good', async () => {
    const made = await data('key add acme --name Shop');
    expect(made).toMatchObject({ kind: 'api', merchant: 'acme', key: expect.stringMatching(/^sk_[\w-]{32}$/) });
    const found = await findKey(db, hashOfKey(made.key));
    expect(found).toMatchObject({ id: made.id, kind: 'api', name: 'Shop', merchant: { id: 'acme' } });
    expect(found!.scopes).toContain('orders:write');
    expect(found!.scopes).not.toContain('refunds:review');
    const listed = await orders('key list acme');
    expect(listed.out).toContain(made.id);
    expect(listed.out).not.toContain(made.key);
    const first = await data(`key revoke ${made.id}`);
    expect(await findKey(db, hashOfKey(made.key))).toBeNull();
    expect((await data(`key revoke ${made.id}`)).revoked_at).toBe(first.revoked_at);
  });

  it('an operator is a person with scopes of their own', async () => {
    const made = await data('operator add acme --name Ann --scopes orders:read refunds:review');
    expect(made.key).toMatch(/^op_/);
    expect(await findKey(db, hashOfKey(made.key))).toMatchObject({
      kind: 'operator',
      name: 'Ann',
      scopes: ['orders:read', 'refunds:review'],
    });
  });
});

describe('vending applications', () => {
  it('have a secret that is shown once, machines that change, and an end', async () => {
    const made = await data('application add acme --name Lobby --machines 16327129 16327129 16327131');
    expect(made).toMatchObject({ id: expect.stringMatching(/^ds_/), machines: ['16327129', '16327131'] });
    expect(await findApplication(db, made.id)).toMatchObject({
      name: 'Lobby',
      merchant: { id: 'acme' },
      secretHash: hashOfKey(made.secret),
    });
    expect(await data(`application machines ${made.id} 16327132`)).toMatchObject({ machines: ['16327132'] });
    const renewed = await data(`application secret ${made.id}`);
    expect(renewed.secret).not.toBe(made.secret);
    expect(await findApplication(db, made.id)).toMatchObject({
      machines: ['16327132'],
      secretHash: hashOfKey(renewed.secret),
    });
    const listed = await orders('application list acme');
    expect(listed.out).toContain(made.id);
    expect(listed.out).not.toContain(renewed.secret);
    const first = await data(`application revoke ${made.id}`);
    expect(await findApplication(db, made.id)).toBeNull();
    expect((await data(`application revoke ${made.id}`)).revoked_at).toBe(first.revoked_at);
  });
});

describe('courses', () => {
  it('have teachers and students with tokens that are shown once, and albums', async () => {
    const teacher = await data('course user add acme --name Zhang --role teacher');
    const student = await data('course user add acme --name Wang --role student');
    expect(await findCourseUser(db, teacher.token)).toMatchObject({ id: teacher.id, role: 'teacher' });
    const renewed = await data(`course user token ${student.id}`);
    expect(await findCourseUser(db, student.token)).toBeNull();
    expect(await findCourseUser(db, renewed.token)).toMatchObject({ id: student.id, name: 'Wang' });
    await data(`course user revoke ${student.id}`);
    expect(await findCourseUser(db, renewed.token)).toBeNull();
    const listed = await orders('course user list acme');
    expect(listed.out).toContain('Zhang');
    expect(listed.out).not.toContain(teacher.token);
    const album = await data(`course album add acme --teacher ${teacher.id} --title Tea --price 9900`);
    await data(`course album set ${album.id} --price 0`);
    expect(await data('course album list acme')).toEqual([
      { id: album.id, title: 'Tea', price: 0, teacher: teacher.id },
    ]);
    for (const [line, says] of [
      [`album add acme --teacher ${student.id} --title x --price 1`, 'has no teacher'],
      [`album add acme --teacher ${teacher.id} --title x --price 0.5`, 'a whole number of fen'],
      ['album set 999999 --price 1', 'There is no album'],
      ['user add acme --name x --role boss', 'student or teacher'],
      ['user token 999999', 'There is no user'],
    ])
      expect(await orders(`course ${line}`)).toMatchObject({ code: 2, err: expect.stringContaining(says!) });
  });
});

describe('provider accounts', () => {
  const account = demoAccounts(folder).wechatpay;
  const config = {
    mchid: account.mchid,
    appid: account.appid,
    serialNo: account.serialNo,
    privateKey: `file:${account.privateKeyFile}`,
    apiV3Key: `file:${account.apiV3KeyFile}`,
    platformKeys: { PUB_KEY_ID_1: account.publicKeyPem },
  };
  const fileWith = (content: unknown) => {
    const file = join(folder, 'account.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };

  it('are taken from a file, and checked', async () => {
    expect(await orders(`account set acme wechatpay ${fileWith(config)}`)).toMatchObject({ code: 0, err: '' });
    expect(await findProviderAccount(db, 'acme', 'wechatpay')).toEqual(config);
    expect(await data('account list acme')).toEqual([{ provider: 'wechatpay' }]);
    expect((await orders('account check acme wechatpay')).out).toContain('can be used here');
  });

  it.each([
    ['a secret in clear', { ...config, privateKey: 'hush-hush' }, 'privateKey is a secret'],
    ['a file that is not there', { ...config, privateKey: 'file:/nowhere/hush' }, 'no such file'],
    ['a variable that is not set', { ...config, apiV3Key: 'env:NO_SUCH_KEY' }, 'NO_SUCH_KEY'],
    ['a field missing', { ...config, mchid: undefined }, 'mchid'],
    ['no JSON', 'hush-hush', 'is not JSON'],
    ['no object', '[]', 'must hold one JSON object'],
  ])('%s is refused, unsaid', async (_what, content, message) => {
    const { code, err } = await orders(`account set acme wechatpay ${fileWith(content)}`);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain('hush-hush');
    expect(await findProviderAccount(db, 'acme', 'wechatpay')).toEqual(config);
  });
});

describe('orders', () => {
  it('are shown with their timeline, by number and by id', async () => {
    await seedMerchant(db);
    const { order, row } = await createUnstarted({ db } as System);
    const { out } = await orders(`order show ${row.number}`);
    expect(out).toContain(`Order ${row.number}, ${order.id}`);
    expect(out).toContain('pending_payment; CNY 3000 in minor units, paid 0, refunded 0 (none)');
    expect(out).toMatch(/\n +1 {2}\d{4}-.* {2}order\.created {2}/);
    expect(await data(`order show ${order.id}`)).toMatchObject({ id: order.id, events: [{ type: 'order.created' }] });
  });
});

it('nothing waits, and nothing needs a person', async () => {
  expect((await orders('refunds')).out).toBe('No refund waits for a decision.\n');
  expect((await orders('attention')).out).toBe('Nothing needs a person.\n');
  expect(await data('attention')).toEqual([]);
});

describe('as a program', () => {
  const program = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync('npm', ['run', '--silent', 'orders', '--', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });

  it('helps, and ends with what came of it', () => {
    const help = program(['--help']);
    expect(help).toMatchObject({ status: 0 });
    for (const command of [
      'merchant',
      'key',
      'operator',
      'account',
      'order',
      'refunds',
      'attention',
      'retry',
      'migrate',
    ])
      expect(help.stdout).toContain(`\n  ${command} `);
    expect(program(['merchant', 'show', 'nobody']).status).toBe(2);
    const away = program(['merchant', 'list'], { DATABASE_URL: 'postgres://nobody:x@127.0.0.1:9/none' });
    expect(away).toMatchObject({ status: 1, stdout: '' });
    const none = program(['merchant', 'list'], { DATABASE_URL: '', DATA_DIR: folder });
    expect(none.status).toBe(1);
    expect(none.stderr).toContain('DATABASE_URL');
  });
});

describe('machines', () => {
  it('are reached at an address, with secrets that are named and can change', async () => {
    await orders('merchant add vendor --name Vendor');
    const [first, second] = [join(folder, 'machines-1'), join(folder, 'machines-2')];
    const made = (await data('machine secret')).secret;
    expect(made).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    writeFileSync(first, made);
    writeFileSync(second, (await data('machine secret')).secret);
    const url = 'https://machines.example.com/dispatches';
    expect(await orders(`machine set vendor ${url} file:${first}`)).toMatchObject({ code: 0, err: '' });
    expect((await data(`machine rotate vendor file:${second}`)).secrets).toEqual([`file:${second}`, `file:${first}`]);
    const shown = await orders('machine show vendor');
    expect(shown.out).toContain(`until \`machine settle\` also file:${first}`);
    expect(shown.out).not.toContain(made);
    expect((await data('machine settle vendor')).secrets).toEqual([`file:${second}`]);
  });
  it.each([
    ['machine show nobody', 'nobody has no machines; see `machine set`.'],
    ['machine set nobody https://x.example.com file:/x', 'There is no merchant nobody'],
    ['machine set acme https://x.example.com whsec_plain', 'Name where the secret is kept'],
    ['machine set acme https://x.example.com file:/nowhere', "The machines can't be reached like that"],
    ['machine set acme ftp://x.example.com env:HOME', "The machines can't be reached like that"],
  ])('%s: says what is wrong', async (line, wrong) => {
    const { code, out, err } = await orders(line);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(wrong);
  });
});

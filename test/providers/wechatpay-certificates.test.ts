import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Aes } from 'wechatpay-axios-plugin';
import { beforeEach, describe, expect, it } from 'vitest';
import { NoticeRejected, ProviderError, type PaymentProvider, type PaymentRef } from '../../providers/provider.ts';
import { createProvider } from '../../providers/index.ts';
import { wechatPay } from '../../providers/wechatpay.ts';
import { selfSignedCertificate } from '../../simulator/certificate.ts';
import { control, merchant, simulator } from '../simulator/support.ts';
import {
  account as withPublicKey,
  attempt,
  CERT_SERIAL,
  edge,
  keys,
  noticeBody,
  NOW,
  refundRequest,
  PUB_KEY_ID,
  signed,
  transaction,
} from './wechatpay-peer.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { method, orderId, outTradeNo, startedAt, expiresAt, money } = attempt;
const payment: PaymentRef = { method, orderId, outTradeNo, reference: null, startedAt, expiresAt, money };

type Pair = (typeof keys)['wechat_merchant'];
type Listed = { serial: string; pair: Pair };
const first: Listed = { serial: CERT_SERIAL, pair: keys.wechat_platform_cert };

function certificate(serial: string, from: number, until: number, type: 'rsa' | 'ec' = 'rsa'): Listed {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const cert_pem = selfSignedCertificate({
    publicKey: pair.publicKey,
    privateKey: type === 'rsa' ? pair.privateKey : generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    serial: Buffer.from(serial, 'hex'),
    name: { C: 'CN', O: 'x', OU: 'x', CN: 'x' },
    from: new Date(from),
    until: new Date(until),
  });
  const pem = (type: 'spki' | 'pkcs8') =>
    (type === 'spki'
      ? createPublicKey(cert_pem).export({ type, format: 'pem' })
      : pair.privateKey.export({ type, format: 'pem' })) as string;
  return { serial, pair: { cert_pem, public_spki_pem: pem('spki'), private_pkcs8_pem: pem('pkcs8') } };
}

const YEAR = 365 * 24 * HOUR;
const second = certificate('6A'.repeat(20), NOW * 1000 - HOUR, NOW * 1000 + YEAR);
const endingSoon = certificate('6B'.repeat(20), NOW * 1000 - YEAR, NOW * 1000 + HOUR);
const ended = certificate('6C'.repeat(20), NOW * 1000 - YEAR, NOW * 1000 - HOUR);
const notYet = certificate('6D'.repeat(20), NOW * 1000 + HOUR, NOW * 1000 + YEAR);
const elliptic = certificate('6E'.repeat(20), NOW * 1000 - HOUR, NOW * 1000 + YEAR, 'ec');

/** WeChat Pay, as far as it goes: a list of certificates, and one paid transaction. */
function wechat() {
  const state = {
    listed: [first],
    /** Who signs the list, and who signs other answers. */
    lists: first,
    signs: first,
    /** Instead of a good list. */
    list: null as (() => Promise<Response>) | null,
    asked: [] as string[],
    now: NOW * 1000,
  };
  const seconds = () => Math.floor(state.now / 1000);
  const body = () => JSON.stringify({ data: state.listed.map((each) => entry(each, account.apiV3Key)) });
  const answer = (text: string, by: Listed) =>
    new Response(text, { headers: signed(text, { key: by.pair, serial: by.serial, timestamp: seconds() }) });
  const fetch = (async ({ pathname }: URL) => {
    const isList = pathname === '/v3/certificates';
    state.asked.push(isList ? 'certificates' : 'payment');
    if (!isList) return answer(JSON.stringify(transaction), state.signs);
    return state.list ? state.list() : answer(body(), state.lists);
  }) as typeof globalThis.fetch;
  const notice = (by: Listed, timestamp = seconds()) => {
    const text = noticeBody(transaction);
    const headers = new Headers(signed(text, { key: by.pair, serial: by.serial, timestamp }));
    return provider.readNotice({ headers, body: Buffer.from(text) });
  };
  const fetches = () => state.asked.filter((what) => what === 'certificates').length;
  return Object.assign(state, { body, answer, fetch, notice, fetches });
}

function entry({ serial, pair }: Listed, apiV3Key: string) {
  const [nonce, associated_data] = ['fdasflkja484', 'certificate'];
  const ciphertext = Aes.AesGcm.encrypt(pair.cert_pem, apiV3Key, nonce, associated_data);
  return {
    serial_no: serial,
    encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', nonce, associated_data, ciphertext },
  };
}

/** Every test has an account of its own: what is fetched is kept for the process. */
let accounts = 0;
let platform: ReturnType<typeof wechat>;
let provider: PaymentProvider;
const { platformKeys: _, ...account } = withPublicKey;
const adapter = (baseUrl = `https://wechat-${accounts}.example`) =>
  wechatPay(account, edge(baseUrl, { fetch: platform.fetch, now: () => platform.now }));

beforeEach(() => {
  accounts += 1;
  platform = wechat();
  provider = adapter();
});

async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => expect.unreachable('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

const refusal = (status: number, code: string) => async () =>
  new Response(JSON.stringify({ code, message: 'x' }), { status });

describe('certificates are fetched', () => {
  it('before the first call, once, also for the adapters made later', async () => {
    expect(await provider.query(payment)).toMatchObject({ state: 'paid' });
    expect(await adapter().query(payment)).toMatchObject({ state: 'paid' });
    expect(await platform.notice(first)).toMatchObject({ outTradeNo });
    expect(platform.asked).toEqual(['certificates', 'payment', 'payment']);
  });

  it('by one call at a time, which all others wait for', async () => {
    await Promise.all([provider.query(payment), adapter().query(payment), platform.notice(first)]);
    expect(platform.fetches()).toBe(1);
  });

  it('for each account by itself', async () => {
    await provider.query(payment);
    await adapter('https://elsewhere.example').query(payment);
    expect(platform.fetches()).toBe(2);
  });

  it('never with public keys in the account', async () => {
    const fixed = wechatPay(withPublicKey, edge('https://x.example', { fetch: platform.fetch }));
    await fixed.query(payment);
    expect(platform.asked).toEqual(['payment']);
  });

  it('anew before they are 12 hours old', async () => {
    await provider.query(payment);
    platform.now += 10 * HOUR;
    await provider.query(payment);
    expect(platform.fetches()).toBe(1);
    platform.now += 2 * HOUR - 1;
    await provider.query(payment);
    await provider.query(payment);
    expect(platform.fetches()).toBe(2);
  });

  it('and old ones serve on while no new ones can be had', async () => {
    await provider.query(payment);
    platform.now += 30 * HOUR;
    platform.list = refusal(503, 'SERVICE_UNAVAILABLE');
    expect(await provider.query(payment)).toMatchObject({ state: 'paid' });
    expect(await platform.notice(first)).toMatchObject({ outTradeNo });
    expect(platform.fetches()).toBe(2); // Nobody asks again at once.
  });
});

describe('a rotation', () => {
  beforeEach(async () => {
    await provider.query(payment);
    platform.now += MINUTE;
    platform.listed = [first, second];
  });

  it('is seen by a notice of a new name, and both names hold', async () => {
    expect(await platform.notice(second)).toMatchObject({ outTradeNo });
    expect(await platform.notice(first)).toMatchObject({ outTradeNo });
    expect(platform.fetches()).toBe(2);
  });

  it('is seen by an answer of a new name, also where the list itself is signed with it', async () => {
    platform.signs = platform.lists = second;
    expect(await provider.query(payment)).toMatchObject({ state: 'paid' });
    expect(await provider.close(payment)).toBeNull();
  });

  it('ends: what is listed no more is believed no more', async () => {
    platform.listed = [second];
    platform.lists = second;
    await platform.notice(second);
    await expect(platform.notice(first)).rejects.toThrow(NoticeRejected);
  });

  it('an answer whose key can not be had now may have happened', async () => {
    platform.signs = second;
    platform.list = refusal(500, 'SYSTEM_ERROR');
    expect(await errorOf(provider.refund(refundRequest))).toMatchObject({
      outcome: 'unknown',
      code: 'unverified_answer',
    });
  });
});

describe('names that nobody knows', () => {
  const unknown = { ...second, serial: 'AB'.repeat(20) };

  it('make us ask once a minute at most', async () => {
    for (let round = 0; round < 20; round += 1) {
      await expect(platform.notice(unknown)).rejects.toThrow(NoticeRejected);
      await expect(platform.notice({ ...unknown, serial: `C${round % 10}` })).rejects.toThrow('unknown key');
    }
    expect(platform.fetches()).toBe(1);
    platform.now += MINUTE;
    await Promise.allSettled([platform.notice(unknown), platform.notice(unknown), platform.notice(second)]);
    expect(platform.fetches()).toBe(2);
  });

  it.each([PUB_KEY_ID, '__proto__', 'A'.repeat(41), 'é'])(
    'are not asked for where they are no serial: %s',
    async (name) => {
      await provider.query(payment);
      platform.now += MINUTE;
      await expect(platform.notice({ ...unknown, serial: name })).rejects.toThrow(NoticeRejected);
      expect(platform.fetches()).toBe(1);
    },
  );

  it('nor where the notice is too old anyway', async () => {
    await expect(platform.notice(first, NOW - 301)).rejects.toThrow(NoticeRejected);
    expect(platform.fetches()).toBe(0);
  });
});

describe('an expired certificate', () => {
  it('is refused, though it is listed', async () => {
    platform.listed = [first, ended, notYet];
    await expect(platform.notice(ended)).rejects.toThrow(NoticeRejected);
    await expect(platform.notice(notYet)).rejects.toThrow(NoticeRejected);
    expect(await platform.notice(first)).toMatchObject({ outTradeNo });
  });

  it('is refused once it expires while we keep it', async () => {
    platform.listed = [first, endingSoon];
    expect(await platform.notice(endingSoon)).toMatchObject({ outTradeNo });
    platform.now += 2 * HOUR;
    await expect(platform.notice(endingSoon)).rejects.toThrow(NoticeRejected);
  });

  it('vouches for no list', async () => {
    platform.listed = [ended, first];
    platform.lists = ended;
    expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'busy', code: 'unverified_answer' });
  });

  it('is not used while the list is out of reach', async () => {
    platform.listed = [endingSoon];
    platform.lists = platform.signs = endingSoon;
    await provider.query(payment);
    platform.now += 2 * HOUR;
    platform.list = refusal(500, 'SYSTEM_ERROR');
    expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'busy', code: 'SYSTEM_ERROR' });
  });
});

describe('a list is not believed', () => {
  const entryOf = (change: object) => ({
    ...entry(first, account.apiV3Key),
    ...change,
  });
  const listOf =
    (body: string, by = first) =>
    async () =>
      platform.answer(body, by);

  it.each([
    ['signed by somebody else', () => listOf(platform.body(), { ...first, pair: keys.alipay_platform })],
    ['signed with a key that it does not bring', () => listOf(platform.body(), second)],
    ['not signed', () => async () => new Response(platform.body())],
    ['empty', () => listOf('{"data":[]}')],
    ['no JSON', () => listOf('SECRET')],
    [
      'with another serial than the certificate has',
      () => listOf(JSON.stringify({ data: [entryOf({ serial_no: 'AB' })] })),
    ],
    [
      'of keys that are not RSA',
      () => listOf(JSON.stringify({ data: [entry(elliptic, account.apiV3Key), entryOf({})] })),
    ],
    ['of certificates that are none', () => listOf(JSON.stringify({ data: [noCertificate()] }))],
    ['encrypted with another APIv3 key', () => listOf(JSON.stringify({ data: [entry(first, 'f'.repeat(32))] }))],
    [
      'signed long ago',
      () => async () => new Response(platform.body(), { headers: signed(platform.body(), { timestamp: NOW - 400 }) }),
    ],
  ])('%s', async (_name, list) => {
    platform.list = list();
    const error = await errorOf(provider.refund(refundRequest));
    expect(error.outcome).toBe('busy'); // Nothing was sent yet.
    expect(error.message).toContain('wechatpay certificates');
    expect(error.message).not.toMatch(/SECRET|BEGIN/);
    expect(await errorOf(platform.notice(first))).toMatchObject({ outcome: 'busy' }); // And no NoticeRejected.
    expect(platform.asked).toEqual(['certificates']);
  });

  const noCertificate = () => {
    const pair = { ...first.pair, cert_pem: 'SECRET' };
    return entry({ ...first, pair }, account.apiV3Key);
  };
});

describe('while certificates can not be fetched', () => {
  it.each([
    [401, 'SIGN_ERROR'],
    [403, 'NO_AUTH'],
    // These would say something of the payment or refund, were they said of it.
    [404, 'RESOURCE_NOT_EXISTS'],
    [404, 'ORDER_NOT_EXIST'],
    [500, 'SYSTEM_ERROR'],
    [429, 'FREQUENCY_LIMITED'],
  ])('(%i %s) nothing is sent, and every call may be tried again', async (status, code) => {
    platform.list = refusal(status, code);
    for (const call of [
      () => provider.open(attempt),
      () => provider.query(payment),
      () => provider.close(payment),
      () => provider.refund(refundRequest),
      () => provider.queryRefund(refundRequest),
      () => platform.notice(first),
    ])
      expect(await errorOf(call())).toMatchObject({ outcome: 'busy', code, retryAfterMs: 10_000 });
    expect(platform.asked).toEqual(['certificates']);
  });

  it('the error says what to do about an account that has none', async () => {
    platform.list = refusal(404, 'RESOURCE_NOT_EXISTS');
    expect((await errorOf(provider.query(payment))).message).toContain('put it into the account as platformKeys');
  });

  it('a lost connection is the same, and ten seconds later it is tried again', async () => {
    platform.list = () => Promise.reject(new TypeError('fetch failed'));
    expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'busy', code: 'connection_broken' });
    platform.list = null;
    platform.now += 9_999;
    expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'busy', code: 'connection_broken' });
    platform.now += 1;
    expect(await provider.query(payment)).toMatchObject({ state: 'paid' });
  });

  it('a notice of a new name is to be sent again, for it may be genuine', async () => {
    await provider.query(payment);
    platform.now += MINUTE;
    platform.list = refusal(500, 'SYSTEM_ERROR');
    expect(await errorOf(platform.notice(second))).toMatchObject({ outcome: 'busy' });
    expect(await platform.notice(first)).toMatchObject({ outTradeNo });
  });
});

it('an account without platform keys follows a rotation of the simulator', async () => {
  let now = Date.now();
  const sim = await simulator({ now: () => now });
  try {
    const { mchid, serialNo, apiV3Key } = merchant;
    const config = {
      mchid,
      appid: merchant.appids[0],
      serialNo,
      privateKey: account.privateKey,
      apiV3Key,
      baseUrl: sim.url,
    };
    const adapted = createProvider('wechatpay', config, (baseUrl) =>
      edge(baseUrl, { now: () => now, nonce: () => crypto.randomUUID() }),
    );
    const open = (number: string) =>
      adapted.open({ ...attempt, outTradeNo: number, expiresAt: now + HOUR, notifyUrl: 'http://127.0.0.1:9/nobody' });
    expect(await open('T00000001')).toMatchObject({ action: { type: 'qr' } });
    const before = sim.wechatpay.platformCertificates[0]!.serialNo;
    await control(sim, 'POST', '/wechatpay/certificates');
    now += MINUTE;
    expect(await open('T00000002')).toMatchObject({ action: { type: 'qr' } });
    expect(sim.wechatpay.platformCertificates[0]!.serialNo).not.toBe(before);
  } finally {
    await sim.stop();
  }
});

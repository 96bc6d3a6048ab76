import { createPrivateKey } from 'node:crypto';
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NoticeRejected, ProviderError, type PaymentProvider, type PaymentRef } from '../../providers/provider.ts';
import { openAes256Gcm, signRsaSha256 } from '../../providers/signing.ts';
import { authorization, wechatPayWire } from '../../providers/wechatpay-wire.ts';
import { wechatPay } from '../../providers/wechatpay.ts';
import {
  account,
  attempt,
  CERT_SERIAL,
  edge,
  keys,
  NONCE,
  noticeBody,
  NOW,
  ok,
  PUB_KEY_ID,
  refundAnswer,
  refundRequest,
  refusal,
  signed,
  startPlatform,
  transaction,
  vector,
  vectors,
  type Answer,
  type Platform,
  type Vector,
} from './wechatpay-peer.ts';

const { money, outTradeNo, method, orderId, startedAt, expiresAt } = attempt;
const payment: PaymentRef = { method, orderId, outTradeNo, reference: null, startedAt, expiresAt, money };
const yuan = (amount: number, currency = 'CNY') => ({ amount, currency });

/** The error of a call that must fail. */
async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

const noNetwork = edge('https://api.mch.weixin.qq.com', {
  fetch: () => Promise.reject(new Error('nothing may be sent')),
});

describe('the published vectors', () => {
  const ofKind = (kind: string): Vector[] => vectors.filter((one) => one.kind === kind);

  it.each(ofKind('request'))('$name: the Authorization header, byte for byte', (given) => {
    const body = given.body ? Buffer.from(given.body) : null;
    const about = {
      method: given.method!,
      target: given.path_and_query!,
      body,
      epochMs: NOW * 1000 + 999,
      nonce: NONCE,
    };
    expect(authorization(account, createPrivateKey(account.privateKey), about)).toBe(given.authorization);
  });

  it.each([
    ['query_get', 'resp_native_cert_mode', (provider: PaymentProvider) => provider.query(payment)],
    ['close_post', 'resp_close_204_empty', (provider: PaymentProvider) => provider.close(payment)],
    [
      'refund_create',
      'resp_native_cert_mode',
      (provider: PaymentProvider) => provider.refund({ ...refundRequest, tradeNo: '' }),
    ],
    ['refund_query', 'resp_native_cert_mode', (provider: PaymentProvider) => provider.queryRefund(refundRequest)],
  ])('%s: the adapter sends exactly that', async (name, answerName, call) => {
    const given = vector(name);
    const requests: Request[] = [];
    const fetch: typeof globalThis.fetch = async (url, init) => {
      requests.push(new Request(url, init));
      const { status, headers, body } = vector(answerName);
      return new Response(body || null, { status: Number(status), headers });
    };
    await call(wechatPay(account, edge('https://api.mch.weixin.qq.com', { fetch }))).catch(() => undefined);
    expect(requests).toHaveLength(1);
    const [request] = requests as [Request];
    expect(request.url).toBe(`https://api.mch.weixin.qq.com${given.path_and_query}`);
    expect(request.method).toBe(given.method);
    expect(request.headers.get('authorization')).toBe(given.authorization);
    expect(await request.text()).toBe(given.body);
  });

  it.each(ofKind('response'))('$name: verified; any other body or header is not', async (given) => {
    const wire = wechatPayWire(account, noNetwork);
    const body = Buffer.from(given.body!);
    const flaw = (changes: Record<string, string>, bytes = body) =>
      wire.flawIn(new Headers({ ...given.headers, ...changes }), bytes);
    expect(await flaw({})).toBeUndefined();
    expect(await flaw({}, Buffer.concat([body, Buffer.from(' ')]))).toBe('signature does not hold');
    expect(await flaw({ 'Wechatpay-Timestamp': String(NOW + 1) })).toBe('signature does not hold');
    expect(await flaw({ 'Wechatpay-Nonce': NONCE.toLowerCase() })).toBe('signature does not hold');
    expect(await flaw({ 'Wechatpay-Serial': 'ABC' })).toBe('signed with an unknown key ABC');
  });

  it('resp_native_*: either key mode gives the QR code', async () => {
    for (const name of ['resp_native_cert_mode', 'resp_native_pubkey_mode']) {
      const { headers, body } = vector(name);
      const fetch = async () => new Response(body, { status: 200, headers });
      expect(await wechatPay(account, edge('https://x.example', { fetch })).open(attempt)).toEqual({
        action: { type: 'qr', content: 'weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00' },
        reference: null,
      });
    }
  });

  const notice = (given: Vector, changes: { body?: string; headers?: Record<string, string> } = {}) =>
    wechatPay(account, noNetwork).readNotice({
      headers: new Headers({ ...given.headers, ...changes.headers }),
      body: Buffer.from(changes.body ?? given.body!),
    });

  it.each(['notify_transaction_success', 'notify_transaction_empty_aad'])('%s: decrypted', async (name) => {
    expect(await notice(vector(name))).toEqual({
      id: 'EV-2026112110010200000001',
      account: { merchantNo: account.mchid, appId: account.appid },
      outTradeNo,
      about: 'payment',
      payment: {
        state: 'paid',
        tradeNo: '4200000000202611210000000001',
        money: yuan(8888),
        paidAt: Date.UTC(2026, 10, 21, 2, 1, 2),
      },
    });
  });

  it('notify_refund_success_pubkey_mode: decrypted', async () => {
    expect(await notice(vector('notify_refund_success_pubkey_mode'))).toEqual({
      id: 'EV-2026112110010200000001',
      account: { merchantNo: account.mchid, appId: null },
      outTradeNo,
      about: 'refund',
      outRefundNo: refundRequest.outRefundNo,
      refund: { state: 'succeeded', settledAt: Date.UTC(2026, 10, 21, 3, 0, 5) },
    });
  });

  it('tampered_ciphertext_must_fail: by its signature, and by its tag where the signature holds', async () => {
    const given = vector('notify_transaction_success');
    const bytes = Buffer.from(given.ciphertext!, 'base64');
    bytes[bytes.length - 1]! ^= 1;
    const body = given.body!.replace(given.ciphertext!, bytes.toString('base64'));
    expect(body).not.toBe(given.body);
    await expect(notice(given, { body })).rejects.toThrow(NoticeRejected);
    await expect(notice(given, { body })).rejects.toThrow('signature does not hold');
    await expect(notice(given, { body, headers: signed(body) })).rejects.toThrow(NoticeRejected);
    await expect(notice(given, { body, headers: signed(body) })).rejects.toThrow('does not decrypt');
  });

  it('certificates_entry and jsapi_paysign: the tools that later methods need', () => {
    const entry = vector('certificates_entry');
    const sealed = { ciphertext: entry.ciphertext!, nonce: entry.nonce12!, associatedData: entry.associated_data! };
    expect(openAes256Gcm(Buffer.from(account.apiV3Key), sealed)?.toString()).toBe(entry.plaintext);
    const paySign = vector('jsapi_paysign');
    expect(signRsaSha256(createPrivateKey(account.privateKey), paySign.canonical!)).toBe(paySign.paySign);
  });

  it('none is left out', () => {
    const kinds = ['request', 'response', 'notify', 'paysign', 'certificates', 'negative'];
    expect(vectors.filter(({ kind }) => !kinds.includes(kind))).toEqual([]);
  });
});

describe('over real sockets', () => {
  let platform: Platform;
  let provider: PaymentProvider;
  beforeAll(async () => void (platform = await startPlatform()));
  afterAll(() => platform.stop());
  beforeEach(() => {
    platform.seen.length = 0;
    provider = wechatPay(account, edge(platform.baseUrl));
  });

  const lastBody = (): unknown => JSON.parse(platform.seen.at(-1)!.body.toString());

  describe('every request', () => {
    const calls = () => [
      provider.open(attempt),
      provider.query(payment),
      provider.close(payment),
      provider.refund(refundRequest),
      provider.queryRefund(refundRequest),
    ];

    it('is signed so that an independent library verifies it, over the bytes that arrived', async () => {
      platform.answer({ status: 500 });
      await Promise.allSettled(calls());
      expect(platform.seen.map(({ method }) => method).sort()).toEqual(['GET', 'GET', 'POST', 'POST', 'POST']);
      for (const { method, url, headers, body } of platform.seen) {
        const fields = Object.fromEntries(
          [...headers.authorization!.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]),
        );
        expect(fields).toMatchObject({ mchid: account.mchid, serial_no: account.serialNo, timestamp: String(NOW) });
        const text = Formatter.request(method, url, fields.timestamp!, fields.nonce_str!, body.toString());
        expect(Rsa.verify(text, fields.signature!, keys.wechat_merchant.public_spki_pem)).toBe(true);
      }
    });

    it('says what WeChat Pay wants to read', async () => {
      platform.answer({ status: 500 });
      await Promise.allSettled(calls());
      for (const { method, headers } of platform.seen) {
        expect(headers).toMatchObject({ accept: 'application/json', 'user-agent': 'durable-orders' });
        expect(headers['content-type']).toBe(method === 'POST' ? 'application/json' : undefined);
        expect(headers['wechatpay-serial']).toBe(PUB_KEY_ID);
      }
    });

    it('asks for no public key where there is none', async () => {
      platform.answer({ status: 500 });
      const platformKeys = { [CERT_SERIAL]: keys.wechat_platform_cert.cert_pem };
      await errorOf(wechatPay({ ...account, platformKeys }, edge(platform.baseUrl)).query(payment));
      expect(platform.seen[0]!.headers).not.toHaveProperty('wechatpay-serial');
    });

    it('keeps a path in front of the base URL, and signs it', async () => {
      platform.answer({ status: 500 });
      await errorOf(wechatPay(account, edge(`${platform.baseUrl}/mirror/`)).query(payment));
      const [{ url, headers }] = platform.seen as [(typeof platform.seen)[0]];
      expect(url).toBe(`/mirror/v3/pay/transactions/out-trade-no/${outTradeNo}?mchid=${account.mchid}`);
      const signature = /signature="([^"]*)"/.exec(headers.authorization!)![1]!;
      expect(
        Rsa.verify(Formatter.request('GET', url, NOW, NONCE), signature, keys.wechat_merchant.public_spki_pem),
      ).toBe(true);
    });

    it('is about CNY and whole fen, or is not made at all', async () => {
      const offline = wechatPay(account, noNetwork);
      for (const wrong of [
        yuan(100, 'USD'),
        yuan(100, 'cny'),
        yuan(0),
        yuan(-1),
        yuan(1.5),
        yuan(2 ** 53),
        yuan(NaN),
      ]) {
        const code = wrong.currency === 'CNY' ? 'unsupported_amount' : 'unsupported_currency';
        for (const call of [
          () => offline.open({ ...attempt, money: wrong }),
          () => offline.query({ ...payment, money: wrong }),
          () => offline.close({ ...payment, money: wrong }),
          () => offline.refund({ ...refundRequest, refund: wrong }),
          () => offline.refund({ ...refundRequest, paid: wrong }),
          () => offline.queryRefund({ ...refundRequest, refund: wrong }),
        ]) {
          expect(await errorOf(call())).toMatchObject({ outcome: 'refused', code });
        }
      }
    });
  });

  describe('open', () => {
    it('tells the whole attempt, and shows a QR code', async () => {
      platform.answer(ok({ code_url: 'weixin://wxpay/bizpayurl/up?pr=x' }));
      expect(await provider.open(attempt)).toEqual({
        action: { type: 'qr', content: 'weixin://wxpay/bizpayurl/up?pr=x' },
        reference: null,
      });
      expect(platform.seen[0]).toMatchObject({ method: 'POST', url: '/v3/pay/transactions/native' });
      expect(lastBody()).toEqual({
        appid: account.appid,
        mchid: account.mchid,
        description: '测试商品',
        out_trade_no: outTradeNo,
        time_expire: '2026-11-21T10:30:00+08:00',
        attach: 'ord_1',
        notify_url: attempt.notifyUrl,
        amount: { total: 8888, currency: 'CNY' },
      });
    });

    it('is the same call when it is repeated', async () => {
      platform.answer(ok({ code_url: 'weixin://x' }));
      await provider.open(attempt);
      await provider.open(attempt);
      expect(platform.seen[1]!.body.equals(platform.seen[0]!.body)).toBe(true);
    });

    it.each([
      ['Chinese', '茶'.repeat(200), '茶'.repeat(42)],
      ['emoji', `a${'😀'.repeat(200)}`, `a${'😀'.repeat(31)}`],
      ['ASCII', 'x'.repeat(200), 'x'.repeat(127)],
      ['several lines', 'tea\r\n\tand\u0000cake', 'tea and cake'],
      ['half a character', 'tea\ud800', 'tea\ufffd'],
    ])('cuts a description to 127 bytes: %s', async (_name, description, expected) => {
      platform.answer(ok({ code_url: 'weixin://x' }));
      await provider.open({ ...attempt, description });
      expect(lastBody()).toMatchObject({ description: expected });
    });

    it('cuts the time to the second: the provider never takes money for longer', async () => {
      platform.answer(ok({ code_url: 'weixin://x' }));
      await provider.open({ ...attempt, expiresAt: Date.UTC(2026, 11, 31, 15, 59, 59, 999) });
      expect(lastBody()).toMatchObject({ time_expire: '2026-12-31T23:59:59+08:00' });
    });

    it.each(['OUT_TRADE_NO_USED', 'ORDERPAID', 'ORDER_CLOSED'])(
      '%s: the number has a history, ask first',
      async (code) => {
        platform.answer(refusal(403, code));
        expect(await errorOf(provider.open(attempt))).toMatchObject({ outcome: 'unknown', code });
      },
    );

    describe('where WeChat itself asks the buyer', () => {
      const vector = vectors.find(({ name }) => name === 'jsapi_paysign') as unknown as Record<string, string>;
      const buyer = { payer_id: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' };
      const prepaid = () => platform.answer(ok({ prepay_id: vector['package']!.replace('prepay_id=', '') }));

      it('tells who pays, and hands over signed parameters, byte for byte', async () => {
        prepaid();
        const { appId, timeStamp, nonceStr, package: pack, signType, paySign } = vector;
        expect(await provider.open({ ...attempt, method: 'wechatpay.jsapi', buyer })).toEqual({
          action: { type: 'app', params: { appId, timeStamp, nonceStr, package: pack, signType, paySign } },
          reference: null,
        });
        expect(platform.seen[0]!.url).toBe('/v3/pay/transactions/jsapi');
        expect(lastBody()).toMatchObject({ appid: account.appid, payer: { openid: buyer.payer_id } });
      });

      it('a mini-program may be an app of its own', async () => {
        prepaid();
        const mini = wechatPay({ ...account, miniAppid: 'wxmini' }, edge(platform.baseUrl));
        const { action } = await mini.open({ ...attempt, method: 'wechatpay.mini', buyer });
        expect(action).toMatchObject({ type: 'app', params: { appId: 'wxmini' } });
        expect(lastBody()).toMatchObject({ appid: 'wxmini' });
        expect(mini.isOurs({ merchantNo: account.mchid, appId: 'wxmini' })).toBe(true);
        expect(provider.isOurs({ merchantNo: account.mchid, appId: 'wxmini' })).toBe(false);
        platform.answer(ok({ ...transaction, appid: 'wxmini' }));
        expect(await mini.query(payment)).toMatchObject({ state: 'paid' });
      });

      it.each(['wechatpay.jsapi', 'wechatpay.mini', 'wechatpay.h5'] as const)(
        '%s without its buyer is refused before anything is sent',
        async (method) => {
          const error = await errorOf(provider.open({ ...attempt, method }));
          expect(error).toMatchObject({ outcome: 'refused', code: 'missing_buyer_field' });
          expect(platform.seen).toEqual([]);
        },
      );
    });

    describe('from the browser of a phone', () => {
      const h5Url = 'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2';
      const openH5 = (buyer: object) =>
        provider.open({ ...attempt, method: 'wechatpay.h5', buyer: { client_ip: '203.0.113.7', ...buyer } });

      it('tells the address of the phone, and leads to WeChat', async () => {
        platform.answer(ok({ h5_url: h5Url }));
        expect((await openH5({})).action).toEqual({ type: 'redirect', url: h5Url });
        expect(platform.seen[0]!.url).toBe('/v3/pay/transactions/h5');
        expect(lastBody()).toMatchObject({
          scene_info: { payer_client_ip: '203.0.113.7', h5_info: { type: 'Wap' } },
        });
      });

      it('and back to the shop', async () => {
        platform.answer(ok({ h5_url: h5Url }));
        const { action } = await openH5({ return_url: 'https://shop.example.com/back?a=1&b=2' });
        const url = `${h5Url}&redirect_url=https%3A%2F%2Fshop.example.com%2Fback%3Fa%3D1%26b%3D2`;
        expect(action).toEqual({ type: 'redirect', url });
      });
    });

    it('knows its methods', async () => {
      const other = { ...attempt, method: 'alipay.qr' as typeof attempt.method };
      expect(await errorOf(provider.open(other))).toMatchObject({ outcome: 'refused', code: 'unsupported_method' });
      expect(platform.seen).toEqual([]);
    });

    it.each([[{}], [{ code_url: '' }], [{ code_url: 1 }], ['null'], ['[]'], ['not json'], ['']])(
      'an answer without a code is no success: %j',
      async (answer) => {
        platform.answer(ok(answer));
        expect(await errorOf(provider.open(attempt))).toMatchObject({ outcome: 'unknown', code: 'malformed_answer' });
      },
    );
  });

  describe('query', () => {
    const paidAt = Date.UTC(2026, 10, 21, 2, 1, 2);
    const paid = { state: 'paid', tradeNo: transaction.transaction_id, money: yuan(8888), paidAt };
    const { transaction_id: _, success_time: __, amount: ___, ...unpaid } = transaction;

    it.each([
      ['SUCCESS', transaction, paid],
      ['REFUND', transaction, paid],
      ['NOTPAY', unpaid, { state: 'pending' }],
      ['ACCEPT', unpaid, { state: 'pending' }],
      ['USERPAYING', unpaid, { state: 'processing' }],
      ['CLOSED', unpaid, { state: 'closed' }],
      ['REVOKED', unpaid, { state: 'closed' }],
      ['PAYERROR', unpaid, { state: 'failed', reason: 'PAYERROR' }],
    ])('%s', async (trade_state, answer, report) => {
      platform.answer(ok({ ...answer, trade_state }));
      expect(await provider.query(payment)).toEqual(report);
    });

    it('ORDER_NOT_EXIST: never heard of', async () => {
      platform.answer(refusal(404, 'ORDER_NOT_EXIST'));
      expect(await provider.query(payment)).toEqual({ state: 'unknown' });
    });

    it('reports what was paid, not what was asked: rule 2 is for others to apply', async () => {
      platform.answer(ok({ ...transaction, amount: { total: 1, currency: 'USD' } }));
      expect(await provider.query(payment)).toMatchObject({ state: 'paid', money: yuan(1, 'USD') });
    });

    it('counts money also where its time is missing', async () => {
      for (const success_time of [undefined, null, '', 'yesterday', '2026-11-21T10:01:02']) {
        platform.answer(ok({ ...transaction, success_time }));
        expect(await provider.query(payment)).toEqual({ ...paid, paidAt: NOW * 1000 });
      }
    });

    it.each([
      ['merchant', { mchid: '1900000110' }],
      ['app', { appid: 'wxother' }],
      ['number', { out_trade_no: 'T20261121100000000002' }],
    ])('an answer about another %s is none', async (_name, change) => {
      platform.answer(ok({ ...transaction, ...change }));
      expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'unknown', code: 'account_mismatch' });
    });

    it.each([
      ['no amount', { amount: undefined }],
      ['no total', { amount: { currency: 'CNY' } }],
      ['a total as text', { amount: { total: '8888', currency: 'CNY' } }],
      ['a fraction', { amount: { total: 88.88, currency: 'CNY' } }],
      ['nothing paid', { amount: { total: 0, currency: 'CNY' } }],
      ['more than a number holds', { amount: { total: 2 ** 60, currency: 'CNY' } }],
      ['no currency', { amount: { total: 8888 } }],
      ['an odd currency', { amount: { total: 8888, currency: '¥' } }],
      ['no transaction', { transaction_id: '' }],
      ['an unheard-of state', { trade_state: 'MAYBE' }],
      ['no state', { trade_state: undefined }],
    ])('paid with %s is not paid', async (_name, change) => {
      platform.answer(ok({ ...transaction, ...change }));
      expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'unknown', code: 'malformed_answer' });
    });

    it('an empty success is no report', async () => {
      platform.answer({ status: 204, headers: signed('') });
      expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'unknown', code: 'malformed_answer' });
      platform.answer(ok('null'));
      expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'unknown', code: 'malformed_answer' });
    });
  });

  describe('close', () => {
    it('is taken, again and again', async () => {
      platform.answer({ status: 204, headers: signed('') });
      await provider.close(payment);
      await provider.close(payment);
      expect(platform.seen.map(({ url }) => url)).toEqual(
        Array(2).fill(`/v3/pay/transactions/out-trade-no/${outTradeNo}/close`),
      );
      expect(lastBody()).toEqual({ mchid: account.mchid });
    });

    it.each([
      [400, 'ORDERPAID'],
      [400, 'ORDER_CLOSED'],
      [400, 'INVALID_REQUEST'],
      [404, 'ORDER_NOT_EXIST'],
      [403, 'TRADE_ERROR'],
      [403, 'RULE_LIMIT'],
    ])('%i %s: about the payment, so the caller asks next', async (status, code) => {
      platform.answer(refusal(status, code));
      await expect(provider.close(payment)).resolves.toBeNull();
    });

    it.each([
      [401, 'SIGN_ERROR', 'refused'],
      [403, 'NO_AUTH', 'refused'],
      [429, 'FREQUENCY_LIMITED', 'busy'],
      [500, 'SYSTEM_ERROR', 'unknown'],
    ])('%i %s: not closed', async (status, code, outcome) => {
      platform.answer(refusal(status, code));
      expect(await errorOf(provider.close(payment))).toMatchObject({ outcome, code });
    });
  });

  describe('refund', () => {
    it('tells all of it', async () => {
      platform.answer(ok(refundAnswer));
      expect(await provider.refund(refundRequest)).toEqual({ state: 'processing' });
      expect(platform.seen[0]).toMatchObject({ method: 'POST', url: '/v3/refund/domestic/refunds' });
      expect(lastBody()).toEqual({
        transaction_id: refundRequest.tradeNo,
        out_refund_no: refundRequest.outRefundNo,
        reason: '用户退款',
        notify_url: refundRequest.notifyUrl,
        amount: { refund: 800, total: 8888, currency: 'CNY' },
      });
    });

    it('goes by our number where theirs is not known', async () => {
      platform.answer(ok(refundAnswer));
      await provider.refund({ ...refundRequest, tradeNo: '', reason: '' });
      expect(lastBody()).toMatchObject({ out_trade_no: outTradeNo });
      expect(lastBody()).not.toHaveProperty('transaction_id');
      expect(lastBody()).not.toHaveProperty('reason');
    });

    it('cuts the reason to 80 bytes', async () => {
      platform.answer(ok(refundAnswer));
      await provider.refund({ ...refundRequest, reason: '退'.repeat(100) });
      expect(lastBody()).toMatchObject({ reason: '退'.repeat(26) });
    });

    const settledAt = Date.UTC(2026, 10, 21, 3, 0, 5);
    const statuses: [string, object][] = [
      ['PROCESSING', { state: 'processing' }],
      ['SUCCESS', { state: 'succeeded', settledAt }],
      ['CLOSED', { state: 'failed', reason: 'CLOSED' }],
      ['ABNORMAL', { state: 'processing' }],
    ];
    it.each(statuses)('%s, when asked for and when asked about', async (status, report) => {
      platform.answer(ok({ ...refundAnswer, status }));
      expect(await provider.refund(refundRequest)).toEqual(report);
      expect(await provider.queryRefund(refundRequest)).toEqual(report);
    });

    it.each([
      ['refund', { out_refund_no: 'R2' }],
      ['payment', { out_trade_no: 'T2' }],
      ['amount', { amount: { ...refundAnswer.amount, refund: 801 } }],
      ['currency', { amount: { ...refundAnswer.amount, currency: 'USD' } }],
    ])('an answer about another %s is none', async (_name, change) => {
      platform.answer(ok({ ...refundAnswer, status: 'SUCCESS', ...change }));
      for (const call of [() => provider.refund(refundRequest), () => provider.queryRefund(refundRequest)]) {
        expect(await errorOf(call())).toMatchObject({ outcome: 'unknown', code: 'refund_mismatch' });
      }
    });

    it('an unheard-of status is neither success nor failure', async () => {
      platform.answer(ok({ ...refundAnswer, status: 'DONE' }));
      expect(await errorOf(provider.refund(refundRequest))).toMatchObject({
        outcome: 'unknown',
        code: 'malformed_answer',
      });
    });

    it('RESOURCE_NOT_EXISTS: the refund was never heard of; asked for, it is refused', async () => {
      platform.answer(refusal(404, 'RESOURCE_NOT_EXISTS'));
      expect(await provider.queryRefund(refundRequest)).toEqual({ state: 'unknown' });
      expect(await errorOf(provider.refund(refundRequest))).toMatchObject({
        outcome: 'refused',
        code: 'RESOURCE_NOT_EXISTS',
      });
    });
  });

  describe('what goes wrong', () => {
    const good = ok({ code_url: 'weixin://x' });
    const html = { 'content-type': 'text/html' };
    const table: [string, Answer, ProviderError['outcome'], string][] = [
      ['400 PARAM_ERROR', refusal(400, 'PARAM_ERROR'), 'refused', 'PARAM_ERROR'],
      ['400 INVALID_REQUEST', refusal(400, 'INVALID_REQUEST'), 'refused', 'INVALID_REQUEST'],
      ['400 APPID_MCHID_NOT_MATCH', refusal(400, 'APPID_MCHID_NOT_MATCH'), 'refused', 'APPID_MCHID_NOT_MATCH'],
      ['401 SIGN_ERROR', refusal(401, 'SIGN_ERROR'), 'refused', 'SIGN_ERROR'],
      ['403 NO_AUTH', refusal(403, 'NO_AUTH'), 'refused', 'NO_AUTH'],
      ['403 NOT_ENOUGH', refusal(403, 'NOT_ENOUGH'), 'refused', 'NOT_ENOUGH'],
      ['403 RULE_LIMIT', refusal(403, 'RULE_LIMIT'), 'refused', 'RULE_LIMIT'],
      ['403 USER_ACCOUNT_ABNORMAL', refusal(403, 'USER_ACCOUNT_ABNORMAL'), 'refused', 'USER_ACCOUNT_ABNORMAL'],
      ['404 MCH_NOT_EXISTS', refusal(404, 'MCH_NOT_EXISTS'), 'refused', 'MCH_NOT_EXISTS'],
      ['429 FREQUENCY_LIMITED', refusal(429, 'FREQUENCY_LIMITED'), 'busy', 'FREQUENCY_LIMITED'],
      ['429 RATELIMIT_EXCEEDED', refusal(429, 'RATELIMIT_EXCEEDED'), 'busy', 'RATELIMIT_EXCEEDED'],
      ['403 FREQUENCY_LIMITED', refusal(403, 'FREQUENCY_LIMITED'), 'busy', 'FREQUENCY_LIMITED'],
      ['429 of a gateway', { status: 429, headers: html, body: '<html>' }, 'busy', 'HTTP_429'],
      ['500 SYSTEM_ERROR', refusal(500, 'SYSTEM_ERROR'), 'unknown', 'SYSTEM_ERROR'],
      ['500 with a refusing code', refusal(500, 'PARAM_ERROR'), 'unknown', 'PARAM_ERROR'],
      ['400 SYSTEM_ERROR', refusal(400, 'SYSTEM_ERROR'), 'unknown', 'SYSTEM_ERROR'],
      ['502 SERVICE_UNAVAILABLE', refusal(502, 'SERVICE_UNAVAILABLE'), 'unknown', 'SERVICE_UNAVAILABLE'],
      ['503 of a gateway', { status: 503, headers: html, body: '<html>' }, 'unknown', 'HTTP_503'],
      ['202 accepted', { status: 202, headers: signed('') }, 'unknown', 'HTTP_202'],
      ['201, which WeChat Pay never says', { status: 201, headers: signed('{}'), body: '{}' }, 'unknown', 'HTTP_201'],
      ['302, not followed', { status: 302, headers: { location: '/elsewhere' } }, 'unknown', 'HTTP_302'],
      ['404 without words: not WeChat Pay', { status: 404 }, 'unknown', 'HTTP_404'],
      ['405 without words', { status: 405 }, 'unknown', 'HTTP_405'],
      ['403 of a firewall', { status: 403, headers: html, body: '<html>blocked</html>' }, 'unknown', 'HTTP_403'],
      ['400 with an odd code', refusal(400, 'x\ny'), 'unknown', 'HTTP_400'],
      ['200 unsigned', { ...(good as object), headers: {} } as Answer, 'unknown', 'unverified_answer'],
      ['204 unsigned', { status: 204 }, 'unknown', 'unverified_answer'],
      ['200 badly signed', ok({ code_url: 'a' }, { key: keys.alipay_platform }), 'unknown', 'unverified_answer'],
      [
        '200 signed by the merchant',
        ok({ code_url: 'a' }, { key: keys.wechat_merchant }),
        'unknown',
        'unverified_answer',
      ],
      ['200 under the other key’s name', ok({ code_url: 'a' }, { serial: PUB_KEY_ID }), 'unknown', 'unverified_answer'],
      ['200 of an unknown serial', ok({ code_url: 'a' }, { serial: 'F'.repeat(40) }), 'unknown', 'unverified_answer'],
      ['200 of a prototype’s name', ok({ code_url: 'a' }, { serial: 'constructor' }), 'unknown', 'unverified_answer'],
      ['200 signed 301 s ago', ok({ code_url: 'a' }, { timestamp: NOW - 301 }), 'unknown', 'unverified_answer'],
      ['200 signed in 301 s', ok({ code_url: 'a' }, { timestamp: NOW + 301 }), 'unknown', 'unverified_answer'],
      ['200 without a time', ok({ code_url: 'a' }, { timestamp: 'now' }), 'unknown', 'unverified_answer'],
    ];

    it.each(table)('%s', async (_name, answer, outcome, code) => {
      platform.answer(answer);
      for (const call of [
        () => provider.open(attempt),
        () => provider.query(payment),
        () => provider.refund(refundRequest),
      ]) {
        expect(await errorOf(call())).toMatchObject({ outcome, code });
      }
      expect(platform.seen).toHaveLength(3);
    });

    it('a 204 without a signature closes nothing', async () => {
      platform.answer({ status: 204 });
      expect(await errorOf(provider.close(payment))).toMatchObject({ outcome: 'unknown', code: 'unverified_answer' });
    });

    it.each([-300, 300])('signed %i s from our clock is still good', async (seconds) => {
      platform.answer(ok({ code_url: 'weixin://x' }, { timestamp: NOW + seconds }));
      expect(await provider.open(attempt)).toMatchObject({ action: { type: 'qr' } });
    });

    it('names the serial that is missing, so that somebody can add it', async () => {
      platform.answer(ok({ code_url: 'a' }, { serial: 'ABCDEF' }));
      expect((await errorOf(provider.open(attempt))).message).toContain('unknown key ABCDEF');
    });

    it('says when to try again, where WeChat Pay does', async () => {
      platform.answer(refusal(429, 'FREQUENCY_LIMITED', { 'retry-after': '7' }));
      expect((await errorOf(provider.refund(refundRequest))).retryAfterMs).toBe(7000);
      const date = new Date((NOW + 30) * 1000).toUTCString();
      platform.answer(refusal(429, 'FREQUENCY_LIMITED', { 'retry-after': date }));
      expect((await errorOf(provider.refund(refundRequest))).retryAfterMs).toBe(30_000);
      platform.answer(refusal(429, 'FREQUENCY_LIMITED', { 'retry-after': 'soon' }));
      expect((await errorOf(provider.refund(refundRequest))).retryAfterMs).toBeUndefined();
    });

    it('quotes no openid, no number, no answer, no key', async () => {
      const secret = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
      const message = `输入源“/body/payer/openid”的值 ${secret} 与 13800138000 不符`;
      platform.answer({
        status: 400,
        body: JSON.stringify({ code: 'PARAM_ERROR', message, detail: { value: secret } }),
      });
      const refused = await errorOf(provider.open(attempt));
      expect(refused.message).toContain('输入源“/body/payer/openid”');
      platform.answer(ok(`{"code_url": "${secret}`));
      const malformed = await errorOf(provider.open(attempt));
      for (const { message: text, stack, cause } of [refused, malformed]) {
        expect(`${text} ${stack}`).not.toMatch(/oUpF8|13800138000|PRIVATE KEY/);
        expect(cause).toBeUndefined();
      }
    });

    describe('on the way', () => {
      const failing: [string, Answer, string][] = [
        ['no answer in time', () => undefined, 'timeout'],
        [
          'an answer that stops half way',
          (response) => void response.writeHead(200, { ...signed('{}'), 'content-length': '9' }).write('{'),
          'timeout',
        ],
        ['reset after it was sent', (response) => void response.socket!.resetAndDestroy(), 'connection_broken'],
        ['closed after it was sent', (response) => void response.socket!.end(), 'connection_broken'],
        [
          'closed half way',
          (response) => {
            response
              .writeHead(200, { ...signed('{}'), 'content-length': '9' })
              .write('{', () => response.socket!.destroy());
          },
          'connection_broken',
        ],
        ['no HTTP at all', (response) => void response.socket!.end('hello\r\n\r\n'), 'connection_broken'],
        ['an answer without end', ok(`{"code_url":"${'x'.repeat(2 ** 21)}"}`), 'answer_too_large'],
      ];

      it.each(failing)('%s: it may have happened', async (_name, answer, code) => {
        platform.answer(answer);
        const hurried = wechatPay(account, edge(platform.baseUrl, { timeoutMs: 300 }));
        for (const call of [() => hurried.refund(refundRequest), () => hurried.close(payment)]) {
          expect(await errorOf(call())).toMatchObject({ outcome: 'unknown', code });
        }
      });

      it('nobody listens: nothing happened', async () => {
        const gone = await startPlatform();
        await gone.stop();
        for (const baseUrl of [gone.baseUrl, gone.baseUrl.replace('127.0.0.1', 'localhost')]) {
          const error = await errorOf(wechatPay(account, edge(baseUrl)).refund(refundRequest));
          expect(error).toMatchObject({ outcome: 'busy', code: 'unreachable' });
        }
      });

      const network = (cause: unknown) =>
        edge('https://x.example', { fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) });
      const because = (fields: object) => Object.assign(new Error('x'), fields);
      it.each([
        ['a name that does not resolve', because({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }), 'busy'],
        ['a connection that is not made', because({ code: 'UND_ERR_CONNECT_TIMEOUT' }), 'busy'],
        ['no route while connecting', because({ code: 'EHOSTUNREACH', syscall: 'connect' }), 'busy'],
        ['no route to an open connection', because({ code: 'EHOSTUNREACH', syscall: 'read' }), 'unknown'],
        [
          'several addresses, one of them perhaps reached',
          new AggregateError([because({ syscall: 'connect' }), because({})]),
          'unknown',
        ],
        ['no reason given', undefined, 'unknown'],
      ])('%s', async (_name, cause, outcome) => {
        expect((await errorOf(wechatPay(account, network(cause)).refund(refundRequest))).outcome).toBe(outcome);
      });
    });
  });
});

describe('notices', () => {
  const provider = wechatPay(account, noNetwork);
  const read = (body: string, headers: Record<string, string> = signed(body)) =>
    provider.readNotice({ headers: new Headers(headers), body: Buffer.from(body) });
  const rejected = async (call: Promise<unknown>, why: string) => {
    await expect(call).rejects.toThrow(NoticeRejected);
    await expect(call).rejects.toThrow(why);
  };

  it('made by an independent library: read', async () => {
    expect(await read(noticeBody(transaction))).toMatchObject({
      id: 'EV-1',
      outTradeNo,
      about: 'payment',
      payment: { state: 'paid', money: yuan(8888), tradeNo: transaction.transaction_id },
    });
  });

  it.each([
    ['REFUND.SUCCESS', 'SUCCESS', { state: 'succeeded', settledAt: Date.UTC(2026, 10, 21, 3, 0, 5) }],
    ['REFUND.ABNORMAL', 'ABNORMAL', { state: 'processing' }],
    ['REFUND.CLOSED', 'CLOSED', { state: 'failed', reason: 'CLOSED' }],
  ])('%s', async (event, refund_status, refund) => {
    const { status: _, amount: __, ...plain } = { ...refundAnswer, mchid: account.mchid, refund_status };
    const notice = await read(noticeBody(plain, { event, aad: 'refund' }));
    expect(notice).toMatchObject({ about: 'refund', outRefundNo: refundRequest.outRefundNo, refund });
  });

  it('sent again, later, signed anew: the same id', async () => {
    const body = noticeBody(transaction);
    const again = signed(body, {
      timestamp: NOW + 200,
      nonce: 'another',
      key: keys.wechat_platform_pubkey,
      serial: PUB_KEY_ID,
    });
    expect(await read(body, again)).toEqual(await read(body));
  });

  it('for another merchant or app: read all the same, and told apart', async () => {
    const other = await read(noticeBody({ ...transaction, mchid: '1900000110' }));
    expect(provider.isOurs(other.account)).toBe(false);
    expect(provider.isOurs((await read(noticeBody({ ...transaction, appid: 'wxother' }))).account)).toBe(false);
    expect(provider.isOurs((await read(noticeBody(transaction))).account)).toBe(true);
    expect(provider.isOurs({ merchantNo: account.mchid, appId: null })).toBe(true);
    expect(provider.isOurs({ merchantNo: '', appId: null })).toBe(false);
  });

  it('of another amount: read as it is', async () => {
    const plain = { ...transaction, amount: { total: 1, currency: 'CNY' } };
    expect(await read(noticeBody(plain))).toMatchObject({ payment: { money: yuan(1) } });
  });

  describe('nobody may believe', () => {
    const body = noticeBody(transaction);

    it.each(['Timestamp', 'Nonce', 'Serial', 'Signature'])('one without its %s', async (name) => {
      const { [`Wechatpay-${name}`]: _, ...rest } = signed(body);
      await rejected(read(body, rest), 'not signed');
      await rejected(read(body, { ...rest, [`Wechatpay-${name}`]: '' }), 'not signed');
    });

    it('WeChat Pay’s own probe', async () => {
      const headers = signed(body);
      const probe = { ...headers, 'Wechatpay-Signature': `WECHATPAY/SIGNTEST/${headers['Wechatpay-Signature']}` };
      await rejected(read(body, probe), 'signature does not hold');
      await rejected(
        read(body, { ...headers, 'Wechatpay-Signature': 'WECHATPAY/SIGNTEST/abc' }),
        'signature does not hold',
      );
    });

    it('one that was changed, cut short or lengthened', async () => {
      const headers = signed(body);
      await rejected(read(body.replace('EV-1', 'EV-2'), headers), 'signature does not hold');
      await rejected(read(body.slice(0, -1), headers), 'signature does not hold');
      await rejected(read(`${body}\n`, headers), 'signature does not hold');
      await rejected(read('', headers), 'signature does not hold');
    });

    it.each([-301, 301, -86_400])('one signed %i s from our clock', async (seconds) => {
      await rejected(read(body, signed(body, { timestamp: NOW + seconds })), 'timestamp');
    });

    it('an old one with a new time', async () => {
      const replayed = { ...signed(body, { timestamp: NOW - 400 }), 'Wechatpay-Timestamp': String(NOW) };
      await rejected(read(body, replayed), 'signature does not hold');
    });

    it.each(['1795226400.0', ' ', '-1', '0x6B011F20', '1795226400, 1795226400', '1e9'])(
      'one of the time %j',
      async (time) => {
        await rejected(
          read(body, { ...signed(body), 'Wechatpay-Timestamp': time }),
          time.trim() ? 'timestamp' : 'not signed',
        );
      },
    );

    it('one signed by somebody else', async () => {
      await rejected(read(body, signed(body, { key: keys.alipay_platform })), 'signature does not hold');
      await rejected(read(body, signed(body, { key: keys.wechat_merchant })), 'signature does not hold');
      await rejected(read(body, signed(body, { serial: PUB_KEY_ID })), 'signature does not hold');
      await rejected(read(body, signed(body, { serial: 'A'.repeat(40) })), `unknown key ${'A'.repeat(40)}`);
      await rejected(read(body, signed(body, { serial: '__proto__' })), 'unknown key');
    });

    it('one too large, before anything is computed', async () => {
      await rejected(read('x'.repeat(64 * 1024 + 1)), 'too large');
      await rejected(read('x'.repeat(64 * 1024)), 'no object');
    });

    it('one of another merchant’s APIv3 key, another AAD, nonce or algorithm, or without a tag', async () => {
      const apiV3Key = 'f'.repeat(32);
      await rejected(read(noticeBody(transaction, { apiV3Key })), 'does not decrypt');
      const changed = (change: Record<string, unknown>) =>
        read(
          noticeBody(transaction, { change: (notice) => ({ ...notice, resource: { ...notice.resource, ...change } }) }),
        );
      await rejected(changed({ associated_data: 'refund' }), 'does not decrypt');
      await rejected(changed({ associated_data: undefined }), 'does not decrypt');
      await rejected(changed({ nonce: 'fdasflkja485' }), 'does not decrypt');
      await rejected(changed({ nonce: '' }), 'does not decrypt');
      await rejected(changed({ ciphertext: '' }), 'does not decrypt');
      await rejected(changed({ ciphertext: 'AAAA' }), 'does not decrypt');
      await rejected(changed({ algorithm: 'AEAD_AES_128_GCM' }), 'resource.algorithm');
      await rejected(changed({ ciphertext: 1 }), 'resource.ciphertext');
    });

    it('one truncated inside its encryption', async () => {
      const truncated = noticeBody(transaction, {
        change: ({ resource, ...rest }) => {
          const bytes = Buffer.from(resource.ciphertext!, 'base64');
          const ciphertext = Buffer.concat([bytes.subarray(0, 20), bytes.subarray(-16)]).toString('base64');
          return { ...rest, resource: { ...resource, ciphertext } };
        },
      });
      await rejected(read(truncated), 'does not decrypt');
    });

    it.each([
      ['no amount', { ...transaction, amount: undefined }, 'amount'],
      ['an amount as text', { ...transaction, amount: { total: '1', currency: 'CNY' } }, 'amount.total'],
      ['no number', { ...transaction, out_trade_no: undefined }, 'out_trade_no'],
      ['no merchant', { ...transaction, mchid: undefined }, 'mchid'],
      ['an unheard-of state', { ...transaction, trade_state: 'MAYBE' }, 'trade_state'],
      ['a list', [], 'no object'],
      ['nothing', null, 'no object'],
    ])('genuine, but with %s', async (_name, plain, why) => {
      await rejected(read(noticeBody(plain)), why);
    });

    it.each(['[]', 'null', '"x"', '{', '{"id":"EV-1"}'])('genuine, but only %s', async (text) => {
      await expect(read(text)).rejects.toThrow(NoticeRejected);
    });

    it('and says so without quoting it', async () => {
      const secret = transaction.payer.openid;
      for (const text of [`{"id": "${secret}`, JSON.stringify({ id: secret }), noticeBody({ openid: secret })]) {
        const error = (await read(text).catch((reason: unknown) => reason)) as NoticeRejected;
        expect(error.message).not.toContain(secret);
        expect(error.cause).toBeUndefined();
      }
    });
  });

  it('a genuine one of a kind we do not read is no forgery', async () => {
    for (const event of ['MCHTRANSFER.BILL.FINISHED', 'TRANSACTION.PAY_BACK', 'constructor']) {
      expect(await errorOf(read(noticeBody({ any: 'thing' }, { event })))).toMatchObject({
        outcome: 'refused',
        code: 'unhandled_notice',
      });
    }
    const forged = noticeBody({}, { event: 'MCHTRANSFER.BILL.FINISHED' });
    await rejected(read(forged, signed(forged, { key: keys.alipay_platform })), 'signature does not hold');
  });

  it('are answered in WeChat Pay’s words', () => {
    expect(provider.acknowledge('accepted')).toEqual({ status: 204, headers: {}, body: '' });
    const failed = provider.acknowledge('failed');
    expect(failed).toMatchObject({ status: 500, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(failed.body)).toEqual({ code: 'FAIL', message: 'try again later' });
    const refused = provider.acknowledge('rejected');
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toEqual({ code: 'FAIL', message: 'signature not accepted' });
  });
});

describe('a wrong account is found at the start, and its keys are not quoted', () => {
  it.each([
    ['no private key', { privateKey: 'SECRET' }, 'privateKey'],
    ['a public key for a private one', { privateKey: keys.wechat_merchant.public_spki_pem }, 'privateKey'],
    ['a short APIv3 key', { apiV3Key: 'SECRET' }, 'apiV3Key'],
    ['no platform key', { platformKeys: {} }, 'platformKeys'],
    ['a broken platform key', { platformKeys: { ABC: 'SECRET' } }, 'platformKeys ABC'],
  ])('%s', (_name, change, field) => {
    const start = () => wechatPay({ ...account, ...change }, noNetwork);
    expect(start).toThrow(field);
    expect(start).not.toThrow(/SECRET|BEGIN/);
  });
});

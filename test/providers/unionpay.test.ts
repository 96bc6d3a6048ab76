import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NoticeRejected, ProviderError, type PaymentReport } from '../../providers/provider.ts';
import { isSignedBy, readAnswer, readForm, signMessage, textToSign } from '../../providers/unionpay-message.ts';
import { unionPay } from '../../providers/unionpay.ts';
import { issuedCertificate, selfSignedCertificate } from '../../simulator/certificate.ts';
import {
  account,
  answerOf,
  attempt,
  edge,
  formOf,
  keys,
  NOW,
  payment,
  platformSigned,
  refundRequest,
  refundState,
  said,
  vector,
  vectors,
  type Params,
} from './unionpay-peer.ts';
import { startPlatform, type Answer, type Platform } from './wechatpay-peer.ts';

const { outTradeNo } = attempt;
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
beforeEach(() => void (platform.seen.length = 0));
afterAll(() => platform.stop());

const adapter = (changes = {}) => unionPay(account, edge(platform.baseUrl, changes));
const says = (params: Params): void => platform.answer({ status: 200, body: answerOf(platformSigned(params)) });
const sent = (): Params => Object.fromEntries(new URLSearchParams(platform.seen.at(-1)!.body.toString()));

async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

describe('the published vectors', () => {
  const keyOf = (name: string) => keys[name]!;

  it.each(vectors)('$name: text and signature, byte for byte; any other field breaks it', (given) => {
    const { params, canonical, key, signature } = given;
    expect(textToSign(params)).toBe(canonical);
    expect(signMessage(createPrivateKey(keyOf(key)['private_pkcs8_pem']!), params)['signature']).toBe(signature);
    const publicKey = createPublicKey(keyOf(key)['public_spki_pem']!);
    expect(isSignedBy(publicKey, params)).toBe(true);
    for (const name of Object.keys(params).filter((each) => params[each] !== ''))
      expect(isSignedBy(publicKey, { ...params, [name]: `${params[name]}x` }) && name !== 'signature').toBe(false);
    expect(isSignedBy(publicKey, { ...params, more: '1' })).toBe(false);
  });

  it.each(vectors.filter(({ kind }) => kind === 'response'))('$name: read as it comes', ({ http_body, params }) => {
    expect(readAnswer(http_body)).toEqual(params);
    expect(readAnswer(`{${http_body}}`)).toEqual(params);
  });

  it('notify_paid: read as a form', () => {
    expect(readForm(vector('notify_paid').http_body)).toEqual(vector('notify_paid').params);
  });

  it.each([
    ['query', () => adapter().query(payment)],
    ['refund', () => adapter().refund(refundRequest)],
  ] as const)('%s: the adapter sends exactly that', async (name, ask) => {
    platform.answer({ status: 500 });
    await errorOf(ask());
    expect(platform.seen).toHaveLength(1);
    const [{ method, url, headers, body }] = platform.seen as [Platform['seen'][number]];
    expect([method, url]).toEqual(['POST', `/gateway/api/${name === 'query' ? 'queryTrans' : 'backTransReq'}.do`]);
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8');
    expect(body.toString()).toBe(vector(name).http_body);
  });

  it('resp_query_paid and notify_paid: paid', async () => {
    const paid = {
      state: 'paid',
      tradeNo: '932611211000000000008',
      money: { amount: 8888, currency: 'CNY' },
      paidAt: NOW,
    };
    platform.answer({ status: 200, body: vector('resp_query_paid').http_body });
    expect(await adapter().query(payment)).toEqual(paid);
    const body = Buffer.from(vector('notify_paid').http_body);
    expect(await adapter().readNotice({ headers: new Headers(), body })).toEqual({
      id: '932611211000000000008-00',
      account: { merchantNo: account.merId, appId: null },
      about: 'payment',
      outTradeNo,
      payment: paid,
    });
  });

  it('resp_query_not_found: unknown, until the time is over', async () => {
    platform.answer({ status: 200, body: vector('resp_query_not_found').http_body });
    expect(await adapter().query(payment)).toEqual({ state: 'unknown' });
    const later = () => attempt.expiresAt + 61_000;
    expect(await adapter({ now: later }).query(payment)).toEqual({ state: 'closed' });
  });
});

describe('open', () => {
  it.each(['unionpay.gateway', 'unionpay.wap'] as const)('%s: a page of ours that holds the form', async (method) => {
    const { action, reference } = await adapter().open({ ...attempt, method });
    expect(reference).toBeNull();
    expect(platform.seen).toEqual([]);
    if (action?.type !== 'redirect') throw new Error('no redirect');
    const url = new URL(action.url);
    expect(url.origin + url.pathname).toBe(attempt.formUrl);
    const form = adapter().formOf!(url.searchParams);
    expect(form?.action).toBe(`${platform.baseUrl}/gateway/api/frontTransReq.do`);
    const { reserved: _, ...asked } = said('front_pay', { channelType: method === 'unionpay.wap' ? '08' : '07' });
    expect(form?.fields).toEqual({
      ...asked,
      reqReserved: 'ord_1',
      orderDesc: '测试商品',
      signature: expect.any(String) as string,
    });
    const publicKey = createPublicKey(keys['unionpay_merchant']!['public_spki_pem']!);
    expect(isSignedBy(publicKey, form!.fields)).toBe(true);
  });

  it('holds no form that we did not sign, or not for this', async () => {
    const { action } = await adapter().open(attempt);
    const query = action?.type === 'redirect' ? new URL(action.url).search : '';
    const formOfQuery = (text: string) => adapter().formOf!(new URLSearchParams(text));
    expect(formOfQuery(query)).not.toBeNull();
    const changed = query.replace('txnAmt=8888', 'txnAmt=1');
    const refund = `?${vector('refund').http_body}`;
    for (const text of ['', changed, `${query}&more=1`, `${query}&orderId=T1`, refund])
      expect(formOfQuery(text)).toBeNull();
  });

  it('qr: the code that UnionPay answers', async () => {
    const opened = said('qr_apply', {
      respCode: '00',
      orderId: outTradeNo,
      qrCode: 'https://qr.95516.com/00010000/1=2',
    });
    says(opened);
    const { action } = await adapter().open({ ...attempt, method: 'unionpay.qr' });
    expect(action).toEqual({ type: 'qr', content: 'https://qr.95516.com/00010000/1=2' });
    const { certId: _, ...asked } = said('qr_apply', { orderId: outTradeNo, payTimeout: '20261121101500' });
    expect(sent()).toMatchObject(asked);
    expect(sent()).not.toHaveProperty('frontUrl');
  });

  it('qr: an answer about another payment, or without a code, is none', async () => {
    for (const changes of [{ orderId: 'T20261121100000000009', qrCode: 'x' }, { orderId: outTradeNo }] as Params[]) {
      says(said('qr_apply', { respCode: '00', ...changes }));
      const { outcome, code } = await errorOf(adapter().open({ ...attempt, method: 'unionpay.qr' }));
      expect([outcome, code]).toEqual(['unknown', 'malformed_answer']);
    }
  });

  it('qr: a code whose answer was lost is given up: nobody was ever shown it', async () => {
    says(said('qr_apply', { respCode: '12', respMsg: '重复交易[2040004]' }));
    expect((await errorOf(adapter().open({ ...attempt, method: 'unionpay.qr' }))).outcome).toBe('refused');
  });

  it('takes separators out of free text, and cuts it', async () => {
    const { action } = await adapter().open({ ...attempt, description: 'a&b=c{d}[e] 绿茶绿茶绿茶绿茶绿茶' });
    const { orderDesc } = Object.fromEntries(new URL(action?.type === 'redirect' ? action.url : '').searchParams);
    expect(orderDesc).toBe('a b c d e  绿茶绿茶绿茶绿'.slice(0, orderDesc!.length));
    expect(Buffer.byteLength(orderDesc!)).toBeLessThanOrEqual(32);
  });

  it.each([
    [{ money: { amount: 100, currency: 'USD' } }, 'unsupported_currency'],
    [{ money: { amount: 0, currency: 'CNY' } }, 'unsupported_amount'],
    [{ money: { amount: 1.5, currency: 'CNY' } }, 'unsupported_amount'],
    [{ method: 'wechatpay.native' as const }, 'unsupported_method'],
  ])('refuses %j before anything is sent', async (changes, code) => {
    const error = await errorOf(adapter().open({ ...attempt, ...changes }));
    expect([error.outcome, error.code]).toEqual(['refused', code]);
    expect(platform.seen).toEqual([]);
  });
});

describe('query', () => {
  const states: [string, PaymentReport][] = [
    ['03', { state: 'pending' }],
    ['04', { state: 'pending' }],
    ['05', { state: 'pending' }],
    ['64', { state: 'failed', reason: '64 余额不足[6400000]', mayYetBePaid: true }],
  ];
  it.each(states)('%s', async (origRespCode, report) => {
    says(said('resp_query_paid', { origRespCode, origRespMsg: '余额不足[6400000]' }));
    expect(await adapter().query(payment)).toEqual(report);
  });

  it('A6 is paid too', async () => {
    says(said('resp_query_paid', { origRespCode: 'A6' }));
    expect(await adapter().query(payment)).toMatchObject({ state: 'paid' });
  });

  it('another amount or currency is told as it is', async () => {
    says(said('resp_query_paid', { txnAmt: '1', currencyCode: '840' }));
    expect(await adapter().query(payment)).toMatchObject({ money: { amount: 1, currency: 'USD' } });
  });

  it('a failure is final once the time is over', async () => {
    says(said('resp_query_paid', { origRespCode: '64' }));
    expect(await adapter({ now: () => attempt.expiresAt + 61_000 }).query(payment)).toEqual({ state: 'closed' });
  });

  it('asks in the business that it was opened in', async () => {
    says(said('resp_query_paid'));
    await adapter().query({ ...payment, method: 'unionpay.qr' });
    expect(sent()['bizType']).toBe('000000');
  });

  it.each([
    ['another number', { orderId: 'T20261121100000000009' }],
    ['another time', { txnTime: '20261121100001' }],
    ['a refund', { txnType: '04' }],
  ])('an answer about %s is none', async (_, changes) => {
    says(said('resp_query_paid', changes as Params));
    expect(await errorOf(adapter().query(payment))).toMatchObject({ outcome: 'unknown', code: 'another_transaction' });
  });

  it('a payment on New Year’s Eve may be booked in the next year', async () => {
    const startedAt = Date.parse('2026-12-31T23:59:58+08:00');
    says(said('resp_query_paid', { txnTime: '20261231235958', traceTime: '0101000001' }));
    const report = await adapter().query({ ...payment, startedAt });
    expect(report).toMatchObject({ paidAt: Date.parse('2027-01-01T00:00:01+08:00') });
  });
});

describe('refund', () => {
  it('is accepted, no more', async () => {
    says(said('refund', { respCode: '00', queryId: '932611211100000000009' }));
    expect(await adapter().refund(refundRequest)).toEqual({ state: 'processing' });
  });

  it('has the number and the time of its own however often it is asked for', async () => {
    platform.answer({ status: 502 });
    await errorOf(adapter().refund(refundRequest));
    await errorOf(adapter({ now: () => NOW + 86_400_000 }).refund(refundRequest));
    expect(platform.seen[0]!.body).toEqual(platform.seen[1]!.body);
  });

  it.each([
    ['00', { state: 'succeeded', settledAt: Date.parse('2026-11-21T11:00:01+08:00') }],
    ['A6', { state: 'succeeded', settledAt: Date.parse('2026-11-21T11:00:01+08:00') }],
    ['03', { state: 'processing' }],
    ['05', { state: 'processing' }],
    ['61', { state: 'failed', reason: '61 成功[0000000]' }],
  ])('stands at %s', async (origRespCode, report) => {
    says(refundState(origRespCode));
    expect(await adapter().queryRefund(refundRequest)).toEqual(report);
    expect(sent()).toMatchObject({ orderId: refundRequest.outRefundNo, txnTime: '20261121110000', txnType: '00' });
  });

  it('that UnionPay never heard of is unknown; another one is no answer', async () => {
    says(said('resp_query_not_found'));
    expect(await adapter().queryRefund(refundRequest)).toEqual({ state: 'unknown' });
    for (const changes of [{ txnAmt: '801' }, { orderId: 'R20261121110000000002' }, { txnType: '01' }] as Params[]) {
      says(refundState('00', changes));
      expect((await errorOf(adapter().queryRefund(refundRequest))).outcome).toBe('unknown');
    }
  });
});

describe('an error', () => {
  it.each([
    ['06', 'busy'],
    ['37', 'busy'],
    ['02', 'busy'],
    ['03', 'unknown'],
    ['04', 'unknown'],
    ['12', 'unknown'],
    ['99', 'unknown'],
    ['ZZ', 'unknown'],
    ['10', 'refused'],
    ['11', 'refused'],
    ['35', 'refused'],
    ['36', 'refused'],
    ['39', 'refused'],
    ['45', 'refused'],
    ['61', 'refused'],
  ])('%s is %s', async (respCode, outcome) => {
    says(said('refund', { respCode, respMsg: '说明[0000000]' }));
    expect(await errorOf(adapter().refund(refundRequest))).toMatchObject({ outcome, code: respCode });
  });

  const broken: [string, Answer, string][] = [
    ['a 500', { status: 500, body: 'x' }, 'unknown'],
    ['a redirect', { status: 302, headers: { location: 'https://x.example' } }, 'unknown'],
    ['no signature', { status: 200, body: 'respCode=00' }, 'unknown'],
    ['an empty answer', { status: 200, body: '' }, 'unknown'],
    ['nonsense', { status: 200, body: '<html>&&&</html>' }, 'unknown'],
    ['a cut connection', (response) => void response.destroy(), 'unknown'],
    ['too much', { status: 200, body: 'a'.repeat(2_000_000) }, 'unknown'],
  ];
  it.each(broken)('%s is no answer', async (_, answer, outcome) => {
    platform.answer(answer);
    expect((await errorOf(adapter().refund(refundRequest))).outcome).toBe(outcome);
  });

  it('nobody there: nothing was sent', async () => {
    const gone = await startPlatform();
    await gone.stop();
    const nobody = unionPay(account, edge(gone.baseUrl));
    expect((await errorOf(nobody.refund(refundRequest))).outcome).toBe('busy');
  });
});

describe('a notice', () => {
  const read = (body: string | Buffer, at = NOW) =>
    adapter({ now: () => at }).readNotice({ headers: new Headers(), body: Buffer.from(body) });
  const good = () => formOf(platformSigned(said('notify_paid')));

  it('about a refund knows only the refund', async () => {
    const { origRespCode: _, origRespMsg: __, ...params } = refundState('00');
    const body = formOf(platformSigned(params as Params));
    expect(await read(body)).toMatchObject({
      about: 'refund',
      outTradeNo: null,
      outRefundNo: refundRequest.outRefundNo,
      refund: { state: 'succeeded' },
    });
    const failed = formOf(platformSigned({ ...params, respCode: '61', respMsg: '卡无效' } as Params));
    expect(await read(failed)).toMatchObject({ refund: { state: 'failed', reason: '61 卡无效' } });
  });

  it('sent again has the same id', async () => {
    expect((await read(good())).id).toBe((await read(good())).id);
  });

  it('tells another amount or merchant as it is', async () => {
    const notice = await read(formOf(platformSigned(said('notify_paid', { txnAmt: '1', merId: '777290058119999' }))));
    expect(notice).toMatchObject({ payment: { money: { amount: 1 } }, account: { merchantNo: '777290058119999' } });
    expect(adapter().isOurs(notice.account)).toBe(false);
    expect(adapter().isOurs({ merchantNo: account.merId, appId: null })).toBe(true);
  });

  /** A chain just like UnionPay's, but another. */
  function otherChain(CN: string) {
    const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [authority, signer] = [rsa(), rsa()];
    const terms = { from: new Date(NOW - 1000), until: new Date(NOW + 1e9), serial: Buffer.from([1]) };
    const name = (part: string) => ({ C: 'CN', O: 'x', OU: 'CUP', CN: part });
    const issuer = { name: name('Throwaway CFCA OCA1'), privateKey: authority.privateKey };
    const middle = selfSignedCertificate({ ...terms, ...authority, name: issuer.name, isAuthority: true });
    const leaf = issuedCertificate({ ...terms, publicKey: signer.publicKey, name: name(CN) }, issuer);
    return { middle, leaf, key: signer.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
  }

  it('is refused without a right signature of UnionPay', async () => {
    const params = platformSigned(said('notify_paid'));
    const { signature: _, ...unsigned } = params;
    const merchantOwn = platformSigned(said('notify_paid'), { key: 'unionpay_merchant' });
    const { leaf } = otherChain('041@8310000000083040@中国银联股份有限公司@00016495');
    const bodies: [string, string][] = [
      ['signature does not hold', formOf({ ...params, txnAmt: '1' })],
      ['signature does not hold', formOf({ ...params, more: '1' })],
      ['not signed', formOf(unsigned as Params)],
      ['not signed', ''],
      ['not signed', '{}'],
      ['signature does not hold', good().replace(/signature=.{20}/, 'signature=')],
      ['no readable certificate', formOf({ ...params, signPubKeyCert: 'x' })],
      ['the certificate is not one of our chain', formOf({ ...params, signPubKeyCert: leaf })],
      ["not UnionPay's certificate", formOf(merchantOwn)],
      ['a field stands there twice', `${good()}&txnAmt=1`],
      ['too large', `${good()}&more=${'a'.repeat(70_000)}`],
    ];
    for (const [flaw, body] of bodies) {
      const error: unknown = await read(body).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NoticeRejected);
      expect((error as Error).message).toBe(`unionpay notice: ${flaw}`);
    }
    for (const cut of [10, 100, 1000]) await expect(read(good().slice(0, -cut))).rejects.toThrow(NoticeRejected);
    await expect(read(good(), Date.parse('2051-01-01'))).rejects.toThrow('a certificate is not valid now');
  });

  it('is no answer: those are signed alike, but say less', async () => {
    const accepted = formOf(platformSigned(refundState('05', { respCode: '00' })));
    const coded = formOf(platformSigned(said('qr_apply', { respCode: '00', qrCode: 'x', queryId: '1' })));
    for (const body of [accepted, coded]) await expect(read(body)).rejects.toThrow('an answer, not a notice');
    const { traceTime: _, origRespCode: __, origRespMsg: ___, ...bare } = refundState('00');
    await expect(read(formOf(platformSigned(bare as Params)))).rejects.toThrow('unionpay notice: traceTime');
  });

  it('of another kind is genuine, and of no interest', async () => {
    const error = await errorOf(read(formOf(platformSigned(said('notify_paid', { txnType: '31' })))));
    expect([error.outcome, error.code]).toEqual(['refused', 'unhandled_notice']);
  });

  it('of the test environment is believed there only', async () => {
    const { middle, leaf, key } = otherChain('00040000:SIGN');
    const chain = { ...account, rootCertificate: middle, middleCertificate: middle };
    const { signPubKeyCert: _, signature: __, ...params } = platformSigned(said('notify_paid'));
    const message = signMessage(createPrivateKey(key), { ...params, signPubKeyCert: leaf } as Params);
    const readAt = (baseUrl: string) =>
      unionPay(chain, edge(baseUrl)).readNotice({ headers: new Headers(), body: Buffer.from(formOf(message)) });
    expect(await readAt('https://gateway.test.95516.com')).toMatchObject({ outTradeNo });
    await expect(readAt('https://gateway.95516.com')).rejects.toThrow("not UnionPay's certificate");
  });

  it('is answered as UnionPay wants it', () => {
    const acknowledge = (outcome: 'accepted' | 'failed' | 'rejected') => adapter().acknowledge(outcome);
    expect(acknowledge('accepted')).toMatchObject({ status: 200, body: 'ok' });
    expect(acknowledge('failed').status).toBe(500);
    expect(acknowledge('rejected').status).toBe(401);
  });
});

describe('an account', () => {
  it.each([
    [{ privateKey: 'x' }, 'unionpay privateKey: not a private key in PEM form'],
    [{ certificate: 'x' }, 'unionpay certificate: not a certificate in PEM form'],
    [
      { privateKey: keys['alipay_app']!['private_pkcs8_pem']! },
      'unionpay privateKey: does not belong to the certificate',
    ],
    [{ rootCertificate: '' }, 'unionpay rootCertificate: not a certificate in PEM form'],
    [{ rootCertificate: account.certificate }, 'unionpay middleCertificate: not issued by the rootCertificate'],
  ])('with a wrong %o names it', (changes, message) => {
    expect(() => unionPay({ ...account, ...changes }, edge('https://gateway.95516.com'))).toThrow(message);
  });

  it('takes the certificates as UnionPay hands them out', () => {
    const file = (name: string) => readFileSync(new URL(`../vectors/unionpay/${name}`, import.meta.url), 'utf8');
    const files = { rootCertificate: file('root.cer'), middleCertificate: file('middle.cer') };
    expect(() => unionPay({ ...account, ...files }, edge('https://gateway.95516.com'))).not.toThrow();
  });
});

import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alipay } from '../../providers/alipay.ts';
import { fenOf, yuan } from '../../providers/alipay-reports.ts';
import {
  alipayPrivateKey,
  certificateSn,
  noticeText,
  rawMembers,
  requestText,
  rootCertificateSn,
} from '../../providers/alipay-signing.ts';
import { alipayInstant, alipayTime, alipayWire } from '../../providers/alipay-wire.ts';
import type { PaymentMethod } from '../../domain/method.ts';
import { NoticeRejected, ProviderError, type PaymentProvider } from '../../providers/provider.ts';
import { signRsaSha256 } from '../../providers/signing.ts';
import {
  account,
  answered,
  attempt,
  bare,
  certSn,
  form,
  inCertificateMode,
  judge,
  keys,
  PAID_AT,
  payment,
  refundRequest,
  said,
  told,
  trade,
  vector,
  vectors,
  type Vector,
} from './alipay-peer.ts';
import { edge, NOW, startPlatform, type Platform } from './wechatpay-peer.ts';

/** The error of a call that must fail. */
async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

const noNetwork = edge('https://openapi.alipay.com/gateway.do', {
  fetch: () => Promise.reject(new Error('nothing may be sent')),
});
const yuans = (amount: number) => ({ amount, currency: 'CNY' });

describe('the published vectors', () => {
  const ofKind = (kind: string): Vector[] => vectors.filter((one) => one.kind === kind);

  it.each(ofKind('request'))('$name: signed byte for byte', ({ params, canonical, sign }) => {
    expect(requestText(params)).toBe(canonical);
    expect(signRsaSha256(createPrivateKey(account.privateKey), canonical)).toBe(sign);
  });

  it.each([
    ['query', account, { ...payment, outTradeNo: 'T20261121100000000001' }],
    ['query_cert_mode', inCertificateMode, { ...payment, outTradeNo: 'T1' }],
  ])('%s: the adapter sends exactly that', async (name, as, about) => {
    const requests: Request[] = [];
    const fetch: typeof globalThis.fetch = async (url, init) => {
      requests.push(new Request(url, init));
      return new Response('');
    };
    await errorOf(alipay(as, edge('https://openapi.alipay.com/gateway.do', { fetch })).query(about));
    const [request] = requests as [Request];
    const inQuery = new URL(request.url).searchParams;
    const sent = Object.fromEntries([...inQuery, ...new URLSearchParams(await request.text())]);
    expect(sent).toEqual({ ...vector(name).params, sign: vector(name).sign });
    expect(inQuery.has('biz_content')).toBe(false);
  });

  it.each(ofKind('response'))('$name: verified by its raw characters', ({ method, http_body: body, sign }) => {
    const node = rawMembers(body)?.get(`${method.replaceAll('.', '_')}_response`);
    expect(node).toBe(vectors.find((one) => one.http_body === body)!.signed_text);
    expect(rawMembers(body)?.has('sign')).toBe(sign !== null);
  });

  it('resp_*: read by the adapter', async () => {
    const asking = (name: string, as = account) => {
      const fetch = async () => new Response(vector(name).http_body);
      return alipay(as, edge('https://x.example/gateway.do', { fetch }));
    };
    expect(await asking('resp_precreate_escaped_slash').open(attempt)).toEqual({
      action: { type: 'qr', content: 'https://qr.alipay.com/bax00000000000000000' },
      reference: null,
    });
    for (const as of [account, inCertificateMode]) {
      expect(await asking('resp_query_success', as).query(payment)).toEqual({
        state: 'paid',
        tradeNo: '2026112122001475070500000001',
        money: yuans(8888),
        paidAt: PAID_AT,
      });
    }
    expect(await asking('resp_query_not_exist').query(payment)).toEqual({ state: 'unknown' });
    const refused = await errorOf(asking('resp_gateway_error_unsigned').query(payment));
    expect([refused.outcome, refused.code]).toEqual(['refused', 'isv.invalid-app-id']);
  });

  it.each(ofKind('notify'))('$name: verified; no changed one is', async ({ params, canonical, http_body: body }) => {
    expect(noticeText(params)).toBe(canonical);
    const wire = alipayWire(account, noNetwork);
    expect(wire.flawIn(params)).toBeUndefined();
    for (const name of Object.keys(params).filter((each) => each !== 'sign' && each !== 'sign_type'))
      expect(wire.flawIn({ ...params, [name]: `${params[name]}0` }), name).toBe('signature does not hold');
    await alipay(account, noNetwork).readNotice({ headers: new Headers(), body: Buffer.from(body) });
  });

  it('certificates are numbered as Alipay does', () => {
    const { app, alipay: theirs, root } = inCertificateMode.certificates!;
    expect(certificateSn('x', app)).toBe(certSn['app_cert_sn']);
    expect(certificateSn('x', theirs)).toBe(certSn['alipay_cert_sn']);
    expect(rootCertificateSn('x', root)).toBe(certSn['alipay_root_cert_sn']);
  });
});

describe('small parts', () => {
  it.each([
    ['{"a":{"b":"}"},"c":[1,{"d":2}] , "e" : "x\\"y" }', { a: '{"b":"}"}', c: '[1,{"d":2}]', e: '"x\\"y"' }],
    ['{}', {}],
  ])('members of %s', (json, members) => expect(Object.fromEntries(rawMembers(json)!)).toEqual(members));
  it.each(['{"a":1,"a":2}', '{"a":1', '[1]', '', 'no'])('%s has none', (json) =>
    expect(rawMembers(json)).toBeUndefined(),
  );
  it.each([1, 9, 10, 99, 100, 8888, 10_000_000_000])('%i fen there and back', (fen) => {
    expect(fenOf(yuan(fen))).toBe(fen);
  });
  it.each(['', '1.', '.5', '1.005', '-1', '1e2', '1,00', ' 1'])('"%s" is no amount', (text) =>
    expect(fenOf(text)).toBeUndefined(),
  );
  it('times are Beijing’s, whatever this process’s', () => {
    expect(alipayTime(NOW * 1000 + 999)).toBe('2026-11-21 10:00:00');
    expect(alipayInstant('2026-11-21 10:00:00')).toBe(NOW * 1000);
    expect(alipayInstant('2026-11-21 10:00:00.123')).toBe(NOW * 1000 + 123);
    for (const time of ['', 'now', '2026-11-21', '2026-11-21T10:00:00+08:00', undefined])
      expect(alipayInstant(time)).toBeUndefined();
  });
  it.each([keys.alipay_app.private_pkcs8_pem, keys.alipay_app.private_pkcs1_pem])('keys in every usual form', (pem) => {
    const expected = signRsaSha256(createPrivateKey(account.privateKey), 'x');
    for (const text of [pem, bare(pem)]) expect(signRsaSha256(alipayPrivateKey('x', text), 'x')).toBe(expected);
  });
});

describe('a wrong account is found at the start, and its keys are not quoted', () => {
  const { certificates } = inCertificateMode;
  it.each([
    [{ privateKey: 'c2VjcmV0' }, /^alipay privateKey: not a private key/],
    [{ alipayPublicKey: 'c2VjcmV0' }, /^alipay alipayPublicKey: not a public key/],
    [{ alipayPublicKey: undefined }, /^alipay alipayPublicKey: give either/],
    [{ certificates }, /^alipay alipayPublicKey: give either/],
    [
      { alipayPublicKey: undefined, certificates: { ...certificates!, root: 'c2VjcmV0' } },
      /^alipay certificates.root: holds no certificate/,
    ],
    [
      { alipayPublicKey: undefined, certificates: { ...certificates!, app: 'c2VjcmV0' } },
      /^alipay certificates.app: not a certificate/,
    ],
  ])('%#', (changes, message) => {
    const make = () => alipay({ ...account, ...changes }, noNetwork);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/c2VjcmV0/);
  });
});

describe('over real sockets', () => {
  let gateway: Platform;
  let provider: PaymentProvider;
  beforeAll(async () => {
    gateway = await startPlatform();
  });
  beforeEach(() => {
    gateway.seen.length = 0;
    provider = alipay(account, edge(`${gateway.baseUrl}/gateway.do`));
  });
  afterAll(() => gateway.stop());

  /** All parameters of the last request. */
  const sent = (): Record<string, string> => {
    const { url, body } = gateway.seen.at(-1)!;
    const inQuery = new URL(url, gateway.baseUrl).searchParams;
    return Object.fromEntries([...inQuery, ...new URLSearchParams(body.toString())]);
  };
  const content = (): Record<string, unknown> => JSON.parse(sent()['biz_content']!) as Record<string, unknown>;
  const answers = (method: string, node: object, signing = {}) => gateway.answer(answered(method, node, signing));
  const refuses = (method: string, subCode: string, code = '40004') =>
    answers(method, { code, msg: 'x', sub_code: subCode, sub_msg: '说明 2088102169481075' });

  describe('every request', () => {
    it('is signed so that the SDK verifies it, over what arrived', async () => {
      answers('alipay.trade.query', trade);
      await provider.query(payment);
      expect(judge.checkNotifySignV2(sent())).toBe(true);
      expect(judge.checkNotifySignV2({ ...sent(), biz_content: '{}' })).toBe(false);
      expect(judge.checkNotifySignV2({ ...sent(), sign_type: 'RSA' })).toBe(false);
      expect(gateway.seen[0]).toMatchObject({ method: 'POST', headers: { 'user-agent': 'durable-orders' } });
    });

    it.each([
      { amount: 100, currency: 'USD' },
      { amount: 0, currency: 'CNY' },
      { amount: 1.5, currency: 'CNY' },
      { amount: 10_000_000_001, currency: 'CNY' },
    ])('%j is not asked for at all', async (money) => {
      for (const method of ['alipay.qr', 'alipay.page'] as const)
        expect((await errorOf(provider.open({ ...attempt, method, money }))).outcome).toBe('refused');
      for (const call of [
        () => provider.query({ ...payment, money }),
        () => provider.close({ ...payment, money }),
        () => provider.refund({ ...refundRequest, refund: money }),
        () => provider.queryRefund({ ...refundRequest, refund: money }),
      ])
        expect((await errorOf(call())).outcome).toBe('refused');
      expect(gateway.seen).toEqual([]);
    });
  });

  describe('open', () => {
    it('a QR code: tells the whole attempt', async () => {
      const { outTradeNo } = attempt;
      answers('alipay.trade.precreate', {
        code: '10000',
        msg: 'Success',
        out_trade_no: outTradeNo,
        qr_code: 'https://q/1',
      });
      expect(await provider.open(attempt)).toEqual({ action: { type: 'qr', content: 'https://q/1' }, reference: null });
      expect(sent()).toMatchObject({ method: 'alipay.trade.precreate', notify_url: attempt.notifyUrl });
      expect(content()).toEqual({
        out_trade_no: outTradeNo,
        total_amount: '88.88',
        subject: '测试 商品',
        time_expire: '2026-11-21 10:30:00',
        passback_params: 'ord_1',
        product_code: 'QR_CODE_OFFLINE',
      });
      const first = sent();
      await provider.open(attempt);
      expect(sent()).toEqual(first);
    });

    it.each([
      ['alipay.page', 'alipay.trade.page.pay', 'FAST_INSTANT_TRADE_PAY'],
      ['alipay.wap', 'alipay.trade.wap.pay', 'QUICK_WAP_WAY'],
    ] as const)('%s: a signed link, and nothing is sent', async (method, name, productCode) => {
      const { action } = await provider.open({ ...attempt, method });
      const url = new URL((action as { url: string }).url);
      const params = Object.fromEntries(url.searchParams);
      expect(url.origin + url.pathname).toBe(`${gateway.baseUrl}/gateway.do`);
      expect(params).toMatchObject({ method: name, return_url: attempt.returnUrl, notify_url: attempt.notifyUrl });
      expect(JSON.parse(params['biz_content']!)).toMatchObject({ product_code: productCode, total_amount: '88.88' });
      expect(gateway.seen).toEqual([]);
    });

    it('keeps three characters out of the subject, and its length', async () => {
      refuses('alipay.trade.precreate', 'ACQ.SYSTEM_ERROR');
      await errorOf(provider.open({ ...attempt, description: `Tea & cake a=b/c${'茶'.repeat(300)}` }));
      const subject = String(content()['subject']);
      expect(subject).toMatch(/^Tea {3}cake a b c茶+$/);
      expect(Array.from(subject).length).toBeLessThanOrEqual(256);
      await errorOf(provider.open({ ...attempt, description: '=' }));
      expect(content()['subject']).toBe(attempt.outTradeNo);
    });

    it.each(['TRADE_HAS_SUCCESS', 'TRADE_HAS_CLOSE', 'CONTEXT_INCONSISTENT', 'APPLY_PC_MERCHANT_CODE_ERROR'])(
      'ACQ.%s: the number has a history, so nobody knows',
      async (code) => {
        refuses('alipay.trade.precreate', `ACQ.${code}`);
        expect(await errorOf(provider.open(attempt))).toMatchObject({ outcome: 'unknown', code: `ACQ.${code}` });
      },
    );

    it('knows its methods', async () => {
      const other = { ...attempt, method: 'wechatpay.native' as PaymentMethod };
      expect(await errorOf(provider.open(other))).toMatchObject({ outcome: 'refused', code: 'unsupported_method' });
    });

    it.each([{}, { qr_code: '' }, { qr_code: 'https://q', out_trade_no: 'T-other' }])('%j is no code', async (node) => {
      answers('alipay.trade.precreate', { code: '10000', out_trade_no: attempt.outTradeNo, ...node });
      expect((await errorOf(provider.open(attempt))).outcome).toBe('unknown');
    });
  });

  describe('a bar code', () => {
    const barcode = { ...attempt, method: 'alipay.barcode', buyer: { auth_code: '287634438256643941' } } as const;
    const byCode = { ...payment, method: 'alipay.barcode' } as const;
    const pays = (node: object) =>
      answers('alipay.trade.pay', { code: '10000', msg: 'Success', out_trade_no: barcode.outTradeNo, ...node });

    it('paid at once', async () => {
      pays({ trade_no: '20261', total_amount: '88.88', gmt_payment: '2026-11-21 10:01:02' });
      expect(await provider.open(barcode)).toEqual({
        action: null,
        reference: null,
        report: { state: 'paid', tradeNo: '20261', money: yuans(8888), paidAt: PAID_AT },
      });
      expect(content()).toMatchObject({ auth_code: '287634438256643941', scene: 'bar_code' });
    });

    it('waits for the password', async () => {
      pays({ code: '10003' });
      expect((await provider.open(barcode)).report).toEqual({ state: 'processing' });
    });

    it('refused: a definite no about this code; not so where it is about us, or nobody knows', async () => {
      refuses('alipay.trade.pay', 'ACQ.BUYER_BALANCE_NOT_ENOUGH');
      expect((await provider.open(barcode)).report).toEqual({
        state: 'failed',
        reason: 'ACQ.BUYER_BALANCE_NOT_ENOUGH',
      });
      refuses('alipay.trade.pay', 'isv.invalid-signature', '40002');
      expect((await errorOf(provider.open(barcode))).outcome).toBe('refused');
      for (const code of ['ACQ.SYSTEM_ERROR', 'aop.ACQ.SYSTEM_ERROR', 'isp.unknow-error']) {
        refuses('alipay.trade.pay', code);
        expect((await errorOf(provider.open(barcode))).outcome).toBe('unknown');
      }
      expect((await errorOf(provider.open({ ...barcode, buyer: {} }))).code).toBe('missing_buyer_field');
    });

    it('shown twice: what became of it is asked', async () => {
      const replies = [
        answered('alipay.trade.pay', { code: '40004', sub_code: 'ACQ.TRADE_HAS_SUCCESS', sub_msg: '' }),
        answered('alipay.trade.query', trade),
      ];
      gateway.answer((response) => {
        const reply = replies.shift() as { status: number; body: string };
        response.writeHead(reply.status).end(reply.body);
      });
      expect((await provider.open(barcode)).report).toMatchObject({ state: 'paid', money: yuans(8888) });
    });

    it.each([
      ['WAIT_BUYER_PAY', undefined, { state: 'processing' }],
      ['TRADE_CLOSED', undefined, { state: 'closed' }],
      [
        'TRADE_CLOSED',
        trade.send_pay_date,
        { state: 'revoked', tradeNo: trade.trade_no, money: yuans(8888), paidAt: PAID_AT, settledAt: NOW * 1000 },
      ],
    ])('%s, paid %s', async (trade_status, send_pay_date, report) => {
      answers('alipay.trade.query', { ...trade, trade_status, send_pay_date });
      expect(await provider.query(byCode)).toEqual(report);
    });

    it('revoked: closed, given back, or to be asked for again', async () => {
      const revokes = (node: object) =>
        answers('alipay.trade.cancel', { code: '10000', out_trade_no: byCode.outTradeNo, retry_flag: 'N', ...node });
      revokes({ action: 'close' });
      expect(await provider.close(byCode)).toBeNull();
      expect(sent()['method']).toBe('alipay.trade.cancel');
      revokes({});
      expect(await provider.close(byCode)).toBeNull();
      revokes({ retry_flag: 'Y' });
      expect((await errorOf(provider.close(byCode))).outcome).toBe('busy');
      const replies = [
        answered('alipay.trade.cancel', { code: '10000', retry_flag: 'N', action: 'refund' }),
        answered('alipay.trade.query', { ...trade, trade_status: 'TRADE_CLOSED' }),
      ];
      gateway.answer((response) => {
        const reply = replies.shift() as { status: number; body: string };
        response.writeHead(reply.status).end(reply.body);
      });
      expect(await provider.close(byCode)).toMatchObject({ state: 'revoked', money: yuans(8888) });
    });

    it('too late to be revoked: closed, if that can be', async () => {
      const methods: string[] = [];
      gateway.answer((response) => {
        methods.push(sent()['method']!);
        const { body } = answered(methods.at(-1)!, { code: '40004', sub_code: 'ACQ.TRADE_CANCEL_TIME_OUT' }) as {
          body: string;
        };
        response.writeHead(200).end(body);
      });
      expect(await provider.close(byCode)).toBeNull();
      expect(methods).toEqual(['alipay.trade.cancel', 'alipay.trade.close']);
    });
  });

  describe('query', () => {
    it.each([
      ['WAIT_BUYER_PAY', { state: 'processing' }],
      ['TRADE_SUCCESS', { state: 'paid', tradeNo: trade.trade_no, money: yuans(8888), paidAt: PAID_AT }],
      ['TRADE_FINISHED', { state: 'paid', tradeNo: trade.trade_no, money: yuans(8888), paidAt: PAID_AT }],
      ['TRADE_CLOSED', { state: 'paid', tradeNo: trade.trade_no, money: yuans(8888), paidAt: PAID_AT }],
    ])('%s', async (trade_status, report) => {
      answers('alipay.trade.query', { ...trade, trade_status });
      expect(await provider.query(payment)).toEqual(report);
    });

    it('closed without a payment', async () => {
      const { send_pay_date: _none, ...unpaid } = trade;
      answers('alipay.trade.query', { ...unpaid, trade_status: 'TRADE_CLOSED' });
      expect(await provider.query(payment)).toEqual({ state: 'closed' });
    });

    it('reports what was paid, not what was asked: rule 2 is for others to apply', async () => {
      answers('alipay.trade.query', { ...trade, total_amount: '0.01' });
      expect(await provider.query(payment)).toMatchObject({ money: yuans(1) });
    });

    it.each([
      { out_trade_no: 'T-other' },
      { trade_status: 'NEW' },
      { total_amount: '0.00' },
      { total_amount: 'x' },
      { trade_no: '' },
    ])('%j is no report', async (changes) => {
      answers('alipay.trade.query', { ...trade, ...changes });
      expect((await errorOf(provider.query(payment))).outcome).toBe('unknown');
    });
  });

  describe('close', () => {
    it.each(['TRADE_NOT_EXIST', 'TRADE_STATUS_ERROR', 'REASON_TRADE_STATUS_INVALID', 'REASON_ILLEGAL_STATUS'])(
      'ACQ.%s: about the payment, so the caller asks next',
      async (code) => {
        refuses('alipay.trade.close', `ACQ.${code}`);
        expect(await provider.close(payment)).toBeNull();
      },
    );
    it.each([
      ['ACQ.ACCESS_FORBIDDEN', '40004', 'refused'],
      ['isv.invalid-signature', '40002', 'refused'],
      ['isv.insufficient-isv-permissions', '40006', 'refused'],
      ['isv.app-call-limited', '40005', 'busy'],
      ['ACQ.SYSTEM_ERROR', '40004', 'unknown'],
      ['isp.unknow-error', '20000', 'unknown'],
    ])('%s is no close', async (subCode, code, outcome) => {
      refuses('alipay.trade.close', subCode, code);
      expect(await errorOf(provider.close(payment))).toMatchObject({ outcome, code: subCode });
    });
    it('is taken', async () => {
      answers('alipay.trade.close', { code: '10000', out_trade_no: payment.outTradeNo });
      expect(await provider.close(payment)).toBeNull();
      expect(content()).toEqual({ out_trade_no: payment.outTradeNo });
    });
  });

  describe('refund', () => {
    const done = { code: '10000', out_trade_no: refundRequest.outTradeNo, refund_fee: '8.00' };
    const found = {
      code: '10000',
      out_request_no: refundRequest.outRefundNo,
      refund_amount: '8.00',
      refund_status: 'REFUND_SUCCESS',
      gmt_refund_pay: '2026-11-21 10:01:02',
    };
    const inTurn = (...nodes: [string, object][]) =>
      gateway.answer((response) => {
        const { body } = answered(...nodes.shift()!) as { body: string };
        response.writeHead(200).end(body);
      });

    it('tells all of it; done where money moved', async () => {
      answers('alipay.trade.refund', { ...done, fund_change: 'Y', gmt_refund_pay: '2026-11-21 10:01:02' });
      expect(await provider.refund(refundRequest)).toEqual({ state: 'succeeded', settledAt: PAID_AT });
      expect(content()).toEqual({
        out_trade_no: refundRequest.outTradeNo,
        trade_no: refundRequest.tradeNo,
        refund_amount: '8.00',
        out_request_no: refundRequest.outRefundNo,
        refund_reason: '用户退款',
      });
    });

    it('repeated: what became of the first is asked', async () => {
      inTurn(['alipay.trade.refund', { ...done, fund_change: 'N' }], ['alipay.trade.fastpay.refund.query', found]);
      expect(await provider.refund(refundRequest)).toEqual({ state: 'succeeded', settledAt: PAID_AT });
    });

    it('10000 alone is no proof: to be asked for again, later', async () => {
      inTurn(
        ['alipay.trade.refund', { ...done, fund_change: 'N' }],
        ['alipay.trade.fastpay.refund.query', { code: '10000', msg: 'Success' }],
      );
      const error = await errorOf(provider.refund(refundRequest));
      expect([error.outcome, error.retryAfterMs]).toEqual(['busy', 10_000]);
    });

    it.each([
      ['ACQ.SELLER_BALANCE_NOT_ENOUGH', '40004', 'refused'],
      ['ACQ.TRADE_HAS_FINISHED', '40004', 'refused'],
      ['ACQ.DISCORDANT_REPEAT_REQUEST', '40004', 'refused'],
      ['isv.app-call-limited', '40005', 'busy'],
      ['ACQ.SYSTEM_ERROR', '40004', 'unknown'],
    ])('%s', async (subCode, code, outcome) => {
      refuses('alipay.trade.refund', subCode, code);
      expect(await errorOf(provider.refund(refundRequest))).toMatchObject({ outcome, code: subCode });
    });

    it('asked about: done, or nothing known', async () => {
      answers('alipay.trade.fastpay.refund.query', found);
      expect(await provider.queryRefund(refundRequest)).toEqual({ state: 'succeeded', settledAt: PAID_AT });
      answers('alipay.trade.fastpay.refund.query', { code: '10000', msg: 'Success' });
      expect(await provider.queryRefund(refundRequest)).toEqual({ state: 'unknown' });
      refuses('alipay.trade.fastpay.refund.query', 'ACQ.TRADE_NOT_EXIST');
      expect(await provider.queryRefund(refundRequest)).toEqual({ state: 'unknown' });
    });

    it.each([{ out_request_no: 'R-other' }, { refund_amount: '9.00' }, { refund_status: 'REFUND_FAIL' }])(
      '%j is about something else',
      async (changes) => {
        answers('alipay.trade.fastpay.refund.query', { ...found, ...changes });
        expect((await errorOf(provider.queryRefund(refundRequest))).outcome).toBe('unknown');
      },
    );
  });

  describe('an answer that nobody may believe is unknown', () => {
    const key = '"alipay_trade_query_response"';
    const good = () => (answered('alipay.trade.query', trade) as { body: string }).body;
    const table: [string, () => string][] = [
      ['another amount', () => good().replace('88.88', '88.89')],
      ['a good one of another method', () => good().replace('query', 'close')],
      [
        'signed by somebody else',
        () => (answered('alipay.trade.query', trade, { key: keys.wechat_merchant }) as { body: string }).body,
      ],
      ['unsigned', () => `{${key}:${JSON.stringify(trade)}}`],
      [
        'an unsigned no about the payment',
        () => `{${key}:{"code":"40004","msg":"x","sub_code":"ACQ.TRADE_NOT_EXIST"}}`,
      ],
      ['its node twice', () => good().replace('{', `{${key}:${JSON.stringify(trade).replace('88.88', '1.00')},`)],
      ['cut short', () => good().slice(0, -40)],
      ['no JSON', () => '<html>502</html>'],
      ['empty', () => ''],
    ];
    it.each(table)('%s', async (_name, body) => {
      gateway.answer(said(body()));
      expect((await errorOf(provider.query(payment))).outcome).toBe('unknown');
    });

    it('another certificate, which it names', async () => {
      const as = alipay(inCertificateMode, edge(`${gateway.baseUrl}/gateway.do`));
      answers('alipay.trade.query', trade, { sn: certSn['alipay_cert_sn'] });
      expect((await as.query(payment)).state).toBe('paid');
      answers('alipay.trade.query', trade, { sn: 'abc123' });
      const error = await errorOf(as.query(payment));
      expect([error.outcome, error.message]).toEqual([
        'unknown',
        'alipay query: signed with another certificate abc123',
      ]);
    });

    it.each([500, 502, 404, 302])('HTTP %i', async (status) => {
      gateway.answer(said(good(), status));
      expect(await errorOf(provider.query(payment))).toMatchObject({ outcome: 'unknown', code: `HTTP_${status}` });
    });

    it('no answer, a broken one, nobody there', async () => {
      gateway.answer((response) => response.destroy());
      expect((await errorOf(provider.query(payment))).outcome).toBe('unknown');
      gateway.answer(() => undefined);
      const impatient = alipay(account, edge(`${gateway.baseUrl}/gateway.do`, { timeoutMs: 100 }));
      expect(await errorOf(impatient.query(payment))).toMatchObject({ outcome: 'unknown', code: 'timeout' });
      const gone = await startPlatform();
      await gone.stop();
      const nobody = alipay(account, edge(`${gone.baseUrl}/gateway.do`));
      expect((await errorOf(nobody.query(payment))).outcome).toBe('busy');
    });

    it('messages quote no number of a buyer', async () => {
      refuses('alipay.trade.close', 'ACQ.ACCESS_FORBIDDEN');
      expect((await errorOf(provider.close(payment))).message).toBe('alipay close: 40004 ACQ.ACCESS_FORBIDDEN 说明 …');
    });
  });
});

describe('notices', () => {
  const provider = alipay(account, noNetwork);
  const read = (body: Uint8Array) => provider.readNotice({ headers: new Headers(), body });

  it('a payment', async () => {
    expect(await read(form())).toEqual({
      id: '2026112100222100102075070500000001',
      account: { merchantNo: account.sellerId, appId: account.appId },
      outTradeNo: attempt.outTradeNo,
      about: 'payment',
      payment: { state: 'paid', tradeNo: trade.trade_no, money: yuans(8888), paidAt: PAID_AT },
    });
  });

  it('told again at another time: the same id, the same news', async () => {
    const [first, again] = [await read(form()), await read(form({ notify_time: '2026-11-22 09:00:00' }))];
    expect(again).toEqual(first);
  });

  it.each([
    [{ trade_status: 'TRADE_FINISHED' }, { state: 'paid' }],
    [{ trade_status: 'WAIT_BUYER_PAY' }, { state: 'processing' }],
    [{ trade_status: 'TRADE_CLOSED' }, { state: 'closed' }],
    [{ total_amount: '0.01' }, { state: 'paid', money: yuans(1) }],
    [{ subject: '100%&a=b+c' }, { state: 'paid' }],
    [{ gmt_payment: '' }, { state: 'paid', paidAt: NOW * 1000 }],
  ])('%j', async (changes, report) => {
    expect(await read(form(changes as Record<string, string>))).toMatchObject({ about: 'payment', payment: report });
  });

  it('a refund is never a new payment', async () => {
    const back = { refund_fee: '8.00', out_biz_no: 'R1', gmt_refund: '2026-11-21 11:00:00.123' };
    for (const trade_status of ['TRADE_SUCCESS', 'TRADE_CLOSED']) {
      expect(await read(form({ ...back, trade_status }))).toMatchObject({
        about: 'refund',
        outTradeNo: attempt.outTradeNo,
        outRefundNo: 'R1',
        refund: { state: 'succeeded', settledAt: Date.parse('2026-11-21T11:00:00.123+08:00') },
      });
    }
    const { out_biz_no: _none, ...nameless } = back;
    expect(await errorOf(read(form(nameless)))).toMatchObject({ outcome: 'refused', code: 'unhandled_notice' });
  });

  it('for another merchant or application: read all the same, and told apart', async () => {
    const ours = async (changes: Record<string, string>) => provider.isOurs((await read(form(changes))).account);
    expect(await ours({})).toBe(true);
    expect(await ours({ app_id: '2021000000000009' })).toBe(false);
    expect(await ours({ seller_id: '2088000000000000' })).toBe(false);
  });

  describe('nobody may believe', () => {
    const rejected = (body: Uint8Array) => expect(read(body)).rejects.toThrow(NoticeRejected);
    const text = () => form().toString();

    it('one that was changed, cut short, lengthened, or signed by somebody else', async () => {
      await rejected(Buffer.from(text().replace('88.88', '88.89')));
      await rejected(Buffer.from(text().slice(0, -20)));
      await rejected(Buffer.from(text().slice(20)));
      await rejected(Buffer.from(`${text()}&extra=1`));
      await rejected(form({}, keys.wechat_merchant, false));
      await rejected(form({}, keys.alipay_app, false));
    });
    it('one without signature, with another kind of it, or that names a field twice', async () => {
      await rejected(Buffer.from(new URLSearchParams(told).toString()));
      await rejected(Buffer.from(text().replace('sign_type=RSA2', 'sign_type=RSA')));
      await rejected(Buffer.from(`${text()}&total_amount=0.01`));
      await rejected(Buffer.from(`total_amount=0.01&${text()}`));
    });
    it('one too large, empty, or not a form', async () => {
      await rejected(form({ body: 'x'.repeat(64 * 1024) }));
      for (const odd of ['', '{}', '<xml/>', '%', '\u0000']) await rejected(Buffer.from(odd));
    });
    it.each([
      { total_amount: 'x' },
      { total_amount: '0.00' },
      { trade_status: 'NEW' },
      { trade_no: '' },
      { notify_id: '' },
    ])('genuine, but %j', (changes) => rejected(form(changes as Record<string, string>)));
    it('and says so without quoting it', async () => {
      const error: unknown = await read(Buffer.from(text().replace('88.88', '1'))).catch((reason: unknown) => reason);
      expect(String(error)).toBe('Error: alipay notice: signature does not hold');
    });
  });

  it('a genuine one of another kind is no forgery', async () => {
    const error = await errorOf(read(form({ notify_type: 'servicewindow' })));
    expect([error.outcome, error.code]).toEqual(['refused', 'unhandled_notice']);
  });

  it('are answered in Alipay’s words', () => {
    const headers = { 'content-type': 'text/plain' };
    expect(provider.acknowledge('accepted')).toEqual({ status: 200, headers, body: 'success' });
    expect(provider.acknowledge('failed')).toEqual({ status: 500, headers, body: 'fail' });
    expect(provider.acknowledge('rejected')).toEqual({ status: 401, headers, body: 'fail' });
  });
});

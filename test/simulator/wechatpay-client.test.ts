import { X509Certificate } from 'node:crypto';
import { Aes } from 'wechatpay-axios-plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import type { Json } from './support.ts';
import {
  API_V3_KEY,
  call,
  eventually,
  freshNumber,
  MCHID,
  merchant,
  nativeBody,
  otherMerchant,
  pay,
  privateKey,
  simulator,
  wechatpayClient,
} from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator();
});
afterAll(() => sim.stop());

const modes = [
  { mode: 'public key', serial: () => sim.wechatpay.platformPublicKeyId },
  { mode: 'certificate', serial: () => sim.wechatpay.platformCertificates[0]?.serialNo },
];

describe('an independent client opens the other ways to pay', () => {
  const wx = () => wechatpayClient(sim, sim.wechatpay.platformPublicKeyId);

  it('in WeChat: the payer is who the merchant said', async () => {
    const body = nativeBody({ payer: { openid: 'o-buyer-1' } });
    const { data } = await wx().chain('v3/pay/transactions/jsapi').post(body);
    expect(data).toEqual({ prepay_id: expect.stringMatching(/^wx[\w-]{12}$/) });
    await pay(sim, body.out_trade_no);
    const path = `v3/pay/transactions/out-trade-no/${body.out_trade_no}`;
    const found = await wx()
      .chain(path)
      .get({ params: { mchid: MCHID } });
    expect(found.data).toMatchObject({ trade_type: 'JSAPI', trade_state: 'SUCCESS', payer: { openid: 'o-buyer-1' } });
  });

  it('from a browser: a page that can be opened, and that leads back', async () => {
    const scene = { payer_client_ip: '203.0.113.7', h5_info: { type: 'Wap' } };
    const { data } = await wx()
      .chain('v3/pay/transactions/h5')
      .post(nativeBody({ scene_info: scene }));
    const url = `${String((data as Json)['h5_url'])}&redirect_url=${encodeURIComponent('https://shop.example.com/?a=1&b=2')}`;
    const before = await (await fetch(url)).text();
    const action = /action="([^"]+)"/.exec(before)![1]!.replaceAll('&amp;', '&');
    const after = await fetch(sim.url + action, { method: 'POST', body: new URLSearchParams({ action: 'pay' }) });
    expect(await after.text()).toContain('href="https://shop.example.com/?a=1&amp;b=2"');
  });

  it.each([
    ['jsapi', {}],
    ['jsapi', { payer: { openid: '' } }],
    ['h5', {}],
    ['h5', { scene_info: { payer_client_ip: 'here', h5_info: { type: 'Wap' } } }],
    ['h5', { scene_info: { payer_client_ip: '::1', h5_info: { type: 'Desktop' } } }],
  ])('%s with %j is refused', async (kind, more) => {
    const call = wx().chain(`v3/pay/transactions/${kind}`).post(nativeBody(more));
    await expect(call).rejects.toMatchObject({ response: { status: 400, data: { code: 'PARAM_ERROR' } } });
  });
});

describe.each(modes)('an independent client in $mode mode', ({ serial }) => {
  it('opens, queries, pays, refunds and asks about the refund', async () => {
    const wx = wechatpayClient(sim, serial());
    const body = nativeBody({ attach: 'ord_1' });
    const created = await wx.chain('v3/pay/transactions/native').post(body);
    expect(created.headers['wechatpay-serial']).toBe(serial());
    expect((created.data as Json)['code_url']).toMatch(new RegExp(`^${sim.url}/wechatpay/pay\\?pr=[\\w-]{12}$`));

    const path = `v3/pay/transactions/out-trade-no/${body.out_trade_no}`;
    const unpaid = (await wx.chain(path).get({ params: { mchid: MCHID } })).data as Json;
    expect(unpaid).toMatchObject({ trade_state: 'NOTPAY', attach: 'ord_1', amount: { total: 8888, currency: 'CNY' } });
    expect(Object.keys(unpaid)).not.toEqual(expect.arrayContaining(['transaction_id']));
    expect(unpaid).not.toHaveProperty('success_time');

    await pay(sim, body.out_trade_no);
    const done = (await wx.chain(path).get({ params: { mchid: MCHID } })).data as Json;
    expect(done).toMatchObject({
      trade_state: 'SUCCESS',
      trade_type: 'NATIVE',
      mchid: MCHID,
      amount: { total: 8888, payer_total: 8888, currency: 'CNY' },
      success_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/),
      transaction_id: expect.stringMatching(/^4200\d{24}$/),
    });
    const byId = await wx
      .chain(`v3/pay/transactions/id/${done['transaction_id'] as string}`)
      .get({ params: { mchid: MCHID } });
    expect(byId.data).toEqual(done);

    const refund = {
      transaction_id: done['transaction_id'],
      out_refund_no: freshNumber('R'),
      amount: { refund: 888, total: 8888, currency: 'CNY' },
    };
    const asked = (await wx.chain('v3/refund/domestic/refunds').post(refund)).data as Json;
    expect(asked).toMatchObject({
      status: 'PROCESSING',
      out_trade_no: body.out_trade_no,
      channel: 'ORIGINAL',
      amount: { refund: 888, total: 8888, payer_refund: 888 },
    });
    await eventually(async () => {
      const settled = await wx.chain(`v3/refund/domestic/refunds/${refund.out_refund_no}`).get();
      expect(settled.data).toMatchObject({
        status: 'SUCCESS',
        success_time: expect.any(String),
        refund_id: asked['refund_id'],
      });
    });
    expect(((await wx.chain(path).get({ params: { mchid: MCHID } })).data as Json)['trade_state']).toBe('REFUND');
  });

  it('closes, more than once, by a signed 204', async () => {
    const wx = wechatpayClient(sim, serial());
    const body = nativeBody();
    await wx.chain('v3/pay/transactions/native').post(body);
    for (const again of [1, 2]) {
      const closed = await wx
        .chain(`v3/pay/transactions/out-trade-no/${body.out_trade_no}/close`)
        .post({ mchid: MCHID });
      expect([again, closed.status, closed.data]).toEqual([again, 204, '']);
    }
    const after = await wx
      .chain(`v3/pay/transactions/out-trade-no/${body.out_trade_no}`)
      .get({ params: { mchid: MCHID } });
    expect((after.data as Json)['trade_state']).toBe('CLOSED');
  });

  it('downloads a certificate that signs what it names', async () => {
    const wx = wechatpayClient(sim, serial());
    const { data } = (await wx.chain('v3/certificates').get()).data as { data: Json[] };
    expect(data).toHaveLength(1);
    const { serial_no: serialNo, encrypt_certificate: box, effective_time: from, expire_time: until } = data[0] ?? {};
    const { ciphertext, nonce, associated_data: aad } = box as Record<string, string>;
    const pem = Aes.AesGcm.decrypt(ciphertext ?? '', API_V3_KEY, nonce ?? '', aad);
    const certificate = new X509Certificate(pem);
    expect(certificate.serialNumber).toBe(serialNo);
    expect(serialNo).toMatch(/^[0-9A-F]{40}$/);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(sim.wechatpay.platformCertificates).toEqual([{ serialNo, pem }]);
    expect(Date.parse(String(from))).toBeLessThan(Date.now());
    expect(Date.parse(String(until))).toBeGreaterThan(Date.now() + 365 * 24 * 3600_000);
  });
});

describe('the key of an answer', () => {
  it('is the certificate where the request names none', async () => {
    const created = await wechatpayClient(sim).chain('v3/pay/transactions/native').post(nativeBody());
    expect(created.headers['wechatpay-serial']).toBe(sim.wechatpay.platformCertificates[0]?.serialNo);
  });

  it('encrypts certificates for the merchant that asks', async () => {
    const own = { mchid: otherMerchant.mchid, serialNo: otherMerchant.serialNo, key: privateKey('alipay_app') };
    const { raw } = await call(sim, 'GET', '/v3/certificates', undefined, own);
    const { data } = JSON.parse(raw) as { data: { encrypt_certificate: Record<string, string> }[] };
    const box = data[0]?.encrypt_certificate ?? {};
    const open = (key: string) =>
      Aes.AesGcm.decrypt(box['ciphertext'] ?? '', key, box['nonce'] ?? '', box['associated_data']);
    expect(open(otherMerchant.apiV3Key)).toContain('BEGIN CERTIFICATE');
    expect(() => open(merchant.apiV3Key)).toThrow();
  });
});

import { Aes, Rsa } from 'wechatpay-axios-plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import {
  API_V3_KEY,
  control,
  eventually,
  isGenuine,
  MCHID,
  nativeBody,
  pay,
  shop,
  simulator,
  wechatpayClient,
  type Json,
} from './support.ts';

describe('POST /_control/wechatpay/certificates', () => {
  let sim: Simulator;
  let merchantShop: Awaited<ReturnType<typeof shop>>;
  beforeAll(async () => {
    [sim, merchantShop] = await Promise.all([simulator(), shop()]);
  });
  afterAll(async () => {
    merchantShop.close();
    await sim.stop();
  });
  const serials = () => sim.wechatpay.platformCertificates.map(({ serialNo }) => serialNo);
  const rotated = () => control(sim, 'POST', '/wechatpay/certificates');

  it('lists the new certificate beside the old one, and drops what came before them', async () => {
    const [first] = serials();
    expect(await rotated()).toEqual({ status: 200, json: { serials: [expect.not.stringMatching(first!), first] } });
    const [second] = serials();
    await rotated();
    expect(serials()).toEqual([expect.any(String), second]);

    const { data } = (await wechatpayClient(sim).chain('v3/certificates').get()).data as { data: Json[] };
    const listed = data.map(({ encrypt_certificate: box, serial_no: serialNo }) => {
      const { ciphertext, nonce, associated_data: aad } = box as Record<string, string>;
      return { serialNo, pem: Aes.AesGcm.decrypt(ciphertext!, API_V3_KEY, nonce!, aad) };
    });
    expect(listed).toEqual(sim.wechatpay.platformCertificates);
    expect(new Set(listed.map(({ pem }) => Rsa.from(pem, Rsa.KEY_TYPE_PUBLIC).export({ format: 'jwk' }).n)).size).toBe(
      2,
    );
  });

  it('signs answers with the new one; with the old one only for who names it', async () => {
    await rotated();
    const [now, before] = serials();
    const serialOf = async (named?: string) =>
      (await wechatpayClient(sim, named).chain('v3/certificates').get()).headers['wechatpay-serial'];
    expect(await serialOf()).toBe(now);
    expect(await serialOf(before)).toBe(before);
  });

  it('signs with the new one the notice about a payment from before', async () => {
    const body = nativeBody({ mchid: MCHID, notify_url: merchantShop.url });
    await wechatpayClient(sim).chain('v3/pay/transactions/native').post(body);
    await rotated();
    await pay(sim, body.out_trade_no);
    const notice = await eventually(() => merchantShop.received[0]!.headers && merchantShop.received[0]!);
    expect(notice.headers['wechatpay-serial']).toBe(serials()[0]);
    expect(isGenuine(sim, notice)).toBe(true);
  });
});

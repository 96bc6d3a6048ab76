import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buyerPath } from '../../simulator/pages.ts';
import type { Payment } from '../../simulator/records.ts';
import type { Simulator } from '../../simulator/server.ts';
import { call, faults, MCHID, opened, otherMerchant, privateKey, query, simulator } from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator();
});
afterAll(() => sim.stop());

async function visit(path: string, form?: Record<string, string>) {
  const answer = await fetch(
    new URL(path, sim.url),
    form ? { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' } : {},
  );
  return { status: answer.status, headers: answer.headers, page: await answer.text() };
}

const buttonsOf = (page: string) => [...page.matchAll(/<button[^>]*value="(\w+)"/g)].map(([, value]) => value);
const actionOf = (page: string) =>
  (/<form method="post" action="([^"]+)"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');

describe('the buyer’s page', () => {
  it('shows what is to be paid, and three buttons', async () => {
    const { outTradeNo, codeUrl } = await opened(sim);
    const { status, page, headers } = await visit(codeUrl);
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    for (const text of ['88.88 CNY', '绿茶 2 盒', outTradeNo, '待支付', 'lang="zh-CN"']) expect(page).toContain(text);
    expect(buttonsOf(page)).toEqual(['pay', 'fail', 'cancel']);
    expect((await visit(`/_buyer/${outTradeNo}`)).page).toBe(page);
  });

  it('pays by its own form, without a script', async () => {
    const { outTradeNo, codeUrl } = await opened(sim);
    const { page } = await visit(codeUrl);
    expect(page).not.toMatch(/<script|\son\w+=/i);
    const posted = await visit(actionOf(page), { action: 'pay' });
    expect(posted.status).toBe(303);
    const after = await visit(posted.headers.get('location') ?? '');
    expect(after.page).toContain('已支付');
    expect(buttonsOf(after.page)).toEqual([]);
    expect((await query(sim, outTradeNo))['trade_state']).toBe('SUCCESS');
    expect((await visit(actionOf(page), { action: 'pay' })).status).toBe(303); // A second tab.
  });

  it('can fail and cancel, which leaves it open', async () => {
    const { outTradeNo, codeUrl } = await opened(sim);
    for (const action of ['fail', 'cancel']) {
      await visit(actionOf((await visit(codeUrl)).page), { action });
      expect((await query(sim, outTradeNo))['trade_state']).toBe('NOTPAY');
    }
  });

  it('does not pay what is closed', async () => {
    const { outTradeNo, codeUrl } = await opened(sim);
    const { page } = await visit(codeUrl);
    await call(sim, 'POST', `/v3/pay/transactions/out-trade-no/${outTradeNo}/close`, { mchid: MCHID });
    await visit(actionOf(page), { action: 'pay' });
    expect((await query(sim, outTradeNo))['trade_state']).toBe('CLOSED');
    const after = await visit(codeUrl);
    expect([after.page.includes('已关闭'), buttonsOf(after.page)]).toEqual([true, []]);
  });

  it('escapes what the shop wrote', async () => {
    const { codeUrl } = await opened(sim, { description: '<script>alert("1")</script>\'&', attach: '<b>' });
    for (const path of [codeUrl, '/']) {
      const { page } = await visit(path);
      expect(page).not.toMatch(/<script|<b>/);
    }
    expect((await visit(codeUrl)).page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;');
  });

  it('allows nothing from elsewhere, and its own style', async () => {
    const { codeUrl } = await opened(sim);
    const { page, headers } = await visit(codeUrl);
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(page).not.toMatch(/\sstyle="/);
  });

  it.each(['/_buyer/T00000000', '/wechatpay/pay?pr=x', '/wechatpay/pay'])('%s is a 404 for people', async (path) => {
    const { status, page } = await visit(path);
    expect([status, page]).toEqual([404, expect.stringContaining('No such payment')]);
  });

  it('refuses a wish that it does not know', async () => {
    const { outTradeNo } = await opened(sim);
    expect((await visit(`/_buyer/${outTradeNo}`, { action: 'steal' })).status).toBe(404);
    expect((await visit(`/_buyer/${outTradeNo}`, {})).status).toBe(404);
    expect((await query(sim, outTradeNo))['trade_state']).toBe('NOTPAY');
  });

  it('tells merchants with the same number apart', async () => {
    const { body, codeUrl } = await opened(sim, { out_trade_no: `T|*_-${Date.now()}` });
    const other = { mchid: otherMerchant.mchid, serialNo: otherMerchant.serialNo, key: privateKey('alipay_app') };
    const theirs = { ...body, mchid: otherMerchant.mchid, appid: 'wx-other', description: 'theirs' };
    const { json } = await call(sim, 'POST', '/v3/pay/transactions/native', theirs, other);
    const page = (await visit(String(json?.['code_url']))).page;
    expect(page).toContain('theirs');
    await visit(actionOf(page), { action: 'pay' });
    expect((await visit(codeUrl)).page).toContain('待支付');
    expect((await visit(String(json?.['code_url']))).page).toContain('已支付');
  });

  it('has a path for every number', () => {
    const payment = { outTradeNo: 'T/|?*', provider: 'wechatpay', merchant: '1' } as Payment;
    expect(buyerPath(payment)).toBe('/_buyer/T%2F%7C%3F*?provider=wechatpay&merchant=1');
  });
});

describe('the overview', () => {
  it('links recent payments and the ledger, and shows the faults', async () => {
    const { outTradeNo } = await opened(sim, { attach: 'ord_seen' });
    await faults(sim, { refund_gap_ms: 1234 });
    const { page } = await visit('/');
    const link = new RegExp(`<a href="([^"]+)">${outTradeNo}</a>`).exec(page)?.[1] ?? '';
    expect((await visit(link.replaceAll('&amp;', '&'))).page).toContain(outTradeNo);
    for (const text of ['href="/_control/ledger"', 'refund_gap_ms', '1234', 'ord_seen']) expect(page).toContain(text);
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import { startSimulator } from '../../simulator/server.ts';
import type { Json } from './support.ts';
import { call, control, ledgerOf, MCHID, opened, otherMerchant, pay, privateKey, query, simulator } from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator();
});
afterAll(() => sim.stop());

const act = (number: string, body: unknown) => control(sim, 'POST', `/payments/${number}`, body);
const close = (number: string) =>
  call(sim, 'POST', `/v3/pay/transactions/out-trade-no/${number}/close`, { mchid: MCHID });
const other = { mchid: otherMerchant.mchid, serialNo: otherMerchant.serialNo, key: privateKey('alipay_app') };

describe('POST /_control/payments/{out_trade_no}', () => {
  it('pays, once, however often it is called', async () => {
    const { outTradeNo, codeUrl } = await opened(sim, { attach: 'ord_1' });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => pay(sim, outTradeNo)));
    expect(new Set(answers.map(({ status, json }) => `${status} ${String(json['trade_no'])}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({
      status: 200,
      json: {
        provider: 'wechatpay',
        out_trade_no: outTradeNo,
        order: 'ord_1',
        status: 'paid',
        amount: 8888,
        paid_amount: 8888,
        currency: 'CNY',
        url: codeUrl,
      },
    });
    expect(await ledgerOf(sim, outTradeNo)).toHaveLength(1);
    expect(answers[0]?.json['notices']).toHaveLength(1);
  });

  it('changes nothing about a paid one, whatever is wished', async () => {
    const { outTradeNo } = await opened(sim);
    const paid = await pay(sim, outTradeNo);
    for (const action of ['pay', 'fail', 'cancel', 'start']) {
      const { status, json } = await act(outTradeNo, { action, force: true, amount: 1 });
      expect([status, json['status'], json['trade_no'], json['paid_amount']]).toEqual([
        200,
        'paid',
        paid.json['trade_no'],
        8888,
      ]);
    }
  });

  it('pays another amount', async () => {
    const { outTradeNo } = await opened(sim);
    expect((await pay(sim, outTradeNo, { amount: 1 })).json).toMatchObject({ amount: 8888, paid_amount: 1 });
    expect(await query(sim, outTradeNo)).toMatchObject({
      trade_state: 'SUCCESS',
      amount: { total: 1, payer_total: 1 },
    });
    expect(await ledgerOf(sim, outTradeNo)).toMatchObject([{ amount: 1 }]);
  });

  it.each(['fail', 'cancel'])('%s leaves a native payment open, and tells nobody', async (action) => {
    const { outTradeNo } = await opened(sim);
    await act(outTradeNo, { action: 'start' });
    expect((await query(sim, outTradeNo))['trade_state']).toBe('USERPAYING');
    const { status, json } = await act(outTradeNo, { action });
    expect([status, json['status'], json['notices']]).toEqual([200, 'pending', []]);
    expect((await query(sim, outTradeNo))['trade_state']).toBe('NOTPAY');
    expect((await pay(sim, outTradeNo)).json['status']).toBe('paid');
  });

  it('is 404 for an unknown number, 409 for a closed payment', async () => {
    expect((await act('T00000000', { action: 'pay' })).status).toBe(404);
    const { outTradeNo } = await opened(sim);
    await close(outTradeNo);
    for (const action of ['pay', 'fail', 'cancel', 'start'])
      expect((await act(outTradeNo, { action })).status).toBe(409);
    expect((await act(outTradeNo, { action: 'start', force: true })).status).toBe(409);
    expect((await query(sim, outTradeNo))['trade_state']).toBe('CLOSED');
  });

  it('force gets through although it is closed', async () => {
    const { outTradeNo } = await opened(sim);
    await close(outTradeNo);
    expect((await pay(sim, outTradeNo, { force: true })).json).toMatchObject({
      status: 'paid',
      notices: [{ event: 'TRANSACTION.SUCCESS' }],
    });
    expect((await query(sim, outTradeNo))['trade_state']).toBe('SUCCESS');
    expect(await ledgerOf(sim, outTradeNo)).toHaveLength(1);
  });

  it('is 409 where several know the number', async () => {
    const { outTradeNo, body } = await opened(sim);
    await call(
      sim,
      'POST',
      '/v3/pay/transactions/native',
      { ...body, mchid: otherMerchant.mchid, appid: 'wx-other' },
      other,
    );
    const { status, json } = await act(outTradeNo, { action: 'pay' });
    expect([status, json['code']]).toEqual([409, 'ambiguous']);
  });

  it('takes the provider’s name', async () => {
    const { outTradeNo } = await opened(sim);
    expect((await pay(sim, outTradeNo, { provider: 'wechatpay' })).status).toBe(200);
  });

  const wrong: [string, unknown, string][] = [
    ['no action', {}, 'action'],
    ['an unknown action', { action: 'steal' }, 'action'],
    ['an unknown field', { action: 'pay', ammount: 1 }, 'ammount'],
    ['an amount of 0', { action: 'pay', amount: 0 }, 'amount'],
    ['an amount of 1.5', { action: 'pay', amount: 1.5 }, 'amount'],
    ['an amount as text', { action: 'pay', amount: '1' }, 'amount'],
    ['force as text', { action: 'pay', force: 'yes' }, 'force'],
    ['a url that is none', { action: 'pay', url: 'weixin' }, 'url'],
    ['a file url', { action: 'pay', url: 'file:///etc/passwd' }, 'url'],
    ['an unknown provider', { action: 'pay', provider: 'bank' }, 'provider'],
    ['no JSON', 'pay', ''],
    ['null', null, ''],
  ];
  it.each(wrong)('refuses %s and names the field', async (_what, body, path) => {
    const { outTradeNo } = await opened(sim);
    const { status, json } = await act(outTradeNo, body);
    expect([status, json['code'], json['errors']]).toMatchObject([
      400,
      'invalid_request',
      [{ path, message: expect.stringMatching(/./) }],
    ]);
    expect((await query(sim, outTradeNo))['trade_state']).toBe('NOTPAY');
  });
});

describe('url', () => {
  it('is opened first, as a browser would', async () => {
    const { outTradeNo, codeUrl } = await opened(sim);
    const seen: string[] = [];
    const shop = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${body}`);
        if (request.url === '/start') return response.writeHead(302, { location: '/form' }).end();
        if (request.url === '/form') {
          return response.end(`<form id="f" method="POST" action='/gate?a=1&amp;b=2'><input type="hidden" name="x" value="&lt;1&#39;&gt;"><input name=y value=2></form>
            <script>document.getElementById('f').submit()</script>`);
        }
        return response.writeHead(303, { location: codeUrl }).end();
      });
    });
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/start`;
    expect(await pay(sim, outTradeNo, { url })).toMatchObject({ status: 200, json: { status: 'paid' } });
    expect(seen).toEqual([
      'GET /start ',
      'GET /form ',
      `POST /gate?a=1&b=2 x=${encodeURIComponent("<1'>").replace(/'/g, '%27')}&y=2`,
    ]);
    shop.close();
  });

  it('that can’t be opened pays nothing', async () => {
    const { outTradeNo } = await opened(sim);
    for (const url of ['http://127.0.0.1:9/', `${sim.url}/nowhere`]) {
      expect((await pay(sim, outTradeNo, { url })).status).toBe(502);
    }
    expect((await query(sim, outTradeNo))['trade_state']).toBe('NOTPAY');
  });

  it('does not post the buyer page, which has no script', async () => {
    const { outTradeNo, codeUrl } = await opened(sim);
    expect((await act(outTradeNo, { action: 'cancel', url: codeUrl })).json['status']).toBe('pending');
  });
});

describe('GET /_control/payments', () => {
  it('lists an order’s payments, oldest first', async () => {
    const first = await opened(sim, { attach: 'ord_list' });
    const second = await opened(sim, { attach: 'ord_list' });
    await opened(sim, { attach: 'ord_other' });
    const { json } = await control(sim, 'GET', '/payments?order=ord_list');
    expect((json['data'] as Json[]).map((row) => row['out_trade_no'])).toEqual([first.outTradeNo, second.outTradeNo]);
    expect((await control(sim, 'GET', '/payments?order=ord_none')).json).toEqual({ data: [] });
  });
});

describe('GET /_control/ledger', () => {
  it('has exactly the fields of the contract', async () => {
    const { outTradeNo } = await opened(sim);
    const { json } = await pay(sim, outTradeNo);
    expect(await ledgerOf(sim, outTradeNo)).toEqual([
      {
        provider: 'wechatpay',
        out_trade_no: outTradeNo,
        trade_no: json['trade_no'],
        type: 'capture',
        amount: 8888,
        currency: 'CNY',
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
      },
    ]);
  });

  it('knows nothing of what is not paid', async () => {
    const { outTradeNo } = await opened(sim);
    expect(await ledgerOf(sim, outTradeNo)).toEqual([]);
  });
});

describe('the rest', () => {
  it('says that it is up', async () => {
    const answer = await fetch(`${sim.url}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('knows no other control call', async () => {
    expect((await control(sim, 'POST', '/machines', {})).status).toBe(404);
    expect((await fetch(`${sim.url}/elsewhere`)).status).toBe(404);
  });

  it('listens on this machine only', async () => {
    await expect(startSimulator({ host: '0.0.0.0', port: 0, dataDir: null, merchants: [] })).rejects.toThrow(
      'this machine only',
    );
  });

  it('says which port is taken, and by which variable it is set', async () => {
    const port = Number(new URL(sim.url).port);
    await expect(simulator({ port })).rejects.toThrow(
      `port ${port} of the simulator is already in use (SIMULATOR_PORT)`,
    );
  });

  it('refuses a merchant that can’t work', async () => {
    const merchants = [{ mchid: '1', appids: ['a'], serialNo: 'AB', publicKeyPem: 'x', apiV3Key: 'short' }];
    await expect(simulator({ merchants })).rejects.toThrow('must be 32 ASCII characters');
  });

  it('hands out URLs as the outside sees it', async () => {
    const outside = await simulator({ publicUrl: 'http://localhost:4711/' });
    expect((await opened(outside)).codeUrl).toMatch(/^http:\/\/localhost:4711\/wechatpay\/pay\?pr=/);
    await outside.stop();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/orders.ts';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const create = async (more = {}): Promise<string> => (await api.call('POST /v1/orders', tea(more))).body.id;
const open = (id: string, body: object) => api.call(`POST /v1/orders/${id}/payments`, body);
const read = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;
const control = (outTradeNo: string, body: object) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** As a person opens it. */
async function cashierOf(outTradeNo: string): Promise<string> {
  const { data } = (await (await fetch(`${api.system.simulator.url}/_control/payments`)).json()) as {
    data: { out_trade_no: string; url: string }[];
  };
  const { url } = data.find(({ out_trade_no }) => out_trade_no === outTradeNo)!;
  return (await fetch(url)).text();
}

describe.each([
  ['unionpay.gateway', 'redirect'],
  ['unionpay.wap', 'redirect'],
  ['unionpay.qr', 'qr'],
])('%s', (method, type) => {
  it('is opened, paid and refunded', async () => {
    const id = await create();
    const opened = await open(id, { method });
    expect(opened).toMatchObject({ status: 201, body: { method, status: 'pending', action: { type } } });
    const { out_trade_no, action } = opened.body;
    const wish = { action: 'pay', ...(type === 'redirect' && { url: action.url }) };
    expect((await control(out_trade_no, wish)).status).toBe(200);
    const paid = await until(
      () => read(id),
      ({ status }) => status === 'paid',
    );
    expect(paid.payments).toMatchObject([
      { status: 'succeeded', provider_trade_no: expect.stringMatching(/^\d{21}$/) },
    ]);
    const { body: refund } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken' });
    await api.call(`POST /v1/orders/${id}/refunds/${refund.id}/approve`, {}, { key: 'op_test_demo' });
    const done = await until(
      () => read(id),
      ({ refund_status }) => refund_status === 'full',
    );
    expect(done).toMatchObject({ status: 'cancelled', cancel_reason: 'refunded', payments: [{ status: 'refunded' }] });
  });
});

describe('the page that brings a buyer to the gateway', () => {
  it('is a form that sends itself, lets nothing else run, and leads to the cashier', async () => {
    const { body } = await open(await create(), { method: 'unionpay.gateway' });
    const page = await fetch(body.action.url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'sha256-/);
    const text = await page.text();
    expect(text).toContain(`action="${api.system.simulator.url}/gateway/api/frontTransReq.do"`);
    expect(text).toContain('document.forms[0].submit()');
    const fields = [...text.matchAll(/name="(\w+)"\s+value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]);
    expect(Object.fromEntries(fields)).toMatchObject({ orderId: body.out_trade_no, txnAmt: '3000' });
  });

  it('takes only what the merchant’s account signed', async () => {
    const { body } = await open(await create(), { method: 'unionpay.wap' });
    const statusOf = async (url: string) => (await fetch(url)).status;
    expect(await statusOf(body.action.url)).toBe(200);
    expect(await statusOf(body.action.url.replace('txnAmt=3000', 'txnAmt=1'))).toBe(404);
    expect(await statusOf(body.action.url.replace('/demo?', '/other?'))).toBe(404);
    expect(await statusOf(body.action.url.replace('/unionpay/', '/wechatpay/'))).toBe(404);
    expect(await statusOf(body.action.url.replace('/unionpay/', '/nobody/'))).toBe(404);
  });
});

it('leads the buyer’s browser, which comes by a form, on to where it asked for', async () => {
  const return_url = 'https://shop.example.com/thanks?order=1';
  const { body } = await open(await create(), { method: 'unionpay.gateway', return_url });
  await control(body.out_trade_no, { action: 'pay', url: body.action.url });
  const cashier = await cashierOf(body.out_trade_no);
  const back = /href="([^"]+\/unionpay\/return\/[^"]+)"/.exec(cashier)![1]!;
  const form = await (await fetch(back)).text();
  const landing = /<form method="post" action="([^"]+)"/.exec(form)![1]!;
  expect(landing).toMatch(new RegExp(`^${api.url}/back/`));
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]);
  expect(Object.fromEntries(fields)).toMatchObject({ orderId: body.out_trade_no, respCode: '00' });
  const landed = (url: string, method = 'POST') => fetch(url, { method, redirect: 'manual' });
  const answers = [await landed(landing), await landed(landing, 'GET'), await landed(`${api.url}/back/byr_none`)];
  expect(answers.map(({ status, headers }) => [status, headers.get('location')])).toEqual([
    [303, return_url],
    [303, return_url],
    [404, null],
  ]);
});

it('a try that failed can be followed by one that pays, in the same cashier', async () => {
  const id = await create();
  const { body } = await open(id, { method: 'unionpay.qr' });
  await control(body.out_trade_no, { action: 'fail' });
  await control(body.out_trade_no, { action: 'pay' });
  await until(
    () => read(id),
    ({ status }) => status === 'paid',
  );
});

it('a notice with a wrong signature gets 401, in the words of every refusal', async () => {
  const url = `${api.url}/webhooks/unionpay/demo`;
  const post = (body: string) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
  const answer = await post('respCode=00&txnType=01&signature=x');
  expect([answer.status, await answer.text()]).toEqual([401, 'fail']);
});

describe('where there is no close', () => {
  const others = ['unionpay.qr', 'wechatpay.native'];

  it('another method opens all the same, and money that comes to the first one yet goes back', async () => {
    const id = await create();
    const [first, second] = [await open(id, { method: others[0] }), await open(id, { method: others[1] })];
    expect([first.status, second.status]).toEqual([201, 201]);
    await until(
      () => read(id),
      ({ payments }) => payments[0].status === 'closed',
    );
    await control(second.body.out_trade_no, { action: 'pay' });
    await until(
      () => read(id),
      ({ status }) => status === 'paid',
    );
    await control(first.body.out_trade_no, { action: 'pay' });
    const settled = await until(
      () => read(id),
      ({ refunds }) => refunds.some(({ status }: { status: string }) => status === 'succeeded'),
    );
    expect(settled).toMatchObject({
      status: 'paid',
      amounts: { paid: 3000, refunded: 0 },
      payments: [{ status: 'refunded' }, { status: 'succeeded' }],
      refunds: [{ origin: 'duplicate_payment', amount: 3000, status: 'succeeded' }],
    });
  });

  it('a cancelled order gives late money back', async () => {
    const id = await create();
    const { body } = await open(id, { method: 'unionpay.qr' });
    await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
    await until(
      () => read(id),
      ({ status }) => status === 'cancelled',
    );
    await control(body.out_trade_no, { action: 'pay' });
    const settled = await until(
      () => read(id),
      ({ refunds }) => refunds.some(({ status }: { status: string }) => status === 'succeeded'),
    );
    expect(settled).toMatchObject({ status: 'cancelled', refunds: [{ origin: 'late_payment', amount: 3000 }] });
  });
});

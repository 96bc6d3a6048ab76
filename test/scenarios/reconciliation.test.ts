import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcile } from '../../activities/reconciliation.ts';
import { dayAfter } from '../../domain/day.ts';
import { statementDayAt } from '../../domain/statement-day.ts';
import { PROVIDERS, type ProviderName } from '../../domain/method.ts';
import { run } from '../../orders/program.ts';
import { OPERATOR_KEY } from '../api/support.ts';
import { until } from '../support/orders.ts';
import { Shop, type Sale } from './shop.ts';

/** Scenario 49, at every provider, in its own bill's form. */
const WAYS: Record<ProviderName, { method: string; currency: string; fee: number }> = {
  alipay: { method: 'alipay.qr', currency: 'CNY', fee: 18 },
  wechatpay: { method: 'wechatpay.native', currency: 'CNY', fee: 18 },
  unionpay: { method: 'unionpay.qr', currency: 'CNY', fee: 18 },
  stripe: { method: 'card.stripe', currency: 'USD', fee: 117 },
  paypal: { method: 'paypal.checkout', currency: 'USD', fee: 154 },
};

type Paid = { sale: Sale; number: string };
type Case = { right: Paid; missing: Paid; different: Paid };

let shop: Shop;
const cases = new Map<ProviderName, Case>();
beforeAll(async () => {
  shop = await Shop.open();
  process.env['DATABASE_URL'] = shop.api.system.databaseUrl;
  await Promise.all(PROVIDERS.map(async (provider) => cases.set(provider, await sold(provider))));
});
afterAll(async () => {
  delete process.env['DATABASE_URL'];
  await shop.close();
});

async function sold(provider: ProviderName): Promise<Case> {
  const [right, missing, different] = await Promise.all([paid(provider), paid(provider), paid(provider)]);
  const refund = await right.sale.refunds({ amount: 700 });
  await right.sale.refundBecomes(refund.id, 'succeeded', 60_000);
  return { right, missing, different };
}

async function paid(provider: ProviderName): Promise<Paid> {
  const { method, currency } = WAYS[provider];
  const sale = await shop.sells({ currency });
  const { out_trade_no: number } = await sale.pays({ method });
  await sale.isPaid(60_000);
  return { sale, number };
}

/** With the day after today: by then today's statement is there, and the next one, whatever the hour. */
async function compareNow(provider: ProviderName) {
  const { db, findProvider } = shop.api.system;
  const now = () => Date.now() + 3 * 86_400_000;
  const books = { db, now, provider: (await findProvider('demo', provider))! };
  return reconcile(books, { merchant: 'demo', provider }, dayAfter(statementDayAt(provider, Date.now())));
}

const findings = (provider: ProviderName) =>
  shop.api.system.db.selectFrom('findings').selectAll().where('provider', '=', provider).orderBy('kind').execute();

const fees = (provider: ProviderName) =>
  shop.api.system.db
    .selectFrom('ledger_with_fees')
    .select(['order_id', 'amount'])
    .where('provider', '=', provider)
    .where('type', '=', 'fee')
    .execute();

async function orders(line: string) {
  let [out, err] = ['', ''];
  const code = await run(line.split(' '), { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}

describe('a statement with an extra, a missing and a different payment (49)', () => {
  it.each(PROVIDERS)(
    'of %s makes three findings, the rest matches, and a second run changes nothing',
    async (provider) => {
      const { right, missing, different } = cases.get(provider)!;
      const { currency, fee } = WAYS[provider];
      const extra = { provider, out_trade_no: `elsewhere${provider}`, amount: 4321, currency };
      const changed = [{ number: different.number, amount: 1 }];
      const wish = { early: true, missing: [missing.number], different: changed, extra: [extra] };
      expect(await shop.control('statements', wish)).toBe(200);

      expect(await compareNow(provider)).toMatchObject({ found: 3, settled: 0 });
      const found = await findings(provider);
      expect(found).toMatchObject([
        {
          kind: 'different',
          out_trade_no: different.number,
          order_id: different.sale.id,
          ours: [{ amount: 3000, currency }],
          theirs: [{ amount: 1, currency }],
        },
        {
          kind: 'missing_here',
          out_trade_no: extra.out_trade_no,
          order_id: null,
          ours: [],
          theirs: [{ amount: 4321, currency }],
        },
        {
          kind: 'missing_there',
          out_trade_no: missing.number,
          order_id: missing.sale.id,
          ours: [{ amount: 3000, currency }],
          theirs: [],
        },
      ]);
      expect(await fees(provider)).toContainEqual({ order_id: right.sale.id, amount: fee });

      expect(await compareNow(provider)).toMatchObject({ found: 0, settled: 0 });
      expect(await findings(provider)).toEqual(found);
    },
  );

  it('is shown to operators, who close what they have dealt with', async () => {
    await until(
      () => shop.metric('orders_reconciliation_findings_open'),
      (open) => open === 3 * PROVIDERS.length,
    );
    const page = await shop.api.call('GET /v1/findings?limit=14', undefined, { key: OPERATOR_KEY });
    expect(page).toMatchObject({ status: 200, body: { next_cursor: expect.any(String) } });
    const rest = await shop.api.call(`GET /v1/findings?cursor=${page.body.next_cursor}`, undefined, {
      key: OPERATOR_KEY,
    });
    expect([page.body.data.length, rest.body.data.length, rest.body.next_cursor]).toEqual([14, 1, null]);
    const listed = JSON.parse((await orders('--json findings')).out);
    expect(listed).toHaveLength(3 * PROVIDERS.length);
    const { id } = listed.find((one: any) => one.provider === 'alipay' && one.kind === 'missing_here');
    expect((await orders('findings')).out).toMatch(/missing_here +capture .*elsewherealipay +– +– +CNY 43\.21/);
    expect(await orders(`findings close ${id} --by Ada --note paid-in-the-shop`)).toMatchObject({ code: 0 });
    expect((await orders(`findings close ${id} --by Ada --note again`)).err).toContain(`no open finding ${id}`);
    expect(await compareNow('alipay')).toMatchObject({ found: 0, settled: 0 });
    expect((await orders('findings')).out).not.toContain('elsewherealipay');
    expect((await orders('findings list --all')).out).toContain('paid-in-the-shop');
    const closed = await shop.api.call('GET /v1/findings?closed=true', undefined, { key: OPERATOR_KEY });
    expect(closed.body.data).toContainEqual(
      expect.objectContaining({ id, closed_by: 'Ada', note: 'paid-in-the-shop' }),
    );
  });

  it('that agrees again closes what was found by itself', async () => {
    await fetch(`${shop.api.system.simulator.url}/_control/statements`, { method: 'DELETE' });
    await shop.control('statements', { early: true });
    expect(await compareNow('alipay')).toMatchObject({ found: 0, settled: 2 });
    for (const provider of PROVIDERS.slice(1))
      expect(await compareNow(provider)).toMatchObject({ found: 0, settled: 3 });
    expect((await orders('findings')).out).toBe('Ledger and statements agree.\n');
  });

  it('adds up: captures less refunds less fees, per account, day and currency', async () => {
    const sums = JSON.parse((await orders('--json ledger --merchant demo')).out);
    const total = (provider: string, field: string) =>
      sums.filter((row: any) => row.provider === provider).reduce((sum: number, row: any) => sum + row[field], 0);
    for (const provider of PROVIDERS) {
      expect([total(provider, 'captured'), total(provider, 'refunded')]).toEqual([9000, 700]);
      const kept = (await fees(provider)).reduce((sum, { amount }) => sum + amount, 0);
      expect(total(provider, 'net')).toBe(9000 - 700 - kept);
    }
  });
});

it('runs by itself, on a Schedule', async () => {
  const { client, taskQueue, db } = shop.api.system;
  await db.deleteFrom('statements').execute();
  const schedule = client.schedule.getHandle(`${taskQueue}-reconciliation`);
  expect((await schedule.describe()).spec.calendars).toMatchObject([
    { hour: [{ start: 3 }], minute: [{ start: 30 }], comment: expect.any(String) },
  ]);
  await schedule.trigger();
  const read = await until(
    () => db.selectFrom('statements').select('provider').where('compared_at', 'is not', null).distinct().execute(),
    (providers) => providers.length === PROVIDERS.length,
  );
  expect(read).toHaveLength(PROVIDERS.length);
});

describe('npm run reconcile', () => {
  it('reads the days that are over, and refuses one that is not', async () => {
    const { code, out } = await orders('--json reconcile --provider wechatpay');
    expect([code, JSON.parse(out)]).toMatchObject([0, [{ merchant: 'demo', provider: 'wechatpay', found: 0 }]]);
    const { code: refused, err } = await orders(`reconcile --day ${statementDayAt('stripe', Date.now() + 86_400_000)}`);
    expect(refused).toBe(1);
    expect(err).toMatch(/demo at wechatpay: .* is not over at wechatpay \(Asia\/Shanghai\)/);
    expect(await orders('reconcile --day yesterday')).toMatchObject({ code: 2 });
  });
});

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daysDue, newestDay, reconcile, reconciliationActivities } from '../../activities/reconciliation.ts';
import { dayAfter } from '../../domain/day.ts';
import { statementDayAt } from '../../domain/statement-day.ts';
import { LIMITS } from '../../domain/limits.ts';
import { PROVIDERS, type ProviderName } from '../../domain/method.ts';
import { run } from '../../orders/program.ts';
import { OPERATOR_KEY } from '../api/support.ts';
import { ProviderError } from '../../providers/provider.ts';
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

const MERCHANT = 'demo';

/** With the day after today: by then today's statement is there, and the next one, whatever the hour. */
async function compareNow(provider: ProviderName, { merchant = MERCHANT, days = 1 } = {}) {
  const { db, findProvider } = shop.api.system;
  const now = () => Date.now() + 3 * DAY_MS;
  const books = { db, now, provider: (await findProvider(MERCHANT, provider))! };
  return reconcile(books, { merchant, provider }, dayAfter(statementDayAt(provider, Date.now()), days));
}
const DAY_MS = 86_400_000;

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
      expect(await compareNow(provider, { days: -5 })).toMatchObject({ found: 0, settled: 0 });
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

it('of an account that two merchants share: a finding is its owner’s, and a fee counts once', async () => {
  const { different } = cases.get('wechatpay')!;
  await shop.control('statements', { early: true, different: [{ number: different.number, amount: 1 }] });
  expect(await compareNow('wechatpay')).toMatchObject({ found: 1 });
  const once = await fees('wechatpay');
  expect(await compareNow('wechatpay', { merchant: 'other' })).toMatchObject({ found: 0 });
  const open = (await findings('wechatpay')).filter(({ closed_at }) => closed_at === null);
  expect(open).toMatchObject([{ merchant_id: MERCHANT, kind: 'different', order_id: different.sale.id }]);
  expect(await fees('wechatpay')).toEqual(once);
  await fetch(`${shop.api.system.simulator.url}/_control/statements`, { method: 'DELETE' });
});

describe('the days that are due', () => {
  const account = { merchant: 'other', provider: 'alipay' } as const;
  const NOW = Date.parse('2026-06-30T12:00:00Z');
  const compared = async (...days: string[]) => {
    const { db } = shop.api.system;
    await db.deleteFrom('statements').where('merchant_id', '=', 'other').execute();
    const at = new Date(NOW);
    const rows = days.map((day) => ({ day, lines: 0, read_at: at, compared_at: at, ...account, merchant_id: 'other' }));
    for (const { merchant: _, ...row } of rows) await db.insertInto('statements').values(row).execute();
  };
  const due = () => daysDue(shop.api.system.db, account, NOW);

  it('are those that were not compared, even where a later one was', async () => {
    await compared();
    expect(await due()).toEqual(['2026-06-29']);
    await compared('2026-06-25', '2026-06-28');
    expect(await due()).toEqual(['2026-06-26', '2026-06-27', '2026-06-29']);
    await compared('2026-06-28', '2026-06-29');
    expect(await due()).toEqual(['2026-06-29']);
    await compared('2026-01-01');
    expect(await due()).toHaveLength(31);
  });

  const run = async (statement: (day: string) => Promise<[]>) => {
    const asked: string[] = [];
    const provider = { name: 'alipay', statement: (day: string) => (asked.push(day), statement(day)) };
    const { db, log } = shop.api.deps;
    const deps = { db, log, now: () => NOW, provider: () => Promise.resolve(provider) };
    const failure = await reconciliationActivities(deps as never)
      .reconcileAccount(account)
      .catch((error: unknown) => error);
    return { asked, failure };
  };
  const failing = (outcome: 'busy' | 'refused') => Promise.reject(new ProviderError(outcome, 'code', 'why'));

  it('are compared one by one: one that can not be read holds up no later one, and is due again', async () => {
    await compared('2026-06-20');
    const { failure } = await run((day) => (day === '2026-06-22' ? failing('busy') : Promise.resolve([])));
    expect(failure).toMatchObject({ type: 'try_again', nonRetryable: false });
    expect(await due()).toEqual(['2026-06-22', '2026-06-23']);
    expect(await run(() => Promise.resolve([]))).toMatchObject({ failure: 0 });
    expect(await due()).toEqual(['2026-06-29']);
  });

  it('at a provider that refuses are not asked for again before tomorrow', async () => {
    await compared('2026-06-28');
    expect((await run(() => failing('refused'))).failure).toMatchObject({ nonRetryable: true });
  });
});

/** Until then nobody can tell "nothing was sold" from "not made yet" (Alipay, UnionPay), or lines come later (PayPal). */
it.each([
  ['alipay', '02:00'],
  ['unionpay', '02:00'],
  ['wechatpay', '16:00'],
  ['stripe', '00:00'],
  ['paypal', '03:00'],
] as const)("the newest day of %s changes at %s UTC, before the Schedule's 3:30", (provider, time) => {
  const at = Date.parse(`2026-06-30T${time}:00Z`);
  const before = newestDay(provider, at - 1);
  expect([newestDay(provider, at), newestDay(provider, at + DAY_MS - 1)]).toEqual([dayAfter(before), dayAfter(before)]);
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

  it('leaves no finding out of the list', async () => {
    await sql`insert into findings (id, merchant_id, provider, type, reference, kind, day, ours, theirs, found_at)
      select 'fnd_' || n, 'other', 'paypal', 'capture', n, 'missing_here', '2026-06-30', '[]', '[]', now()
      from generate_series(1, ${LIMITS.pageSize + 1}) n`.execute(shop.api.system.db);
    expect(JSON.parse((await orders('--json findings --merchant other')).out)).toHaveLength(LIMITS.pageSize + 1);
  });
});

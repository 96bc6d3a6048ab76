import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayAfter } from '../../domain/day.ts';
import { PROVIDERS } from '../../domain/method.ts';
import { startOfStatement, statementDayAt } from '../../domain/statement-day.ts';
import { compare, keyOf, type Booked, type Stated } from '../../domain/reconciliation.ts';

const DAY = '2026-11-21';
const HOUR = 3_600_000;

it("providers' days begin at midnight in China, or of UTC", () => {
  const starts = PROVIDERS.map((provider) => new Date(startOfStatement(provider, DAY)).toISOString());
  const [inChina, atUtc] = ['2026-11-20T16:00:00.000Z', '2026-11-21T00:00:00.000Z'];
  expect(starts).toEqual([inChina, inChina, inChina, atUtc, atUtc]);
});

const provider = 'wechatpay';
const start = startOfStatement(provider, DAY);
const booked = (changes: Partial<Booked> = {}): Booked => ({
  type: 'capture',
  reference: '4200',
  outTradeNo: 'T1',
  amount: 1000,
  currency: 'CNY',
  orderId: 'ord_1',
  isOwn: true,
  at: start + 12 * HOUR,
  isJudged: true,
  ...changes,
});
const stated = (changes: Partial<Stated> = {}): Stated => ({
  type: 'capture',
  reference: '4200',
  outTradeNo: 'T1',
  amount: 1000,
  currency: 'CNY',
  day: DAY,
  isSettled: true,
  isJudged: true,
  ...changes,
});
const readUntil = (until: string) => new Set(Array.from({ length: 12 }, (_, index) => dayAfter(until, -index)));
const found = (ours: Booked[], theirs: Stated[], until = DAY) =>
  compare({ booked: ours, stated: theirs }, { provider, read: readUntil(until) }).map(
    ({ kind, reference }) => `${kind} ${reference}`,
  );

describe('comparing ledger and statement', () => {
  it('tells an extra, a missing and a different payment', () => {
    const ours = [booked(), booked({ reference: 'b' }), booked({ reference: 'c', amount: 5 })];
    const theirs = [stated(), stated({ reference: 'a' }), stated({ reference: 'c', amount: 6 })];
    expect(found(ours, theirs).toSorted()).toEqual(['different c', 'missing_here a', 'missing_there b']);
    expect(
      compare({ booked: [booked({ amount: 5 })], stated: [stated()] }, { provider, read: readUntil(DAY) }),
    ).toEqual([
      {
        kind: 'different',
        type: 'capture',
        reference: '4200',
        outTradeNo: 'T1',
        orderId: 'ord_1',
        day: DAY,
        ours: [{ amount: 5, currency: 'CNY' }],
        theirs: [{ amount: 1000, currency: 'CNY' }],
      },
    ]);
  });
  it.each([
    ['ours after midnight, theirs before', booked({ at: start + 24 * HOUR + 1 }), stated(), DAY],
    [
      'ours before midnight, theirs in the next statement',
      booked({ at: start + 24 * HOUR - 1 }),
      stated({ day: dayAfter(DAY) }),
      dayAfter(DAY),
    ],
  ])('pairs them by number, not by day: %s', (_name, ours, theirs, until) => {
    expect(found([ours], [theirs], until)).toEqual([]);
  });
  it('waits for the next statement with what came shortly before midnight', () => {
    const late = booked({ at: start + 23 * HOUR });
    expect(found([late], [])).toEqual([]);
    expect(found([late], [], dayAfter(DAY))).toEqual(['missing_there 4200']);
    expect(found([booked({ at: start + 21 * HOUR })], [])).toEqual(['missing_there 4200']);
  });
  it('waits for a statement that was not read, whatever later ones were', () => {
    const read = new Set([dayAfter(DAY, -2), DAY, dayAfter(DAY, 2)]);
    const judged = (hours: number) =>
      compare({ booked: [booked({ at: start + hours * HOUR })], stated: [] }, { provider, read }).length;
    expect([-12, 1, 2, 21, 23, 36, 60].map(judged)).toEqual([0, 0, 1, 1, 0, 0, 1]);
  });
  it('leaves what another merchant has on the same account to that one', () => {
    expect(found([booked({ isOwn: false, amount: 5 })], [stated()])).toEqual([]);
  });
  it('lets a refund be under way for a week', () => {
    const under = stated({ type: 'refund', reference: 'R1', isSettled: false });
    expect(found([], [under])).toEqual([]);
    expect(found([], [under], dayAfter(DAY, 8))).toEqual(['missing_here R1']);
    expect(found([booked({ type: 'refund', reference: 'R1', amount: 999 })], [under])).toEqual(['different R1']);
  });
  it('takes a refund that came back for none', () => {
    const there = stated({ type: 'refund', reference: 'R1' });
    expect(found([], [there, { ...there, day: dayAfter(DAY), amount: -1000 }])).toEqual([]);
    expect(found([booked({ type: 'refund', reference: 'R1' })], [there, { ...there, amount: -1000 }])).toEqual([
      'missing_there R1',
    ]);
  });
  it('pairs refunds whose number the provider does not tell by payment and amount', () => {
    const ours = booked({ type: 'refund', reference: 'R1' });
    const theirs = stated({ type: 'refund', reference: 'own number' });
    expect(found([ours], [theirs])).toEqual([]);
    expect(found([ours], [theirs, { ...theirs, reference: 'another' }])).toEqual(['missing_here another']);
    expect(found([ours], [{ ...theirs, amount: 999 }])).toHaveLength(2);
    expect(found([ours], [{ ...theirs, outTradeNo: 'T2' }])).toHaveLength(2);
  });
  it('says nothing about what is only there to be found', () => {
    expect(found([booked({ isJudged: false })], [stated({ isJudged: false, reference: 'x' })])).toEqual([]);
  });
});

/** Entries as both sides have them: any day of the last two, any order. */
const entries = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom('capture' as const, 'refund' as const),
    reference: fc.string({ minLength: 1, maxLength: 4 }),
    outTradeNo: fc.string({ minLength: 1, maxLength: 3 }),
    amount: fc.integer({ min: 1, max: 99_999_999_999 }),
    currency: fc.constantFrom('CNY', 'USD'),
    at: fc.integer({ min: start - 24 * HOUR, max: start + 24 * HOUR - 1 }),
    shift: fc.integer({ min: -HOUR, max: HOUR }),
    fate: fc.constantFrom('same', 'same', 'same', 'extra', 'missing', 'other amount', 'other currency', 'twice'),
  }),
  // No two refunds that could be taken for each other: those are tried above.
  {
    selector: ({ type, reference, outTradeNo }) => (type === 'refund' ? outTradeNo : keyOf({ type, reference })),
    maxLength: 30,
  },
);

it('finds exactly what is not the same on both sides, each once, in whatever order', () => {
  fc.assert(
    fc.property(entries, fc.func(fc.integer()), (all, order) => {
      // References of refunds are made unique too: the selector looks at their payments.
      const each = all.map((entry, index) => ({ ...entry, reference: `${entry.reference}${index}` }));
      const shuffled = <T>(list: T[]) => list.toSorted((a, b) => order(a) - order(b));
      const ours = each
        .filter(({ fate }) => fate !== 'extra')
        .map(({ fate: _fate, shift: _shift, ...entry }) => booked(entry));
      const theirs = each.flatMap(({ fate, at, shift, ...entry }) => {
        const line = stated({ ...entry, day: statementDayAt(provider, at + shift) });
        if (fate === 'missing') return [];
        if (fate === 'other amount') return [{ ...line, amount: line.amount + 1 }];
        if (fate === 'other currency') return [{ ...line, currency: 'EUR' }];
        return fate === 'twice' ? [line, line] : [line];
      });
      const expected = each.flatMap(({ fate, type, reference }) => {
        const kind = { extra: 'missing_here', missing: 'missing_there' }[fate as string] ?? 'different';
        return fate === 'same' ? [] : [`${kind} ${keyOf({ type, reference })}`];
      });
      // The day after has been read too, so that nothing may yet come.
      const read = readUntil(dayAfter(DAY));
      const findings = compare({ booked: shuffled(ours), stated: shuffled(theirs) }, { provider, read });
      expect(findings.map((one) => `${one.kind} ${keyOf(one)}`).toSorted()).toEqual(expected.toSorted());
    }),
  );
});

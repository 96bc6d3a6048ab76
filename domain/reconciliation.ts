import { dayAfter } from './day.ts';
import { type Day, statementDayAt } from './statement-day.ts';
import type { ProviderName } from './method.ts';
import type { Money } from './money.ts';

/** Money that moved: of a payment (`capture`) or back (`refund`). Known by the provider's number, or our refund number. */
export type Entry = {
  type: 'capture' | 'refund';
  reference: string;
  /** Our number of the payment; null where a statement doesn't tell. */
  outTradeNo: string | null;
  /** Minor units. Negative only for a refund that came back, and which so takes the first one away. */
  amount: number;
  currency: string;
};

/** A row of our ledger. */
export type Booked = Entry & {
  orderId: string;
  /** The account's merchant has the order; otherwise it is another's, who shares the account. */
  isOwn: boolean;
  /** Epoch milliseconds. */
  at: number;
  /** Looked for in this run; the others are only there to be found. So it is for lines. */
  isJudged: boolean;
};

/** A line of a provider's statement, as its adapter reads it. */
export type StatementLine = Entry & {
  /** The provider's own number of the line: the same transaction has the same one in every statement. */
  id: string;
  /** The money has moved; otherwise it is still under way at the provider. */
  isSettled: boolean;
  /** What the provider kept for itself; negative: gave back. Minor units of `feeCurrency`. */
  fee: number;
  feeCurrency: string;
  /** Epoch milliseconds; null where the line doesn't tell. */
  at: number | null;
};

/** A line as it is compared. */
export type Stated = Entry &
  Pick<StatementLine, 'isSettled'> & { /** Of its statement. */ day: Day; isJudged: boolean };

export const FINDING_KINDS = ['missing_here', 'missing_there', 'different'] as const;
/**
 * missing_here: the statement has money that our ledger hasn't; missing_there: the other way round; different: both have
 * it, with another amount or currency.
 */
export type FindingKind = (typeof FINDING_KINDS)[number];

export type Finding = {
  kind: FindingKind;
  type: Entry['type'];
  reference: string;
  outTradeNo: string | null;
  /** Null where our ledger doesn't know it. */
  orderId: string | null;
  /** Of the statement; of our booking where no statement has it. */
  day: Day;
  /** What there is in all, by currency: one entry as a rule, none where it is missing. */
  ours: Money[];
  theirs: Money[];
};

/**
 * Clocks and cut-off times differ (UnionPay's day ends at 23:00): what moved so close to the end of a day may stand in
 * the other day's statement.
 */
const MARGIN_MS = 2 * 3_600_000;
/** A refund may be under way for so long before somebody should look at it. */
const LONGEST_WAY_DAYS = 7;

/** By what an entry is one and the same on both sides. */
export const keyOf = ({ type, reference }: Pick<Entry, 'type' | 'reference'>): string => `${type} ${reference}`;

type Pair = { ours: Booked[]; theirs: Stated[] };

/**
 * Compares ledger and statements of one account. Entries are paired by their number, on whatever day either side has
 * them: so midnight makes no finding. Refunds whose number a provider doesn't tell are paired by payment and amount.
 * What another merchant has on the same account is known there, and no finding here.
 * @param read the days whose statements were read. What may yet stand in another one is not missing
 */
export function compare(
  { booked, stated }: { booked: readonly Booked[]; stated: readonly Stated[] },
  { provider, read }: { provider: ProviderName; read: ReadonlySet<Day> },
): Finding[] {
  const pairs = new Map<string, Pair>();
  const pairOf = (entry: Entry): Pair => {
    const pair = pairs.get(keyOf(entry)) ?? { ours: [], theirs: [] };
    pairs.set(keyOf(entry), pair);
    return pair;
  };
  for (const entry of booked) pairOf(entry).ours.push(entry);
  for (const line of stated) pairOf(line).theirs.push(line);
  return joined([...pairs.values()])
    .filter(({ ours, theirs }) => [...ours, ...theirs].some(({ isJudged }) => isJudged))
    .filter(({ ours }) => ours.length === 0 || ours.some(({ isOwn }) => isOwn))
    .flatMap((pair) => findingIn(pair, provider, read) ?? []);
}

/** One-sided refunds of one payment with the same amount are one. */
function joined(pairs: readonly Pair[]): Pair[] {
  const ownOnes = new Map<string, Pair[]>();
  for (const pair of pairs)
    if (pair.theirs.length === 0 && pair.ours[0]?.type === 'refund') {
      const sum = summary(pair.ours);
      ownOnes.set(sum, [...(ownOnes.get(sum) ?? []), pair]);
    }
  const taken = new Set<Pair>();
  const whole = pairs.map((pair) => {
    if (pair.ours.length > 0 || pair.theirs[0]?.type !== 'refund' || pair.theirs[0].outTradeNo === null) return pair;
    const match = ownOnes.get(summary(pair.theirs))?.find((one) => !taken.has(one));
    if (!match) return pair;
    taken.add(match);
    return { ours: match.ours, theirs: pair.theirs };
  });
  return whole.filter((pair) => !taken.has(pair));
}

const summary = (entries: readonly Entry[]): string =>
  [entries[0]?.outTradeNo, ...totals(entries).map(({ amount, currency }) => `${amount} ${currency}`)].join(' ');

function findingIn({ ours, theirs }: Pair, provider: ProviderName, read: ReadonlySet<Day>): Finding | null {
  const [ourTotals, theirTotals] = [totals(ours), totals(theirs)];
  if (sameMoney(ourTotals, theirTotals)) return null;
  const kind = ourTotals.length === 0 ? 'missing_here' : theirTotals.length === 0 ? 'missing_there' : 'different';
  if (kind === 'missing_here' && theirs.every((line) => isUnderWay(line, read))) return null;
  if (kind === 'missing_there' && ours.every((entry) => mayStandElsewhere(entry, provider, read))) return null;
  const { type, reference } = (ours[0] ?? theirs[0])!;
  return {
    kind,
    type,
    reference,
    outTradeNo: ours[0]?.outTradeNo ?? theirs[0]?.outTradeNo ?? null,
    orderId: ours[0]?.orderId ?? null,
    day: theirs[0]?.day ?? statementDayAt(provider, ours[0]!.at),
    ours: ourTotals,
    theirs: theirTotals,
  };
}

function isUnderWay({ isSettled, day }: Stated, read: ReadonlySet<Day>): boolean {
  const lookedAtUntil = dayAfter(day, LONGEST_WAY_DAYS);
  return !isSettled && ![...read].some((one) => one > lookedAtUntil);
}

const mayStandElsewhere = ({ at }: Booked, provider: ProviderName, read: ReadonlySet<Day>): boolean =>
  [at - MARGIN_MS, at + MARGIN_MS].some((moment) => !read.has(statementDayAt(provider, moment)));

/** Per currency; what adds up to nothing is left out. */
function totals(entries: readonly Entry[]): Money[] {
  const sums = new Map<string, number>();
  for (const { amount, currency } of entries) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return [...sums]
    .filter(([, amount]) => amount !== 0)
    .map(([currency, amount]) => ({ amount, currency }))
    .toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
}

const sameMoney = (one: readonly Money[], other: readonly Money[]): boolean =>
  one.length === other.length &&
  one.every(({ amount, currency }, index) => amount === other[index]!.amount && currency === other[index]!.currency);

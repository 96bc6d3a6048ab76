import { parseAccept } from 'hono/utils/accept';
import { decimalAmount, decimalsOf } from '../domain/money.ts';
import type { ApiProblem } from './api.ts';
import { checkout } from './words/checkout.ts';
import { consoleWords } from './words/console.ts';
import { notificationWords } from './words/notifications.ts';
import { problems } from './words/problems.ts';
import { terms } from './words/terms.ts';

export type Language = 'en' | 'zh';

/** Tells things to one person: in their language and, for operators, their time zone. */
export type Speaker = {
  language: Language;
  terms: (typeof terms)[Language];
  checkout: (typeof checkout)[Language];
  console: (typeof consoleWords)[Language];
  notifications: (typeof notificationWords)[Language];
  /** @param amount in the minor unit */
  money: (amount: number, currency: string) => string;
  /** @param instant RFC 3339 */
  time: (instant: string) => string;
  /** Why the API refused. */
  problem: (problem: Pick<ApiProblem, 'code' | 'message'>) => string;
};

/** Without a sign-in nobody said where they are: Chinese pages tell Beijing's time. The browser's script corrects it. */
const USUAL_ZONE: Record<Language, string> = { en: 'UTC', zh: 'Asia/Shanghai' };
const LOCALE: Record<Language, string> = { en: 'en-GB', zh: 'zh-CN' };

export function speaker(language: Language, timeZone: string = USUAL_ZONE[language]): Speaker {
  const clock = new Intl.DateTimeFormat(LOCALE[language], {
    timeZone,
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
  });
  return {
    language,
    terms: terms[language],
    checkout: checkout[language],
    console: consoleWords[language],
    notifications: notificationWords[language],
    money: (amount, currency) => money(language, amount, currency),
    time: (instant) => clock.format(new Date(instant)),
    problem: ({ code, message }) => (problems[language] as Record<string, string>)[code] ?? message,
  };
}

function money(language: Language, amount: number, currency: string): string {
  const digits = decimalsOf(currency);
  const form = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  // As text, so that no digit passes through a floating-point number.
  return new Intl.NumberFormat(LOCALE[language], form).format(decimalAmount({ amount, currency }) as `${number}`);
}

/** Which of ours the browser asks for first; English where it asks for neither. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const asked = parseAccept(acceptLanguage ?? '').map(({ type }) => type.toLowerCase().split('-')[0]);
  return asked.find((name): name is Language => name === 'zh' || name === 'en') ?? 'en';
}

/** Amounts as PayPal writes them (providers.md 5.5). */
import { decimalAmount, decimalsOf, type Money } from '../domain/money.ts';
import { ProviderError } from './provider.ts';

export type PayPalAmount = { currency_code: string; value: string };

/** PayPal takes no decimals of these, though two of them have a hundredth as their minor unit. */
const WHOLE_ONLY = ['HUF', 'JPY', 'TWD'];

/** @throws ProviderError refused for what can't be written so */
export function amountFor(money: Money): PayPalAmount {
  const { amount, currency } = money;
  const value = decimalAmount(money);
  if (!Number.isSafeInteger(amount) || amount <= 0 || decimalsOf(currency) > 2)
    throw new ProviderError('refused', 'unsupported_amount', 'paypal: an amount is a whole number of minor units');
  if (!WHOLE_ONLY.includes(currency)) return { currency_code: currency, value };
  const [whole = '', decimals = ''] = value.split('.');
  if (Number(decimals) !== 0)
    throw new ProviderError('refused', 'unsupported_amount', `paypal: takes no decimals of ${currency}`);
  return { currency_code: currency, value: whole };
}

/** undefined for what is no amount in that currency's minor units. */
export function moneyOf({ currency_code: currency, value }: PayPalAmount): Money | undefined {
  const decimals = decimalsOf(currency);
  const [, whole, rest = ''] = /^(\d{1,12})(?:\.(\d{1,3}))?$/.exec(value) ?? [];
  if (whole === undefined || !/^[A-Z]{3}$/.test(currency) || /[1-9]/.test(rest.slice(decimals))) return undefined;
  return { amount: Number(whole + rest.slice(0, decimals).padEnd(decimals, '0')), currency };
}

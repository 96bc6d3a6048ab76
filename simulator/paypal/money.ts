import { invalid, unprocessable } from './refusal.ts';

/** What PayPal writes without decimals, whatever ISO 4217 says (providers.md 5.5). */
const WHOLE = ['JPY', 'HUF', 'TWD'];
/** …and which of them nevertheless have a hundredth as their minor unit. */
const WITH_HUNDREDTHS = ['HUF', 'TWD'];
const CURRENCIES = 'AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD'.split(
  ' ',
);

export type Amount = { currency_code: string; value: string };

/** Minor units. Throws as the platform would for an amount that it can't take. */
export function minorUnits({ currency_code: currency, value }: Amount, field: string): number {
  if (!/^((-?[0-9]+)|(-?([0-9]+)?[.][0-9]+))$/.test(value) || value.length > 32)
    throw invalid(
      'INVALID_PARAMETER_SYNTAX',
      `${field}/value`,
      'The value of a field does not conform to the expected format.',
    );
  if (!CURRENCIES.includes(currency))
    throw unprocessable('INVALID_CURRENCY_CODE', 'Currency code is invalid or not supported.');
  const [whole = '', decimals = ''] = value.split('.');
  if (WHOLE.includes(currency) && decimals !== '')
    throw unprocessable('DECIMALS_NOT_SUPPORTED', 'Currency does not support decimals.');
  if (decimals.length > 2)
    throw unprocessable(
      'DECIMAL_PRECISION',
      'If the currency supports decimals, only two decimal place precision is supported.',
    );
  const amount =
    WHOLE.includes(currency) && !WITH_HUNDREDTHS.includes(currency)
      ? Number(whole)
      : Number(`${whole}${decimals.padEnd(2, '0')}`);
  if (amount <= 0) throw unprocessable('CANNOT_BE_ZERO_OR_NEGATIVE', 'Must be greater than zero.');
  return amount;
}

/** As the platform writes it. */
export function amountOf(amount: number, currency: string): Amount {
  if (WITH_HUNDREDTHS.includes(currency)) return { currency_code: currency, value: String(Math.trunc(amount / 100)) };
  if (WHOLE.includes(currency)) return { currency_code: currency, value: String(amount) };
  const digits = String(amount).padStart(3, '0');
  return { currency_code: currency, value: `${digits.slice(0, -2)}.${digits.slice(-2)}` };
}

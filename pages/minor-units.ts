import { decimalsOf } from '../domain/money.ts';
import { ApiProblem } from './api.ts';

/**
 * What a person wrote, in the minor unit: "15", "15.0" and "15.00" CNY are 1500.
 * @throws ApiProblem for what is no amount of that currency
 */
export function minorUnits(written: string, currency: string): number {
  const decimals = decimalsOf(currency);
  const [, whole, fraction = ''] = /^(\d{1,12})(?:\.(\d+))?$/.exec(written.trim()) ?? [];
  if (whole !== undefined && fraction.length <= decimals) return Number(whole + fraction.padEnd(decimals, '0'));
  const wrong = { path: 'amount', message: `No amount of ${currency}, as 15${decimals > 0 ? '.00' : ''}.` };
  throw new ApiProblem({ status: 400, code: 'invalid_request', detail: wrong.message, errors: [wrong] });
}

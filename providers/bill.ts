/** What Chinese providers' bills have in common: tables as text, yuan as decimals, files in a zip. */
import { unzipSync } from 'fflate';
import { BILL_LIMITS } from './http.ts';
import { ProviderError } from './provider.ts';

/** A bill that can't be read. The message quotes nothing of it. */
export const unreadableBill = (provider: string, flaw: string): ProviderError =>
  new ProviderError('unknown', 'malformed_statement', `${provider} statement: ${flaw}`);

/** The files in a zip, by their names; no more than fits. @throws ProviderError */
export function unzipped(provider: string, zip: Uint8Array): Map<string, Uint8Array> {
  let size = 0;
  try {
    const files = unzipSync(zip, {
      filter: ({ originalSize }) => {
        size += originalSize;
        if (size > BILL_LIMITS.bytes) throw new Error('too large');
        return true;
      },
    });
    return new Map(Object.entries(files));
  } catch {
    throw unreadableBill(provider, 'not a zip, or too large a one');
  }
}

/**
 * Yuan in fen, without floating point: `-0.27000` is -27. Fees are told more exactly than they are taken, so what is
 * beyond fen is rounded, half away from zero. Undefined for anything else.
 */
export function signedFen(yuan: string): number | undefined {
  const [, sign, whole, decimals = ''] = /^([+-]?)(\d{1,12})(?:\.(\d{1,8}))?$/.exec(yuan.trim()) ?? [];
  if (whole === undefined) return undefined;
  const digits = decimals.padEnd(3, '0');
  const fen = Number(whole + digits.slice(0, 2)) + (digits[2]! >= '5' ? 1 : 0);
  return sign === '-' && fen > 0 ? -fen : fen;
}

/** The signs of fees differ by provider and edition; what is clear is that a payment costs one and a refund gives it back. */
export const feeOf = (type: 'capture' | 'refund', fee: number): number => {
  const size = Math.abs(fee);
  return type === 'capture' || size === 0 ? size : -size;
};

/** Decimal yuan, as in "3.00", in fen; null where it is not written so. */
export function fenOf(written: string): number | null {
  if (!/^(0|[1-9]\d{0,8})(\.\d{1,2})?$/.test(written)) return null;
  const [whole = '', decimals = ''] = written.split('.');
  return Number(whole) * 100 + Number(decimals.padEnd(2, '0'));
}

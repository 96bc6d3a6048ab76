import { expect, it } from 'vitest';
import { ledgerRows } from '../../db/rows.ts';
import * as s from '../domain/support.ts';

it('has one row for a number: what its provider says of it, not what the merchant had told of', () => {
  const { order } = s.given(
    { payableAs: s.PAYABLE_AS },
    s.pay('alipay.barcode'),
    s.openedAtOnce(s.PAY_2, { state: 'processing' }),
    s.cancel(),
    s.toldMoney(s.PAY_1, 100, `T-${s.PAY_2}`),
    s.revoked(s.PAY_2),
  );
  expect(order.paidBy).toBe(s.PAY_1);
  expect(ledgerRows(order).map(({ type, provider, confirmed }) => [type, provider, confirmed])).toEqual([
    ['capture', 'alipay', true],
    ['refund', 'alipay', true],
  ]);
});

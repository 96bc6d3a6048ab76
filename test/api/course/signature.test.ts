import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { isSigned, signatureOf } from '../../../api/course/signature.ts';

const SECRET = 'course_demo_secret';
const told = {
  trade_no: '5-9996-6d2d',
  result: 'SUCCESS',
  third_trade_no: '4200',
  third_buyer_id: 'o&x=1',
  amount: '0.01',
};
const right = createHmac('sha256', SECRET)
  .update('amount=0.01&result=SUCCESS&third_buyer_id=o&x=1&third_trade_no=4200&trade_no=5-9996-6d2d')
  .digest('hex');
const params = (change: Record<string, string> = {}) => new URLSearchParams({ ...told, sign: right, ...change });

it('signs all parameters but itself and the token, by name, as they are', () => {
  expect(signatureOf(new URLSearchParams(told), SECRET)).toBe(right);
  expect(isSigned(params(), SECRET)).toBe(true);
  expect(isSigned(params({ token: 'student_demo' }), SECRET)).toBe(true);
  expect(isSigned(params({ sign: right.toUpperCase() }), SECRET)).toBe(true);
});

it.each([
  ['another amount', { amount: '0.02' }],
  ['one more parameter', { extra: '' }],
  ['no signature', { sign: '' }],
  ['a signature cut short', { sign: right.slice(1) }],
  ['a longer signature', { sign: `${right}00` }],
])('%s proves nothing', (_, change) => expect(isSigned(params(change), SECRET)).toBe(false));

it('another secret, or a parameter given twice, proves nothing', () => {
  expect(isSigned(params(), 'another')).toBe(false);
  const twice = params();
  twice.append('amount', '0.01');
  twice.set('sign', signatureOf(twice, SECRET));
  expect(isSigned(twice, SECRET)).toBe(false);
});

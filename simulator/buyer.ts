import { z } from 'zod';
import type { BuyerWish, Desk, SimulatedProvider } from './provider.ts';
import type { Payment } from './records.ts';
import { statusAt } from './records.ts';

export const BuyerAction = z.enum(['pay', 'fail', 'cancel', 'start']);

/** Does what the buyer would. A payment that is paid stays as it is; a closed one can't be touched, except by force. */
export function buyerDoes(
  { books, now }: Desk,
  provider: SimulatedProvider,
  { id }: Payment,
  wish: BuyerWish & { force?: boolean | undefined },
): 'done' | 'paid before' | 'closed' {
  const payment = books.payment(id);
  if (!payment || payment.status === 'paid') return 'paid before';
  const isForced = wish.action === 'pay' && wish.force === true;
  if (statusAt(payment, now()) === 'closed' && !isForced) return 'closed';
  provider.buyer(payment, wish);
  return 'done';
}

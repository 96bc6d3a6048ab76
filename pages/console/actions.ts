import type { Done } from './frame.tsx';
import { minorUnits } from '../minor-units.ts';

/** What an operator can ask of the API from a form of the console. */
export type Action = {
  /** Its path, in the console after `/console` and in the API after `/v1`. */
  path: string;
  done: Done;
  /** What was entered, as the API takes it. @throws ApiProblem */
  body: (entered: Record<string, string>) => object;
};

export const ACTIONS: readonly Action[] = [
  { path: '/orders/:id/refunds/:refund/approve', done: 'approve', body: ({ note }) => ({ note: note || null }) },
  { path: '/orders/:id/refunds/:refund/reject', done: 'reject', body: ({ note }) => ({ note }) },
  { path: '/orders/:id/retry', done: 'retry', body: () => ({}) },
  { path: '/orders/:id/cancel', done: 'cancel', body: ({ reason }) => ({ reason: reason || null }) },
  { path: '/orders/:id/items/:item/redeliver', done: 'redeliver', body: () => ({}) },
  { path: '/orders/:id/items/:item/delivery', done: 'delivery', body: deliveryBody },
  {
    path: '/orders/:id/payments/:payment/resolve',
    done: 'resolve',
    body: ({ decision, note }) => ({ decision, note }),
  },
  {
    path: '/orders/:id/refunds',
    done: 'refunds',
    body: ({ reason, amount, currency = '' }) => ({
      reason,
      ...(amount && { amount: minorUnits(amount, currency) }),
    }),
  },
  { path: '/notifications/:id/resend', done: 'resend', body: () => ({}) },
  {
    path: '/notifications/resend',
    done: 'resend_failed',
    body: ({ since, endpoint_id }) => ({ since, endpoint_id: endpoint_id || null }),
  },
  { path: '/webhook-endpoints/:id/enable', done: 'enable', body: () => ({}) },
];

function deliveryBody({ status, carrier, tracking_number, detail }: Record<string, string>): object {
  const tracking = carrier && tracking_number ? { carrier, number: tracking_number } : null;
  return { status, tracking, detail: detail || null };
}

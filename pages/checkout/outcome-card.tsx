import type { CheckoutView } from './view.tsx';
import { Time } from './view.tsx';
import { mayApply, type Outcome } from './outcome.ts';

/** How it looks: done well, went wrong, or neither yet. */
type Mood = 'good' | 'bad' | 'open';
type Told = { mood: Mood; title: string; next: string };

/** One of the results, each with what to do next. */
export function OutcomeCard({ view, outcome }: { view: CheckoutView; outcome: Outcome }) {
  const { say, order } = view;
  const { mood, title, next } = told(view, outcome);
  return (
    <section class={`card ${mood}`} data-outcome={outcome.type}>
      <h2>{title}</h2>
      <p>{next}</p>
      {isToPay(outcome) ? <p class="amount">{say.money(order.amounts.total, order.currency)}</p> : null}
      {order.paid_at && PAID.has(outcome.type) ? (
        <p data-paid="">
          ✓ {say.checkout.paid} · {say.money(order.amounts.paid, order.currency)} ·{' '}
          <Time at={order.paid_at} say={say} />
        </p>
      ) : null}
      {outcome.type === 'refund_failed' && mayApply(order, view.now) ? (
        <p>
          <a class="button" href="#apply">
            {say.checkout.apply}
          </a>
        </p>
      ) : null}
    </section>
  );
}

const PAID = new Set<Outcome['type']>(['paid', 'processing', 'arrived', 'completed']);

/** Where the page shows a code, the amount stands beside it. */
const isToPay = (outcome: Outcome): boolean =>
  ['to_confirm', 'to_pay', 'payment_failed', 'payment_wrong'].includes(outcome.type) ||
  (outcome.type === 'attempt' && outcome.payment.action?.type !== 'qr');

function told(view: CheckoutView, outcome: Outcome): Told {
  const { say, order } = view;
  const w = say.checkout;
  switch (outcome.type) {
    case 'to_confirm':
      return { mood: 'open', title: w.toConfirm, next: w.toConfirmNext };
    case 'to_pay':
      return { mood: 'open', title: w.toPay, next: w.toPayNext };
    case 'attempt':
      return attemptTold(view, outcome.payment);
    case 'payment_failed':
      return { mood: 'bad', title: w.paymentFailed, next: w.paymentFailedNext };
    case 'payment_wrong':
      return { mood: 'bad', title: w.paymentWrong, next: w.paymentWrongNext };
    case 'closing':
      return { mood: 'open', title: w.closing, next: w.closingNext };
    case 'paid':
      return { mood: 'good', title: w.paid, next: w.paidNext };
    case 'processing':
      return { mood: 'good', title: w.processing, next: w.processingNext };
    case 'arrived':
      return { mood: 'good', title: w.arrived, next: w.arrivedNext };
    case 'completed':
      return { mood: 'good', title: w.completed, next: order.review ? w.completedReviewed : w.completedNext };
    case 'expired':
      return { mood: 'bad', title: w.expired, next: `${w.expiredNext} ${w.lateMoney}` };
    case 'cancelled':
      return { mood: 'bad', title: w.cancelled, next: `${w.cancelledNext} ${w.lateMoney}` };
    case 'refunded':
      return { mood: 'good', title: w.refunded, next: w.refundedNext(say.money(outcome.amount, order.currency)) };
    case 'refund_failed':
      return {
        mood: 'bad',
        title: w.refundFailed,
        next: isRetried(outcome.refund) ? w.refundRetried : w.refundFailedNext,
      };
  }
}

function attemptTold(
  { say }: CheckoutView,
  { status, action, method }: Extract<Outcome, { type: 'attempt' }>['payment'],
): Told {
  const w = say.checkout;
  if (status === 'processing') return { mood: 'open', title: w.paying, next: w.payingNext };
  if (!action) return { mood: 'open', title: w.paying, next: w.preparing };
  const name = say.terms.methods[method];
  switch (action.type) {
    case 'qr':
      return { mood: 'open', title: w.scan, next: w.scanNext(name) };
    case 'redirect':
      return { mood: 'open', title: w.toPay, next: w.goOnNext };
    case 'app':
      return { mood: 'open', title: w.inApp, next: w.inAppNext };
  }
}

/** What no person decided is tried again by itself. */
const isRetried = ({ reviewed_at }: { reviewed_at: string | null }): boolean => reviewed_at === null;

import { Hono } from 'hono';
import { buyerPage } from '../pages.ts';
import type { BuyerWish, Desk, Env, SimulatedProvider } from '../provider.ts';
import type { Payment } from '../records.ts';
import { intentEvent, NOTICE_PAUSES_SECONDS, NOTICE_TIMEOUT_MS, noticeHeaders, sessionEvent } from './events.ts';
import type { StripeMerchant } from './merchant.ts';
import { knownMerchants } from './merchant.ts';
import type { Platform, SessionDetails } from './platform.ts';
import { newId, sessionDetails } from './platform.ts';
import { settleRefund } from './refunds.ts';
import { stripeRoutes } from './routes.ts';

/** Stripe: Checkout Sessions with their PaymentIntents, refunds, signed events. */
export function simulateStripe(desk: Desk, merchants: readonly StripeMerchant[]): SimulatedProvider {
  const platform: Platform = { desk, merchants: knownMerchants(merchants) };
  return {
    name: 'stripe',
    routes: stripeRoutes(platform),
    pages: pages(desk),
    noticePausesSeconds: NOTICE_PAUSES_SECONDS,
    noticeTimeoutMs: NOTICE_TIMEOUT_MS,
    noticeHeaders: (notice) => noticeHeaders(platform, notice),
    accepts: (status) => status >= 200 && status < 300,
    linkTo: (payment) => `${desk.origin()}/stripe/pay/${sessionDetails(payment).code}`,
    buyer: (payment, wish) => buyer(platform, payment, wish),
    settle: (refund) => settleRefund(platform, refund),
  };
}

function pages(desk: Desk): Hono<Env> {
  return new Hono<Env>().get('/stripe/pay/:code', (c) => {
    const payment = desk.books.paymentByAlias('stripe', c.req.param('code'));
    return buyerPage(c, desk, payment, payment && wayBack(payment));
  });
}

function wayBack(payment: Payment): string {
  const { successUrl, cancelUrl, session } = sessionDetails(payment);
  return payment.status === 'paid' ? successUrl.replace('{CHECKOUT_SESSION_ID}', session) : (cancelUrl ?? successUrl);
}

/** A declined card is told, and another may be tried: the session stays open. */
function buyer(platform: Platform, payment: Payment, { action, amount }: BuyerWish): void {
  const { desk } = platform;
  switch (action) {
    case 'pay': {
      const done = paid(payment, desk.now(), amount ?? payment.amount);
      desk.announce({ payment: done }, intentEvent(platform, done, 'payment_intent.succeeded'));
      return desk.announce({}, sessionEvent(platform, done, 'checkout.session.completed'));
    }
    case 'start': {
      const begun: Payment = { ...submitted(payment, false), status: 'paying' };
      return desk.announce({ payment: begun }, intentEvent(platform, begun, 'payment_intent.requires_action'));
    }
    case 'fail': {
      const declined: Payment = { ...submitted(payment, true), status: 'pending' };
      return desk.announce({ payment: declined }, intentEvent(platform, declined, 'payment_intent.payment_failed'));
    }
    case 'cancel':
      return desk.books.write({ payment: { ...payment, status: 'pending' } });
  }
}

/** With a card the session has a PaymentIntent. */
function submitted(payment: Payment, isDeclined: boolean): Payment {
  const details = sessionDetails(payment);
  const intent = details.intent ?? newId('pi');
  const aliases = details.intent === null ? [...payment.aliases, intent] : payment.aliases;
  return { ...payment, aliases, details: { ...details, intent, isDeclined } satisfies SessionDetails };
}

function paid(payment: Payment, now: number, amount: number): Payment {
  const known = submitted(payment, false);
  const details = sessionDetails(known);
  const charge = newId('ch');
  return {
    ...known,
    status: 'paid',
    tradeNo: details.intent,
    paidAmount: amount,
    paidAt: now,
    aliases: [...known.aliases, charge],
    details: { ...details, charge } satisfies SessionDetails,
  };
}

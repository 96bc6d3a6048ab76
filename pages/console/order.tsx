import type { Event, List, OrderBody } from '../api.ts';
import type { Page } from '../answer.tsx';
import { Retry, Troubles } from './attention.tsx';
import { withQuery } from '../with-query.ts';
import { ActionForm, addressOf, framed, Term, type Operator } from './frame.tsx';
import { OrderItems } from './order-items.tsx';
import { OrderPayments } from './order-payments.tsx';
import { Decision, RefundFacts } from './refunds.tsx';
import { Timeline } from './timeline.tsx';

/** More would be no help to a reader. */
const MOST_EVENTS = 500;
const EVENTS_AT_ONCE = 100;

/** One order in one view: how it stands, its items, payments, refunds and timeline. */
export async function orderPage(operator: Operator, id: string, done: string | undefined): Promise<Page> {
  const path = `/v1/orders/${encodeURIComponent(id)}`;
  const order = await operator.api.get<OrderBody>(path);
  const events = await eventsOf(operator, path);
  return framed({
    operator,
    place: null,
    title: operator.say.console.orderTitle(order.merchant_order_no),
    done,
    content: (
      <>
        <Standing operator={operator} order={order} />
        <OrderItems operator={operator} order={order} />
        <OrderPayments operator={operator} order={order} events={events} />
        <OrderRefunds operator={operator} order={order} />
        <Cancel operator={operator} order={order} />
        <Timeline operator={operator} order={order} events={events} isCut={events.length >= MOST_EVENTS} />
      </>
    ),
  });
}

async function eventsOf({ api }: Operator, path: string): Promise<Event[]> {
  const events: Event[] = [];
  let cursor: string | null = null;
  do {
    const page = withQuery(`${path}/events`, { limit: String(EVENTS_AT_ONCE), cursor });
    const { data, next_cursor }: List<Event> = await api.get(page);
    events.push(...data);
    cursor = next_cursor;
  } while (cursor && events.length < MOST_EVENTS);
  return events;
}

type Props = { operator: Operator; order: OrderBody };

function Standing({ operator, order }: Props) {
  const { say } = operator;
  const w = say.console;
  const { amounts, currency, workflow, delivery, customer } = order;
  const money = (amount: number) => say.money(amount, currency);
  const reason = order.cancel_reason ? ` (${say.terms.cancelReason[order.cancel_reason]})` : '';
  return (
    <section class="card">
      <p class="amount">
        {say.terms.orderStatus[order.status]}
        {reason}
      </p>
      {order.attention.length > 0 ? <Troubles operator={operator} order={order} /> : null}
      <Retry operator={operator} order={order} back={addressOf(order.id)} />
      <dl class="facts">
        <Term name={w.total}>{money(amounts.total)}</Term>
        <Term name={w.paid}>
          {money(amounts.paid)}
          {order.paid_at ? `, ${say.time(order.paid_at)}` : ''}
        </Term>
        <Term name={w.refunded}>
          {money(amounts.refunded)}
          {order.refund_status === 'none' ? '' : ` · ${say.terms.refundStatusOfOrder[order.refund_status]}`}
        </Term>
        <Term name={w.created}>{say.time(order.created_at)}</Term>
        {order.paid_at ? null : <Term name={w.expires}>{say.time(order.expires_at)}</Term>}
        {order.completed_at ? <Term name={w.completedAt}>{say.time(order.completed_at)}</Term> : null}
        <Term name={w.numberOurs}>
          {order.number} · {order.id}
        </Term>
        {delivery ? (
          <Term name={w.deliverTo}>{[delivery.name, delivery.phone, delivery.address].filter(Boolean).join(', ')}</Term>
        ) : null}
        {customer ? <Term name={w.customerOf}>{[customer.id, customer.email].filter(Boolean).join(', ')}</Term> : null}
        {order.review ? (
          <Term name={w.review}>
            {say.checkout.stars(order.review.rating)}
            {order.review.comment ? `: ${order.review.comment}` : ''}
          </Term>
        ) : null}
        {order.metadata ? (
          <Term name={w.metadata}>
            {Object.entries(order.metadata)
              .map(([key, value]) => `${key}: ${value}`)
              .join(', ')}
          </Term>
        ) : null}
      </dl>
      <p class="row">
        {workflow?.url ? (
          <a href={workflow.url} target="_blank" rel="noreferrer">
            {w.run}
          </a>
        ) : null}
        <a href={`/console/notifications?order=${order.id}`}>{say.notifications.ofOrder}</a>
      </p>
    </section>
  );
}

function OrderRefunds({ operator, order }: Props) {
  const { say } = operator;
  const w = say.console;
  return (
    <section class="card">
      <h2>{w.refunds}</h2>
      {order.refunds.length === 0 ? <p class="quiet">{w.noRefunds}</p> : null}
      {order.refunds.map((refund) => (
        <article class="refund" id={refund.id}>
          <h3>
            {say.money(refund.amount, order.currency)} · {say.terms.refundStatus[refund.status]}
          </h3>
          <RefundFacts operator={operator} refund={refund} order={order} />
          <Decision operator={operator} refund={refund} order={order} back={addressOf(order.id)} />
        </article>
      ))}
      {operator.may('refunds:write') && order.paid_at ? <ApplyForm operator={operator} order={order} /> : null}
    </section>
  );
}

function ApplyForm({ operator: { say }, order }: Props) {
  const w = say.console;
  return (
    <details>
      <summary>{w.apply}</summary>
      <ActionForm to={`/orders/${order.id}/refunds`} back={addressOf(order.id)}>
        <input type="hidden" name="currency" value={order.currency} />
        <label>
          {w.applyAmount(order.currency)}
          <input name="amount" inputmode="decimal" pattern="[0-9]+([.][0-9]+)?" />
        </label>
        <label>
          {w.reason}
          <textarea name="reason" rows={2} maxlength={500} required></textarea>
        </label>
        <button class="first">{w.applySend}</button>
      </ActionForm>
    </details>
  );
}

function Cancel({ operator: { say, may }, order }: Props) {
  const w = say.console;
  if (!may('orders:write') || ['completed', 'cancelled'].includes(order.status)) return null;
  return (
    <details class="card">
      <summary>{w.cancel}</summary>
      <ActionForm to={`/orders/${order.id}/cancel`} back={addressOf(order.id)}>
        <p class="quiet">{w.cancelHint}</p>
        <label>
          {w.reason}
          <textarea name="reason" rows={2} maxlength={500}></textarea>
        </label>
        <button class="danger">{w.cancel}</button>
      </ActionForm>
    </details>
  );
}

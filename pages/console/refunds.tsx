import type { List, OrderBody, Refund } from '../api.ts';
import type { Page } from '../answer.tsx';
import { withQuery } from '../with-query.ts';
import { ActionForm, addressOf, framed, type Operator, type Place } from './frame.tsx';

const STATUSES: readonly Refund['status'][] = [
  'requested',
  'approved',
  'processing',
  'succeeded',
  'failed',
  'rejected',
];
export type RefundQuery = { status?: string | undefined; cursor?: string | undefined; done?: string | undefined };

/** The queue: what waits for a decision, or refunds of another status. */
export async function refundsPage(operator: Operator, { status: asked, cursor, done }: RefundQuery): Promise<Page> {
  const { api, say } = operator;
  const status = STATUSES.find((one) => one === asked) ?? 'requested';
  const { data, next_cursor } = await api.get<List<Refund>>(withQuery('/v1/refunds', { status, cursor }));
  const orders = await ordersOf(operator, data);
  return framed({
    operator,
    place: '/refunds' satisfies Place,
    title: status === 'requested' ? say.console.queue : say.console.refunds,
    done,
    content: (
      <>
        <StatusChoice operator={operator} status={status} />
        {data.length === 0 ? (
          <p class="card">{say.console.queueEmpty}</p>
        ) : (
          <p class="quiet keys">{say.console.keys}</p>
        )}
        <ol class="queue" data-queue="">
          {data.map((refund) => (
            <QueueRow operator={operator} refund={refund} order={orders.get(refund.order_id)!} />
          ))}
        </ol>
        {next_cursor ? (
          <a href={withQuery('/console/refunds', { status, cursor: next_cursor })}>{say.console.more}</a>
        ) : null}
      </>
    ),
  });
}

/** Refunds tell only the id of their order. */
async function ordersOf({ api }: Operator, refunds: readonly Refund[]): Promise<Map<string, OrderBody>> {
  const ids = [...new Set(refunds.map(({ order_id }) => order_id))];
  return new Map(await Promise.all(ids.map(async (id) => [id, await api.get<OrderBody>(`/v1/orders/${id}`)] as const)));
}

function StatusChoice({ operator: { say }, status }: { operator: Operator; status: string }) {
  return (
    <p class="row">
      {STATUSES.map((one) => (
        <a href={`/console/refunds?status=${one}`} {...(one === status && { 'aria-current': 'true' })}>
          {say.terms.refundStatus[one]}
        </a>
      ))}
    </p>
  );
}

function QueueRow({ operator, refund, order }: { operator: Operator; refund: Refund; order: OrderBody }) {
  const { say } = operator;
  return (
    <li class="card" data-row="" tabindex={-1} aria-label={say.console.orderTitle(order.merchant_order_no)}>
      <h2>
        {say.money(refund.amount, order.currency)} ·{' '}
        <a href={addressOf(order.id)} data-open="">
          {say.console.orderTitle(order.merchant_order_no)}
        </a>
      </h2>
      <p>
        {order.items.map(({ name, quantity }) => `${name} × ${quantity}`).join(', ')} · {say.console.total}{' '}
        {say.money(order.amounts.total, order.currency)}
      </p>
      <RefundFacts operator={operator} refund={refund} order={order} />
      <Decision operator={operator} refund={refund} order={order} back="/console/refunds" />
    </li>
  );
}

type RefundProps = { operator: Operator; refund: Omit<Refund, 'order_id'>; order: OrderBody };

/** What is known of a refund, beside its amount. */
export function RefundFacts({ operator: { say }, refund, order }: RefundProps) {
  const w = say.console;
  const nameOf = (id: string) => order.items.find((item) => item.id === id)?.name ?? id;
  const items = refund.items?.map(({ item_id, quantity }) => `${nameOf(item_id)} × ${quantity}`).join(', ');
  return (
    <>
      <p class="quiet">
        {[say.terms.refundOrigin[refund.origin], w.appliedAt(say.time(refund.created_at)), items]
          .filter(Boolean)
          .join(' · ')}
      </p>
      {refund.reason ? (
        <p>
          {w.reason}: {refund.reason}
        </p>
      ) : null}
      {refund.reviewer ? (
        <p>
          {w.reviewer}: {refund.reviewer}
          {refund.reviewed_at ? `, ${say.time(refund.reviewed_at)}` : ''}
        </p>
      ) : null}
      {refund.note ? (
        <p>
          {w.note}: {refund.note}
        </p>
      ) : null}
      {refund.failure ? (
        <p class="state failed">
          {w.failure}: {refund.failure}
        </p>
      ) : null}
    </>
  );
}

/** Approve and reject, for whoever may and where it is still open. */
export function Decision({ operator, refund, order, back }: RefundProps & { back: string }) {
  const { say, may } = operator;
  const w = say.console;
  if (refund.status !== 'requested' || !may('refunds:review')) return null;
  const path = `/orders/${order.id}/refunds/${refund.id}`;
  return (
    <ActionForm to={`${path}/reject`} back={back}>
      <label>
        {w.note} <span class="quiet">({w.noteHint})</span>
        <textarea name="note" rows={2} maxlength={500} required data-note=""></textarea>
      </label>
      <button class="first" formaction={`/console${path}/approve`} formnovalidate data-approve="">
        {w.approve}
      </button>
      <button class="danger" data-reject="">
        {w.reject}
      </button>
    </ActionForm>
  );
}

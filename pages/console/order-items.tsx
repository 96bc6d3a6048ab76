import type { OrderBody } from '../api.ts';
import { ActionForm, addressOf, type Operator } from './frame.tsx';

type Item = OrderBody['items'][number];
type Props = { operator: Operator; order: OrderBody };

/** What was ordered, how each item goes, and what can be reported of it. */
export function OrderItems({ operator, order }: Props) {
  const { say } = operator;
  return (
    <section class="card">
      <h2>{say.console.items}</h2>
      <ul class="items">
        {order.items.map((item) => (
          <ItemRow operator={operator} order={order} item={item} />
        ))}
      </ul>
    </section>
  );
}

function ItemRow({ operator, order, item }: Props & { item: Item }) {
  const { say } = operator;
  const { delivery, refunded } = item;
  const facts = [
    item.sku,
    say.terms.fulfilment[item.fulfilment],
    item.machine_no && say.checkout.machineNo(item.machine_no),
    delivery.tracking && say.checkout.tracking(delivery.tracking.carrier, delivery.tracking.number),
    refunded.amount > 0 &&
      `${say.console.refunded}: ${refunded.quantity} · ${say.money(refunded.amount, order.currency)}`,
  ];
  return (
    <li>
      <div>
        <strong>{item.name}</strong> × {item.quantity}
        <p class="quiet">{facts.filter(Boolean).join(' · ')}</p>
        <p class={`state ${delivery.status}`}>
          {say.terms.deliveryStatus[delivery.status]} ·{' '}
          {say.console.arrived(delivery.quantity_delivered, item.quantity)}
        </p>
        <ItemActions operator={operator} order={order} item={item} />
      </div>
      <span class="price">{say.money(item.amount, order.currency)}</span>
    </li>
  );
}

function ItemActions({ operator: { say, may }, order, item }: Props & { item: Item }) {
  const w = say.console;
  const path = `/orders/${order.id}/items/${item.id}`;
  const back = addressOf(order.id);
  const { status } = item.delivery;
  const isDone = ['delivered', 'picked_up', 'refunded'].includes(status);
  if (!may('deliveries:write') || order.paid_at === null || isDone) return null;
  return (
    <>
      {status === 'failed' || status === 'timed_out' ? (
        <ActionForm to={`${path}/redeliver`} back={back}>
          <button>{w.redeliver}</button>
        </ActionForm>
      ) : null}
      <details>
        <summary>{w.report}</summary>
        <ActionForm to={`${path}/delivery`} back={back}>
          <label>
            {w.status}
            <select name="status">
              {(['delivering', 'delivered', 'picked_up', 'failed'] as const).map((one) => (
                <option value={one}>{say.terms.deliveryStatus[one]}</option>
              ))}
            </select>
          </label>
          <label>
            {w.carrier}
            <input name="carrier" maxlength={200} />
          </label>
          <label>
            {w.trackingNumber}
            <input name="tracking_number" maxlength={200} />
          </label>
          <label>
            {w.detail}
            <input name="detail" maxlength={500} />
          </label>
          <button class="first">{w.report}</button>
        </ActionForm>
      </details>
    </>
  );
}

import type { OrderBody } from '../api.ts';
import type { CheckoutView } from './view.tsx';

type Item = OrderBody['items'][number];

/** What was ordered, how each item goes, and how the price comes about. */
export function Items({ view: { say, order } }: { view: CheckoutView }) {
  const { amounts, currency } = order;
  const money = (amount: number) => say.money(amount, currency);
  return (
    <section class="card" id="items">
      <h2>{say.checkout.items}</h2>
      <ul class="items">
        {order.items.map((item) => (
          <ItemRow say={say} order={order} item={item} />
        ))}
      </ul>
      <dl class="sums">
        {amounts.discount > 0 || amounts.delivery_fee > 0 ? (
          <Sum name={say.checkout.goods} value={money(amounts.items)} />
        ) : null}
        {amounts.discount > 0 ? <Sum name={say.checkout.discount} value={money(-amounts.discount)} /> : null}
        {amounts.delivery_fee > 0 ? <Sum name={say.checkout.deliveryFee} value={money(amounts.delivery_fee)} /> : null}
        <Sum name={say.checkout.total} value={money(amounts.total)} isTotal />
      </dl>
    </section>
  );
}

const Sum = ({ name, value, isTotal = false }: { name: string; value: string; isTotal?: boolean }) => (
  <div class={isTotal ? 'total' : ''}>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function ItemRow({ say, order, item }: { say: CheckoutView['say']; order: OrderBody; item: Item }) {
  const { quantity, unit_amount, delivery, machine_no } = item;
  const each = quantity > 1 && unit_amount !== null ? say.checkout.each(say.money(unit_amount, order.currency)) : null;
  const isPaid = order.paid_at !== null;
  const some = delivery.quantity_delivered > 0 && delivery.quantity_delivered < quantity;
  return (
    <li>
      <div>
        <strong>{item.name}</strong> × {quantity}
        <p class="quiet">
          {[each, say.terms.fulfilment[item.fulfilment], machine_no && say.checkout.machineNo(machine_no)]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {isPaid ? (
          <p class={`state ${delivery.status}`}>
            {say.terms.deliveryStatus[delivery.status]}
            {some ? ` · ${say.checkout.arrivedOf(delivery.quantity_delivered, quantity)}` : ''}
          </p>
        ) : null}
        {delivery.tracking ? (
          <p class="quiet">
            {say.checkout.trackingLabel}: {say.checkout.tracking(delivery.tracking.carrier, delivery.tracking.number)}
          </p>
        ) : null}
      </div>
      <span class="price">{say.money(item.amount, order.currency)}</span>
    </li>
  );
}

export function Delivery({ view: { say, order } }: { view: CheckoutView }) {
  const lines = order.delivery && [order.delivery.name, order.delivery.phone, order.delivery.address].filter(Boolean);
  if (!lines || lines.length === 0) return null;
  return (
    <section class="card">
      <h2>{say.checkout.delivery}</h2>
      {lines.map((line) => (
        <p>{line}</p>
      ))}
    </section>
  );
}

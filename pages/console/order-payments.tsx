import type { Event, OrderBody, Payment } from '../api.ts';
import type { Money } from '../../domain/money.ts';
import { ActionForm, addressOf, Table, type Operator } from './frame.tsx';

type Props = { operator: Operator; order: OrderBody };

/** Every attempt to pay, and the decision about money of a wrong amount. */
export function OrderPayments({ operator, order, events }: Props & { events: readonly Event[] }) {
  const { say } = operator;
  const w = say.console;
  return (
    <section class="card">
      <h2>{w.payments}</h2>
      {order.payments.length === 0 ? (
        <p class="quiet">{w.noPayments}</p>
      ) : (
        <Table caption={w.payments} heads={[w.method, w.status, w.amount, w.ourNumber, w.providerNumber]}>
          {order.payments.map((payment) => (
            <tr>
              <th scope="row">{say.terms.methods[payment.method]}</th>
              <td>
                {say.terms.paymentStatus[payment.status]}
                {payment.failure ? ` (${payment.failure})` : ''}
              </td>
              <td>{say.money(payment.amount, order.currency)}</td>
              <td>{payment.out_trade_no}</td>
              <td>{payment.provider_trade_no ?? ''}</td>
            </tr>
          ))}
        </Table>
      )}
      {order.payments
        .filter(({ status }) => status === 'disputed')
        .map((payment) => (
          <Resolve operator={operator} order={order} payment={payment} came={whatCame(events, payment)} />
        ))}
    </section>
  );
}

/** The disputed money itself stands in the timeline only. */
function whatCame(events: readonly Event[], { id }: Payment): Money | null {
  const disputed = events.findLast(({ type, data }) => type === 'payment.disputed' && data['payment_id'] === id);
  const { amount, currency } = disputed?.data ?? {};
  return typeof amount === 'number' && typeof currency === 'string' ? { amount, currency } : null;
}

type ResolveProps = Props & { payment: Payment; came: Money | null };

/** Less than the total, or another currency, pays no order: it can only go back. */
const covers = ({ amount, currency }: Money, order: OrderBody): boolean =>
  currency === order.currency && amount >= order.amounts.total;

function Resolve({ operator: { say, may }, order, payment, came }: ResolveProps) {
  const w = say.console;
  if (!may('payments:resolve')) return null;
  return (
    <ActionForm to={`/orders/${order.id}/payments/${payment.id}/resolve`} back={addressOf(order.id)}>
      <h3>
        {w.resolve}: {payment.out_trade_no}
      </h3>
      {came ? <p>{w.came(say.money(came.amount, came.currency))}</p> : null}
      <label>
        {w.resolveNote}
        <textarea name="note" rows={2} maxlength={500} required></textarea>
      </label>
      <button name="decision" value="return">
        {w.returnIt}
      </button>
      {came && !covers(came, order) ? null : (
        <button name="decision" value="accept">
          {w.acceptIt}
        </button>
      )}
    </ActionForm>
  );
}

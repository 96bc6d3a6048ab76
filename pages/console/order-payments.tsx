import type { OrderBody, Payment } from '../api.ts';
import { ActionForm, addressOf, Table, type Operator } from './frame.tsx';

type Props = { operator: Operator; order: OrderBody };

/** Every attempt to pay, and the decision about money of a wrong amount. */
export function OrderPayments({ operator, order }: Props) {
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
          <Resolve operator={operator} order={order} payment={payment} />
        ))}
    </section>
  );
}

function Resolve({ operator: { say, may }, order, payment }: Props & { payment: Payment }) {
  const w = say.console;
  if (!may('payments:resolve')) return null;
  return (
    <ActionForm to={`/orders/${order.id}/payments/${payment.id}/resolve`} back={addressOf(order.id)}>
      <h3>
        {w.resolve}: {payment.out_trade_no}
      </h3>
      <label>
        {w.resolveNote}
        <textarea name="note" rows={2} maxlength={500} required></textarea>
      </label>
      <button name="decision" value="return">
        {w.returnIt}
      </button>
      <button name="decision" value="accept">
        {w.acceptIt}
      </button>
    </ActionForm>
  );
}

import type { List, OrderBody } from '../api.ts';
import { ApiProblem } from '../api.ts';
import type { Page } from '../answer.tsx';
import { dayAfter, isDay, startOf } from '../../domain/day.ts';
import { withQuery } from '../with-query.ts';
import { addressOf, framed, Table, type Operator } from './frame.tsx';

/** What orders are looked for by, as entered. */
export type Search = { number: string; status: string; customer: string; from: string; to: string; cursor: string };
export const searchIn = (fields: Record<string, string>): Search => {
  const of = (name: string) => (fields[name] ?? '').trim();
  return {
    number: of('number'),
    status: of('status'),
    customer: of('customer'),
    from: of('from'),
    to: of('to'),
    cursor: of('cursor'),
  };
};

export async function ordersPage(operator: Operator, search: Search): Promise<Page> {
  const { say } = operator;
  const { data, next_cursor } = await find(operator, search);
  return framed({
    operator,
    place: '/orders',
    title: say.console.orders,
    content: (
      <>
        <SearchForm operator={operator} search={search} />
        {data.length === 0 ? <p class="card">{say.console.noneFound}</p> : <Found operator={operator} orders={data} />}
        {next_cursor ? <Further operator={operator} search={{ ...search, cursor: next_cursor }} /> : null}
      </>
    ),
  });
}

const NONE: List<OrderBody> = { data: [], next_cursor: null };

/** By any of the numbers that an order has; by what else was entered otherwise. */
async function find(operator: Operator, search: Search): Promise<List<OrderBody>> {
  const { api } = operator;
  const { number } = search;
  if (number === '') return api.get(withQuery('/v1/orders', fieldsOf(operator, search)));
  if (number.startsWith('ord_')) return orNone(api.get<OrderBody>(`/v1/orders/${encodeURIComponent(number)}`));
  const byMerchants = await api.get<List<OrderBody>>(withQuery('/v1/orders', { merchant_order_no: number }));
  if (byMerchants.data.length > 0 || !/^\d{1,15}$/.test(number)) return byMerchants;
  return api.get(withQuery('/v1/orders', { number }));
}

async function orNone(order: Promise<OrderBody>): Promise<List<OrderBody>> {
  try {
    return { data: [await order], next_cursor: null };
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return NONE;
    throw error;
  }
}

/** Days are those of the operator's time zone, the last one included. */
function fieldsOf(
  { timeZone }: Operator,
  { status, customer, from, to, cursor }: Search,
): Record<string, string | null> {
  const instant = (day: string) => new Date(startOf(day, timeZone)).toISOString();
  return {
    status,
    customer_id: customer,
    created_from: isDay(from) ? instant(from) : null,
    created_to: isDay(to) ? instant(dayAfter(to)) : null,
    cursor,
  };
}

/** Sent as a body: whom somebody looked for stands in no address, and so in no history and no log. */
function SearchForm({ operator: { say }, search }: { operator: Operator; search: Search }) {
  const w = say.console;
  return (
    <form method="post" action="/console/orders" class="card search" role="search">
      <label>
        {w.number}
        <input name="number" value={search.number} maxlength={200} aria-describedby="number-hint" />
      </label>
      <label>
        {w.status}
        <select name="status">
          <option value="">{w.any}</option>
          {Object.entries(say.terms.orderStatus).map(([status, name]) => (
            <option value={status} selected={search.status === status}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {w.customer}
        <input name="customer" value={search.customer} maxlength={200} />
      </label>
      <label>
        {w.from}
        <input type="date" name="from" value={search.from} />
      </label>
      <label>
        {w.to}
        <input type="date" name="to" value={search.to} />
      </label>
      <button class="first">{w.search}</button>
      <p class="quiet" id="number-hint">
        {w.numberHint}
      </p>
    </form>
  );
}

function Further({ operator: { say }, search }: { operator: Operator; search: Search }) {
  return (
    <form method="post" action="/console/orders">
      {Object.entries(search).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button>{say.console.more}</button>
    </form>
  );
}

function Found({ operator: { say }, orders }: { operator: Operator; orders: readonly OrderBody[] }) {
  const w = say.console;
  return (
    <Table caption={w.found} heads={[w.order, w.status, w.refund, w.total, w.created]}>
      {orders.map((order) => (
        <tr>
          <th scope="row">
            <a href={addressOf(order.id)}>{order.merchant_order_no}</a>
          </th>
          <td>
            {say.terms.orderStatus[order.status]}
            {order.attention.length > 0 ? <strong class="mark"> {w.attention}</strong> : null}
          </td>
          <td>{order.refund_status === 'none' ? '' : say.terms.refundStatusOfOrder[order.refund_status]}</td>
          <td>{say.money(order.amounts.total, order.currency)}</td>
          <td>{say.time(order.created_at)}</td>
        </tr>
      ))}
    </Table>
  );
}

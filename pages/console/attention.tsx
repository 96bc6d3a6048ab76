import type { FindingBody, List, OrderBody } from '../api.ts';
import type { Page } from '../answer.tsx';
import { withQuery } from '../with-query.ts';
import { ActionForm, addressOf, framed, type Operator } from './frame.tsx';

/** Every order that a person should look at, with what to do. */
export async function attentionPage(operator: Operator, { cursor, done }: Record<string, string>): Promise<Page> {
  const { api, say } = operator;
  const [{ data, next_cursor }, findings] = await Promise.all([
    api.get<List<OrderBody>>(withQuery('/v1/orders', { attention: 'true', cursor })),
    api.get<List<FindingBody>>('/v1/findings'),
  ]);
  return framed({
    operator,
    place: '/attention',
    title: say.console.attention,
    done,
    content: (
      <>
        {data.length === 0 ? <p class="card good">{say.console.attentionEmpty}</p> : null}
        {data.map((order) => (
          <section class="card">
            <h2>
              <a href={addressOf(order.id)}>{say.console.orderTitle(order.merchant_order_no)}</a> ·{' '}
              {say.money(order.amounts.total, order.currency)}
            </h2>
            <Troubles operator={operator} order={order} />
            <Retry operator={operator} order={order} back="/console/attention" />
          </section>
        ))}
        {next_cursor ? <a href={withQuery('/console/attention', { cursor: next_cursor })}>{say.console.more}</a> : null}
        <Findings operator={operator} findings={findings.data} />
      </>
    ),
  });
}

/** Where our books and a provider's are not the same. */
function Findings({ operator: { say }, findings }: { operator: Operator; findings: FindingBody[] }) {
  if (findings.length === 0) return null;
  const inWords = (sums: FindingBody['ours']) =>
    sums.map(({ amount, currency }) => say.money(amount, currency)).join(' + ') || '–';
  return (
    <section class="card">
      <h2>{say.console.findings}</h2>
      <p class="quiet">{say.console.findingsHint}</p>
      <ul class="troubles">
        {findings.map(({ id, kind, provider, day, order_id, reference, ours, theirs }) => (
          <li>
            <code>{id}</code> <span class="quiet">{`${provider} · ${day}`}</span>
            <p>
              {say.console.findingKinds[kind]} ({say.console.findingSides(inWords(ours), inWords(theirs))}):{' '}
              {order_id ? <a href={addressOf(order_id)}>{reference}</a> : reference}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is wrong with an order, since when, and what to do. */
export function Troubles({ operator: { say }, order }: { operator: Operator; order: OrderBody }) {
  return (
    <ul class="troubles">
      {order.attention.map(({ code, since }) => (
        <li>
          <code>{code}</code> <span class="quiet">{say.console.since(say.time(since))}</span>
          <p>{say.terms.attention[code]}</p>
        </li>
      ))}
    </ul>
  );
}

export function Retry({ operator, order, back }: { operator: Operator; order: OrderBody; back: string }) {
  const { say, may } = operator;
  if (order.attention.length === 0 || !may('orders:write')) return null;
  return (
    <ActionForm to={`/orders/${order.id}/retry`} back={back}>
      <p class="quiet">{say.console.retryHint}</p>
      <button>{say.console.retry}</button>
    </ActionForm>
  );
}

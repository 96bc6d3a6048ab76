import type { Event, OrderBody } from '../api.ts';
import type { Speaker } from '../speaker.ts';
import type { Operator } from './frame.tsx';

type Props = { operator: Operator; order: OrderBody; events: readonly Event[]; isCut: boolean };

/** Everything that happened, oldest first: what, when, who. */
export function Timeline({ operator: { say }, order, events, isCut }: Props) {
  return (
    <section class="card">
      <h2>{say.console.timeline}</h2>
      <ol class="timeline">
        {events.map((event) => (
          <li>
            <strong>{nameOf(say, event)}</strong>{' '}
            <span class="quiet">
              <time datetime={event.at}>{say.time(event.at)}</time> · {actorOf(say, event)}
            </span>
            <Details say={say} order={order} event={event} />
          </li>
        ))}
      </ol>
      {isCut ? <p class="quiet">{say.console.timelineMore(events.length)}</p> : null}
    </section>
  );
}

const nameOf = ({ terms }: Speaker, { type }: Event): string => (terms.events as Record<string, string>)[type] ?? type;

const actorOf = ({ terms }: Speaker, { actor }: Event): string =>
  actor.name ? `${terms.actor[actor.type]} ${actor.name}` : terms.actor[actor.type];

function Details({ say, order, event }: { say: Speaker; order: OrderBody; event: Event }) {
  const details = detailsOf(say, order, event);
  return details.length > 0 ? <p class="quiet">{details.join(' · ')}</p> : null;
}

/** What an event says beside its name: words of people and providers, money, items. Ids are left to the API. */
function detailsOf(say: Speaker, order: OrderBody, { data }: Event): string[] {
  const text = (field: string) => (typeof data[field] === 'string' ? data[field] : null);
  const method = text('method');
  const refund = order.refunds.find(({ id }) => id === data['refund_id']);
  const amount = typeof data['amount'] === 'number' ? data['amount'] : refund?.amount;
  const decision = text('decision');
  return [
    method && ((say.terms.methods as Record<string, string>)[method] ?? method),
    amount === undefined ? null : say.money(amount, text('currency') ?? order.currency),
    decision === 'approve' ? say.console.approve : decision === 'reject' ? say.console.reject : decision,
    ...['reason', 'reviewer', 'note', 'detail', 'failure', 'ignored', 'comment'].map(text),
    ...itemsOf(say, order, data['items']),
  ].filter((part): part is string => Boolean(part));
}

function itemsOf(say: Speaker, order: OrderBody, items: unknown): string[] {
  if (!Array.isArray(items)) return [];
  return (items as { item_id?: string; status?: string }[]).map(({ item_id, status = '' }) => {
    const name = order.items.find(({ id }) => id === item_id)?.name ?? item_id ?? '';
    return `${name}: ${(say.terms.deliveryStatus as Record<string, string>)[status] ?? status}`;
  });
}

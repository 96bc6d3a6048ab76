import type { List, NotificationBody, WebhookEndpointBody } from '../api.ts';
import type { Page } from '../answer.tsx';
import { withQuery } from '../with-query.ts';
import { ActionForm, addressOf, framed, Table, type Operator } from './frame.tsx';

const HERE = '/console/notifications';
const STATUSES: readonly NotificationBody['status'][] = ['pending', 'failed', 'delivered'];
const MOST_ENDPOINTS = '100';

type Endpoints = readonly WebhookEndpointBody[];
type Query = { status?: string; order?: string; cursor?: string; done?: string };

/** What the merchant's own systems were told, and what did not arrive. */
export async function notificationsPage(operator: Operator, query: Query): Promise<Page> {
  const { api, say } = operator;
  const w = say.notifications;
  const status = STATUSES.find((one) => one === query.status);
  const asked = { status, order_id: query.order, cursor: query.cursor };
  const [endpoints, { data, next_cursor }] = await Promise.all([
    api.get<List<WebhookEndpointBody>>(withQuery('/v1/webhook-endpoints', { limit: MOST_ENDPOINTS })),
    api.get<List<NotificationBody>>(withQuery('/v1/notifications', asked)),
  ]);
  return framed({
    operator,
    place: '/notifications',
    title: say.console.notifications,
    done: query.done,
    content: (
      <>
        <EndpointList operator={operator} endpoints={endpoints.data} />
        <ResendFailed operator={operator} endpoints={endpoints.data} />
        <StatusChoice operator={operator} status={status} order={query.order} />
        {data.length === 0 ? (
          <p class="card">{w.none}</p>
        ) : (
          <Told operator={operator} endpoints={endpoints.data} notifications={data} />
        )}
        {next_cursor ? (
          <a href={withQuery(HERE, { status, order: query.order, cursor: next_cursor })}>{say.console.more}</a>
        ) : null}
      </>
    ),
  });
}

function EndpointList({ operator, endpoints }: { operator: Operator; endpoints: Endpoints }) {
  const { say, may } = operator;
  const w = say.notifications;
  return (
    <section class="card">
      <h2>{w.endpoints}</h2>
      {endpoints.length === 0 ? <p>{w.noEndpoints}</p> : null}
      <ul>
        {endpoints.map(({ id, url, types, status }) => (
          <li>
            <strong>{url}</strong>
            <p class={status === 'disabled' ? 'state failed' : 'quiet'}>{w.endpointStatus[status]}</p>
            <p class="quiet">{types ? types.map((type) => say.terms.events[type]).join(', ') : w.allTypes}</p>
            {status === 'disabled' && may('notifications:write') ? (
              <ActionForm to={`/webhook-endpoints/${id}/enable`} back={HERE}>
                <button>{w.enable}</button>
              </ActionForm>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

const HOUR_MS = 3_600_000;

function ResendFailed({ operator, endpoints }: { operator: Operator; endpoints: Endpoints }) {
  const { say, may, now } = operator;
  const w = say.notifications;
  if (endpoints.length === 0 || !may('notifications:write')) return null;
  const ago = (hours: number) => new Date(now - hours * HOUR_MS).toISOString();
  return (
    <details class="card">
      <summary>{w.resendFailed}</summary>
      <ActionForm to="/notifications/resend" back={HERE}>
        <label>
          {w.since}
          <select name="since">
            <option value={ago(1)}>{w.lastHour}</option>
            <option value={ago(24)} selected>
              {w.lastDay}
            </option>
            <option value={ago(168)}>{w.lastWeek}</option>
          </select>
        </label>
        <label>
          {w.to}
          <select name="endpoint_id">
            <option value="">{w.everywhere}</option>
            {endpoints.map(({ id, url }) => (
              <option value={id}>{url}</option>
            ))}
          </select>
        </label>
        <button class="first">{w.resendFailed}</button>
      </ActionForm>
    </details>
  );
}

type ChoiceProps = { operator: Operator; status: string | undefined; order: string | undefined };

function StatusChoice({ operator: { say }, status, order }: ChoiceProps) {
  const w = say.notifications;
  return (
    <>
      <p class="row">
        {[undefined, ...STATUSES].map((one) => (
          <a href={withQuery(HERE, { status: one, order })} {...(one === status && { 'aria-current': 'true' })}>
            {one ? w.status[one] : w.any}
          </a>
        ))}
      </p>
      {order ? (
        <p class="row">
          {w.onlyOf} <a href={addressOf(order)}>{say.console.order}</a>
          <a href={HERE}>{w.any}</a>
        </p>
      ) : null}
    </>
  );
}

type ToldProps = { operator: Operator; endpoints: Endpoints; notifications: readonly NotificationBody[] };

function Told({ operator, endpoints, notifications }: ToldProps) {
  const { say } = operator;
  const w = say.notifications;
  const heads = [w.event, say.console.created, say.console.status, w.to, say.console.order];
  return (
    <Table caption={say.console.notifications} heads={heads}>
      {notifications.map((one) => (
        <tr>
          <th scope="row">{say.terms.events[one.type]}</th>
          <td>{say.time(one.created_at)}</td>
          <td>
            <p class={`state ${one.status}`}>{w.status[one.status]}</p>
            <Attempts operator={operator} notification={one} />
            <Resend operator={operator} notification={one} />
          </td>
          <td>{endpoints.find(({ id }) => id === one.endpoint_id)?.url ?? w.deleted}</td>
          <td>
            <a href={addressOf(one.order_id)}>{one.order_id}</a>
          </td>
        </tr>
      ))}
    </Table>
  );
}

type OneProps = { operator: Operator; notification: NotificationBody };

function Attempts({ operator: { say }, notification }: OneProps) {
  const w = say.notifications;
  const { attempts, next_attempt_at: next } = notification;
  if (attempts.length === 0) return null;
  return (
    <details>
      <summary>
        {w.attempts(attempts.length)}
        {next ? `, ${w.next(say.time(next))}` : ''}
      </summary>
      <ol>
        {attempts.map(({ at, status, error }) => (
          <li class="quiet">
            {say.time(at)}: {status === null ? w.unanswered : w.answered(status)} {error ?? ''}
          </li>
        ))}
      </ol>
    </details>
  );
}

function Resend({ operator: { say, may }, notification: { id, status } }: OneProps) {
  if (status === 'pending' || !may('notifications:write')) return null;
  return (
    <ActionForm to={`/notifications/${id}/resend`} back={HERE}>
      <button>{say.notifications.resend}</button>
    </ActionForm>
  );
}

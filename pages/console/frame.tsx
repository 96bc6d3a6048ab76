import { randomUUID } from 'node:crypto';
import type { Child, PropsWithChildren } from 'hono/jsx';
import type { Scope } from '../../db/schema.ts';
import type { Page } from '../answer.tsx';
import type { Api } from '../api.ts';
import type { Speaker } from '../speaker.ts';

/** An operator at the console. */
export type Operator = {
  say: Speaker;
  api: Api;
  name: string;
  merchant: string;
  timeZone: string;
  /** What their key may do: the rest is not shown, and the API would refuse it. */
  may: (scope: Scope) => boolean;
  /** Epoch milliseconds. */
  now: number;
};

/** Each has its own address: `/console` and the name. */
export type Place = '' | '/refunds' | '/attention' | '/orders' | '/notifications';

/** What was done, as the address of the next page says it: a word of ours, and nothing about an order. */
export type Done = keyof Speaker['console']['done'];

type Frame = { operator: Operator; place: Place | null; title: string; done?: string | undefined; content: Child };

export function framed({ operator, place, title, done, content }: Frame): Page {
  const { say } = operator;
  const w = say.console;
  const names: Record<Place, string> = {
    '': w.today,
    '/refunds': w.refunds,
    '/attention': w.attention,
    '/orders': w.orders,
    '/notifications': w.notifications,
  };
  return {
    title: `${title} · ${w.title}`,
    script: 'console.js',
    content: (
      <>
        <a class="skip" href="#content">
          {w.skip}
        </a>
        <header class="bar">
          <nav aria-label={w.pages}>
            {(Object.keys(names) as Place[]).map((path) => (
              <a href={`/console${path}`} {...(path === place && { 'aria-current': 'page' })}>
                {names[path]}
              </a>
            ))}
          </nav>
          <form method="post" action="/console/sign-out">
            <span>
              {operator.name} · {operator.merchant}
            </span>
            <button>{w.signOut}</button>
          </form>
        </header>
        <main class="console" id="content" tabindex={-1}>
          <h1>{title}</h1>
          <DoneNote say={say} done={done} />
          {content}
        </main>
        <footer class="console quiet">{w.timesIn(operator.timeZone)}</footer>
      </>
    ),
  };
}

function DoneNote({ say, done }: { say: Speaker; done: string | undefined }) {
  const known = say.console.done as Record<string, string>;
  const text = done !== undefined && Object.hasOwn(known, done) ? known[done] : undefined;
  return text ? (
    <p class="card good" role="status">
      {text}
    </p>
  ) : null;
}

type ActionProps = PropsWithChildren<{ to: string; back: string }>;

/** A form that asks for something about an order. `to`: as the API's path has it; `back`: where to go then. */
export const ActionForm = ({ to, back, children }: ActionProps) => (
  <form method="post" action={`/console${to}`} class="action">
    <input type="hidden" name="idempotency_key" value={randomUUID()} />
    <input type="hidden" name="back" value={back} />
    {children}
  </form>
);

export const Term = ({ name, children }: PropsWithChildren<{ name: string }>) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** A table that scrolls by itself where the screen is too narrow for it. */
export const Table = ({
  caption,
  heads,
  children,
}: PropsWithChildren<{ caption: string; heads: readonly string[] }>) => (
  <div class="wide" role="region" aria-label={caption} tabindex={0}>
    <table>
      <thead>
        <tr>
          {heads.map((head) => (
            <th scope="col">{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);

export const addressOf = (order: string): string => `/console/orders/${order}`;

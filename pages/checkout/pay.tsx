import type { Child } from 'hono/jsx';
import type { OfferedMethod, Payment } from '../api.ts';
import { QrCode } from '../qr-code.tsx';
import { methodsFor } from './devices.ts';
import { openPayments, type Outcome } from './outcome.ts';
import { CheckoutForm, pathOf, type CheckoutView } from './view.tsx';

type Props = { view: CheckoutView; outcome: Outcome };

/** The one thing to do for an order that is not paid yet. */
export function Pay({ view, outcome }: Props) {
  const what = whatToDo(view, outcome);
  return what ? (
    <>
      <Countdown view={view} />
      {what}
    </>
  ) : null;
}

function whatToDo(view: CheckoutView, outcome: Outcome): Child {
  const { say } = view;
  if (outcome.type === 'to_pay' || outcome.type === 'payment_failed' || outcome.type === 'payment_wrong')
    return <Methods view={view} />;
  if (outcome.type === 'to_confirm')
    return (
      <CheckoutForm view={view} to="confirm">
        <button class="first">{say.checkout.confirm}</button>
      </CheckoutForm>
    );
  if (outcome.type !== 'attempt') return null;
  return (
    <>
      <Attempts view={view} />
      {outcome.payment.status === 'processing' ? null : (
        <details>
          <summary>{say.checkout.otherMethod}</summary>
          <Methods view={view} />
        </details>
      )}
    </>
  );
}

function Countdown({ view: { say, order, now } }: { view: CheckoutView }) {
  const left = Math.max(0, Date.parse(order.expires_at) - now);
  return (
    <p class="countdown">
      {say.checkout.timeLeft}{' '}
      <time datetime={order.expires_at} data-countdown="">
        {clock(left)}
      </time>
    </p>
  );
}

/** 75,000 ms is 1:15; as static/checkout.js counts on. */
export function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function Attempts({ view }: { view: CheckoutView }) {
  const open = openPayments(view.order);
  if (open.length === 1) return <Attempt view={view} payment={open[0]!} />;
  return (
    <>
      {open.map((payment) => (
        <section>
          <h2>{view.say.terms.methods[payment.method]}</h2>
          <Attempt view={view} payment={payment} />
        </section>
      ))}
    </>
  );
}

function Attempt({ view, payment: { id, action, method, status } }: { view: CheckoutView; payment: Payment }) {
  const { say, order, device } = view;
  if (!action || status === 'processing') return null;
  switch (action.type) {
    case 'qr':
      return (
        <div class="card scan">
          <QrCode content={action.content} label={say.checkout.qrAlt(say.money(order.amounts.total, order.currency))} />
          <p class="amount">{say.money(order.amounts.total, order.currency)}</p>
          {device === 'phone' ? <p class="quiet">{say.checkout.scanHere}</p> : null}
          {isWebAddress(action.content) ? (
            <p>
              <a href={action.content} target="_blank" rel="noreferrer">
                {say.checkout.openCode}
              </a>
            </p>
          ) : null}
        </div>
      );
    case 'redirect':
      return (
        <p>
          <a class="button first" href={pathOf(view, `/payments/${id}`)}>
            {say.checkout.goOn(say.terms.methods[method])}
          </a>
        </p>
      );
    case 'app':
      return null;
  }
}

/** Only such an address is made a link, whoever it came from. */
export const isWebAddress = (text: string): boolean =>
  URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);

function Methods({ view }: { view: CheckoutView }) {
  const { say, device } = view;
  const { here, elsewhere } = methodsFor(
    device,
    view.offered.filter(({ available }) => available),
  );
  if (here.length + elsewhere.length === 0) return <p class="card bad">{say.checkout.noMethod}</p>;
  return (
    <section>
      <h2>{say.checkout.payWith}</h2>
      <MethodButtons view={view} methods={here} />
      {elsewhere.length > 0 ? (
        <details open={here.length === 0}>
          <summary>{say.checkout.otherDevice}</summary>
          <p class="quiet">{say.checkout.otherDeviceHint}</p>
          <MethodButtons view={view} methods={elsewhere} />
        </details>
      ) : null}
    </section>
  );
}

function MethodButtons({ view, methods }: { view: CheckoutView; methods: OfferedMethod[] }) {
  if (methods.length === 0) return null;
  return (
    <CheckoutForm view={view} to="payments">
      <div class="methods">
        {methods.map(({ method, provider }) => (
          <button name="method" value={method} class={`method ${provider}`}>
            {view.say.terms.methods[method]}
          </button>
        ))}
      </div>
    </CheckoutForm>
  );
}

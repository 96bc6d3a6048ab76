import { STATIC } from '../static.ts';
import type { Page } from '../answer.tsx';
import { Actions } from './actions.tsx';
import { Delivery, Items } from './items.tsx';
import { outcomesOf, type Outcome } from './outcome.ts';
import { OutcomeCard } from './outcome-card.tsx';
import { Pay } from './pay.tsx';
import { Refunds } from './refunds.tsx';
import { pathOf, type CheckoutView, type OrderAddress } from './view.tsx';
import { terms } from '../words/terms.ts';

/** Without JavaScript: as long as something may change without the customer, but nothing has to be typed. */
const RELOAD_SECONDS = 10;

export function checkoutPage(view: CheckoutView): Page {
  const { say, order } = view;
  const outcomes = outcomesOf(order, view.now);
  return {
    title: `${say.checkout.title(order.merchant_order_no)} · ${view.shop}`,
    script: 'checkout.js',
    reloadSeconds: outcomes.some(movesByItself) ? RELOAD_SECONDS : null,
    content: <Checkout view={view} outcomes={outcomes} />,
  };
}

const movesByItself = ({ type }: Outcome): boolean => type === 'attempt' || type === 'closing';

const EVENT_TYPES = Object.keys(terms.en.events).join(' ');

/** Each part with an id is replaced by itself when the order changes: see static/checkout.js. */
function Checkout({ view, outcomes }: { view: CheckoutView; outcomes: Outcome[] }) {
  const { say, order, shop } = view;
  return (
    <main
      class="checkout"
      data-live={pathOf(view, '/events')}
      data-types={EVENT_TYPES}
      data-version={String(order.version)}
    >
      <header>
        <h1>{say.checkout.title(order.merchant_order_no)}</h1>
        <p class="quiet">{say.checkout.from(shop)}</p>
      </header>
      <Refused view={view} />
      <div id="outcome" role="status">
        {order.test ? <p class="note">{say.checkout.testOrder}</p> : null}
        {outcomes.map((outcome) => (
          <OutcomeCard view={view} outcome={outcome} />
        ))}
      </div>
      <div id="pay">
        <Pay view={view} outcome={outcomes.at(-1)!} />
      </div>
      <div id="pickup">
        <PickupCode view={view} />
      </div>
      <Items view={view} />
      <Delivery view={view} />
      <Refunds view={view} />
      <Actions view={view} />
      <footer>
        <p class="quiet">{say.checkout.contactShop}</p>
        <noscript>
          <p class="quiet">{say.checkout.notLive}</p>
        </noscript>
        <p>
          <a href={pathOf(view)}>{say.checkout.refresh}</a>
          {order.return_url ? <a href={order.return_url}>{say.checkout.backToShop}</a> : null}
        </p>
      </footer>
    </main>
  );
}

function Refused({ view }: { view: CheckoutView }) {
  const { say, refused } = view;
  if (!refused) return null;
  return (
    <div class="card bad" role="alert" id="refused" tabindex={-1}>
      <h2>{say.checkout.errorTitle}</h2>
      <p>{whyRefused(view)}</p>
    </div>
  );
}

function whyRefused({ say, refused }: CheckoutView): string {
  const isItems = refused?.problem.errors.some(({ path }) => path === 'items') ?? false;
  return isItems ? say.checkout.applyNoItem : say.problem(refused!.problem);
}

function PickupCode({ view: { say, order } }: { view: CheckoutView }) {
  if (order.pickup_code === null) return null;
  return (
    <section class="card">
      <h2>{say.checkout.pickupCode}</h2>
      <p class="code">{order.pickup_code}</p>
      <p class="quiet">{say.checkout.pickupNext}</p>
    </section>
  );
}

/** Where there is no order to show. */
export function noOrderPage(say: CheckoutView['say'], what: 'notFound' | 'broken'): Page {
  const { checkout } = say;
  const isBroken = what === 'broken';
  return {
    title: isBroken ? checkout.brokenTitle : checkout.notFound,
    script: 'checkout.js',
    content: (
      <main class="checkout">
        <div class="card bad">
          <h1>{isBroken ? checkout.brokenTitle : checkout.notFound}</h1>
          <p>{isBroken ? checkout.brokenNext : checkout.notFoundNext}</p>
        </div>
      </main>
    ),
  };
}

/** On the way to a provider's page: the address is followed by itself, and can be clicked. */
export function leavingPage(view: OrderAddress & Pick<CheckoutView, 'say'>, method: string, url: string): Page {
  const { say } = view;
  return {
    title: say.checkout.goingOn(method),
    script: 'checkout.js',
    content: (
      <main class="checkout">
        <div class="card">
          <img src={STATIC['icon.svg']} alt="" width="32" height="32" />
          <h1>{say.checkout.goingOn(method)}</h1>
          <p>{say.checkout.goOnNext}</p>
          <p>
            <a class="button first" href={url}>
              {say.checkout.goOn(method)}
            </a>
          </p>
          <p>
            <a href={pathOf(view)}>{say.checkout.otherMethod}</a>
          </p>
        </div>
      </main>
    ),
  };
}

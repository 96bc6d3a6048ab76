import type { OrderBody } from '../api.ts';
import { quantityField } from './forms.ts';
import { isOwnRefund, mayApply, refundable, refundableUnits } from './outcome.ts';
import { CheckoutForm, enteredIn, Time, type CheckoutView, type Entered } from './view.tsx';

type OrderRefund = OrderBody['refunds'][number];

/** Every refund with its progress, and the form to apply for one. */
export function Refunds({ view }: { view: CheckoutView }) {
  const { say, order, now } = view;
  return (
    <>
      <div id="refunds">
        {order.refunds.length > 0 ? (
          <section class="card">
            <h2>{say.checkout.refunds}</h2>
            {order.refunds.map((refund) => (
              <RefundProgress view={view} refund={refund} />
            ))}
          </section>
        ) : null}
      </div>
      <div id="apply">{mayApply(order, now) ? <ApplicationForm view={view} /> : null}</div>
    </>
  );
}

function RefundProgress({ view: { say, order }, refund }: { view: CheckoutView; refund: OrderRefund }) {
  const w = say.checkout;
  const nameOf = (id: string) => order.items.find((item) => item.id === id)?.name ?? id;
  return (
    <article class="refund" data-refund={refund.status}>
      <h3>
        {say.money(refund.amount, order.currency)} · {say.terms.refundStatus[refund.status]}
      </h3>
      <p class="quiet">{say.terms.refundOrigin[refund.origin]}</p>
      {refund.items ? (
        <p>{refund.items.map(({ item_id, quantity }) => w.refundTaken(nameOf(item_id), quantity)).join(', ')}</p>
      ) : null}
      <Steps view={{ say }} refund={refund} />
      {refund.reason && isOwnRefund(refund) ? (
        <p class="quiet">
          {w.refundReason}: {refund.reason}
        </p>
      ) : null}
      {refund.note ? (
        <p>
          {w.refundNote}: {refund.note}
        </p>
      ) : null}
      {refund.status === 'requested' ? <p>{w.waitsForShop}</p> : null}
      {refund.status === 'rejected' ? <p>{w.rejectedNext}</p> : null}
      {refund.status === 'failed' ? <p>{refund.reviewed_at === null ? w.refundRetried : w.refundFailedNext}</p> : null}
      {refund.status === 'succeeded' ? <p>{w.refundedPart(say.money(refund.amount, order.currency))}</p> : null}
    </article>
  );
}

type Step = { name: string; at: string | null; state: 'done' | 'now' | 'later' | 'failed' };

function Steps({ view: { say }, refund }: { view: Pick<CheckoutView, 'say'>; refund: OrderRefund }) {
  return (
    <ol class="steps" aria-label={say.checkout.steps}>
      {stepsOf(say, refund).map(({ name, at, state }) => (
        <li class={state} {...(state === 'now' && { 'aria-current': 'step' })}>
          {name} {at ? <Time at={at} say={say} /> : null}
        </li>
      ))}
    </ol>
  );
}

function stepsOf(say: CheckoutView['say'], refund: OrderRefund): Step[] {
  const w = say.checkout;
  const { status, created_at, reviewed_at, settled_at } = refund;
  const applied: Step = { name: w.applied, at: created_at, state: 'done' };
  if (status === 'requested') return [applied, step(w.decided, 'now'), step(w.sent, 'later'), step(w.settled, 'later')];
  const decided: Step[] = reviewed_at ? [{ name: w.decided, at: reviewed_at, state: 'done' }] : [];
  if (status === 'rejected')
    return [applied, { name: say.terms.refundStatus.rejected, at: reviewed_at, state: 'failed' }];
  if (status === 'failed') return [applied, ...decided, step(say.terms.refundStatus.failed, 'failed')];
  if (status === 'succeeded')
    return [applied, ...decided, step(w.sent, 'done'), { name: w.settled, at: settled_at, state: 'done' }];
  return [applied, ...decided, step(w.sent, 'now'), step(w.settled, 'later')];
}

const step = (name: string, state: Step['state']): Step => ({ name, at: null, state });

function ApplicationForm({ view }: { view: CheckoutView }) {
  const { say, order } = view;
  const w = say.checkout;
  const entered = enteredIn(view, 'refunds');
  const isOpen = view.refused?.form === 'refunds';
  return (
    <details class="card" open={isOpen}>
      <summary>{w.apply}</summary>
      <CheckoutForm view={view} to="refunds">
        <fieldset>
          <legend>{w.applyHint}</legend>
          <label class="choice">
            <input type="radio" name="what" value="all" checked={entered['what'] !== 'items'} />
            {w.applyAll} ({say.money(refundable(order), order.currency)})
          </label>
          <label class="choice">
            <input type="radio" name="what" value="items" checked={entered['what'] === 'items'} />
            {w.applyItems}
          </label>
          <ul class="items quantities">
            {order.items.map((item) => (
              <Quantity view={view} item={item} entered={entered} />
            ))}
          </ul>
        </fieldset>
        <label>
          {w.applyReason}
          <textarea name="reason" rows={3} maxlength={500} required>
            {entered['reason'] ?? ''}
          </textarea>
        </label>
        <button class="first">{w.applySend}</button>
      </CheckoutForm>
    </details>
  );
}

type QuantityProps = { view: CheckoutView; item: OrderBody['items'][number]; entered: Entered };

function Quantity({ view: { say, order }, item, entered }: QuantityProps) {
  const left = refundableUnits(order, item.id);
  const field = quantityField(item.id);
  if (left === 0) return null;
  return (
    <li>
      <span>{item.name}</span>
      <label>
        <span class="unseen">{say.checkout.applyQuantity(item.name)}</span>
        <input
          type="number"
          name={field}
          min="0"
          max={String(left)}
          value={entered[field] ?? '0'}
          inputmode="numeric"
        />
        <span class="quiet"> {say.checkout.applyLeft(left)}</span>
      </label>
    </li>
  );
}

import { mayBeReceived, mayCancelPaid, mayCancelUnpaid } from './outcome.ts';
import { CheckoutForm, enteredIn, type CheckoutView } from './view.tsx';

/** What else the customer can do: say that it came, review it, call it off. */
export function Actions({ view }: { view: CheckoutView }) {
  const { order, now, say } = view;
  const cancels = mayCancelUnpaid(order, now) || mayCancelPaid(order);
  return (
    <>
      <div id="receipt">
        {mayBeReceived(order) ? (
          <CheckoutForm view={view} to="receipt">
            <button class="first">{say.checkout.receipt}</button>
          </CheckoutForm>
        ) : null}
      </div>
      <div id="review">
        <Review view={view} />
      </div>
      <div id="cancel">{cancels ? <Cancel view={view} isPaid={mayCancelPaid(order)} /> : null}</div>
    </>
  );
}

function Review({ view }: { view: CheckoutView }) {
  const { say, order } = view;
  const w = say.checkout;
  if (order.review)
    return (
      <section class="card">
        <h2>{w.review}</h2>
        <p class="stars" role="img" aria-label={w.stars(order.review.rating)}>
          {'★'.repeat(order.review.rating)}
          {'☆'.repeat(5 - order.review.rating)}
        </p>
        {order.review.comment ? <p>{order.review.comment}</p> : null}
      </section>
    );
  return order.status === 'completed' ? <ReviewForm view={view} /> : null;
}

function ReviewForm({ view }: { view: CheckoutView }) {
  const w = view.say.checkout;
  const entered = enteredIn(view, 'review');
  return (
    <section class="card">
      <h2>{w.review}</h2>
      <CheckoutForm view={view} to="review">
        <fieldset class="rating">
          <legend>{w.rating}</legend>
          {[1, 2, 3, 4, 5].map((count) => (
            <label>
              <input
                type="radio"
                name="rating"
                value={String(count)}
                required
                checked={entered['rating'] === String(count)}
              />
              <span aria-hidden="true">{'★'.repeat(count)}</span>
              <span class="unseen">{w.stars(count)}</span>
            </label>
          ))}
        </fieldset>
        <label>
          {w.comment}
          <textarea name="comment" rows={3} maxlength={500}>
            {entered['comment'] ?? ''}
          </textarea>
        </label>
        <button class="first">{w.reviewSend}</button>
      </CheckoutForm>
    </section>
  );
}

function Cancel({ view, isPaid }: { view: CheckoutView; isPaid: boolean }) {
  const w = view.say.checkout;
  return (
    <details class="card">
      <summary>{w.cancel}</summary>
      <CheckoutForm view={view} to="cancel">
        <p>
          {w.cancelSure} {isPaid ? w.cancelPaidHint : ''}
        </p>
        <label>
          {w.cancelReason}
          <textarea name="reason" rows={2} maxlength={500}>
            {enteredIn(view, 'cancel')['reason'] ?? ''}
          </textarea>
        </label>
        <button class="danger">{w.cancelYes}</button>
      </CheckoutForm>
    </details>
  );
}

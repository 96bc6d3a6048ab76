import { describe, expect, it } from 'vitest';
import { attentionOf } from '../../domain/attention.ts';
import { dutiesOf, isSettled } from '../../domain/duties.ts';
import { dispatchId, readDispatchId } from '../../domain/ids.ts';
import type { Order } from '../../domain/order.ts';
import { deadlineOf } from '../../domain/time.ts';
import * as s from './support.ts';

const { apply, approve, dispatched, FIRST, given, machineReport, paid, reject, report, SECOND, THIRD, units } = s;

const three: s.Terms = {
  items: [1, 2, 3].map(() => ({ amount: 50, fulfilment: 'machine' as const, deliveryTimeoutSeconds: 300 })),
};
const one: s.Terms = { items: [{ fulfilment: 'machine', deliveryTimeoutSeconds: 300, amount: 90, quantity: 3 }] };
const itself: s.Terms = { items: [{ ...one.items![0], onFailure: 'refund' }] };

const dispatches = (order: Order) => dutiesOf(order).flatMap((duty) => (duty.type === 'dispatch_item' ? [duty] : []));
const toDispatch = (order: Order) =>
  dispatches(order).map(({ item, dispatch, quantity }) => [item, dispatch, quantity]);
const statuses = (order: Order) => order.items.map(({ status }) => status);
const sends = (order: Order) => order.items.map((item) => item.sends);

describe('machine items', () => {
  it('are dispatched once they are paid, each by itself', () => {
    expect(dispatches(given(three, s.pay(), s.opened(s.PAY_1)).order)).toEqual([]);
    const { order, now } = paid(three);
    expect(toDispatch(order)).toEqual([FIRST, SECOND, THIRD].map((item) => [item, 1, 1]));
    expect(dispatches(order).every(({ since, dueAt }) => since === now && dueAt === now)).toBe(true);
    expect(isSettled(order)).toBe(false);
  });
  it('are on their way once the machine has taken them, and that is told once', () => {
    const taken = paid(three).when(dispatched(SECOND));
    expect(taken.types).toEqual(['item_sent', 'item.delivery_updated', 'order.processing']);
    expect(statuses(taken.order)).toEqual(['waiting', 'delivering', 'waiting']);
    expect(sends(taken.order)).toEqual([0, 1, 0]);
    expect(toDispatch(taken.order).map(([item]) => item)).toEqual([FIRST, THIRD]);
    expect(s.tell(taken.order, dispatched(SECOND), s.T0).types).toEqual([]);
  });
  it('complete an order by arriving', () => {
    const steps = [FIRST, SECOND, THIRD].flatMap((item) => [dispatched(item), machineReport(item, 1, 'delivered', 1)]);
    const { order } = paid(three, ...steps);
    expect(order.status).toBe('completed');
    expect(isSettled(order)).toBe(true);
  });
  it('of a test order are delivered by the system itself', () => {
    const { order } = given({ ...three, test: true });
    expect(order.status).toBe('completed');
    expect(dispatches(order)).toEqual([]);
    expect(sends(order)).toEqual([0, 0, 0]);
  });
  it('are not dispatched while a cancellation is under review, and only then if it is rejected', () => {
    const held = paid(three, s.cancel());
    expect(dispatches(held.order)).toEqual([]);
    const decided = held.when(reject(s.CANCELLATION));
    expect(dispatches(decided.order).map(({ since }) => since)).toEqual(Array(3).fill(held.now + s.SECOND_MS));
    expect(dispatches(held.when(approve(s.CANCELLATION)).order)).toEqual([]);
  });
  it('are not dispatched any more where the merchant reports that it delivers them itself', () => {
    expect(toDispatch(paid(three, report(FIRST, 'delivering')).order).map(([item]) => item)).toEqual([SECOND, THIRD]);
  });
  it('ask for what is to come: not for units that are withdrawn', () => {
    const { order } = paid(one, apply('a', units([FIRST, 1]))).when(approve('a'));
    expect(toDispatch(order)).toEqual([[FIRST, 1, 2]]);
    expect(dispatches(order)[0]!.key).not.toBe(dispatches(paid(one).order)[0]!.key);
  });
});

describe('a dispatch whose answer is lost', () => {
  it('may be at work: no refund withdraws the item, and it is told again under the same number', () => {
    const lost = paid(one, s.dispatchLost(FIRST));
    expect(statuses(lost.order)).toEqual(['delivering']);
    expect(sends(lost.order)).toEqual([0]);
    expect(dispatches(lost.order)).toMatchObject([{ dispatch: 1, quantity: 3, mayBeTaken: true }]);
    const refunding = paid(one, s.dispatchLost(FIRST), apply('a', units([FIRST, 3])), approve('a'));
    expect(s.itemAt(refunding.order, 0).withdrawn).toBe(0);
    expect(lost.when(s.dispatchLost(FIRST)).types).toEqual([]);
    const taken = lost.when(dispatched(FIRST));
    expect(taken.types).toEqual(['item_sent']);
    expect(dispatches(taken.order)).toEqual([]);
  });
  it('has come through, if the machine tells of it', () => {
    const told = paid(one, s.dispatchLost(FIRST)).when(machineReport(FIRST, 1, 'delivering'));
    expect(sends(told.order)).toEqual([1]);
    expect(dispatches(told.order)).toEqual([]);
    const done = paid(one).when(machineReport(FIRST, 1, 'delivered', 3));
    expect(paid(one).when(machineReport(FIRST, 1, 'delivered', 9)).order.items).toEqual(done.order.items);
    expect(done.types.slice(0, 2)).toEqual(['item_sent', 'item.delivery_updated']);
    expect(done.order.status).toBe('completed');
  });
  it('keeps its number when the item timed out before it was taken, and is delivered again', () => {
    const late = paid(one, s.dispatchLost(FIRST));
    const timedOut = s.tell(late.order, s.time, deadlineOf(late.order)!);
    expect(statuses(timedOut.order)).toEqual(['timed_out']);
    expect(dispatches(timedOut.order)).toEqual([]);
    expect(toDispatch(s.tell(timedOut.order, s.redeliver(FIRST), s.T0).order)).toEqual([[FIRST, 1, 3]]);
    expect(sends(s.tell(timedOut.order, machineReport(FIRST, 1, 'delivered', 3), s.T0).order)).toEqual([1]);
  });
});

describe('a machine that refuses', () => {
  it('fails the item, with its reason', () => {
    const { order, events } = paid(itself).when(s.dispatchRefused(FIRST));
    expect(events).toContainEqual(expect.objectContaining({ type: 'item.delivery_updated', detail: 'sold out' }));
    expect(statuses(order)).toEqual(['failed']);
    expect(s.lastRefund(order)).toMatchObject({ origin: 'delivery_failure', amount: 90 });
    expect(dispatches(order)).toEqual([]);
  });
  it('is told under a new number when the item is delivered again', () => {
    const { order } = paid(one, s.dispatchRefused(FIRST)).when(s.redeliver(FIRST));
    expect(toDispatch(order)).toEqual([[FIRST, 2, 3]]);
  });
});

describe('reports of a machine', () => {
  const taken = [dispatched(FIRST)];
  it('count what came out of their dispatch', () => {
    const part = paid(one, ...taken, machineReport(FIRST, 1, 'failed', 2));
    expect(s.itemAt(part.order, 0)).toMatchObject({ status: 'failed', arrived: 2 });
    const again = part.when(s.redeliver(FIRST));
    expect(toDispatch(again.order)).toEqual([[FIRST, 2, 1]]);
    const rest = [...taken, machineReport(FIRST, 1, 'failed', 2), s.redeliver(FIRST), dispatched(FIRST, 2)];
    const { order } = paid(one, ...rest).when(machineReport(FIRST, 2, 'delivered', 1));
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'delivered', arrived: 3, sends: 2 });
  });
  it('may come twice, late and in any order', () => {
    const done = paid(one, ...taken, machineReport(FIRST, 1, 'delivered', 3));
    for (const status of ['delivering', 'delivered', 'failed'] as const)
      expect(done.when(machineReport(FIRST, 1, status)).types).toEqual([]);
    const jammed = paid(one, ...taken, machineReport(FIRST, 1, 'failed'));
    expect(jammed.when(machineReport(FIRST, 1, 'delivering')).types).toEqual([]);
    expect(jammed.when(machineReport(FIRST, 1, 'failed')).types).toEqual([]);
    expect(statuses(jammed.when(machineReport(FIRST, 1, 'delivered', 3)).order)).toEqual(['delivered']);
  });
  it('of an earlier dispatch say nothing of the present one, unless all of it came out', () => {
    const again = paid(one, ...taken, machineReport(FIRST, 1, 'failed', 1), s.redeliver(FIRST));
    for (const story of [
      again,
      paid(one, ...taken, machineReport(FIRST, 1, 'failed', 1), s.redeliver(FIRST), dispatched(FIRST, 2)),
    ]) {
      expect(story.when(machineReport(FIRST, 1, 'failed', 1)).types).toEqual([]);
      expect(story.when(machineReport(FIRST, 1, 'delivering')).types).toEqual([]);
      expect(story.when(machineReport(FIRST, 1, 'delivered', 2)).order.status).toBe('completed');
    }
  });
  it('of an earlier dispatch are flagged as well, where part of it was withdrawn since; and once', () => {
    const again = [...taken, machineReport(FIRST, 1, 'failed'), s.redeliver(FIRST)];
    const { order, now } = paid(one, ...again, apply('a', units([FIRST, 1])), approve('a'), s.refunded('a'));
    const told = s.tell(order, machineReport(FIRST, 1, 'delivered', 3), now);
    expect(told.types).toContain('delivered_after_refund');
    expect(s.itemAt(told.order, 0)).toMatchObject({ status: 'delivered', arrived: 2, withdrawn: 1 });
    expect(s.tell(told.order, machineReport(FIRST, 1, 'delivered', 3), now).types).toEqual([]);
  });
  it('of a dispatch that was never made are not believed', () => {
    expect(paid(one).when(machineReport(FIRST, 2, 'delivered', 3)).types).toEqual([]);
    expect(paid({}).when(machineReport(FIRST, 1, 'delivered', 1)).types).toEqual([]);
  });
  it('of more than was to come are flagged, and of more than there is are all', () => {
    const refunding = [...taken, apply('a', units([FIRST, 1])), approve('a'), s.refunded('a')];
    const { order } = paid(one, ...refunding).when(machineReport(FIRST, 1, 'delivered', 3));
    expect(s.itemAt(order, 0)).toMatchObject({ status: 'delivered', arrived: 2, withdrawn: 1 });
    expect(attentionOf(order).map(({ code }) => code)).toEqual(['delivered_after_refund']);
    expect(s.itemAt(paid(one, ...taken).when(machineReport(FIRST, 1, 'delivered', 7)).order, 0).arrived).toBe(3);
  });
});

describe('the timer of a machine item', () => {
  const due = 300 * s.SECOND_MS;
  it('runs from dispatch: from when the order learned that it is paid, however late that was', () => {
    const story = given(three, s.pay(), s.opened(s.PAY_1), s.at(s.T0 + 10 * s.MINUTE, s.money(s.PAY_1, 150)));
    expect(story.order.paidAt).toBe(s.T0 + s.SECOND_MS);
    expect(deadlineOf(story.order)).toBe(s.T0 + 10 * s.MINUTE + due);
  });
  it('runs anew from when the machine has taken it, also the second time', () => {
    const first = paid(one, dispatched(FIRST));
    expect(deadlineOf(first.order)).toBe(first.now + due);
    const again = paid(
      one,
      dispatched(FIRST),
      machineReport(FIRST, 1, 'failed'),
      s.redeliver(FIRST),
      dispatched(FIRST, 2),
    );
    expect(deadlineOf(again.order)).toBe(again.now + due);
  });
  it('stands still while dispatch is held', () => {
    const held = paid(three, s.cancel());
    expect(held.when(s.at(held.now + s.HOUR)).types).toEqual([]);
    const { order } = s.tell(held.order, reject(s.CANCELLATION), held.now + s.HOUR);
    expect(deadlineOf(order)).toBe(held.now - s.SECOND_MS + s.HOUR + due);
  });
  it('ends a dispatch that nobody answers, and the money goes back', () => {
    const waiting = paid(itself);
    const { order } = s.tell(waiting.order, s.time, waiting.now + due);
    expect(statuses(order)).toEqual(['timed_out']);
    expect(dispatches(order)).toEqual([]);
    expect(s.lastRefund(order)).toMatchObject({ origin: 'delivery_failure', amount: 90 });
  });
});

describe('a machine that can not be told for long', () => {
  const patient: s.Terms = { items: [{ fulfilment: 'machine', deliveryTimeoutSeconds: s.DAY / 1000 }] };
  it('shows in attention, until it is told', () => {
    const story = paid(patient);
    const late = s.tell(story.order, s.time, story.now + 15 * s.MINUTE);
    expect(late.types).toEqual(['duty_delayed']);
    expect(attentionOf(late.order)).toEqual([{ code: 'dispatch_delayed', since: story.now }]);
    expect(attentionOf(s.tell(late.order, dispatched(FIRST), s.T0 + s.HOUR).order)).toEqual([]);
  });
});

describe('the id of a dispatch', () => {
  it('names item and number, and is read back', () => {
    expect(readDispatchId(dispatchId(SECOND, 12))).toEqual({ order: s.ID, item: SECOND, dispatch: 12 });
    for (const odd of ['', 'dsp_x1', `${dispatchId(FIRST, 1)}0x`, dispatchId(FIRST, 0), 'itm_aaaaaaaaaaaaaaaaaaaa0001'])
      expect(readDispatchId(odd)).toBeNull();
  });
});

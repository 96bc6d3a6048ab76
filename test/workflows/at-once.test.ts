import fc from 'fast-check';
import { afterAll, beforeAll, it } from 'vitest';
import type { OrderId, PaymentId, RefundId } from '../../domain/ids.ts';
import { control, create, faults, MERCHANT, noFaults, noticeOf, open, OPERATOR, stored } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.startWorker();
});
/** Replays every run: what came of messages that met must come of them again. */
afterAll(() => system?.stop());

const MESSAGES = ['open', 'pay', 'notice', 'odd notice', 'apply', 'approve', 'report', 'retry', 'cancel'] as const;
type Message = (typeof MESSAGES)[number];

async function send(id: OrderId, message: Message, number: number): Promise<unknown> {
  const { gateway } = system;
  const { payments, refunds, items } = await stored(system, id);
  const payment = payments.at(-1);
  const by = MERCHANT;
  switch (message) {
    case 'open':
      return open(system, id);
    case 'pay':
      return payment && control(system, payment.outTradeNo, { action: 'pay' });
    case 'notice':
      return payment && gateway.tellNotice(id, await noticeOf(system, id, payment));
    case 'odd notice':
      return gateway.tellNotice(
        id,
        await noticeOf(system, id, { ...payment!, id: 'pay_none' as PaymentId, amount: 1 }),
      );
    case 'apply': {
      const refund = `ref_${number}` as RefundId;
      const ask = { type: 'amount', amount: 100 } as const;
      return gateway.ask(id, {
        type: 'apply_refund',
        refund,
        ask,
        reason: 'x',
        origin: 'merchant',
        applicant: 'a',
        by,
      });
    }
    case 'approve': {
      const refund = refunds[0]?.id ?? ('ref_none' as RefundId);
      return gateway.ask(id, {
        type: 'review_refund',
        refund,
        decision: 'approve',
        reviewer: OPERATOR,
        note: null,
        by,
      });
    }
    case 'report':
      return gateway.tellDelivery(id, { itemId: items[0]!.id, status: 'delivering', by });
    case 'retry':
      return gateway.ask(id, { type: 'retry', by });
    case 'cancel':
      return gateway.ask(id, { type: 'cancel', because: 'merchant', applicant: 'a', reason: null, by });
  }
}

it('messages that meet, while the provider takes its time, leave a history that replays', async () => {
  const wave = fc.record({
    latencyMs: fc.constantFrom(0, 0, 150, 900, 1_600),
    pauseMs: fc.constantFrom(0, 60, 400),
    messages: fc.array(fc.constantFrom(...MESSAGES), { minLength: 2, maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(wave, { minLength: 2, maxLength: 4 }), async (waves) => {
      const id = await create(system);
      await open(system, id);
      const sent: Promise<unknown>[] = [];
      let number = 0;
      for (const { latencyMs, pauseMs, messages } of waves) {
        if (latencyMs > 0) await faults(system, { latency_ms: latencyMs });
        // What is refused is as good a message as any other.
        for (const message of messages) sent.push(send(id, message, number++).catch((error: unknown) => error));
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await noFaults(system);
      }
      await Promise.all(sent);
    }),
    { numRuns: 15 },
  );
});

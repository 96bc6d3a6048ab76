/** What an order costs, in what doesn't depend on the machine: history events, workflow tasks, SQL statements. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { OrderId } from '../domain/ids.ts';
import { orderWorkflowId } from '../workflows/messages.ts';
import type { Saves } from './saves.ts';
import type { Shop } from './shop.ts';
import { isUpkeep, type Statement } from './statements.ts';

export type Cost = { events: number; tasks: number; statements: number };
/** The statements of one thing that was done to an order. */
export type Step = { name: string; statements: Statement[] };
export type Counted = Cost & { steps: Step[] };
/** `paidVersion`: in which version an order is saved once it is paid; the same for all such orders. */
export type CountedPaid = Counted & { paidVersion: number };

/** What counting needs of a system that is otherwise idle. */
export type Subject = {
  client: Client;
  shop: Shop;
  saves: Saves;
  takeStatements(): Promise<Statement[]> | Statement[];
};

/** The contract's: what an order may cost at most. */
export const BUDGET = { unpaid: { events: 8, tasks: 2 }, paid: { events: 36, tasks: 6 } } as const;

/** An order counts as quiet when nothing was said to the database for so long. */
const QUIET_MS = 150;

/** Created, never opened, expired. */
export async function countUnpaid(subject: Subject): Promise<Counted> {
  const steps = await Steps.begin(subject);
  const { id } = await steps.take('create', () => created(subject, { items: 2, expiresInSeconds: 1 }));
  await steps.take('expire', () => closed(subject.client, id));
  return steps.counted(id);
}

/** Created, opened, paid and noticed, both items delivered one after the other, received. */
export async function countPaid(subject: Subject): Promise<CountedPaid> {
  const { shop, saves, client } = subject;
  const steps = await Steps.begin(subject);
  const { id, items } = await steps.take('create', () => created(subject, { items: 2 }));
  const outTradeNo = await steps.take('open', () => shop.openPayment(id));
  const opened = saves.versionOf(id);
  await steps.take('notice', async () => {
    await shop.pay(outTradeNo);
    await saves.until(id, opened + 1);
  });
  const paidVersion = saves.versionOf(id);
  for (const [index, item] of items.entries())
    await steps.take(`deliver item ${index + 1}`, () => shop.report(id, item));
  await steps.take('receive', () => shop.receive(id));
  await steps.take('close', () => closed(client, id));
  return { ...(await steps.counted(id)), paidVersion };
}

/** Waits for its workflow, as a buyer does who looks at the page before opening a payment. */
async function created({ shop, client }: Subject, wanted: Parameters<Shop['create']>[0]) {
  const order = await shop.create(wanted);
  const handle = client.workflow.getHandle(orderWorkflowId(order.id as OrderId));
  const isStarted = () =>
    handle.describe().then(
      () => true,
      () => false,
    );
  for (const end = Date.now() + 10_000; !(await isStarted());) {
    if (Date.now() > end) throw new Error(`the workflow of order ${order.id} is not started`);
    await sleep(20);
  }
  return order;
}

const closed = (client: Client, id: string) => client.workflow.getHandle(orderWorkflowId(id as OrderId)).result();

/** History events and workflow tasks of a closed workflow. */
export async function countHistory(client: Client, workflowId: string): Promise<{ events: number; tasks: number }> {
  const handle = client.workflow.getHandle(workflowId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  const tasks = (events ?? []).filter((event) => event.workflowTaskScheduledEventAttributes);
  return { events: events?.length ?? 0, tasks: tasks.length };
}

/** Notes what each step says to the database: by itself, and in the moment after. */
class Steps {
  readonly #subject: Subject;
  readonly #steps: Step[] = [];

  private constructor(subject: Subject) {
    this.#subject = subject;
  }

  static async begin(subject: Subject): Promise<Steps> {
    const steps = new Steps(subject);
    await steps.#quiet();
    return steps;
  }

  async take<T>(name: string, act: () => Promise<T>): Promise<T> {
    const result = await act();
    this.#steps.push({ name, statements: await this.#quiet() });
    return result;
  }

  async counted(id: string): Promise<Counted> {
    const history = await countHistory(this.#subject.client, orderWorkflowId(id as OrderId));
    const statements = this.#steps.reduce((sum, step) => sum + step.statements.length, 0);
    return { ...history, statements, steps: this.#steps };
  }

  async #quiet(): Promise<Statement[]> {
    const all: Statement[] = [];
    for (;;) {
      await sleep(QUIET_MS);
      const some = (await this.#subject.takeStatements()).filter((statement) => !isUpkeep(statement));
      if (some.length === 0) return all;
      all.push(...some);
    }
  }
}

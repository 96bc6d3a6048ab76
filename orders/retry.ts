import type { Command } from 'commander';
import { connectClient, temporalAt } from '../client/connection.ts';
import { temporalGateway } from '../client/gateway.ts';
import { attentionOf, ATTENTION_CODES } from '../domain/attention.ts';
import { isSettled } from '../domain/duties.ts';
import type { Order } from '../domain/order.ts';
import { readConfig } from '../start/config.ts';
import { readTemporalTarget } from '../start/temporal-target.ts';
import { withDatabase } from './database.ts';
import { orderNamed } from './named.ts';
import type { Answer } from './output.ts';
import type { Answering } from './program.ts';

/** What an operator does about an order that is stuck: the same wish as `POST /v1/orders/{id}/retry`. */
export function retryCommand(parent: Command, answering: Answering): void {
  parent
    .command('retry <number-or-id>')
    .description('tries again now what is stuck with one order; says what still needs a person')
    .action(answering(tryAgain));
}

const tryAgain = (named: string): Promise<Answer> =>
  withDatabase(async (db) => {
    const { order, row } = await orderNamed(db, named);
    if (!isSettled(order) || attentionOf(order).length > 0) await askFor(order);
    const left = attentionOf((await orderNamed(db, order.id)).order).map(({ code }) => code);
    const lines = [
      `Order ${row.number} was asked to try again.`,
      ...left.map((code) => `! ${code}: ${ATTENTION_CODES[code]}`),
    ];
    return { text: lines.join('\n'), data: { id: order.id, number: row.number, attention: left } };
  });

async function askFor({ id }: Order): Promise<void> {
  const client = await connectClient(target());
  try {
    await temporalGateway(client, Date.now).ask(id, { type: 'retry', by: { type: 'operator', name: null } });
  } finally {
    await client.connection.close();
  }
}

/** The server that the TEMPORAL_… variables name, else the one of `npm start`. */
function target() {
  const { hasTemporal, temporalPort } = readConfig(process.env);
  return hasTemporal ? readTemporalTarget(process.env) : temporalAt(`127.0.0.1:${temporalPort}`);
}

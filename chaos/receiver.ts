/** The merchant's own endpoint: it verifies what comes with the public library, and at times is not at its best. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { randomOf } from './random.ts';

export type Message = { id: string; type: string; timestamp: string };

export type Receiver = {
  url: string;
  /** With what messages are signed; said when the endpoint is registered. */
  trust(secret: string): void;
  /** Accepted messages of an order, each once, in the order in which they came first. */
  of(order: string): Message[];
  count(): number;
  /** What came unsigned, wrongly signed, or said something else the second time. */
  improper: string[];
  stop(): Promise<void>;
};

type Body = { type: string; timestamp: string; data: { id: string } };

/** One message in so many is answered with 500 at first: it has to come again. */
const TURNED_AWAY = 0.04;

export async function openReceiver(seed: number): Promise<Receiver> {
  const improper: string[] = [];
  const accepted = new Map<string, Message[]>();
  const texts = new Map<string, string>();
  let webhook: Webhook | null = null;
  const take = ({ headers }: IncomingMessage, text: string): number => {
    const id = String(headers['webhook-id']);
    try {
      webhook!.verify(text, headers as Record<string, string>);
    } catch (error) {
      improper.push(`notification ${id}: ${String(error)}`);
      return 400;
    }
    const isFirst = !texts.has(id);
    if (!isFirst && texts.get(id) !== text) improper.push(`notification ${id} said something else when it came again`);
    texts.set(id, text);
    if (isFirst && randomOf(seed, 'receiver', texts.size).chance(TURNED_AWAY)) return 500;
    const { type, timestamp, data } = JSON.parse(text) as Body;
    const earlier = accepted.get(data.id) ?? [];
    if (earlier.some((one) => one.id === id)) return 204;
    accepted.set(data.id, [...earlier, { id, type, timestamp }]);
    return 204;
  };
  const server = createServer((request, response) => void answer(request, response, take));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notifications`,
    trust: (secret) => void (webhook = new Webhook(secret)),
    of: (order) => accepted.get(order) ?? [],
    count: () => [...accepted.values()].reduce((sum, messages) => sum + messages.length, 0),
    improper,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  take: (request: IncomingMessage, text: string) => number,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.writeHead(take(request, Buffer.concat(chunks).toString())).end();
}

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A merchant's endpoint, with a consumer as the merchant would write it: the public library verifies what comes. */

export type Received = { path: string; headers: IncomingHttpHeaders; text: string; body: any; at: number };
export type Respond = (response: ServerResponse, received: Received, received_so_far: number) => void;
export type Receiver = {
  url: string;
  received: Received[];
  respond: Respond;
  at(path: string): Received[];
  stop(): Promise<void>;
};

const accept: Respond = (response) => response.writeHead(204).end();

export async function startReceiver(respond: Respond = accept): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { headers, url: path = '' } = request;
      const one = { path, headers, text, body: JSON.parse(text), at: Date.now() };
      received.push(one);
      receiver.respond(response, one, received.filter((other) => other.path === path).length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    respond,
    at: (path) => received.filter((one) => one.path === path),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** @throws if the signature does not hold */
export const verify = (secret: string, { text, headers }: Received): unknown =>
  new Webhook(secret).verify(text, headers as Record<string, string>);
export const isSignedBy = (secret: string, received: Received): boolean => {
  try {
    verify(secret, received);
    return true;
  } catch {
    return false;
  }
};

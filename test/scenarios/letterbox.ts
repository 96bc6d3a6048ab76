import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A genuine notice as a provider sent it, and what the API answered. */
export type Letter = { path: string; headers: Record<string, string>; body: string; answered: number };

/** Stands before the API: every notice passes through it, and is kept, so that a story can send it again, or altered. */
export type Letterbox = {
  url: string;
  letters: Letter[];
  forwardTo(apiUrl: string): void;
  stop(): Promise<void>;
};

export async function openLetterbox(): Promise<Letterbox> {
  const letters: Letter[] = [];
  let target = '';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const letter = {
        path: request.url ?? '',
        headers: ownHeaders(request.headers),
        body: String(Buffer.concat(chunks)),
      };
      void send(target, letter)
        .then(async (answer) => {
          letters.push({ ...letter, answered: answer.status });
          response.writeHead(answer.status).end(await answer.text());
        })
        .catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    letters,
    forwardTo: (apiUrl) => void (target = apiUrl),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends a letter, or one like it, to an API. */
export const send = (apiUrl: string, { path, headers, body }: Omit<Letter, 'answered'>): Promise<Response> =>
  fetch(apiUrl + path, { method: 'POST', headers, body });

const OF_THE_CONNECTION = ['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive'];

const ownHeaders = (headers: NodeJS.Dict<string | string[]>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !OF_THE_CONNECTION.includes(name) ? [[name, value]] : [],
    ),
  );

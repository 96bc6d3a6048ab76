import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join, normalize } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { promisify } from 'node:util';
import type { Maker } from './temporal-binary.ts';

/** The address from which Temporal's own SDKs download it. */
const SOURCE = 'https://temporal.download/cli';
/** A network that can't reach it should cost seconds, a slow one may take minutes. */
const ANSWER_WITHIN_MS = 6_000;
const DONE_WITHIN_MS = 5 * 60_000;
const MAX_ARCHIVE_BYTES = 500_000_000;

type ArchiveInfo = { archiveUrl: string; fileToExtract: string };

/** Downloads the release for this platform and unpacks the program. */
export const downloadTemporal: Maker = (folder, version, options) => downloadFrom(SOURCE, folder, version, options);

/** The same from another address: for tests. */
export async function downloadFrom(source: string, ...[folder, version, options]: Parameters<Maker>): Promise<string> {
  options.progress(`Temporal: downloading version ${version} (once)`);
  const { archiveUrl, fileToExtract } = await askWhere(source, version, options.signal);
  const archive = join(folder, 'archive.tar.gz');
  await fetchInto(archive, archiveUrl, options.signal);
  await promisify(execFile)('tar', ['-xzf', archive, '-C', folder, fileToExtract]);
  return join(folder, fileToExtract);
}

async function askWhere(source: string, version: string, signal?: AbortSignal): Promise<ArchiveInfo> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const url = `${source}/v${version}?arch=${arch}&platform=${platform}&format=tar.gz`;
  const response = await request(url, ANSWER_WITHIN_MS, signal);
  const { archiveUrl, fileToExtract } = (await response.json()) as ArchiveInfo;
  const name = normalize(fileToExtract);
  if (name.startsWith('..') || name.startsWith('/')) throw new Error(`${url} names an odd file: ${fileToExtract}`);
  return { archiveUrl, fileToExtract: name };
}

async function fetchInto(file: string, url: string, signal?: AbortSignal): Promise<void> {
  const response = await request(url, DONE_WITHIN_MS, signal);
  if (!response.body) throw new Error(`${url} is empty`);
  await pipeline(Readable.fromWeb(response.body as ReadableStream), atMost(MAX_ARCHIVE_BYTES), createWriteStream(file));
}

async function request(url: string, withinMs: number, signal?: AbortSignal): Promise<Response> {
  const limits = [AbortSignal.timeout(withinMs), ...(signal ? [signal] : [])];
  const response = await fetch(url, { signal: AbortSignal.any(limits) }).catch((error: Error) => {
    throw new Error(`${new URL(url).host} can't be reached (${causeOf(error)})`);
  });
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
  return response;
}

/** fetch says only "fetch failed"; its cause says why. */
function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function atMost(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      done(seen > bytes ? new Error('the archive is too large') : null, chunk);
    },
  });
}

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { buildTemporal } from '../../start/temporal-build.ts';
import { findTemporal, type Maker } from '../../start/temporal-binary.ts';
import { downloadFrom } from '../../start/temporal-download.ts';
import { listener, temporaryFolder, until } from './support.ts';

/** A program that only knows what version it is. */
function program(path: string, says: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(path, 0o755);
  return path;
}

const RECENT = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';
const OLD = 'temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)';

/** A home with nothing in it, and a PATH with the system's programs only. */
function place() {
  const folder = temporaryFolder();
  const [bin, cache] = [join(folder, 'bin'), join(folder, 'cache', 'durable-orders')];
  const { told, progress } = listener();
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), PATH: `${bin}:/usr/bin:/bin` };
  return { bin, cache, told, options: { env, progress } };
}

const failing = (reason: string): Maker => {
  return () => Promise.reject(new Error(reason));
};

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('takes the one on PATH when it is recent enough', async () => {
  const { bin, options } = place();
  const path = program(join(bin, 'temporal'), RECENT);
  expect(await findTemporal(options, [])).toBe(path);
});

it('says why it does not take an old one, nor one that does not run, and takes the cached one', async () => {
  const { bin, cache, told, options } = place();
  program(join(bin, 'temporal'), OLD);
  const cached = program(join(cache, `temporal-1.5.1-${process.platform}-${process.arch}`), RECENT);
  expect(await findTemporal(options, [])).toBe(cached);
  expect(told).toEqual([`Temporal: not using ${bin}/temporal: it says "${OLD}", and server 1.29 or newer is needed`]);
});

it('tries one way after the other, and keeps what it got', async () => {
  const { cache, told, options } = place();
  const make: Maker = (folder) => Promise.resolve(program(join(folder, 'temporal'), RECENT));
  const found = await findTemporal(options, [
    { what: 'download', make: failing('no network') },
    { what: 'go install', make },
  ]);
  expect(readdirSync(cache)).toEqual([`temporal-1.5.1-${process.platform}-${process.arch}`]);
  expect(told).toEqual(['Temporal: download: no network']);
  expect(await findTemporal(options, [])).toBe(found);
});

it('says what to install when nothing works', async () => {
  const { options } = place();
  const makers = [
    { what: 'download', make: failing('no network') },
    { what: 'go install', make: buildTemporal },
  ];
  await expect(findTemporal(options, makers)).rejects.toThrow(
    /no Temporal server to start:\n {2}- download: no network\n {2}- go install: there is no Go on PATH\n.*install the Temporal CLI/,
  );
});

it('is made once when two start at the same time', async () => {
  const { bin, options } = place();
  const count = join(bin, '..', 'count');
  const build = `echo x >> ${count}; sleep 0.3; printf '#!/bin/sh\\necho "${RECENT}"\\n' > $GOBIN/temporal; chmod +x $GOBIN/temporal`;
  mkdirSync(bin);
  writeFileSync(join(bin, 'go'), `#!/bin/sh\n[ "$1" = version ] && exit 0\n${build}\n`, { mode: 0o755 });
  const find = () => findTemporal(options, [{ what: 'go install', make: buildTemporal }]);
  const [one, two] = await Promise.all([find(), find()]);
  expect(one).toBe(two);
  expect(readFileSync(count, 'utf8')).toBe('x\n');
});

it('ends a build that a killed run left behind', async () => {
  const { bin, cache, options } = place();
  mkdirSync(bin);
  writeFileSync(join(bin, 'go'), '#!/bin/sh\n[ "$1" = version ] && exit 0\nexec sleep 60\n', { mode: 0o755 });
  mkdirSync(join(cache, 'making-left'), { recursive: true });
  const left = buildTemporal(join(cache, 'making-left'), '1.5.1', options);
  const ended = expect(left).rejects.toThrow('it failed (signal SIGINT)');
  await until(() => readdirSync(join(cache, 'making-left')).includes('go-install.pid'));
  const make: Maker = (folder) => Promise.resolve(program(join(folder, 'temporal'), RECENT));
  await findTemporal(options, [{ what: 'test', make }]);
  await ended;
});

it('downloads and unpacks a release', async () => {
  const { options } = place();
  const [there, here] = [temporaryFolder(), temporaryFolder()];
  program(join(there, 'temporal'), RECENT);
  execFileSync('tar', ['-czf', 'release.tar.gz', 'temporal'], { cwd: there });
  const asked: string[] = [];
  const origin = await serve((request, response) => {
    asked.push(request.url!);
    const info = JSON.stringify({ archiveUrl: `${origin}/release.tar.gz`, fileToExtract: 'temporal' });
    response.end(request.url === '/release.tar.gz' ? readFileSync(join(there, 'release.tar.gz')) : info);
  });
  const path = await downloadFrom(`${origin}/cli`, here, '1.5.1', options);
  expect(execFileSync(path, { encoding: 'utf8' }).trim()).toBe(RECENT);
  expect(asked[0]).toMatch(/^\/cli\/v1\.5\.1\?arch=(amd64|arm64)&platform=(linux|darwin)/);
});

it.each([
  ['a refusal', 404, '', /answered 404/],
  [
    'a path that leads elsewhere',
    200,
    '{"archiveUrl": "http://x", "fileToExtract": "../../bin/sh"}',
    /names an odd file/,
  ],
])('refuses %s', async (_, status, body, message) => {
  const { options } = place();
  const origin = await serve((_request, response) => void response.writeHead(status).end(body));
  await expect(downloadFrom(origin, temporaryFolder(), '1.5.1', options)).rejects.toThrow(message);
});

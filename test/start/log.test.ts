import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileLog, createLog } from '../../start/log.ts';
import { listener, temporaryFolder } from './support.ts';

function linesOf(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  write(createLog('info', { write: (line) => void (text += line) }));
  return text;
}

describe('a log never holds', () => {
  it.each(['authorization', 'cookie', 'password', 'x-api-key', 'privateKey', 'databaseUrl'])('%s', (field) => {
    const text = linesOf((log) => {
      log.info({ [field]: 'hunter2' }, 'plain');
      log.info({ headers: { [field]: 'hunter2' } }, 'in headers');
      log.info({ req: { headers: { [field]: 'hunter2' } } }, 'in a request');
    });
    expect(text).not.toContain('hunter2');
    expect(text.match(/\[redacted\]/g)).toHaveLength(3);
  });
});

it('writes JSON lines with a time and a level in words', () => {
  const line = JSON.parse(linesOf((log) => log.warn({ order: 'ord_1' }, 'odd'))) as Record<string, unknown>;
  expect(line).toEqual({ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), order: 'ord_1', msg: 'odd' });
});

describe('the embedded mode', () => {
  it('logs to a file of its owner, and tells only errors, and each once', () => {
    const file = join(temporaryFolder(), 'logs', 'orders.log');
    const { told, progress } = listener();
    const log = createFileLog('info', file, progress);
    log.info('usual');
    for (let i = 0; i < 3; i++) log.error({ err: new Error('no route') }, 'The notifier failed');
    log.error(new Error('alone'));
    expect(told).toEqual(['Error: The notifier failed: no route', 'Error: alone']);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(5);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

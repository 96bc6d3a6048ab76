import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileLog, createLog } from '../../start/log.ts';
import { fieldsOf } from '../../worker/logging.ts';
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

it('tells an activity’s error with its message, and without the row that a database quotes', () => {
  const detail = { detail: 'Failing row contains (Ada, 13800138000)', code: '23502' };
  const error = Object.assign(new Error('violates not-null'), detail);
  const wrapped = new Error('not saved', { cause: error });
  for (const each of [error, wrapped]) {
    const text = linesOf((log) =>
      log.warn(fieldsOf({ error: each, workflowId: 'order/ord_1', activityType: 'save' }), 'x'),
    );
    expect(JSON.parse(text)).toMatchObject({
      order: 'ord_1',
      err: { message: expect.stringContaining(each.message), stack: expect.any(String) },
      temporal: { activityType: 'save' },
    });
    expect(text).toContain('violates not-null');
    expect(text).not.toContain('Failing row');
  }
  expect(JSON.parse(linesOf((log) => log.info(fieldsOf({ taskQueue: 'orders' }), 'x')))).not.toHaveProperty('err');
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

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

/** As an error is told that the line has told before. */
const shortly = ({ name, message }: Error) => ({ type: name, message });

describe('an error is told with what it is and says, without the row that a database quotes', () => {
  const detail = { detail: 'Failing row contains (Ada, 13800138000)', code: '23502' };
  const error = Object.assign(new TypeError('violates not-null'), detail);
  const told = { type: 'TypeError', message: 'violates not-null', stack: expect.any(String), code: '23502' };
  const wrapped = new Error('not saved', { cause: error });
  const toldAsCause = { type: 'Error', message: 'not saved', stack: expect.any(String), cause: told };
  const several = new AggregateError([error, wrapped, 'Ada']);
  const toldAgain = { type: 'Error', message: 'not saved', stack: expect.any(String), cause: shortly(error) };
  const toldEach = { type: 'AggregateError', message: '', stack: expect.any(String) };
  const all = [
    [error, told],
    [wrapped, toldAsCause],
    [several, { ...toldEach, errors: [told, toldAgain, { message: 'string' }] }],
  ] as const;

  it.each(all)('however it is logged: %s', (each, expected) => {
    const text = linesOf((log) => {
      log.error({ err: each }, 'a request failed');
      log.child({ request: 'r-1' }).warn({ err: each }, 'a request came too early');
      log.error(each);
    });
    const errors = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).err);
    expect(errors).toEqual([expected, expected, expected]);
    expect(text).not.toMatch(/Failing row|Ada/);
  });

  it.each(all)('of an activity: %s', (each, expected) => {
    const fields = fieldsOf({ error: each, workflowId: 'order/ord_1', activityType: 'save' });
    const text = linesOf((log) => log.warn(fields, 'x'));
    expect(JSON.parse(text)).toMatchObject({ order: 'ord_1', err: expected, temporal: { activityType: 'save' } });
    expect(text).not.toMatch(/Failing row|Ada/);
  });

  it('of an activity that did not fail there is none', () => {
    expect(JSON.parse(linesOf((log) => log.info(fieldsOf({ taskQueue: 'orders' }), 'x')))).not.toHaveProperty('err');
  });
});

it('an error whose causes never end is told of as far as a line goes', () => {
  const circle = new Error('first');
  circle.cause = new AggregateError([circle, circle], 'second');
  const errOf = (err: Error) => JSON.parse(linesOf((log) => log.error({ err }, 'x'))).err;
  expect(errOf(circle)).toMatchObject({ message: 'first', cause: { errors: [shortly(circle), shortly(circle)] } });
  let chain = new Error('0');
  for (let i = 1; i < 1_000; i++) chain = new Error(`${i}`, { cause: chain });
  expect(JSON.stringify(errOf(chain)).match(/"stack"/g)).toHaveLength(20);
});

it('what was thrown and is no error is not told', () => {
  const text = linesOf((log) => log.error({ err: 'card 4111' }, 'a request failed'));
  expect(JSON.parse(text)).toMatchObject({ err: { message: 'string' } });
  expect(text).not.toContain('4111');
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

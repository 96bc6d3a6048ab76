import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alarms } from '../../simulator/alarms.ts';
import { selfSignedCertificate } from '../../simulator/certificate.ts';
import { readOptions } from '../../simulator/config.ts';
import { integer, oid, sequence, utcTime, utf8 } from '../../simulator/der.ts';
import { readableAmount } from '../../simulator/layout.ts';
import { beijingDay, beijingTime } from '../../simulator/wechatpay/time.ts';
import { merchant, temporaryFolder } from './support.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');

describe('DER', () => {
  it('writes lengths of every size', () => {
    expect(hex(utf8('a'.repeat(127))).slice(0, 4)).toBe('0c7f');
    expect(hex(utf8('a'.repeat(128))).slice(0, 6)).toBe('0c8180');
    expect(hex(utf8('a'.repeat(256))).slice(0, 8)).toBe('0c820100');
    expect(hex(utf8('a'.repeat(70_000))).slice(0, 10)).toBe('0c83011170');
  });

  it('writes what the standard shows', () => {
    expect(hex(oid('1.2.840.113549.1.1.11'))).toBe('06092a864886f70d01010b');
    expect(hex(integer(Buffer.from([0x80])))).toBe('02020080');
    expect(hex(integer(Buffer.from([0x7f])))).toBe('02017f');
    expect(hex(utcTime(new Date('2026-11-21T02:03:04.999Z')))).toBe(
      `170d${Buffer.from('261121020304Z').toString('hex')}`,
    );
    expect(hex(sequence())).toBe('3000');
  });
});

describe('a certificate', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const name = { C: 'CN', O: '某公司', OU: 'unit', CN: 'Tenpay.com sign' };
  const from = new Date('2026-11-20T00:00:00Z');
  const until = new Date('2031-11-20T00:00:00Z');
  const pem = selfSignedCertificate({
    ...pair,
    serial: Buffer.from(`5f${'00ff'.repeat(9)}01`, 'hex'),
    name,
    from,
    until,
  });

  it('is read by Node', () => {
    const certificate = new X509Certificate(pem);
    expect(certificate.verify(pair.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(pair.privateKey)).toBe(true);
    expect(certificate.serialNumber).toBe(`5F${'00FF'.repeat(9)}01`);
    expect(certificate.subject).toBe('C=CN\nO=某公司\nOU=unit\nCN=Tenpay.com sign');
    expect([Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]).toEqual([
      from.getTime(),
      until.getTime(),
    ]);
  });
});

describe('times and amounts', () => {
  it('are Beijing’s, whatever the server’s zone', () => {
    const at = Date.parse('2026-11-20T16:00:00.999Z');
    expect([beijingTime(at), beijingDay(at)]).toEqual(['2026-11-21T00:00:00+08:00', '20261121']);
  });

  it.each([
    [1, '0.01 CNY'],
    [10, '0.10 CNY'],
    [99_999_999_999, '999999999.99 CNY'],
  ])('%i is %s', (amount, text) => expect(readableAmount(amount, 'CNY')).toBe(text));
});

describe('alarms', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ring at their time, also beyond what a timer can wait', () => {
    const alarms = new Alarms(Date.now);
    const rung: string[] = [];
    const day = 24 * 3600_000;
    alarms.set('far', Date.now() + 40 * day, () => rung.push('far'));
    alarms.set('past', 0, () => rung.push('past'));
    alarms.set('moved', Date.now() + day, () => rung.push('never'));
    alarms.set('moved', Date.now() + 2 * day, () => rung.push('moved'));
    alarms.set('cleared', Date.now() + day, () => rung.push('never'));
    alarms.clear('cleared');
    vi.advanceTimersByTime(40 * day - 1);
    expect(rung).toEqual(['past', 'moved']);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual(['past', 'moved', 'far']);
  });

  it('are silent once stopped', () => {
    const alarms = new Alarms(Date.now);
    const ring = vi.fn<() => void>();
    alarms.set('a', Date.now() + 1, ring);
    alarms.stop();
    alarms.set('b', 0, ring);
    vi.advanceTimersByTime(1000);
    expect(ring).not.toHaveBeenCalled();
  });
});

describe('the options of a simulator alone', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  const file = async (content: unknown): Promise<string> => {
    const path = join(folder.path, 'merchants.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  it('come from the environment, with defaults', async () => {
    const SIMULATOR_CONFIG = await file({ merchants: [merchant] });
    expect(await readOptions({ SIMULATOR_CONFIG })).toEqual({
      port: 3100,
      dataDir: join('.data', 'simulator'),
      merchants: [merchant],
    });
    const set = await readOptions({ SIMULATOR_CONFIG, SIMULATOR_PORT: '4100', DATA_DIR: folder.path });
    expect([set.port, set.dataDir]).toEqual([4100, join(folder.path, 'simulator')]);
  });

  it.each([
    ['no file named', {}, /^SIMULATOR_CONFIG must name/],
    ['no such file', { SIMULATOR_CONFIG: '/nowhere/merchants.json' }, /^SIMULATOR_CONFIG: .* can't be read/],
    [
      'a port that is none',
      { SIMULATOR_PORT: '70000', SIMULATOR_CONFIG: 'x' },
      /^SIMULATOR_PORT must be a port.*"70000"/,
    ],
    ['a port as a word', { SIMULATOR_PORT: 'http', SIMULATOR_CONFIG: 'x' }, /^SIMULATOR_PORT/],
  ])('name the variable: %s', async (_what, env, message) => {
    await expect(readOptions(env)).rejects.toThrow(message);
  });

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['an unknown field', { merchants: [merchant], port: 1 }, /port/],
    ['no merchant', { merchants: [] }, /merchants/],
    ['a short key', { merchants: [{ ...merchant, apiV3Key: 'short' }] }, /apiV3Key/],
    ['a private field', { merchants: [{ ...merchant, privateKeyPem: 'x' }] }, /privateKeyPem/],
  ])('say what is wrong in the file: %s', async (_what, content, message) => {
    const SIMULATOR_CONFIG = await file(content);
    await expect(readOptions({ SIMULATOR_CONFIG })).rejects.toThrow(message);
    await expect(readOptions({ SIMULATOR_CONFIG })).rejects.toThrow(/^SIMULATOR_CONFIG/);
  });
});

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseKeys, readConfig, readPartConfig } from '../../start/config.ts';

const key = randomBytes(32).toString('base64');

function complaintAbout(env: Record<string, string>, read: typeof readConfig = readConfig): string {
  try {
    read(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`nothing was wrong with ${JSON.stringify(env)}`);
}

describe('without any variable', () => {
  it('is the configuration of the contract', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      simulatorPort: 3100,
      workerPort: 3001,
      temporalPort: 7233,
      temporalUiPort: 8233,
      hasTemporal: false,
      temporalUiUrl: null,
      databaseUrl: null,
      dataDir: resolve('.data'),
      encryptionKeys: null,
      logLevel: 'info',
      courseNotifySecret: null,
      requestsPerMinute: 1200,
    });
  });
  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ', ENCRYPTION_KEYS: '', LOG_LEVEL: '' })).toEqual(readConfig({}));
  });
});

describe('takes', () => {
  it('the public address from the port, unless told', () => {
    expect(readConfig({ PORT: '4000' }).publicUrl).toBe('http://localhost:4000');
    expect(readConfig({ PUBLIC_URL: 'https://pay.example.com/shop/' }).publicUrl).toBe('https://pay.example.com/shop');
  });
  it.each(['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'])('another Temporal from %s', (variable) => {
    const config = readConfig({ [variable]: 'x', TEMPORAL_UI_URL: 'https://ui.example.com', TEMPORAL_NAMESPACE: 'ns' });
    expect(config).toMatchObject({ hasTemporal: true, temporalUiUrl: 'https://ui.example.com' });
  });
  it('keys in their order', () => {
    const other = randomBytes(32).toString('base64');
    const { encryptionKeys } = readConfig({ ENCRYPTION_KEYS: `new:${key}, old_1:${other}` });
    expect(encryptionKeys?.map(({ id }) => id)).toEqual(['new', 'old_1']);
    expect(encryptionKeys?.[0].key.toString('base64')).toBe(key);
  });
  it.each(['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost', 'api-1.internal'])('the host %s', (HOST) => {
    expect(readConfig({ HOST }).host).toBe(HOST);
  });
  it('one port for two things of which only one is started', () => {
    expect(readConfig({ TEMPORAL_ADDRESS: 'elsewhere:7233', PORT: '7233' }).port).toBe(7233);
  });
});

describe('rejects, naming the variable, the value and the rule,', () => {
  it.each([
    [{ PORT: '0' }, /^PORT is "0": a port is a whole number from 1 to 65535/],
    [{ PORT: '65536' }, /^PORT is "65536"/],
    [{ PORT: '3000.5' }, /^PORT is "3000.5"/],
    [{ SIMULATOR_PORT: 'http' }, /^SIMULATOR_PORT is "http"/],
    [{ TEMPORAL_PORT: '-1' }, /^TEMPORAL_PORT is "-1"/],
    [{ TEMPORAL_UI_PORT: '1e3' }, /^TEMPORAL_UI_PORT is "1e3"/],
    [{ PORT: '3100' }, /^SIMULATOR_PORT is "3100": PORT is 3100 too/],
    [{ TEMPORAL_UI_PORT: '3000' }, /^TEMPORAL_UI_PORT is "3000": PORT is 3000 too/],
    [{ PUBLIC_URL: 'shop.example.com' }, /^PUBLIC_URL is "shop.example.com": an http or https address/],
    [{ PUBLIC_URL: 'ftp://x' }, /^PUBLIC_URL is "ftp:/],
    [{ PUBLIC_URL: 'https://x/?a=1' }, /^PUBLIC_URL/],
    [{ TEMPORAL_UI_URL: 'localhost:8233' }, /^TEMPORAL_UI_URL is "localhost:8233"/],
    [{ HOST: '127.0.0.1:3000' }, /^HOST is "127.0.0.1:3000"/],
    [{ HOST: 'http://x' }, /^HOST is/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud": one of fatal, error, warn/],
    [{ TEMPORAL_API_KEY: 'k' }, /^TEMPORAL_API_KEY is set, but TEMPORAL_ADDRESS is not/],
  ])('%j', (env, message) => {
    expect(complaintAbout(env as unknown as Record<string, string>)).toMatch(message);
  });
});

describe('never shows', () => {
  it('the password in DATABASE_URL', () => {
    const message = complaintAbout({ DATABASE_URL: 'mysql://me:hunter2@db/orders' });
    expect(message).toMatch(/^DATABASE_URL .*postgres:\/\//);
    expect(message).not.toContain('hunter2');
  });
  it.each([
    ['no id', key],
    ['a bad id', `a b:${key}`],
    ['a short key', 'k1:c2hvcnQ='],
    ['what is no base64', `k1:${'*'.repeat(43)}=`],
    ['a third field', `k1:${key}:x`],
    ['an empty entry', `k1:${key},`],
  ])('a key: %s', (_, ENCRYPTION_KEYS) => {
    const message = complaintAbout({ ENCRYPTION_KEYS });
    expect(message).toMatch(/^ENCRYPTION_KEYS: key number [12] /);
    for (const secret of ENCRYPTION_KEYS.split(/[:,]/).filter((part) => part.length > 8)) {
      expect(message).not.toContain(secret);
    }
  });
  it('but says which id is used twice', () => {
    expect(() => parseKeys('ENCRYPTION_KEYS', `k1:${key},k1:${key}`)).toThrow('two keys with the id "k1"');
  });
});

describe('a part started alone', () => {
  const env = { DATABASE_URL: 'postgres://db/orders', ENCRYPTION_KEYS: `k1:${key}` };
  it('listens to the outside', () => {
    expect(readPartConfig(env)).toMatchObject({ host: '0.0.0.0', databaseUrl: env.DATABASE_URL });
    expect(readPartConfig({ ...env, HOST: '127.0.0.1' }).host).toBe('127.0.0.1');
  });
  it('needs a database and keys', () => {
    expect(complaintAbout({ ENCRYPTION_KEYS: env.ENCRYPTION_KEYS }, readPartConfig)).toMatch(
      /^DATABASE_URL is not set/,
    );
    expect(complaintAbout({ DATABASE_URL: env.DATABASE_URL }, readPartConfig)).toMatch(/^ENCRYPTION_KEYS is not set/);
  });
});

describe("the course clients' secret", () => {
  it('is taken from its variable, and never shown', () => {
    const secret = 'a-secret-of-some-length';
    expect(readConfig({ COURSE_NOTIFY_SECRET: secret }).courseNotifySecret).toBe(secret);
    expect(readConfig({}).courseNotifySecret).toBeNull();
    const complaint = complaintAbout({ COURSE_NOTIFY_SECRET: 'short-secret' });
    expect(complaint).toMatch(/^COURSE_NOTIFY_SECRET .* at least 16 characters/);
    expect(complaint).not.toContain('short-secret');
  });
});

describe('the rate of requests', () => {
  it('is taken from its variable', () => expect(readConfig({ REQUESTS_PER_MINUTE: '60' }).requestsPerMinute).toBe(60));
  it.each(['0', '-1', '1.5', 'many'])('is not %s', (rate) => {
    expect(() => readConfig({ REQUESTS_PER_MINUTE: rate })).toThrow(/REQUESTS_PER_MINUTE/);
  });
});

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseKeys, type EncryptionKeys } from './config.ts';
import { keepSecret } from './secrets.ts';

/** In the data folder. */
export const KEYS_FILE = 'encryption-keys';

/**
 * The keys of the embedded mode: made once, and kept in the data folder as ENCRYPTION_KEYS would be written.
 * @throws ConfigError when somebody has spoilt the file.
 */
export function keysOf(dataDir: string): EncryptionKeys {
  const file = join(dataDir, KEYS_FILE);
  return parseKeys(
    file,
    keepSecret(file, () => `k1:${randomBytes(32).toString('base64')}`),
  );
}

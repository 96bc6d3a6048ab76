/**
 * WeChat Pay's platform certificates, for accounts that have no public key of it (providers.md 2.4): fetched when first
 * needed, kept for the process, fetched anew before they are old and when a name comes up that isn't among them.
 */
import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { parseJson, type Edge, type HttpAnswer } from './http.ts';
import { ProviderError } from './provider.ts';
import { openAes256Gcm } from './signing.ts';
import { findFlaw } from './wechatpay-seal.ts';

/** Who may sign for WeChat Pay. */
export type PlatformKeys = {
  /** Before anything is sent: its answer will be verifiable. @throws ProviderError busy */
  ready: () => Promise<void>;
  /** undefined: no key of WeChat Pay's that is good now. @throws ProviderError busy: can't be told now */
  keyOf: (serial: string) => Promise<KeyObject | undefined>;
};

/** WeChat Pay asks for less than 12 hours. */
const OLD_MS = 11 * 3_600_000;
/** Anybody can send us names that nobody knows: they make us ask so often at most. */
const BETWEEN_UNKNOWN_MS = 60_000;
/** Nor do we press a list that can't be had. */
const AFTER_FAILURE_MS = 10_000;
const WHEN_REFUSED = 'for a merchant with a public key, put it into the account as platformKeys';
const MOST_KEPT = 1_000;

type Certificate = { serial: string; from: number; to: number; publicKey: KeyObject };
type Kept = {
  certificates: readonly Certificate[];
  /** Epoch milliseconds, of the last time that went well. */
  fetchedAt: number;
  failure: { error: ProviderError; until: number } | null;
  underWay: Promise<void> | null;
};

/** Certificates last for years and adapters for seconds, so they are kept by the account they are encrypted for. */
const kept = new Map<string, Kept>();

/** What tells accounts apart; a corrected key begins anew. */
export type CertificateOwner = { mchid: string; serialNo: string; privateKey: string; apiV3Key: string };

/** @param list asks for GET /v3/certificates; throws ProviderError for anything but a 200 */
export function fetchedKeys(owner: CertificateOwner, edge: Edge, list: () => Promise<HttpAnswer>): PlatformKeys {
  const own = keptFor(owner, edge);
  const goodNow = () => own.certificates.filter((certificate) => isGood(certificate, edge.now()));

  async function refresh(): Promise<void> {
    const { failure } = own;
    if (failure && edge.now() < failure.until) throw failure.error;
    own.underWay ??= fetchInto(own, owner, edge, list).finally(() => (own.underWay = null));
    return own.underWay;
  }
  async function ready(): Promise<void> {
    if (goodNow().length > 0 && edge.now() - own.fetchedAt < OLD_MS) return;
    await refresh().catch((error: unknown) => {
      // Old, but good: WeChat Pay's trouble with its list must not stop payments.
      if (goodNow().length === 0) throw error;
    });
  }
  async function keyOf(serial: string): Promise<KeyObject | undefined> {
    await ready();
    const find = () => goodNow().find((certificate) => certificate.serial === serial)?.publicKey;
    const isCertificate = /^[0-9A-F]{1,40}$/.test(serial); // And no PUB_KEY_ID_…
    if (isCertificate && !find() && edge.now() - own.fetchedAt >= BETWEEN_UNKNOWN_MS) await refresh();
    return find();
  }
  return { ready, keyOf };
}

function keptFor({ mchid, serialNo, privateKey, apiV3Key }: CertificateOwner, { baseUrl }: Edge): Kept {
  const name = createHash('sha256')
    .update(JSON.stringify([baseUrl, mchid, serialNo, privateKey, apiV3Key]))
    .digest('hex');
  const known = kept.get(name);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const fresh: Kept = { certificates: [], fetchedAt: Number.NEGATIVE_INFINITY, failure: null, underWay: null };
  kept.set(name, fresh);
  return fresh;
}

const isGood = ({ from, to }: Certificate, nowMs: number): boolean => from <= nowMs && nowMs <= to;

/** What WeChat Pay no longer lists is no longer trusted. */
async function fetchInto(own: Kept, owner: CertificateOwner, edge: Edge, list: () => Promise<HttpAnswer>) {
  const began = edge.now();
  try {
    own.certificates = await certificatesIn(await list(), owner, edge);
    own.fetchedAt = began;
    own.failure = null;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    // Whatever the certificates are for was not sent yet, even where WeChat Pay refuses them: never a "refused" of that.
    const { code } = error;
    const message = error.outcome === 'refused' ? `${error.message} (${WHEN_REFUSED})` : error.message;
    const pause = Math.max(error.retryAfterMs ?? 0, AFTER_FAILURE_MS);
    const busy = new ProviderError('busy', code, message, { retryAfterMs: pause, cause: error });
    own.failure = { error: busy, until: edge.now() + pause };
    throw busy;
  }
}

const List = z.object({
  data: z.array(
    z.object({
      serial_no: z.string(),
      encrypt_certificate: z.object({
        algorithm: z.literal('AEAD_AES_256_GCM'),
        nonce: z.string(),
        associated_data: z.string(),
        ciphertext: z.string(),
      }),
    }),
  ),
});

/**
 * The answer is signed with one of the certificates that it brings. They can be believed, as nobody but WeChat Pay and
 * the merchant has the APIv3 key that they are encrypted with.
 */
async function certificatesIn({ headers, body }: HttpAnswer, owner: CertificateOwner, edge: Edge) {
  const { data, error } = List.safeParse(parseJson(body));
  if (error)
    throw wrong('malformed_answer', `malformed answer: ${error.issues.map(({ path }) => path.join('.')).join(', ')}`);
  const apiV3Key = Buffer.from(owner.apiV3Key);
  const certificates = data.data
    .map(({ serial_no, encrypt_certificate: { ciphertext, nonce, associated_data } }) => {
      const pem = openAes256Gcm(apiV3Key, { ciphertext, nonce, associatedData: associated_data });
      if (!pem) throw wrong('undecryptable_certificate', "does not decrypt: is the account's apiV3Key the right one?");
      return certificateIn(pem, serial_no);
    })
    .filter((certificate) => isGood(certificate, edge.now()));
  const keyOf = (serial: string) => certificates.find((certificate) => certificate.serial === serial)?.publicKey;
  const flaw = await findFlaw(keyOf, edge.now(), headers, body);
  if (flaw !== undefined) throw wrong('unverified_answer', flaw);
  return certificates;
}

function certificateIn(pem: Buffer, serial: string): Certificate {
  const { serialNumber, validFrom, validTo, publicKey } = readCertificate(pem);
  if (serialNumber !== serial || publicKey.asymmetricKeyType !== 'rsa')
    throw wrong('malformed_answer', 'not the RSA certificate that its serial_no names');
  return { serial, from: Date.parse(validFrom), to: Date.parse(validTo), publicKey };
}

function readCertificate(pem: Buffer): Pick<X509Certificate, 'serialNumber' | 'validFrom' | 'validTo' | 'publicKey'> {
  try {
    const { serialNumber, validFrom, validTo, publicKey } = new X509Certificate(pem);
    return { serialNumber, validFrom, validTo, publicKey };
  } catch {
    throw wrong('malformed_answer', 'not a certificate');
  }
}

const wrong = (code: string, flaw: string): ProviderError =>
  new ProviderError('unknown', code, `wechatpay certificates: ${flaw}`);

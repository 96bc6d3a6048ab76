/** Whether an event is PayPal's own (providers.md 5.7). */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { crc32 } from 'node:zlib';
import { certificatesIn, isValidAt, isVouchedFor } from './certificate-chain.ts';
import { call, type Edge } from './http.ts';
import { NoticeRejected, ProviderError } from './provider.ts';
import { verifyRsaSha256 } from './signing.ts';

const CERTIFICATE_HOSTS = ['api.paypal.com', 'api-m.paypal.com', 'api.sandbox.paypal.com', 'api-m.sandbox.paypal.com'];
const CERTIFICATE_PATH = '/v1/notifications/certs/';

/** What is signed: it names our webhook, so that an event for another one is none for us. */
export function signedText(transmission: { id: string; time: string }, webhookId: string, body: Uint8Array): string {
  return `${transmission.id}|${transmission.time}|${webhookId}|${crc32(body)}`;
}

/** Who gets events, and whom they trust. */
type Receiver = { webhookId: string; trusted: readonly X509Certificate[]; edge: Edge };

/**
 * An event may come days after it was signed, so its time is no reason to refuse it; repeated, it has the same id.
 * @throws NoticeRejected; ProviderError where the certificate could not be fetched: to be sent again
 */
export async function verifyEvent(
  { webhookId, trusted, edge }: Receiver,
  headers: Headers,
  body: Uint8Array,
): Promise<void> {
  const [algorithm, certUrl, id, time, signature] = [
    'auth-algo',
    'cert-url',
    'transmission-id',
    'transmission-time',
    'transmission-sig',
  ].map((name) => headers.get(`paypal-${name}`) ?? '');
  if (!certUrl || !id || !time || !signature) throw rejected('not signed');
  if (algorithm !== 'SHA256withRSA') throw rejected('signed in an unknown way');
  const chain = await chainAt(certUrl, edge);
  const flaw = chainFlaw(chain, trusted, edge.now());
  if (flaw !== undefined) throw rejected(flaw);
  if (!verifyRsaSha256(chain[0].publicKey, signedText({ id, time }, webhookId, body), signature))
    throw rejected('signature does not hold');
}

const rejected = (flaw: string): NoticeRejected => new NoticeRejected(`paypal notice: ${flaw}`);

/** The certificate that signs events, and others that came with it. */
type Chain = [X509Certificate, ...X509Certificate[]];

/** Who can serve there is trusted; but not everything that is served there signs events. */
function chainFlaw(
  [certificate, ...others]: Chain,
  trusted: readonly X509Certificate[],
  nowMs: number,
): string | undefined {
  const name = String(certificate.toLegacyObject().subject.CN ?? '');
  if (!name.endsWith('.paypal.com')) return "not PayPal's certificate";
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') return 'not an RSA key';
  if (!isValidAt(certificate, nowMs)) return 'the certificate is not valid now';
  return isVouchedFor(certificate, others, trusted, nowMs)
    ? undefined
    : 'nobody whom we trust vouches for the certificate';
}

const MOST_KEPT = 50;
/** A certificate never changes under its address. */
const kept = new Map<string, Chain>();

async function chainAt(address: string, edge: Edge): Promise<Chain> {
  const url = allowedUrl(address, edge);
  const known = kept.get(url.href);
  if (known) return known;
  const answer = await call(edge, 'paypal certificate', { method: 'GET', url, headers: {}, body: null });
  if (answer.status >= 500)
    throw new ProviderError('busy', `HTTP_${answer.status}`, 'paypal certificate: not served now');
  if (answer.status !== 200) throw rejected('there is no such certificate');
  const chain = chainIn(answer.body);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(url.href, chain);
  return chain;
}

/** PayPal's own hosts, and wherever its API is for this account: the simulator's. */
function allowedUrl(address: string, { baseUrl }: Edge): URL {
  if (!URL.canParse(address)) throw rejected('its certificate has no address');
  const url = new URL(address);
  const isPayPals = url.protocol === 'https:' && url.port === '' && CERTIFICATE_HOSTS.includes(url.hostname);
  const isPlain = url.username === '' && url.password === '' && url.search === '';
  if ((isPayPals || url.origin === new URL(baseUrl).origin) && isPlain && url.pathname.startsWith(CERTIFICATE_PATH))
    return url;
  throw rejected("its certificate is not at PayPal's");
}

function chainIn(pem: Buffer): Chain {
  try {
    const [certificate, ...others] = certificatesIn(pem.toString('latin1'));
    if (certificate) return [certificate, ...others];
  } catch {
    // As below.
  }
  throw rejected('no readable certificate');
}

let systems: readonly X509Certificate[] | undefined;

/** The system's roots, and what an account names besides (PEM). @throws Error for what can't be read; names the field */
export function trustedCertificates(pem = ''): readonly X509Certificate[] {
  systems ??= rootCertificates.map((root) => new X509Certificate(root));
  if (pem === '') return systems;
  try {
    return [...chainIn(Buffer.from(pem)), ...systems];
  } catch {
    throw new Error('paypal trustedCertificates: no certificate in PEM form');
  }
}

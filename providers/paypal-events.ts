/** Whether an event is PayPal's own (providers.md 5.7). */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { call, type Edge } from './http.ts';
import { NoticeRejected, ProviderError } from './provider.ts';
import { verifyRsaSha256 } from './signing.ts';

const CERTIFICATE_HOSTS = ['api.paypal.com', 'api-m.paypal.com', 'api.sandbox.paypal.com', 'api-m.sandbox.paypal.com'];
const CERTIFICATE_PATH = '/v1/notifications/certs/';

/** What is signed: it names our webhook, so that an event for another one is none for us. */
export function signedText(transmission: { id: string; time: string }, webhookId: string, body: Uint8Array): string {
  return `${transmission.id}|${transmission.time}|${webhookId}|${crc32(body)}`;
}

/**
 * An event may come days after it was signed, so its time is no reason to refuse it; repeated, it has the same id.
 * @throws NoticeRejected; ProviderError where the certificate could not be fetched: to be sent again
 */
export async function verifyEvent(webhookId: string, edge: Edge, headers: Headers, body: Uint8Array): Promise<void> {
  const [algorithm, certUrl, id, time, signature] = [
    'auth-algo',
    'cert-url',
    'transmission-id',
    'transmission-time',
    'transmission-sig',
  ].map((name) => headers.get(`paypal-${name}`) ?? '');
  if (!certUrl || !id || !time || !signature) throw rejected('not signed');
  if (algorithm !== 'SHA256withRSA') throw rejected('signed in an unknown way');
  const certificate = await certificateAt(certUrl, edge);
  const flaw = certificateFlaw(certificate, edge.now());
  if (flaw !== undefined) throw rejected(flaw);
  if (!verifyRsaSha256(certificate.publicKey, signedText({ id, time }, webhookId, body), signature))
    throw rejected('signature does not hold');
}

const rejected = (flaw: string): NoticeRejected => new NoticeRejected(`paypal notice: ${flaw}`);

type Certificate = { name: string; from: number; to: number; publicKey: KeyObject };

/** Who can serve there is trusted; but not everything that is served there signs events. */
function certificateFlaw({ name, from, to, publicKey }: Certificate, nowMs: number): string | undefined {
  if (!name.endsWith('.paypal.com')) return "not PayPal's certificate";
  if (publicKey.asymmetricKeyType !== 'rsa') return 'not an RSA key';
  return from <= nowMs && nowMs <= to ? undefined : 'the certificate is not valid now';
}

const MOST_KEPT = 50;
/** A certificate never changes under its address. */
const kept = new Map<string, Certificate>();

async function certificateAt(address: string, edge: Edge): Promise<Certificate> {
  const url = allowedUrl(address, edge);
  const known = kept.get(url.href);
  if (known) return known;
  const answer = await call(edge, 'paypal certificate', { method: 'GET', url, headers: {}, body: null });
  if (answer.status >= 500)
    throw new ProviderError('busy', `HTTP_${answer.status}`, 'paypal certificate: not served now');
  if (answer.status !== 200) throw rejected('there is no such certificate');
  const certificate = certificateIn(answer.body);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(url.href, certificate);
  return certificate;
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

function certificateIn(pem: Uint8Array): Certificate {
  try {
    const certificate = new X509Certificate(pem);
    const { validFrom, validTo, publicKey } = certificate;
    const name = String(certificate.toLegacyObject().subject.CN ?? '');
    return { name, from: Date.parse(validFrom), to: Date.parse(validTo), publicKey };
  } catch {
    throw rejected('no readable certificate');
  }
}

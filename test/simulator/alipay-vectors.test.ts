import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../simulator/alipay/gateway.ts';
import {
  certificateSn,
  noticeText,
  requestText,
  rootCertificateSn,
  rsaSign,
  rsaVerify,
} from '../../simulator/alipay/signature.ts';
import { keys, privateKey, publicKeyOf } from './support.ts';

type Vector = {
  name: string;
  kind: string;
  method: string;
  key: string;
  sign: string | null;
  params: Record<string, string>;
  canonical: string;
  http_body: string;
  signed_text: string;
};
const { vectors, cert_sn: sn } = JSON.parse(
  readFileSync(new URL('../vectors/alipay.json', import.meta.url), 'utf8'),
) as { vectors: Vector[]; cert_sn: Record<string, string> };
const ofKind = (kind: string) => vectors.filter((vector) => vector.kind === kind);
const publicKey = (name: string) => createPublicKey(publicKeyOf(privateKey(name)));
const certificate = (name: string) => keys[name]?.['cert_pem'] ?? '';

it('there is something to compare', () => {
  expect(['request', 'response', 'notify'].map((kind) => ofKind(kind).length)).toEqual([5, 4, 2]);
});

describe('requests of the vectors', () => {
  it.each(ofKind('request'))('$name holds, and no changed one does', ({ params, canonical, sign, key }) => {
    expect(requestText(params)).toBe(canonical);
    expect(rsaVerify(canonical, sign ?? '', publicKey(key))).toBe(true);
    expect(rsaVerify(`${canonical} `, sign ?? '', publicKey(key))).toBe(false);
    expect(rsaVerify(canonical, sign ?? '', publicKey('alipay_platform'))).toBe(false);
  });
});

describe('what Alipay signs', () => {
  it.each(ofKind('response'))('answers $name byte for byte', ({ method, signed_text: text, sign, key, http_body }) => {
    const privateKeyOfVector = createPrivateKey(privateKey(key));
    const certSn = http_body.includes('alipay_cert_sn') ? (sn['alipay_cert_sn'] ?? '') : null;
    const signer = (isCorrupt: boolean) =>
      sign === null ? undefined : { privateKey: privateKeyOfVector, certSn, isCorrupt };
    const node = JSON.parse(text) as object;
    expect(bodyOf({ method }, node, signer(false))).toBe(http_body);
    if (sign !== null) expect(bodyOf({ method }, node, signer(true))).not.toContain(sign);
  });

  it.each(ofKind('notify'))('reproduces $name byte for byte', ({ params, canonical, sign, key, http_body: body }) => {
    expect(noticeText(params)).toBe(canonical);
    expect(rsaSign(canonical, createPrivateKey(privateKey(key)))).toBe(sign);
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual(params);
  });
});

it('numbers certificates as Alipay does', () => {
  expect(certificateSn(certificate('alipay_app'))).toBe(sn['app_cert_sn']);
  expect(certificateSn(certificate('alipay_platform'))).toBe(sn['alipay_cert_sn']);
  const bundle = [certificate('alipay_root_ca'), certificate('alipay_intermediate_ca')].join('\n');
  expect(rootCertificateSn(bundle)).toBe(sn['alipay_root_cert_sn']);
});

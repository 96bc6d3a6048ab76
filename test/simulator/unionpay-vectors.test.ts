import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  answerText,
  formFields,
  formText,
  isSignedWith,
  signedBy,
  signedText,
} from '../../simulator/unionpay/message.ts';
import { keys, vectors, type Params } from './unionpay-support.ts';

const publicKey = (name: string) => createPublicKey(keys[name]!['public_spki_pem']!);

describe('requests of the vectors', () => {
  const requests = vectors.filter(({ kind }) => kind === 'request');

  it.each(requests)('accepts $name', ({ http_body, params, canonical, key }) => {
    const message = formFields(http_body)!;
    expect(message).toEqual(params);
    expect(signedText(message)).toBe(canonical);
    expect(isSignedWith(publicKey(key), message)).toBe(true);
  });

  it.each(requests)('refuses $name with one field changed, added or left out, or of another key', ({ params, key }) => {
    const { orderId: _, ...rest } = params;
    const changed: Params[] = [
      { ...params, orderId: 'T20261121100000000009' },
      { ...params, more: '1' },
      rest as Params,
    ];
    for (const message of changed) expect(isSignedWith(publicKey(key), message)).toBe(false);
    expect(isSignedWith(publicKey('unionpay_platform'), params)).toBe(false);
  });

  it('takes no field twice', () => {
    expect(formFields('orderId=1&txnAmt=1&orderId=2')).toBeUndefined();
  });
});

describe('what the platform signs', () => {
  const told = vectors.filter(({ kind }) => kind !== 'request');

  it.each(told)('reproduces $name byte for byte', ({ kind, params, canonical, key, http_body }) => {
    const { signature, signPubKeyCert: certificate = '', ...content } = params;
    const signer = { privateKey: createPrivateKey(keys[key]!['private_pkcs8_pem']!), certificate };
    const message = signedBy(signer, content);
    expect(signedText(message)).toBe(canonical);
    expect(message['signature']).toBe(signature);
    if (kind === 'response') expect(answerText(message)).toBe(http_body);
    else expect(formFields(formText(message))).toEqual(formFields(http_body));
    const wrong = signedBy(signer, content, true)['signature'];
    expect(wrong).toHaveLength(signature!.length);
    expect(wrong).not.toBe(signature);
  });
});

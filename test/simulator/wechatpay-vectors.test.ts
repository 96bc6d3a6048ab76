import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSignedBy, parseAuthorization, verifyRequest } from '../../simulator/wechatpay/authorization.ts';
import { knownMerchants } from '../../simulator/wechatpay/merchant.ts';
import { encrypt, platformHeaders, platformText, requestText } from '../../simulator/wechatpay/signature.ts';
import { API_V3_KEY, merchant, otherMerchant, privateKey, vectors } from './support.ts';

const ofKind = (kind: string) => vectors.filter((vector) => vector.kind === kind);
const NOW = 1795226400_000;

describe('requests of the vectors', () => {
  const merchants = knownMerchants([merchant, otherMerchant]);

  it.each(ofKind('request'))('accepts $name', (vector) => {
    const { method = '', path_and_query: target = '', body = '', timestamp = '', nonce_str: nonce = '' } = vector;
    expect(requestText({ method, target, timestamp, nonce, body })).toBe(vector['canonical']);
    const accepted = verifyRequest({ method, target, body }, vector['authorization'], merchants, NOW);
    expect(accepted.mchid).toBe(vector['mchid']);
  });

  it.each(ofKind('request'))('refuses $name with one byte changed', (vector) => {
    const { method = '', path_and_query: target = '', body = '' } = vector;
    for (const changed of [
      { body: `${body} ` },
      { target: `${target}/` },
      { method: method === 'GET' ? 'POST' : 'GET' },
    ]) {
      const request = { method, target, body, ...changed };
      expect(() => verifyRequest(request, vector['authorization'], merchants, NOW)).toThrow('错误的签名，验签失败');
    }
  });

  it('refuses another merchant’s key', () => {
    const vector: Record<string, unknown> = ofKind('request')[0] ?? {};
    const request = { method: 'POST', target: String(vector['path_and_query']), body: String(vector['body']) };
    const authorization = parseAuthorization(String(vector['authorization']));
    const key = knownMerchants([otherMerchant]).get(otherMerchant.mchid)?.publicKey;
    expect(key && isSignedBy(key, request, authorization)).toBe(false);
  });
});

describe('what the platform signs', () => {
  it.each([...ofKind('response'), ...ofKind('notify')])(
    'reproduces $name byte for byte',
    ({ headers, body = '', ...vector }) => {
      const timestamp = headers['Wechatpay-Timestamp'] ?? '';
      const nonce = headers['Wechatpay-Nonce'] ?? '';
      expect(platformText({ timestamp, nonce, body })).toBe(vector['canonical']);
      const signer = {
        serial: headers['Wechatpay-Serial'] ?? '',
        privateKey: createPrivateKey(privateKey(vector['key'] ?? '')),
      };
      const signed = platformHeaders(signer, { timestamp, nonce, body });
      expect(headers).toMatchObject(signed);
      expect(Object.keys(signed)).toHaveLength(5);
    },
  );

  it('signs something else where the signature is to be corrupt', () => {
    const signer = { serial: 'x', privateKey: createPrivateKey(privateKey('wechat_platform_cert')) };
    const sealed = { timestamp: '1', nonce: 'n', body: '{}' };
    const right = platformHeaders(signer, sealed);
    const wrong = platformHeaders(signer, sealed, true);
    expect(wrong['Wechatpay-Signature']).toHaveLength(right['Wechatpay-Signature']?.length ?? 0);
    expect(wrong['Wechatpay-Signature']).not.toBe(right['Wechatpay-Signature']);
  });
});

describe('what the platform encrypts', () => {
  it.each([...ofKind('notify'), ...ofKind('certificates')])('reproduces the ciphertext of $name', (vector) => {
    const { plaintext: text = '', nonce12: nonce = '', associated_data: associatedData = '' } = vector;
    const apiV3Key = vector['apiv3_key'] ?? API_V3_KEY;
    expect(encrypt({ text, apiV3Key, nonce, associatedData })).toBe(vector['ciphertext']);
  });
});

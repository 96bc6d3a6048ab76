import type { KnownMerchant } from './merchant.ts';
import type { Platform } from './platform.ts';
import { Refusal } from './refusal.ts';
import type { Params } from './signature.ts';
import { requestText, rsaVerify } from './signature.ts';
import { instantOf } from './time.ts';

/** What is sent at once may not be signed longer ago, or later, than that. A page's link may be opened when it likes. */
const LONGEST_SKEW_MS = 10 * 60_000;

/** Whose application it is. Throws what Alipay can't sign, since it doesn't know for whom. */
export function merchantOf({ merchants }: Platform, params: Params): KnownMerchant {
  if (!params['app_id']) throw new Refusal('40001', 'isv.missing-app-id', '缺少AppID参数');
  const merchant = merchants.get(params['app_id']);
  if (!merchant) throw new Refusal('40002', 'isv.invalid-app-id', '无效的AppID参数');
  return merchant;
}

/** Throws unless that merchant signed exactly this (providers.md 1.2–1.4). */
export function verifyRequest({ keys }: Platform, merchant: KnownMerchant, params: Params): void {
  const { sign, sign_type: signType } = params;
  if (!sign) throw new Refusal('40001', 'isv.missing-signature', '缺少签名参数');
  if (!signType) throw new Refusal('40001', 'isv.missing-signature-type', '缺少签名类型参数');
  if (signType !== 'RSA2') throw new Refusal('40002', 'isv.invalid-signature-type', '无效的签名类型');
  if (merchant.certSn !== null) requireCertificates(merchant.certSn, keys.rootCertSn, params);
  const text = requestText(params);
  if (rsaVerify(text, sign, merchant.publicKey)) return;
  throw new Refusal('40002', 'isv.invalid-signature', `验签出错，待验签字符串为：${text}`);
}

function requireCertificates(certSn: string, rootCertSn: string, params: Params): void {
  if (params['app_cert_sn'] !== certSn) throw new Refusal('40002', 'isv.invalid-app-cert-sn', '应用公钥证书序列号无效');
  if (params['alipay_root_cert_sn'] !== rootCertSn)
    throw new Refusal('40002', 'isv.invalid-alipay-root-cert-sn', '支付宝根证书序列号无效');
}

/** @param now null where the time only has to be one */
export function requireCommon(params: Params, now: number | null): void {
  const { version, timestamp, charset = 'utf-8', format = 'JSON' } = params;
  if (!version) throw new Refusal('40001', 'isv.missing-version', '缺少版本参数');
  if (version !== '1.0') throw new Refusal('40002', 'isv.invalid-version', '无效的版本参数');
  if (!timestamp) throw new Refusal('40001', 'isv.missing-timestamp', '缺少时间戳参数');
  const at = instantOf(timestamp);
  if (at === undefined || (now !== null && Math.abs(now - at) > LONGEST_SKEW_MS))
    throw new Refusal('40002', 'isv.invalid-timestamp', '非法的时间戳参数');
  if (charset.toLowerCase() !== 'utf-8') throw new Refusal('40002', 'isv.invalid-charset', '字符集错误');
  if (format.toUpperCase() !== 'JSON') throw new Refusal('40002', 'isv.invalid-format', '无效的数据格式');
}

import { raw } from 'hono/html';
import { toString } from 'qrcode';

/** As a picture within the page: it needs no request, no script and no style of its own. */
export async function QrCode({ content, label }: { content: string; label: string }) {
  const svg = await toString(content, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
  return (
    <div class="qr" role="img" aria-label={label}>
      {raw(svg)}
    </div>
  );
}

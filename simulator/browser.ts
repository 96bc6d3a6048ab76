const MOST_STEPS = 10;
const STEP_TIMEOUT_MS = 5_000;
const LARGEST_PAGE = 1024 * 1024;

type Step = { url: URL; form?: URLSearchParams };

/** Opens a page as a browser would: follows redirects, and posts a lone form that submits itself. Throws where it can't. */
export async function openAsBrowser(start: string): Promise<void> {
  let step: Step | undefined = { url: new URL(start) };
  for (let steps = 0; step; steps += 1) {
    if (steps === MOST_STEPS) throw new Error(`more than ${MOST_STEPS} redirects and forms`);
    step = await visit(step);
  }
}

async function visit({ url, form }: Step): Promise<Step | undefined> {
  const answer = await fetch(url, {
    method: form ? 'POST' : 'GET',
    body: form ?? null,
    redirect: 'manual',
    headers: { accept: 'text/html', 'user-agent': 'Mozilla/5.0 (simulated buyer)' },
    signal: AbortSignal.timeout(STEP_TIMEOUT_MS),
  });
  const page = (await answer.text()).slice(0, LARGEST_PAGE);
  const location = answer.headers.get('location');
  if (answer.status >= 300 && answer.status < 400 && location) {
    const next = new URL(location, url);
    const isRepeated = form && (answer.status === 307 || answer.status === 308);
    return isRepeated ? { url: next, form } : { url: next };
  }
  if (!answer.ok) throw new Error(`${url.origin}${url.pathname} answered ${answer.status}`);
  return selfSubmitting(page, url);
}

/** Such a page has one form, and a script or `onload` that submits it. */
function selfSubmitting(page: string, base: URL): Step | undefined {
  const [form, ...others] = [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)];
  if (!form || others.length > 0 || !/\.submit\s*\(|requestSubmit\s*\(/.test(page)) return undefined;
  const [, head = '', content = ''] = form;
  const url = new URL(attribute(head, 'action') ?? base.href, base);
  const fields = new URLSearchParams();
  for (const [, input = ''] of content.matchAll(/<input\b([^>]*)>/gi)) {
    const name = attribute(input, 'name');
    if (name) fields.append(name, attribute(input, 'value') ?? '');
  }
  if (attribute(head, 'method')?.toLowerCase() === 'post') return { url, form: fields };
  url.search = fields.toString();
  return { url };
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(tag);
  const raw = found?.[1] ?? found?.[2] ?? found?.[3];
  return raw === undefined ? undefined : unescapeHtml(raw);
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeHtml(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex?: string, digits?: string, name?: string) => {
      if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (digits) return String.fromCodePoint(Number(digits));
      return ENTITIES[name?.toLowerCase() ?? ''] ?? whole;
    },
  );
}

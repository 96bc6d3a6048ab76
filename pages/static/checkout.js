/** The checkout page moves by itself: it counts down, and shows what became of the order. Without it, people reload. */
import { submitOnce, tellLocalTimes } from './shared.js';

const POLL_MS = 5000;
/** Several events at once are one look. */
const SETTLE_MS = 150;
const GRACE_MS = 1000;

tellLocalTimes(document);
submitOnce();
document.querySelector('#refused')?.scrollIntoView();
/** @type {HTMLElement | null} */ (document.querySelector('#refused'))?.focus();

const page = /** @type {HTMLElement | null} */ (document.querySelector('main[data-live]'));
if (page) {
  countDown(page);
  live(page);
}

/** @param {HTMLElement} main */
function countDown(main) {
  let wasOver = false;
  setInterval(() => {
    const time = /** @type {HTMLTimeElement | null} */ (main.querySelector('time[data-countdown]'));
    if (!time) return;
    const left = new Date(time.dateTime).getTime() - Date.now();
    time.textContent = clock(Math.max(0, left));
    if (left < -GRACE_MS && !wasOver) {
      wasOver = true;
      void look(main);
    }
  }, 500);
}

/** 75,000 ms is 1:15. @param {number} ms */
function clock(ms) {
  const seconds = Math.ceil(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Told by the server as it happens; asked for while that is not possible. @param {HTMLElement} main */
function live(main) {
  const { live: address = '', types = '' } = main.dataset;
  const events = new EventSource(address);
  let soon = 0;
  const told = () => {
    clearTimeout(soon);
    soon = window.setTimeout(() => void look(main), SETTLE_MS);
  };
  for (const type of types.split(' ')) events.addEventListener(type, told);
  setInterval(() => {
    if (events.readyState !== EventSource.OPEN) void look(main);
  }, POLL_MS);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void look(main);
  });
}

/** Reads the page anew and takes over what differs. @param {HTMLElement} main */
async function look(main) {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
  if (!response?.ok) return; // Away for a moment: the next look will tell.
  const there = new DOMParser().parseFromString(await response.text(), 'text/html');
  const fresh = /** @type {HTMLElement | null} */ (there.querySelector('main[data-live]'));
  if (!fresh || (fresh.dataset.version === main.dataset.version && !isOver(main))) return;
  main.dataset.version = fresh.dataset.version;
  document.title = there.title;
  for (const part of [...main.children].filter(({ id }) => id)) takeOver(part, fresh.querySelector(`#${part.id}`));
  document.querySelector('#refused')?.remove();
}

/** The time to pay has run out, which is no change of the order. @param {HTMLElement} main */
function isOver(main) {
  const time = /** @type {HTMLTimeElement | null} */ (main.querySelector('time[data-countdown]'));
  return time !== null && new Date(time.dateTime).getTime() < Date.now();
}

/** What somebody is typing into is left alone. @param {Element} part @param {Element | null} fresh */
function takeOver(part, fresh) {
  if (!fresh || isInUse(part)) return;
  const opened = part.querySelector('details')?.open ?? false;
  part.replaceChildren(...fresh.childNodes);
  const details = part.querySelector('details');
  if (details && opened) details.open = true;
  tellLocalTimes(part);
}

/** @param {Element} part */
function isInUse(part) {
  const fields = [...part.querySelectorAll('textarea, input:not([type=hidden])')];
  return fields.some((field) => {
    const { value, defaultValue } = /** @type {HTMLInputElement} */ (field);
    return field === document.activeElement || (field.getAttribute('type') !== 'radio' && value !== defaultValue);
  });
}

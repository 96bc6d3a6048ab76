/** The console works without this; with it, by keyboard, and in the operator's own time zone. */
import { submitOnce } from './shared.js';

submitOnce();
const zone = /** @type {HTMLInputElement | null} */ (document.querySelector('input[name="time_zone"]'));
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;

const queue = /** @type {HTMLElement | null} */ (document.querySelector('[data-queue]'));
if (queue) byKeyboard(queue);

/** Keys count only while the focus is in the queue, and not where somebody writes. @param {HTMLElement} list */
function byKeyboard(list) {
  const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[data-row]')]);
  const current = () => rows.findIndex((row) => row.contains(document.activeElement));
  const move = (/** @type {number} */ step) => rows[Math.min(rows.length - 1, Math.max(0, current() + step))]?.focus();
  const go = (/** @type {string} */ part) =>
    /** @type {HTMLElement | null | undefined} */ (rows[current()]?.querySelector(part))?.focus();
  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    a: () => go('[data-approve]'),
    r: () => go('[data-note]'),
    o: () => /** @type {HTMLElement | null | undefined} */ (rows[current()]?.querySelector('[data-open]'))?.click(),
  };
  list.addEventListener('keydown', (event) => {
    const isWriting = event.target instanceof HTMLElement && event.target.matches('textarea, input');
    const act = keys[event.key.toLowerCase()];
    if (!act || isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  rows[0]?.focus();
}

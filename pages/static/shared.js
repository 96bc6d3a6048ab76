/** Tells times in the reader's own time zone; what the server wrote is in a zone it could only guess. @param {ParentNode} root */
export function tellLocalTimes(root) {
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
  for (const time of root.querySelectorAll('time[data-local]'))
    time.textContent = clock.format(new Date(/** @type {HTMLTimeElement} */ (time).dateTime));
}

/** A second click does nothing while the first is on its way. */
export function submitOnce() {
  document.addEventListener('submit', (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.ariaBusy === 'true') event.preventDefault();
    form.ariaBusy = 'true';
  });
  // Come back by the browser's own button, a page stands as it was left.
  window.addEventListener('pageshow', () => {
    for (const form of document.forms) form.ariaBusy = null;
  });
}

import type { Page } from '../answer.tsx';
import type { Speaker } from '../speaker.ts';

/** @param back where to go then. `wrong`: why the last attempt did not work */
export function signInPage(say: Speaker, { back, wrong }: { back: string; wrong: string | null }): Page {
  const w = say.console;
  return {
    title: `${w.signIn} · ${w.title}`,
    script: 'console.js',
    content: (
      <main class="console narrow">
        <h1>{w.title}</h1>
        {wrong ? (
          <p class="card bad" role="alert">
            {wrong}
          </p>
        ) : null}
        <form method="post" action="/console/sign-in" class="card">
          <input type="hidden" name="back" value={back} />
          <input type="hidden" name="time_zone" value="" />
          <label>
            {w.operatorKey}
            <input
              type="password"
              name="key"
              required
              autofocus
              maxlength={200}
              autocomplete="current-password"
              aria-describedby="sign-in-hint"
            />
          </label>
          <p class="quiet" id="sign-in-hint">
            {w.signInHint}
          </p>
          <button class="first">{w.signIn}</button>
        </form>
      </main>
    ),
  };
}

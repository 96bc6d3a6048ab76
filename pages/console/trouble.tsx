import type { ApiProblem } from '../api.ts';
import type { Page } from '../answer.tsx';
import type { Speaker } from '../speaker.ts';
import type { Done } from './frame.tsx';

type Trouble = { problem: ApiProblem; action: Done | null; back: string };

/** Why something was not done; the browser's own "back" still has what was entered. */
export function troublePage(say: Speaker, { problem, action, back }: Trouble): Page {
  const w = say.console;
  const fields = problem.errors.map(({ path, message }) => `${path}: ${message}`);
  return {
    title: `${w.failed} · ${w.title}`,
    script: 'console.js',
    content: (
      <main class="console narrow">
        <div class="card bad" role="alert">
          <h1>{w.failed}</h1>
          <p>{reasonOf(say, problem, action)}</p>
          <p class="quiet">
            <code>{problem.code}</code> {problem.message} {fields.join(' ')}
          </p>
        </div>
        <p>
          <a class="button" href={back}>
            {w.back}
          </a>
        </p>
      </main>
    ),
  };
}

function reasonOf(say: Speaker, problem: ApiProblem, action: Done | null): string {
  if (problem.code === 'not_found') return say.console.notFound;
  if (problem.code !== 'forbidden') return say.problem(problem);
  if (problem.scope !== null) return say.console.scopeMissing(problem.scope);
  return action === 'approve' || action === 'reject' ? say.console.fourEyes : say.problem(problem);
}

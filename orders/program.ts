import { Command, CommanderError, type OptionValues } from 'commander';
import { StartError } from '../start/failure.ts';
import { accountCommands } from './accounts.ts';
import { applicationCommands } from './applications.ts';
import { courseCommands } from './courses.ts';
import { endpointCommands } from './endpoints.ts';
import { addExamples } from './examples.ts';
import { inspectCommands } from './inspect.ts';
import { keyCommands } from './keys.ts';
import { machineCommands } from './machines.ts';
import { merchantCommands } from './merchants.ts';
import { printed, UsageError, type Answer } from './output.ts';
import { reconciliationCommands } from './reconciliation.ts';
import { retryCommand } from './retry.ts';
import { setUpCommands } from './set-up.ts';

/** Makes a command's deed of a function: its arguments and options in, an answer out, which is then printed. */
export type Answering = <Args extends unknown[]>(
  deed: (...args: Args) => Promise<Answer>,
) => (...args: Args) => Promise<void>;

type Output = { out: (text: string) => void; err: (text: string) => void };

/** All commands; each needs an example in examples.ts. */
export function programOf({ out, err }: Output): Command {
  const program = new Command('npm run orders --');
  const answering: Answering =
    (deed) =>
    async (...given) =>
      out(`${printed(await deed(...given), program.opts<OptionValues & { json?: boolean }>().json === true)}\n`);
  program
    .description('What people who operate it do by hand. Exit codes: 0 done, 1 could not be done, 2 said wrongly.')
    .option('--json', 'answers for scripts')
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err })
    .showHelpAfterError('(--help shows what there is)');
  for (const add of GROUPS) add(program, answering);
  addExamples(program);
  return program;
}

const GROUPS = [
  setUpCommands,
  merchantCommands,
  keyCommands,
  accountCommands,
  endpointCommands,
  machineCommands,
  applicationCommands,
  courseCommands,
  inspectCommands,
  retryCommand,
  reconciliationCommands,
];

/**
 * Runs one command.
 * @returns the exit code: 0 done, 1 it could not be done (what is missing or away is said), 2 it was said wrongly
 */
export async function run(args: readonly string[], output: Output): Promise<0 | 1 | 2> {
  try {
    await programOf(output).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error, output.err);
  }
}

function exitCodeOf(error: unknown, err: Output['err']): 0 | 1 | 2 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // It has said why.
  if (error instanceof UsageError) {
    err(`${error.message}\n`);
    return 2;
  }
  err(`${error instanceof StartError ? error.message : String(error)}\n`);
  return 1;
}

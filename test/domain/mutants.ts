/**
 * Takes the order's rules away one by one, in a copy, and looks whether some test misses them.
 * `npm run mutants -- [word]`: only those whose rule has the word in it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MUTANTS, type Mutant } from './mutant-list.ts';

const root = resolve(import.meta.dirname, '../..');
const QUICK = [
  'paying',
  'waiting',
  'watching',
  'refunding',
  'replacing',
  'astray',
  'delivering',
  'machines',
  'pickup',
  'ending',
].map((name) => `test/domain/${name}.test.ts`);
const SLOW = ['size', 'random', 'stories'].map((name) => `test/domain/${name}.test.ts`);

function copyOfTheRules(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
  for (const folder of ['domain', 'test/domain']) cpSync(join(root, folder), join(copy, folder), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'vitest.config.mjs'), 'export default { test: { bail: 1, testTimeout: 60_000 } };\n');
  return copy;
}

const passes = (copy: string, tests: readonly string[]): boolean =>
  spawnSync('npx', ['vitest', 'run', '--reporter=dot', ...tests], { cwd: copy, timeout: 180_000 }).status === 0;

/** @returns whether some test failed without the rule */
function isKilled(copy: string, { file, from, to }: Mutant): boolean {
  const path = join(copy, 'domain', file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one: ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    return !passes(copy, QUICK) || !passes(copy, SLOW);
  } finally {
    writeFileSync(path, text);
  }
}

const wanted = MUTANTS.filter(({ rule }) => rule.includes(process.argv[2] ?? ''));
const copy = copyOfTheRules();
try {
  if (!passes(copy, QUICK)) throw new Error('the tests fail with all rules in place');
  const survivors = wanted.filter((mutant) => {
    const killed = isKilled(copy, mutant);
    console.log(`${killed ? 'missed  ' : 'SURVIVED'}  ${mutant.rule}`);
    return !killed;
  });
  console.log(`${wanted.length - survivors.length} of ${wanted.length} rules are missed when they are taken away`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true });
}

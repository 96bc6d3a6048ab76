/** What no compiler sees: sizes, dead files, and pages that have fallen behind the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../api/problem.ts';
import { ATTENTION_CODES } from '../domain/attention.ts';
import { MUTANTS, type Mutant } from './domain/mutant-list.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MOST_LINES = 300;
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every file below a folder, as paths from the root; hidden folders and packages left out. */
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesIn(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    });

const sources = [...filesIn('.', '.ts'), ...filesIn('.', '.tsx')];
const pages = ['README.md', ...filesIn('docs', '.md')];
const matchesIn = (text: string, form: RegExp): string[] => [...text.matchAll(form)].map((match) => match[1]!);

/** What a file names: package.json in its commands, the others as text in quotes, from where they are. */
const namedIn = (file: string): string[] => {
  const form = file === 'package.json' ? /([\w./-]+\.ts)\b/g : /['"`]([\w./-]+\.tsx?)['"`]/g;
  return matchesIn(read(file), form).map((path) => join(dirname(file), path));
};

describe('code', () => {
  it('has no long file outside of test/', () => {
    const lines = (file: string) => read(file).trimEnd().split('\n').length;
    expect(sources.filter((file) => !file.startsWith('test/') && lines(file) > MOST_LINES)).toEqual([]);
  });

  it('has no file that nothing imports, runs or configures', () => {
    const isRunByVitest = (file: string) => file.endsWith('.test.ts') || file === 'vitest.config.ts';
    const tellsHowToRunIt = (file: string) => read(file).includes(`node --import tsx ${file}`);
    const named = [...sources, 'package.json'].map((by) => ({ by, files: new Set(namedIn(by)) }));
    const isNamed = (file: string) => named.some(({ by, files }) => by !== file && files.has(file));
    const isAlive = (file: string) => isRunByVitest(file) || isNamed(file) || tellsHowToRunIt(file);
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.filter((file) => !isAlive(file))).toEqual([]);
  });
});

describe('the rules that mutants take away', () => {
  it('stand where the list says, once', () => {
    const times = ({ file, from }: Mutant) => read(`domain/${file}`).split(from).length - 1;
    expect(MUTANTS.length).toBeGreaterThan(100);
    expect(MUTANTS.filter((mutant) => times(mutant) !== 1).map(({ rule }) => rule)).toEqual([]);
  });

  it('are tested by tests that know the domain alone: no more than that is copied', () => {
    const foreign = (file: string) => namedIn(file).filter((path) => !/^(test\/)?domain\//.test(path));
    const tests = filesIn('test/domain', '.ts').filter((file) => !file.endsWith('mutants.ts'));
    expect(tests.flatMap(foreign)).toEqual([]);
  });
});

describe('pages', () => {
  const missing = (page: string, forms: readonly RegExp[]) => forms.filter((form) => !form.test(read(page)));

  it('list every ADR', () => {
    const adrs = filesIn('docs/adr', '.md').map((file) => file.replace('docs/', ''));
    expect(adrs.filter((adr) => !read('docs/ARCHITECTURE.md').includes(`](${adr})`))).toEqual([]);
  });

  it('tell every problem, with its status, and every attention code', () => {
    const problems = Object.entries(PROBLEMS).map(([code, { status }]) => `${code}\` +\\| ${status}`);
    const rows = (codes: readonly string[]) => codes.map((code) => new RegExp(`^\\| \`${code}`, 'm'));
    expect(missing('docs/errors.md', rows(problems))).toEqual([]);
    expect(missing('docs/operators.md', rows(Object.keys(ATTENTION_CODES).map((code) => `${code}\``)))).toEqual([]);
  });

  it('tell every variable', () => {
    const config = ['start/config.ts', 'start/cache.ts', 'simulator/config.ts'].map(read).join('\n');
    const variables = [...new Set(matchesIn(config, /'([A-Z]+(?:_[A-Z]+)+|PORT|HOST)'/g))];
    expect(variables.length).toBeGreaterThanOrEqual(17);
    const forms = variables.map((variable) => new RegExp(`\`${variable}[\`=]`));
    expect(missing('README.md', forms)).toEqual([]);
  });

  /** `folder/file`: a test · another; `folder/file`: a part of a test's name … */
  it('name only tests that there are', () => {
    const table = matchesIn(read('docs/scenarios.md'), /^\| \d.*?\| +(.*?) *\|$/gm);
    const missed = table.flatMap((row) =>
      row.split(/; (?=[^;]*?`)/).flatMap((part) => {
        const [, file, names = ''] = /`([a-z]+(?:\/[\w-]+)+)`(?:: (.*))?$/.exec(part) ?? [];
        const tests = file ? read(`test/${file}.test.ts`) : '';
        return file ? names.split(' · ').filter((name) => !tests.includes(name.replace(/ ?…$/, ''))) : [];
      }),
    );
    expect(table.length).toBeGreaterThan(38);
    expect(missed).toEqual([]);
  });

  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  it.each(pages)('%s names only commands and pages that there are', (page) => {
    const commands = matchesIn(read(page), /npm (?:run )?((?<=run )[\w:]+|test|start)\b/g);
    expect(commands.filter((command) => !(command in scripts))).toEqual([]);
    const links = matchesIn(read(page), /\]\((?!https?:)([^)#]+)[^)]*\)/g);
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  });
});

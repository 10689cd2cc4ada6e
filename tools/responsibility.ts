/**
 * `npm run responsibility`: writes `docs/responsibility.md`, the responsibility matrix, from the controls in `src/compliance/controls/`. Fails if a file
 * or a setting that a control names does not exist, or if a section has no control. With `--check`, it writes nothing and fails if the page
 * differs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Control, SECTIONS, type Section } from '../src/compliance/controls/control.ts';
import { CONTROLS, NO_CERTIFICATION, NOT_ASSESSED } from '../src/compliance/controls/controls.ts';
import { SETTINGS } from '../src/server/settings.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}docs/responsibility.md`;
const OWNERS: readonly Control['owner'][] = ['project', 'operator', 'account administrator'];

/** Returns what is wrong with controls: repeated IDs, files and settings that do not exist, and sections without a control. */
export function problemsOf(controls: readonly Control[], exists: (path: string) => boolean): readonly string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const control of controls) {
    if (ids.has(control.id)) problems.push(`${control.id}: the ID is used twice`);
    ids.add(control.id);
    if (control.owner !== 'project') continue;
    const { source, test } = control;
    const isKnown = source.startsWith('BELFRY_') ? SETTINGS.some(({ variable }) => variable === source) : exists(source);
    if (!isKnown) problems.push(`${control.id}: '${source}' does not exist`);
    if (!test.endsWith('.test.ts') || !exists(test)) problems.push(`${control.id}: the test '${test}' does not exist`);
  }
  const covered = new Set(controls.map(({ section }) => String(section)));
  for (const [section, title] of Object.entries(SECTIONS))
    if (!covered.has(section)) problems.push(`section ${section} (${title}) has no control`);
  return problems;
}

/** Returns the text of `docs/responsibility.md`. */
export function page(controls: readonly Control[]): string {
  const count = (owner: Control['owner']) => controls.filter((control) => control.owner === owner).length;
  return [
    '# Responsibility matrix',
    '',
    '`npm run responsibility` generates this page from `src/compliance/controls/`. Do not edit it.',
    '',
    'Amazon secures the cloud, and its customers secure what they put in it. If you run Belfry yourself, there are three owners, and each control',
    'has exactly one:',
    '',
    `- **project** (${count('project')}): the code does it by default. The last columns name the file or the setting, and the test that proves it.`,
    `- **operator** (${count('operator')}): you, if you run the server and its host.`,
    `- **account administrator** (${count('account administrator')}): you, if you have the permissions in an AWS account of the server.`,
    '',
    `${NO_CERTIFICATION.replace('This report', 'This page')} \`belfry compliance report\` writes a report with this matrix and the facts of a server`,
    '([compliance-report.md](compliance-report.md)).',
    ...(Object.keys(SECTIONS) as `${Section}`[]).flatMap((section) => sectionLines(section, controls)),
    '',
    '## Not assessed',
    '',
    'A report of the server does not assess:',
    '',
    ...NOT_ASSESSED.map((subject) => `- ${subject}`),
    '',
  ].join('\n');
}

function sectionLines(section: `${Section}`, controls: readonly Control[]): readonly string[] {
  const own = controls.filter((control) => String(control.section) === section);
  const ordered = OWNERS.flatMap((owner) => own.filter((control) => control.owner === owner));
  return [
    '',
    `## ${section}. ${SECTIONS[Number(section) as Section]}`,
    '',
    '| control | owner | statement | source or duty | test |',
    '| --- | --- | --- | --- | --- |',
    ...ordered.map((control) => {
      const { id, owner, sentence } = control;
      const [evidence, test] = control.owner === 'project' ? [`\`${control.source}\``, `\`${control.test}\``] : [control.duty, ''];
      return `| ${[id, owner, sentence, evidence, test].join(' | ')} |`;
    }),
  ];
}

if (import.meta.main) {
  const problems = problemsOf(CONTROLS, (path) => existsSync(`${ROOT}${path}`));
  for (const problem of problems) console.error(`responsibility matrix: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  const text = page(CONTROLS);
  if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
  else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== text) {
    console.error("docs/responsibility.md differs from the output of 'npm run responsibility'");
    process.exitCode = 1;
  }
}

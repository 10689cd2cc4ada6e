import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { policyDiff } from './policy-diff.ts';
import { policyTest } from './policy-test.ts';
import { policyValidate } from './policy-validate.ts';

const folder = mkdtempSync(join(tmpdir(), 'belfry-policy-test-'));
after(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function printed(run: (print: (line: string) => void) => number): { readonly status: number; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const status = run((line) => lines.push(line.replaceAll(`${folder}/`, '')));
  return { status, lines };
}

const page = readFileSync(new URL('../../docs/policy-tests.md', import.meta.url), 'utf8');
const fenced = (language: string): string => page.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';

test('policy test: the example of docs/policy-tests.md prints the output that the page shows', () => {
  const file = written('staff.iamtest.json', fenced('json'));
  const { status, lines } = printed((print) => policyTest([file], print));
  const [, ...expected] = fenced('console').trimEnd().split('\n');
  assert.deepEqual(lines, expected);
  assert.equal(status, 0);
});

test('policy test: one failed test in several files is exit status 1, and test numbers are consecutive', () => {
  const good = written('good.iamtest.json', fenced('json'));
  const bad = written('bad.iamtest.json', '{}');
  const { status, lines } = printed((print) => policyTest([bad, good, join(folder, 'none.json')], print));
  assert.equal(status, 1);
  const points = lines.filter((line) => /^(not )?ok/.test(line)).map((line) => Number(/\d+/.exec(line)?.[0]));
  assert.deepEqual(
    points,
    Array.from(points, (_, i) => i + 1),
  );
  assert.equal(lines.at(-1), `1..${points.length}`);
});

test('policy test: a policy path is relative to the test file', () => {
  written('watch.json', '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"chime:Get*","Resource":"*"}}');
  const request = { principal: 'a', action: 'chime:GetMeeting', expect: 'Allow', by: 'watch' };
  const file = written(
    'relative.iamtest.json',
    JSON.stringify({ policies: { watch: './watch.json' }, principals: { a: { identity: 'watch' } }, requests: [request] }),
  );
  assert.equal(printed((print) => policyTest([file], print)).status, 0);
});

test('policy validate: a finding is one line with file, line, column and message', () => {
  const file = written('typo.json', '{"Version":"2012-10-17",\n"Statement":{"Effect":"Allow","Action":"chime:GetMeting","Resource":"*"}}');
  assert.deepEqual(
    printed((print) => policyValidate([file], 'identity', print)),
    {
      status: 1,
      lines: ['typo.json:2:40: ERROR INVALID_ACTION: The action chime:GetMeting does not exist. Did you mean chime:GetMeeting?'],
    },
  );
});

test('policy diff: prints a new permission with an example request, and returns exit status 1', () => {
  const old = written('old.json', '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"chime:GetMeeting","Resource":"*"}}');
  const updated = written(
    'new.json',
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["chime:GetMeeting","iam:GetUser"],"Resource":"*"}}',
  );
  const granted = printed((print) => policyDiff(old, updated, 'identity', print));
  assert.equal(granted.status, 1);
  assert.match(granted.lines[0] ?? '', /^granted: iam:GetUser on /);
  const withdrawn = printed((print) => policyDiff(updated, old, 'identity', print));
  assert.equal(withdrawn.status, 0);
  assert.match(withdrawn.lines[0] ?? '', /^withdrawn: iam:GetUser on /);
  assert.deepEqual(
    printed((print) => policyDiff(old, old, 'identity', print)),
    { status: 0, lines: ['belfry policy diff: both versions make the same decision for every request'] },
  );
});

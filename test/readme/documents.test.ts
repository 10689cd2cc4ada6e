import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'docs/access-analyzer.md',
  'docs/explain.md',
  'docs/glossary.md',
  'docs/guide.md',
  'docs/policy-tests.md',
  'docs/replay.md',
  'docs/security.md',
  'docs/sip.md',
  'docs/transparency-log.md',
];

/** A file or folder in backticks, such as `src/wire/errors.ts`, `wire/errors.ts` (below `src`) or `docs/decisions/`. */
const PATH = /`((?:[\w.-]+\/)+[\w.-]*)`/g;
const ROOTS = /^(bench|bin|docs|models|src|test|tools)\//;
const PARTS = /^(access|cli|core|model|policy|realtime|server|services|sigv4|store|trail|wire)\/.*\.ts$/;

for (const document of DOCUMENTS) {
  const text = readFileSync(document, 'utf8');

  test(`${document}: every file that the document names exists`, () => {
    const missing = [...text.matchAll(PATH)]
      .map(([, path = '']) => path)
      .filter((path) => (ROOTS.test(path) && !existsSync(path)) || (PARTS.test(path) && !existsSync(join('src', path))));
    assert.deepEqual(missing, []);
  });

  test(`${document}: every link to a file or heading of the project has an existing target`, () => {
    const broken = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, path = '', heading]) => {
        const target = path === '' ? document : join(dirname(document), path);
        return !existsSync(target) || (heading !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(heading));
      })
      .map(([link]) => link);
    assert.deepEqual(broken, []);
  });
}

/** Returns the anchors of a page: explicit anchors, and anchors that GitHub derives from headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const explicit = [...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  const derived = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...explicit, ...derived]);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkImports, type Exceptions } from './check-imports.ts';

const NONE: Exceptions = { imports: [], circles: [] };

/** Returns the problems of a source tree. `tree` has the source of each file by its path. */
function problemsOf(tree: Readonly<Record<string, string>>, exceptions = NONE): readonly string[] {
  return checkImports(new Map(Object.entries(tree)), exceptions).problems;
}

// biome-ignore format: a table
const LAYER_CASES: readonly (readonly [from: string, to: string, isAllowed: boolean])[] = [
  // importing file                              imported file                                   allowed
  ['src/policy/a.ts',                            'src/core/b.ts',                                true ],
  ['src/core/a.ts',                              'src/policy/b.ts',                              false],
  ['src/policy/a.ts',                            'src/store/b.ts',                               false],
  ['src/policy/a.ts',                            'src/policy/validate/b.ts',                     true ],
  ['src/services/iam/a.ts',                      'src/services/kit/b.ts',                        true ],
  ['src/services/kit/a.ts',                      'src/services/iam/b.ts',                        false],
  ['src/services/kit/a.ts',                      'src/access/b.ts',                              false],
  ['src/services/iam/a.ts',                      'src/access/b.ts',                              true ],
  ['src/access/a.ts',                            'src/services/iam/b.ts',                        false],
  ['src/services/chime-kit/a.ts',                    'src/services/iam/b.ts',                        true ],
  ['src/services/iam/a.ts',                      'src/services/chime-kit/b.ts',                      false],
  ['src/services/sts/a.ts',                      'src/services/chime-kit/b.ts',                      true ],
  ['src/services/chime-kit/a.ts',                    'src/services/sts/b.ts',                        false],
  ['src/services/sts/a.ts',                      'src/services/organizations/b.ts',              false],
  ['src/realtime/a.ts',                          'src/services/chime-sdk-messaging/b.ts',        true ],
  ['src/services/chime-sdk-messaging/a.ts',      'src/realtime/b.ts',                            false],
  ['src/realtime/a.ts',                          'src/media/b.ts',                               false],
  ['src/services/chime-sdk-messaging/a.ts',      'src/events/b.ts',                              false],
  ['src/server/core/a.ts',                       'src/server/edge/b.ts',                         true ],
  ['src/cli/a.ts',                               'src/server/b.ts',                              true ],
  ['src/server/a.ts',                            'src/cli/b.ts',                                 false],
  ['src/main.ts',                                'src/cli/b.ts',                                 true ],
  ['src/helpers/a.ts',                           'src/core/b.ts',                                false],
  ['src/services/a.ts',                          'src/core/b.ts',                                false],
];
for (const [from, to, isAllowed] of LAYER_CASES) {
  test(`checkImports: ${from} ${isAllowed ? 'may' : 'may not'} import ${to}`, () => {
    const problems = problemsOf({ [from]: `import { b } from '#${to.slice('src/'.length)}';`, [to]: '' });
    assert.equal(problems.length, isAllowed ? 0 : 1, problems.join('\n'));
  });
}

// biome-ignore format: a table
const FORM_CASES: readonly (readonly [title: string, source: string, found: boolean])[] = [
  // title                            source                                                        found
  ['a type import',                   "import type { B } from '#policy/b.ts';",                     true ],
  ['an import without names',         "import '#policy/b.ts';",                                     true ],
  ['a relative import',               "import { b } from '../policy/b.ts';",                        true ],
  ['a re-export',                     "export * from '#policy/b.ts';",                              true ],
  ['names on several lines',          "import {\n  a,\n  b,\n} from '#policy/b.ts';",               true ],
  ['a dynamic import',                "const { b } = await import('#policy/b.ts');",                true ],
  ['an import type',                  "type B = import('../policy/b.ts').B;",                       true ],
  ['the URL of a worker thread',      "new Worker(new URL('../policy/b.ts', import.meta.url));",    true ],
  ['a comment',                       "// import { b } from '#policy/b.ts';\n/* from '#policy/b.ts' */", false],
  ['a package',                       "import { b } from 'policy';",                                false],
];
for (const [title, source, found] of FORM_CASES) {
  test(`checkImports: ${title} ${found ? 'counts' : 'does not count'} as an import`, () => {
    assert.deepEqual(
      problemsOf({ 'src/core/a.ts': source, 'src/policy/b.ts': '' }),
      found ? ["src/core/a.ts: imports src/policy/b.ts, but 'policy' is not below 'core'"] : [],
    );
  });
}

test('checkImports: a missing file is a problem', () => {
  assert.deepEqual(problemsOf({ 'src/core/a.ts': "import './b.test.ts';" }), [
    'src/core/a.ts: imports src/core/b.test.ts, which does not exist, is a test or is outside src',
  ]);
});

const CIRCLE = {
  'src/core/a.ts': "import './b.ts';",
  'src/core/b.ts': "import type { C } from './c.ts';",
  'src/core/c.ts': "const a = await import('./a.ts');",
  'src/core/d.ts': "import './a.ts';",
};

test('checkImports: a circle of imports inside a part is one problem, whose message has the path', () => {
  assert.deepEqual(problemsOf(CIRCLE), ['circle of 3 files: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts']);
});

test('checkImports: a file that imports itself is a circle', () => {
  assert.deepEqual(problemsOf({ 'src/core/a.ts': "import './a.ts';" }), ['circle of 1 files: src/core/a.ts → src/core/a.ts']);
});

test('checkImports: an exception allows one import', () => {
  const tree = { 'src/core/a.ts': "import '#policy/b.ts';\nimport '#store/c.ts';", 'src/policy/b.ts': '', 'src/store/c.ts': '' };
  assert.deepEqual(problemsOf(tree, { ...NONE, imports: ['src/core/a.ts → src/policy/b.ts'] }), [
    "src/core/a.ts: imports src/store/c.ts, but 'store' is not below 'core'",
  ]);
});

test('checkImports: an exception allows a circle of its files, but not a circle with more files', () => {
  assert.deepEqual(problemsOf(CIRCLE, { ...NONE, circles: [['core/a.ts', 'core/b.ts', 'core/c.ts', 'core/d.ts']] }), []);
  assert.equal(problemsOf(CIRCLE, { ...NONE, circles: [['core/a.ts', 'core/b.ts']] }).length, 1);
});

test('checkImports: exceptions that are no longer needed are reported', () => {
  const exceptions: Exceptions = { imports: ['src/core/a.ts → src/policy/b.ts'], circles: [['core/a.ts', 'core/b.ts']] };
  assert.deepEqual(checkImports(new Map([['src/core/a.ts', '']]), exceptions).unneeded, [
    'src/core/a.ts → src/policy/b.ts',
    'core/a.ts, core/b.ts',
  ]);
});

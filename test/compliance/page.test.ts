/** `docs/compliance.md` lists the rules exactly as they are declared. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadRules } from '#server/core/configuration-rules.ts';

test('docs/compliance.md: has a row for each rule, with its description, parameters and requirements', async () => {
  const rows = (await loadRules()).map(({ name, description, parameters, requirements }) => {
    const values = Object.entries(parameters).map(([key, value]) => `\`${key}\` ${value}`);
    return `| \`${name}\` | ${description} | ${values.join(', ')} | ${requirements.join(', ')} |`;
  });
  const page = readFileSync('docs/compliance.md', 'utf8');
  const found = page.split('\n').filter((line) => /^\| `[a-z0-9-]+` \| [A-Z][^|]*\. \|/.test(line));
  assert.deepEqual(found, rows, `the rows must be:\n${rows.join('\n')}`);
});

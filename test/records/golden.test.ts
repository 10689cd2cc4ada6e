import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committedRecords, goldenRecords } from './golden.ts';

const records = await goldenRecords();
const committed = committedRecords();

test('Golden records: every committed file is produced', () => {
  assert.deepEqual([...records.keys()].sort(), [...committed.keys()].sort());
});

for (const [name, text] of records) {
  test(`Golden records: '${name}' equals test/cases/records/${name}.json (LOG-1 to LOG-6)`, () => {
    assert.equal(text, committed.get(name));
  });
}

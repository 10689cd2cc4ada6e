import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decideCase, disagreement, type PolicyCase, toExpected, toLayers, toRequest } from './policy-case.ts';

const FOLDER = new URL('../cases/policy/', import.meta.url);

for (const file of readdirSync(FOLDER).sort()) {
  const { title, policies, request, expect } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as PolicyCase;
  test(`${file}: ${title}`, () => {
    assert.deepEqual(toExpected(decideCase(policies, request)), expect);
    assert.equal(disagreement(toLayers(policies), toRequest(request)), undefined);
  });
}

/**
 * Configuration rules, with the unmodified clients of the AWS SDK: calls break each rule and comply with it again, and the evidence of each
 * result is what an auditor reads. The test sets the clock of the core, because some rules are about ages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { loadRules } from '#server/core/configuration-rules.ts';
import { serverFacts } from '#server/core/server-facts.ts';
import { SERVER_RULES } from '#server/core/server-rules.ts';
import { readSettings } from '#server/settings.ts';
import { evaluateRule } from '#services/kit/rule-results.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { IAM_CASES } from './iam-cases.ts';
import { accountId, core, now, own, type Result, read, resultAbout, ruleNamed } from './rules-core.ts';
import { SERVICE_CASES } from './service-cases.ts';

const cases = [...IAM_CASES, ...SERVICE_CASES];

for (const [i, { rule, how, about, prepare, violate, comply, disappears }] of cases.entries()) {
  test(`${rule}: calls break it and comply again (${how ?? `case ${i + 1}`})`, async () => {
    await prepare?.();
    const before = await resultAbout(rule, about);
    assert.notEqual(before?.compliance, 'NON_COMPLIANT', before?.annotation);

    await violate();
    const violated = await resultAbout(rule, about);
    assert.equal(violated?.compliance, 'NON_COMPLIANT', violated?.annotation);
    const evaluated = await ruleNamed(rule);
    assert.equal(evaluated?.compliance, 'NON_COMPLIANT');

    await comply();
    const after = await resultAbout(rule, about);
    assert.equal(after?.compliance, disappears === true ? undefined : 'COMPLIANT', after?.annotation);
    assert.equal((await ruleNamed(rule))?.nonCompliantCount, evaluated.nonCompliantCount - 1);
  });
}

test('Rules: every rule about an account has a case, and a complete declaration', async () => {
  const rules = await loadRules();
  const names = rules.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !SERVER_RULES.some((rule) => rule.name === name)),
    [...new Set(cases.map(({ rule }) => rule))].sort(),
  );
  assert.deepEqual(names, [...new Set(names)].sort());
  for (const { name, description, requirements } of rules) {
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)+$/);
    assert.match(description, /^[A-Z].*\.$/);
    assert.ok(requirements.includes('COMP-6'));
  }
});

test('ListConfigurationRules: counts the results that ListConfigurationRuleResults lists, and every evidence is real', async () => {
  const { rules } = await own('ListConfigurationRules', {});
  assert.deepEqual(
    rules.map(({ name }) => name),
    (await loadRules()).map(({ name }) => name),
  );
  for (const { name: ruleName, compliance, compliantCount, nonCompliantCount } of rules) {
    const { results } = await own('ListConfigurationRuleResults', { ruleName, maxResults: 1000 });
    const bad = results.filter((result) => result.compliance === 'NON_COMPLIANT');
    assert.deepEqual([bad.length, results.length], [nonCompliantCount, compliantCount + nonCompliantCount], ruleName);
    assert.equal(compliance, results.length === 0 ? 'NOT_APPLICABLE' : bad.length === 0 ? 'COMPLIANT' : 'NON_COMPLIANT');
    for (const { annotation, evidence } of results) {
      assert.ok(annotation.length >= 1 && annotation.length <= 256);
      for (const one of evidence) assert.equal(await read(one), one.value, `${ruleName}: ${JSON.stringify(one)}`);
    }
  }
});

test('evaluateRule: has the results that ListConfigurationRuleResults lists', async () => {
  const server = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: 0 };
  for (const rule of await loadRules()) {
    const { results } = await evaluateRule(rule, { store: core.store, accountId, region: 'us-east-1', now: now(), server });
    const listed = await own('ListConfigurationRuleResults', { ruleName: rule.name, maxResults: 1000 });
    assert.deepEqual(results, listed.results, rule.name);
  }
});

test('ListConfigurationRuleResults: pages together have all results, also of one compliance', async () => {
  const ruleName = 'iam-user-no-policies-check';
  for (const compliance of [undefined, 'COMPLIANT', 'NON_COMPLIANT']) {
    const filter = compliance === undefined ? {} : { compliance };
    const whole = (await own('ListConfigurationRuleResults', { ruleName, ...filter, maxResults: 1000 })).results;
    const paged: Result[] = [];
    let nextToken: string | undefined;
    do {
      const token: object = nextToken === undefined ? {} : { nextToken };
      const page = await own('ListConfigurationRuleResults', { ruleName, ...filter, maxResults: 2, ...token });
      assert.ok(page.results.length <= 2);
      paged.push(...page.results);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    assert.ok(whole.length > 0);
    assert.deepEqual(paged, whole);
    assert.ok(compliance === undefined || whole.every((result) => result.compliance === compliance));
  }
});

test('Rules about the server: each setting decides its rule', async () => {
  const facts = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: 0 };
  // biome-ignore format: a table
  const rows: readonly (readonly [rule: string, changed: object])[] = [
    ['server-tls-version-check',      { tlsFloor: 'TLSv1.1' }],
    ['server-records-every-read',     { readsWithoutTrail: true }],
    ['server-no-internal-hosts',      { internalHosts: 1 }],
    ['event-history-retention-check', { eventHistoryDays: 89 }],
  ];
  await core.store.transaction((tx) => tx.of(trailRetention).unset(accountId));
  for (const [name, changed] of rows) {
    const rule = (await loadRules()).find((one) => one.name === name);
    const complianceWith = async (server: typeof facts) =>
      (await rule?.evaluate({ store: core.store, accountId, region: 'us-east-1', now: instant(0), server }))?.[0]?.compliance;
    assert.equal(await complianceWith(facts), 'COMPLIANT', name);
    assert.equal(await complianceWith({ ...facts, ...changed }), 'NON_COMPLIANT', name);
  }
});

test('Rules about the server: each setting that allows internal hosts for an account counts', () => {
  const flags = ['--internal-issuers', '--internal-directories', '--outgoing-internal-hosts', '--private-sip-peers'];
  for (const flag of flags) assert.equal(serverFacts(readSettings([flag, '10.0.0.5'], {})).internalHosts, 1, flag);
});

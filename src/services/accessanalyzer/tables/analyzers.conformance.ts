import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type AnalyzerRecord, analyzers, type RuleRecord } from './analyzers.ts';

const REGION = 'us-east-1';
const at = (seconds: number) => instant(NOON + seconds * 1_000);

function analyzer(accountId: AccountId, name: string, more: Partial<AnalyzerRecord> = {}): AnalyzerRecord {
  return {
    ...{ accountId, region: REGION, name, analyzerId: `${accountId} ${name}`, type: 'ACCOUNT', tags: [] },
    ...{ createdAt: NOON, scanAt: at(1_000_000) },
    ...more,
  };
}

const rule = (analyzerId: string, ruleName: string, more: Partial<RuleRecord> = {}): RuleRecord => ({
  ...{ analyzerId, ruleName, filter: { resource: { exists: true } }, createdAt: NOON, updatedAt: NOON },
  ...more,
});

const names = (records: readonly { readonly name: string }[]) => records.map(({ name }) => name);

export function conformance({ within, fresh }: Suite): void {
  describe('analyzers', () => {
    test('an analyzer is stored once for a name, changed and deleted with its rules', async () => {
      const accountId = fresh();
      const result = await within(async (tx) => {
        const own = tx.of(analyzers);
        const key = { accountId, region: REGION, name: 'a' };
        const before = analyzer(accountId, 'a', { type: 'ACCOUNT_UNUSED_ACCESS', tags: [{ key: 'k', value: 'v' }] });
        const added = [await own.add(before), await own.add({ ...before, analyzerId: 'other' })];
        assert.deepEqual(await own.get(key), before);
        const scan = { startedAt: NOON, accountId, source: 1, after: 'arn' };
        await own.setScan({ ...key, scanAt: at(5), scan });
        assert.deepEqual(await own.byId(before.analyzerId), { ...before, scanAt: at(5), scan });
        await own.setScan({ ...key, scanAt: at(6) });
        await own.setTags({ ...key, tags: [] });
        const configuration = { unusedAccess: { unusedAccessAge: 7 } };
        await own.setConfiguration({ ...key, configuration, scanAt: at(7) });
        assert.deepEqual(await own.get(key), { ...before, tags: [], configuration, scanAt: at(7) });
        await own.addRule(rule(before.analyzerId, 'r'));
        await own.remove(before);
        return [added, await own.get(key), await own.rule(before.analyzerId, 'r'), (await own.nextDeleted())?.analyzerId];
      });
      assert.deepEqual(result, [['added', 'exists'], undefined, undefined, `${accountId} a`]);
      await within((tx) => tx.of(analyzers).forgetDeleted(`${accountId} a`));
    });

    test('lists and counts are of an account, a region and a type', async () => {
      const [accountId, other] = [fresh(), fresh()];
      const result = await within(async (tx) => {
        const own = tx.of(analyzers);
        const mayCover = [await own.mayCover(accountId)];
        await own.add(analyzer(accountId, 'b'));
        await own.add(analyzer(accountId, 'a', { type: 'ACCOUNT_UNUSED_ACCESS' }));
        await own.add(analyzer(accountId, 'c', { region: 'us-west-2', analyzerId: `${accountId} west` }));
        mayCover.push(await own.mayCover(accountId), await own.mayCover(other));
        await own.add(analyzer(accountId, 'o', { type: 'ORGANIZATION' }));
        mayCover.push(await own.mayCover(other));
        const place = { accountId, region: REGION };
        return [
          ...[mayCover, names(await own.list(place, '', 10)), names(await own.list(place, 'a', 1))],
          ...[await own.count(place, 'ACCOUNT'), await own.count(place, 'ORGANIZATION')],
          ...[names(await own.ofAccount(accountId, false)), names(await own.ofAccount(accountId, true))],
          names(await own.ofAnyType(accountId, 3)),
        ];
      });
      assert.deepEqual(result, [[false, true, false, true], ['a', 'b', 'o'], ['b'], 1, 1, ['a', 'b', 'c'], ['o'], ['a', 'b', 'o']]);
      // An analyzer of an organization would concern the accounts of later tests.
      await within((tx) => tx.of(analyzers).remove(analyzer(accountId, 'o')));
      await within((tx) => tx.of(analyzers).forgetDeleted(`${accountId} o`));
    });

    test('the scan that has waited longest is due, and an organization can be scanned again', async () => {
      const accountId = fresh();
      const due = await within(async (tx) => {
        const own = tx.of(analyzers);
        await own.add(analyzer(accountId, 'late', { scanAt: at(-999_001) }));
        await own.add(analyzer(accountId, 'later', { scanAt: at(-999_000) }));
        await own.add(analyzer(accountId, 'o', { type: 'ORGANIZATION', scan: { startedAt: NOON, source: 0 } }));
        const first = [await own.due(at(-999_002)), (await own.due(at(-999_000)))?.name];
        await own.rescanOrganization(accountId, at(-999_003));
        const again = await own.due(at(-999_000));
        for (const { name } of await own.ofAnyType(accountId, 9)) {
          await own.remove(analyzer(accountId, name));
          await own.forgetDeleted(`${accountId} ${name}`);
        }
        return [...first, again?.name, again?.scan];
      });
      assert.deepEqual(due, [undefined, 'late', 'o', undefined]);
    });

    test('rules are listed by name, replaced and deleted', async () => {
      const id = fresh();
      const result = await within(async (tx) => {
        const own = tx.of(analyzers);
        const added = [await own.addRule(rule(id, 'b')), await own.addRule(rule(id, 'b')), await own.addRule(rule(id, 'a'))];
        await own.putRule(rule(id, 'b', { appliedTo: '' }));
        const applied = await own.nextApplied();
        await own.putRule(rule(id, 'b', { updatedAt: at(1) }));
        const listed = (await own.rules(id, '', 9)).map(({ ruleName, updatedAt }) => [ruleName, updatedAt]);
        const removed = [await own.removeRule(id, 'a'), await own.removeRule(id, 'a')];
        return [added, applied?.appliedTo, await own.nextApplied(), listed, removed, await own.countRules(id)];
      });
      assert.deepEqual(result, [
        ['added', 'exists', 'added'],
        '',
        undefined,
        [
          ['a', NOON],
          ['b', at(1)],
        ],
        ['removed', 'absent'],
        1,
      ]);
    });
  });
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { ALICE, type Suite } from '#store/conformance-fixtures.ts';
import { type SipCallRecord, sipCalls } from './sip-calls.ts';

const DOCUMENT = { Direction: 'Outbound', CallId: 'c', SipAuthUser: '', From: '', To: '', AwsRegion: 'us-east-1' } as const;

export function conformance({ within, fresh }: Suite): void {
  describe('SIP calls', () => {
    test('SIP calls: due records are in the order of their time, and one account is postponed alone', async () => {
      const here = fresh();
      const other = `${here} account` as AccountId;
      const call = (id: string, accountId: AccountId, dueAt: number | undefined, forgottenAt: number): SipCallRecord => ({
        ...{ transactionId: `${here} ${id}`, accountId, voiceConnectorId: 'vc', createdAt: instant(1), forgottenAt: instant(forgottenAt) },
        ...omitUndefined({ dueAt: dueAt === undefined ? undefined : instant(dueAt) }),
        document: DOCUMENT,
      });
      const read = await within(async (tx) => {
        const calls = tx.of(sipCalls);
        const all = [call('a', ALICE, 3, 90), call('b', other, 2, 80), call('c', ALICE, undefined, 70), call('d', other, 9, 60)];
        const added = [];
        for (const each of [...all, ...all.slice(0, 1)]) added.push(await calls.add(each));
        const due = async (now: number) =>
          (await calls.due(instant(now), 99))
            .filter(({ transactionId }) => transactionId.startsWith(here))
            .map(({ transactionId }) => transactionId.slice(-1))
            .join('');
        const steps = [await due(1), await due(3)];
        await calls.postpone(other, instant(5), instant(7));
        steps.push(await due(5), await due(9));
        const [first] = all as [SipCallRecord];
        const { dueAt: _, ...written } = first;
        const changed = [
          await calls.put({ ...written, voiceConnectorId: 'other', document: { ...DOCUMENT, code: 200 } }),
          await calls.put(call('x', ALICE, 1, 1)),
        ];
        steps.push(await due(9));
        const { voiceConnectorId, document } = (await calls.get(first.transactionId)) ?? {};
        while ((await calls.forget(instant(80), 1)) > 0);
        const left = [];
        for (const { transactionId } of all) if ((await calls.get(transactionId)) !== undefined) left.push(transactionId.slice(-1));
        return { added, steps, changed, now: [voiceConnectorId, document?.code], left };
      });
      assert.deepEqual(read, {
        added: ['added', 'added', 'added', 'added', 'exists'],
        steps: ['', 'ba', 'a', 'abd', 'bd'],
        changed: ['changed', 'absent'],
        now: ['other', 200],
        left: ['a'],
      });
    });
  });
}

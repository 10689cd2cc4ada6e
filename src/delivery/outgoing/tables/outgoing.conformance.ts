import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { type NewMessage, outgoing } from '#services/kit/outgoing.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import type { Tx } from '#store/store.ts';
import { endpoints, type OutgoingEndpoint } from './endpoints.ts';
import { type Lane, lanes, NEVER } from './lanes.ts';

const at = (ms: number) => instant(NOON + ms);

const messageOf = (accountId: AccountId, body: string, more: Partial<NewMessage> = {}): NewMessage => ({
  ...{ id: body, accountId, region: 'us-east-1', lane: 'lane', ordered: false, body },
  target: { kind: 'lambda', arn: 'arn' },
  sender: { service: 'events.amazonaws.com', sourceArn: 'rule', sourceAccount: accountId },
  ...{ createdAt: NOON, maximumAttempts: 3, expiresAt: at(1_000), ...more },
});

export function conformance({ within, fresh }: Suite): void {
  describe('outgoing messages', () => {
    /** Adds messages and accepts those of this test. Returns their numbers. */
    const addAccepted = (tx: Tx, ...messages: readonly NewMessage[]) =>
      messages.reduce<Promise<readonly number[]>>(async (before, message) => {
        const numbers = await before;
        await tx.of(outgoing).add(message);
        const number = (await tx.of(lanes).added(1_000)).at(-1)?.number as number;
        await tx.of(lanes).accept(number);
        return [...numbers, number];
      }, Promise.resolve([]));
    const bodies = (messages: readonly { readonly body: string }[]) => messages.map(({ body }) => body);

    test('outgoing messages: added ones are in the order of inserts until they are accepted', async () => {
      const accountId = fresh();
      await within(async (tx) => {
        assert.equal(tx.of(outgoing).hasAdded(), false);
        for (const body of ['b', 'a']) await tx.of(outgoing).add(messageOf(accountId, body));
        assert.equal(tx.of(outgoing).hasAdded(), true);
        const added = await tx.of(lanes).added(1_000);
        assert.deepEqual(
          added.map(({ body, dueAt, attempts, accepted }) => [body, dueAt, attempts, accepted]),
          [
            ['b', NOON, 0, false],
            ['a', NOON, 0, false],
          ],
        );
        assert.deepEqual([await tx.of(lanes).countAdded(9), await tx.of(lanes).countAdded(1)], [2, 1]);
        for (const { number } of added) await tx.of(lanes).accept(number);
        assert.deepEqual([await tx.of(lanes).added(1_000), await tx.of(lanes).countAdded(9)], [[], 0]);
      });
      await assert.rejects(
        within((tx) => tx.of(outgoing).add(messageOf(accountId, 'c', { lane: 'x'.repeat(257) }))),
        /more than 256 characters/,
      );
    });

    test('outgoing messages: a lane returns due messages, the longest due first, and an ordered lane only its first', async () => {
      const accountId = fresh();
      const lane = { accountId, lane: 'lane', ordered: false };
      await within(async (tx) => {
        const [first = 0, second = 0] = await addAccepted(tx, ...['1', '2', '3'].map((body) => messageOf(accountId, body)));
        await addAccepted(tx, messageOf(accountId, 'other', { lane: 'other' }), messageOf(fresh(), 'another'));
        const repository = tx.of(lanes);
        await repository.retry({ number: first, attempts: 1, dueAt: at(50) });
        assert.deepEqual(bodies(await repository.messages(lane, NOON, 9)), ['2', '3']);
        assert.deepEqual(bodies(await repository.messages(lane, at(50), 9)), ['2', '3', '1']);
        assert.deepEqual(bodies(await repository.messages({ ...lane, ordered: true }, NOON, 9)), []);
        assert.deepEqual(bodies(await repository.messages({ ...lane, ordered: true }, at(50), 9)), ['1']);
        assert.deepEqual([await repository.nextOf(lane, NOON), await repository.nextOf(lane, at(50))], [at(50), NEVER]);
        await repository.removeMessage(second);
        assert.deepEqual(bodies(await repository.messages(lane, NOON, 9)), ['3']);
      });
    });

    test('lanes: the longest due comes first, without some accounts, and apart from failing lanes', async () => {
      const [one, two] = [fresh(), fresh()];
      const laneOf = (accountId: AccountId, lane: string, dueAt: number, failing = false): Lane => ({
        ...{ accountId, lane, ordered: false, messages: 2, bytes: 10, failing, dueAt: at(dueAt) },
      });
      await within(async (tx) => {
        const repository = tx.of(lanes);
        const all = [laneOf(one, 'a', 30), laneOf(one, 'b', 10), laneOf(two, 'a', 20), laneOf(two, 'b', 5, true)] as const;
        for (const lane of all) await repository.put(lane);
        const [oneA, oneB, twoA, twoB] = all;
        assert.deepEqual(await repository.due(at(20), false, ['', ''], 9), [oneB, twoA]);
        assert.deepEqual(await repository.due(at(30), false, [two, ''], 9), [oneB, oneA]);
        assert.deepEqual(await repository.due(at(20), true, ['', ''], 9), [twoB]);
        assert.equal(await repository.nextDue(), at(5));
        assert.deepEqual(await repository.totals(one), { messages: 4, bytes: 20 });
        await repository.dueAll(at(1));
        assert.deepEqual(await repository.get(oneA), { ...oneA, dueAt: at(1) });
        for (const lane of all) await repository.remove(lane);
        assert.deepEqual([await repository.nextDue(), await repository.totals(one)], [undefined, { messages: 0, bytes: 0 }]);
      });
    });

    test('outgoing endpoints: the most specific endpoint is found', async () => {
      const [accountId, other] = [fresh(), fresh()];
      const endpointOf = (more: Partial<OutgoingEndpoint>): OutgoingEndpoint => ({
        ...{ service: 'sqs', accountId: '', region: '', url: 'https://sqs.example', allowInternal: false, createdAt: NOON },
        ...more,
      });
      const [all, ofRegion, ofAccount, ofBoth] = [{}, { region: 'eu-west-1' }, { accountId }, { accountId, region: 'eu-west-1' }].map(
        endpointOf,
      ) as [OutgoingEndpoint, OutgoingEndpoint, OutgoingEndpoint, OutgoingEndpoint];
      await within(async (tx) => {
        const repository = tx.of(endpoints);
        for (const endpoint of [all, ofRegion, ofAccount, ofBoth]) assert.equal(await repository.add(endpoint), 'added');
        assert.equal(await repository.add({ ...all, url: 'https://other.example' }), 'exists');
        assert.deepEqual(await repository.list(), [all, ofRegion, ofAccount, ofBoth]);
        assert.deepEqual(await repository.find('sqs', accountId, 'eu-west-1'), ofBoth);
        assert.deepEqual(await repository.find('sqs', accountId, 'us-east-1'), ofAccount);
        assert.deepEqual(await repository.find('sqs', other, 'eu-west-1'), ofRegion);
        assert.deepEqual(await repository.find('sqs', other, 'us-east-1'), all);
        assert.equal(await repository.find('sns', other, 'us-east-1'), undefined);
        await repository.setSecret(ofBoth, 'sealed');
        assert.deepEqual(await repository.get(ofBoth), { ...ofBoth, sealedSecret: 'sealed' });
        for (const endpoint of [all, ofRegion, ofAccount, ofBoth]) assert.equal(await repository.remove(endpoint), 'removed');
        assert.equal(await repository.remove(all), 'absent');
      });
    });
  });
}

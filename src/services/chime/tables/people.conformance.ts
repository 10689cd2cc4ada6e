import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Instant, instant } from '#core/instant.ts';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type PersonRecord, people, personSessions, type SessionRecord } from './people.ts';

const person = (email: string, more: Partial<PersonRecord> = {}): PersonRecord => ({
  email,
  personId: `person of ${email}`,
  displayName: 'Ada',
  passwordHash: 'hash 1',
  changedAt: NOON,
  ...more,
});
const session = (digest: string, email: string, createdAt: number, expiresAt = createdAt + 1_000): SessionRecord => ({
  digest,
  email,
  createdAt: instant(createdAt),
  expiresAt: instant(expiresAt),
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime people', () => {
    test('people: a person is read back as stored, and replaced', async () => {
      const email = `${fresh()}@example.com`;
      const changed = person(email, { passwordHash: 'hash 2', changedAt: instant(NOON + 1) });
      const read = await within(async (tx) => {
        const repository = tx.of(people);
        const none = await repository.get(email);
        await repository.put(person(email));
        const first = await repository.get(email);
        await repository.put(changed);
        return [none, first, await repository.get(email)];
      });
      assert.deepEqual(read, [undefined, person(email), changed]);
    });

    test('people: sessions are deleted by digest, by address and by age', async () => {
      const here = fresh();
      const [ada, bob, eve] = [`ada@${here}`, `bob@${here}`, `eve@${here}`];
      const all = [
        ...[1, 2, 3].map((at) => session(`${here} ada ${at}`, ada, at)),
        session(`${here} bob`, bob, 4),
        { ...session(`${here} eve`, eve, 5), providerId: 'okta', groupIds: ['1', '2'] },
      ];
      const digests = all.map(({ digest }) => digest);
      const read = await within(async (tx) => {
        const repository = tx.of(personSessions);
        const left = async () => {
          const found = await Promise.all(digests.map((digest) => repository.get(digest)));
          return found.flatMap((each) => (each === undefined ? [] : [each.createdAt as number]));
        };
        for (const each of all) await repository.add(each);
        const stored = [await repository.get(`${here} ada 2`), await repository.get(`${here} eve`)];
        await repository.keepNewest(ada, 2);
        const newest = await left();
        await repository.remove(`${here} ada 3`);
        await repository.removeOf([]);
        const one = await left();
        await repository.removeOf([bob, ada]);
        return { stored, newest, one, rest: await left() };
      });
      assert.deepEqual(read, { stored: [all[1], all[4]], newest: [2, 3, 4, 5], one: [2, 4, 5], rest: [5] });
    });

    test('people: the deleted sessions are returned, with their credentials', async () => {
      const here = fresh();
      const [ada, bob] = [`ada@${here}`, `bob@${here}`];
      const read = await within(async (tx) => {
        const repository = tx.of(personSessions);
        for (const [at, email] of [ada, ada, bob].entries()) await repository.add(session(`${here} ${at}`, email, at + 1));
        for (const at of [0, 2]) await repository.setCredentials(`${here} ${at}`, { accountId: ALICE, signInId: `sign-in ${at}` });
        await repository.setCredentials(`${here} 2`, undefined);
        const withCredentials = await repository.withCredentials([ada, bob]);
        return [
          withCredentials,
          await repository.keepNewest(ada, 1),
          await repository.remove(`${here} 1`),
          await repository.removeOf([bob]),
        ];
      });
      const first = [{ digest: `${here} 0`, credentials: { accountId: ALICE, signInId: 'sign-in 0' } }];
      assert.deepEqual(read, [first, first, [{ digest: `${here} 1` }], [{ digest: `${here} 2` }]]);
    });

    test('people: expired sessions are deleted, the oldest first and a limited number at once', async () => {
      const here = fresh();
      const at = (ms: number): Instant => instant(ms);
      const counts = await within(async (tx) => {
        const repository = tx.of(personSessions);
        while ((await repository.removeExpired(at(NOON), 100)).length === 100);
        for (const end of [1, 2, 3]) await repository.add(session(`${here} ${end}`, `ada@${here}`, 0, end));
        const first = await repository.removeExpired(at(2), 1);
        const gone = (await repository.get(`${here} 1`)) === undefined;
        return [first, gone, await repository.removeExpired(at(2), 9), await repository.removeExpired(at(2), 9)];
      });
      assert.deepEqual(counts, [[{ digest: `${here} 1` }], true, [{ digest: `${here} 2` }], []]);
    });
  });
}

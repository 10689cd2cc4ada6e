import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { GroupRecord } from './identity.ts';
import type { Store, StoreOptions, Tx } from './store.ts';
import type { LookupAttribute, TrailRow } from './trail.ts';

const ALICE = '111111111111' as AccountId;
const BOB = '222222222222' as AccountId;
const NOON = instant(Date.UTC(2026, 10, 22, 12));

/** A group with a name and otherwise nothing to say. */
function group(groupName: string, path = '/'): GroupRecord {
  const arn = `arn:aws:iam::${ALICE}:group${path}${groupName}` as Arn;
  return {
    accountId: ALICE,
    arn,
    path,
    createdAt: NOON,
    attachedPolicyArns: [],
    inlinePolicies: {},
    groupName,
    groupId: `AGPA${groupName}`,
  };
}

function trailRow(eventId: string, at: number, more: Partial<TrailRow> = {}): TrailRow {
  return {
    eventId,
    accountId: ALICE,
    region: 'us-east-1',
    at: at as Instant,
    eventName: 'CreateMeeting',
    eventSource: 'chime.amazonaws.com',
    readOnly: false,
    resources: [],
    document: `{"eventID":"${eventId}"}`,
    ...more,
  };
}

/** Is this a Store? Every engine must pass; `open` gives an empty one each time. */
export function storeConformance(engine: string, open: (options: StoreOptions) => Promise<Store>): void {
  describe(`store, ${engine}`, () => {
    let store: Store;
    let now = NOON as number;
    let account = 0;
    before(async () => {
      store = await open({ now: () => now });
    });
    after(() => store.close());
    const within = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.transaction(work);
    /** An account no other test has written to. */
    const fresh = (): AccountId => String(++account).padStart(12, '0') as AccountId;

    describe('transaction', () => {
      test('transaction: what work answers is what it resolves to', async () => {
        assert.equal(await within(async () => 42), 42);
      });

      test('transaction: work that throws leaves nothing behind, and its error comes out as thrown', async () => {
        const error = new Error('no');
        const failing = within(async (tx) => {
          await tx.meta.put('left behind', 'yes');
          await tx.trail.append(trailRow('left-behind', NOON));
          throw error;
        });
        await assert.rejects(failing, (thrown) => thrown === error);
        assert.equal(await within((tx) => tx.meta.get('left behind')), undefined);
      });

      test('transaction: of several at once, those that throw take nothing of the others with them', async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, i) =>
            within(async (tx) => {
              await tx.meta.put(`group ${i}`, 'first');
              await tx.meta.put(`group ${i} again`, 'second');
              if (i % 3 === 0) throw new Error(`member ${i}`);
            }),
          ),
        );
        for (const [i, { status }] of outcomes.entries()) {
          const expected = i % 3 === 0 ? undefined : 'second';
          assert.equal(status, expected === undefined ? 'rejected' : 'fulfilled');
          assert.equal(await within((tx) => tx.meta.get(`group ${i} again`)), expected);
        }
      });

      test('transaction: many at once that read and then write one value lose no change', async () => {
        await within((tx) => tx.meta.put('sum', '0'));
        await Promise.all(
          Array.from({ length: 25 }, () => within(async (tx) => tx.meta.put('sum', String(Number(await tx.meta.get('sum')) + 1)))),
        );
        assert.equal(await within((tx) => tx.meta.get('sum')), '25');
      });

      test('transaction: a write skew does not happen', async () => {
        await within(async (tx) => {
          await tx.meta.put('on call: ann', 'yes');
          await tx.meta.put('on call: ben', 'yes');
        });
        const leave = (who: string, other: string) =>
          within(async (tx) => {
            if ((await tx.meta.get(`on call: ${other}`)) === 'yes') await tx.meta.put(`on call: ${who}`, 'no');
          });
        await Promise.all([leave('ann', 'ben'), leave('ben', 'ann')]);
        const left = await within(async (tx) => [await tx.meta.get('on call: ann'), await tx.meta.get('on call: ben')]);
        assert.deepEqual(left.toSorted(), ['no', 'yes']);
      });

      test('transaction: after a statement that failed nothing more is done, even where its error was caught', async () => {
        const failing = within(async (tx) => {
          await tx.meta.put('before the failure', 'yes');
          await tx.sql.run('INSERT INTO no_such_table VALUES (1)').catch(() => {});
          return 'kept nevertheless';
        });
        await assert.rejects(failing, /no_such_table/);
        const going = within(async (tx) => {
          await tx.sql.run("INSERT INTO counter (name, value) VALUES ('identity', 0)").catch(() => {});
          await tx.meta.put('after the failure', 'yes');
        });
        await assert.rejects(going);
        assert.deepEqual(await within(async (tx) => [await tx.meta.get('before the failure'), await tx.meta.get('after the failure')]), [
          undefined,
          undefined,
        ]);
      });

      test('transaction: it cannot be used after its end', async () => {
        const leaked = await within(async (tx) => ({ tx }));
        await assert.rejects(leaked.tx.meta.get('anything'), /after its end/);
      });

      test('afterCommit: told after the commit and before the transaction resolves', async () => {
        const heard: string[] = [];
        await within(async (tx) => {
          tx.afterCommit(() => heard.push('committed'));
          heard.push('worked');
        }).then(() => heard.push('resolved'));
        assert.deepEqual(heard, ['worked', 'committed', 'resolved']);
      });

      test('afterCommit: never told where the transaction failed', async () => {
        let told = false;
        const failing = within(async (tx) => {
          await tx.meta.put('x', 'y');
          tx.afterCommit(() => {
            told = true;
          });
          throw new Error('no');
        });
        await assert.rejects(failing);
        assert.equal(told, false);
      });
    });

    describe('sql', () => {
      test('sql: a parameter is bound by its number, wherever and however often it stands', async () => {
        const row = await within((tx) =>
          tx.sql.row<{ value: string }>('SELECT value FROM meta WHERE name = $2 AND name <> $1 AND name = $2', ['a', 'sum']),
        );
        assert.equal(row?.value, '25');
      });

      test('sql: whole numbers up to 2^53 - 1 come back as numbers', async () => {
        const row = await within(async (tx) => {
          await tx.sql.run('INSERT INTO counter (name, value) VALUES ($1, $2)', ['large', Number.MAX_SAFE_INTEGER]);
          return tx.sql.row<{ value: number }>("SELECT value FROM counter WHERE name = 'large'");
        });
        assert.equal(row?.value, Number.MAX_SAFE_INTEGER);
      });

      test('sql: text is ordered by its bytes', async () => {
        const accountId = fresh();
        const names = ['a', 'B', 'é', 'm', 'Z', 'n', '\u{ffee}', '\u{1f514}'];
        await within(async (tx) => {
          for (const name of names) await tx.identity.put(accountId, 'group', name, group(name));
        });
        const listed = await within((tx) => tx.identity.list(accountId, 'group'));
        assert.deepEqual(
          listed.map(({ key }) => key),
          ['B', 'Z', 'a', 'm', 'n', 'é', '\u{ffee}', '\u{1f514}'],
        );
      });
    });

    identityConformance(within, fresh);
    trailConformance(within, fresh, (moment) => {
      now = Math.max(now, moment);
    });
    restConformance(within);
  });
}

type Within = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

function identityConformance(within: Within, fresh: () => AccountId): void {
  describe('identity', () => {
    test('identity: a record is read back as it was added, and only by its own account, kind and key', async () => {
      const accountId = fresh();
      assert.equal(await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Makers'))), 'added');
      const read = await within(async ({ identity }) => [
        await identity.get(accountId, 'group', 'makers'),
        await identity.get(BOB, 'group', 'makers'),
        await identity.get(accountId, 'user', 'makers'),
        await identity.get(accountId, 'group', 'Makers'),
      ]);
      assert.deepEqual(read, [group('Makers'), undefined, undefined, undefined]);
    });

    test('identity: adding twice answers exists, keeps the first record and raises no version', async () => {
      const accountId = fresh();
      await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Makers')));
      const { version } = await within((tx) => tx.identity.changesSince(0));
      assert.equal(await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Other'))), 'exists');
      assert.deepEqual(await within((tx) => tx.identity.get(accountId, 'group', 'makers')), group('Makers'));
      assert.equal((await within((tx) => tx.identity.changesSince(0))).version, version);
    });

    test('identity: what was removed is absent, not listed, not counted, and can be added again', async () => {
      const accountId = fresh();
      const read = await within(async ({ identity }) => {
        await identity.add(accountId, 'group', 'makers', group('Makers'));
        return [
          await identity.remove(accountId, 'group', 'makers'),
          await identity.remove(accountId, 'group', 'makers'),
          await identity.get(accountId, 'group', 'makers'),
          await identity.list(accountId, 'group'),
          await identity.count(accountId, 'group'),
          await identity.add(accountId, 'group', 'makers', group('Again')),
          await identity.get(accountId, 'group', 'makers'),
        ];
      });
      assert.deepEqual(read, ['removed', 'absent', undefined, [], 0, 'added', group('Again')]);
    });

    test('identity: a list keeps to its prefix, begins after a key and ends at its limit', async () => {
      const accountId = fresh();
      await within(async ({ identity }) => {
        for (const key of ['b', 'ab', 'a%', 'aa', 'a', 'ac']) await identity.put(accountId, 'group', key, group(key));
      });
      const keys = async (options: object) => (await within((tx) => tx.identity.list(accountId, 'group', options))).map(({ key }) => key);
      assert.deepEqual(await keys({}), ['a', 'a%', 'aa', 'ab', 'ac', 'b']);
      assert.deepEqual(await keys({ prefix: 'a' }), ['a', 'a%', 'aa', 'ab', 'ac']);
      assert.deepEqual(await keys({ prefix: 'a%' }), ['a%']);
      assert.deepEqual(await keys({ prefix: 'a', after: 'aa', limit: 1 }), ['ab']);
      assert.deepEqual(await keys({ prefix: 'b', after: 'a' }), ['b']);
      assert.equal(await within((tx) => tx.identity.count(accountId, 'group')), 6);
    });

    test('identity: one transaction is one version, however much it writes', async () => {
      const accountId = fresh();
      const { version } = await within((tx) => tx.identity.changesSince(0));
      await within(async ({ identity }) => {
        await identity.put(accountId, 'group', 'a', group('a'));
        await identity.put(accountId, 'group', 'b', group('b'));
        await identity.remove(accountId, 'group', 'a');
      });
      assert.deepEqual(await within((tx) => tx.identity.changesSince(version)), {
        version: version + 1,
        changes: [
          { accountId, kind: 'group', key: 'a', version: version + 1 },
          { accountId, kind: 'group', key: 'b', version: version + 1, record: group('b') },
        ],
      });
    });

    test('identity: changes come in the order of versions, each thing once, and none where nothing changed', async () => {
      const accountId = fresh();
      const { version } = await within((tx) => tx.identity.changesSince(0));
      for (const key of ['c', 'a', 'c', 'b']) await within((tx) => tx.identity.put(accountId, 'group', key, group(key)));
      const { changes, version: newest } = await within((tx) => tx.identity.changesSince(version));
      assert.deepEqual(
        changes.map((change) => [change.key, change.version - version]),
        [
          ['a', 2],
          ['c', 3],
          ['b', 4],
        ],
      );
      assert.deepEqual(await within((tx) => tx.identity.changesSince(newest)), { version: newest, changes: [] });
    });

    test('identity: a transaction that throws takes its version back', async () => {
      const { version } = await within((tx) => tx.identity.changesSince(0));
      const failing = within(async (tx) => {
        await tx.identity.put(ALICE, 'group', 'ghost', group('ghost'));
        throw new Error('no');
      });
      await assert.rejects(failing);
      assert.equal((await within((tx) => tx.identity.changesSince(version))).version, version);
    });

    test('identity: many transactions at once each get a version of their own', async () => {
      const accountId = fresh();
      const { version } = await within((tx) => tx.identity.changesSince(0));
      await Promise.all(Array.from({ length: 12 }, (_, i) => within((tx) => tx.identity.put(accountId, 'group', `g${i}`, group(`g${i}`)))));
      const { changes } = await within((tx) => tx.identity.changesSince(version));
      assert.deepEqual(
        changes.map((change) => change.version),
        Array.from({ length: 12 }, (_, i) => version + 1 + i),
      );
    });
  });
}

function trailConformance(within: Within, fresh: () => AccountId, setClock: (moment: number) => void): void {
  describe('trail', () => {
    const record = async (...rows: TrailRow[]): Promise<void> => {
      for (const row of rows) {
        setClock(row.at);
        await within((tx) => tx.trail.append(row));
      }
    };
    const lookup = (
      accountId: AccountId,
      more: { from?: number; to?: number; limit?: number; before?: string; attribute?: { name: LookupAttribute; value: string } } = {},
    ) =>
      within((tx) =>
        tx.trail.lookup({
          accountId,
          region: 'us-east-1',
          limit: 50,
          ...more,
          from: (more.from ?? 0) as Instant,
          to: (more.to ?? NOON * 2) as Instant,
        }),
      );
    const ids = async (...query: Parameters<typeof lookup>) => (await lookup(...query)).rows.map(({ eventId }) => eventId);

    test('trail: a record is read back as it was appended', async () => {
      const accountId = fresh();
      const full = trailRow('full', NOON, {
        accountId,
        readOnly: true,
        userName: 'ann',
        accessKeyId: 'AKIA1',
        resources: [{ name: 'm-1' }, { type: 'AWS::Chime::Meeting', name: 'm"2' }],
      });
      await record(full);
      assert.deepEqual((await lookup(accountId)).rows, [full]);
    });

    test('trail: a record is kept whatever text its caller sent', async () => {
      const accountId = fresh();
      await record(trailRow('odd', NOON, { accountId, userName: 'a\0b', resources: [{ name: 'c\0d\u{d800}' }] }));
      const [row] = (await lookup(accountId)).rows;
      assert.deepEqual([row?.userName, row?.resources], ['a\u{fffd}b', [{ name: 'c\0d\u{d800}' }]]);
    });

    test('trail: many at once that do nothing else are all kept', async () => {
      const accountId = fresh();
      const expected = Array.from({ length: 300 }, (_, i) => `many-${i}`);
      await Promise.all(expected.map((eventId) => within((tx) => tx.trail.append(trailRow(eventId, NOON, { accountId })))));
      assert.deepEqual((await ids(accountId, { limit: 500 })).toSorted(), expected.toSorted());
    });

    test('trail: a record is seen by its own transaction', async () => {
      const accountId = fresh();
      const rows = await within(async (tx) => {
        await tx.trail.append(trailRow('own', NOON, { accountId }));
        return (await tx.trail.lookup({ accountId, region: 'us-east-1', from: NOON, to: NOON, limit: 1 })).rows;
      });
      assert.deepEqual(
        rows.map(({ eventId }) => eventId),
        ['own'],
      );
    });

    test('trail: records of other accounts and regions are not found', async () => {
      const accountId = fresh();
      await record(
        trailRow('mine', NOON, { accountId }),
        trailRow('theirs', NOON, { accountId: BOB }),
        trailRow('elsewhere', NOON, { accountId, region: 'eu-central-1' }),
      );
      assert.deepEqual(await ids(accountId), ['mine']);
    });

    test('trail: newest first, in pages that meet without gap or repetition', async () => {
      const accountId = fresh();
      const expected = Array.from({ length: 25 }, (_, i) => `e${24 - i}`);
      for (const [i, eventId] of expected.toReversed().entries()) await record(trailRow(eventId, NOON + Math.floor(i / 4), { accountId }));
      const found: string[] = [];
      let before: string | undefined;
      do {
        const page = await lookup(accountId, { limit: 7, ...(before === undefined ? {} : { before }) });
        found.push(...page.rows.map(({ eventId }) => eventId));
        before = page.next;
      } while (before !== undefined);
      assert.deepEqual(found, expected);
    });

    test('trail: from and to are both included', async () => {
      const accountId = fresh();
      await record(...[0, 1, 2, 3].map((i) => trailRow(`e${i}`, NOON + i, { accountId })));
      assert.deepEqual(await ids(accountId, { from: NOON + 1, to: NOON + 2 }), ['e2', 'e1']);
    });

    test('trail: a record appended late is found at the time of its request', async () => {
      const accountId = fresh();
      await record(trailRow('later', NOON + 60_000, { accountId }), trailRow('late', NOON, { accountId }));
      assert.deepEqual(await ids(accountId, { from: NOON, to: NOON + 1 }), ['late']);
    });

    test('trail: an attribute finds what has it, and nothing that only looks like it', async () => {
      const accountId = fresh();
      await record(
        trailRow('plain', NOON, { accountId }),
        trailRow('named', NOON, {
          accountId,
          eventName: 'GetRole',
          eventSource: 'iam.amazonaws.com',
          readOnly: true,
          userName: 'ann',
          accessKeyId: 'AKIA1',
          resources: [{ type: 'T%', name: 'r_1' }],
        }),
        trailRow('alike', NOON, { accountId, userName: 'Ann', resources: [{ type: 'Tx', name: 'R_1' }, { name: 'rx1' }] }),
      );
      // biome-ignore format: a table
      for (const [name, value, expected] of [
        ['EventId',      'named',             ['named']],
        ['EventName',    'GetRole',           ['named']],
        ['EventName',    'getrole',           []],
        ['ReadOnly',     'true',              ['named']],
        ['ReadOnly',     'false',             ['alike', 'plain']],
        ['ReadOnly',     'maybe',             []],
        ['Username',     'ann',               ['named']],
        ['EventSource',  'iam.amazonaws.com', ['named']],
        ['AccessKeyId',  'AKIA1',             ['named']],
        ['ResourceType', 'T%',                ['named']],
        ['ResourceName', 'r_1',               ['named']],
        ['ResourceName', 'R_1',               ['alike']],
        ['ResourceName', '%',                 []],
      ] as const) {
        assert.deepEqual(await ids(accountId, { attribute: { name, value } }), expected, `${name} ${value}`);
      }
    });
  });
}

function restConformance(within: Within): void {
  const key = { accountId: ALICE, region: 'us-east-1', operation: 'chime:CreateMeeting', token: 't' };
  const answer = { requestHash: 'h', answer: '{}', expiresAt: instant(NOON + 1000) };

  test('idempotency: an answer is kept until it expires, for its own account, region, operation and token', async () => {
    const read = await within(async ({ idempotency }) => {
      await idempotency.put(key, answer);
      return [
        await idempotency.get(key, NOON),
        await idempotency.get(key, answer.expiresAt),
        await idempotency.get({ ...key, token: 'u' }, NOON),
        await idempotency.get({ ...key, region: 'eu-central-1' }, NOON),
        await idempotency.get({ ...key, accountId: BOB }, NOON),
      ];
    });
    assert.deepEqual(read, [answer, undefined, undefined, undefined, undefined]);
  });

  test('idempotency: a later answer takes the place of the one before', async () => {
    const later = { requestHash: 'h2', answer: '[]', expiresAt: instant(NOON + 2000) };
    const read = await within(async ({ idempotency }) => {
      await idempotency.put(key, answer);
      await idempotency.put(key, later);
      return idempotency.get(key, NOON);
    });
    assert.deepEqual(read, later);
  });

  test('idempotency: what expired is forgotten, at most so many at once', async () => {
    const forgotten = await within(async ({ idempotency }) => {
      await idempotency.forgetExpired(instant(NOON * 2), 1000);
      for (const token of ['1', '2', '3'])
        await idempotency.put({ ...key, token }, { ...answer, expiresAt: instant(NOON + Number(token)) });
      return [
        await idempotency.forgetExpired(instant(NOON + 2), 1),
        await idempotency.forgetExpired(instant(NOON + 2), 5),
        await idempotency.forgetExpired(instant(NOON + 2), 5),
      ];
    });
    assert.deepEqual(forgotten, [1, 1, 0]);
  });

  test('meta: put writes over, add does not', async () => {
    const read = await within(async ({ meta }) => [
      await meta.get('check value'),
      await meta.add('check value', 'a'),
      await meta.add('check value', 'b'),
      await meta.get('check value'),
      await meta.put('check value', 'c'),
      await meta.get('check value'),
    ]);
    assert.deepEqual(read, [undefined, 'added', 'exists', 'a', undefined, 'c']);
  });

  test('outbox: entries are taken oldest first, stay until deleted, and are deleted once', async () => {
    for (const document of ['1', '2', '3']) await within((tx) => tx.outbox.append('events', document));
    const read = await within(async ({ outbox }) => {
      const taken = await outbox.take(2);
      const again = await outbox.take(2);
      const rest = await outbox.take(2, taken[1]?.id);
      const ids = taken.map(({ id }) => id);
      return {
        taken: taken.map(({ topic, document }) => [topic, document]),
        again: again.length,
        rest: rest.map(({ document }) => document),
        deleted: [await outbox.delete(ids), await outbox.delete(ids)],
      };
    });
    assert.deepEqual(read, {
      taken: [
        ['events', '1'],
        ['events', '2'],
      ],
      again: 2,
      rest: ['3'],
      deleted: [2, 0],
    });
  });
}

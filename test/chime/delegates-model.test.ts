/** Delegates against a simple model in memory: generated calls of three AWS accounts on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from '#services/chime/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const CALLERS = [ACCOUNT, OTHER_ACCOUNT, '777788889999' as AccountId];
/** Time in which an invitation can be accepted. */
const VALID_MS = 7 * DAY_MS;

interface ModelDelegate {
  readonly id: string;
  readonly to: AccountId;
  invitedAt: number;
  token: string;
  accepted: boolean;
}
interface ModelAccount {
  readonly id: string;
  readonly owner: AccountId;
  deleted: boolean;
  delegates: ModelDelegate[];
}

const Which = fc.nat({ max: 1 });
const Who = fc.constantFrom(...CALLERS);
const Step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('invite' as const), which: Which, who: Who, to: Who }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('accept' as const), token: fc.nat({ max: 7 }), who: Who, invited: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('renew' as const, 'end' as const), which: Which, who: Who, to: Who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(DAY_MS, VALID_MS - 1, VALID_MS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: Which, who: Who }) },
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns the code of an error, or `ok`. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

/** Runs steps on a store and on the model, and compares each outcome, and after each step what every AWS account may do. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const { run, account } = await openFixture(store);
  const model: ModelAccount[] = [];
  for (const owner of CALLERS.slice(0, 2))
    model.push({ id: await account('One', { accountId: owner }), owner, deleted: false, delegates: [] });
  /** All tokens that were sent, the oldest first. */
  const sent: { readonly account: ModelAccount; readonly delegate: ModelDelegate; readonly token: string }[] = [];
  let time = START as number;

  async function note(of: ModelAccount, delegate: ModelDelegate): Promise<void> {
    const body = await store.transaction(async ({ sql }) => (await sql.row<{ readonly body: string }>(NEWEST))?.body ?? '');
    const token = /Token: ([\w-]{43})/.exec(body)?.[1] ?? assert.fail(body);
    assert.ok(body.includes(delegate.id));
    Object.assign(delegate, { token, invitedAt: time });
    sent.push({ account: of, delegate, token });
  }

  async function step(each: Step): Promise<void> {
    if (each.kind === 'wait') {
      time += each.ms;
      return;
    }
    const now = instant(++time);
    if (each.kind === 'accept') {
      // The newest tokens are the most interesting ones.
      const found = sent.at(-1 - each.token);
      if (found === undefined) return;
      const { account: of, delegate } = found;
      const who = each.invited ? delegate.to : each.who;
      const isKnown = !of.deleted && of.delegates.includes(delegate) && delegate.to === who && delegate.token === found.token;
      const isLate = !delegate.accepted && now >= delegate.invitedAt + VALID_MS;
      const owners: string[] = [];
      const as = { accountId: who, now, actsFor: (owner: string) => void owners.push(owner) };
      const code = await codeOf(run('AcceptDelegate', { DelegateId: delegate.id, InvitationToken: found.token }, as));
      assert.equal(code, !isKnown ? 'NotFoundException' : isLate ? 'BadRequestException' : 'ok');
      assert.deepEqual(owners, code === 'ok' ? [of.owner] : []);
      delegate.accepted ||= code === 'ok';
      return;
    }
    const of = model[each.which] as ModelAccount;
    const as = { accountId: each.who, now };
    const own = { AccountId: of.id };
    const isOwner = each.who === of.owner && !of.deleted;
    if (each.kind === 'delete') {
      assert.equal(await codeOf(run('DeleteAccount', own, as)), isOwner ? 'ok' : 'NotFoundException');
      of.deleted ||= isOwner;
      return;
    }
    const delegate = of.delegates.find(({ to }) => to === each.to);
    const key = { ...own, DelegateId: delegate?.id ?? 'unknown' };
    switch (each.kind) {
      case 'invite': {
        const input = { ...own, DelegateAwsAccountId: each.to, EmailAddress: 'ada@example.com' };
        const taken = each.to === of.owner ? 'BadRequestException' : delegate !== undefined ? 'ConflictException' : 'ok';
        const call = run('InviteDelegate', input, as);
        assert.equal(await codeOf(call), isOwner ? taken : 'NotFoundException');
        if (!isOwner || taken !== 'ok') return;
        const created: ModelDelegate = {
          id: (await call).Delegate?.DelegateId as string,
          to: each.to,
          invitedAt: time,
          token: '',
          accepted: false,
        };
        of.delegates.push(created);
        await note(of, created);
        return;
      }
      case 'renew': {
        const code = await codeOf(run('RenewDelegate', key, as));
        assert.equal(code, !isOwner || delegate === undefined ? 'NotFoundException' : delegate.accepted ? 'ConflictException' : 'ok');
        if (code === 'ok' && delegate !== undefined) await note(of, delegate);
        return;
      }
      case 'end': {
        const isThere = isOwner && delegate !== undefined;
        assert.equal(await codeOf(run('DeleteDelegate', key, as)), isThere ? 'ok' : 'NotFoundException');
        if (isThere) of.delegates = of.delegates.filter((other) => other !== delegate);
      }
    }
  }

  async function compare(): Promise<void> {
    const now = instant(time);
    for (const { id: AccountId, owner, deleted, delegates } of model) {
      const isDelegate = (who: AccountId) => delegates.some(({ to, accepted }) => to === who && accepted);
      for (const who of CALLERS) {
        const owners: string[] = [];
        const as = { accountId: who, now, actsFor: (of: string) => void owners.push(of) };
        const admitted = !deleted && (who === owner || isDelegate(who));
        assert.equal(await codeOf(run('ListUsers', { AccountId }, as)), admitted ? 'ok' : 'NotFoundException');
        assert.deepEqual(owners, admitted && who !== owner ? [owner] : []);
        // This operation is not one of delegates.
        const isOwner = !deleted && who === owner;
        assert.equal(await codeOf(run('RenameAccount', { AccountId, Name: 'One' }, as)), isOwner ? 'ok' : 'NotFoundException');
      }
      if (deleted) continue;
      const { Delegates = [] } = await run('ListDelegates', { AccountId }, { accountId: owner, now });
      assert.deepEqual(
        Delegates.map((each) => [each.DelegateId, each.DelegateAwsAccountId, each.DelegateStatus]),
        delegates.map(({ id, to, accepted, invitedAt }) => [
          id,
          to,
          accepted ? 'Active' : invitedAt + VALID_MS > now ? 'Pending' : 'Expired',
        ]),
      );
    }
  }

  for (const each of steps) {
    await step(each);
    await compare();
  }
}

const NEWEST = 'SELECT body FROM outgoing ORDER BY number DESC LIMIT 1';
const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 60, () => openSqlite(':memory:')],
  ['PostgreSQL', 8, () => openPostgres(postgres.url)],
];
/** Steps that make the state interesting: an accepted delegation, and an invitation. */
const BEFORE: readonly Step[] = [
  { kind: 'invite', which: 0, who: ACCOUNT, to: OTHER_ACCOUNT },
  { kind: 'accept', token: 0, who: OTHER_ACCOUNT, invited: true },
  { kind: 'invite', which: 1, who: OTHER_ACCOUNT, to: ACCOUNT },
];

for (const [engine, numRuns, open] of ENGINES) {
  test(`Delegates on ${engine}: generated calls have the outcomes of the model`, async () => {
    const store = await open();
    after(() => store.close());
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await store.transaction(async ({ sql }) => {
          for (const name of ['chime_account', 'chime_delegate', 'outgoing']) await sql.run(`DELETE FROM ${name}`);
        });
        await agree(store, [...BEFORE, ...steps]);
      }),
      { numRuns, seed: 20_261_201 },
    );
  });
}

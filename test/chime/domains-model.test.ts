/** Domains and the users of their accounts against a simple model in memory: generated calls on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { instant } from '#core/instant.ts';
import { domainChecks } from '#services/chime/domain-checks.ts';
import { type Fixture, openFixture, START } from '#services/chime/fixture.ts';
import { sweepReleasedDomains } from '#services/chime/released-domains.ts';
import { workFor } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const DOMAINS = ['one.example', 'two.example'];
const NAMES = ['ada', 'bob', 'eve'];
const ADDRESSES = [...DOMAINS, 'free.example'].flatMap((domain) => NAMES.map((name) => `${name}@${domain}`));
const domainOf = (address: string) => address.slice(address.indexOf('@') + 1);

interface ModelUser {
  status: 'Unregistered' | 'Registered' | 'Suspended';
  invitation: 'Pending' | 'Accepted' | undefined;
  license: 'Pro' | 'Basic';
  isMember: boolean;
  hasRegistered: boolean;
}
interface ModelAccount {
  readonly id: string;
  /** Claims by domain: whether the claim is verified, the record, and whether it is in DNS. */
  readonly claims: Map<string, { isVerified: boolean; readonly record: string; isPublished: boolean }>;
  readonly users: Map<string, ModelUser>;
  /** Whether an OpenID provider manages the users. */
  isManaged: boolean;
  /** Domains that the account released while it was managed, until the sweep has deleted their users. */
  readonly released: Set<string>;
}

const Which = fc.nat({ max: 1 });
const Domain = fc.constantFrom(...DOMAINS);
const Who = fc.subarray(ADDRESSES, { minLength: 1, maxLength: 5 });
const Step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('claim' as const), which: Which, domain: Domain }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), which: Which, domain: Domain }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('publish' as const), which: Which, domain: Domain, isPublished: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('check' as const), ms: fc.constantFrom(3_000, 90_000_000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), which: Which, domain: Domain }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('connect' as const, 'connect' as const, 'disconnect' as const), which: Which }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: fc.constantFrom('invite' as const, 'register' as const, 'create' as const, 'suspend' as const, 'unsuspend' as const),
      which: Which,
      who: Who,
    }),
  },
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns the code of an error, or `ok`. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

/** Accounts of the store and of the model, at a time that only the steps move. */
interface Place {
  readonly fixture: Fixture;
  readonly model: readonly ModelAccount[];
  readonly clock: { time: number };
}

const isTeam = ({ claims }: ModelAccount) => [...claims.values()].every(({ isVerified }) => !isVerified);
const typeOf = (of: ModelAccount) => (isTeam(of) ? 'Team' : of.isManaged ? 'EnterpriseOIDC' : 'EnterpriseLWA');
const ownerIn = (model: readonly ModelAccount[], domain: string) => model.find(({ claims }) => claims.get(domain)?.isVerified === true);
const nowOf = ({ time }: Place['clock']) => instant(time);

/** Returns the steps of domains. */
function domainSteps({ fixture: { run, store }, model, clock }: Place) {
  const texts = (name: string) =>
    model.flatMap(({ claims }) =>
      [...claims].filter(([domain, each]) => name.endsWith(`.${domain}`) && each.isPublished).map(([, { record }]) => record),
    );
  const look = domainChecks(async (name) => texts(name))();
  return { add, check, release, setProvider, sweep };

  async function add(of: ModelAccount, domain: string): Promise<void> {
    const call = run('AddDomain', { AccountId: of.id, DomainName: domain.toUpperCase() }, { now: nowOf(clock) });
    const isTaken = ownerIn(model, domain) !== undefined || of.claims.has(domain);
    assert.equal(await codeOf(call), isTaken ? 'ConflictException' : 'ok');
    if (!isTaken) of.claims.set(domain, { isVerified: false, record: (await call).Domain?.RecordValue as string, isPublished: false });
  }

  /** Lets the server look for the records of all claims, as after GetDomain. Of several accounts with a record, one verifies the domain. */
  async function check(ms: number): Promise<void> {
    for (const { id, claims } of model)
      for (const domain of claims.keys()) await run('GetDomain', { AccountId: id, DomainName: domain }, { now: nowOf(clock) });
    clock.time += ms;
    while ((await look((work) => store.transaction((tx) => work(workFor(tx, nowOf(clock)))))) === 'more');
    for (const domain of DOMAINS) {
      if (ownerIn(model, domain) !== undefined) continue;
      const able = model.filter(({ claims }) => claims.get(domain)?.isPublished === true);
      const winners: ModelAccount[] = [];
      for (const each of able) {
        const found = (await run('GetDomain', { AccountId: each.id, DomainName: domain }, { now: nowOf(clock) })).Domain;
        if (found?.DomainStatus === 'Verified') winners.push(each);
      }
      assert.equal(winners.length, Math.min(1, able.length), domain);
      const claim = winners[0]?.claims.get(domain);
      if (claim !== undefined) claim.isVerified = true;
    }
  }

  async function release(of: ModelAccount, domain: string): Promise<void> {
    const claim = of.claims.get(domain);
    const code = await codeOf(run('DeleteDomain', { AccountId: of.id, DomainName: domain }, { now: nowOf(clock) }));
    assert.equal(code, claim === undefined ? 'NotFoundException' : 'ok');
    of.claims.delete(domain);
    if (claim?.isVerified !== true) return;
    for (const [address, user] of of.users) {
      if (domainOf(address) !== domain || (user.status === 'Suspended' && !of.isManaged)) continue;
      if (user.status === 'Unregistered' && !of.isManaged) user.invitation = undefined;
      Object.assign(user, { status: 'Suspended', isMember: false });
    }
    if (of.isManaged) of.released.add(domain);
    if (isTeam(of)) of.isManaged = false;
  }

  async function setProvider(of: ModelAccount, isManaged: boolean): Promise<void> {
    const own = { AccountId: of.id };
    const call = isManaged
      ? run('UpdateAccountOpenIdConfig', { ...own, Issuer: 'https://idp.example.com', ClientId: 'belfry' }, { now: nowOf(clock) })
      : run('DeleteAccountOpenIdConfig', own, { now: nowOf(clock) });
    const refusal = isManaged ? isTeam(of) && 'BadRequestException' : !of.isManaged && 'NotFoundException';
    assert.equal(await codeOf(call), refusal || 'ok');
    if (refusal === false) of.isManaged = isManaged;
  }

  /** Deletes the users of domains that managed accounts have released, unless they have joined or were invited again. */
  async function sweep(): Promise<void> {
    while ((await store.transaction((tx) => sweepReleasedDomains(workFor(tx, nowOf(clock))))) === 'more');
    for (const { users, released } of model) {
      for (const [address, { status, isMember }] of users)
        if (status === 'Suspended' && !isMember && released.has(domainOf(address))) users.delete(address);
      released.clear();
    }
  }
}

/** Returns the steps of users. */
function userSteps({ fixture: { run, register: registerAt }, model, clock }: Place) {
  const idsOf = async ({ id }: ModelAccount, who: readonly string[]) => {
    const { Users = [] } = await run('ListUsers', { AccountId: id });
    return who.map((address) => Users.find(({ PrimaryEmail }) => PrimaryEmail === address)?.UserId ?? `unknown ${address}`);
  };
  return { invite, register, create, suspend, unsuspend };

  async function invite(of: ModelAccount, who: readonly string[]): Promise<void> {
    const call = run('InviteUsers', { AccountId: of.id, UserEmailList: who }, { now: nowOf(clock) });
    assert.equal(await codeOf(call), isTeam(of) ? 'ok' : 'BadRequestException');
    if (!isTeam(of)) return;
    const expected = who.map((address) => {
      const user = of.users.get(address);
      const owner = ownerIn(model, domainOf(address));
      if (owner !== undefined && owner !== of) return 'Failed';
      if (user?.status === 'Registered') return 'Accepted';
      if (user?.isMember === true) return 'Failed';
      const invited = { status: 'Unregistered', invitation: 'Pending', license: 'Pro' } as const;
      if (user === undefined) of.users.set(address, { ...invited, isMember: false, hasRegistered: false });
      else if (user.status === 'Suspended') Object.assign(user, invited);
      return 'Pending';
    });
    assert.deepEqual(
      (await call).Invites?.map(({ Status }) => Status),
      expected,
    );
  }

  async function register(of: ModelAccount, address: string): Promise<void> {
    const user = of.users.get(address);
    const owner = ownerIn(model, domainOf(address));
    const isClaimed = owner === of;
    const canReturn = isClaimed && user?.isMember === false && (user.hasRegistered || user.invitation === undefined);
    const isAllowed = user === undefined ? isClaimed : user.status !== 'Suspended' || canReturn;
    const isTaken = model.some(({ users }) => users.get(address)?.isMember === true);
    const code = await codeOf(registerAt(of.id, address, { now: nowOf(clock) }));
    const isElsewhere = owner !== undefined && !isClaimed;
    assert.equal(code, isElsewhere || !isAllowed ? 'ForbiddenException' : isTaken ? 'ConflictException' : 'ok', address);
    if (code !== 'ok') return;
    of.users.set(address, {
      ...{ status: 'Registered', isMember: true, hasRegistered: true },
      ...{ invitation: user === undefined ? undefined : 'Accepted', license: user?.license ?? 'Pro' },
    });
  }

  async function create(of: ModelAccount, address: string): Promise<void> {
    const code = await codeOf(run('CreateUser', { AccountId: of.id, Email: address }, { now: nowOf(clock) }));
    const isAllowed = of.isManaged && ownerIn(model, domainOf(address)) === of;
    const isTaken = of.users.has(address) || model.some(({ users }) => users.get(address)?.isMember === true);
    assert.equal(code, !isAllowed ? 'BadRequestException' : isTaken ? 'ConflictException' : 'ok');
    if (code !== 'ok') return;
    of.users.set(address, { status: 'Registered', invitation: undefined, license: 'Pro', isMember: true, hasRegistered: true });
  }

  async function suspend(of: ModelAccount, who: readonly string[]): Promise<void> {
    const UserIdList = await idsOf(of, who);
    const { UserErrors } = await run('BatchSuspendUser', { AccountId: of.id, UserIdList }, { now: nowOf(clock) });
    assert.equal(UserErrors?.length, who.filter((address) => of.isManaged || !of.users.has(address)).length);
    if (of.isManaged) return;
    for (const address of who) {
      const user = of.users.get(address);
      if (user === undefined || user.status === 'Suspended') continue;
      if (user.status === 'Unregistered' || isTeam(of)) user.isMember = false;
      if (isTeam(of)) user.license = 'Basic';
      user.status = 'Suspended';
    }
  }

  async function unsuspend(of: ModelAccount, who: readonly string[]): Promise<void> {
    const UserIdList = await idsOf(of, who);
    const code = await codeOf(run('BatchUnsuspendUser', { AccountId: of.id, UserIdList }, { now: nowOf(clock) }));
    assert.equal(code, isTeam(of) ? 'BadRequestException' : 'ok');
    if (isTeam(of) || of.isManaged) return;
    for (const address of who) {
      const user = of.users.get(address);
      if (user?.status !== 'Suspended') continue;
      if (user.isMember) user.status = 'Registered';
      else if (!user.hasRegistered) user.status = 'Unregistered';
    }
  }
}

/** Compares the accounts, their claims and their users. */
async function compare({ fixture: { run }, model }: Place): Promise<void> {
  for (const of of model) {
    const AccountId = of.id;
    assert.equal((await run('GetAccount', { AccountId })).Account?.AccountType, typeOf(of));
    const { Domains = [] } = await run('ListDomains', { AccountId });
    assert.deepEqual(
      Domains.map(({ DomainName, DomainStatus, RecordValue }) => [DomainName, DomainStatus, RecordValue]),
      [...of.claims]
        .map(([domain, { isVerified, record }]) => [domain, isVerified ? 'Verified' : 'PendingVerification', record])
        .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    );
    const { Users = [] } = await run('ListUsers', { AccountId });
    const byAddress = ([a]: readonly unknown[], [b]: readonly unknown[]) => (String(a) < String(b) ? -1 : 1);
    assert.deepEqual(
      Users.map((user) => [user.PrimaryEmail, user.UserRegistrationStatus, user.UserInvitationStatus, user.LicenseType]).toSorted(
        byAddress,
      ),
      [...of.users].map(([address, user]) => [address, user.status, user.invitation, user.license]).toSorted(byAddress),
    );
  }
  // A person is a user of one account at most.
  for (const address of ADDRESSES) {
    const { Accounts = [] } = await run('ListAccounts', { UserEmail: address });
    assert.deepEqual(
      Accounts.map(({ AccountId }) => AccountId),
      model.filter(({ users }) => users.get(address)?.isMember === true).map(({ id }) => id),
    );
  }
}

/** Runs steps on a store and on the model, and compares each outcome, and the state after each step. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const fixture = await openFixture(store);
  const model: ModelAccount[] = [];
  for (const name of ['One', 'Two'])
    model.push({ id: await fixture.account(name), claims: new Map(), users: new Map(), isManaged: false, released: new Set() });
  const clock = { time: START as number };
  const place = { fixture, model, clock };
  const { add, check, release, setProvider, sweep } = domainSteps(place);
  const { invite, register, create, suspend, unsuspend } = userSteps(place);

  async function step(each: Step): Promise<void> {
    clock.time += 1;
    if (each.kind === 'check') return await check(each.ms);
    if (each.kind === 'sweep') return await sweep();
    const of = model[each.which] as ModelAccount;
    switch (each.kind) {
      case 'add':
        return await add(of, each.domain);
      case 'publish': {
        const claim = of.claims.get(each.domain);
        if (claim !== undefined) claim.isPublished = each.isPublished;
        return;
      }
      case 'claim': {
        await add(of, each.domain);
        const claim = of.claims.get(each.domain);
        if (claim !== undefined) claim.isPublished = true;
        return await check(3_000);
      }
      case 'release':
        return await release(of, each.domain);
      case 'connect':
      case 'disconnect':
        return await setProvider(of, each.kind === 'connect');
      case 'invite':
        return await invite(of, each.who);
      case 'register':
      case 'create':
        for (const address of each.who) {
          clock.time += 1;
          await (each.kind === 'register' ? register : create)(of, address);
        }
        return;
      case 'suspend':
        return await suspend(of, each.who);
      case 'unsuspend':
        return await unsuspend(of, each.who);
    }
  }

  for (const each of steps) {
    await step(each);
    await compare(place);
  }
}

const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 60, () => openSqlite(':memory:')],
  ['PostgreSQL', 6, () => openPostgres(postgres.url)],
];
/** Steps that make the state interesting: an account with a domain, and people who are registered, invited, and suspended before they register. */
const BEFORE: readonly Step[] = [
  { kind: 'invite', which: 0, who: ADDRESSES },
  { kind: 'register', which: 0, who: ADDRESSES.filter((address) => address.startsWith('ada')) },
  { kind: 'suspend', which: 0, who: ADDRESSES.filter((address) => address.startsWith('eve')) },
  { kind: 'claim', which: 0, domain: 'one.example' },
];

for (const [engine, numRuns, open] of ENGINES) {
  test(`Domains on ${engine}: generated calls have the outcomes of the model`, async () => {
    const store = await open();
    after(() => store.close());
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 20 }), async (steps) => {
        await store.transaction(async ({ sql }) => {
          for (const name of ['chime_user', 'chime_account', 'chime_domain', 'outgoing', 'resource']) await sql.run(`DELETE FROM ${name}`);
        });
        await agree(store, [...BEFORE, ...steps]);
      }),
      { numRuns, seed: 20_261_201 },
    );
  });
}

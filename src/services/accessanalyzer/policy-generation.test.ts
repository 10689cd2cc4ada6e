/** Jobs that generate policies, on a store in memory whose clock the test sets. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { allowedUse, findUse } from '#access/past/recorded-use.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { UseJob } from '#core/recorded-use.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { ALICE, BOB, NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { EXAMPLES } from '#store/identity/record-examples.ts';
import { exampleContext } from '#store/trail/context-examples.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { accessOf, openOperations, workFor } from '../kit/fixture.ts';
import type { PolicyGenerationParts, TrailSource } from '../kit/policy-generation-parts.ts';
import type { Transact } from '../kit/service.ts';
import { runPolicyGenerations } from './generation/policy-generation-run.ts';
import { accessanalyzerOperations } from './operations.ts';
import { accessAnalyzer } from './service.ts';
import { policyGenerations } from './tables/policy-generations.ts';

const ADA = EXAMPLES.user.arn;
const TRAIL = `arn:aws:cloudtrail:us-east-1:${ALICE}:trail/audit`;
const ROLE = `arn:aws:iam::${ALICE}:role/reader`;
const SOURCE: TrailSource = {
  ...{ homeRegion: 'us-east-1', isMultiRegion: false, createdAt: instant(NOON - DAY_MS), logging: true },
  ...{ bucketArn: 'arn:aws:s3:::logs', filesArn: `arn:aws:s3:::logs/AWSLogs/${ALICE}/*` },
};

const serverFacts = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: 0 };
const operations = accessanalyzerOperations({ kinds: [], loadRules: async () => [], serverFacts });

async function open() {
  let now: Instant = NOON;
  const store = await openSqlite(':memory:', { now: () => now });
  const { run } = await openOperations<AccessanalyzerApi>(operations, [], store);
  const { attachedPolicyArns: _, inlinePolicies: __, groupIds: ___, permissionsBoundaryArn: ____, ...user } = EXAMPLES.user;
  await store.transaction((tx) =>
    tx.identity.put(ALICE, 'user', 'ada', { ...user, groupIds: [], attachedPolicyArns: [], inlinePolicies: {} }),
  );
  const transact: Transact = (work) => store.transaction((tx) => work(workFor(tx, now)));
  const call = <Name extends keyof AccessanalyzerApi>(name: Name, input: AccessanalyzerApi[Name]['input'], region = 'us-east-1') =>
    run(name, input, { accountId: ALICE, region, now });
  const parts: PolicyGenerationParts = {
    findUse: async (_accountId, job: UseJob) => (job.kind === 'search' ? findUse(job) : allowedUse(job)) as never,
    trail: async () => SOURCE,
    decideRole: async () => 'allowed',
  };
  return {
    store,
    call,
    start: async (more: object = {}, region?: string) =>
      (await call('StartPolicyGeneration', { policyGenerationDetails: { principalArn: ADA }, ...more }, region)).jobId,
    /** Returns the step of a server. `own` replaces parts. */
    server(own: Partial<PolicyGenerationParts> = {}) {
      const step = runPolicyGenerations({ ...parts, ...own })();
      return {
        step: () => step(transact),
        async all(): Promise<number> {
          for (let steps = 0; ; steps++) if ((await step(transact)) === 'done') return steps;
        },
      };
    },
    pass(milliseconds: number): void {
      now = instant(now + milliseconds);
    },
    /** Records a request of Ada, in a pack of its own. */
    async record(action: string, resource: string, more: Partial<DecisionContext> = {}, region = 'us-east-1'): Promise<void> {
      const [permission] = exampleContext().permissions;
      const permissions = [{ ...(permission as NonNullable<typeof permission>), action, resources: [resource] }];
      const caller = { principal: JSON.stringify(['IAMUser', ALICE, ADA, 'AIDAADA', 'ada']) };
      const context = exampleContext({ now, caller, permissions, ...more });
      await store.transaction((tx) => tx.trail.append(trailRow(randomUUID(), now, { region, context })));
      now = instant(now + 1);
    },
    actions: async (jobId: string) => {
      const { jobDetails, generatedPolicyResult } = await call('GetGeneratedPolicy', { jobId });
      const statements = (generatedPolicyResult.generatedPolicies ?? []).flatMap(
        ({ policy }) => (JSON.parse(policy) as { readonly Statement: readonly { readonly Action: readonly string[] }[] }).Statement,
      );
      return {
        ...jobDetails,
        isComplete: generatedPolicyResult.properties.isComplete,
        actions: statements.flatMap(({ Action }) => Action),
      };
    },
    async sweep(): Promise<void> {
      for (const create of accessAnalyzer(() => []).sweeps ?? []) while ((await transact(create())) === 'more');
    },
  };
}

const DETAILS = { trails: [{ cloudTrailArn: TRAIL }], accessRole: ROLE, startTime: instant(NOON - DAY_MS) };

test('policy generation: the errors of a start, in their order', async () => {
  const { call } = await open();
  const details = (more: object) => ({ policyGenerationDetails: { principalArn: ADA }, cloudTrailDetails: { ...DETAILS, ...more } });
  // biome-ignore format: a table
  for (const [title, input, field] of [
    ['a principal of another account', { policyGenerationDetails: { principalArn: `arn:aws:iam::${BOB}:user/ada` } }, 'policyGenerationDetails.principalArn'],
    ['an unknown user',                { policyGenerationDetails: { principalArn: `${ADA}n` } },                      'policyGenerationDetails.principalArn'],
    ['another path',                   { policyGenerationDetails: { principalArn: `arn:aws:iam::${ALICE}:user/team/ada` } }, 'policyGenerationDetails.principalArn'],
    ['a role of another account',      details({ accessRole: `arn:aws:iam::${BOB}:role/r` }),                         'cloudTrailDetails.accessRole'],
    ['no trail',                       details({ trails: [] }),                                                       'cloudTrailDetails.trails'],
    ['eleven trails',                  details({ trails: Array.from({ length: 11 }, () => ({ cloudTrailArn: TRAIL })) }), 'cloudTrailDetails.trails'],
    ['an unknown region',              details({ trails: [{ cloudTrailArn: TRAIL, regions: ['mars-1'] }] }),          'cloudTrailDetails.trails.regions'],
    ['an end before the start',        details({ endTime: instant(NOON - 2 * DAY_MS) }),                              'cloudTrailDetails.startTime'],
    ['a start in the future',          details({ startTime: instant(NOON + 2), endTime: instant(NOON + 3) }),         'cloudTrailDetails.startTime'],
    ['more than 90 days',              details({ startTime: instant(NOON - 90 * DAY_MS - 1) }),                       'cloudTrailDetails.startTime'],
  ] as const) {
    await assert.rejects(call('StartPolicyGeneration', input as never), (error: { code?: string; members?: { fieldList: { name: string }[] } }) => {
      assert.equal(error.code, 'ValidationException', title);
      assert.deepEqual(error.members?.fieldList.map(({ name }) => name), [field], title);
      return true;
    });
  }
  await assert.rejects(call('GetGeneratedPolicy', { jobId: 'none' }), { code: 'ValidationException' });
  await assert.rejects(call('CancelPolicyGeneration', { jobId: 'none' }), { code: 'ValidationException' });
  await assert.rejects(call('ListPolicyGenerations', { maxResults: 0 }), { code: 'ValidationException' });
  await assert.rejects(call('ListPolicyGenerations', { nextToken: 'x' }), { code: 'ValidationException' });
});

test('policy generation: each operation requires its own permission on *', () => {
  for (const name of ['StartPolicyGeneration', 'GetGeneratedPolicy', 'ListPolicyGenerations', 'CancelPolicyGeneration'] as const) {
    const [access, ...others] = accessOf(operations, name, { policyGenerationDetails: { principalArn: ADA }, jobId: 'j' });
    assert.deepEqual([access?.action, access?.resources, others], [`access-analyzer:${name}`, ['*'], []]);
  }
});

test('policy generation: an account and region has one job in progress, and a number of jobs a day', async () => {
  // biome-ignore format: a table
  for (const [region, most] of [
    ['us-east-1',  50],
    ['me-south-1', 5],
  ] as const) {
    const { start, call, pass } = await open();
    for (let i = 0; i < most; i++) {
      const jobId = await start({}, region);
      await assert.rejects(start({}, region), { code: 'ServiceQuotaExceededException', message: /in progress/ });
      await call('CancelPolicyGeneration', { jobId }, region);
      pass(1000);
    }
    await assert.rejects(start({}, region), { code: 'ServiceQuotaExceededException', message: /24 hours/ });
    // The other regions have quotas of their own.
    await start({}, 'eu-west-1');
    pass(DAY_MS - most * 1000);
    await start({}, region);
  }
});

test('policy generation: a job is kept for 7 days', async () => {
  const { start, call, pass, sweep, store, server } = await open();
  const jobId = await start();
  await server().all();
  pass(7 * DAY_MS - 1);
  await sweep();
  assert.equal((await call('GetGeneratedPolicy', { jobId })).jobDetails.status, 'SUCCEEDED');
  pass(1);
  await assert.rejects(call('GetGeneratedPolicy', { jobId }), { code: 'ValidationException' });
  assert.deepEqual((await call('ListPolicyGenerations', {})).policyGenerations, []);
  pass(1);
  await sweep();
  assert.equal(await store.transaction((tx) => tx.of(policyGenerations).get({ accountId: ALICE, region: 'us-east-1', jobId })), undefined);
});

test('policy generation: a step reads a bounded number of packs, and another server continues after a stop', async () => {
  const { start, pass, server, actions, record } = await open();
  for (let i = 0; i < 70; i++) await record(i === 69 ? 'iam:GetRole' : 'iam:GetUser', ADA);
  const jobId = await start();
  const parts: number[] = [];
  const [first, second] = [
    server({
      findUse: async (_accountId, job: UseJob) => {
        if (job.kind === 'search') parts.push(job.packs.length);
        return (job.kind === 'search' ? findUse(job) : allowedUse(job)) as never;
      },
    }),
    server(),
  ];
  assert.equal(await first.step(), 'more');
  assert.equal(await second.step(), 'done', 'the first server has the job');
  await first.step();
  assert.deepEqual(parts, [32, 32]);
  assert.equal((await actions(jobId)).status, 'IN_PROGRESS');
  // The first server stops. The second one runs the whole job.
  pass(60_000);
  await second.all();
  assert.deepEqual((await actions(jobId)).actions, ['iam:GetRole', 'iam:GetUser']);
  assert.equal((await actions(jobId)).isComplete, true);
  // The first server was only slow: it forgets the job.
  assert.equal(await first.all(), 0);
  assert.deepEqual(parts, [32, 32]);
});

test('policy generation: a job that is canceled while it runs has no policy', async () => {
  const { start, call, server, actions, record } = await open();
  for (let i = 0; i < 40; i++) await record('iam:GetUser', ADA);
  const jobId = await start();
  const running = server();
  await running.step();
  await call('CancelPolicyGeneration', { jobId });
  await running.all();
  assert.deepEqual([(await actions(jobId)).status, (await actions(jobId)).actions], ['CANCELED', []]);
});

test('policy generation: jobs of two regions take turns', async () => {
  const { start, server, store, record } = await open();
  for (let i = 0; i < 40; i++) await record('iam:GetUser', ADA);
  const jobs = [await start(), await start({}, 'eu-west-1')];
  const running = server();
  const ended = async () => {
    const all = await store.transaction((tx) =>
      tx.sql.rows<{ job_id: string }>('SELECT job_id FROM policy_generation WHERE ended_at_ms IS NOT NULL'),
    );
    return all.map(({ job_id }) => job_id);
  };
  for (let i = 0; i < 2; i++) await running.step();
  assert.deepEqual(await ended(), []);
  await running.all();
  assert.deepEqual((await ended()).sort(), [...jobs].sort());
});

test('policy generation: failures have the code of their cause', async () => {
  // biome-ignore format: a table
  for (const [title, own, errorCode, message] of [
    ['an unknown trail',            { trail: async () => undefined },            'RESOURCE_NOT_FOUND_ERROR', `The trail does not exist: ${TRAIL}`],
    ['no role',                     { decideRole: async () => 'no-role' },       'AUTHORIZATION_ERROR',      `The role does not exist: ${ROLE}`],
    ['a role that does not trust',  { decideRole: async () => 'not-trusted' },   'AUTHORIZATION_ERROR',      `Access Analyzer cannot assume the role: ${ROLE}`],
    ['a role without a permission', { decideRole: async () => 'denied' },        'AUTHORIZATION_ERROR',      `The role is not authorized to perform cloudtrail:GetTrail on ${TRAIL}: ${ROLE}`],
    ['a failed thread',             { findUse: async () => assert.fail('bug') }, 'SERVICE_ERROR',            'The policy generation failed.'],
  ] as const satisfies readonly (readonly [string, Partial<PolicyGenerationParts>, string, string])[]) {
    const { start, server, call } = await open();
    const jobId = await start({ cloudTrailDetails: DETAILS });
    const running = server(own);
    if (errorCode === 'SERVICE_ERROR') await assert.rejects(running.all(), /bug/);
    else await running.all();
    const { jobDetails } = await call('GetGeneratedPolicy', { jobId });
    assert.deepEqual([jobDetails.status, jobDetails.jobError], ['FAILED', { code: errorCode, message }], title);
    // The next job can start.
    await start();
  }
});

test('policy generation: a principal that is deleted meanwhile, and a job that no server completes, fail', async () => {
  const { start, server, call, pass, store } = await open();
  const jobId = await start();
  await store.transaction((tx) => tx.identity.remove(ALICE, 'user', 'ada'));
  await server().all();
  assert.equal((await call('GetGeneratedPolicy', { jobId })).jobDetails.jobError?.code, 'RESOURCE_NOT_FOUND_ERROR');

  const late = await open();
  const lateJob = await late.start();
  late.pass(DAY_MS);
  await late.server().all();
  assert.equal(
    (await late.call('GetGeneratedPolicy', { jobId: lateJob })).jobDetails.jobError?.message,
    'The policy generation took too long.',
  );
  pass(0);
});

test('policy generation: a denied action is recorded, and is not in the service-level template', async () => {
  const { start, server, call, record, store } = await open();
  await record('iam:GetUser', ADA);
  await record('iam:ListUsers', '*', { outcome: { effect: 'Deny', kind: 'session-kind' } });
  await store.transaction(async (tx) => {
    const use = { holder: 'AIDAADA', region: 'us-east-1', at: NOON, service: 'iam' };
    await tx.lastUses.note(ALICE, { ...use, action: 'GetUser' });
    await tx.lastUses.note(ALICE, { ...use, action: 'ListUsers' });
  });
  const jobId = await start();
  await server().all();
  const { generatedPolicyResult } = await call('GetGeneratedPolicy', { jobId, includeServiceLevelTemplate: true });
  assert.equal(generatedPolicyResult.properties.isComplete, true);
  assert.deepEqual(JSON.parse(generatedPolicyResult.generatedPolicies?.[0]?.policy ?? '').Statement, [
    { Sid: 'SupportedServiceSid0', Effect: 'Allow', Action: ['iam:GetUser'], Resource: [ADA] },
  ]);
});

test('policy generation: only records of the trails count, in their regions and times', async () => {
  // biome-ignore format: a table
  for (const [title, source, trail, expected] of [
    ['the home region',                 {},                                         {},                                              ['iam:One']],
    ['all regions',                     { isMultiRegion: true },                    { allRegions: true },                            ['iam:One', 'iam:Two']],
    ['one region of a trail of all',    { isMultiRegion: true },                    { regions: ['eu-west-1'] },                      ['iam:Two']],
    ['another region than that of the trail', {},                                   { regions: ['eu-west-1'] },                      []],
    ['a trail that was created later',  { createdAt: instant(NOON + 5) },           {},                                              []],
    ['a trail that logged until then',  { logging: false, stoppedAt: instant(NOON) }, {},                                            ['iam:One']],
    ['a trail that never logged',       { logging: false },                         {},                                              []],
  ] as const) {
    const { start, server, actions, record, pass } = await open();
    await record('iam:One', ADA);
    await record('iam:Two', ADA, {}, 'eu-west-1');
    await record('iam:Denied', ADA, { outcome: { effect: 'Deny', kind: 'session-kind' } });
    await record('iam:Other', ADA, { caller: { principal: JSON.stringify(['IAMUser', ALICE, `${ADA}2`, 'AIDAADA2', 'ada2']) } });
    pass(10);
    const jobId = await start({ cloudTrailDetails: { ...DETAILS, trails: [{ cloudTrailArn: TRAIL, ...trail }] } });
    await server({ trail: async () => ({ ...SOURCE, ...source }) }).all();
    const { status, actions: found } = await actions(jobId);
    assert.deepEqual([status, found], ['SUCCEEDED', expected], title);
  }
});

test('policy generation: an action without records is not complete, and is in the service-level template', async () => {
  const { start, server, call, record, store } = await open();
  await record('iam:GetUser', ADA);
  const use = { holder: 'AIDAADA', region: 'us-east-1', at: NOON };
  await store.transaction(async (tx) => {
    await tx.lastUses.note(ALICE, { ...use, service: 'iam', action: 'GetUser' });
    await tx.lastUses.note(ALICE, { ...use, service: 's3', action: 'GetObject' });
    await tx.lastUses.note(ALICE, { ...use, service: 's3', action: 'PutObject', at: instant(NOON - 91 * DAY_MS) });
  });
  const jobId = await start();
  await server().all();
  const { generatedPolicyResult } = await call('GetGeneratedPolicy', { jobId, includeServiceLevelTemplate: true });
  assert.equal(generatedPolicyResult.properties.isComplete, false);
  assert.deepEqual(JSON.parse(generatedPolicyResult.generatedPolicies?.[0]?.policy ?? '').Statement, [
    { Sid: 'SupportedServiceSid0', Effect: 'Allow', Action: ['iam:GetUser'], Resource: [ADA] },
    { Sid: 'ServiceLevelSid0', Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['*'] },
  ]);
});

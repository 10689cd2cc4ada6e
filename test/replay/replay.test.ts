// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
/**
 * Decision contexts end to end: a running server stores them, and each decision is then repeated with the policies as they
 * were, although they were changed and deleted afterwards. Decision 0023.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import {
  AddUserToGroupCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeleteGroupPolicyCommand,
  DeleteRolePolicyCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand as CreateScpCommand,
  DeletePolicyCommand as DeleteScpCommand,
  DetachPolicyCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { callersOf } from '#access/bucket-fixture.ts';
import { implicitDenial } from '#access/denied.ts';
import { missingGrant } from '#access/past/grants.ts';
import { parseProposal } from '#access/past/parse-proposal.ts';
import { decideAgain } from '#access/past/past-decision.ts';
import { callerOf, requestOf } from '#access/past/past-request.ts';
import { proposal } from '#access/past/proposal.ts';
import { replayWindow } from '#access/past/replay-window.ts';
import { suggestPolicy } from '#access/past/suggestion.ts';
import { generalized, holderOf } from '#access/past/used-access.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { compilePolicy, decide, linkStack } from '#policy/engine.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { identityAt } from '#store/identity/identity-history.ts';
import { recordOf, textOf } from '#store/identity/record-parts.ts';
import type { Store } from '#store/store.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import type { DecidedRow } from '#store/trail/trail-pack.ts';
import { keysOf } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { verdictOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust, trustProvider } from '../kit/policy.ts';
import { issueSession } from '../kit/session.ts';
import { startFederation } from '../sts/federation.ts';
import { decisionsOf, explainedOf, replaying } from './replay.ts';

const federation = await startFederation();
const { server, accountId, admin, rootArn, oidcArn, samlArn, idp, oidc } = federation;
const SECRETS: string[] = [];
let store: Store;
let rows: readonly DecidedRow[] = [];

/** Sends requests of every kind of principal, each allowed and denied, and then changes or deletes all policies. */
before(async () => {
  const MeetingId = await taggedMeeting();
  await requestsOfUsers(MeetingId);
  await requestsOfSessions(MeetingId);
  await requestsOfMember();
  await changePolicies();
  await server.stop();
  store = await openSqlite(server.dataFolder);
  rows = await decisionsOf(store);
});
after(() => store?.close());

async function taggedMeeting(): Promise<string> {
  const { Meeting } = await federation.meetings().send(createMeeting('one', { Tags: [{ Key: 'Team', Value: 'red' }] }));
  return Meeting?.MeetingId as string;
}

const getMeeting = (MeetingId: string) => new GetMeetingCommand({ MeetingId });

async function requestsOfUsers(MeetingId: string): Promise<void> {
  const boundary = policy(allow('chime:*'), allow('iam:GetUser'), allow('sts:*'));
  const { Policy } = await admin.send(new CreatePolicyCommand({ PolicyName: 'boundary', PolicyDocument: boundary }));
  const ada = await federation.user(
    { UserName: 'ada', Tags: [{ Key: 'Team', Value: 'red' }], PermissionsBoundary: Policy?.Arn },
    allow('chime:GetMeeting', '*', {
      Condition: { StringEquals: { 'aws:ResourceTag/Team': ['red'] }, IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } },
    }),
    allow('iam:*'),
    deny('iam:GetUser', federation.userArn('ada'), { Condition: { StringLike: { 'aws:PrincipalTag/Team': 'r*' } } }),
  );
  const bob = await federation.user('bob');
  for (const GroupName of ['readers', 'empty']) await admin.send(new CreateGroupCommand({ GroupName }));
  await admin.send(new PutGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'g', PolicyDocument: policy(allow('iam:ListUsers')) }));
  await admin.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'bob' }));
  assert.deepEqual(
    [
      await verdictOf(federation.meetings(ada).send(getMeeting(MeetingId))),
      await verdictOf(federation.iam(ada).send(new GetUserCommand({ UserName: 'ada' }))),
      await verdictOf(federation.iam(ada).send(new GetUserCommand({ UserName: 'bob' }))),
      await verdictOf(federation.iam(ada).send(new ListUsersCommand({}))),
      await verdictOf(federation.iam(bob).send(new ListUsersCommand({}))),
      await verdictOf(federation.meetings(bob).send(getMeeting(MeetingId))),
    ],
    ['allowed', 'refused', 'allowed', 'refused', 'allowed', 'refused'],
  );
  await federation.sts(bob).send(new GetCallerIdentityCommand({}));
  SECRETS.push(ada.secretAccessKey, bob.secretAccessKey, federation.keys.secretAccessKey);
}

async function requestsOfSessions(MeetingId: string): Promise<void> {
  const reads = [allow('chime:GetMeeting', '*', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }), allow('sts:*')];
  const carol = await federation.user('carol', ...reads);
  const device = await newMfaDevice(admin, 'carol');
  const withMfa = keysOf((await federation.sts(carol).send(new GetSessionTokenCommand(device))).Credentials);
  const withoutMfa = keysOf((await federation.sts(carol).send(new GetSessionTokenCommand({}))).Credentials);
  const token = new GetFederationTokenCommand({
    Name: 'feda',
    Policy: policy(allow(['chime:GetMeeting', 'iam:ListUsers'])),
    Tags: [{ Key: 'a', Value: 'b' }],
  });
  const dora = await federation.user('dora', allow('*'));
  const federated = keysOf((await federation.sts(dora).send(token)).Credentials);
  const root = issueSession(server, 'root', 3_600);

  const tagged = allow('chime:GetMeeting', '*', { Condition: { StringEquals: { 'aws:PrincipalTag/Team': '${aws:ResourceTag/Team}' } } });
  const role = await federation.role('tagged', trust(rootArn, ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']), tagged);
  const closed = await federation.role('closed', trust(federation.userArn('carol')));
  const session = (Value: string) =>
    federation.assume(dora, role, { Tags: [{ Key: 'Team', Value }], SourceIdentity: 'dora', Policy: policy(allow('chime:*')) });
  const [red, blue] = [await session('red'), await session('blue')];

  const web = await federation.role('web', trustProvider(oidcArn, 'sts:AssumeRoleWithWebIdentity'), allow('chime:GetMeeting'));
  const noWeb = await federation.role('no-web', trust(rootArn));
  const saml = await federation.role('saml', trustProvider(samlArn, 'sts:AssumeRoleWithSAML'), allow('chime:GetMeeting'));
  const webKeys = await federation.withToken(web);
  const samlKeys = await federation.withAssertion(saml);

  const meeting = (keys: typeof carol) => verdictOf(federation.meetings(keys).send(getMeeting(MeetingId)));
  assert.deepEqual(
    [
      await meeting(withMfa),
      await meeting(withoutMfa),
      await meeting(red),
      await meeting(blue),
      await meeting(federated),
      await meeting(root),
    ],
    ['allowed', 'refused', 'allowed', 'refused', 'allowed', 'allowed'],
  );
  assert.equal(await verdictOf(federation.meetings(federated).send(createMeeting('two'))), 'refused');
  assert.deepEqual(
    [
      await meeting(webKeys),
      await meeting(samlKeys),
      await verdictOf(federation.assumeWithToken(noWeb, await oidc.token())),
      await verdictOf(federation.assumeWithAssertion(noWeb, idp.assertion(federation.offering(noWeb)))),
    ],
    ['allowed', 'allowed', 'refused', 'refused'],
  );
  await assert.rejects(federation.assume(dora, closed));
  await assert.rejects(federation.assume(red, role));
  await assert.rejects(federation.assume(root, role));
  await assert.rejects(federation.iam(federated).send(new ListUsersCommand({})), { name: 'InvalidClientTokenId' });
  for (const keys of [withMfa, withoutMfa, federated, red, blue, webKeys, samlKeys]) {
    SECRETS.push(keys.secretAccessKey, keys.sessionToken as string);
  }
}

const organizations = new OrganizationsClient(server.client());
let scpId = '';
let rootId = '';
let memberId = '';

/** Sends requests of a member account with a service control policy. */
async function requestsOfMember(): Promise<void> {
  await organizations.send(new CreateOrganizationCommand({}));
  rootId = (await organizations.send(new ListRootsCommand({}))).Roots?.[0]?.Id as string;
  const { CreateAccountStatus } = await organizations.send(new CreateAccountCommand({ AccountName: 'm', Email: 'm@example.com' }));
  memberId = CreateAccountStatus?.AccountId as string;
  await organizations.send(new EnablePolicyTypeCommand({ RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  const Content = policy(deny('iam:ListUsers'));
  const { Policy } = await organizations.send(
    new CreateScpCommand({ Name: 'deny', Description: '', Type: 'SERVICE_CONTROL_POLICY', Content }),
  );
  scpId = Policy?.PolicySummary?.Id as string;
  await organizations.send(new AttachPolicyCommand({ PolicyId: scpId, TargetId: rootId }));
  const member = await federation.assume(
    federation.keys,
    `arn:aws:iam::${CreateAccountStatus?.AccountId}:role/OrganizationAccountAccessRole`,
  );
  assert.equal(await verdictOf(federation.iam(member).send(new ListUsersCommand({}))), 'refused');
  assert.equal(await verdictOf(federation.iam(member).send(new GetUserCommand({ UserName: 'x' }))), 'allowed');
}

/** Changes or deletes each kind of policy, so that the current policies would decide otherwise. */
async function changePolicies(): Promise<void> {
  const everything = policy(allow('*'));
  const boundaryArn = `arn:aws:iam::${accountId}:policy/boundary`;
  await admin.send(new CreatePolicyVersionCommand({ PolicyArn: boundaryArn, PolicyDocument: everything, SetAsDefault: true }));
  await admin.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'ada' }));
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'bob', PermissionsBoundary: boundaryArn }));
  await admin.send(new DeleteUserPolicyCommand({ UserName: 'ada', PolicyName: 'p' }));
  await admin.send(new DeleteUserPolicyCommand({ UserName: 'carol', PolicyName: 'p' }));
  await admin.send(new DeleteGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'g' }));
  for (const RoleName of ['tagged', 'web', 'saml']) {
    await admin.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }));
    await admin.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(trust(federation.userArn('bob'))) }));
  }
  await organizations.send(new DetachPolicyCommand({ PolicyId: scpId, TargetId: rootId }));
  await organizations.send(new DeleteScpCommand({ PolicyId: scpId }));
}

/** Returns the contexts of all records, with the callers. */
async function decided(): Promise<
  readonly { readonly row: DecidedRow['row']; readonly context: DecisionContext; readonly caller: Principal }[]
> {
  const replay = replaying(store);
  const found = [];
  for (const { row, context } of rows) {
    if (context === undefined || 'omittedBytes' in context) continue;
    found.push({ row, context, caller: await replay.callerOf(context) });
  }
  return found;
}

test('replay: every stored decision, repeated with identity of its version, has the same context and outcome', async () => {
  const replay = replaying(store);
  const all = await decided();
  assert.ok(all.length > 60, `${all.length} decisions`);
  for (const { row, context } of all) assert.deepEqual(await replay.again(context), context, row.eventName);
});

test('replay: each kind of principal has an allowed and a denied request', async () => {
  const kinds = new Set((await decided()).map(({ caller, context }) => `${kindOf(caller)} ${context.outcome.effect}`));
  const expected = ['IAMUser', 'IAMUser session', 'Root session', 'AssumedRole session', 'FederatedUser session', 'Unknown'];
  assert.deepEqual([...kinds].sort(), expected.flatMap((kind) => [`${kind} Allow`, `${kind} Deny`]).sort());
});

test('replay: the denials have every kind, with their statements', async () => {
  const outcomes = (await decided()).map(({ context: { outcome } }) =>
    outcome.effect === 'Allow'
      ? 'Allow'
      : `${outcome.kind} ${outcome.kind === 'explicit' ? outcome.by.policyType : outcome.kind === 'implicit' ? outcome.missing : ''}`.trim(),
  );
  for (const each of [
    'explicit identity',
    'explicit service-control',
    'implicit identity',
    'implicit boundary',
    'implicit trust',
    'implicit session',
    'session-kind',
  ]) {
    assert.ok(outcomes.includes(each), each);
  }
});

test('replay: an allowed request names its statement, and tags are stored only if a policy read them', async () => {
  const ofUser = (name: string) => async () =>
    (await decided()).filter(({ caller }) => caller.type === 'IAMUser' && caller.userName === name);
  const meeting = (await ofUser('ada')()).find(({ row }) => row.eventName === 'GetMeeting');
  const [permission] = meeting?.context.permissions ?? [];
  assert.deepEqual(permission?.tags, [{ Team: 'red' }]);
  assert.deepEqual(permission?.allowedBy, { policyType: 'identity', policyId: 'user/ada:p', statement: 0 });
  const unread = (await ofUser('bob')()).find(({ row }) => row.eventName === 'GetMeeting');
  assert.equal(unread?.context.permissions[0]?.tags, 'not read');
});

test('replay: each session is stored once, and its facts have no secret', async () => {
  const stored = await store.transaction(({ sql }) => sql.rows<{ facts: string }>('SELECT facts FROM trail_session'));
  const facts = stored.map((each) => each.facts).join('\n');
  const contexts = await store.transaction(({ sql }) =>
    sql.rows<{ contexts: string }>('SELECT contexts FROM trail_pack WHERE contexts IS NOT NULL'),
  );
  const texts = [facts, ...contexts.map((each) => each.contexts)].join('\n');
  assert.ok(SECRETS.length > 10);
  for (const secret of SECRETS) assert.ok(!texts.includes(secret));
  assert.equal(new Set(stored.map((each) => each.facts)).size, stored.length);
});

test('replay: with the policies of today, decisions flip', async () => {
  const replay = replaying(store);
  const { version } = await store.transaction(({ identity }) => identity.changesSince(0));
  const flipped = new Set<string>();
  for (const { row, context } of await decided()) {
    const now = await replay.again({ ...context, identityVersion: version }).catch(() => undefined);
    if (now !== undefined && now.outcome.effect !== context.outcome.effect) flipped.add(row.eventName);
  }
  assert.ok(flipped.has('GetMeeting') && flipped.has('ListUsers'), [...flipped].join(' '));
});

function kindOf({ type, session }: Principal): string {
  return session === undefined ? type : `${type} session`;
}

test('explain: every stored decision is explained and reproduced, and the explanation has its outcome', async () => {
  for (const { row, context, caller } of await decided()) {
    const { reproduced, permissions } = await explainedOf(store, context, caller.accountId);
    assert.ok(reproduced, row.eventName);
    const denied = permissions.filter(({ state }) => state === 'denied').map(({ resources }) => resources.at(-1)?.denial?.kind);
    const { outcome } = context;
    const isOfPolicies = outcome.effect === 'Deny' && outcome.kind !== 'session-kind';
    assert.deepEqual(denied, isOfPolicies ? [outcome.kind] : [], row.eventName);
  }
});

test('explain: the traced trust policy of each assumed role has an Allow that applies', async () => {
  const assumed = (await decided()).filter(
    ({ context: { outcome, permissions } }) => outcome.effect === 'Allow' && permissions[0]?.trustPolicyOf?.includes(`:${accountId}:`),
  );
  for (const { row, context } of assumed) {
    const { permissions } = await explainedOf(store, context, accountId as AccountId);
    const statements = permissions[0]?.resources[0]?.resourcePolicy?.statements ?? [];
    assert.ok(
      statements.some(({ applies, effect }) => applies && effect === 'Allow'),
      row.eventName,
    );
  }
  assert.ok(assumed.length > 3, `${assumed.length} roles`);
});

test('explain: the traced layers of each decision agree with the engine', async () => {
  let compared = 0;
  for (const { row, context, caller } of await decided()) {
    const { permissions } = await explainedOf(store, context, caller.accountId);
    for (const { resources } of permissions) {
      for (const { denial, layers = [], resourcePolicy } of resources) {
        if (resourcePolicy !== undefined || layers.length === 0) continue;
        const silent = layers.find(
          ({ policyType, answer }) => answer === 'silent' && !(caller.type === 'Root' && policyType === 'identity'),
        );
        const denying = layers.find(({ answer }) => answer === 'denies');
        const traced = denying !== undefined ? 'explicit' : silent !== undefined ? 'implicit' : undefined;
        // A resource of another account is denied although the layers allow the action.
        if (denial?.kind === 'implicit' && denial.missing === 'resource') continue;
        assert.equal(traced, denial?.kind, row.eventName);
        compared++;
      }
    }
  }
  assert.ok(compared > 50, `${compared} resources`);
});

/** Replays all records as if changes had been made. Returns the IDs of the events whose decisions flip, and the counts. */
async function replayed(...changes: readonly object[]) {
  const proposed = proposal(parseProposal(JSON.stringify({ changes }), authorizationReference()));
  const flipped: string[] = [];
  const counts = await store.transaction(({ sql, identity }) =>
    identity.accountIds(100).then((accountIds) => replayWindow(sql, accountIds, ALL, proposed, ({ facts }) => flipped.push(facts.eventId))),
  );
  return { flipped, counts, unmatched: proposed.unmatched(), unneeded: proposed.unneeded() };
}

const ALL = { accountIds: undefined, from: instant(0), to: instant(Date.UTC(2100, 0, 1)) };

/**
 * Returns the IDs of the events whose decisions flip, by a second and obvious implementation: each decision is repeated alone, with a copy of the
 * identity of its version in which the records are changed by hand.
 */
async function flippedOneByOne(
  change: (kind: string, record: Record<string, unknown>) => Record<string, unknown>,
): Promise<readonly string[]> {
  const flipped: string[] = [];
  for (const { row, context } of await decided()) {
    const again = await store.transaction(async (tx) => {
      const snapshot = newSnapshot();
      const load = snapshot.reload();
      for (const accountId of await tx.identity.accountIds(100)) {
        const records = await identityAt(tx, context.identityVersion).page(accountId, 10_000);
        for (const record of records) {
          const changed = change(record.kind, recordOf(record.kind, record.text) as unknown as Record<string, unknown>);
          load.add([{ ...record, text: textOf(record.kind, changed as never) }]);
        }
      }
      load.complete(context.identityVersion);
      const request = requestOf(context, await callerOf(tx, context), async () => undefined);
      return await decideAgain({ snapshot, stacks: newStacks(snapshot) }, request, context.caller);
    });
    if (again?.outcome.effect !== context.outcome.effect) flipped.push(row.eventId);
  }
  return flipped;
}

/** Returns the number of requests of records. The two records of a request between two accounts have a common `sharedEventID`. */
function requestsOf(records: readonly Pick<DecidedRow, 'row'>[]): number {
  const ids = records.map(({ row }) => JSON.parse(row.document) as { readonly sharedEventID?: string; readonly eventID: string });
  return new Set(ids.map(({ sharedEventID, eventID }) => sharedEventID ?? eventID)).size;
}

test('replay of a window: the unchanged policies flip nothing', async () => {
  const { flipped, counts } = await replayed();
  assert.deepEqual([flipped, counts.decided, counts.records], [[], requestsOf(await decided()), requestsOf(rows)]);
  assert.ok(requestsOf(rows) < rows.length, 'a request has records in two accounts');
});

const everything = { Version: '2012-10-17', Statement: [allow('*')] };
const nothing = { Version: '2012-10-17', Statement: [deny('*')] };
// biome-ignore format: a table
const CHANGES: readonly [title: string, changes: () => readonly object[], second: (kind: string, record: Record<string, unknown>) => Record<string, unknown>][] = [
  ['a boundary that allows nothing', () => [{ policy: `arn:aws:iam::${accountId}:policy/boundary`, document: nothing }], (kind, record) =>
    kind === 'policy' ? { ...record, versions: (record['versions'] as object[]).map((each) => ({ ...each, document: JSON.stringify(nothing) })) } : record],
  ['an inline policy that allows all', () => [{ inline: 'p', of: federation.userArn('ada'), document: everything }], (kind, record) =>
    kind === 'user' && record['userName'] === 'ada' ? { ...record, inlinePolicies: { p: JSON.stringify(everything) } } : record],
  ['no policy of a group', () => [{ inline: 'g', of: `arn:aws:iam::${accountId}:group/readers`, document: null }], (kind, record) =>
    kind === 'group' ? { ...record, inlinePolicies: {} } : record],
  ['an attached policy of AWS', () => [{ attach: 'arn:aws:iam::aws:policy/AdministratorAccess', to: federation.userArn('bob') }], (kind, record) =>
    kind === 'user' && record['userName'] === 'bob' ? { ...record, attachedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] } : record],
  ['a trust policy', () => [{ trust: federation.roleArn('web'), document: { Version: '2012-10-17', Statement: [trust(rootArn)] } }], (kind, record) =>
    kind === 'role' && record['roleName'] === 'web' ? { ...record, trustPolicy: policy(trust(rootArn)) } : record],
  ['a boundary', () => [{ boundary: 'arn:aws:iam::aws:policy/AWSDenyAll', of: federation.userArn('dora') }], (kind, record) =>
    kind === 'user' && record['userName'] === 'dora' ? { ...record, permissionsBoundaryArn: 'arn:aws:iam::aws:policy/AWSDenyAll' } : record],
  ['a detached service control policy', () => [{ detach: scpId, from: rootId }], (kind, record) =>
    kind === 'organization' ? { ...record, root: { ...(record['root'] as object), attachedPolicyIds: (record['root'] as { attachedPolicyIds: string[] }).attachedPolicyIds.filter((id) => id !== scpId) } } : record],
];

for (const [title, changes, second] of CHANGES) {
  test(`replay of a window: ${title} flips the same requests as a second implementation finds`, async () => {
    const { flipped, unmatched } = await replayed(...changes());
    assert.deepEqual([...flipped].sort(), [...(await flippedOneByOne(second))].sort());
    assert.ok(flipped.length > 0);
    assert.equal(unmatched, undefined);
  });
}

test('replay of a window: a proposed new policy can be attached, and a change of nothing is reported', async () => {
  const arn = `arn:aws:iam::${accountId}:policy/new`;
  const { flipped, unmatched } = await replayed({ policy: arn, document: nothing }, { attach: arn, to: federation.userArn('dora') });
  assert.ok(flipped.length > 0);
  assert.equal(unmatched, undefined);
  const boundary = `arn:aws:iam::${accountId}:policy/boundary`;
  assert.equal((await replayed({ attach: boundary, to: federation.userArn('absent') })).unmatched?.kind, 'attach');
});

test('replay of a window: a new policy without effect, and an attached policy that does not exist, are errors', async () => {
  const [arn, user] = [(name: string) => `arn:aws:iam::${accountId}:policy/${name}`, federation.userArn('dora')];
  // biome-ignore format: a table
  for (const [changes, problem] of [
    [[{ policy: arn('new'), document: nothing }],                                                /policy\/new' does not exist, and no change attaches it/],
    [[{ policy: arn('x/boundary'), document: nothing }],                                         /policy\/x\/boundary' does not exist, and '.*:policy\/boundary' has its name/],
    [[{ policy: arn('BOUNDARY'), document: nothing }, { attach: arn('BOUNDARY'), to: user }],    /policy\/BOUNDARY' does not exist, and '.*:policy\/boundary' has its name/],
    [[{ attach: arn('absent'), to: `arn:aws:iam::${accountId}:group/empty` }],                   /policy\/absent' does not exist/],
    [[{ attach: 'arn:aws:iam::aws:policy/Absent', to: user }],                                   /policy\/Absent' does not exist/],
    [[{ attach: 'p-absent12', to: memberId }],                                                   /'p-absent12' does not exist/],
  ] as const) await assert.rejects(replayed(...changes), problem, JSON.stringify(changes));
});

test('replay of a window: the removal of an inline policy that is a name of JavaScript is reported', async () => {
  const { unneeded } = await replayed({ inline: 'constructor', of: federation.userArn('ada'), document: null });
  assert.equal(unneeded?.kind, 'inline');
});

test('replay of a window: a policy that was created in the window can be attached to an earlier caller', async () => {
  const [first] = await decided();
  assert.equal(first?.caller.type, 'IAMUser');
  const { flipped, unmatched } = await replayed({ attach: `arn:aws:iam::${accountId}:policy/boundary`, to: first?.caller.arn });
  assert.deepEqual([flipped, unmatched], [[], undefined]);
});

test('replay of a window: a service control policy can be detached from an account that is older than its attachments', async () => {
  const { flipped } = await replayed({ detach: 'p-FullAWSAccess', from: memberId });
  const names = (await decided()).filter(({ row }) => flipped.includes(row.eventId)).map(({ row }) => row.eventName);
  assert.ok(names.includes('GetUser'), names.join(' '));
});

test('explain: a role has a missing grant, and a service-linked role has none', () => {
  const missingOf = (path: string) =>
    missingGrant({
      principal: { ...callersOf(accountId as AccountId).roleSession, roleArn: `arn:aws:iam::${accountId}:role/${path}` as Arn },
      ...{ action: 'iam:GetUser', resource: '*', denial: implicitDenial('identity', '*'), layers: { identity: [] } },
      ...{ silentLevel: undefined, levelTargets: [], role: undefined, readsResourcePolicy: false },
    });
  assert.ok('grant' in missingOf('reader'));
  assert.deepEqual(missingOf('aws-service-role/x.amazonaws.com/AWSServiceRoleForX'), { because: 'no policies' });
});

test('replay: a proposal has only known members, and policies that IAM accepts', () => {
  const arn = 'arn:aws:iam::111122223333';
  const document = { Version: '2012-10-17', Statement: [allow('*')] };
  const trusting = { Version: '2012-10-17', Statement: [trust('111122223333')] };
  const linked = `${arn}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX`;
  /** Returns a document with one character more than it can have. */
  const filled = (charactersMax: number, of: object) => {
    const withSid = (Sid: string) => ({ Version: '2012-10-17', Statement: [{ ...of, Sid }] });
    return withSid('x'.repeat(charactersMax + 1 - JSON.stringify(withSid('')).length));
  };
  const long = (charactersMax: number) => filled(charactersMax, allow('*'));
  const longTrust = filled(2_048, trust('111122223333'));
  // biome-ignore format: a table
  for (const [change, problem] of [
    [{ policy: 'arn:aws:iam::aws:policy/ReadOnlyAccess', document },          /'policy' must name a customer managed policy/],
    [{ policy: `${arn}:user/ada`, document },                                /'policy' must name a customer managed policy/],
    [{ policy: 'arn:x', document },                                          /'policy' must name a customer managed policy/],
    [{ policy: `${arn}:policy/p`, document: trusting },                      /'document': Policy document should not specify a principal/],
    [{ policy: `${arn}:policy/p`, document: { Statement: [] } },             /'document': /],
    [{ policy: `${arn}:policy/p`, document, attach: `${arn}:policy/p`, to: `${arn}:user/ada` }, /has no member '(?:policy|document)'/],
    [{ attach: `${arn}:policy/p`, to: 'r-abcd' },                            /'to' must name a user, group or role/],
    [{ attach: 'p-abcd', to: `${arn}:user/ada` },                            /'to' must name a root, organizational unit or account/],
    [{ detach: `${arn}:policy/p`, to: `${arn}:user/ada` },                   /has no member 'to'/],
    [{ boundary: `${arn}:policy/p`, of: `${arn}:group/g` },                  /'of' must name a user or role/],
    [{ trust: `${arn}:user/ada`, document: trusting },                       /'trust' must name a role/],
    [{ trust: `${arn}:role/r`, document },                                   /'document': /],
    [{ resourcePolicy: 'arn:aws:s3:::b/key', document: null },               /'resourcePolicy' must name a bucket or a bus/],
    [{ resourcePolicy: 'arn:aws:s3:::b', document: trusting },               /'document': Policy has invalid action/],
    [{ resourcePolicy: 'arn:aws:events:us-east-1:111122223333:event-bus/b', document }, /'document': /],
    [{ attach: 'arn:aws:iam::444455556666:policy/p', to: `${arn}:user/ada` }, /'attach' must name a policy of AWS or of the account 111122223333/],
    [{ boundary: 'arn:aws:iam::444455556666:policy/p', of: `${arn}:user/ada` }, /'boundary' must name a policy of AWS or of the account 111122223333/],
    [{ inline: 'bad name', of: `${arn}:user/ada`, document },                /'inline' must be a name of a policy/],
    [{ policy: `${arn}:policy/bad name`, document },                         /'policy' must name a customer managed policy/],
    [{ policy: `${arn}:policy/p`, document: long(6_144) },                   /'document' has 6145 characters; it can have 6144/],
    [{ inline: 'p', of: `${arn}:user/ada`, document: long(2_048) },          /'document' has 2049 characters; it can have 2048/],
    [{ inline: 'p', of: `${arn}:group/g`, document: long(5_120) },           /'document' has 5121 characters; it can have 5120/],
    [{ inline: 'p', of: `${arn}:role/r`, document: long(10_240) },           /'document' has 10241 characters; it can have 10240/],
    [{ policy: 'p-abcd', document: long(10_240) },                           /'document' has 10241 characters; it can have 10240/],
    [{ trust: `${arn}:role/r`, document: longTrust },                        /'document' has 2049 characters; it can have 2048/],
    [{ trust: linked, document: trusting },                                  /the role '.*' is only modifiable by AWS/],
    [{ inline: 'p', of: linked, document },                                  /the role '.*' is only modifiable by AWS/],
    [{ attach: 'arn:aws:iam::aws:policy/ReadOnlyAccess', to: linked },       /the role '.*' is only modifiable by AWS/],
    [{ boundary: null, of: linked },                                         /the role '.*' is only modifiable by AWS/],
    [JSON.parse('{"__proto__":{"policy":"x"}}'),                             /it needs one of the members/],
  ] as const) assert.throws(() => parseProposal(JSON.stringify({ changes: [change] }), authorizationReference()), problem, JSON.stringify(change));
  const [inline] = parseProposal(
    `{"changes":[{"inline":"__proto__","of":"${arn}:user/ada","document":${JSON.stringify(document)}}]}`,
    authorizationReference(),
  );
  assert.deepEqual([inline?.kind, inline?.kind === 'inline' && inline.name], ['inline', '__proto__']);
});

test('suggestPolicy: for each user and role, the policy allows every recorded request and keeps each Deny', async () => {
  const holders = new Set(
    (await decided()).filter(({ context }) => context.outcome.effect === 'Allow').map(({ caller }) => holderOf(caller)),
  );
  let suggested = 0;
  for (const holder of [...holders].filter((arn) => /:(?:user|role)\//.test(arn))) {
    const suggestion = await store.transaction(async ({ sql, identity }) =>
      suggestPolicy(sql, await identity.accountIds(100), ALL, holder),
    );
    assert.ok(suggestion !== undefined, holder);
    assert.deepEqual(suggestion.denied, [], holder);
    assert.ok(suggestion.requests > 0 && suggestion.tests.length > 0, holder);
    const compiled = compilePolicy(JSON.stringify(suggestion.policy));
    for (const { action, resource, context } of suggestion.tests) {
      const stack = linkStack({ identity: [{ policyId: 'suggested', policy: compiled }] });
      assert.equal(decide(stack, { action, resources: [resource], context }).effect, 'Allow', `${holder} ${action}`);
    }
    suggested++;
  }
  assert.ok(suggested > 5, `${suggested} principals`);
});

test('suggestPolicy: many resources that differ only in their last part become one pattern', () => {
  const meeting = (i: number) => `arn:aws:chime:us-east-1:111122223333:meeting/${i}`;
  const meetings = (count: number) => Array.from({ length: count }, (_, i) => meeting(i));
  assert.deepEqual(generalized(meetings(8)), meetings(8));
  assert.deepEqual(generalized([...meetings(9), 'arn:aws:iam::111122223333:user/a']), [
    'arn:aws:chime:us-east-1:111122223333:meeting/*',
    'arn:aws:iam::111122223333:user/a',
  ]);
  assert.deepEqual(generalized(['*', meeting(1)]), ['*']);
});

/**
 * Golden trail records: one of each kind that the server writes, from real calls to running servers.
 *
 *     node bin/node24.mjs test/records/golden.ts --write    replaces the files in test/cases/records/
 *
 * Placeholders replace IDs, times, accounts and ports, as in the recording. Each file has its own placeholders, so a new record does not
 * change the others.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { CreateAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { CreateMeetingCommand, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CreateSipMediaApplicationCommand } from '@aws-sdk/client-chime-sdk-voice';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateLoginProfileCommand, CreatePolicyCommand, CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreatePolicyCommand as CreateControlPolicyCommand,
  CreateOrganizationCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { askControl } from '#server/operator/ask-control.ts';
import { otherAccount } from '../kit/account.ts';
import { newAppInstance } from '../kit/app-instance.ts';
import { trustAuthority } from '../kit/chat.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust, trustProvider, trustService } from '../kit/policy.ts';
import { bytesOf, connect, exchange } from '../kit/raw.ts';
import { startReceiver } from '../kit/receivers.ts';
import { startTestServer } from '../kit/server.ts';
import { issueSession } from '../kit/session.ts';
import { readUnproven, recordsOf } from '../kit/trail.ts';
import { until } from '../kit/until.ts';
import { newNormalizer } from '../recording/normalize.ts';
import { browser } from '../sign-in/browser.ts';
import { startFederation } from '../sts/federation.ts';
import { serviceRecords } from './service-records.ts';

/** Folder of the committed records. */
const FOLDER = new URL('../cases/records/', import.meta.url);

/** ID of a meeting that does not exist. */
const MEETING_ID = '11111111-2222-4333-8444-555555555555';

type TrailRecord = Readonly<Record<string, unknown>>;

/** Starts a server, and returns the functions that add records to the files. */
async function startWriter() {
  const federation = await startFederation();
  const { server, accountId } = federation;
  const other = await otherAccount(server, 'other');
  trustAuthority(server.caFile);
  const names: [value: string, placeholder: string][] = [
    [accountId, 'account'],
    [other.accountId, 'other account'],
    [new URL(server.endpoint).host, 'host'],
    [new URL(server.httpsEndpoint).host, 'https host'],
    [federation.oidc.host, 'issuer'],
  ];
  const files = new Map<string, string>();

  function add(name: string, title: string, ...records: readonly (TrailRecord | undefined)[]): void {
    const normalizer = newNormalizer();
    for (const [value, placeholder] of names) normalizer.name(value, `named ${placeholder}`);
    const texts = records.map((record, i) => normalizer.text(JSON.stringify(record ?? assert.fail(`${name}: record ${i} is missing`))));
    // The version of the identity depends on the number of earlier changes.
    const normal = texts.map((text) => JSON.parse(text.replace(/"identityVersion":\d+/, '"identityVersion":0')) as unknown);
    assert.ok(!files.has(name), name);
    files.set(name, `${JSON.stringify({ title, records: normal }, null, 2)}\n`);
  }

  /** Returns the newest record of an event in the history of the caller's account. */
  const newest = async (eventName: string, keys?: Keys): Promise<TrailRecord | undefined> =>
    (await recordsOf(new CloudTrailClient(server.client(keys)), eventName))[0];
  /** Returns the record of a request, which may be in the history of the account or belong to no account. */
  async function ofRequest(requestId: string | undefined, eventName: string, keys?: Keys): Promise<TrailRecord | undefined> {
    const all = [...(await recordsOf(new CloudTrailClient(server.client(keys)), eventName)), ...(await readUnproven(server.dataFolder))];
    return all.find(({ requestID }) => requestID === requestId);
  }
  type Answer = { readonly $metadata: { readonly requestId?: string | undefined } };
  async function call(name: string, title: string, eventName: string, sent: Promise<Answer>, keys?: Keys): Promise<void> {
    add(name, title, await ofRequest((await sent).$metadata.requestId, eventName, keys));
  }
  async function failure(name: string, title: string, eventName: string, sent: Promise<unknown>, keys?: Keys): Promise<void> {
    add(name, title, await ofRequest((await errorOf(sent)).$metadata?.requestId, eventName, keys));
  }

  return {
    ...federation,
    federation,
    ada: await federation.user('ada', allow('*')),
    other,
    files,
    names,
    add,
    newest,
    ofRequest,
    call,
    failure,
    /** Returns a SAML assertion for a role. */
    assertion: (roleArn: string) => federation.idp.assertion(federation.offering(roleArn, { nameId: 'ada' })),
    /** Calls GetCallerIdentity, which every caller may call. */
    whoAmI: (keys: Keys) => federation.sts(keys).send(new GetCallerIdentityCommand({})),
    getMeeting: new GetMeetingCommand({ MeetingId: MEETING_ID }),
  };
}

type Writer = Awaited<ReturnType<typeof startWriter>>;

/** Adds records of users and of their temporary credentials. */
async function addUsers({ federation, server, admin, ada, call, whoAmI }: Writer) {
  const meeting = { ClientRequestToken: 'standup', MediaRegion: 'us-east-1', ExternalMeetingId: 'standup' };
  const { Meeting, ...created } = await federation.meetings(ada).send(new CreateMeetingCommand(meeting));
  await call('iam-user', 'A user changes something: the resource and the response are recorded', 'CreateMeeting', Promise.resolve(created));
  const get = new GetMeetingCommand({ MeetingId: Meeting?.MeetingId });
  await call('read-only', 'A user reads something: the response is not recorded', 'GetMeeting', federation.meetings(ada).send(get));
  await call('root', 'A session of the root user', 'GetCallerIdentity', whoAmI(issueSession(server, 'root', 900)));
  const session = keysOf((await federation.sts(ada).send(new GetSessionTokenCommand({}))).Credentials);
  await call('user-session', 'A user with temporary credentials', 'GetCallerIdentity', whoAmI(session));
  const mira = await federation.user('mira', allow('*'));
  const miraDevice = await newMfaDevice(admin, 'mira');
  const withMfa = federation.sts(mira).send(new GetSessionTokenCommand(miraDevice));
  await call('get-session-token', 'A record of issued credentials, without the secrets and the MFA code', 'GetSessionToken', withMfa);
  await call(
    'user-session-mfa',
    'A user with temporary credentials and MFA',
    'GetCallerIdentity',
    whoAmI(keysOf((await withMfa).Credentials)),
  );
}

/** Adds records of role sessions and federated users. Returns the ARN of a role that every caller may assume. */
async function addRoles({ federation, samlArn, oidcArn, ada, other, call, whoAmI }: Writer): Promise<string> {
  const trusted = ['sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'];
  const role = await federation.role(
    'desk',
    [trust(federation.rootArn, trusted), trust(other.rootArn, trusted), trustProvider(oidcArn, trusted), trustProvider(samlArn, trusted)],
    allow('*'),
  );
  const assume = {
    RoleArn: role,
    RoleSessionName: 'me',
    SourceIdentity: 'ada',
    Tags: [{ Key: 'Team', Value: 'blue' }],
    TransitiveTagKeys: ['Team'],
  };
  const assumed = federation.sts(ada).send(new AssumeRoleCommand(assume));
  await call('assume-role', 'A user assumes a role', 'AssumeRole', assumed);
  const assumedKeys = keysOf((await assumed).Credentials);
  await call('assumed-role', 'A role session with a source identity', 'GetCallerIdentity', whoAmI(assumedKeys));
  const chained = federation.sts(assumedKeys).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'again' }));
  await call('assume-role-chained', 'A role session assumes a role: inherited tags and source identity', 'AssumeRole', chained);
  const federated = federation.sts(ada).send(new GetFederationTokenCommand({ Name: 'bob', Policy: policy(allow('*')) }));
  await call('federated-user', 'A session of GetFederationToken', 'GetCallerIdentity', whoAmI(keysOf((await federated).Credentials)));

  return role;
}

/** Adds records of users of identity providers. */
async function addTokens({ federation, call, failure, whoAmI, assertion }: Writer, role: string) {
  const web = federation.assumeWithToken(role, await federation.oidc.token());
  await call('web-identity-user', 'A user of an OpenID Connect provider assumes a role', 'AssumeRoleWithWebIdentity', web);
  await call('web-identity-role-session', 'A role session of a web identity', 'GetCallerIdentity', whoAmI(keysOf((await web).Credentials)));
  const closed = await federation.role('closed', trust(federation.rootArn));
  const refusedToken = federation.assumeWithToken(closed, await federation.oidc.token());
  await failure(
    'web-identity-user-denied',
    'A user of an OpenID Connect provider may not assume a role',
    'AssumeRoleWithWebIdentity',
    refusedToken,
  );
  const saml = federation.assumeWithAssertion(role, assertion(role));
  await call('saml-user', 'A user of a SAML provider assumes a role', 'AssumeRoleWithSAML', saml);
  await call('saml-role-session', 'A role session of a SAML user', 'GetCallerIdentity', whoAmI(keysOf((await saml).Credentials)));
  const refusedAssertion = federation.assumeWithAssertion(closed, assertion(closed));
  await failure('saml-user-denied', 'A user of a SAML provider may not assume a role', 'AssumeRoleWithSAML', refusedAssertion);
}

/** Adds records of calls across accounts, and of calls by services. */
async function addOtherCallers({ federation, accountId, ada, other, add, newest, ofRequest }: Writer, role: string) {
  const crossing = await other.sts().send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'guest' }));
  const { requestId } = crossing.$metadata;
  const both = [await ofRequest(requestId, 'AssumeRole', other.keys), await ofRequest(requestId, 'AssumeRole')];
  add('cross-account', "AssumeRole across accounts: the caller's record, then the owner's record", ...both);

  const Endpoints = [{ LambdaArn: `arn:aws:lambda:us-east-1:${accountId}:function:answer` }];
  await federation.voice(ada).send(new CreateSipMediaApplicationCommand({ Name: 'answer', AwsRegion: 'us-east-1', Endpoints }));
  add('forwarded-call', 'A service calls IAM with the permissions of its caller', await newest('CreateServiceLinkedRole'));
}

/** Adds the record of a request over TLS. */
async function addTls({ server, ada, call }: Writer) {
  const overTls = new IAMClient({ ...server.client(ada), endpoint: server.httpsEndpoint });
  await call('tls', 'A request over TLS', 'ListUsers', overTls.send(new ListUsersCommand({})));
}

/** Adds records of failed requests. */
async function addFailures({ federation, server, ada, add, ofRequest, failure, getMeeting }: Writer) {
  const raw = async (headers: Readonly<Record<string, string>>) =>
    (
      await exchange(
        server.endpoint,
        bytesOf({ method: 'GET', target: `/meetings/${MEETING_ID}` }, { host: new URL(server.endpoint).host, ...headers }),
      )
    ).headers['x-amzn-requestid'];
  add('unsigned', 'A request without a signature', await ofRequest(await raw({}), 'GetMeeting'));
  const forged = { ...ada, secretAccessKey: 'x'.repeat(40) };
  await failure('forged', 'A request with a wrong signature', 'GetMeeting', federation.meetings(forged).send(getMeeting));
  const unknown = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' };
  await failure('unknown-key', 'A request with an unknown access key', 'GetMeeting', federation.meetings(unknown).send(getMeeting));
  const guest = await federation.user('guest');
  await failure('denied', 'A denial: no policy allows the action', 'GetMeeting', federation.meetings(guest).send(getMeeting));
  const barred = await federation.user('barred', allow('*'), deny('chime:GetMeeting'));
  await failure('denied-explicitly', 'A denial by a statement', 'GetMeeting', federation.meetings(barred).send(getMeeting));
  const longName = new CreateUserCommand({ UserName: 'x'.repeat(65) });
  await failure('invalid', 'A request with an invalid parameter', 'CreateUser', federation.iam(ada).send(longName));
  const identity = federation.identity(ada);
  const user = { AppInstanceArn: await newAppInstance(identity), AppInstanceUserId: 'anna', Name: 'Anna' };
  await identity.send(new CreateAppInstanceUserCommand({ ...user, ClientRequestToken: 'first' }));
  const second = new CreateAppInstanceUserCommand({ ...user, Name: 'Another', ClientRequestToken: 'first' });
  await failure(
    'conflict',
    'A conflict (LOG-6): the error is recorded, without a response',
    'CreateAppInstanceUser',
    identity.send(second),
  );
  const large = new CreatePolicyCommand({ PolicyName: 'large', PolicyDocument: 'x'.repeat(120_000) });
  await failure('large-parameters', 'Parameters that are larger than 100 KB', 'CreatePolicy', federation.iam(ada).send(large));
}

/** Adds records of Organizations, and of a denial by a service control policy. */
async function addOrganization({ federation, server, names, call, failure }: Writer) {
  const organizations = new OrganizationsClient(server.client());
  await organizations.send(new CreateOrganizationCommand({}));
  const creating = organizations.send(new CreateAccountCommand({ AccountName: 'member', Email: 'member@example.com' }));
  await call('organizations', 'A record of Organizations, with asterisks in place of names', 'CreateAccount', creating);
  const TargetId = (await creating).CreateAccountStatus?.AccountId as string;
  names.push([TargetId, 'member account']);
  const { Roots = [] } = await organizations.send(new ListRootsCommand({}));
  await organizations.send(new EnablePolicyTypeCommand({ RootId: Roots[0]?.Id, PolicyType: 'SERVICE_CONTROL_POLICY' })).catch(() => {});
  const Content = policy(deny('iam:ListUsers'));
  const made = { Name: 'no-users', Description: 'd', Content, Type: 'SERVICE_CONTROL_POLICY' } as const;
  const { Policy } = await organizations.send(new CreateControlPolicyCommand(made));
  const keys = await federation.assume(federation.keys, `arn:aws:iam::${TargetId}:role/OrganizationAccountAccessRole`);
  await organizations.send(new AttachPolicyCommand({ PolicyId: Policy?.PolicySummary?.Id, TargetId }));
  const listed = federation.iam(keys).send(new ListUsersCommand({}));
  await failure('denied-by-service-control', 'A denial by a service control policy', 'ListUsers', listed, keys);
}

/** Adds records of sign-ins, and of a request with the credentials of a sign-in. */
async function addSignIns({ federation, server, accountId, admin, ada, add, newest, call, whoAmI, assertion }: Writer, role: string) {
  const Password = 'Correct-Horse-7';
  const profile = (UserName: string) => admin.send(new CreateLoginProfileCommand({ UserName, Password }));
  await call('secret-parameter', 'A record of IAM omits a password', 'CreateLoginProfile', profile('ada'));
  const at = browser(server.endpoint);
  const signIn = (userName: string, password: string, more: object = {}, from = browser(server.endpoint)) =>
    from.post('/_belfry/sign-in', { account: accountId, userName, password, ...more });
  assert.equal((await signIn('ada', Password, {}, at)).status, 200);
  add('sign-in', 'A sign-in with a password', await newest('ConsoleLogin'));
  const issued = (await at.post('/_belfry/sign-in/credentials')).json() as unknown as Required<Keys>;
  const { accessKeyId, secretAccessKey, sessionToken: token } = issued;
  const signedIn = { accessKeyId, secretAccessKey, sessionToken: token };
  await call('console-session', 'A request with the credentials of a sign-in', 'GetCallerIdentity', whoAmI(signedIn));
  assert.equal((await signIn('ada', 'wrong')).status, 401);
  add('sign-in-failed', 'A sign-in with a wrong password', await newest('ConsoleLogin'));
  assert.equal((await signIn('unknown-name', 'wrong')).status, 401);
  add('sign-in-unknown', 'A sign-in with an unknown user name, which is not recorded', await newest('ConsoleLogin'));
  await federation.user('nora', allow('*'));
  await profile('nora');
  const device = await newMfaDevice(admin, 'nora');
  assert.equal((await signIn('nora', Password)).status, 401);
  add('sign-in-mfa-check', 'A sign-in that requires an MFA code', await newest('CheckMfa'));
  assert.equal((await signIn('nora', Password, { mfaCode: device.TokenCode })).status, 200);
  add('sign-in-mfa', 'A sign-in with MFA', await newest('ConsoleLogin'));
  const posted = { SAMLResponse: assertion(role), RelayState: '/console/' };
  assert.equal((await browser(server.endpoint).post('/saml', `${new URLSearchParams(posted)}`)).status, 303);
  add('sign-in-saml', 'A sign-in with a SAML assertion', await newest('ConsoleLogin'));
  const { accessKeyId: sessionId, secretAccessKey: sessionKey, sessionToken } = await federation.assume(ada, role);
  const asked = { Action: 'getSigninToken', Session: JSON.stringify({ sessionId, sessionKey, sessionToken }) };
  assert.equal((await browser(server.endpoint).get(`/federation?${new URLSearchParams(asked)}`)).status, 200);
  add('sign-in-token', 'Temporary credentials are exchanged for a sign-in token', await newest('GetSigninToken'));
}

/** Creates the golden records. Returns the texts of their files by name. */
export async function goldenRecords(): Promise<ReadonlyMap<string, string>> {
  const writer = await startWriter();
  await addUsers(writer);
  const role = await addRoles(writer);
  await addTokens(writer, role);
  await addOtherCallers(writer, role);
  await addTls(writer);
  await addFailures(writer);
  await addOrganization(writer);
  await addSignIns(writer, role);
  await addOperator(writer);
  await addServiceSession(writer);
  for (const [name, title, record] of await serviceRecords()) writer.add(name, title, record);
  writer.add('omitted-requests', 'A summary of requests that prove no identity', await omittedRequests());
  return writer.files;
}

/** Adds the record of EventBridge, which assumes the role of a target before it sends an event. */
async function addServiceSession({ federation, server, accountId, add }: Writer) {
  const service = 'events.amazonaws.com';
  const RoleArn = await federation.role('sender', trustService(service), allow('sqs:SendMessage'));
  const receiver = await startReceiver();
  const endpoint = { service: 'sqs', url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await askControl(server.dataFolder, { command: 'endpoint add', endpoint }), { ok: true });
  const events = new EventBridgeClient(server.client());
  await events.send(new PutRuleCommand({ Name: 'orders', EventPattern: JSON.stringify({ source: ['shop'] }) }));
  const Arn = `arn:aws:sqs:us-east-1:${accountId}:orders`;
  await events.send(new PutTargetsCommand({ Rule: 'orders', Targets: [{ Id: 'queue', Arn, RoleArn }] }));
  await events.send(new PutEventsCommand({ Entries: [{ Source: 'shop', DetailType: 'order', Detail: '{}' }] }));
  const assumed = async () =>
    (await recordsOf(new CloudTrailClient(server.client()), 'AssumeRole')).filter(({ userIdentity }) => userIdentity.invokedBy === service);
  await until(
    async () => (await assumed()).length > 0,
    () => 'EventBridge does not assume the role',
  );
  add('role-assumed-by-events', 'EventBridge assumes the role of a target', (await assumed())[0]);
}

/** Adds the record of a command of the operator. */
async function addOperator({ server, accountId, names, add, newest }: Writer) {
  const restored = await askControl(server.dataFolder, { command: 'account restore-administrator', accountId });
  assert.ok(restored.ok && restored.administrator !== undefined);
  names.push([restored.administrator.userName, 'administrator']);
  add('operator', 'A command of the operator', await newest('RestoreAdministrator'));
}

/** Returns the summary of requests over the limit of a server that records one such request in a minute. */
async function omittedRequests(): Promise<TrailRecord | undefined> {
  const server = await startTestServer({ BELFRY_UNPROVEN_RECORDS: '1' });
  const request = bytesOf({ method: 'GET', target: `/meetings/${MEETING_ID}` }, { host: new URL(server.endpoint).host });
  // All requests arrive at once, because the summary counts those of one second.
  const connection = await connect(server.endpoint);
  connection.write(Buffer.concat(Array(4).fill(request)));
  for (let i = 0; i < 4; i++) assert.equal((await connection.reply()).status, 403);
  connection.close();
  const summary = async () => (await readUnproven(server.dataFolder)).find(({ eventName }) => eventName === 'OmitUnprovenRequests');
  await until(
    async () => (await summary()) !== undefined,
    () => 'no summary',
  );
  return await summary();
}

/** Returns the committed texts by name. */
export function committedRecords(): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.json'))
      .map((file) => [file.slice(0, -'.json'.length), readFileSync(new URL(file, FOLDER), 'utf8')]),
  );
}

if (import.meta.main) {
  const files = await goldenRecords();
  assert.ok(process.argv.includes('--write'), 'use --write to replace the files');
  for (const name of committedRecords().keys()) rmSync(new URL(`${name}.json`, FOLDER));
  for (const [name, text] of files) writeFileSync(new URL(`${name}.json`, FOLDER), text);
  process.exit();
}

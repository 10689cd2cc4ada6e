/** Delegates of accounts of Amazon Chime, on two servers with one database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  ChimeClient,
  CreateAccountCommand,
  GetAccountCommand,
  GetUserCommand,
  InviteUsersCommand,
  ListUsersCommand,
  UpdateAccountCommand,
} from '@aws-sdk/client-chime';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { DELEGATED } from '#services/chime/delegated.ts';
import { OTHER_ACCOUNT, openFixture } from '#services/chime/fixture.ts';
import { delegates } from '#services/chime/tables/delegates.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { accountOn, otherAccount, type TestAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { REPEATING, repeated } from '../kit/lost-lease.ts';
import { allow } from '../kit/policy.ts';
import { startSecondServer, startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { sample } from '../wire/samples.ts';
import { mailOf } from './mailbox.ts';

const postgres = await testPostgres();
after(() => postgres.stop());
const environment = { BELFRY_DATABASE: postgres.url };
const first = await startTestServer(environment);
const second = await startSecondServer(first, environment);
const owner = accountOn(first);
const other = await otherAccount(first, 'Delegate');
const otherThere = accountOn(second, other);
const model = loadModel('chime');

/** Calls an own operation. */
async function callAt({ endpoint }: TestServer, credentials: Keys, name: string, input: object) {
  const call = () => callChime({ endpoint, region: 'us-east-1', credentials }, model.operations[name] as OperationModel, input);
  return await repeated(call);
}

const chimeOf = (account: TestAccount, keys: Keys = account.keys) => new ChimeClient({ ...account.at('chime', keys), ...REPEATING });

/** Waits for the mail number `count` of an address. Resolves to its token. */
async function tokenFor(address: string, count = 1): Promise<string> {
  const own = async () => (await mailOf(first.dataFolder, second.dataFolder)).filter(({ to }) => to === address);
  await until(
    async () => (await own()).length >= count,
    () => `mail ${count} to ${address}`,
  );
  return /Token: (\S{43})\n/.exec((await own())[count - 1]?.text ?? '')?.[1] ?? assert.fail('no token');
}

test('Delegates: a caller of the invited AWS account manages users, until DeleteDelegate returns, on every server', async () => {
  const AccountId = (await chimeOf(owner).send(new CreateAccountCommand({ Name: 'Shared' }))).Account?.AccountId as string;
  const invited = await callAt(first, owner.keys, 'InviteDelegate', {
    ...{ AccountId, DelegateAwsAccountId: other.accountId, EmailAddress: 'admin@other.example' },
  });
  const { DelegateId, DelegateStatus } = invited.body['Delegate'] as { readonly DelegateId: string; readonly DelegateStatus: string };
  assert.equal(DelegateStatus, 'Pending');
  const InvitationToken = await tokenFor('admin@other.example');
  const unknown = { name: 'NotFoundException', message: `Could not find Account with Id '${AccountId}'` };
  await assert.rejects(chimeOf(otherThere).send(new GetAccountCommand({ AccountId })), unknown);

  const accept = (keys: Keys, token = InvitationToken) => callAt(second, keys, 'AcceptDelegate', { DelegateId, InvitationToken: token });
  assert.equal((await accept(owner.keys)).code, 'NotFoundException');
  assert.equal((await accept(other.keys, '0'.repeat(43))).code, 'NotFoundException');
  assert.equal((await accept(other.keys)).status, 200);

  // The delegate finds and changes the users of the account, and they belong to its owner.
  const { Account } = await chimeOf(otherThere).send(new GetAccountCommand({ AccountId }));
  assert.deepEqual([Account?.AwsAccountId, Account?.Name], [owner.accountId, 'Shared']);
  await chimeOf(otherThere).send(new InviteUsersCommand({ AccountId, UserEmailList: ['grace@example.com'] }));
  const { Users = [] } = await chimeOf(owner).send(new ListUsersCommand({ AccountId }));
  assert.deepEqual(
    Users.map(({ PrimaryEmail }) => PrimaryEmail),
    ['grace@example.com'],
  );
  const UserId = Users[0]?.UserId as string;
  await assert.rejects(chimeOf(otherThere).send(new UpdateAccountCommand({ AccountId, Name: 'Mine' })), unknown);
  // The own policies of the delegate decide.
  const reader = await other.user('reader', allow('chime:GetUser'));
  await chimeOf(otherThere, reader).send(new GetUserCommand({ AccountId, UserId }));
  await assert.rejects(chimeOf(otherThere, reader).send(new ListUsersCommand({ AccountId })), { name: 'ForbiddenException' });
  const third = await otherAccount(first, 'Third');
  await assert.rejects(chimeOf(accountOn(second, third)).send(new GetUserCommand({ AccountId, UserId })), unknown);

  // Each call is in both trails. That of the owner names the AWS account of the caller, as all records of calls from other accounts. A refused one is only in the trail of the delegate.
  for (const name of ['AcceptDelegate', 'GetUser']) {
    const ofOwner = await owner.records(name);
    const ofOther = (await other.records(name)).filter(({ errorCode }) => errorCode === undefined);
    assert.deepEqual(
      [ofOwner.filter(({ userIdentity }) => userIdentity.accountId === other.accountId).length, ofOther.length],
      [1, 1],
      name,
    );
    const copy = ofOwner.find(({ userIdentity }) => userIdentity.accountId === other.accountId);
    assert.equal(copy.sharedEventID, ofOther[0].sharedEventID);
    const { principalId } = ofOther[0].userIdentity;
    assert.deepEqual(
      [copy.recipientAccountId, copy.userIdentity],
      [owner.accountId, { type: 'AWSAccount', principalId, accountId: other.accountId }],
    );
  }
  const records = JSON.stringify([await owner.records('AcceptDelegate'), await other.records('AcceptDelegate')]);
  assert.ok(!records.includes(InvitationToken));
  assert.deepEqual(await owner.records('UpdateAccount'), []);

  assert.equal((await callAt(first, owner.keys, 'DeleteDelegate', { AccountId, DelegateId })).status, 200);
  await assert.rejects(chimeOf(otherThere, reader).send(new GetUserCommand({ AccountId, UserId })), unknown);
  assert.equal((await accept(other.keys)).code, 'NotFoundException');
});

test('Delegates: every operation that is not in the list does not find the account', async () => {
  const { store, run, account } = await openFixture();
  const AccountId = await account();
  const invited = await run('InviteDelegate', { AccountId, DelegateAwsAccountId: OTHER_ACCOUNT, EmailAddress: 'ada@example.com' });
  await store.transaction(async (tx) => {
    const invitation = await tx.of(delegates).find(invited.Delegate?.DelegateId as string);
    if (invitation !== undefined) await tx.of(delegates).put({ ...invitation, acceptedAt: invitation.createdAt });
  });
  const form = { timestamp: (at: number) => at, milliseconds: 0, blob: (bytes: Uint8Array) => bytes, elements: 1 };
  const admitted: string[] = [];
  for (const { name, input = '' } of Object.values(model.operations)) {
    if (model.shapes[input]?.members?.['AccountId'] === undefined) continue;
    const { NextToken: _token, ...given } = sample(model, { shape: input }, form) as Readonly<Record<string, unknown>>;
    const owners: string[] = [];
    const as = { accountId: OTHER_ACCOUNT, actsFor: (id: string) => void owners.push(id), contact: () => undefined as never };
    const failure = await run(name as 'GetAccount', { ...given, AccountId }, as).then(
      () => undefined,
      (error: Error) => error,
    );
    if (owners.length > 0) admitted.push(name);
    else assert.ok(failure !== undefined, `${name} succeeded`);
  }
  // The sample of CreateUser and others may be invalid before the account is read.
  const known = new Set<string>(DELEGATED);
  assert.deepEqual(
    admitted.filter((name) => !known.has(name)),
    [],
  );
  assert.ok(admitted.length >= 20, admitted.join());
});

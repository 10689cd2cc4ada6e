import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttachUserPolicyCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';

const DENY_ALL = 'arn:aws:iam::aws:policy/AWSDenyAll';

// Source: requirement TS-6; AWS Security Blog, "Enhanced access denied error messages with policy ARNs".
// biome-ignore format: a table
const WORDINGS: readonly (readonly [title: string, environment: Readonly<Record<string, string>>, reason: string])[] = [
  ['by default, a denial names the policy by its ARN', {},                                `with an explicit deny in an identity-based policy: ${DENY_ALL}`],
  ['in the messages of 2023, no denial has an ARN',    { BELFRY_DENIAL_WORDING: '2023' }, 'with an explicit deny in an identity-based policy'             ],
];

for (const [title, environment, reason] of WORDINGS) {
  test(`BELFRY_DENIAL_WORDING: ${title}`, async () => {
    const account = await startAccount(environment);
    const keys = await account.user('denied');
    await account.admin.send(new AttachUserPolicyCommand({ UserName: 'denied', PolicyArn: DENY_ALL }));
    const { message } = await refusalOf(account.iam(keys).send(new ListUsersCommand({})));
    assert.ok(message.endsWith(` ${reason}`), message);
    await account.server.stop();
  });
}

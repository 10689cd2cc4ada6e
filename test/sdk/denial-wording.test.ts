import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import { startTestServer } from '../server.ts';
import { refusalOf } from './policy.ts';

const DENY_ALL = 'arn:aws:iam::aws:policy/AWSDenyAll';

// Source: requirement TS-6; AWS Security Blog, "Enhanced access denied error messages with policy ARNs".
// biome-ignore format: a table
const WORDINGS: readonly (readonly [title: string, environment: Readonly<Record<string, string>>, reason: string])[] = [
  ['by default, a denial names the policy by its ARN', {},                                `with an explicit deny in an identity-based policy: ${DENY_ALL}`],
  ['in the messages of 2023, no denial has an ARN',    { BELFRY_DENIAL_WORDING: '2023' }, 'with an explicit deny in an identity-based policy'             ],
];

for (const [title, environment, reason] of WORDINGS) {
  test(`BELFRY_DENIAL_WORDING: ${title}`, async () => {
    const server = await startTestServer(environment);
    const iam = new IAMClient(server.client());
    await iam.send(new CreateUserCommand({ UserName: 'denied' }));
    await iam.send(new AttachUserPolicyCommand({ UserName: 'denied', PolicyArn: DENY_ALL }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'denied' }));
    const credentials = { accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string };
    const { message } = await refusalOf(new IAMClient(server.client(credentials)).send(new ListUsersCommand({})));
    assert.ok(message.endsWith(` ${reason}`), message);
    await server.stop();
  });
}

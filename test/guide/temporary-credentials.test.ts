/**
 * ROLE-1: calls every service with every kind of temporary credentials. The credentials belong to administrators. So
 * the cause of an error is the kind of credentials (security.md §2.6), not a policy.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateOpenIDConnectProviderCommand, CreateSAMLProviderCommand, CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import {
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts';
import { CHIME_SERVICES, type ServiceName } from '#model/services.ts';
import { startAccount } from '../kit/account.ts';
import { type Keys, keysOf, UNKNOWN_KEYS } from '../kit/keys.ts';
import { type MfaDevice, newMfaDevice } from '../kit/mfa.ts';
import { allow, managed, policy, trust, trustProvider } from '../kit/policy.ts';
import { caller, inputFor, operationsOf } from '../sdk/every-operation.ts';
import { startIdentityProvider } from '../sts/identity-provider.ts';
import { samlProvider } from '../sts/saml-provider.ts';

const web = await startIdentityProvider();
const saml = await samlProvider('https://idp.example/saml');
const account = await startAccount({ BELFRY_INTERNAL_ISSUERS: web.host });
const { accountId, admin, server } = account;
// Without this service-linked role, every call on media pipelines is ForbiddenException.
await admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'mediapipelines.chime.amazonaws.com' }));
const unsigned = account.sts(UNKNOWN_KEYS);
const everything = allow('*');
const maker = await account.user('maker', managed('AdministratorAccess'));
const plain = await account.role('Plain', trust(account.userArn('maker'), ['sts:AssumeRole', 'sts:TagSession']), everything);

const { OpenIDConnectProviderArn } = await admin.send(
  new CreateOpenIDConnectProviderCommand({ Url: web.issuer, ClientIDList: ['client-1'], ThumbprintList: [web.thumbprint] }),
);
const { SAMLProviderArn } = await admin.send(new CreateSAMLProviderCommand({ Name: 'Corp', SAMLMetadataDocument: saml.metadata }));
const webRole = await account.role('Web', trustProvider(OpenIDConnectProviderArn, 'sts:AssumeRoleWithWebIdentity'), everything);
const samlRole = await account.role('Saml', trustProvider(SAMLProviderArn, 'sts:AssumeRoleWithSAML'), everything);

/** Creates a user with an MFA device. */
async function withSecondFactor(): Promise<MfaDevice & { readonly keys: Keys }> {
  const keys = await account.user('careful', managed('AdministratorAccess'));
  return { keys, ...(await newMfaDevice(admin, 'careful')) };
}

interface Kind {
  readonly name: string;
  readonly credentials: () => Promise<Keys>;
  /** Result of each call to IAM: `ok`, or the error code. */
  readonly iam: string;
  readonly sts: Readonly<
    Record<'GetCallerIdentity' | 'AssumeRole' | 'GetFederationToken' | 'GetSessionToken' | 'GetAccessKeyInfo', string>
  >;
}

const ANY_ROLE = {
  GetCallerIdentity: 'ok',
  AssumeRole: 'ok',
  GetFederationToken: 'AccessDenied',
  GetSessionToken: 'AccessDenied',
  GetAccessKeyInfo: 'ok',
};
const ONLY_ITSELF = { ...ANY_ROLE, AssumeRole: 'AccessDenied', GetAccessKeyInfo: 'AccessDenied' };
const MAY_ASSUME = { ...ANY_ROLE, GetAccessKeyInfo: 'AccessDenied' };

/** Kinds of temporary credentials, with the expected results. Source: IAM User Guide, "Comparing the AWS STS API operations". */
const KINDS: readonly Kind[] = [
  { name: 'AssumeRole', credentials: () => account.assume(maker, plain), iam: 'ok', sts: ANY_ROLE },
  {
    name: 'AssumeRoleWithWebIdentity',
    async credentials() {
      const answer = await unsigned.send(
        new AssumeRoleWithWebIdentityCommand({ RoleArn: webRole, RoleSessionName: 'web', WebIdentityToken: await web.token() }),
      );
      return keysOf(answer.Credentials);
    },
    iam: 'ok',
    sts: ANY_ROLE,
  },
  {
    name: 'AssumeRoleWithSAML',
    async credentials() {
      const SAMLAssertion = saml.assertion({ attributes: { Role: [`${samlRole},${SAMLProviderArn}`], RoleSessionName: ['ada'] } });
      return keysOf(
        (await unsigned.send(new AssumeRoleWithSAMLCommand({ RoleArn: samlRole, PrincipalArn: SAMLProviderArn, SAMLAssertion })))
          .Credentials,
      );
    },
    iam: 'ok',
    sts: ANY_ROLE,
  },
  {
    name: 'GetFederationToken',
    credentials: async () =>
      keysOf((await account.sts(maker).send(new GetFederationTokenCommand({ Name: 'visitor', Policy: policy(everything) }))).Credentials),
    iam: 'InvalidClientTokenId',
    sts: ONLY_ITSELF,
  },
  {
    name: 'GetSessionToken',
    credentials: async () => keysOf((await account.sts(maker).send(new GetSessionTokenCommand({}))).Credentials),
    iam: 'InvalidClientTokenId',
    sts: MAY_ASSUME,
  },
  {
    name: 'GetSessionToken with MFA',
    async credentials() {
      const { keys, ...proof } = await withSecondFactor();
      return keysOf((await account.sts(keys).send(new GetSessionTokenCommand(proof))).Credentials);
    },
    iam: 'ok',
    sts: MAY_ASSUME,
  },
];

const anyone = await account.role('Anyone', trust(account.rootArn), everything);
const STS_INPUTS: Readonly<Record<keyof Kind['sts'], object>> = {
  GetCallerIdentity: {},
  AssumeRole: { RoleArn: anyone, RoleSessionName: 'chained' },
  GetFederationToken: { Name: 'inner', Policy: policy(everything) },
  GetSessionToken: {},
  GetAccessKeyInfo: { AccessKeyId: maker.accessKeyId },
};

for (const kind of KINDS) {
  const keys = await kind.credentials();
  const call = (service: ServiceName) => caller(service, server.client(keys));

  for (const service of CHIME_SERVICES) {
    test(`ROLE-1: credentials of ${kind.name} are accepted by every operation of ${service}`, async () => {
      const send = call(service);
      const faults: string[] = [];
      for (const operation of operationsOf(service)) {
        const { code, message, status = 500 } = await send(operation.name, inputFor(service, operation, accountId));
        // The test fails for rejected credentials, policy denials and server errors. It accepts other errors, such as a
        // missing resource. Some services report a missing resource as ForbiddenException.
        const absent = code === 'ForbiddenException' && !message.includes('is not authorized to perform');
        if (status >= 500 || (status === 403 && !absent)) faults.push(`${operation.name}: ${code} ${status}: ${message}`);
      }
      assert.deepEqual(faults, []);
    });
  }

  test(`ROLE-1: calls to IAM with credentials of ${kind.name} return ${kind.iam}`, async () => {
    const send = call('iam');
    for (const [operation, input] of [
      ['ListUsers', {}],
      ['GetAccountSummary', {}],
      ['CreateGroup', { GroupName: kind.name.replaceAll(' ', '-') }],
    ] as const) {
      assert.equal((await send(operation, input)).code, kind.iam, operation);
    }
  });

  for (const [operation, expected] of Object.entries(kind.sts)) {
    test(`ROLE-1, STS-3: STS ${operation} with credentials of ${kind.name} returns ${expected}`, async () => {
      const { code, message } = await call('sts')(operation, STS_INPUTS[operation as keyof Kind['sts']]);
      assert.equal(code, expected, message);
      if (expected === 'AccessDenied' && /^Get(Federation|Session)Token$/.test(operation))
        assert.equal(message, `Cannot call ${operation} with session credentials`);
    });
  }

  test(`ROLE-1: credentials of ${kind.name} can look up their own events`, async () => {
    const looked = await call('cloudtrail')('LookupEvents', {
      LookupAttributes: [{ AttributeKey: 'AccessKeyId', AttributeValue: keys.accessKeyId }],
      MaxResults: 1,
    });
    assert.equal(looked.code, 'ok', looked.message);
    assert.equal((looked.output as { Events: readonly { AccessKeyId: string }[] }).Events[0]?.AccessKeyId, keys.accessKeyId);
    assert.match((await call('cloudtrail')('ListTrails', {})).code, /^(ok|NotYetImplementedException)$/);
  });
}

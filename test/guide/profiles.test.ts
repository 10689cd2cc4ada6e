/**
 * Tests profiles in the configuration of AWS's clients: a role with a source profile and MFA, a credential process, a web identity, and
 * refreshed credentials. The AWS CLI and boto3 are from Debian 12.
 *
 * These clients use `--endpoint-url` only for the command, and not for the STS call that a profile causes. They read the STS endpoint from
 * data files. So the tests add a data file with this server's endpoint to AWS_DATA_PATH.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CreateOpenIDConnectProviderCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromIni, fromProcess, fromTemporaryCredentials, fromTokenFile } from '@aws-sdk/credential-providers';
import { startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { allow, trust, trustProvider } from '../kit/policy.ts';
import { startOpenIdProvider } from './openid-provider.ts';

const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;
const provider = await startOpenIdProvider();
const account = await startAccount({ BELFRY_INTERNAL_ISSUERS: provider.host });
const { accountId, admin, server } = account;
const home = newFolder('profiles');

const maker = await account.user('maker', allow('sts:AssumeRole'));
const worker = await account.role('Worker', trust(account.userArn('maker')), allow('iam:ListUsers'));
const guarded = await account.role(
  'Guarded',
  trust(account.rootArn, 'sts:AssumeRole', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }),
  allow('iam:ListUsers'),
);
const { OpenIDConnectProviderArn } = await admin.send(
  new CreateOpenIDConnectProviderCommand({
    Url: provider.issuer,
    ClientIDList: [provider.clientId],
    ThumbprintList: [provider.thumbprint],
  }),
);
const ada = { Condition: { StringEquals: { [`${provider.host}:sub`]: 'ada' } } };
const web = await account.role('Web', trustProvider(OpenIDConnectProviderArn, 'sts:AssumeRoleWithWebIdentity', ada));

const config = join(home, 'config');
const credentials = join(home, 'credentials');
const tokenFile = join(home, 'token');
const settings = (profiles: Readonly<Record<string, Readonly<Record<string, string>>>>, prefix = '') =>
  Object.entries(profiles)
    .map(
      ([name, lines]) =>
        `[${prefix}${name}]\n${Object.entries(lines)
          .map(([key, value]) => `${key} = ${value}\n`)
          .join('')}`,
    )
    .join('\n');
const ini = (keys: Keys) => ({ aws_access_key_id: keys.accessKeyId, aws_secret_access_key: keys.secretAccessKey });

before(async () => {
  writeFileSync(tokenFile, await provider.signIn('ada'));
  writeFileSync(
    join(home, 'process.json'),
    JSON.stringify({ Version: 1, AccessKeyId: maker.accessKeyId, SecretAccessKey: maker.secretAccessKey }),
  );
  writeFileSync(credentials, settings({ maker: ini(maker) }));
  const parameters = Object.fromEntries(
    [
      ['Region', 'AWS::Region', 'String'],
      ['UseDualStack', 'AWS::UseDualStack', 'Boolean'],
      ['UseFIPS', 'AWS::UseFIPS', 'Boolean'],
      ['Endpoint', 'SDK::Endpoint', 'String'],
      ['UseGlobalEndpoint', 'AWS::STS::UseGlobalEndpoint', 'Boolean'],
    ].map(([name, builtIn, type]) => [name, { builtIn, type, required: false, documentation: '' }]),
  );
  const endpoint = {
    url: server.endpoint,
    properties: { authSchemes: [{ name: 'sigv4', signingName: 'sts', signingRegion: 'us-east-1' }] },
    headers: {},
  };
  const folder = join(home, 'data', 'sts', '2011-06-15');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'endpoint-rule-set-1.json'),
    JSON.stringify({ version: '1.0', parameters, rules: [{ conditions: [], endpoint, type: 'endpoint' }] }),
  );
});

const profile = (lines: Readonly<Record<string, string>>, name = 'tried') =>
  writeFileSync(config, settings({ [name]: { region: 'us-east-1', ...lines }, maker: { region: 'us-east-1' } }, 'profile '));

const environment = () => ({
  PATH: process.env['PATH'],
  HOME: home,
  AWS_CONFIG_FILE: config,
  AWS_SHARED_CREDENTIALS_FILE: credentials,
  AWS_DATA_PATH: join(home, 'data'),
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_DEFAULT_REGION: 'us-east-1',
});

/** Runs a program without a terminal, so that it reads prompted values from `input`. */
function run(
  program: string,
  args: readonly string[],
  input = '',
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...environment(), ...more }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const output = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (output.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (output.err += text));
    child.once('close', (status) => resolve({ status, ...output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

const identity = async (input?: string) => {
  const { status, out, err } = await run(
    CLI,
    [
      '--profile',
      'tried',
      '--endpoint-url',
      server.endpoint,
      '--no-cli-pager',
      'sts',
      'get-caller-identity',
      '--query',
      'Arn',
      '--output',
      'text',
    ],
    input,
  );
  return status === 0 ? out.trim() : err.trim();
};

test('AWS CLI: role_arn and source_profile yield a session of the role', async () => {
  profile({ role_arn: worker, source_profile: 'maker', role_session_name: 'cli' });
  assert.equal(await identity(), `arn:aws:sts::${accountId}:assumed-role/Worker/cli`);
});

test('AWS CLI: mfa_serial prompts for one code per session, and a wrong or used code is denied', async () => {
  const { SerialNumber, TokenCode } = await newMfaDevice(admin, 'maker', 'phone');
  const cache = join(home, '.aws', 'cli', 'cache');
  profile({ role_arn: guarded, source_profile: 'maker', role_session_name: 'wrong', mfa_serial: SerialNumber });
  assert.match(await identity('000000\n'), /\(AccessDenied\) when calling the AssumeRole operation: MultiFactorAuthentication failed/);
  profile({ role_arn: guarded, source_profile: 'maker', role_session_name: 'cli', mfa_serial: SerialNumber });
  const arn = `arn:aws:sts::${accountId}:assumed-role/Guarded/cli`;
  assert.equal(await identity(`${TokenCode}\n`), arn);
  assert.ok(readdirSync(cache).length > 0);
  assert.equal(await identity(), arn);
  rmSync(cache, { recursive: true });
  assert.match(
    await identity(`${TokenCode}\n`),
    /\(AccessDenied\) when calling the AssumeRole operation: MultiFactorAuthentication failed/,
  );
});

test('AWS CLI: a trust policy that requires MFA denies a profile without mfa_serial', async () => {
  profile({ role_arn: guarded, source_profile: 'maker', role_session_name: 'cli' });
  assert.match(
    await identity(),
    /\(AccessDenied\) when calling the AssumeRole operation: User: .*:user\/maker is not authorized to perform: sts:AssumeRole on resource: /,
  );
});

test('AWS CLI: credential_process uses the credentials that a program prints', async () => {
  profile({ credential_process: `/bin/cat ${join(home, 'process.json')}` });
  assert.equal(await identity(), account.userArn('maker'));
});

test('AWS CLI: web_identity_token_file yields a session for the token', async () => {
  profile({ role_arn: web, web_identity_token_file: tokenFile, role_session_name: 'cli' });
  assert.equal(await identity(), `arn:aws:sts::${accountId}:assumed-role/Web/cli`);
});

test('boto3: a profile assumes its role, and credentials are refreshed before they expire', async () => {
  profile({ role_arn: worker, source_profile: 'maker', role_session_name: 'boto3' }, 'worker');
  const { status, out, err } = await run('/usr/bin/python3', ['-W', 'ignore', fileURLToPath(new URL('refresh.py', import.meta.url))], '', {
    ENDPOINT: server.endpoint,
    ROLE: worker,
  });
  assert.equal(status, 0, err);
  const refreshed = `arn:aws:sts::${accountId}:assumed-role/Worker/refreshed`;
  assert.deepEqual(JSON.parse(out), {
    profile: `arn:aws:sts::${accountId}:assumed-role/Worker/boto3`,
    first: refreshed,
    cached: true,
    second: refreshed,
    renewed: true,
  });
});

const clientConfig = { endpoint: server.endpoint, region: 'us-east-1' };
const arnOf = async (provider: ReturnType<typeof fromProcess> | ReturnType<typeof fromTemporaryCredentials>) =>
  (
    await new STSClient({ ...server.client(), credentials: provider as ReturnType<typeof fromProcess> }).send(
      new GetCallerIdentityCommand({}),
    )
  ).Arn;
const files = { filepath: credentials, configFilepath: config, ignoreCache: true };

test('SDK v3: fromTemporaryCredentials assumes a role, and with the session of this role a second role', async () => {
  const next = await account.role('Next', trust(worker), allow('iam:ListUsers'));
  const first = fromTemporaryCredentials({ masterCredentials: maker, params: { RoleArn: worker, RoleSessionName: 'first' }, clientConfig });
  assert.equal(await arnOf(first), `arn:aws:sts::${accountId}:assumed-role/Worker/first`);
  const second = fromTemporaryCredentials({ masterCredentials: first, params: { RoleArn: next, RoleSessionName: 'second' }, clientConfig });
  assert.equal(await arnOf(second), `arn:aws:sts::${accountId}:assumed-role/Next/second`);
  await account
    .iam(await fromTemporaryCredentials({ masterCredentials: first, params: { RoleArn: next, RoleSessionName: 'third' }, clientConfig })())
    .send(new ListUsersCommand({}));
});

test('SDK v3: fromTemporaryCredentials requests an MFA code', async () => {
  const { SerialNumber, TokenCode } = await newMfaDevice(admin, 'maker', 'tablet');
  const requested: string[] = [];
  const provider = fromTemporaryCredentials({
    masterCredentials: maker,
    params: { RoleArn: guarded, RoleSessionName: 'sdk', SerialNumber },
    clientConfig,
    mfaCodeProvider: async (device) => {
      requested.push(device);
      return TokenCode;
    },
  });
  assert.equal(await arnOf(provider), `arn:aws:sts::${accountId}:assumed-role/Guarded/sdk`);
  assert.deepEqual(requested, [SerialNumber]);
});

test('SDK v3: fromIni, fromProcess and fromTokenFile read the profiles and the token file', async () => {
  profile({ role_arn: worker, source_profile: 'maker', role_session_name: 'ini' });
  assert.equal(await arnOf(fromIni({ profile: 'tried', ...files, clientConfig })), `arn:aws:sts::${accountId}:assumed-role/Worker/ini`);
  profile({ credential_process: `/bin/cat ${join(home, 'process.json')}` });
  assert.equal(await arnOf(fromProcess({ profile: 'tried', ...files })), account.userArn('maker'));
  assert.equal(
    await arnOf(fromTokenFile({ webIdentityTokenFile: tokenFile, roleArn: web, roleSessionName: 'file', clientConfig })),
    `arn:aws:sts::${accountId}:assumed-role/Web/file`,
  );
});

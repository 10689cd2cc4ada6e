/** A core whose clock the test sets, and the clients of the AWS SDK that call it, for the tests of configuration rules. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ChimeClient } from '@aws-sdk/client-chime';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { IAMClient } from '@aws-sdk/client-iam';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { S3Client } from '@aws-sdk/client-s3';
import { newSessionTokens } from '#access/session-token.ts';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { deliveryTargets } from '#delivery/tables/delivery-targets.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { openContents } from '#server/object-contents.ts';
import { readSettings } from '#server/settings.ts';
import { sign } from '#sigv4/sign.ts';
import { newTestClock } from '../kit/clock.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import { newFolder } from '../kit/folder.ts';
import { auditor } from './evidence.ts';

type Api = AccessanalyzerApi;
export type Result = Api['ListConfigurationRuleResults']['output']['results'][number];
export type Rule = Api['ListConfigurationRules']['output']['rules'][number];

const { clock, now, advance } = newTestClock();

export { now };

const settings = readSettings([], { BELFRY_DATA: newFolder('rules'), BELFRY_DATABASE: 'file::memory:' });
const contents = openContents(settings, async () => '');
/** TXT records that the core finds, by their names. */
export const txtRecords = new Map<string, string>();
export const core = await startTestCore({
  settings,
  clock,
  lookUpTxt: async (name) => [txtRecords.get(name) ?? []].flat(),
  ...(contents !== undefined && { contents }),
});
export const accountId = core.accountId as AccountId;
const endpoint = await listenForCore(core, now);
/** Clients correct their clock by the response to the first attempt. */
export const sdk = { endpoint, region: 'us-east-1', credentials: core.credentials, maxAttempts: 2 };
export const users = new IAMClient(sdk);
export const trails = new CloudTrailClient(sdk);
export const buckets = new S3Client({ ...sdk, forcePathStyle: true });
export const chime = new ChimeClient(sdk);
export const org = new OrganizationsClient(sdk);
export const read = auditor(sdk);
await core.store.transaction((tx) =>
  tx.of(deliveryTargets).add({ bucket: 'audit-logs', location: { kind: 'folder', path: '/unused' }, createdAt: instant(0) }),
);

/** Calls an own operation as the administrator. */
export async function own<Name extends 'ListConfigurationRules' | 'ListConfigurationRuleResults'>(
  name: Name,
  input: object,
): Promise<Api[Name]['output']> {
  return (await posted(loadModel('accessanalyzer').operations[name] as OperationModel, 'access-analyzer', input)) as Api[Name]['output'];
}

/** Calls an own operation of Amazon Chime about domains as the administrator. */
export async function ownChime<Name extends 'AddDomain' | 'GetDomain'>(name: Name, input: object): Promise<ChimeApi[Name]['output']> {
  return (await posted(loadModel('chime').operations[name] as OperationModel, 'chime', input)) as ChimeApi[Name]['output'];
}

async function posted({ http }: OperationModel, signingName: string, input: object): Promise<unknown> {
  const body = JSON.stringify(input);
  const plain = { host: new URL(endpoint).host, 'content-type': 'application/json' };
  const headers = sign(
    { method: http.method, target: http.uri, headers: plain, body },
    { credentials: core.credentials, region: 'us-east-1', signingName, now: now() },
  );
  const response = await fetch(`${endpoint}${http.uri}`, { method: http.method, headers, body });
  const output: unknown = await response.json();
  assert.ok(response.ok, JSON.stringify(output));
  return output;
}

/** Returns a rule as ListConfigurationRules lists it. */
export const ruleNamed = async (ruleName: string): Promise<Rule | undefined> =>
  (await own('ListConfigurationRules', {})).rules.find(({ name }) => name === ruleName);

/** Returns the result whose annotation has a string, and compares all its evidence with the outputs of the calls. */
export async function resultAbout(ruleName: string, about: string): Promise<Result | undefined> {
  const { results } = await own('ListConfigurationRuleResults', { ruleName, maxResults: 1000 });
  const found = results.filter(({ annotation }) => annotation.includes(about));
  assert.ok(found.length <= 1, `${about}: ${JSON.stringify(found)}`);
  const [result] = found;
  for (const one of result?.evidence ?? []) assert.equal(await read(one), one.value, JSON.stringify(one));
  return result;
}

/** Returns a client of the root user. */
export function rootIam(): IAMClient {
  const issuedAt = now();
  const session = { issuedAt, expiresAt: instant(issuedAt + 3_600_000), mfaAuthenticated: true, tags: {}, transitiveTagKeys: [] };
  const tokens = newSessionTokens(() => [new Uint8Array(32).fill(7)]);
  const issued = tokens.issue({ kind: 'root', accountId, session: { ...session, chained: false } }, randomBytes);
  assert.ok(issued.outcome === 'issued');
  const { accessKeyId, secretAccessKey, sessionToken } = issued.credentials;
  return new IAMClient({ ...sdk, credentials: { accessKeyId, secretAccessKey, sessionToken } });
}

/** Sets the clock of the core forward. */
export async function later(days: number): Promise<void> {
  advance(days * DAY_MS);
}

/** How calls break a rule, and comply with it again. */
export interface Case {
  readonly rule: string;
  /** What differs from other cases of the rule. */
  readonly how?: string;
  /** String in the annotation of the result. */
  readonly about: string;
  /** Calls before, after which the rule has no noncompliant result about the resource. */
  readonly prepare?: () => Promise<unknown>;
  readonly violate: () => Promise<unknown>;
  readonly comply: () => Promise<unknown>;
  /** Whether the result disappears when the account complies, because the resource is then not in the scope of the rule. */
  readonly disappears?: true;
}

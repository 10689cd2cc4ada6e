import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { resourceTypesOf } from '#model/authorization.ts';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES } from '#model/services.ts';
import { DEFAULT_QUOTAS } from '#services/chime-kit/quotas.ts';
import { DEFAULT_PIPELINE_LIMITS, DEFAULT_VOICE_LIMITS } from '#services/chime-kit/voice-limits.ts';
import { linkedService } from '#services/iam/service-linked-roles.ts';
import { ACCOUNT, openOperations, START } from '#services/kit/fixture.ts';
import type { Kind } from '#services/kit/resource-kind.ts';
import { checkServices } from '#services/kit/service.ts';
import type { ResourceKind } from '#store/resources.ts';
import { allOperations, DECLARED, invalidPageToken, linkedRoleUsage, type ServiceParts } from './services.ts';

const unused = () => {
  throw new Error('the names of operations do not depend on it');
};
const PARTS = {
  vault: { seal: unused, open: unused },
  sessions: { issue: unused },
  verifyMfa: unused,
  serviceControl: unused,
  operatorKeys: [new Uint8Array(32)],
  publicUrl: () => 'https://localhost',
  localUrl: () => undefined,
  lookupEventsPerSecond: 2,
  eventHistoryDays: 90,
  logBuckets: { check: unused },
  logTopics: { has: unused },
  logGroups: { check: unused },
  privateSipPeers: [],
  sipHostSuffix: '.voiceconnector.chime.aws',
  legacyChime: true,
  supportAddress: undefined,
  quotas: DEFAULT_QUOTAS,
  voiceLimits: DEFAULT_VOICE_LIMITS,
  pipelineLimits: DEFAULT_PIPELINE_LIMITS,
  postJson: async () => undefined,
  tryOutgoing: unused,
  checkDirectory: async () => undefined,
} as unknown as ServiceParts;

test('DECLARED: the declarations of the services do not contradict each other', () => checkServices(DECLARED));

test('DECLARED: every service-linked role is known to IAM', () => {
  const principals = DECLARED.flatMap(({ linkedRoles = [] }) => linkedRoles).map(({ principal }) => principal);
  assert.deepEqual(
    principals.filter((principal) => linkedService(principal) === undefined),
    [],
  );
  assert.equal(new Set(principals).size, principals.length);
});

// The compiler rejects operations that are not in the model. This test checks that the table has all operations of the
// model.
for (const service of SERVICE_NAMES) {
  test(`allOperations: ${service} has exactly the operations of its model`, async () => {
    const table = await allOperations(PARTS)(service);
    const { operations, removed } = loadModel(service);
    assert.deepEqual(Object.keys(table).sort(), [...Object.keys(operations), ...Object.keys(removed)].sort());
  });
}

test('DECLARED: every folder of a service has a declaration', () => {
  const folders = readdirSync('src/services').filter((name) => SERVICE_NAMES.some((service) => service === name));
  assert.deepEqual(DECLARED.map(({ name }) => name).sort(), folders.sort());
});

/** Constant in `src/services` that contains a resource kind. */
interface KindConstant {
  /** File and name: `chime-sdk-voice/kinds.ts SIP_RULE`. */
  readonly place: string;
  /** Undefined if the file does not export the constant. */
  readonly kind: (ResourceKind<unknown> & Partial<Kind<unknown>>) | undefined;
}

/** Returns all constants in `src/services` whose type is `ResourceKind`, `Kind` or an alias such as `VoiceKind`. */
async function kindConstants(): Promise<readonly KindConstant[]> {
  const found: KindConstant[] = [];
  for (const file of readdirSync('src/services', { recursive: true, encoding: 'utf8' })) {
    if (!/(?<!\.test)\.ts$/.test(file)) continue;
    for (const [, name = ''] of readFileSync(`src/services/${file}`, 'utf8').matchAll(/^(?:export )?const (\w+): \w*Kind</gm)) {
      const exported = (await import(`../../services/${file}`)) as Readonly<Record<string, KindConstant['kind']>>;
      found.push({ place: `${file} ${name}`, kind: exported[name] });
    }
  }
  return found;
}

const KINDS = await kindConstants();
const OWNERS = new Map(DECLARED.flatMap(({ name, kinds = [] }) => kinds.map((kind) => [kind.name, name] as const)));

test('DECLARED: every resource kind is exported and is in `kinds` of a service', () => {
  const undeclared = KINDS.filter(({ kind }) => kind === undefined || !OWNERS.has(kind.name)).map(({ place }) => place);
  assert.deepEqual(undeclared, []);
  assert.deepEqual(new Set(KINDS.map(({ kind }) => kind?.name)), new Set(OWNERS.keys()));
});

/** Returns whether the resource type of an ARN supports tags. Source: service authorization reference. */
function supportsTags(arn: string): boolean {
  return (resourceTypesOf('chime') ?? []).some(
    ({ arnFormat, conditionKeys }) =>
      conditionKeys.some((key) => key.startsWith('aws:ResourceTag/')) &&
      new RegExp(`^${arnFormat.replaceAll(/\$\{\w+\}/g, '[^:/]+')}$`).test(arn),
  );
}

for (const { place, kind } of KINDS) {
  const service = kind?.conventions?.service;
  if (kind?.arn === undefined || service === undefined || OWNERS.get(kind.name) !== service) continue;
  const key = { accountId: ACCOUNT, region: 'us-east-1', parent: kind.parent === undefined ? '' : 'parent', id: 'one' };
  const ResourceARN = kind.arn.of(key);
  const taggable = supportsTags(ResourceARN);

  test(`TagResource: ${taggable ? 'finds' : 'does not find'} resources of ${place}`, async () => {
    const { store, run } = await openOperations(await allOperations(PARTS)(service));
    const record = { ...key, createdAt: START, updatedAt: START, tags: [], document: {} };
    await store.transaction((tx) => tx.resources.add(kind, record));
    const tagged = run('TagResource', { ResourceARN, Tags: [{ Key: 'team', Value: 'blue' }] });
    if (taggable) await tagged;
    else await assert.rejects(tagged, { code: 'NotFoundException' });
  });
}

test('server: only core/services.ts imports services other than IAM', () => {
  const single = /#services\/(?!kit\/|iam\/|chime-kit\/)/;
  const files = readdirSync('src/server', { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.ts$/.test(file));
  assert.deepEqual(
    files.filter((file) => single.test(readFileSync(`src/server/${file}`, 'utf8'))),
    ['core/services.ts'],
  );
});

test('invalidPageToken: the error is BadRequestException, unless the service declares another error', () => {
  assert.equal(invalidPageToken('chime-sdk-voice', 'ListVoiceConnectors', 'NextToken').code, 'BadRequestException');
  assert.equal(invalidPageToken('iam', 'ListUsers', 'Marker').code, 'ValidationError');
  assert.equal(invalidPageToken('cloudtrail', 'ListPublicKeys', 'NextToken').code, 'InvalidTokenException');
  assert.equal(invalidPageToken('cloudtrail', 'LookupEvents', 'NextToken').code, 'InvalidNextTokenException');
});

test('linkedRoleUsage: returns no resources for an unknown principal', async () => {
  assert.deepEqual(await linkedRoleUsage({} as never, 'lex.amazonaws.com'), []);
});

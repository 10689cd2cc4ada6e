/**
 * Permissions of every operation of Chime SDK voice and media pipelines, compared with the service authorization reference:
 * the action, the ARN of each resource, the condition keys, and the tags of the resources.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf, resourceTypesOf } from '#model/authorization.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { actionName } from '#model/services.ts';
import { DEFAULT_PIPELINE_LIMITS, DEFAULT_VOICE_LIMITS } from '#services/chime-kit/voice-limits.ts';
import { mediaPipelinesOperations } from '#services/chime-sdk-media-pipelines/operations.ts';
import { voiceOperations } from '#services/chime-sdk-voice/operations.ts';
import { sipPeers } from '#services/chime-sdk-voice/sip-peers.ts';
import { withPassedRoles } from '#services/iam/pass-role.ts';
import { ACCOUNT, openOperations, type ResolvedAccess } from '#services/kit/fixture.ts';
import { sample, withCanonicalArns } from '../wire/samples.ts';

type Service = 'chime-sdk-voice' | 'chime-sdk-media-pipelines';

const TABLES = {
  'chime-sdk-voice': voiceOperations({
    vault: { seal: () => '' },
    limits: DEFAULT_VOICE_LIMITS,
    sipPeers: sipPeers([]),
    ownedBuckets: { owns: async () => true },
    hostSuffix: '.voiceconnector.chime.aws',
  }),
  'chime-sdk-media-pipelines': mediaPipelinesOperations({ limits: DEFAULT_PIPELINE_LIMITS }),
};

/**
 * Resource types of ARNs for actions that the reference lists without one. A new resource and a list have the ARN pattern
 * of their type, so that policies can restrict them. Groups have an ARN in the model, but no type in the reference. All
 * other such actions apply to `*`.
 */
const OWN_TYPES: Readonly<Record<string, string>> = {
  AssociatePhoneNumbersWithVoiceConnectorGroup: 'vcg/Id',
  DisassociatePhoneNumbersFromVoiceConnectorGroup: 'vcg/Id',
  GetVoiceConnectorGroup: 'vcg/Id',
  DeleteVoiceConnectorGroup: 'vcg/Id',
  ListVoiceConnectorGroups: 'vcg/*',
  CreateVoiceConnector: 'vc/*',
  ListVoiceConnectors: 'vc/*',
  CreateSipMediaApplication: 'sma/*',
  ListSipMediaApplications: 'sma/*',
  CreateVoiceProfileDomain: 'voice-profile-domain/*',
  ListVoiceProfileDomains: 'voice-profile-domain/*',
  CreateVoiceProfile: 'voice-profile/*',
  CreateMediaCapturePipeline: 'media-pipeline/*',
  CreateMediaConcatenationPipeline: 'media-pipeline/*',
  CreateMediaLiveConnectorPipeline: 'media-pipeline/*',
  ListMediaCapturePipelines: 'media-pipeline/*',
  ListMediaPipelines: 'media-pipeline/*',
  CreateMediaInsightsPipelineConfiguration: 'media-insights-pipeline-configuration/*',
  ListMediaInsightsPipelineConfigurations: 'media-insights-pipeline-configuration/*',
  CreateMediaPipelineKinesisVideoStreamPool: 'media-pipeline-kinesis-video-stream-pool/*',
  ListMediaPipelineKinesisVideoStreamPools: 'media-pipeline-kinesis-video-stream-pool/*',
};

/** Further permissions that operations require: the service-linked role of Voice Connectors, and roles that they pass. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  PutVoiceConnectorStreamingConfiguration: ['iam:CreateServiceLinkedRole'],
  CreateSipMediaApplication: ['iam:CreateServiceLinkedRole'],
  UpdateSipMediaApplication: ['iam:CreateServiceLinkedRole'],
  CreateMediaCapturePipeline: ['iam:PassRole'],
  CreateMediaInsightsPipelineConfiguration: ['iam:PassRole', 'iam:PassRole'],
  UpdateMediaInsightsPipelineConfiguration: ['iam:PassRole', 'iam:PassRole'],
};

const POOL = `arn:aws:chime:us-east-1:${ACCOUNT}:media-pipeline-kinesis-video-stream-pool/pool`;

/** Sample identifiers, which cannot be mistaken for a part of an ARN. */
const IDENTIFIERS = /^(?:VoiceConnectorId|VoiceConnectorGroupId|SipMediaApplicationId|VoiceProfileDomainId|VoiceProfileId|Identifier)$/;

function inputOf(service: Service, operation: OperationModel): object {
  const model = loadModel(service);
  const form = { timestamp: (ms: number) => new Date(ms), milliseconds: 0, blob: (bytes: Uint8Array) => bytes, elements: 2 };
  const valid = operation.input === undefined ? {} : sample(model, { shape: operation.input }, form);
  assert.ok(valid !== undefined, `${operation.name} has no sample`);
  const text = JSON.stringify(withCanonicalArns(model, operation, valid));
  return JSON.parse(text, (member, value) => {
    if (IDENTIFIERS.test(member)) return 'Id';
    if (member === 'SinkArn' && operation.name === 'CreateMediaStreamPipeline') return POOL;
    if (/RoleArn$/.test(member)) return `arn:aws:iam::${ACCOUNT}:role/path/name`;
    if (member === 'Tags') return [{ Key: 'Team', Value: 'blue' }];
    return member === 'TagKeys' ? ['Team'] : value;
  });
}

/** Returns a pattern for ARNs of a format of the reference: `arn:${Partition}:chime:${Region}:${AccountId}:vc/${VoiceConnectorId}`. */
const patternOf = (arnFormat: string) =>
  new RegExp(`^${arnFormat.replaceAll(/[.*+?^()|[\]\\]/g, '\\$&').replaceAll(/\$\{\w+\}/g, '[^:/]+')}$`);

/** Resource types whose resources have tags. No media pipeline exists, so none has tags. */
const TAGGED = new Set(
  (resourceTypesOf('chime') ?? [])
    .filter(({ name, conditionKeys }) => name !== 'media-pipeline' && conditionKeys.some((key) => key.startsWith('aws:ResourceTag/')))
    .map(({ name }) => name),
);

for (const service of Object.keys(TABLES) as readonly Service[]) {
  const opened = openOperations(TABLES[service] as never);
  const withRoles = openOperations(withPassedRoles(service, TABLES[service] as never) as never);
  type Requires = (name: string, input: object, as?: { readonly profile: 'classic' }) => Promise<readonly ResolvedAccess[]>;

  for (const operation of Object.values(loadModel(service).operations)) {
    const { name } = operation;
    const action = actionName(service, name);

    test(`Authorization: ${service} ${name} requires what the reference lists`, async () => {
      const reference = actionOf('chime', name) ?? assert.fail(`the reference has no ${name}`);
      const input = inputOf(service, operation);
      const [own, ...further] = await ((await withRoles).requiredAccess as Requires)(name, input);
      assert.equal(own?.action, action);
      const { resources = [], context = {}, tags = [] } = own ?? {};
      assert.ok(resources.length > 0, 'no resource');

      const { resourceTypes } = reference;
      const typesOf = (arn: string) => resourceTypes.filter(({ arnFormat }) => patternOf(arnFormat).test(arn));
      if (resourceTypes.length === 0) {
        assert.deepEqual(resources, [name in OWN_TYPES ? `arn:aws:chime:us-east-1:${ACCOUNT}:${OWN_TYPES[name]}` : '*']);
      } else {
        for (const arn of resources) assert.equal(typesOf(arn).length, 1, `${arn} has none of the types of the reference`);
        for (const { type, required } of resourceTypes)
          assert.ok(!required || resources.some((arn) => typesOf(arn)[0]?.type === type), `no resource of the type ${type}`);
        // A resource that can have tags is checked with its own. The tags are undefined, because the store is empty.
        const expected = resources.every((arn) => TAGGED.has(typesOf(arn)[0]?.type ?? '')) ? resources.map(() => undefined) : [];
        assert.deepEqual(tags, expected, 'tags of the resources');
      }

      const keys = new Set(reference.conditionKeys.map((key) => key.replace(/\$\{TagKey\}$/, 'Team').toLowerCase()));
      keys.delete('aws:resourcetag/team');
      assert.deepEqual(new Set(Object.keys(context).map((key) => key.toLowerCase())), keys, 'condition keys');

      const tagging = 'Tags' in input && name !== 'TagResource' ? ['chime:TagResource'] : [];
      assert.deepEqual(
        further.map((each) => each.action),
        [...tagging, ...(FURTHER[name] ?? [])],
      );
    });

    test(`Authorization: in the older service chime, ${service} ${name} requires ${action} on * without tags (CHM-1, TAG-2)`, async () => {
      const all = await ((await opened).requiredAccess as Requires)(name, inputOf(service, operation), { profile: 'classic' });
      const chime = all.filter((each) => each.action.startsWith('chime:'));
      assert.deepEqual(chime, [{ action, resources: ['*'], context: {}, tags: [] }]);
    });
  }
}

test('Authorization: the tables name only operations of the models', () => {
  const names = new Set(Object.values(TABLES).flatMap((table) => Object.keys(table)));
  assert.deepEqual(
    [...Object.keys(OWN_TYPES), ...Object.keys(FURTHER)].filter((name) => !names.has(name)),
    [],
  );
});

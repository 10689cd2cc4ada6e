/**
 * Media pipelines of meetings and calls, and the voice analysis of their audio. Meetings and calls carry no media through
 * this server, so no pipeline can be created.
 */
import { arn } from '#core/arn.ts';
import type { ChimeSdkMediaPipelinesApi } from '#model/generated/chime-sdk-media-pipelines.ts';
import { onNew, requireTags, type Tag } from '../chime-kit/tags.ts';
import { requireLinkedRole } from '../iam/service-linked-roles.ts';
import { type Refused, refused } from '../kit/not-yet.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { arnIn, find, type Kind } from '../kit/resource-kind.ts';
import { tagValues } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { CONFIGURATION, POOL } from './kinds.ts';
import { requireTagCount } from './tags.ts';

type Api = ChimeSdkMediaPipelinesApi;
type Input<Name extends keyof Api> = Api[Name]['input'];

/** Input of an operation that creates a pipeline. */
interface NewPipeline {
  readonly Tags?: readonly Tag[];
}

/**
 * The operations on pipelines and their tasks. Only the lists can succeed, and they are empty.
 *
 * Source: chime-sdk-media-pipelines 2021-07-15. Service authorization reference: the resource types of the actions. The
 * tasks require the action on the pipeline.
 * Assumed: (1) A pipeline cannot be created with ForbiddenException, because clients repeat a request after 503. (2) The
 * wording of the messages. (3) The meeting of a pipeline is not checked.
 */
export const pipelineOperations = {
  CreateMediaCapturePipeline: withoutMedia(onNewPipeline, requirePipelineRole),
  CreateMediaConcatenationPipeline: withoutMedia(onNewPipeline, requirePipelineRole),
  CreateMediaLiveConnectorPipeline: withoutMedia(onNewPipeline, requirePipelineRole),

  /** Also checks the pools. @throws NotFoundException  a pool does not exist */
  CreateMediaStreamPipeline: withoutMedia<Input<'CreateMediaStreamPipeline'>>(
    ({ Sinks, Tags }, caller) =>
      onExisting(
        caller,
        POOL,
        Sinks.map(({ SinkArn }) => SinkArn),
        Tags,
      ),
    async (call, { Sinks }) => {
      await requirePipelineRole(call);
      for (const { SinkArn } of Sinks) await requireExisting(call, POOL, SinkArn);
    },
  ),

  /**
   * Requires no service-linked role. Assumed: the pipeline uses only the role of its configuration.
   * @throws NotFoundException  the configuration does not exist
   */
  CreateMediaInsightsPipeline: withoutMedia<Input<'CreateMediaInsightsPipeline'>>(
    ({ MediaInsightsPipelineConfigurationArn, Tags }, caller) =>
      onExisting(caller, CONFIGURATION, [MediaInsightsPipelineConfigurationArn], Tags),
    (call, { MediaInsightsPipelineConfigurationArn }) => requireExisting(call, CONFIGURATION, MediaInsightsPipelineConfigurationArn),
  ),

  ListMediaCapturePipelines: { access: onAllPipelines, handle: async () => ({ MediaCapturePipelines: [] }) },
  ListMediaPipelines: { access: onAllPipelines, handle: async () => ({ MediaPipelines: [] }) },

  GetMediaCapturePipeline: onMissingPipeline('MediaPipelineId'),
  DeleteMediaCapturePipeline: onMissingPipeline('MediaPipelineId'),
  GetMediaPipeline: onMissingPipeline('MediaPipelineId'),
  DeleteMediaPipeline: onMissingPipeline('MediaPipelineId'),
  UpdateMediaInsightsPipelineStatus: onMissingPipeline('Identifier'),

  StartSpeakerSearchTask: onMissingPipeline('Identifier'),
  GetSpeakerSearchTask: onMissingPipeline('Identifier'),
  StopSpeakerSearchTask: onMissingPipeline('Identifier'),
  StartVoiceToneAnalysisTask: onMissingPipeline('Identifier'),
  GetVoiceToneAnalysisTask: onMissingPipeline('Identifier'),
  StopVoiceToneAnalysisTask: onMissingPipeline('Identifier'),
} satisfies Partial<ServiceOperations<Api>>;

/**
 * Returns the declaration of an operation that creates a pipeline.
 *
 * @throws BadRequestException  invalid tags
 * @throws AwsError             errors of `check`
 * @throws ForbiddenException   otherwise
 */
function withoutMedia<Of extends NewPipeline>(
  access: (input: Of, caller: Caller) => readonly DeclaredAccess[],
  check: (call: Call, input: Of) => Promise<void>,
): Refused<Of> {
  return refused({
    access,
    async handle(call, input) {
      requireTags(input.Tags ?? []);
      requireTagCount(input.Tags);
      await check(call, input);
      throw new AwsError(
        'ForbiddenException',
        'Meetings and calls carry no media through this server, so it cannot create a media pipeline.',
      );
    },
  });
}

/**
 * Returns the declaration of an operation on a pipeline or a task of a pipeline. `member` has the ID or the ARN of the
 * pipeline.
 *
 * @throws NotFoundException  always, because no pipeline exists
 */
function onMissingPipeline<Member extends 'MediaPipelineId' | 'Identifier'>(member: Member) {
  return refused<{ readonly [Name in Member]: string }>({
    access: ({ [member]: identifier }, caller) => ({
      resources: [caller.profile === 'classic' ? '*' : identifier.startsWith('arn:') ? identifier : pipelineArn(caller, identifier)],
    }),
    async handle(_, { [member]: identifier }) {
      throw CONFIGURATION.conventions.notFound('Media pipeline', identifier);
    },
  });
}

/**
 * Checks the service-linked role of media pipelines.
 *
 * Requirement SLR-18. Source: Chime SDK Developer Guide, "Understanding media pipeline creation": the role is created first.
 * @throws ForbiddenException  the account does not have the role
 */
function requirePipelineRole(call: Call): Promise<void> {
  return requireLinkedRole(call, 'mediapipelines.chime.amazonaws.com');
}

function pipelineArn({ region, accountId }: Caller, id: string): string {
  return arn('chime', region, accountId, `media-pipeline/${id}`);
}

function onAllPipelines(_: object, caller: Caller): DeclaredAccess {
  return { resources: [caller.profile === 'classic' ? '*' : pipelineArn(caller, '*')] };
}

function onNewPipeline({ Tags }: NewPipeline, caller: Caller): readonly DeclaredAccess[] {
  return onNew(caller, pipelineArn(caller, '*'), Tags);
}

/**
 * Requires the action on the resources that a new pipeline uses, with the tags of the request in the condition context. If
 * the request has tags, also requires `chime:TagResource` for the new pipeline.
 */
function onExisting(
  caller: Caller,
  kind: Kind<unknown>,
  arns: readonly string[],
  tags: readonly Tag[] | undefined,
): readonly DeclaredAccess[] {
  const [create, ...further] = onNewPipeline(tags === undefined ? {} : { Tags: tags }, caller) as readonly [DeclaredAccess];
  if (caller.profile === 'classic') return [create];
  return [
    {
      ...create,
      resources: arns.map((Identifier) => arnIn(kind, caller, { Identifier })),
      resourceTags: (tx) =>
        Promise.all(
          arns.map(async (Identifier) => {
            const found = await find(tx, caller, kind, { Identifier });
            return found && tagValues(found.tags);
          }),
        ),
    },
    ...further,
  ];
}

/** Checks that a resource exists. The message omits the ARN, because the model marks it as sensitive. @throws NotFoundException */
async function requireExisting(call: Call, kind: Kind<unknown>, Identifier: string): Promise<void> {
  if ((await find(call.tx, call, kind, { Identifier })) === undefined) throw new AwsError('NotFoundException', `${kind.title} not found`);
}

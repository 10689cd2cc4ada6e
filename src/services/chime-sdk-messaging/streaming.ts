import { parseArn } from '#core/arn.ts';
import type { ChimeSdkMessagingApi, StreamingConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceKey } from '#store/resources.ts';
import { findAppInstance, inAppInstance } from '../chime-kit/app-instances.ts';
import { ensureLinkedRole, onLinkedRole } from '../iam/service-linked-roles.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import { AwsError } from './errors.ts';
import { STREAMING } from './kinds.ts';
import { missing } from './stored-channels.ts';

const SERVICE = 'messaging.chime.amazonaws.com';
/** Source: Chime SDK Developer Guide, "Streaming messaging data": names of streams start with this prefix. */
const STREAM = 'stream/chime-messaging-';

interface OfAppInstance {
  readonly AppInstanceArn: string;
}

/**
 * Streams of the messaging data of an app instance. This server stores the configuration and streams nothing.
 *
 * Source: chime-sdk-messaging 2021-05-15, PutMessagingStreamingConfigurations and related operations.
 */
export const streamingOperations = {
  /**
   * Replaces the configurations. Creates the service-linked role of messaging if it does not exist. In that case the
   * caller needs `iam:CreateServiceLinkedRole`. Requirements SLR-6, SLR-15.
   *
   * @throws NotFoundException   the app instance does not exist
   * @throws BadRequestException a data type occurs twice, or a stream is invalid
   * @throws ForbiddenException  an ordinary role has the name of the service-linked role
   */
  PutMessagingStreamingConfigurations: {
    access: (input, caller) => [onAppInstance(input, caller), onLinkedRole(caller, SERVICE)],
    async handle(call, { AppInstanceArn, StreamingConfigurations }) {
      const key = await streamingKey(call, 'PutMessagingStreamingConfigurations', AppInstanceArn);
      requireStreams(call, StreamingConfigurations);
      if ((await ensureLinkedRole(call, SERVICE)) === 'taken') {
        throw new AwsError(
          'ForbiddenException',
          `Unable to create service linked role for ${SERVICE}: its name has been taken in this account.`,
        );
      }
      const { tx, now } = call;
      const streaming = { ...key, createdAt: now, updatedAt: now, tags: [], document: StreamingConfigurations };
      if ((await tx.resources.put(STREAMING, streaming)) === 'absent') await tx.resources.add(STREAMING, streaming);
      return { StreamingConfigurations };
    },
  },

  /** @throws NotFoundException the app instance does not exist, or has no streaming configurations */
  GetMessagingStreamingConfigurations: {
    access: onAppInstance,
    async handle(call, { AppInstanceArn }) {
      const operation = 'GetMessagingStreamingConfigurations';
      const streaming = await call.tx.resources.get(STREAMING, await streamingKey(call, operation, AppInstanceArn));
      if (streaming === undefined) throw missing(operation, `App instance '${AppInstanceArn}' does not have streaming configurations.`);
      return { StreamingConfigurations: streaming.document };
    },
  },

  /** Assumed: deleting absent configurations succeeds. @throws ForbiddenException the app instance does not exist */
  DeleteMessagingStreamingConfigurations: {
    access: onAppInstance,
    async handle(call, { AppInstanceArn }) {
      await call.tx.resources.remove(STREAMING, await streamingKey(call, 'DeleteMessagingStreamingConfigurations', AppInstanceArn));
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeSdkMessagingApi>>;

function onAppInstance({ AppInstanceArn }: OfAppInstance, caller: Caller): DeclaredAccess {
  return onArns(caller, AppInstanceArn);
}

/**
 * Returns the key of the configurations of an app instance.
 *
 * @throws AwsError the error that `missing` returns: the app instance does not exist
 */
async function streamingKey(call: Call, operation: keyof ChimeSdkMessagingApi, appInstanceArn: string): Promise<ResourceKey> {
  const appInstance = await findAppInstance(call.tx, call, appInstanceArn);
  if (appInstance === undefined) throw missing(operation, `App instance '${appInstanceArn}' does not exist.`);
  return { ...inAppInstance(call, ''), id: appInstance.id };
}

/**
 * Checks the streams of a request.
 *
 * Source: Chime SDK Developer Guide, "Streaming messaging data": the stream is in the account and region of the app
 * instance.
 * Assumed: the wording of the error messages.
 */
function requireStreams({ accountId, region }: Call, configurations: readonly StreamingConfiguration[]): void {
  if (new Set(configurations.map(({ DataType }) => DataType)).size < configurations.length) {
    throw new AwsError('BadRequestException', 'Each streaming configuration must have a different DataType.');
  }
  for (const { ResourceArn } of configurations) {
    const parts = parseArn(ResourceArn);
    const isHere = parts?.accountId === accountId && parts.region === region;
    if (!isHere || parts.service !== 'kinesis' || !parts.resource.startsWith(STREAM)) {
      throw new AwsError(
        'BadRequestException',
        `Invalid stream '${ResourceArn}'. It must be a Kinesis stream of the account and region, with a name that starts with chime-messaging-.`,
      );
    }
  }
}

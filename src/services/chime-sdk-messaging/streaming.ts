import { parseArn } from '#core/arn.ts';
import type { ChimeSdkMessagingApi, StreamingConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceKind, ResourceRecord } from '#store/resources.ts';
import { type AppInstanceDocument, findAppInstance, inAppInstance } from '../chime/app-instances.ts';
import { ensureLinkedRole, onLinkedRole } from '../iam/service-linked-roles.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import { AwsError } from './errors.ts';
import { missing } from './found.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;

/** Where an app instance streams its messaging data: its id is that of the app instance. */
export const STREAMING: ResourceKind<readonly StreamingConfiguration[]> = { name: 'messaging-streaming-configurations' };

const SERVICE = 'messaging.chime.amazonaws.com';
/** Source: Chime SDK Developer Guide, "Streaming messaging data": the name of the stream must begin so. */
const STREAM = 'stream/chime-messaging-';

/**
 * Where messaging data is streamed to. The choice is kept; there are no streams to write to, and nothing is streamed.
 *
 * Source: chime-sdk-messaging 2021-05-15, PutMessagingStreamingConfigurations and its like.
 */
export function streamingOperations(): Pick<
  Operations,
  'PutMessagingStreamingConfigurations' | 'GetMessagingStreamingConfigurations' | 'DeleteMessagingStreamingConfigurations'
> {
  const onAppInstance = onArns<{ readonly AppInstanceArn: string }>;
  return {
    /**
     * Makes the service-linked role of messaging where there is none, with the caller's own permission. Requirements SLR-6, SLR-15.
     *
     * @throws NotFoundException   no such app instance
     * @throws BadRequestException a type of data twice, or a stream that cannot be
     * @throws ForbiddenException  people have made a role of the service-linked role's name
     */
    PutMessagingStreamingConfigurations: {
      access: (input, caller) => [
        onAppInstance('PutMessagingStreamingConfigurations', ({ AppInstanceArn }) => [AppInstanceArn])(input, caller),
        onLinkedRole(caller, SERVICE),
      ],
      async handle(call, input) {
        const appInstance = await appInstanceOrMissing(call, 'PutMessagingStreamingConfigurations', input.AppInstanceArn);
        requireStreams(call, input.StreamingConfigurations);
        const made = await ensureLinkedRole(call, SERVICE);
        if (made === 'taken') {
          throw new AwsError(
            'ForbiddenException',
            `Unable to create service linked role for ${SERVICE}: its name has been taken in this account.`,
          );
        }
        const { tx, now } = call;
        const key = { ...inAppInstance(call, ''), id: appInstance.id };
        const streaming = { ...key, createdAt: now, updatedAt: now, tags: [], document: input.StreamingConfigurations };
        if ((await tx.resources.put(STREAMING, streaming)) === 'absent') await tx.resources.add(STREAMING, streaming);
        return { StreamingConfigurations: input.StreamingConfigurations };
      },
    },

    /** @throws NotFoundException no such app instance, or it has none */
    GetMessagingStreamingConfigurations: {
      access: onAppInstance('GetMessagingStreamingConfigurations', ({ AppInstanceArn }) => [AppInstanceArn]),
      async handle(call, input) {
        const { id } = await appInstanceOrMissing(call, 'GetMessagingStreamingConfigurations', input.AppInstanceArn);
        const streaming = await call.tx.resources.get(STREAMING, { ...inAppInstance(call, ''), id });
        if (streaming === undefined) {
          throw missing('GetMessagingStreamingConfigurations', `App instance ${input.AppInstanceArn} has no streaming configurations.`);
        }
        return { StreamingConfigurations: streaming.document };
      },
    },

    /** Assumed: that there are none is no error. @throws ForbiddenException no such app instance */
    DeleteMessagingStreamingConfigurations: {
      access: onAppInstance('DeleteMessagingStreamingConfigurations', ({ AppInstanceArn }) => [AppInstanceArn]),
      async handle(call, input) {
        const { id } = await appInstanceOrMissing(call, 'DeleteMessagingStreamingConfigurations', input.AppInstanceArn);
        await call.tx.resources.remove(STREAMING, { ...inAppInstance(call, ''), id });
        return {};
      },
    },
  };
}

async function appInstanceOrMissing(
  call: Call,
  operation: keyof ChimeSdkMessagingApi,
  appInstanceArn: string,
): Promise<ResourceRecord<AppInstanceDocument>> {
  const appInstance = await findAppInstance(call.tx, call, appInstanceArn);
  if (appInstance === undefined) throw missing(operation, `App instance ${appInstanceArn} does not exist.`);
  return appInstance;
}

/** Assumed: streams are of the account that is called; the texts. */
function requireStreams({ accountId }: Call, configurations: readonly StreamingConfiguration[]): void {
  if (new Set(configurations.map(({ DataType }) => DataType)).size < configurations.length) {
    throw new AwsError('BadRequestException', 'Streaming configurations differ in DataType.');
  }
  for (const { ResourceArn } of configurations) {
    const parts = parseArn(ResourceArn);
    if (parts?.service !== 'kinesis' || parts.accountId !== accountId || !parts.resource.startsWith(STREAM)) {
      throw new AwsError(
        'BadRequestException',
        `${ResourceArn} is no Kinesis stream of the account whose name begins with chime-messaging-.`,
      );
    }
  }
}

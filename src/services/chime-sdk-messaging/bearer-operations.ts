/**
 * Operations that a caller performs on behalf of a bearer, the user or bot in `x-amz-chime-bearer`. They start with the
 * check of the bearer's role.
 */
import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { Call, DeclaredOperation, ServiceOperations } from '../kit/operation.ts';
import { onBearer, onChannel } from './access.ts';
import { type About, type Admitted, type AdmittedBearer, admit, admitToAppInstance, type Bearer } from './admit.ts';
import type { BearerOperation } from './roles.ts';
import type { ChannelRecord } from './tables/channels.ts';

type Api = ChimeSdkMessagingApi;
type Operations = ServiceOperations<Api>;

/** Operations of a bearer in a channel. */
export type ChannelOperation = {
  [Name in BearerOperation]: Api[Name]['input'] extends { readonly ChannelArn: string } ? Name : never;
}[BearerOperation];

/** Operations of a bearer in its app instance. */
export type AppInstanceOperation = Exclude<BearerOperation, ChannelOperation>;

/** Declaration of an operation of a bearer in a channel. */
interface InChannel<Input, Output> {
  /** Permissions. Default: the operation's action on the bearer and the channel. */
  readonly access?: DeclaredOperation<Input, Output>['access'];
  /** Returns facts about the input that the bearer's rights depend on. Default: none. */
  readonly about?: (call: Call, input: Input, channel: ChannelRecord, bearer: Bearer) => About | Promise<About>;
  /**
   * True if a bearer that is in any sub-channel counts as a member of the channel. By default, if the input names a
   * sub-channel, only a bearer in this sub-channel counts as a member.
   */
  readonly inAnySubChannel?: true;
  readonly handle: (call: Call, input: Input, admitted: Admitted) => Promise<Output>;
}

/** Declaration of an operation of a bearer in its app instance. */
interface InAppInstance<Input, Output> {
  /** Permissions. Default: the operation's action on the bearer. */
  readonly access?: DeclaredOperation<Input, Output>['access'];
  /** Returns facts about the input that the bearer's rights depend on. Default: none. */
  readonly about?: (input: Input, bearer: Bearer) => Partial<About & { readonly public: boolean }>;
  readonly handle: (call: Call, input: Input, admitted: AdmittedBearer) => Promise<Output>;
}

/**
 * Returns operations of a bearer in a channel. `admit` runs before each handler, so the errors of `admit` come first.
 *
 *     inChannel({ DescribeChannel: { handle: async ({ tx }, _, { channel }) => ({ Channel: await toChannel(tx, channel) }) } })
 */
export function inChannel<Names extends ChannelOperation>(
  declared: {
    readonly [Name in Names]: InChannel<Api[Name]['input'], Api[Name]['output']>;
  },
): Pick<Operations, Names> {
  type Input = Api[ChannelOperation]['input'];
  return mapEntries<InChannel<Input, unknown>, DeclaredOperation<Input, unknown>>(
    declared,
    (name, { access = onChannel, about, inAnySubChannel, handle }) => ({
      access,
      async handle(call, input) {
        const { ChimeBearer, ChannelArn } = input;
        const here = inAnySubChannel ? { ChimeBearer, ChannelArn } : input;
        const admitted = await admit(call, name, here, (channel, bearer) => about?.(call, input, channel, bearer) ?? {});
        return handle(call, input, admitted);
      },
    }),
  ) as Pick<Operations, Names>;
}

/**
 * Returns operations of a bearer in its app instance. `admitToAppInstance` runs before each handler, so the errors of
 * `admitToAppInstance` come first.
 */
export function inOwnAppInstance<Names extends AppInstanceOperation>(
  declared: {
    readonly [Name in Names]: InAppInstance<Api[Name]['input'], Api[Name]['output']>;
  },
): Pick<Operations, Names> {
  type Input = Api[AppInstanceOperation]['input'];
  return mapEntries<InAppInstance<Input, unknown>, DeclaredOperation<Input, unknown>>(
    declared,
    (name, { access = onBearer, about, handle }) => ({
      access,
      async handle(call, input) {
        return handle(call, input, await admitToAppInstance(call, name, input, (bearer) => about?.(input, bearer) ?? {}));
      },
    }),
  ) as Pick<Operations, Names>;
}

function mapEntries<From, To>(declared: object, convert: (name: BearerOperation, value: From) => To): object {
  return Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, convert(name as BearerOperation, value as From)]));
}

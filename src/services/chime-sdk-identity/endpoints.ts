import { parseArn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  AppInstanceUserEndpointSummary,
  ChimeSdkIdentityApi,
  EndpointAttributes,
  EndpointState,
} from '#model/generated/chime-sdk-identity.ts';
import { APP_INSTANCE_USER_ENDPOINT, memberArn } from '../chime/app-instances.ts';
import { pageOf } from '../chime/page.ts';
import { once } from '../kit/once.ts';
import type { Access, Call, Caller, ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { type EndpointRecord, endpointIdOf, endpointKey, listEndpoints, openAttributes, sealAttributes } from './endpoint-records.ts';
import { forbidden, limitExceeded, userOrForbidden } from './found.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

/** An endpoint, as requests name it. */
interface Named {
  readonly AppInstanceUserArn: string;
  readonly EndpointId: string;
}

/**
 * Devices of users, to be told of messages through Amazon Pinpoint. There is no Pinpoint here: what is registered is kept, and nothing
 * is sent to it.
 *
 * Source: chime-sdk-identity 2021-04-20, RegisterAppInstanceUserEndpoint … ListAppInstanceUserEndpoints. Requirement LOG-4: device tokens are
 * sealed at rest, and given to who may describe the endpoint.
 */
export function endpointOperations({
  limits,
  vault,
}: IdentityDeps): Pick<
  Operations,
  | 'RegisterAppInstanceUserEndpoint'
  | 'DescribeAppInstanceUserEndpoint'
  | 'UpdateAppInstanceUserEndpoint'
  | 'DeregisterAppInstanceUserEndpoint'
  | 'ListAppInstanceUserEndpoints'
> {
  return {
    /**
     * Registers an endpoint of a user, or answers with the one this token registered.
     *
     * Source: Chime SDK Developer Guide, "Register a mobile device endpoint as an App Instance user": the caller must be allowed
     * mobiletargeting:GetApp on the Pinpoint project. Requirement EVAL-9.
     * Assumed: without AllowMessages it is ALL; the same device may be registered twice.
     * @throws ForbiddenException             no such user
     * @throws ConflictException              the token registered another endpoint
     * @throws ResourceLimitExceededException the user has as many endpoints as one may
     */
    RegisterAppInstanceUserEndpoint: {
      access: (input, caller) => [
        onUser('chime:RegisterAppInstanceUserEndpoint')(input, caller),
        onArns(caller, 'mobiletargeting:GetApp', input.ResourceArn),
      ],
      async handle(call, input) {
        const { tx, now } = call;
        const { AppInstanceUserArn } = input;
        const user = await userOrForbidden(call, AppInstanceUserArn);
        const isThere = async (id: string) => (await tx.resources.get(APP_INSTANCE_USER_ENDPOINT, endpointKey(user, id))) !== undefined;
        const EndpointId = await once(call, 'chime:RegisterAppInstanceUserEndpoint', input, isThere, async () => {
          if ((await listEndpoints(tx, user, limits.endpoints)).length >= limits.endpoints) {
            throw limitExceeded('endpoints of a user', limits.endpoints);
          }
          const { Name: name, Type: type, ResourceArn: resourceArn, AllowMessages: allowMessages = 'ALL', EndpointAttributes } = input;
          const endpointId = call.newId();
          const key = endpointKey(user, endpointId);
          const sealedAttributes = sealAttributes<EndpointAttributes>(vault, key, EndpointAttributes);
          const document = omitUndefined({ name, type, resourceArn, allowMessages, sealedAttributes });
          await tx.resources.add(APP_INSTANCE_USER_ENDPOINT, { ...key, createdAt: now, updatedAt: now, tags: [], document });
          return endpointId;
        });
        return { AppInstanceUserArn, EndpointId };
      },
    },

    /** @throws ForbiddenException no such user, or no such endpoint of it */
    DescribeAppInstanceUserEndpoint: {
      access: onUser('chime:DescribeAppInstanceUserEndpoint'),
      async handle(call, input) {
        const { AppInstanceUserArn } = input;
        const endpoint = await endpointOrForbidden(call, input);
        const { createdAt: CreatedTimestamp, updatedAt: LastUpdatedTimestamp } = endpoint;
        return {
          AppInstanceUserEndpoint: {
            ...toSummary(AppInstanceUserArn, endpoint),
            ResourceArn: endpoint.document.resourceArn,
            EndpointAttributes: openAttributes<EndpointAttributes>(vault, endpoint),
            CreatedTimestamp,
            LastUpdatedTimestamp,
          },
        };
      },
    },

    /** Changes what is given, and leaves the rest. @throws ForbiddenException no such user, or no such endpoint of it */
    UpdateAppInstanceUserEndpoint: {
      access: onUser('chime:UpdateAppInstanceUserEndpoint'),
      async handle(call, input) {
        const { AppInstanceUserArn, EndpointId, Name: name, AllowMessages: allowMessages } = input;
        const endpoint = await endpointOrForbidden(call, input);
        const document = { ...endpoint.document, ...omitUndefined({ name, allowMessages }) };
        await call.tx.resources.put(APP_INSTANCE_USER_ENDPOINT, { ...endpoint, updatedAt: call.now, document });
        return { AppInstanceUserArn, EndpointId };
      },
    },

    /** @throws ForbiddenException no such user, or no such endpoint of it */
    DeregisterAppInstanceUserEndpoint: {
      access: onUser('chime:DeregisterAppInstanceUserEndpoint'),
      async handle(call, input) {
        await call.tx.resources.remove(APP_INSTANCE_USER_ENDPOINT, await endpointOrForbidden(call, input));
        return {};
      },
    },

    /** In the order of ids. @throws ForbiddenException no such user · BadRequestException a token of another list */
    ListAppInstanceUserEndpoints: {
      access: onUser('chime:ListAppInstanceUserEndpoints'),
      async handle(call, input) {
        const user = await userOrForbidden(call, input.AppInstanceUserArn);
        const { things, rest } = await pageOf(
          `endpoints ${memberArn('user', user)}`,
          input,
          (limit, after) => listEndpoints(call.tx, user, limit, after),
          ({ id }) => id,
        );
        return { AppInstanceUserEndpoints: things.map((endpoint) => toSummary(input.AppInstanceUserArn, endpoint)), ...rest };
      },
    },
  };
}

function onUser(action: Access['action']): (input: Pick<Named, 'AppInstanceUserArn'>, caller: Caller) => Access {
  return (input, caller) => onArns(caller, action, input.AppInstanceUserArn);
}

async function endpointOrForbidden(call: Call, { AppInstanceUserArn, EndpointId }: Named): Promise<EndpointRecord> {
  const user = await userOrForbidden(call, AppInstanceUserArn);
  const endpoint = await call.tx.resources.get(APP_INSTANCE_USER_ENDPOINT, endpointKey(user, EndpointId));
  if (endpoint === undefined) throw forbidden('app instance user endpoint');
  return endpoint;
}

function toSummary(AppInstanceUserArn: string, endpoint: EndpointRecord): AppInstanceUserEndpointSummary {
  const { name, type, allowMessages, resourceArn } = endpoint.document;
  return omitUndefined({
    AppInstanceUserArn,
    EndpointId: endpointIdOf(endpoint),
    Name: name,
    Type: type,
    AllowMessages: allowMessages,
    EndpointState: stateOf(resourceArn),
  });
}

/**
 * Source: Chime SDK API reference, EndpointState: INVALID_PINPOINT_ARN says so of the ARN in `ResourceArn`.
 * Assumed: every ARN that has the form of a Pinpoint project's is valid, and every device token.
 */
function stateOf(resourceArn: string): EndpointState {
  const parts = parseArn(resourceArn);
  const isProject = parts?.service === 'mobiletargeting' && /^apps\/[^/]+$/.test(parts.resource);
  return isProject ? { Status: 'ACTIVE' } : { Status: 'INACTIVE', StatusReason: 'INVALID_PINPOINT_ARN' };
}

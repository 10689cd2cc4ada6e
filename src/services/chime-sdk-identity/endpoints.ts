import { parseArn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { EndpointAttributes, EndpointState, RegisterAppInstanceUserEndpointRequest } from '#model/generated/chime-sdk-identity.ts';
import type { Call } from '../kit/operation.ts';
import { resource } from '../kit/resource.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { endpointsOf, openAttributes, sealAttributes } from './endpoint-records.ts';
import { AwsError } from './errors.ts';
import { ENDPOINTS, USERS } from './kinds.ts';

/**
 * Devices of users, for push notifications of messages through Amazon Pinpoint. This server stores them. It has no Pinpoint and
 * sends no notifications. Requirement LOG-4: device tokens are sealed at rest, and DescribeAppInstanceUserEndpoint returns them.
 *
 * Source: chime-sdk-identity 2021-04-20, RegisterAppInstanceUserEndpoint … ListAppInstanceUserEndpoints. Chime SDK Developer Guide,
 * "Register a mobile device endpoint as an App Instance user": the caller must be allowed mobiletargeting:GetApp on the Pinpoint project.
 * Requirement EVAL-9.
 * Assumed: AllowMessages is ALL by default.
 */
export function endpointOperations({ limits, vault }: IdentityDeps) {
  /**
   * Source: aws/amazon-chime-sdk-ios issue 594: ConflictException for a device that is registered.
   * Assumed: either device token identifies the device; several users may register it; the message.
   */
  async function requireNewDevice(call: Call, { input }: { readonly input: RegisterAppInstanceUserEndpointRequest }): Promise<void> {
    const user = await findOrThrow(call, USERS, { AppInstanceUserArn: input.AppInstanceUserArn });
    const { DeviceToken, VoipDeviceToken } = input.EndpointAttributes;
    for (const endpoint of await endpointsOf(call.tx, user, limits.endpoints)) {
      const present = openAttributes<EndpointAttributes>(vault, endpoint);
      if (present.DeviceToken === DeviceToken || (VoipDeviceToken !== undefined && present.VoipDeviceToken === VoipDeviceToken)) {
        throw new AwsError('ConflictException', 'The user already has an endpoint with this device token.');
      }
    }
  }

  return resource(ENDPOINTS, {
    limit: { most: limits.endpoints, per: 'parent', title: 'endpoints of a user' },
    computed: {
      EndpointAttributes: (endpoint) => openAttributes<EndpointAttributes>(vault, endpoint),
      EndpointState: ({ document }) => stateOf(document.ResourceArn),
    },
    create: {
      operation: 'RegisterAppInstanceUserEndpoint',
      also: ({ ResourceArn }, caller) => [{ action: 'mobiletargeting:GetApp', ...onArns(caller, ResourceArn) }],
      document: (_, { Name, Type, ResourceArn, AllowMessages = 'ALL', EndpointAttributes }, key) =>
        omitUndefined({ Name, Type, ResourceArn, AllowMessages, sealedAttributes: sealAttributes(vault, key, EndpointAttributes) }),
      guard: [requireNewDevice],
    },
    read: { operation: 'DescribeAppInstanceUserEndpoint' },
    update: { operation: 'UpdateAppInstanceUserEndpoint' },
    delete: { operation: 'DeregisterAppInstanceUserEndpoint' },
    list: { operation: 'ListAppInstanceUserEndpoints' },
  });
}

/**
 * Source: Chime SDK API reference, EndpointState: INVALID_PINPOINT_ARN refers to the ARN in `ResourceArn`.
 * Assumed: every ARN in the format of a Pinpoint project is valid, and so is every device token.
 */
function stateOf(resourceArn: string): EndpointState {
  const parts = parseArn(resourceArn);
  const isProject = parts?.service === 'mobiletargeting' && /^apps\/[^/]+$/.test(parts.resource);
  return isProject ? { Status: 'ACTIVE' } : { Status: 'INACTIVE', StatusReason: 'INVALID_PINPOINT_ARN' };
}

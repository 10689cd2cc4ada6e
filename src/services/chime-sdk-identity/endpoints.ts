import { omitUndefined } from '#core/omit-undefined.ts';
import type { RegisterAppInstanceUserEndpointRequest } from '#model/generated/chime-sdk-identity.ts';
import { endpointsOf, openAttributes, stateOf } from '../chime-kit/user-endpoints.ts';
import type { Call } from '../kit/operation.ts';
import { resource } from '../kit/resource.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { sealAttributes } from './endpoint-records.ts';
import { AwsError } from './errors.ts';
import { ENDPOINTS, USERS } from './kinds.ts';

/**
 * Devices of users, for push notifications of messages through the push endpoint of the operator, which takes the place of Amazon Pinpoint.
 * Requirement LOG-4: device tokens are stored encrypted, and DescribeAppInstanceUserEndpoint returns them.
 *
 * Source: chime-sdk-identity 2021-04-20, RegisterAppInstanceUserEndpoint … ListAppInstanceUserEndpoints. Chime SDK
 * Developer Guide, "Register a mobile device endpoint as an App Instance user": the caller must be allowed
 * mobiletargeting:GetApp on the Pinpoint project. Requirement EVAL-9.
 * Assumed: AllowMessages is ALL by default.
 */
export function endpointOperations({ limits, vault }: IdentityDeps) {
  /**
   * Checks that the user has not registered the device yet.
   *
   * Source: aws/amazon-chime-sdk-ios issue 594: ConflictException for a device that is registered.
   * Assumed: (1) Each of the two device tokens identifies the device. (2) Several users may register the same device.
   * (3) The wording of the error message.
   */
  async function requireNewDevice(call: Call, { input }: { readonly input: RegisterAppInstanceUserEndpointRequest }): Promise<void> {
    const user = await findOrThrow(call, USERS, { AppInstanceUserArn: input.AppInstanceUserArn });
    const { DeviceToken, VoipDeviceToken } = input.EndpointAttributes;
    for (const endpoint of await endpointsOf(call.tx, user, limits.endpoints)) {
      const present = openAttributes(vault, endpoint);
      if (present.DeviceToken === DeviceToken || (VoipDeviceToken !== undefined && present.VoipDeviceToken === VoipDeviceToken)) {
        throw new AwsError('ConflictException', 'The user already has an endpoint with this device token.');
      }
    }
  }

  return resource(ENDPOINTS, {
    limit: { most: limits.endpoints, per: 'parent', title: 'endpoints of a user' },
    computed: {
      EndpointAttributes: (endpoint) => openAttributes(vault, endpoint),
      EndpointState: ({ document }) => stateOf(document),
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

import type { ResourceKind } from '#store/resources.ts';
import { APP_INSTANCE_USER_COUNT } from '../chime-kit/app-instance-users.ts';
import {
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_ENDPOINT,
  inAppInstance,
} from '../chime-kit/app-instances.ts';
import type { IdentityEvent } from '../chime-kit/events.ts';
import { resource } from '../kit/resource.ts';
import { refuseChime } from './chime-owned.ts';
import type { IdentityDeps } from './deps.ts';
import { APP_INSTANCES } from './kinds.ts';

/**
 * Kinds of resources that DeleteAppInstance deletes with the app instance. Other services delete their data when they
 * receive the event AppInstanceDeleted.
 */
const IN_APP_INSTANCE: readonly ResourceKind<unknown>[] = [
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_USER_ENDPOINT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_COUNT,
  APP_INSTANCE_BOT,
];

/**
 * App instances. Several app instances may have the same name.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstance … ListAppInstances.
 * Assumed: (1) Empty metadata is stored. (2) The deletion includes the contents of the app instance. AWS deletes the
 * contents later.
 * Specific to Belfry: the app instance of Amazon Chime cannot be deleted, because people and rooms are in it.
 */
export function appInstanceOperations({ limits }: IdentityDeps) {
  return resource(APP_INSTANCES, {
    limit: { most: limits.appInstances, per: 'region', title: 'app instances in an account' },
    create: { operation: 'CreateAppInstance' },
    read: { operation: 'DescribeAppInstance' },
    update: { operation: 'UpdateAppInstance' },
    delete: {
      operation: 'DeleteAppInstance',
      guard: [refuseChime],
      async after(call, { id }, input) {
        const { tx, accountId, region } = call;
        for (const kind of IN_APP_INSTANCE) await tx.resources.removeAll(kind, inAppInstance(call, id));
        await call.emit<IdentityEvent>({ type: 'AppInstanceDeleted', accountId, region, appInstanceId: id, arn: input.AppInstanceArn });
      },
    },
    list: { operation: 'ListAppInstances' },
  });
}

import type { ResourceKind } from '#store/resources.ts';
import {
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_ENDPOINT,
  inAppInstance,
} from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { resource } from '../kit/resource.ts';
import type { IdentityDeps } from './deps.ts';
import { APP_INSTANCES } from './kinds.ts';
import { APP_INSTANCE_USER_COUNT } from './user-records.ts';

/** Kinds of resources that are deleted with their app instance. Subscribers of AppInstanceDeleted delete their own data. */
const IN_APP_INSTANCE: readonly ResourceKind<unknown>[] = [
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_USER_ENDPOINT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_COUNT,
  APP_INSTANCE_BOT,
];

/**
 * App instances. Several may have the same name.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstance … ListAppInstances.
 * Assumed: empty metadata is stored; the deletion is immediate, while AWS deletes the contents later.
 */
export function appInstanceOperations({ limits }: IdentityDeps) {
  return resource(APP_INSTANCES, {
    limit: { most: limits.appInstances, per: 'region', title: 'app instances in an account' },
    create: { operation: 'CreateAppInstance' },
    read: { operation: 'DescribeAppInstance' },
    update: { operation: 'UpdateAppInstance' },
    delete: {
      operation: 'DeleteAppInstance',
      async after(call, { id }, input) {
        const { tx, accountId, region } = call;
        for (const kind of IN_APP_INSTANCE) await tx.resources.removeAll(kind, inAppInstance(call, id));
        await call.emit<IdentityEvent>({ type: 'AppInstanceDeleted', accountId, region, appInstanceId: id, arn: input.AppInstanceArn });
      },
    },
    list: { operation: 'ListAppInstances' },
  });
}

import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import type { IdentityEvent } from '../chime/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { resource } from '../kit/resource.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { USERS } from './kinds.ts';
import { changeUserCount, countUsers, forgetUser, type UserRecord, userEvent } from './user-records.ts';

const DAY_MS = 24 * 60 * 60_000;

/**
 * Users of app instances. Their IDs are case-sensitive.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstanceUser … PutAppInstanceUserExpirationSettings. Chime SDK Developer Guide, "Creating an
 * AppInstanceUser": programs create a user at each login. So a request for an existing user returns that user.
 * Assumed: empty metadata is stored; a user with another name, metadata, expiration or tags than the request's is ConflictException.
 */
export function userOperations({ limits }: IdentityDeps) {
  return {
    ...resource(USERS, {
      limit: {
        most: limits.users,
        per: 'parent',
        title: 'users in an app instance',
        count: ({ tx }, { place }) => countUsers(tx, place),
      },
      create: {
        operation: 'CreateAppInstanceUser',
        /**
         * Source: Chime SDK Developer Guide, "Using ExpirationSettings": the caller needs the permission to put expiration settings.
         * Requirement EVAL-9.
         */
        also: ({ AppInstanceArn, AppInstanceUserId, ExpirationSettings }, caller) =>
          ExpirationSettings === undefined
            ? []
            : [{ action: 'chime:PutAppInstanceUserExpirationSettings', ...onArns(caller, `${AppInstanceArn}/user/${AppInstanceUserId}`) }],
        id: (_, { AppInstanceUserId }) => AppInstanceUserId,
        conflict: () => new AwsError('ConflictException', 'The app instance already has a different user with this ID.'),
        repeatable: true,
        record: withExpiration,
        after: ({ tx }, user) => changeUserCount(tx, user, 1),
      },
      read: { operation: 'DescribeAppInstanceUser' },
      update: { operation: 'UpdateAppInstanceUser' },
      delete: {
        operation: 'DeleteAppInstanceUser',
        async after(call, user) {
          await forgetUser(call.tx, user);
          await call.emit<IdentityEvent>(userEvent('AppInstanceUserDeleted', user));
        },
      },
      list: { operation: 'ListAppInstanceUsers' },
    }),

    /**
     * Sets the expiration of a user, counted from its creation. Without settings the user does not expire. An expired user exists until the
     * next sweep. Until then, a later expiration can prevent the deletion.
     *
     * Source: Chime SDK API reference, PutAppInstanceUserExpirationSettings.
     * Assumed: the user's own timestamp does not change.
     * @throws ForbiddenException the user does not exist
     */
    PutAppInstanceUserExpirationSettings: {
      access: onResource(USERS),
      async handle(call, { AppInstanceUserArn, ExpirationSettings }) {
        const before = await findOrThrow(call, USERS, { AppInstanceUserArn });
        const document = omitUndefined({ ...before.document, ExpirationSettings });
        await call.tx.resources.put(USERS, withExpiration({ ...before, document }));
        return omitUndefined({ AppInstanceUserArn, ExpirationSettings });
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkIdentityApi>>;
}

/** Returns a user that expires according to its settings. CREATED_TIMESTAMP is the only criterion in the model. */
function withExpiration({ expiresAt: _, ...user }: UserRecord): UserRecord {
  const { ExpirationSettings } = user.document;
  if (ExpirationSettings === undefined) return user;
  return { ...user, expiresAt: instant(user.createdAt + ExpirationSettings.ExpirationDays * DAY_MS) };
}

import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import { changeUserCount, countUsers } from '../chime-kit/app-instance-users.ts';
import type { IdentityEvent } from '../chime-kit/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { resource } from '../kit/resource.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { onArns } from './access.ts';
import { refuseChimeUser, refuseInChime } from './chime-owned.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { USERS } from './kinds.ts';
import { forgetUser, type UserRecord, userEvent } from './user-records.ts';

/**
 * Users of app instances. User IDs are case-sensitive.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstanceUser … PutAppInstanceUserExpirationSettings. Chime SDK
 * Developer Guide, "Creating an AppInstanceUser": programs create a user at each login. So a request for an existing
 * user returns that user.
 * Assumed: (1) Empty metadata is stored. (2) If the name, metadata, expiration or tags in a request differ from those
 * of the existing user, the error is ConflictException.
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
        guard: [(call, { input }) => refuseInChime(call, input.AppInstanceArn)],
        id: (_, { AppInstanceUserId }) => AppInstanceUserId,
        conflict: () => new AwsError('ConflictException', 'The app instance already has a different user with this ID.'),
        repeatable: true,
        record: withExpiration,
        after: ({ tx }, user) => changeUserCount(tx, user, 1),
      },
      read: { operation: 'DescribeAppInstanceUser' },
      update: { operation: 'UpdateAppInstanceUser', guard: [refuseChimeUser] },
      delete: {
        operation: 'DeleteAppInstanceUser',
        guard: [refuseChimeUser],
        async after(call, user) {
          await forgetUser(call.tx, user);
          await call.emit<IdentityEvent>(userEvent('AppInstanceUserDeleted', user));
        },
      },
      list: { operation: 'ListAppInstanceUsers' },
    }),

    /**
     * Sets after how many days a user expires, counted from the creation of the user. Without settings, the user does
     * not expire. An expired user exists until the next sweep. Until then, settings with a later expiration can prevent
     * the deletion.
     *
     * Source: Chime SDK API reference, PutAppInstanceUserExpirationSettings.
     * Assumed: the user's `LastUpdatedTimestamp` does not change.
     * @throws ForbiddenException the user does not exist, or is a person of Amazon Chime
     */
    PutAppInstanceUserExpirationSettings: {
      access: onResource(USERS),
      async handle(call, { AppInstanceUserArn, ExpirationSettings }) {
        const before = await findOrThrow(call, USERS, { AppInstanceUserArn });
        refuseChimeUser(call, { before });
        const document = omitUndefined({ ...before.document, ExpirationSettings });
        await call.tx.resources.put(USERS, withExpiration({ ...before, document }));
        return omitUndefined({ AppInstanceUserArn, ExpirationSettings });
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkIdentityApi>>;
}

/**
 * Returns the user record with `expiresAt` set from its expiration settings. The time counts from the creation, because
 * CREATED_TIMESTAMP is the only criterion in the model.
 */
function withExpiration({ expiresAt: _, ...user }: UserRecord): UserRecord {
  const { ExpirationSettings } = user.document;
  if (ExpirationSettings === undefined) return user;
  return { ...user, expiresAt: instant(user.createdAt + ExpirationSettings.ExpirationDays * DAY_MS) };
}

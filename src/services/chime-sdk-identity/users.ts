import { AwsError } from '#core/aws-error.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { AppInstanceUserSummary, ChimeSdkIdentityApi, ExpirationSettings } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import {
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_USER,
  type AppInstanceUserDocument,
  findUser,
  inAppInstance,
  memberArn,
} from '../app-instances.ts';
import { pageOf } from '../chime-page.ts';
import { onNew, requireTags, withTags } from '../chime-tags.ts';
import { given } from '../iam/given.ts';
import { once } from '../once.ts';
import type { ServiceOperations } from '../operation.ts';
import { onArns, requireArn } from './access.ts';
import type { IdentityDeps, IdentityEvent } from './deps.ts';
import { removeEndpoints } from './endpoint-records.ts';
import { appInstanceOrForbidden, requireRoom, userOrForbidden } from './found.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

const DAY_MS = 24 * 60 * 60_000;

/** The users of app instances. Source: chime-sdk-identity 2021-04-20, CreateAppInstanceUser … PutAppInstanceUserExpirationSettings. */
export function userOperations({
  limits,
  tell,
}: IdentityDeps): Pick<
  Operations,
  | 'CreateAppInstanceUser'
  | 'DescribeAppInstanceUser'
  | 'UpdateAppInstanceUser'
  | 'DeleteAppInstanceUser'
  | 'ListAppInstanceUsers'
  | 'PutAppInstanceUserExpirationSettings'
> {
  return {
    /**
     * Makes a user of an app instance, or answers with the one this token made. Ids differ in case.
     *
     * Source: Chime SDK Developer Guide, "Using ExpirationSettings": who gives them must be allowed to put them. Requirement EVAL-9.
     * @throws ForbiddenException             no such app instance
     * @throws ConflictException              the token made another user, or the app instance has a user of this id
     * @throws BadRequestException            a tag that cannot be
     * @throws ResourceLimitExceededException the app instance has as many users as it may
     */
    CreateAppInstanceUser: {
      access(input, caller) {
        const users = `${requireArn(input.AppInstanceArn)}/user/`;
        const making = onNew(caller, 'chime:CreateAppInstanceUser', `${users}*`, input.Tags);
        if (input.ExpirationSettings === undefined) return making;
        return [...making, onArns(caller, 'chime:PutAppInstanceUserExpirationSettings', `${users}${input.AppInstanceUserId}`)];
      },
      async handle(call, input) {
        const { tx, now } = call;
        const appInstance = await appInstanceOrForbidden(call, input.AppInstanceArn);
        const isThere = async (arn: string) => (await findUser(tx, call, arn)) !== undefined;
        const AppInstanceUserArn = await once(call, 'chime:CreateAppInstanceUser', input, isThere, async () => {
          const { AppInstanceUserId, Name: name, Metadata: metadata, Tags = [], ExpirationSettings } = input;
          requireTags(Tags);
          const place = inAppInstance(call, appInstance.id);
          const user: ResourceRecord<AppInstanceUserDocument> = withExpiration(
            {
              ...place,
              id: AppInstanceUserId,
              createdAt: now,
              updatedAt: now,
              tags: withTags([], Tags),
              document: given({ name, metadata }),
            },
            ExpirationSettings,
          );
          if ((await tx.resources.add(APP_INSTANCE_USER, user)) === 'exists') {
            throw new AwsError('ConflictException', 'The app instance has a user with this id.');
          }
          await requireRoom(tx, APP_INSTANCE_USER, place, 'users in an app instance', limits.users);
          return memberArn('user', user);
        });
        return { AppInstanceUserArn };
      },
    },

    /** @throws ForbiddenException no such user */
    DescribeAppInstanceUser: {
      access: (input, caller) => onArns(caller, 'chime:DescribeAppInstanceUser', input.AppInstanceUserArn),
      async handle(call, input) {
        const user = await userOrForbidden(call, input.AppInstanceUserArn);
        const { createdAt: CreatedTimestamp, updatedAt: LastUpdatedTimestamp } = user;
        return { AppInstanceUser: { ...toSummary(user), CreatedTimestamp, LastUpdatedTimestamp, ...toExpirationSettings(user) } };
      },
    },

    /**
     * Replaces name and metadata.
     *
     * Assumed: empty metadata is kept as it is given.
     * @throws ForbiddenException no such user
     */
    UpdateAppInstanceUser: {
      access: (input, caller) => onArns(caller, 'chime:UpdateAppInstanceUser', input.AppInstanceUserArn),
      async handle(call, input) {
        const { AppInstanceUserArn, Name: name, Metadata: metadata } = input;
        const user = await userOrForbidden(call, AppInstanceUserArn);
        await call.tx.resources.put(APP_INSTANCE_USER, { ...user, updatedAt: call.now, document: { ...user.document, name, metadata } });
        return { AppInstanceUserArn };
      },
    },

    /** Removes a user, who is no administrator any more and has no endpoints. @throws ForbiddenException no such user */
    DeleteAppInstanceUser: {
      access: (input, caller) => onArns(caller, 'chime:DeleteAppInstanceUser', input.AppInstanceUserArn),
      async handle(call, input) {
        const user = await userOrForbidden(call, input.AppInstanceUserArn);
        await removeUser(call.tx, user);
        await tell?.(call.tx, userEvent('AppInstanceUserDeleted', user));
        return {};
      },
    },

    /** In the order of ids. @throws ForbiddenException no such app instance · BadRequestException a token of another list */
    ListAppInstanceUsers: {
      access: (input, caller) => onArns(caller, 'chime:ListAppInstanceUsers', `${requireArn(input.AppInstanceArn)}/user/*`),
      async handle(call, input) {
        const { AppInstanceArn } = input;
        const { id } = await appInstanceOrForbidden(call, AppInstanceArn);
        const { things, rest } = await pageOf(
          `users ${id}`,
          input,
          (limit, after) => call.tx.resources.list(APP_INSTANCE_USER, inAppInstance(call, id), limit, after),
          (user) => user.id,
        );
        return { AppInstanceArn, AppInstanceUsers: things.map(toSummary), ...rest };
      },
    },

    /**
     * Says when a user goes by itself, counted from when it was made; without settings it does not. A user whose time is over is there
     * until the next sweep, and can be given more.
     *
     * Source: Chime SDK API reference, PutAppInstanceUserExpirationSettings.
     * Assumed: the user is not updated by it.
     * @throws ForbiddenException no such user
     */
    PutAppInstanceUserExpirationSettings: {
      access: (input, caller) => onArns(caller, 'chime:PutAppInstanceUserExpirationSettings', input.AppInstanceUserArn),
      async handle(call, input) {
        const { AppInstanceUserArn, ExpirationSettings } = input;
        const user = withExpiration(await userOrForbidden(call, AppInstanceUserArn), ExpirationSettings);
        await call.tx.resources.put(APP_INSTANCE_USER, user);
        return { AppInstanceUserArn, ...toExpirationSettings(user) };
      },
    },
  };
}

/** Removes a user with what goes with it. */
export async function removeUser(tx: Tx, user: ResourceKey): Promise<void> {
  await tx.resources.remove(APP_INSTANCE_USER, user);
  await tx.resources.remove(APP_INSTANCE_ADMIN, { ...user, id: `user/${user.id}` });
  await removeEndpoints(tx, user);
}

export function userEvent(type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired', user: ResourceKey): IdentityEvent {
  const { accountId, region, parent: appInstanceId, id } = user;
  return { type, accountId, region, appInstanceId, id, arn: memberArn('user', user) };
}

function withExpiration(
  user: ResourceRecord<AppInstanceUserDocument>,
  settings: ExpirationSettings | undefined,
): ResourceRecord<AppInstanceUserDocument> {
  const { expiresAt: _, document, ...rest } = user;
  const { expiration: __, ...kept } = document;
  if (settings === undefined) return { ...rest, document: kept };
  const { ExpirationDays: days, ExpirationCriterion: criterion } = settings;
  return { ...rest, expiresAt: endOf(user.createdAt, days), document: { ...kept, expiration: { days, criterion } } };
}

/** CREATED_TIMESTAMP is the only criterion in the model. */
function endOf(createdAt: Instant, days: number): Instant {
  return instant(createdAt + days * DAY_MS);
}

function toExpirationSettings({ document }: ResourceRecord<AppInstanceUserDocument>): { readonly ExpirationSettings?: ExpirationSettings } {
  const { expiration } = document;
  return expiration === undefined
    ? {}
    : { ExpirationSettings: { ExpirationDays: expiration.days, ExpirationCriterion: expiration.criterion } };
}

function toSummary(user: ResourceRecord<AppInstanceUserDocument>): AppInstanceUserSummary {
  const { name, metadata } = user.document;
  return given({ AppInstanceUserArn: memberArn('user', user), Name: name, Metadata: metadata });
}

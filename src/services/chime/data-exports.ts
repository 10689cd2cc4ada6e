/** Exports of the data of accounts. `data-export-lines.ts` reads the data, and `delivery/data-exports.ts` writes the files. */
import { AwsError } from '#core/aws-error.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, DataExport, DataExportPart } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import { chimeSettingsOf } from '../chime-kit/settings.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { IS_TEAM, isEnterprise } from './account-types.ts';
import { accountOrNotFound, badRequest, notFound } from './stored-accounts.ts';
import { type DataExportKey, type DataExportRecord, dataExports } from './tables/data-exports.ts';
import { users } from './tables/users.ts';

/** Time in which an account has one export of all users. Source: Administration Guide, "Requesting user attachments". */
const EXPORT_EVERY_MS = 7 * DAY_MS;
/** Most exports of single users in this time. Assumed. */
const USER_EXPORTS_MAX = 50;
const LIMIT_MESSAGE = `In 7 days, an account can have 1 export of itself and ${USER_EXPORTS_MAX} of its users.`;
/** Time for which exports are listed. Assumed. */
const LISTED_MS = 90 * DAY_MS;

/** Parts of an export, in the order in which they are written. */
export const EXPORT_PARTS: readonly DataExportPart[] = [
  ...(['account', 'users', 'groups', 'bots', 'rooms', 'memberships', 'messages'] as const),
  ...(['conversations', 'conversation-memberships', 'conversation-messages'] as const),
];

/** Returns the beginning of the keys of the files of an export. */
export function exportPrefix({ accountId, chimeAccountId, exportId }: DataExportRecord): string {
  return `Amazon-Chime-Data-Exports/json/${accountId}/${chimeAccountId}/${exportId}/`;
}

/**
 * Source: Service Authorization Reference, Amazon Chime, and Administration Guide, "Requesting user attachments": the console exports links to the
 * attachments of an Enterprise account, once in 7 days. This server has no attachments.
 * Assumed: (1) the export has the data itself, as JSON lines. (2) The files are in the bucket of the usage reports, so that their readers need
 * permissions of S3, and no link is a secret. (3) An export of one user, and its limit.
 */
export const dataExportOperations = {
  /**
   * Starts an export of an account, or of one user.
   *
   * @throws NotFoundException               the account or the user does not exist
   * @throws BadRequestException             the account is a Team account · the settings name no bucket for call detail records
   * @throws ConflictException               an export of the account is in progress
   * @throws ResourceLimitExceededException  there was an export of the account, or 50 of users, in the last 7 days. Failed ones do not count
   */
  StartDataExport: {
    async handle(call, { AccountId, UserId }) {
      const account = await accountOrNotFound(call, AccountId);
      const { chimeAccountId, accountId } = account;
      if (UserId !== undefined && (await call.tx.of(users).get(chimeAccountId, UserId)) === undefined) throw notFound('User', UserId);
      if (!isEnterprise(account)) throw badRequest(IS_TEAM);
      const { BusinessCallingCdrBucket: bucket } = await chimeSettingsOf(call);
      if (bucket === undefined) throw badRequest('The settings name no bucket: call UpdateCDRSettings first.');
      const repository = call.tx.of(dataExports);
      await repository.removeBefore(chimeAccountId, instant(call.now - LISTED_MS));
      const { inProgress, ofAccount, ofUsers } = await repository.count(chimeAccountId, instant(call.now - EXPORT_EVERY_MS));
      if (inProgress > 0) throw new AwsError('ConflictException', 'An export of the account is in progress.');
      if (UserId === undefined ? ofAccount > 0 : ofUsers >= USER_EXPORTS_MAX)
        throw new AwsError('ResourceLimitExceededException', LIMIT_MESSAGE);
      const dataExport: DataExportRecord = omitUndefined({
        ...{ chimeAccountId, accountId, bucket, exportId: call.newId(), userId: UserId, status: 'InProgress' as const },
        ...{ createdAt: call.now, revision: 0, claimedUntil: instant(0), progress: { cursor: { part: 'account' as const }, parts: {} } },
      });
      await repository.add(dataExport);
      return { DataExport: toDataExport(dataExport) };
    },
  },

  /** Lists exports of the last 90 days, newest first. @throws NotFoundException  the account does not exist · BadRequestException  the token is invalid */
  RetrieveDataExports: {
    async handle(call, input) {
      const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
      const { items, rest } = await pageOf(
        `RetrieveDataExports ${chimeAccountId}`,
        input,
        (limit, after) => call.tx.of(dataExports).list(chimeAccountId, limit, after === undefined ? undefined : placeIn(after)),
        ({ createdAt, exportId }) => `${createdAt} ${exportId}`,
      );
      return { DataExports: items.map(toDataExport), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

function toDataExport(dataExport: DataExportRecord): DataExport {
  const { exportId, userId, status, createdAt, endedAt, bucket, failure, progress } = dataExport;
  const written = EXPORT_PARTS.flatMap((Part) => {
    const found = progress.parts[Part];
    return found === undefined ? [] : [{ Part, FileCount: found.files, LineCount: found.lines, ByteCount: found.bytes }];
  });
  return omitUndefined({
    DataExportId: exportId,
    DataExportStatus: status,
    UserId: userId,
    CreatedTimestamp: createdAt,
    EndedTimestamp: endedAt,
    BucketName: bucket,
    KeyPrefix: exportPrefix(dataExport),
    Parts: written,
    Failure: failure,
  });
}

function placeIn(key: string): DataExportKey {
  const [, createdAt, exportId = ''] = /^(\d{1,15}) ([\w-]{1,36})$/.exec(key) ?? [];
  if (createdAt === undefined) throw badRequest();
  return { createdAt: instant(Number(createdAt)), exportId };
}

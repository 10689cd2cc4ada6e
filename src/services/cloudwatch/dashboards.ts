/** Dashboards. The server stores them for consoles, and draws none. */
import { type AccountId, arn } from '#core/arn.ts';
import type { CloudwatchApi, DashboardValidationMessage } from '#model/generated/cloudwatch.ts';
import type { ResourceKey, ResourceKind } from '#store/resources.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { newTags, requestTags, TAG_RULES, tagValues } from '../kit/tag-rules.ts';
import { problemsOf } from './dashboard-body.ts';
import { AwsError } from './errors.ts';

/** A dashboard as stored. */
export interface DashboardDocument {
  readonly DashboardBody: string;
}

/** Kind of dashboards. They belong to no region. Source: Service Authorization Reference, "Amazon CloudWatch", dashboard. */
export const DASHBOARD: ResourceKind<DashboardDocument> = { name: 'cloudwatch-dashboard' };

/** Maximum number of dashboards of an account. Assumed: the number. AWS has no quota. */
const DASHBOARDS_MAX = 1_000;
/** Maximum number of dashboards that one request deletes. Assumed: the number. */
const DELETED_MAX = 100;
const TAGS_MAX = 50;
const PAGE = 100;

/** Returns the key of a dashboard. */
export function dashboardKey({ accountId }: Pick<Caller, 'accountId'>, id: string): ResourceKey {
  return { accountId, region: '', parent: '', id };
}

/** Returns the ARN of a dashboard. */
export function dashboardArn(accountId: AccountId, name: string): string {
  return arn('cloudwatch', '', accountId, `dashboard/${name}`);
}

/**
 * Operations on dashboards.
 *
 * Source: cloudwatch 2010-08-01; its errors. Assumed: the wording of the messages, and that the body has at most 256 KiB.
 */
export const dashboardOperations = {
  /**
   * Creates or replaces a dashboard. `Tags` apply only to a new one.
   *
   * @throws DashboardInvalidInputError  the name or the body is invalid; the error lists the problems of the body
   * @throws InvalidParameterValueException  too many or invalid tags
   */
  PutDashboard: {
    access: ({ DashboardName, Tags }, caller) => {
      const context = requestTags(TAG_RULES.cloudwatch, Tags);
      const dashboard = onDashboards([DashboardName], caller);
      if (context.length === 0) return dashboard;
      const tagged = { ...dashboard, context: new Map(context) };
      return [tagged, { ...tagged, action: 'cloudwatch:TagResource' }];
    },
    async handle(call, { DashboardName, DashboardBody, Tags = [] }) {
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(DashboardName)) throw invalidName(DashboardName);
      const problems = problemsOf(DashboardBody);
      if (problems.length > 0) throw invalidBody(problems);
      const key = dashboardKey(call, DashboardName);
      const present = await call.tx.resources.get(DASHBOARD, key);
      if (present !== undefined) {
        await call.tx.resources.put(DASHBOARD, { ...present, updatedAt: call.now, document: { DashboardBody } });
        return { DashboardValidationMessages: [] };
      }
      if (Tags.length > TAGS_MAX) throw new AwsError('InvalidParameterValueException', `A resource can have at most ${TAGS_MAX} tags.`);
      if ((await call.tx.resources.count(DASHBOARD, key, DASHBOARDS_MAX)) >= DASHBOARDS_MAX)
        throw new AwsError('LimitExceededFault', `The account has the maximum of ${DASHBOARDS_MAX} dashboards.`);
      const tags = newTags(TAG_RULES.cloudwatch, Tags);
      await call.tx.resources.add(DASHBOARD, { ...key, createdAt: call.now, updatedAt: call.now, tags, document: { DashboardBody } });
      return { DashboardValidationMessages: [] };
    },
  },

  /** @throws DashboardNotFoundError  it does not exist */
  GetDashboard: {
    access: ({ DashboardName }, caller) => onDashboards([DashboardName], caller),
    async handle(call, { DashboardName }) {
      const { document } = await dashboardOrNotFound(call, DashboardName);
      return { DashboardArn: dashboardArn(call.accountId, DashboardName), DashboardName, DashboardBody: document.DashboardBody };
    },
  },

  /** Lists dashboards in the order of their names. */
  ListDashboards: {
    async handle(call, { DashboardNamePrefix = '', NextToken }) {
      const entries = [];
      let after = NextToken ?? '';
      let isMore = true;
      while (isMore && entries.length < PAGE) {
        const read = await call.tx.resources.list(DASHBOARD, dashboardKey(call, ''), PAGE, after);
        for (const { id, updatedAt, document } of read) {
          if (entries.length === PAGE) break;
          after = id;
          if (!id.startsWith(DashboardNamePrefix)) continue;
          entries.push({
            DashboardName: id,
            DashboardArn: dashboardArn(call.accountId, id),
            LastModified: updatedAt,
            Size: Buffer.byteLength(document.DashboardBody),
          });
        }
        isMore = read.length === PAGE;
      }
      return { DashboardEntries: entries, ...(isMore && { NextToken: after }) };
    },
  },

  /**
   * Deletes dashboards, or none of them if one does not exist.
   *
   * @throws InvalidParameterValueException  there are more than 100 names
   * @throws DashboardNotFoundError          one does not exist
   */
  DeleteDashboards: {
    access: ({ DashboardNames }, caller) => onDashboards(DashboardNames.slice(0, DELETED_MAX + 1), caller),
    async handle(call, { DashboardNames }) {
      if (DashboardNames.length > DELETED_MAX)
        throw new AwsError(
          'InvalidParameterValueException',
          `The collection DashboardNames must not have a size greater than ${DELETED_MAX}.`,
        );
      for (const name of DashboardNames) await dashboardOrNotFound(call, name);
      for (const name of DashboardNames) await call.tx.resources.remove(DASHBOARD, dashboardKey(call, name));
      return {};
    },
  },
} satisfies Partial<ServiceOperations<CloudwatchApi>>;

/** Requires the operation's action on dashboards, which need not exist. */
function onDashboards(names: readonly string[], caller: Caller): DeclaredAccess {
  const unique = [...new Set(names)];
  if (unique.length === 0) return { resources: ['*'] };
  return {
    resources: unique.map((name) => dashboardArn(caller.accountId, name)),
    async resourceTags(tx) {
      const tags = [];
      for (const name of unique) {
        const found = await tx.resources.get(DASHBOARD, dashboardKey(caller, name));
        tags.push(found && tagValues(found.tags));
      }
      return tags;
    },
  };
}

async function dashboardOrNotFound(call: Call, name: string) {
  const found = await call.tx.resources.get(DASHBOARD, dashboardKey(call, name));
  if (found === undefined) throw new AwsError('DashboardNotFoundError', `Dashboard ${name.slice(0, 255)} does not exist`);
  return found;
}

function invalidName(name: string): AwsError {
  const rule = 'It can only contain alphanumerics, dash (-) and underscore (_).';
  return new AwsError(
    'DashboardInvalidInputError',
    `The value ${name.slice(0, 255)} for field DashboardName contains invalid characters. ${rule}`,
  );
}

function invalidBody(problems: readonly DashboardValidationMessage[]): AwsError {
  const listed = JSON.stringify(problems.map(({ DataPath, Message }) => ({ dataPath: DataPath, message: Message })));
  return new AwsError(
    'DashboardInvalidInputError',
    `The dashboard body is invalid, there are ${problems.length} validation errors: ${listed}`,
    { dashboardValidationMessages: problems },
  );
}

/** Operations on access previews. */
import { HOUR_MS } from '#core/duration.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { AnalyzedKind } from '../../kit/analyzed-resources.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { cutPage } from '../../kit/page.ts';
import { matches, validateFilter } from '../findings/filters.ts';
import { invalidField, notFound, resourceError } from '../kit/errors.ts';
import { analyzerArn, analyzerOfArn, onAnalyzerOf } from '../kit/lookup.ts';
import { pageOfList, pageSize, placeIn, tokenAt } from '../kit/pages.ts';
import { PREVIEWS_MAX } from '../kit/quotas.ts';
import { createdOnce, tokenConflict } from '../kit/tokens.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import { type PreviewRecord, previews } from '../tables/previews.ts';
import { proposedIn, proposedPolicy } from './preview-configuration.ts';
import { previewedFindings, shownFindings } from './preview-findings.ts';
import { LISTED_MS, READ_MS, since } from './preview-retention.ts';

/** Period of the quota of previews. Source: IAM User Guide, "IAM Access Analyzer quotas". */
const QUOTA_MS = HOUR_MS;

/** Returns the operations on access previews. `kinds` has the resources with policies. */
export function previewOperations(kinds: readonly AnalyzedKind[]) {
  return {
    /**
     * Analyzes a proposed policy of a role or bucket before the call returns.
     *
     * @throws AccessDeniedException          the analyzer is in another account
     * @throws ResourceNotFoundException      the analyzer does not exist
     * @throws ValidationException            the analyzer is not of the type ACCOUNT; the configuration is invalid (`proposedIn`)
     * @throws ServiceQuotaExceededException  the analyzer created 1,000 previews in the last hour
     * @throws ConflictException              the token was used for another request
     * Source: accessanalyzer 2019-11-01, CreateAccessPreview. AWS analyzes after the call.
     * Assumed: the messages. A policy that IAM or S3 would reject, and a new role without a policy, are previews with the status
     * FAILED and the reason INVALID_CONFIGURATION.
     */
    CreateAccessPreview: {
      access: onAnalyzerOf,
      async handle(call, request) {
        const analyzer = await analyzerOfArn(call, request.analyzerArn);
        if (analyzer.type !== 'ACCOUNT') throw invalidField('analyzerArn', 'Access previews require an analyzer of the type ACCOUNT.');
        const create = () => createPreview(call, kinds, analyzer, request.configurations);
        const { analyzerId } = analyzer;
        const exists = async (id: string) => (await call.tx.of(previews).get(analyzerId, id, since(call, READ_MS))) !== undefined;
        const mismatch = () => tokenConflict(request.analyzerArn);
        return { id: await createdOnce(call, 'CreateAccessPreview', { ...request, analyzerId }, create, { exists, mismatch }) };
      },
    },

    /** @throws AccessDeniedException, ResourceNotFoundException  the analyzer or the preview does not exist */
    GetAccessPreview: {
      access: onAnalyzerOf,
      async handle(call, { analyzerArn: arn, accessPreviewId }) {
        const analyzer = await analyzerOfArn(call, arn);
        const preview = await previewOf(call, analyzer, accessPreviewId);
        const content = await call.tx.of(previews).content(analyzer.analyzerId, preview.id);
        return { accessPreview: { ...toSummary(preview, arn), configurations: content?.configurations ?? {} } };
      },
    },

    /** Returns the previews of the last hour, the newest first. @throws AccessDeniedException, ResourceNotFoundException · ValidationException  the token is invalid */
    ListAccessPreviews: {
      access: onAnalyzerOf,
      async handle(call, { analyzerArn: arn, ...request }) {
        const { analyzerId } = await analyzerOfArn(call, arn);
        const list = ['previews', analyzerId];
        const [createdAt = Number.MAX_SAFE_INTEGER, id = ''] = placeIn(list, request) ?? [];
        const size = pageSize(request);
        const place = [Number(createdAt), String(id)] as const;
        const { items, last } = cutPage(await call.tx.of(previews).list(analyzerId, since(call, LISTED_MS), place, size + 1), size);
        return { accessPreviews: items.map((preview) => toSummary(preview, arn)), ...tokenAt(list, last && [last.createdAt, last.id]) };
      },
    },

    /**
     * Returns the findings of a preview. A preview with the status FAILED has none.
     *
     * @throws AccessDeniedException, ResourceNotFoundException  the analyzer or the preview does not exist
     * @throws ValidationException  the filter or the token is invalid
     */
    ListAccessPreviewFindings: {
      access: onAnalyzerOf,
      async handle(call, { analyzerArn: arn, accessPreviewId, filter = {}, ...request }) {
        const analyzer = await analyzerOfArn(call, arn);
        const preview = await previewOf(call, analyzer, accessPreviewId);
        validateFilter(filter, 'preview');
        const list = ['preview findings', preview.id, filter];
        const proposal = (await call.tx.of(previews).content(analyzer.analyzerId, preview.id))?.proposal;
        const all = proposal === undefined ? [] : await shownFindings(call, analyzer, preview, proposal);
        const selected = all.filter(({ record, more }) => matches(filter, record, more));
        const { items, rest } = pageOfList(list, request, selected);
        return { findings: items.map(({ view }) => view), ...rest };
      },
    },
  } satisfies Partial<ServiceOperations<AccessanalyzerApi>>;
}

type Configurations = Parameters<typeof proposedIn>[0];

async function createPreview(
  call: Call,
  kinds: readonly AnalyzedKind[],
  analyzer: AnalyzerRecord,
  configurations: Configurations,
): Promise<string> {
  const { analyzerId, accountId } = analyzer;
  const proposed = proposedIn(configurations, accountId);
  const repository = call.tx.of(previews);
  if ((await repository.count(analyzerId, since(call, QUOTA_MS))) >= PREVIEWS_MAX) {
    const message = `The analyzer has reached the limit of ${PREVIEWS_MAX} access previews per hour.`;
    throw resourceError('ServiceQuotaExceededException', 'Analyzer', analyzerArn(analyzer), message);
  }
  const policy = await proposedPolicy(call, kinds, proposed);
  const id = call.newId();
  const facts = { analyzerId, id, configurations, createdAt: call.now };
  if (policy === 'invalid') await repository.add({ ...facts, status: 'FAILED', reason: 'INVALID_CONFIGURATION' });
  else {
    const findings = await previewedFindings(call, analyzer, policy);
    await repository.add({ ...facts, status: 'COMPLETED', proposal: { ...policy, findings } });
  }
  return id;
}

async function previewOf(call: Call, { analyzerId }: AnalyzerRecord, id: string): Promise<PreviewRecord> {
  const found = id.includes('\0') ? undefined : await call.tx.of(previews).get(analyzerId, id, since(call, READ_MS));
  if (found === undefined) throw notFound('AccessPreview', id);
  return found;
}

function toSummary({ id, createdAt, status, reason }: PreviewRecord, arn: string) {
  return { id, analyzerArn: arn, createdAt, status, ...omitUndefined({ statusReason: reason && { code: reason } }) };
}

/** Operations on findings. */
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { AwsError, invalidField, notFound } from '../kit/errors.ts';
import { analyzerOfArn, onAnalyzerOf } from '../kit/lookup.ts';
import { isExternalType } from '../kit/organizations.ts';
import { pageSize, placeIn, tokenAt } from '../kit/pages.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import { type FindingRecord, findings } from '../tables/findings.ts';
import { findingPage } from './finding-pages.ts';
import { toDetails, toExternalFinding, toSummaryV2 } from './finding-views.ts';
import { storeChanges } from './findings.ts';
import { statisticsOf } from './statistics.ts';

/** Maximum number of findings that one UpdateFindings changes by their IDs. Assumed: the number, because AWS documents none. */
const IDS_MAX = 100;

/**
 * Operations on findings. All throw:
 *
 * @throws AccessDeniedException      the analyzer is in another account
 * @throws ResourceNotFoundException  the analyzer or the finding does not exist
 */
export const findingOperations = {
  /** @throws ValidationException  the analyzer does not find external access; the filter, order or token is invalid */
  ListFindings: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, ...request }) {
      const { page, rest } = await findingPage(call, await externalAnalyzer(call, analyzerArn, 'ListFindingsV2'), request);
      return { findings: page.map(toExternalFinding), ...rest };
    },
  },

  /** @throws ValidationException  the filter, order or token is invalid */
  ListFindingsV2: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, ...request }) {
      const { page, rest } = await findingPage(call, await analyzerOfArn(call, analyzerArn), request);
      return { findings: page.map(toSummaryV2), ...rest };
    },
  },

  /** @throws ValidationException  the analyzer does not find external access */
  GetFinding: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, id }) {
      return { finding: toExternalFinding(await findingOf(call, await externalAnalyzer(call, analyzerArn, 'GetFindingV2'), id)) };
    },
  },

  /** Returns a finding with a page of its details. A finding of unused permissions has details for each service. */
  GetFindingV2: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, id, ...request }) {
      const finding = await findingOf(call, await analyzerOfArn(call, analyzerArn), id);
      const list = ['details', finding.analyzerId, id];
      const [from = 0] = placeIn(list, request) ?? [];
      const to = Number(from) + pageSize(request);
      const findingDetails = finding.details.slice(Number(from), to).map((each) => toDetails(each, finding));
      return { ...toSummaryV2(finding), findingDetails, ...tokenAt(list, to < finding.details.length ? [to] : undefined) };
    },
  },

  /** Returns the numbers of findings, which the server changes with each finding. So they are never older than the findings. */
  GetFindingsStatistics: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn }) {
      const analyzer = await analyzerOfArn(call, analyzerArn);
      return { findingsStatistics: [await statisticsOf(call, analyzer)], lastUpdatedAt: call.now };
    },
  },

  /**
   * Archives findings, or makes archived findings active again. Findings that have the status already do not change.
   *
   * @throws ValidationException  not exactly one of ids and resourceArn; too many IDs; a finding is resolved
   * Assumed: resolved findings of a resource are skipped. A resolved finding in `ids` is an error, because no request can change it.
   */
  UpdateFindings: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, status, ids, resourceArn }) {
      const analyzer = await analyzerOfArn(call, analyzerArn);
      const selected = ids === undefined ? await ofResource(call, analyzer, resourceArn) : await ofIds(call, analyzer, ids, resourceArn);
      const changed = selected.filter((finding) => finding.status !== status);
      await storeChanges(
        call,
        analyzer,
        changed.map((before) => ({ before, finding: { ...before, status, updatedAt: call.now } })),
      );
      return {};
    },
  },
} satisfies Partial<ServiceOperations<AccessanalyzerApi>>;

async function externalAnalyzer(call: Call, analyzerArn: string, other: string): Promise<AnalyzerRecord> {
  const analyzer = await analyzerOfArn(call, analyzerArn);
  if (isExternalType(analyzer.type)) return analyzer;
  // Source: accessanalyzer 2019-11-01, ListFindings and GetFinding: "supported only for external access analyzers". Assumed: the message.
  throw invalidField('analyzerArn', `This action is supported only for external access analyzers. Use ${other}.`);
}

async function findingOf({ tx }: Call, { analyzerId }: AnalyzerRecord, id: string): Promise<FindingRecord> {
  const finding = id.includes('\0') ? undefined : await tx.of(findings).get(analyzerId, id);
  if (finding === undefined) throw notFound('Finding', id);
  return finding;
}

async function ofResource(
  { tx }: Call,
  { analyzerId }: AnalyzerRecord,
  resourceArn: string | undefined,
): Promise<readonly FindingRecord[]> {
  if (resourceArn === undefined) throw eitherOr();
  const open = await tx.of(findings).open(analyzerId, resourceArn);
  if (open.length === 0) throw notFound('Resource', resourceArn);
  return open;
}

async function ofIds(
  call: Call,
  analyzer: AnalyzerRecord,
  ids: readonly string[],
  resourceArn: string | undefined,
): Promise<readonly FindingRecord[]> {
  if (resourceArn !== undefined) throw eitherOr();
  if (ids.length > IDS_MAX) throw invalidField('ids', `A request can have at most ${IDS_MAX} IDs.`);
  const found: FindingRecord[] = [];
  for (const id of new Set(ids)) {
    const finding = await findingOf(call, analyzer, id);
    if (finding.status === 'RESOLVED') throw invalidField('ids', `The finding ${id} is resolved.`);
    found.push(finding);
  }
  return found;
}

function eitherOr(): AwsError {
  return new AwsError('ValidationException', 'Specify either ids or resourceArn.', { reason: 'other' });
}

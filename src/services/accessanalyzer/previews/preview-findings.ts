/** Findings of access previews: the proposed access compared with the findings of an analyzer. */
import type { AccountId } from '#core/arn.ts';
import type { AccessPreviewFinding, FindingStatus } from '#model/generated/accessanalyzer.ts';
import type { ResourcePolicy } from '../../kit/analyzed-resources.ts';
import type { Call } from '../../kit/operation.ts';
import { externalAccess } from '../external/external-access.ts';
import { matches } from '../findings/filters.ts';
import { toExternalFinding } from '../findings/finding-views.ts';
import { accessesOf } from '../findings/findings.ts';
import { RULES_MAX } from '../kit/quotas.ts';
import { type AnalyzerRecord, analyzers } from '../tables/analyzers.ts';
import { type FindingRecord, findings } from '../tables/findings.ts';
import type { PreviewedFinding, PreviewRecord, Proposal } from '../tables/previews.ts';

/** Returns the access that a proposed policy allows, by the key of its finding. The zone of trust is the account of the analyzer. */
function proposedAccesses(proposed: ResourcePolicy, accountId: AccountId) {
  return accessesOf(externalAccess({ ...proposed, zone: { accounts: (id) => id === accountId } }));
}

/**
 * Returns the findings of a preview:
 *
 * - NEW: access that no finding has. An archive rule can archive it.
 * - UNCHANGED: access of a finding that is ACTIVE or ARCHIVED.
 * - CHANGED: a resolved finding whose access returns, or a finding whose access would vanish, and which would be RESOLVED.
 *
 * Source: accessanalyzer 2019-11-01, AccessPreviewFinding, changeType and status.
 */
export async function previewedFindings(
  call: Call,
  analyzer: AnalyzerRecord,
  proposed: ResourcePolicy,
): Promise<readonly PreviewedFinding[]> {
  const { analyzerId, accountId } = analyzer;
  const repository = call.tx.of(findings);
  const accesses = proposedAccesses(proposed, accountId);
  const open = new Map((await repository.open(analyzerId, proposed.arn)).map((finding) => [finding.accessKey, finding]));
  const rules = await call.tx.of(analyzers).rules(analyzerId, '', RULES_MAX);
  const found: PreviewedFinding[] = [];
  for (const [accessKey, { isPublic, details }] of accesses) {
    const before = open.get(accessKey) ?? (await repository.ofAccess(analyzerId, proposed.arn, accessKey));
    const id = call.newId();
    if (before !== undefined && before.status !== 'RESOLVED') {
      found.push({ id, accessKey, changeType: 'UNCHANGED', status: before.status, existing: { id: before.id, status: before.status } });
      continue;
    }
    const record = toRecord({ id, analyzer, proposed, accessKey, status: 'ACTIVE', createdAt: call.now }, { isPublic, details });
    const status = rules.some(({ filter }) => matches(filter, record)) ? 'ARCHIVED' : 'ACTIVE';
    const existing = before === undefined ? {} : { existing: { id: before.id, status: before.status } };
    found.push({ id, accessKey, changeType: before === undefined ? 'NEW' : 'CHANGED', status, ...existing });
  }
  for (const [accessKey, { id, status }] of open) {
    if (!accesses.has(accessKey))
      found.push({ id: call.newId(), accessKey, changeType: 'CHANGED', status: 'RESOLVED', existing: { id, status } });
  }
  return found;
}

interface RecordFacts {
  readonly id: string;
  readonly analyzer: AnalyzerRecord;
  readonly proposed: Pick<ResourcePolicy, 'arn' | 'resourceType'>;
  readonly accessKey: string;
  readonly status: FindingStatus;
  readonly createdAt: FindingRecord['createdAt'];
}

/** Returns a finding of a preview in the form of a stored finding, for filters and responses. */
function toRecord(
  { id, analyzer, proposed, accessKey, status, createdAt }: RecordFacts,
  { isPublic, details }: Pick<FindingRecord, 'isPublic' | 'details'>,
): FindingRecord {
  const { analyzerId, accountId: ownerAccount } = analyzer;
  const { arn: resource, resourceType } = proposed;
  const times = { createdAt, analyzedAt: createdAt, updatedAt: createdAt };
  return {
    analyzerId,
    id,
    resource,
    accessKey,
    resourceType,
    ownerAccount,
    findingType: 'ExternalAccess',
    status,
    isPublic,
    details,
    ...times,
  };
}

/** A finding of a preview, as a filter and a response need it. */
export interface ShownPreviewFinding {
  readonly record: FindingRecord;
  /** Filter keys that only previews have. */
  readonly more: Readonly<Record<string, string | undefined>>;
  readonly view: AccessPreviewFinding;
}

/**
 * Returns the findings of a preview with their access. The analysis of the proposed policy runs again, so that a preview does
 * not store the access. An existing finding that was deleted since is omitted.
 */
export async function shownFindings(
  call: Call,
  analyzer: AnalyzerRecord,
  { createdAt }: PreviewRecord,
  proposal: Proposal,
): Promise<readonly ShownPreviewFinding[]> {
  const accesses = proposedAccesses(proposal, analyzer.accountId);
  const shown: ShownPreviewFinding[] = [];
  for (const { id, accessKey, changeType, status, existing } of proposal.findings) {
    const access = accesses.get(accessKey) ?? (existing && (await call.tx.of(findings).get(analyzer.analyzerId, existing.id)));
    if (access === undefined) continue;
    const record = toRecord({ id, analyzer, proposed: proposal, accessKey, status, createdAt }, access);
    const { analyzedAt: _, updatedAt: __, ...view } = toExternalFinding(record);
    const before = existing === undefined ? {} : { existingFindingId: existing.id, existingFindingStatus: existing.status };
    shown.push({ record, more: { changeType, ...before }, view: { ...view, changeType, ...before } });
  }
  return shown;
}

/** Application of an archive rule to existing findings, in parts. */
import type { Work } from '../../kit/events.ts';
import { type AnalyzerRecord, analyzers, type RuleRecord } from '../tables/analyzers.ts';
import { findings } from '../tables/findings.ts';
import { matches } from './filters.ts';
import { storeChanges } from './findings.ts';

/** Findings that one part compares with the rule. */
const COMPARED_AT_ONCE = 500;

/** Archives the active findings of a part that a rule matches, and stores the place of the next part. */
export async function applyRulePart(work: Work, rule: RuleRecord): Promise<void> {
  const { tx, now } = work;
  const { appliedTo, ...rest } = rule;
  const analyzer = await tx.of(analyzers).byId(rule.analyzerId);
  if (analyzer === undefined || appliedTo === undefined) return;
  const after = appliedTo === '' ? undefined : ([appliedTo, appliedTo] as const);
  const range = { analyzerId: rule.analyzerId, order: 'id', descending: false, after } as const;
  const part = await tx.of(findings).list(range, COMPARED_AT_ONCE);
  const matched = part.filter((finding) => finding.status === 'ACTIVE' && matches(rule.filter, finding));
  await archive(work, analyzer, matched, now);
  const last = part.at(-1);
  await tx.of(analyzers).putRule(last === undefined || part.length < COMPARED_AT_ONCE ? rest : { ...rest, appliedTo: last.id });
}

async function archive(
  work: Work,
  analyzer: AnalyzerRecord,
  matched: Awaited<ReturnType<ReturnType<typeof findings>['list']>>,
  now: Work['now'],
) {
  await storeChanges(
    work,
    analyzer,
    matched.map((before) => ({ before, finding: { ...before, status: 'ARCHIVED', updatedAt: now } })),
  );
}

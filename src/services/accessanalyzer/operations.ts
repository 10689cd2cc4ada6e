import type { AnalyzedKind } from '../kit/analyzed-resources.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { analyzerOperations } from './analyzers/analyzers.ts';
import { archiveRuleOperations } from './analyzers/archive-rules.ts';
import { resourceOperations } from './analyzers/resource-operations.ts';
import { serviceLinkedOperations } from './analyzers/service-linked-analyzers.ts';
import { tagOperations } from './analyzers/tags.ts';
import { checkAccessNotGranted, checkNoNewAccess, checkNoPublicAccess } from './checks/access-checks.ts';
import { validatePolicy } from './checks/validate-policy.ts';
import { type RuleParts, ruleOperations } from './configuration-rules.ts';
import { explainDecision } from './explain/explain-decision.ts';
import { findingOperations } from './findings/finding-operations.ts';
import { policyGenerationOperations } from './generation/policy-generation.ts';
import { previewOperations } from './previews/access-previews.ts';
import { recommendationOperations } from './unused/recommendations.ts';

/** Parts that the operations of IAM Access Analyzer need. */
export interface AccessAnalyzerParts extends RuleParts {
  /** Resources that analyzers for external access read. */
  readonly kinds: readonly AnalyzedKind[];
}

/** Returns the operations of IAM Access Analyzer, and the own operations. */
export function accessanalyzerOperations({ kinds, ...rules }: AccessAnalyzerParts): OperationTable<'accessanalyzer'> {
  return operationTable('accessanalyzer', {
    ValidatePolicy: validatePolicy,
    CheckNoNewAccess: checkNoNewAccess,
    CheckAccessNotGranted: checkAccessNotGranted,
    CheckNoPublicAccess: checkNoPublicAccess,
    ExplainDecision: explainDecision,
    ...analyzerOperations,
    ...archiveRuleOperations,
    ...findingOperations,
    ...policyGenerationOperations,
    ...previewOperations(kinds),
    ...recommendationOperations,
    ...resourceOperations(kinds),
    ...ruleOperations(rules),
    ...serviceLinkedOperations,
    ...tagOperations,
  });
}

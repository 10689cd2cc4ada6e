import type { AnalyzedKind } from '../kit/analyzed-resources.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { checkAccessNotGranted, checkNoNewAccess, checkNoPublicAccess } from './access-checks.ts';
import { previewOperations } from './access-previews.ts';
import { analyzerOperations } from './analyzers.ts';
import { archiveRuleOperations } from './archive-rules.ts';
import { type RuleParts, ruleOperations } from './configuration-rules.ts';
import { explainDecision } from './explain-decision.ts';
import { findingOperations } from './finding-operations.ts';
import { policyGenerationOperations } from './policy-generation.ts';
import { recommendationOperations } from './recommendations.ts';
import { resourceOperations } from './resource-operations.ts';
import { serviceLinkedOperations } from './service-linked-analyzers.ts';
import { tagOperations } from './tags.ts';
import { validatePolicy } from './validate-policy.ts';

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

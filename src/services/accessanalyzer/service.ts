import type { AnalyzedKind, AnalyzedResourceChanged } from '../kit/analyzed-resources.ts';
import { type Subscription, subscription } from '../kit/events.ts';
import type { OrganizationChanged } from '../kit/organization-changed.ts';
import { type LinkedRole, type Service, service } from '../kit/service.ts';
import { findingSweep } from './analyzers/deletion.ts';
import type { RuleParts } from './configuration-rules.ts';
import { deleteGenerations } from './generation/generation-retention.ts';
import { invalidField } from './kit/errors.ts';
import { analyzerArn } from './kit/lookup.ts';
import { SERVICE_PRINCIPAL } from './kit/organizations.ts';
import { deletePreviews } from './previews/preview-retention.ts';
import { analyzers } from './tables/analyzers.ts';

/** Interval between two checks for scans that are due. */
const SCAN_EVERY_MS = 5_000;
/** Interval between two checks for jobs that generate policies. */
const GENERATIONS_EVERY_MS = 1_000;

/** Service-linked role of analyzers. */
const LINKED_ROLE: LinkedRole = {
  principal: SERVICE_PRINCIPAL,
  async usedBy({ tx }, accountId, limit) {
    const found = await tx.of(analyzers).ofAnyType(accountId, limit);
    return found.map((analyzer) => ({ region: analyzer.region, arn: analyzerArn(analyzer) }));
  },
};

/** Starts the scans of an organization's analyzers again if its accounts or its trusted access changed. */
const rescanOrganization = subscription<OrganizationChanged>()(['OrganizationChanged'], async ({ tx, now }, { managementAccountId }) => {
  await tx.of(analyzers).rescanOrganization(managementAccountId, now);
});

/** Analyzes resources whose policies changed. */
function analyzeChanges(kinds: () => readonly AnalyzedKind[]): Subscription {
  return subscription<AnalyzedResourceChanged>()(['AnalyzedResourceChanged'], async (work, event) => {
    const { analyzeChange } = await import('./external/analysis.ts');
    await analyzeChange(work, kinds(), event);
  });
}

/** Returns the declaration of IAM Access Analyzer. `kinds` returns the resources of all services that analyzers for external access read. */
export function accessAnalyzer(kinds: () => readonly AnalyzedKind[]): Service<RuleParts> {
  return service<RuleParts>({
    name: 'accessanalyzer',
    operations: async (parts) => (await import('./operations.ts')).accessanalyzerOperations({ ...parts, kinds: kinds() }),
    linkedRoles: [LINKED_ROLE],
    sweeps: [findingSweep, deletePreviews, deleteGenerations],
    subscriptions: [analyzeChanges(kinds), rescanOrganization],
    tasks: [
      {
        name: 'analysis of access',
        everyMs: SCAN_EVERY_MS,
        load: async () => (await import('./analyzers/scan.ts')).scanAnalyzers(kinds()),
      },
      {
        name: 'generation of policies',
        everyMs: GENERATIONS_EVERY_MS,
        load: async ({ policyGeneration }) =>
          (await import('./generation/policy-generation-run.ts')).runPolicyGenerations(policyGeneration),
      },
    ],
    invalidPageToken: (name) => invalidField(name, `Invalid ${name}.`),
  });
}

/**
 * Parts of identity records. Each record is stored as two JSON documents: a small summary, and the details, which can be large. Operations
 * that read many records read only their summaries, so that they do not delay other callers.
 */
import type { IdentityKind, IdentityRecords, PolicyRecord, PolicyVersionRecord } from './identity.ts';

/** Members in the details of each kind. All others are in the summary. `documents` has the documents of a policy's versions. */
// biome-ignore format: a table
const DETAILS = {
  user:                     ['attachedPolicyArns', 'inlinePolicies', 'tags'],
  group:                    ['attachedPolicyArns', 'inlinePolicies'],
  role:                     ['attachedPolicyArns', 'inlinePolicies', 'tags', 'trustPolicy', 'trustPrincipals'],
  policy:                   ['documents', 'tags'],
  'mfa-device':             ['tags'],
  'saml-provider':          ['metadata', 'tags'],
  'oidc-provider':          ['clientIds', 'tags', 'thumbprints'],
  'organization-account':   ['tags'],
  'organizational-unit':    ['tags'],
  'service-control-policy': ['content', 'tags'],
  handshake:                ['notes', 'tags'],
} as const satisfies { readonly [Kind in IdentityKind]?: readonly (keyof IdentityRecords[Kind] | 'documents')[] };

type DetailOf<Kind> = Kind extends keyof typeof DETAILS ? (typeof DETAILS)[Kind][number] : never;

/** A managed policy without its documents and tags. */
type PolicySummary = Omit<PolicyRecord, 'versions' | 'tags'> & { readonly versions: readonly Omit<PolicyVersionRecord, 'document'>[] };

/** The summary of each kind of record. */
export type IdentitySummaries = {
  readonly [Kind in IdentityKind]: Kind extends 'policy' ? PolicySummary : Omit<IdentityRecords[Kind], DetailOf<Kind>>;
};

/** A stored record: two JSON documents. `details` is null for a kind without details. */
export interface StoredParts {
  readonly document: string;
  readonly details: string | null;
}

/** Reports whether the records of a kind have details. */
export function hasDetails(kind: IdentityKind): kind is keyof typeof DETAILS {
  return Object.hasOwn(DETAILS, kind);
}

/** Divides a record into its stored parts. */
export function toParts<Kind extends IdentityKind>(kind: Kind, record: IdentityRecords[Kind]): StoredParts {
  if (!hasDetails(kind)) return { document: JSON.stringify(record), details: null };
  const names: readonly string[] = DETAILS[kind];
  const summary: Record<string, unknown> = {};
  const details: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(kind === 'policy' ? withoutDocuments(record as PolicyRecord) : record)) {
    if (names.includes(name)) details[name] = value;
    else summary[name] = value;
  }
  return { document: JSON.stringify(summary), details: JSON.stringify(details) };
}

function withoutDocuments(policy: PolicyRecord): object {
  return {
    ...policy,
    versions: policy.versions.map(({ versionId, createdAt }) => ({ versionId, createdAt })),
    documents: policy.versions.map(({ document }) => document),
  };
}

/** Returns the record that was divided into these parts. */
export function fromParts<Kind extends IdentityKind>(kind: Kind, { document, details }: StoredParts): IdentityRecords[Kind] {
  const summary = JSON.parse(document) as object;
  if (details === null) return summary as IdentityRecords[Kind];
  const record = { ...summary, ...(JSON.parse(details) as object) } as unknown;
  return (kind === 'policy' ? withDocuments(record as StoredPolicy) : record) as IdentityRecords[Kind];
}

type StoredPolicy = PolicySummary & Pick<PolicyRecord, 'tags'> & { readonly documents: readonly string[] };

function withDocuments({ documents, ...policy }: StoredPolicy): PolicyRecord {
  return { ...policy, versions: policy.versions.map((version, i) => ({ ...version, document: documents[i] as string })) };
}

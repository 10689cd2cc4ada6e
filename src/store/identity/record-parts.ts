/**
 * Parts of identity records. Each record is stored as two JSON documents: a small summary, and details, which can be large. Operations
 * that read many records read only the summaries, so that they do not delay other callers.
 */
import type { IdentityKind, IdentityRecords, PolicyRecord, PolicyVersionRecord } from './identity.ts';

/**
 * Members that the details contain, by kind. The summary has all other members. `documents` is the list of the
 * documents of a policy's versions.
 */
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

/** Managed policy without its documents and tags. */
type PolicySummary = Omit<PolicyRecord, 'versions' | 'tags'> & { readonly versions: readonly Omit<PolicyVersionRecord, 'document'>[] };

/** Type of the summary of each kind of record. */
export type IdentitySummaries = {
  readonly [Kind in IdentityKind]: Kind extends 'policy' ? PolicySummary : Omit<IdentityRecords[Kind], DetailOf<Kind>>;
};

/** Stored record: two JSON documents. `details` is null for a kind without details. */
export interface StoredParts {
  readonly document: string;
  readonly details: string | null;
}

/** Reports whether records of this kind have details. */
export function hasDetails(kind: IdentityKind): kind is keyof typeof DETAILS {
  return Object.hasOwn(DETAILS, kind);
}

/** Splits a record into its summary and its details, as JSON. */
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

/** Parses the summary and the details, and joins them to the record. */
export function fromParts<Kind extends IdentityKind>(kind: Kind, { document, details }: StoredParts): IdentityRecords[Kind] {
  const summary = JSON.parse(document) as object;
  if (details === null) return summary as IdentityRecords[Kind];
  const record = { ...summary, ...(JSON.parse(details) as object) } as unknown;
  return (kind === 'policy' ? withDocuments(record as StoredPolicy) : record) as IdentityRecords[Kind];
}

/**
 * Separator between the summary and the details of a record in one string. JSON escapes line breaks in strings, so
 * neither the summary nor the details contain a line break.
 */
const SEPARATOR = '\n';

/**
 * SQL expression for a record as one string. `d` is the row with the summary, and `x` the row with the details, which
 * can be absent.
 */
export const TEXT_SQL = `COALESCE(d.document || '${SEPARATOR}' || x.details, d.document)`;

/** Returns a record as one string: a line with the summary, and a line with the details if the kind has details. */
export function textOf<Kind extends IdentityKind>(kind: Kind, record: IdentityRecords[Kind]): string {
  const { document, details } = toParts(kind, record);
  return details === null ? document : `${document}${SEPARATOR}${details}`;
}

/** Parses a record from the string that `textOf` returns. */
export function recordOf<Kind extends IdentityKind>(kind: Kind, text: string): IdentityRecords[Kind] {
  const end = text.indexOf(SEPARATOR);
  return fromParts(kind, end < 0 ? { document: text, details: null } : { document: text.slice(0, end), details: text.slice(end + 1) });
}

/**
 * Returns a string member of a record's summary without parsing the text. Returns `undefined` if the summary has no such member, or if JSON
 * escapes a character of the value.
 *
 * A nested object can have a member with the same name. So compare the result with the parsed record before you rely on it. A value cannot
 * imitate the member, because JSON escapes quotes in strings.
 */
export function memberOf(text: string, name: string): string | undefined {
  const found = text.indexOf(`"${name}":"`);
  const end = text.indexOf(SEPARATOR);
  if (found < 0 || (end >= 0 && found > end)) return undefined;
  const start = found + name.length + 4;
  const value = text.slice(start, text.indexOf('"', start));
  return value.includes('\\') ? undefined : value;
}

type StoredPolicy = PolicySummary & Pick<PolicyRecord, 'tags'> & { readonly documents: readonly string[] };

function withDocuments({ documents, ...policy }: StoredPolicy): PolicyRecord {
  return { ...policy, versions: policy.versions.map((version, i) => ({ ...version, document: documents[i] as string })) };
}

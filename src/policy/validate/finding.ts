import type { Position } from '../document.ts';

/** Kind of a finding. Source: IAM Access Analyzer API, ValidatePolicyFinding. */
export type FindingType = 'ERROR' | 'SECURITY_WARNING' | 'WARNING' | 'SUGGESTION';

/**
 * One element of the path to a part of a policy document.
 *
 * - `value`: the value of the member with this name
 * - `key`: the name of the member
 * - `index`: an item of a list
 * - `substring`: a part of a string
 *
 * Source: IAM Access Analyzer API, PathElement.
 */
export type PathElement =
  | { readonly value: string }
  | { readonly key: string }
  | { readonly index: number }
  | { readonly substring: { readonly start: number; readonly length: number } };

/** Part of a policy text: the path to it and its first and last position. Source: IAM Access Analyzer API, Location. */
export interface Location {
  readonly path: readonly PathElement[];
  readonly span: { readonly start: Position; readonly end: Position };
}

/** One result of policy validation. Source: IAM Access Analyzer API, ValidatePolicyFinding. */
export interface Finding {
  readonly findingType: FindingType;
  readonly issueCode: string;
  readonly findingDetails: string;
  readonly learnMoreLink: string;
  readonly locations: readonly Location[];
}

/** Severity and message of an issue code. The message has one `{}` for each part that differs between findings. */
export interface Issue {
  readonly type: FindingType;
  readonly details: string;
  /** Type under which AWS's page lists the issue. Set only if it differs from `type`. */
  readonly listedAs?: FindingType;
}

const PAGE = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html';

const ANCHORS: Readonly<Record<FindingType, string>> = {
  ERROR: 'error',
  SECURITY_WARNING: 'security-warning',
  WARNING: 'general-warning',
  SUGGESTION: 'suggestion',
};

/**
 * Returns the URL of AWS's explanation of an issue. `type` is the type under which AWS's page lists the issue.
 *
 * Recorded: responses of ValidatePolicy that are quoted in public repositories.
 */
export function learnMoreLink(issueCode: string, type: FindingType): string {
  const slug = issueCode.toLowerCase().replaceAll('_', '-');
  return `${PAGE}#access-analyzer-reference-policy-checks-${ANCHORS[type]}-${slug}`;
}

/**
 * Replaces each `{}` of a message with the next part. If there are too few parts, the remaining `{}` stay in the message. Ignores surplus
 * parts.
 */
export function fillIn(text: string, parts: readonly string[]): string {
  let filled = '';
  let from = 0;
  for (const part of parts) {
    const hole = text.indexOf('{}', from);
    if (hole < 0) break;
    filled += text.slice(from, hole) + part;
    from = hole + 2;
  }
  return filled + text.slice(from);
}

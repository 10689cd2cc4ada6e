import type { Position } from '../document.ts';

export type FindingType = 'ERROR' | 'SECURITY_WARNING' | 'WARNING' | 'SUGGESTION';

/** One step into a policy document. Source: IAM Access Analyzer API, PathElement. */
export type PathElement =
  | { readonly value: string }
  | { readonly key: string }
  | { readonly index: number }
  | { readonly substring: { readonly start: number; readonly length: number } };

export interface Location {
  readonly path: readonly PathElement[];
  readonly span: { readonly start: Position; readonly end: Position };
}

/** Something about a policy that its author should know. Source: IAM Access Analyzer API, ValidatePolicyFinding. */
export interface Finding {
  readonly findingType: FindingType;
  readonly issueCode: string;
  readonly findingDetails: string;
  readonly learnMoreLink: string;
  readonly locations: readonly Location[];
}

/** An issue code: how grave it is, and its text with `{}` for each part that differs. */
export interface Issue {
  readonly type: FindingType;
  readonly details: string;
  /** The type under which AWS's page lists it, where ours is another. */
  readonly listedAs?: FindingType;
}

const PAGE = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html';

const ANCHORS: Readonly<Record<FindingType, string>> = {
  ERROR: 'error',
  SECURITY_WARNING: 'security-warning',
  WARNING: 'general-warning',
  SUGGESTION: 'suggestion',
};

/** The address of AWS's explanation of an issue. Recorded: answers of ValidatePolicy quoted in public repositories. */
export function learnMoreLink(issueCode: string, type: FindingType): string {
  const slug = issueCode.toLowerCase().replaceAll('_', '-');
  return `${PAGE}#access-analyzer-reference-policy-checks-${ANCHORS[type]}-${slug}`;
}

/** Fills the `{}` of a text in order; what is left over stays. */
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

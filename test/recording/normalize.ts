/**
 * Replaces values that differ between two runs of the same calls (IDs, keys, tokens, times, ports) by placeholders.
 *
 * A value keeps its placeholder for the whole run, so the comparison still detects a response that names the wrong
 * resource.
 */
export interface Normalizer {
  /** Sets the placeholder of a value that no pattern recognizes, such as an account ID or a port. */
  name(value: string, placeholder: string): void;
  text(text: string): string;
}

/** Members with opaque or random values. A placeholder replaces the whole value. */
const OPAQUE = [
  'SessionToken',
  'marker',
  'sessionToken',
  'SecretAccessKey',
  'NextToken',
  'nextToken',
  'Marker',
  'JoinToken',
  'PersonalPIN',
  'SecurityToken',
  'EncodedMessage',
  'EncodedAuthorizationMessage',
  'Base32StringSeed',
  'QRCodePNG',
  'ContinuationToken',
  'FederationTokenPolicy',
  'ServicePassword',
  'Content-MD5',
  'SecretArn',
  'nextForwardToken',
  'nextSequenceToken',
  'nextBackwardToken',
  'uploadSequenceToken',
  'eventId',
].join('|');

// biome-ignore format: a table
const PATTERNS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  // kind       pattern; if it has a capture group `value`, only this group is replaced
  ['opaque',    new RegExp(`"(?:${OPAQUE})":"(?<value>[^"]+)"`, 'g')],
  ['opaque',    new RegExp(`<(?:${OPAQUE})>(?<value>[^<]+)<`, 'g')],
  ['opaque',    new RegExp(`[?&](?:${OPAQUE}|next-token|max-token)=(?<value>[^&\\s"]+)`, 'gi')],
  ['uuid',      /[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}/g],
  ['id',        /\b(?:AKIA|ASIA|AIDA|AROA|AGPA|ANPA|ANVA|ABIA|ACCA|ASCA|APKA|SAMLP)[A-Z0-9]{12,17}\b/g],
  ['hash',      /\b[0-9a-f]{64}\b/g],
  ['org',       /\b(?:o-[a-z0-9]{10,32}|r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|p-[a-z0-9]{8,32}|h-[a-z0-9]{8,32}|car-[a-z0-9]{8,32}|rp-[a-z0-9]{4,32})\b/g],
  ['org',       /"Id":"(?<value>[a-z0-9]{10,32})","Type":"ORGANIZATION"/g],
  ['sha1',      /(?<value>[A-Za-z0-9+/]{27}=)(?=[:<"])/g],
  ['code',      /AuthenticationCode[12]=(?<value>[0-9]{6})/g],
  ['connector', /(?<![0-9A-Za-z+/=_.-])(?<value>[a-z0-9]{22})(?![0-9A-Za-z+/=_-])|(?<=[/]|%2F|%3A)(?<value>[a-z0-9]{22})\b/g],
  ['account',   /(?<=%3A|%2F|(?<![0-9A-Za-z.+]))[0-9]{12}(?![0-9A-Za-z.])/g],
];

/** Patterns of times. Only the digits are replaced, so that the recording shows the format. */
const TIMES: readonly RegExp[] = [
  /\b2\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?/g,
  /\b20\d\d-\d\d-\d\dT\d\d%3A\d\d%3A\d\d(?:\.\d+)?Z/g,
  /\b\d{8}T\d{6}Z\b/g,
  /\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{1,2}, 20\d\d,? \d{1,2}:\d\d:\d\d\s(?:AM|PM)/g,
];
const EPOCH = /(?<![0-9A-Za-z.-])1[789]\d{8}(?:\d{3}|\.\d+)?(?![0-9A-Za-z])/g;

/**
 * User agent of the SDK. The recording omits the versions of the client, of Node and of the kernel from the user agent.
 */
const USER_AGENT = /\b(aws-sdk-js)\/[0-9.]+ [^"\n]*/g;

/** Placeholder of a one-time code. */
export const CODE = '‹code›';

export function newNormalizer(): Normalizer {
  const names = new Map<string, string>();
  /** Names from `name`. Thousands of other values have a name, so a search for each of them in every text would take minutes. */
  const named = new Map<string, string>();
  const counts = new Map<string, number>();
  const placeholderOf = (kind: string, value: string): string => {
    // Two codes are equal if both are of the same half minute, so a number would depend on the time of the run.
    if (kind === 'code') return CODE;
    const known = names.get(value);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const placeholder = `‹${kind}-${count}›`;
    names.set(value, placeholder);
    return placeholder;
  };
  return {
    name(value, placeholder) {
      names.set(value, `‹${placeholder}›`);
      named.set(value, `‹${placeholder}›`);
    },
    text(text) {
      let normal = text;
      for (const pattern of TIMES)
        normal = normal.replace(pattern, (time) =>
          time
            .replace(/\.\d+/, '.0')
            .replace(/\d+/g, '0')
            .replace(/[A-Z][a-z]{2} /, 'Mon ')
            .replace(/[AP]M/, 'AM'),
        );
      for (const [kind, pattern] of PATTERNS) {
        normal = normal.replace(pattern, (...match) => {
          const whole = match[0] as string;
          const groups = match.at(-1) as { readonly value?: string } | undefined;
          const value = typeof groups === 'object' && groups.value !== undefined ? groups.value : whole;
          if (value.startsWith('‹')) return whole;
          return whole.replace(value, () => placeholderOf(kind, value));
        });
      }
      normal = normal.replace(EPOCH, '‹epoch›').replace(USER_AGENT, '$1');
      for (const [value, placeholder] of named) normal = normal.replaceAll(value, placeholder);
      return normal;
    },
  };
}

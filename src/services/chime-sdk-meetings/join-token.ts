import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from '#core/hmac.ts';
import { type Instant, instant } from '#core/instant.ts';

/** Content of a join token. The media plane verifies the token to admit an attendee, without a lookup in the store. */
export interface JoinTokenFacts {
  readonly accountId: string;
  readonly region: string;
  readonly meetingId: string;
  readonly attendeeId: string;
  readonly externalUserId: string;
  /** End of the meeting. */
  readonly expiresAt: Instant;
}

export interface JoinTokens {
  /** Returns the token of these facts. Equal facts have equal tokens, so the server does not store tokens. */
  issue(facts: JoinTokenFacts): string;
  /**
   * Returns the facts of a valid token; undefined if the token is forged or expired. Does not check whether the
   * attendee still exists.
   */
  verify(token: string, now: Instant): JoinTokenFacts | undefined;
}

const FORMAT = 1;
/** Source: chime-sdk-meetings 2021-07-15, JoinTokenString. */
const TOKEN_MAX_LENGTH = 2048;
const KEY_MIN_BYTES = 32;
/** Prefix of the signed text, so that other MACs with the same key are not valid join tokens. */
const PURPOSE = 'belfry join token\n';

/**
 * Issues and verifies join tokens: `<facts>.<HMAC-SHA256>`. The facts and the HMAC are in base64url, because clients
 * send a token as a WebSocket subprotocol, which allows only the characters of an HTTP token. The attendee can read the
 * facts. `older` are previous keys. Tokens that were issued with these keys remain valid.
 *
 * Source: RFC 9110 §5.6.2 for the characters; realtime.md §2.2 for the client.
 * @throws Error a key is shorter than 32 bytes
 */
export function joinTokens(key: Uint8Array, older: readonly Uint8Array[] = []): JoinTokens {
  if ([key, ...older].some(({ length }) => length < KEY_MIN_BYTES))
    throw new Error(`a key of join tokens must have at least ${KEY_MIN_BYTES} bytes`);
  const newest = hmacSha256(key, TOKEN_MAX_LENGTH, PURPOSE);
  const macs = [newest, ...older.map((each) => hmacSha256(each, TOKEN_MAX_LENGTH, PURPOSE))];

  return {
    issue({ accountId, region, meetingId, attendeeId, externalUserId, expiresAt }) {
      const facts = JSON.stringify([FORMAT, accountId, region, meetingId, attendeeId, externalUserId, expiresAt]);
      const text = Buffer.from(facts).toString('base64url');
      return `${text}.${newest(text, 'base64url')}`;
    },
    verify(token, now) {
      if (token.length > TOKEN_MAX_LENGTH) return undefined;
      const dot = token.indexOf('.');
      if (dot < 0) return undefined;
      const text = token.slice(0, dot);
      const actual = Buffer.from(token.slice(dot + 1), 'base64url');
      const issued = macs.some((mac) => {
        const expected = Buffer.from(mac(text, 'base64url'), 'base64url');
        return actual.length === expected.length && timingSafeEqual(actual, expected);
      });
      if (!issued) return undefined;
      // The MAC matches, so this server created the text, and it is valid JSON.
      const [format, accountId, region, meetingId, attendeeId, externalUserId, expiresAt] = JSON.parse(
        Buffer.from(text, 'base64url').toString(),
      ) as [number, string, string, string, string, string, number];
      if (format !== FORMAT || expiresAt <= now) return undefined;
      return { accountId, region, meetingId, attendeeId, externalUserId, expiresAt: instant(expiresAt) };
    },
  };
}

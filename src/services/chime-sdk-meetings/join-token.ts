import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Instant, instant } from '#core/instant.ts';

/** What a join token says of itself: enough to admit its bearer to the media plane without a look-up. */
export interface JoinTokenFacts {
  readonly accountId: string;
  readonly region: string;
  readonly meetingId: string;
  readonly attendeeId: string;
  readonly externalUserId: string;
  /** The end of the meeting. */
  readonly expiresAt: Instant;
}

export interface JoinTokens {
  /** The same facts give the same token, so it need not be kept to be answered again. */
  issue(facts: JoinTokenFacts): string;
  /** Undefined where the token was not issued with this key, was altered, or has expired at `now`. Whether the attendee is still there, it cannot know. */
  verify(token: string, now: Instant): JoinTokenFacts | undefined;
}

const FORMAT = 1;
/** Source: chime-sdk-meetings 2021-07-15, JoinTokenString. */
const TOKEN_MAX_LENGTH = 2048;
const KEY_MIN_BYTES = 32;
/** So that a MAC made for something else under the same key is no join token. */
const PURPOSE = 'belfry join token\n';

/**
 * Join tokens as `<facts>.<MAC>`, both base64url: it travels as a WebSocket subprotocol, so only the characters of an HTTP token may be in it.
 * The facts are legible to their bearer, whose own they are; the MAC is HMAC-SHA256.
 * `older` are keys in use before this one: what they issued is still good.
 *
 * Source: RFC 9110 §5.6.2 for the characters; realtime.md §2.2 for what the client does with it.
 * @throws Error where the key is shorter than 32 bytes
 */
export function joinTokens(key: Uint8Array, older: readonly Uint8Array[] = []): JoinTokens {
  if ([key, ...older].some(({ length }) => length < KEY_MIN_BYTES))
    throw new Error(`The key of join tokens must have ${KEY_MIN_BYTES} bytes or more.`);
  // Key objects, because Node 24 takes five times as long over a key given as bytes: 12 µs against 2.
  const newest = createSecretKey(key);
  const keys = [newest, ...older.map((each) => createSecretKey(each))];

  return {
    issue({ accountId, region, meetingId, attendeeId, externalUserId, expiresAt }) {
      const facts = JSON.stringify([FORMAT, accountId, region, meetingId, attendeeId, externalUserId, expiresAt]);
      const text = Buffer.from(facts).toString('base64url');
      return `${text}.${mac(newest, text).toString('base64url')}`;
    },
    verify(token, now) {
      if (token.length > TOKEN_MAX_LENGTH) return undefined;
      const dot = token.indexOf('.');
      if (dot < 0) return undefined;
      const text = token.slice(0, dot);
      const given = Buffer.from(token.slice(dot + 1), 'base64url');
      const issued = keys.some((each) => {
        const expected = mac(each, text);
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!issued) return undefined;
      // Ours from here on: the MAC was made over exactly this text.
      const [format, accountId, region, meetingId, attendeeId, externalUserId, expiresAt] = JSON.parse(
        Buffer.from(text, 'base64url').toString(),
      ) as [number, string, string, string, string, string, number];
      if (format !== FORMAT || expiresAt <= now) return undefined;
      return { accountId, region, meetingId, attendeeId, externalUserId, expiresAt: instant(expiresAt) };
    },
  };
}

function mac(key: KeyObject, facts: string): Buffer {
  return createHmac('sha256', key).update(PURPOSE).update(facts).digest();
}

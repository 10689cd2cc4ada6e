import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from '#core/hmac.ts';

/** Tokens that contain facts and prove that this server issued them. They are not secret from their holder. */
export interface SignedTexts {
  /** Returns the token of facts. Equal facts have equal tokens, so the server stores no tokens. */
  issue(facts: readonly (string | number)[]): string;
  /** Returns the facts of a token that the server issued, otherwise undefined. */
  verify(token: string): readonly (string | number)[] | undefined;
}

const TOKEN_MAX_LENGTH = 768;

/**
 * Issues and verifies tokens: `<facts>.<HMAC-SHA256>`, both in base64url. The first key signs, and each key verifies. `purpose` precedes the
 * signed text, so that a token of one purpose is invalid for another one.
 */
export function signedTexts(keys: readonly Uint8Array[], purpose: string): SignedTexts {
  const [newest, ...others] = keys.map((key) => hmacSha256(key, TOKEN_MAX_LENGTH, `${purpose}\n`)) as [ReturnType<typeof hmacSha256>];
  return {
    issue(facts) {
      const text = Buffer.from(JSON.stringify(facts)).toString('base64url');
      return `${text}.${newest(text, 'base64url')}`;
    },
    verify(token) {
      if (token.length > TOKEN_MAX_LENGTH || !/^[\w-]+\.[\w-]+$/.test(token)) return undefined;
      const [text = '', mac = ''] = token.split('.');
      const actual = Buffer.from(mac, 'base64url');
      const isIssued = [newest, ...others].some((each) => {
        const expected = Buffer.from(each(text, 'base64url'), 'base64url');
        return expected.length === actual.length && timingSafeEqual(expected, actual);
      });
      return isIssued ? JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) : undefined;
    },
  };
}

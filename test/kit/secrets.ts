/** Secrets in the inputs and outputs of calls, which no record, log line or error response may contain. Requirement LOG-4. */

/**
 * Names of members that contain a secret. This pattern is independent of the server's own rule, so tests find names that the rule lacks.
 */
export const SOUNDS_SECRET =
  /password$|^secret(?:accesskey)?$|(?:credential|client)secret|(?:session|security|join|device|tradein)token$|^webidentitytoken$|(?:^|add)privatekey$|pin$|passcode|assertion$|seed$|qrcode|apikeyvalue/i;

/** Minimum length of a secret that tests search for, in characters. A shorter one may occur in other text by chance. */
const SEARCHED_MIN = 8;

/** Strings of calls: the values of secret members, and those of all other members. */
export interface Strings {
  readonly secret: Set<string>;
  readonly plain: Set<string>;
}

/** Adds the strings of an input or output. Adds blobs as text and in base64. `name` is the name of the member. */
export function collectStrings(value: unknown, into: Strings, name = ''): void {
  if (typeof value === 'string') addString(value, into, name);
  else if (value instanceof Uint8Array) {
    addString(Buffer.from(value).toString('latin1'), into, name);
    addString(Buffer.from(value).toString('base64'), into, name);
  } else if (Array.isArray(value)) {
    for (const each of value) collectStrings(each, into, name);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) collectStrings(each, into, key);
  }
}

function addString(text: string, { secret, plain }: Strings, name: string): void {
  if (!SOUNDS_SECRET.test(name)) plain.add(text);
  else if (text.length >= SEARCHED_MIN) secret.add(text);
}

/** Returns the secrets that are not also the value of a member without secrets. */
export function searchedSecrets({ secret, plain }: Strings): readonly string[] {
  return [...secret].filter((text) => !plain.has(text));
}

/** Text of a place that must have no secret, such as a log line. */
export type Place = readonly [name: string, text: string];

/** Returns a description of each secret in each place, without the secret. */
export function leaks(secrets: readonly string[], places: Iterable<Place>): readonly string[] {
  const found: string[] = [];
  for (const [place, text] of places) {
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      if (at >= 0) found.push(`${place}: ${text.slice(Math.max(0, at - 300), at)} (then a secret of ${secret.length} characters)`);
    }
  }
  return found;
}

/** Starts to collect everything that this process writes to stdout and stderr, also from its threads. `end` returns the text. */
export function captureOutput(): { end(): string } {
  const written: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  for (const { stream, write } of streams) {
    stream.write = ((...args: Parameters<typeof write>) => {
      written.push(typeof args[0] === 'string' ? args[0] : Buffer.from(args[0]).toString('utf8'));
      return write.apply(stream, args);
    }) as typeof write;
  }
  return {
    end() {
      for (const { stream, write } of streams) stream.write = write;
      return written.join('');
    },
  };
}

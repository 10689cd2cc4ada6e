import { gunzipSync, constants as zlib } from 'node:zlib';
import { AwsError } from '#core/aws-error.ts';
import type { RawPair } from './routed.ts';

/** Maximum number of parameters. Assumed: no client sends more. PutMetricData with 1,000 metrics is below the limit. */
const PAIRS_MAX = 20_000;
/**
 * Number of bytes of a compressed form that routing decompresses to find the Action, before the signature is verified.
 * Clients send Action and Version early in the form.
 */
const PEEK_BYTES = 1_024;

/**
 * Returns the decoded parameters of a form or query string. `plusIsSpace` is true for a form, where `+` means a space.
 *
 * @throws SerializationException  a name occurs twice, there are too many parameters, or the encoding is invalid
 */
export function parseParameters(text: string, plusIsSpace: boolean): Map<string, string> {
  const parameters = new Map<string, string>();
  let from = 0;
  while (from < text.length) {
    const ampersand = text.indexOf('&', from);
    const to = ampersand < 0 ? text.length : ampersand;
    if (to > from) {
      const equals = text.indexOf('=', from);
      const cut = equals < 0 || equals > to ? to : equals;
      const name = decodeComponent(text.slice(from, cut), plusIsSpace);
      // If a name had two values, the trail could record one of them and the handler could use the other.
      if (parameters.has(name)) throw new AwsError('SerializationException', `Duplicate parameter: ${name.slice(0, 128)}`);
      parameters.set(name, decodeComponent(text.slice(cut + 1, to), plusIsSpace));
      if (parameters.size > PAIRS_MAX) throw new AwsError('SerializationException', `Too many parameters (maximum: ${PAIRS_MAX})`);
    }
    from = to + 1;
  }
  return parameters;
}

/**
 * Percent-decodes one name or value.
 *
 * @throws SerializationException  the decoded string is not UTF-8, or contains U+0000, which the store cannot contain
 */
export function decodeComponent(text: string, plusIsSpace: boolean): string {
  const spaced = plusIsSpace && text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  let decoded: string;
  try {
    decoded = decodeURIComponent(spaced);
  } catch {
    throw new AwsError('SerializationException', 'Malformed percent-encoding');
  }
  if (decoded.includes('\0')) throw new AwsError('SerializationException', 'Null characters are not allowed');
  return decoded;
}

/** Action and Version of a request in the query protocol. */
export interface ActionClues {
  readonly action: string | undefined;
  readonly version: string | undefined;
  /** Whether there are two Actions, so that the operation is ambiguous. */
  readonly ambiguous: boolean;
}

/** Returns the Action and Version of a query string. */
export function actionOfQuery(query: readonly RawPair[]): ActionClues {
  let action: string | undefined;
  let version: string | undefined;
  let ambiguous = false;
  for (const [name, value] of query) {
    if (name === 'Action') {
      ambiguous ||= action !== undefined;
      action = value;
    } else if (name === 'Version') version ??= value;
  }
  return { action, version, ambiguous };
}

/**
 * Returns the Action and Version of a form without decoding the form, because the signature is not verified yet.
 *
 * If the form is compressed, decompresses only its first kilobyte, which yields at most one megabyte. `decode` later
 * checks the Action of the whole form.
 */
export function actionOfForm(body: Uint8Array, gzip: boolean): ActionClues {
  const text = gzip ? inflatedStart(body) : latin1(body);
  let action: string | undefined;
  let version: string | undefined;
  let ambiguous = false;
  for (let at = nextParameter(text, 'Action=', 0); at >= 0; at = nextParameter(text, 'Action=', at)) {
    ambiguous ||= action !== undefined;
    action = valueAt(text, at);
  }
  const at = nextParameter(text, 'Version=', 0);
  if (at >= 0) version = valueAt(text, at);
  return { action, version, ambiguous };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function inflatedStart(body: Uint8Array): string {
  try {
    return latin1(gunzipSync(body.subarray(0, PEEK_BYTES), { finishFlush: zlib.Z_SYNC_FLUSH }));
  } catch {
    return '';
  }
}

/** Returns the index of the value of the next parameter with that name, or -1. */
function nextParameter(text: string, nameAndEquals: string, from: number): number {
  for (let at = text.indexOf(nameAndEquals, from); at >= 0; at = text.indexOf(nameAndEquals, at + 1))
    if (at === 0 || text[at - 1] === '&') return at + nameAndEquals.length;
  return -1;
}

function valueAt(text: string, at: number): string {
  const end = text.indexOf('&', at);
  return text.slice(at, end < 0 ? undefined : end).trim();
}
